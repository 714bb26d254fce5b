//! 202 Accepted: response of operations whose outcome is sent by mail.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// The request has been accepted; its outcome is sent by mail.
#[derive(Serialize, ToSchema)]
pub struct AcceptedReply {
    #[schema(example = "If the address has an account, a code is on its way.")]
    detail: &'static str,
}

impl AcceptedReply {
    /// Builds the response. It must not depend on the outcome.
    pub fn response(detail: &'static str) -> HttpResponse {
        HttpResponse::Accepted().json(Self { detail })
    }
}

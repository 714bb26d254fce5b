//! 202 Accepted: responses of operations whose outcome is told by mail.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// The request has been accepted; a mail tells the outcome.
#[derive(Serialize, ToSchema)]
pub struct AcceptedReply {
    #[schema(example = "If the address has an account, a code is on its way.")]
    detail: &'static str,
}

impl AcceptedReply {
    /// The response. It is the same whatever the outcome is.
    pub fn response(detail: &'static str) -> HttpResponse {
        HttpResponse::Accepted().json(Self { detail })
    }
}

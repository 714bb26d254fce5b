//! Whether the service lives and can serve, and its public keys: what other machines ask.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::problem::Problem;
use crate::error::Error;
use crate::state::AppState;

/// How the service is.
#[derive(Serialize, ToSchema)]
pub struct HealthReply {
    /// Always `ok`; anything else is a problem document.
    #[schema(example = "ok")]
    status: &'static str,
}

/// The keys that verify this service's access tokens (RFC 7517 §5).
#[derive(Serialize, ToSchema)]
pub struct JwkSetReply {
    /// Public keys, each with `kid`, `use` and `alg`.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
}

/// Whether the process lives. Asks nothing of the database.
///
/// **Open to:** anyone.
#[utoipa::path(tag = "operations", responses((status = 200, body = HealthReply)))]
#[get("/live")]
pub async fn live() -> web::Json<HealthReply> {
    web::Json(HealthReply { status: "ok" })
}

/// Whether requests can be served: the database answers.
///
/// **Open to:** anyone.
#[utoipa::path(tag = "operations", responses((status = 200, body = HealthReply)))]
#[get("/ready")]
pub async fn ready(state: web::Data<AppState>) -> Result<web::Json<HealthReply>, Problem> {
    state.db.ping().await.map_err(Error::from)?;
    Ok(web::Json(HealthReply { status: "ok" }))
}

/// The public keys of the tokens, when they are signed with asymmetric keys.
///
/// **Open to:** anyone.
#[utoipa::path(
    tag = "operations",
    responses((status = 200, body = JwkSetReply), (status = 404, description = "The key is a shared secret"))
)]
#[get("/.well-known/jwks.json")]
pub async fn jwks(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let keys = state.auth.tokens.keys().public().ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "public, max-age=300")).json(keys))
}

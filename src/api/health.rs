//! Health checks (liveness, readiness), and the public keys that verify access tokens (JWKS).

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::problem::Problem;
use crate::error::Error;
use crate::state::AppState;

/// Status of the service.
#[derive(Serialize, ToSchema)]
pub struct HealthReply {
    /// Always `ok`; a failure is a problem document.
    #[schema(example = "ok")]
    status: &'static str,
}

/// JSON Web Key Set (RFC 7517 §5): the public keys that verify access tokens.
#[derive(Serialize, ToSchema)]
pub struct JwkSetReply {
    /// Public keys, each with `kid`, `use` and `alg`.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
}

/// Check health
///
/// As readiness, for tools that expect this path.
///
/// **Open to:** anyone.
#[utoipa::path(operation_id = "check_health", tag = "operations", responses((status = 200, body = HealthReply)))]
#[get("")]
pub async fn check(state: web::Data<AppState>) -> Result<web::Json<HealthReply>, Problem> {
    report(&state).await
}

/// Check liveness
///
/// Tells whether the process runs. Does not use the database.
///
/// **Open to:** anyone.
#[utoipa::path(operation_id = "check_liveness", tag = "operations", responses((status = 200, body = HealthReply)))]
#[get("/live")]
pub async fn live() -> web::Json<HealthReply> {
    web::Json(HealthReply { status: "ok" })
}

/// Check readiness
///
/// Tells whether the service can serve requests: the database answers, the list of revoked sessions is up to date, and
/// the clock agrees with that of the database.
///
/// **Open to:** anyone.
#[utoipa::path(operation_id = "check_readiness", tag = "operations", responses((status = 200, body = HealthReply)))]
#[get("/ready")]
pub async fn ready(state: web::Data<AppState>) -> Result<web::Json<HealthReply>, Problem> {
    report(&state).await
}

async fn report(state: &AppState) -> Result<web::Json<HealthReply>, Problem> {
    state.auth.revocations.check_age()?;
    state.auth.skew.check()?;
    state.db.ping().await.map_err(Error::from)?;
    Ok(web::Json(HealthReply { status: "ok" }))
}

/// Get the public keys (JWKS)
///
/// They verify access tokens. The set is empty if tokens are signed with a shared secret.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "get_jwks", tag = "operations",
    responses((status = 200, body = JwkSetReply))
)]
#[get("/.well-known/jwks.json")]
pub async fn jwks(state: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", "public, max-age=300")).json(state.auth.tokens.keys().public())
}

//! Health checks (liveness, readiness), and the public keys that verify access tokens (JWKS).

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::extract::CurrentUser;
use crate::api::http::problem::Problem;
use crate::domain::vaccination::invariants::{Miscount, recount};
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

/// A counter that is wrong.
#[derive(Serialize, ToSchema)]
pub struct MiscountReply {
    /// Name of the invariant: `slots_booked`, `slots_held`, `patients_open_requests`, `lots_used`, or `doses` for two that
    /// count with the same number.
    #[schema(example = "slots_booked")]
    invariant: &'static str,
    /// Id of the slot, patient or lot.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// The counter.
    #[schema(example = 3)]
    stored: i64,
    /// The number of rows that it counts.
    #[schema(example = 2, minimum = 0)]
    counted: i64,
}

/// Outcome of a recount.
#[derive(Serialize, ToSchema)]
pub struct RecountReply {
    checked_at: DateTime<Utc>,
    /// Number of slots.
    #[schema(example = 1000, minimum = 0)]
    slots: u64,
    /// Number of patients.
    #[schema(example = 5000, minimum = 0)]
    patients: u64,
    /// Number of lots.
    #[schema(example = 40, minimum = 0)]
    lots: u64,
    /// Number of doses that count.
    #[schema(example = 4000, minimum = 0)]
    doses: u64,
    /// Counters that are wrong, at most 100. There should be none.
    violations: Vec<MiscountReply>,
}

/// Recount bookings and doses
///
/// Compares the counters of slots, patients and lots with the rows that they count, and looks for doses that count twice.
/// Reads all of them.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "check_invariants", tag = "operations", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = RecountReply), (status = 403, description = "Needs the role staff"))
)]
#[get("")]
pub async fn check_invariants(
    state: web::Data<AppState>,
    user: CurrentUser,
) -> Result<web::Json<RecountReply>, Problem> {
    let recount = recount(&state.db, &state.auth.clock, &user).await?;
    let violation = |miscount: Miscount| MiscountReply {
        invariant: miscount.invariant,
        id: miscount.id,
        stored: miscount.stored,
        counted: miscount.counted,
    };
    Ok(web::Json(RecountReply {
        checked_at: recount.checked_at,
        slots: recount.slots,
        patients: recount.patients,
        lots: recount.lots,
        doses: recount.doses,
        violations: recount.violations.into_iter().map(violation).collect(),
    }))
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

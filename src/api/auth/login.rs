//! Registering, signing in, refreshing the token pair, signing out.

use actix_web::http::header;
use actix_web::{HttpResponse, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::accounts::recovery::AcceptedReply;
use crate::api::accounts::users::UserReply;
use crate::api::http::extract::{CurrentUser, Valid};
use crate::api::http::problem::Problem;
use crate::domain::accounts::users;
use crate::domain::accounts::users::NewUser;
use crate::domain::auth::password::Password;
use crate::domain::auth::sessions;
use crate::domain::auth::token::TokenPair;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::rules;
use crate::error::Error;
use crate::state::AppState;

/// What somebody who registers tells of themselves. A role cannot be chosen.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Full name.
    #[serde(default)]
    #[validate(length(max = 200), custom(function = rules::line))]
    #[schema(required = true, min_length = 1, max_length = 200, example = "Ada Lovelace")]
    name: String,
    /// Unique among all accounts, whatever its letter case.
    #[serde(default)]
    #[validate(custom(function = rules::email))]
    #[schema(required = true, format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
    /// 8 characters at least, 71 bytes at most, and not one of the most common.
    #[serde(default)]
    #[validate(custom(function = rules::password))]
    #[schema(required = true, format = Password, min_length = 8, max_length = 71, example = "a long sentence")]
    password: String,
    /// National id, unique among all accounts.
    #[validate(length(max = 64), custom(function = rules::nid))]
    #[schema(min_length = 1, max_length = 64, example = "19121815-AL")]
    nid: Option<String>,
    /// For staff to call.
    #[validate(length(max = 32), custom(function = rules::phone_number))]
    #[schema(min_length = 5, max_length = 32, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
    /// Postal address.
    #[validate(length(max = 500), custom(function = rules::text))]
    #[schema(min_length = 1, max_length = 500, example = "12 St James's Square, London")]
    address: Option<String>,
    /// From 1900 to today.
    #[validate(custom(function = rules::birth_date))]
    #[schema(example = "1985-12-10")]
    birth_date: Option<NaiveDate>,
}

impl Register {
    fn into_new_user(self) -> Result<NewUser, Error> {
        let trimmed = |text: String| text.trim().to_owned();
        Ok(NewUser {
            name: trimmed(self.name),
            email: Email::parse(&self.email)?,
            password: Password::parse(&self.password)?,
            nid: self.nid.map(trimmed),
            phone_number: self.phone_number.map(trimmed),
            address: self.address.map(trimmed),
            birth_date: self.birth_date,
        })
    }
}

/// An e-mail and a password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// In any letter case.
    #[serde(default)]
    #[validate(custom(function = rules::email))]
    #[schema(required = true, format = Email, example = "ada@example.org")]
    email: String,
    /// The account's password.
    #[serde(default)]
    #[validate(length(min = 1, max = 1024))]
    #[schema(required = true, format = Password, min_length = 1, max_length = 1024, example = "a long sentence")]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// From the latest token pair.
    #[schema(example = "eyJ0eXAiOiJydCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl")]
    refresh_token: String,
}

/// An access token and the refresh token for the next pair (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub struct TokenPairReply {
    /// Goes into `Authorization: Bearer …`.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    #[schema(example = 900)]
    expires_in: i64,
    /// Buys the next pair, once.
    #[schema(example = "eyJ0eXAiOiJydCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl")]
    refresh_token: String,
    /// Seconds until the refresh token ends.
    #[schema(example = 2_592_000)]
    refresh_expires_in: i64,
}

impl TokenPairReply {
    pub(in crate::api) fn new(pair: TokenPair, now: DateTime<Utc>) -> Self {
        Self {
            access_token: pair.access_token,
            token_type: "Bearer",
            expires_in: pair.access_expires_at.timestamp() - now.timestamp(),
            refresh_token: pair.refresh_token,
            refresh_expires_in: pair.refresh_expires_at.timestamp() - now.timestamp(),
        }
    }
}

/// Registers an account.
///
/// The account is a patient's; an admin can give it another role. A code is mailed to the address, for
/// `POST /auth/verify-email`. Where operators have chosen `registration.on_duplicate = "silent"`, the answer is 202
/// whether or not the address is taken, and its owner learns the rest by mail.
///
/// **Open to:** anyone.
#[utoipa::path(
    tag = "auth",
    request_body = Register,
    responses(
        (status = 201, body = UserReply, headers(("Location" = String, description = "Path of the account"))),
        (status = 202, body = AcceptedReply),
        (status = 409, description = "The e-mail or national id is taken"),
        (status = 429, description = "Too many registrations from this address"),
    )
)]
#[post("/register")]
pub async fn register(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<Register>,
) -> Result<HttpResponse, Problem> {
    let new = body.into_new_user()?;
    if state.auth.silent_registration {
        users::register_silently(&state.db, &state.auth, new, &client).await?;
        return Ok(AcceptedReply::saying("A mail tells what came of the registration."));
    }
    let user = users::register(&state.db, &state.auth, new, &client).await?;
    let location = format!("/api/v1/users/{}", user.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(UserReply::from(user)))
}

/// Signs in with e-mail and password.
///
/// An unknown e-mail gets the same answer as a wrong password, after the same time.
///
/// **Open to:** anyone.
#[utoipa::path(
    tag = "auth",
    request_body = LogIn,
    responses(
        (status = 200, body = TokenPairReply),
        (status = 401, description = "The e-mail or the password is wrong; where registering is silent, also that the \
            e-mail has not been confirmed"),
        (status = 403, description = "The account is disabled, or its e-mail has to be confirmed first"),
        (status = 429, description = "Too many failures on this account from this address, or from this address"),
    )
)]
#[post("/login")]
pub async fn login(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<LogIn>,
) -> Result<web::Json<TokenPairReply>, Problem> {
    let email = Email::parse(&body.email).map_err(Error::from)?;
    let password = Password::presented(&body.password);
    let pair = sessions::open(&state.db, &state.auth, &email, password, &client).await?;
    Ok(web::Json(TokenPairReply::new(pair, state.auth.clock.now())))
}

/// Exchanges a refresh token for the next pair.
///
/// Each refresh token works once; a repeated request gets the same answer for a few seconds. An older one ends the
/// session, because somebody else may hold it.
///
/// **Open to:** anyone with a refresh token.
#[utoipa::path(
    tag = "auth",
    request_body = Refresh,
    responses(
        (status = 200, body = TokenPairReply),
        (status = 401, description = "The refresh token is not valid, or its session has ended"),
    )
)]
#[post("/refresh")]
pub async fn refresh(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<Refresh>,
) -> Result<web::Json<TokenPairReply>, Problem> {
    let pair = sessions::refresh(&state.db, &state.auth, &body.refresh_token, &client).await?;
    Ok(web::Json(TokenPairReply::new(pair, state.auth.clock.now())))
}

/// Ends this session: both its tokens are dead at once.
///
/// **Open to:** anyone signed in.
#[utoipa::path(tag = "auth", security(("oauth2" = []), ("token" = [])), responses((status = 204)))]
#[post("")]
pub async fn logout(state: web::Data<AppState>, user: CurrentUser, client: Client) -> Result<HttpResponse, Problem> {
    sessions::close(&state.db, &state.auth, &user, &client).await?;
    Ok(HttpResponse::NoContent().finish())
}

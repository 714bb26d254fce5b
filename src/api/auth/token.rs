//! OAuth 2.0 token endpoint (RFC 6749 §3.2): takes a form, returns a token pair or an error of §5.2.

use std::borrow::Cow;
use std::collections::HashMap;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::auth::log_in::TokenPairReply;
use crate::api::http::extract::read_body;
use crate::api::http::problem::{Problem, seconds};
use crate::domain::auth::password::PresentedPassword;
use crate::domain::auth::{log_in, refresh};
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::value::Value;
use crate::error::Error;
use crate::state::AppState;

/// Parameters of a token request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents the form, whose parameters are read one by one")]
pub struct TokenRequest {
    /// How the client identifies the user.
    #[schema(inline, example = "password")]
    grant_type: GrantType,
    /// E-mail address; required with `password`.
    #[schema(example = "ada@example.org")]
    username: Option<String>,
    /// Password; required with `password`.
    #[schema(format = Password, example = "a long sentence")]
    password: Option<String>,
    /// Refresh token; required with `refresh_token`.
    #[schema(example = "eyJ0eXAiOiJydCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl")]
    refresh_token: Option<String>,
}

/// Grant types of the token endpoint.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents a parameter of the form")]
#[schema(rename_all = "snake_case")]
enum GrantType {
    Password,
    RefreshToken,
}

/// Error response of the token endpoint (RFC 6749 §5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthError {
    /// Error code, for programs.
    #[schema(example = "invalid_grant")]
    error: &'static str,
    /// Description of the error, for people.
    #[schema(example = "the e-mail or the password is wrong")]
    error_description: Cow<'static, str>,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after: Option<i64>,
}

impl OAuthError {
    fn new(error: &'static str, error_description: impl Into<Cow<'static, str>>) -> Self {
        Self { error, error_description: error_description.into(), status: StatusCode::BAD_REQUEST, retry_after: None }
    }

    fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        match error {
            Error::WrongCredentials => Self::new("invalid_grant", "the e-mail or the password is wrong"),
            Error::AccountDisabled => Self::new("invalid_grant", "the account has been disabled"),
            Error::EmailUnverified => Self::new("invalid_grant", "the e-mail is not verified"),
            // §5.2 has no code for it.
            Error::TooMany { retry_after } => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                retry_after: Some(seconds(retry_after)),
                ..Self::new(
                    "temporarily_unavailable",
                    "too many requests; wait the number of seconds in the header Retry-After",
                )
            },
            Error::InvalidToken => Self::new("invalid_grant", "the refresh token is not valid"),
            Error::Invalid(_) => Self::invalid_request("a parameter is not valid"),
            // §5.2 has no codes for these; they are those of §4.1.2.1.
            error => {
                let status = Problem::from(error).status();
                let temporary = status == StatusCode::SERVICE_UNAVAILABLE;
                let error = if temporary { "temporarily_unavailable" } else { "server_error" };
                Self { status, retry_after: temporary.then_some(2), ..Self::new(error, "try again in a moment") }
            }
        }
    }
}

impl From<Problem> for OAuthError {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status(), ..Self::invalid_request("the body could not be read") }
    }
}

impl std::fmt::Display for OAuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.error)
    }
}

impl ResponseError for OAuthError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.json(self)
    }
}

/// Parameters of the form. Duplicates are rejected (RFC 6749 §3.2).
pub struct Form(HashMap<String, String>);

impl Form {
    pub(super) fn take(&mut self, name: &'static str) -> Result<String, OAuthError> {
        // A parameter without a value is treated as absent (§3.2).
        let value = self.0.remove(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
    }

    pub(super) fn take_value<T: Value>(&mut self, name: &'static str) -> Result<T, OAuthError> {
        let text = self.take(name)?;
        T::from_text(&text).map_err(|rule| OAuthError::invalid_request(format!("{name} {}", rule.message)))
    }
}

impl FromRequest for Form {
    type Error = OAuthError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, OAuthError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(request, payload);
        let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let has_query = !request.query_string().is_empty();
        Box::pin(async move {
            if !is_form {
                let expected = "the body must be application/x-www-form-urlencoded";
                return Err(OAuthError::invalid_request(expected));
            }
            // Credentials in a URL would be stored in logs and browser histories (§2.3.1).
            if has_query {
                return Err(OAuthError::invalid_request("parameters must be in the body, not in the query"));
            }
            let body = body.await?;
            let mut parameters = HashMap::new();
            for (name, value) in form_urlencoded::parse(&body) {
                if parameters.insert(name.to_string(), value.into_owned()).is_some() {
                    return Err(OAuthError::invalid_request("a parameter is duplicated"));
                }
            }
            Ok(Self(parameters))
        })
    }
}

/// Issue a token pair (OAuth 2.0)
///
/// `grant_type=password` logs in. It is for first-party clients only: RFC 9700 §2.4 advises against it, and operators
/// can disable it. `grant_type=refresh_token` refreshes the token pair. Errors have the format of RFC 6749 §5.2.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "issue_tokens", tag = "auth",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = TokenPairReply),
        (status = 400, body = OAuthError, description = "The request or the grant is not valid"),
        (status = 408, body = OAuthError, description = "The body did not arrive in time"),
        (status = 413, body = OAuthError, description = "The body is too large"),
        (status = 429, body = OAuthError, description = "Too many failures; wait for `Retry-After` seconds"),
        (status = 500, body = OAuthError, description = "Internal error of the service"),
        (status = 503, body = OAuthError, description = "Busy or unavailable; try again after `Retry-After` seconds"),
    )
)]
#[post("/token")]
pub async fn token(
    state: web::Data<AppState>,
    client: Client,
    mut form: Form,
) -> Result<web::Json<TokenPairReply>, OAuthError> {
    let pair = match form.take("grant_type")?.as_str() {
        "password" if state.password_grant => {
            let email: Email = form.take_value("username")?;
            let password = form.take_value::<PresentedPassword>("password")?.0;
            log_in::log_in(&state.db, &state.auth, &email, password, &client).await?
        }
        "refresh_token" => {
            refresh::refresh(&state.db, &state.auth, &form.take_value("refresh_token")?, &client).await?
        }
        _ => return Err(OAuthError::new("unsupported_grant_type", "this grant type is not supported")),
    };
    Ok(web::Json(TokenPairReply::new(pair, state.auth.clock.now())))
}

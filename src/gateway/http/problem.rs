//! The one shape of a refused or failed request over HTTP: `application/problem+json` (RFC 9457) with the wire's members.

use super::desks::{Behind, NotDone, NotRead, NotSealed};
use crate::desk::refusal::Refusal;
use crate::overload::{Shed, Spent};
use crate::telemetry::catalogue;
use crate::telemetry::catalogue::RATE_LIMITED_TOTAL;
use crate::wire::error::{Code, WireError};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::borrow::Cow;

/// An answer that is not the one asked for. Its message never holds a token or another customer's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(pub WireError);

impl Problem {
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(WireError::new(code, message))
    }

    #[must_use]
    pub fn at(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.at(field))
    }

    #[must_use]
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    #[must_use]
    pub fn bad_field(field: &'static str, what: &str) -> Self {
        Self::new(Code::BadField, format!("{field} {what}")).at(field)
    }

    #[must_use]
    pub fn bad_cursor(field: &'static str) -> Self {
        Self::new(Code::BadCursor, format!("{field} is not a place known here")).at(field)
    }

    #[must_use]
    pub fn too_large(field: &'static str, bytes_max: usize) -> Self {
        Self::new(Code::TooLarge, format!("{field} is over {bytes_max} bytes")).at(field)
    }

    /// `reason` is `missing`, `malformed`, `expired`, `revoked` and the like.
    #[must_use]
    pub fn unauthorized(reason: &'static str) -> Self {
        Self(WireError::unauthorized(reason))
    }

    #[must_use]
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Forbidden, message)
    }

    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    #[must_use]
    pub fn nowhere() -> Self {
        Self::new(Code::NoSuchQueue, "no entry rule places this conversation, and there is no default queue")
    }

    /// The same words for one that never was, one of another customer and one that is not spelled as an id.
    #[must_use]
    pub fn no_such_conversation(asked: &str) -> Self {
        let shown: String = asked.chars().take(32).collect();
        Self::new(Code::NoSuchConversation, format!("there is no conversation {shown}")).at("conversation")
    }

    /// Counted here, so that no limit is forgotten; `scope` is one of the metric's words.
    #[must_use]
    pub fn rate_limited(scope: &'static str, retry_after_ms: u64) -> Self {
        metrics::counter!(RATE_LIMITED_TOTAL, "scope" => scope).increment(1);
        Self(WireError::rate_limited(retry_after_ms))
    }

    #[must_use]
    pub fn internal() -> Self {
        Self(WireError::internal())
    }

    /// For answers that were made below us, with nothing but a status.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            status if status.is_server_error() => Code::Internal,
            _ => Code::BadRequest,
        };
        Self::new(code, status.canonical_reason().unwrap_or("refused").to_lowercase())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if matches!(self.0.code.status(), 400 | 413 | 422) {
            metrics::counter!(catalogue::BAD_INPUT_TOTAL, "code" => self.0.code.name()).increment(1);
        }
        let mut response = (status, self.0.problem()).into_response();
        response.extensions_mut().insert(self.0.code);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        Self(error)
    }
}

impl From<Shed> for Problem {
    fn from(shed: Shed) -> Self {
        Self(shed.into())
    }
}

impl From<Spent> for Problem {
    fn from(spent: Spent) -> Self {
        Self(spent.into())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(WireError::from(&refusal))
    }
}

impl From<NotDone> for Problem {
    fn from(not_done: NotDone) -> Self {
        Self(not_done.into())
    }
}

impl From<Behind> for Problem {
    fn from(_: Behind) -> Self {
        Self(WireError::behind(500))
    }
}

impl From<NotRead> for Problem {
    fn from(_: NotRead) -> Self {
        Self(WireError::unavailable(1_000, "the history cannot be read"))
    }
}

impl From<NotSealed> for Problem {
    fn from(not_sealed: NotSealed) -> Self {
        match not_sealed {
            NotSealed::Erased => Self::forbidden("this customer was erased"),
            NotSealed::Failed => Self(WireError::unavailable(1_000, "nothing can be sealed")),
        }
    }
}

/// A JSON answer.
#[must_use]
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    answer_of(status, json_of(body))
}

/// The same, of what is JSON already.
#[must_use]
pub fn answer_of(status: StatusCode, json: impl IntoResponse) -> Response {
    let mut response = (status, json).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with JSON.
#[must_use]
pub fn ok(body: &impl Serialize) -> Response {
    answer(StatusCode::OK, body)
}

/// The JSON of a value of ours. Maps come in the order of their keys, so the same value is always the same bytes.
#[must_use]
pub fn json_of(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("shapes have string keys and finite numbers")
}

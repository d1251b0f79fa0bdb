//! Which pages may call the messenger: those of the Origin allow-list, each told by name, none by wildcard.

use super::Door;
use super::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// A preflight's answer is good for this long, in seconds.
const MAX_AGE: &str = "600";

/// What a page may read of an answer besides its body.
const EXPOSED: &str = "Retry-After, RateLimit, RateLimit-Policy";

/// For `axum::middleware::from_fn_with_state`.
pub async fn allow_listed(State(door): State<Door>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let preflight = request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let origin = headers.get(header::ORIGIN).cloned();
    let allowed = origin.as_ref().is_none_or(|origin| is_allowed(&door, headers, origin));
    let mut response = match (allowed, preflight) {
        (false, _) => Problem::forbidden("this Origin is not on the list").into_response(),
        (true, true) => StatusCode::NO_CONTENT.into_response(),
        (true, false) => next.run(request).await,
    };
    let headers = response.headers_mut();
    let preflight = preflight && allowed;
    mark(headers, origin.filter(|_| allowed));
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("Authorization, Content-Type, Idempotency-Key, Last-Event-ID"),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    }
    response
}

/// The headers by which a page may read the answer; `origin`: of the page, if there is one and it is allowed.
pub fn mark(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    // Always, also without an Origin: a cache must not give one page's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

/// Whether a page of this origin may call.
pub fn is_allowed(door: &Door, headers: &HeaderMap, origin: &HeaderValue) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    origin.to_str().is_ok_and(|origin| door.identities.origin_allowed(origin, host))
}

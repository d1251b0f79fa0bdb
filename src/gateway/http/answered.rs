//! What every answer goes through: problems in place of bare statuses, the safe headers, and the request metric.

use super::problem::Problem;
use super::rates;
use crate::clock;
use crate::engine::workspace::PROBES;
use crate::health::Component;
use crate::health::experience::EXPERIENCE;
use crate::telemetry::catalogue::HTTP_REQUESTS_TOTAL;
use crate::telemetry::traces::{self, Kind, Open, Trace};
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use metrics::{Counter, SharedString};

/// For `axum::middleware::from_fn`, outermost on each router, so that its routes and its fallback pass through it.
pub async fn answered(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let component = component_of(request.uri().path());
    let is_upload = request.method() == Method::POST && request.uri().path().ends_with("/files");
    let is_import = route.as_ref().is_some_and(|route| route.as_str().contains("/imports/"));
    let stopwatch = clock::stopwatch();
    let (mut response, rates) = match span_of(&request, route.as_ref()) {
        None => rates::told(next.run(request)).await,
        Some(span) => rates::told(traced(span, next.run(request))).await,
    };
    rates::mark(response.headers_mut(), &rates);
    let status = response.status();
    match component {
        // A file takes as long as its sender's line does, and whether it is looked at is somebody else's. History is put off for others' sake.
        Some(_) if is_upload || is_import => {}
        Some(component) if status.is_server_error() => EXPERIENCE.failed(component),
        Some(component) => EXPERIENCE.answered(component, (stopwatch.seconds() * 1_000.0) as u64),
        None => {}
    }
    if (status.is_client_error() || status.is_server_error()) && !has_own_body(&response) {
        response = as_problem(response);
    }
    // By the route and never by the path: a path is the client's to choose, and a label lives for ever.
    let route = route.map_or_else(|| "unmatched".into(), |matched| SharedString::from(matched.as_str().to_owned()));
    finish(&mut response, route);
    response
}

/// A request's, where it is sampled. Its route and never its path: what is asked for is the client's to choose, and names people.
fn span_of(request: &Request, route: Option<&MatchedPath>) -> Trace {
    if !traces::are_on() {
        return None;
    }
    let method = request.method();
    let route = route.map(MatchedPath::as_str);
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let name = || route.map_or_else(|| method.to_string(), |route| format!("{method} {route}"));
    let mut span = traces::root(parent, Kind::Server, name, clock::monotonic_ms())?;
    span.set("http.request.method", method.as_str());
    route.into_iter().for_each(|route| span.set("http.route", route));
    Some(span)
}

async fn traced(mut span: Box<Open>, answering: impl Future<Output = Response>) -> Response {
    let response = traces::under(span.context(), answering).await;
    let status = response.status();
    span.set("http.response.status_code", u64::from(status.as_u16()));
    if status.is_server_error() {
        span.set("error.type", status.as_str());
        span.fail();
    }
    span.end();
    response
}

/// Whose part a call is; `None` for the operators' pages, and for the server's own probe, which is judged by itself.
fn component_of(path: &str) -> Option<Component> {
    let path = path.strip_prefix("/v1/")?;
    let (component, workspace) = match path.strip_prefix("messenger/") {
        Some(rest) => (Component::Messenger, rest),
        None => (Component::Api, path.strip_prefix("workspaces/").unwrap_or_default()),
    };
    (workspace.split('/').next() != Some(PROBES)).then_some(component)
}

/// The safe headers, and the count.
pub fn finish(response: &mut Response, route: SharedString) {
    mark_safe(response.headers_mut());
    counter(route, response.status()).increment(1);
}

/// The safe headers.
pub fn mark_safe(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Counts requests of a route that were answered with this status.
pub fn counter(route: SharedString, status: StatusCode) -> Counter {
    let status = status.as_u16().to_string();
    metrics::counter!(HTTP_REQUESTS_TOTAL, "route" => route, "status" => status)
}

/// Problems, pages for people, and the operators' pages, whose 503 says more. axum's own refusals are plain text or nothing.
fn has_own_body(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let own = ["application/problem+json", "application/json", "text/html; charset=utf-8"];
    kind.is_some_and(|kind| own.iter().any(|own| kind == own))
}

fn as_problem(bare: Response) -> Response {
    let mut response = Problem::of_status(bare.status()).into_response();
    *response.status_mut() = bare.status();
    for (name, value) in bare.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

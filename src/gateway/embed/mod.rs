//! The messenger for customers' pages, out of the binary: `/messenger.js`, one script with all that it needs at first;
//! `/messenger/later.js`, the rest; `/messenger/words/de.json`, what it says in another language than English; and, where it is wanted, `/messenger/{workspace}`, a page to try it on.

mod bundle;
mod link;
mod sample;
mod squeeze;

use crate::gateway::http::Door;
use crate::gateway::http::answered::answered;
use crate::gateway::http::problem::Problem;
use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bundle::{bundle, later, words};
use http::{HeaderMap, HeaderValue, header};

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// `sample_page`: whether there is a page to try it on.
pub fn router(door: Door, sample_page: bool) -> Router {
    let mut router = Router::new()
        .route("/messenger.js", get(script))
        .route("/messenger/later.js", get(script_for_later))
        .route("/messenger/words/{file}", get(words_of_a_language));
    if sample_page {
        router = router.route("/messenger/{workspace}", get(page));
    }
    router.with_state(door).layer(from_fn(answered))
}

async fn script(asked: HeaderMap) -> Response {
    bundle().given(&asked, SCRIPT)
}

async fn script_for_later(asked: HeaderMap) -> Response {
    later().given(&asked, SCRIPT)
}

async fn words_of_a_language(asked: HeaderMap, Path(file): Path<String>) -> Result<Response, Problem> {
    let found = file.strip_suffix(".json").and_then(words);
    let found = found.ok_or_else(|| Problem::not_found("language"))?;
    Ok(found.given(&asked, "application/json"))
}

async fn page(State(door): State<Door>, Path(workspace): Path<String>) -> Result<Response, Problem> {
    if door.desks.desk(&workspace).is_none() {
        return Err(Problem::not_found("workspace"));
    }
    let mut response = sample::page(&workspace).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, sample::policy());
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

#[cfg(test)]
mod tests;

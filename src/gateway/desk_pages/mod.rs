//! The pages of those who work at the desk: `/console/{workspace}` and `/wallboard/{workspace}`, and their modules, styles and icons under
//! `/desk/{tag}/…`. Nothing is built: modules are served as they are written, and the page names all of them, so that none waits for another.
//!
//! There is nothing of anybody in a page; who may work is decided where it connects.

mod files;
mod page;

use crate::gateway::http::Door;
use crate::gateway::http::answered::answered;
use crate::gateway::http::gzip::takes_gzip;
use crate::gateway::http::problem::Problem;
use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use files::File;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use page::Kind;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is in a file is in its address.
const CACHE: &str = "public, max-age=31536000, immutable";
/// Of the source tree: it may be another at the next request.
const CACHE_OF_TREE: &str = "no-cache";

#[derive(Clone)]
struct Pages {
    door: Door,
    /// Workspaces with an OpenID provider of their own.
    by_provider: Arc<BTreeSet<String>>,
}

/// `by_provider`: workspaces with an OpenID provider of their own, which is then a way to sign in.
pub fn router(door: Door, by_provider: BTreeSet<String>) -> Router {
    Router::new()
        .route("/console/{workspace}", get(console))
        .route("/wallboard/{workspace}", get(wallboard))
        .route("/desk/{tag}/{*path}", get(file))
        .with_state(Pages { door, by_provider: Arc::new(by_provider) })
        .layer(from_fn(answered))
}

async fn console(pages: State<Pages>, workspace: Path<String>) -> Result<Response, Problem> {
    page_of(&Kind::CONSOLE, &pages, &workspace)
}

async fn wallboard(pages: State<Pages>, workspace: Path<String>) -> Result<Response, Problem> {
    page_of(&Kind::WALLBOARD, &pages, &workspace)
}

fn page_of(kind: &Kind, pages: &Pages, workspace: &str) -> Result<Response, Problem> {
    if pages.door.desks.desk(workspace).is_none() {
        return Err(Problem::not_found("workspace"));
    }
    let by_provider = pages.by_provider.contains(workspace);
    let mut response = page::page(kind, workspace, by_provider, &files::tag(), &files::paths()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(kind.policy));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    Ok(response)
}

async fn file(Path((tag, path)): Path<(String, String)>, asked: HeaderMap) -> Result<Response, Problem> {
    // Of another release: a page that names it is loaded again.
    let held = (tag == files::tag()).then(|| files::file(&path)).flatten();
    let File { kind, plain, gzip } = held.ok_or_else(|| Problem::not_found("path"))?;
    let zipped = takes_gzip(&asked);
    let mut response = (if zipped { gzip } else { plain }).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if zipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let cache = if files::OF_TREE { CACHE_OF_TREE } else { CACHE };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    Ok(response)
}

#[cfg(test)]
mod tests;

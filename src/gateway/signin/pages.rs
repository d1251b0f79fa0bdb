//! The pages of signing in, as HTML: pure. They work without a script; what one there is puts a token from a link's fragment into its field.

use crate::wire::percent::encoded;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// Colours and elements are the desk's.
const STYLE: &str = concat!(
    include_str!("../../../web/desk/src/shared/tokens.css"),
    include_str!("../../../web/desk/src/shared/base.css"),
    include_str!("page.css")
);
/// It begins with what makes a page as light or dark as its reader chose at the desk, before anything is painted.
pub(super) const SCRIPT: &str = concat!(include_str!("../../../web/desk/src/shared/early.js"), include_str!("page.js"));

/// What a browser lets the pages do: their own style, their own script, and forms to us.
fn policy() -> HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    let made = || {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; script-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'"
        );
        HeaderValue::from_str(&policy).expect("a policy of plain letters")
    };
    POLICY.get_or_init(made).clone()
}

fn page(status: StatusCode, workspace: &str, title: &str, main: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} · {workspace}</title><script src=\"/signin/page.js\"></script><style>{STYLE}</style></head>\
         <body><main class=\"door\"><div class=\"card\"><p class=\"kind\">{workspace}</p><h1>{title}</h1>{main}</div></main></body></html>",
        title = escaped(title),
        workspace = escaped(workspace),
    );
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy());
    // With none at all, a browser would not say where its form comes from.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Where a token is pasted. `wrong`: why the last one was not taken.
pub(super) fn token(workspace: &str, to: &str, by_provider: bool, wrong: Option<(StatusCode, &str)>) -> Response {
    let (status, wrong) = match wrong {
        Some((status, why)) => {
            (status, format!("<p class=\"fault\" role=\"alert\" id=\"wrong\">{}</p>", sentence(why)))
        }
        None => (StatusCode::OK, String::new()),
    };
    let (described, invalid) = if wrong.is_empty() { ("about", "false") } else { ("wrong about", "true") };
    let provider = if by_provider {
        let query = encoded(to);
        format!(
            "<a class=\"button large\" href=\"/signin/{workspace}?to={query}\">Sign in with your organisation instead</a>"
        )
    } else {
        String::new()
    };
    let main = format!(
        "<form method=\"post\" action=\"/signin/{workspace}/token\">\
         <p id=\"by_link\" hidden>The link that you followed has a token of <strong><bdi id=\"whose\"></bdi></strong> in it.</p>\
         <div id=\"by_hand\" class=\"fields\"><label for=\"token\">Agent’s token</label>\
         <textarea id=\"token\" name=\"token\" required maxlength=\"8192\" autofocus autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" \
         aria-invalid=\"{invalid}\" aria-describedby=\"{described}\"></textarea>{wrong}\
         <p class=\"dim small\" id=\"about\">Your own backend signs it; on a trial, \
         <code>offhook token <span>--agent you</span> <span>--workspace {workspace}</span></code> does.</p></div>\
         <input type=\"hidden\" name=\"to\" value=\"{to}\"><button class=\"primary large\">Sign in</button></form>{provider}",
        to = escaped(to),
    );
    page(status, workspace, "Sign in with a token", &main)
}

/// It did not work: what happened, its code for whoever helps, and the way to try again.
pub(super) fn failed(status: StatusCode, workspace: &str, why: &str, code: &str, again: Option<&str>) -> Response {
    let again = again.map_or(String::new(), |to| {
        format!("<a class=\"button primary large\" href=\"{}\">Try again</a>", escaped(to))
    });
    let main = format!(
        "<p role=\"alert\">{}</p><p class=\"dim small\">For whoever helps you: <code>{}</code></p>{again}",
        sentence(why),
        escaped(code)
    );
    page(status, workspace, "You are not signed in", &main)
}

pub(super) fn signed_out(workspace: &str) -> Response {
    let main = format!(
        "<p>In this browser you are signed out of this workspace.</p>\
         <a class=\"button primary large\" href=\"/console/{workspace}\">Sign in</a>"
    );
    page(StatusCode::OK, workspace, "Signed out", &main)
}

/// Browsers say that they want HTML; who says nothing of it gets JSON.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    let wants = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    wants.flat_map(|accept| accept.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

/// A message as people read it, where programs are told a clause.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    escaped(&first.chain(letters).chain(end.chars()).collect::<String>())
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn what_is_shown_is_text_and_never_markup() {
        let hostile = "<script>alert(1)</script>\"onload=\"x";
        for page in [
            failed(StatusCode::FORBIDDEN, hostile, hostile, hostile, Some(hostile)),
            token("acme", hostile, true, Some((StatusCode::UNAUTHORIZED, hostile))),
        ] {
            assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
            let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            let text = page.into_body().collect().await.unwrap().to_bytes();
            let text = std::str::from_utf8(&text).unwrap();
            assert!(!text.contains("<script>") && !text.contains("\"onload"), "{text}");
            assert!(text.contains("role=\"alert\">&lt;script&gt;") || text.contains("id=\"wrong\">&lt;script&gt;"));
        }
    }

    #[test]
    fn browsers_are_told_from_programs() {
        let wants = |accept: &str| wants_html(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]));
        assert!(wants("text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(!wants("*/*") && !wants("application/json") && !wants_html(&HeaderMap::new()));
    }
}

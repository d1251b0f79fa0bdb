//! The pages of signing in, as HTML: pure. They work without a script; what one there is puts a token from a link's fragment into its field.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

const STYLE: &str = include_str!("page.css");
pub(super) const SCRIPT: &str = include_str!("page.js");

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

fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{main}</main></body></html>",
        title = escaped(title),
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
        Some((status, why)) => (status, format!("<p class=\"bad\" role=\"alert\" id=\"wrong\">{}</p>", escaped(why))),
        None => (StatusCode::OK, String::new()),
    };
    let described = if wrong.is_empty() { "about" } else { "wrong about" };
    let provider = if by_provider {
        format!("<p class=\"soft\"><a href=\"/signin/{workspace}\">Sign in with your organisation instead</a></p>")
    } else {
        String::new()
    };
    let main = format!(
        "{wrong}<form method=\"post\" action=\"/signin/{workspace}/token\">\
         <label for=\"token\">Agent’s token</label>\
         <textarea id=\"token\" name=\"token\" required maxlength=\"8192\" autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" \
         aria-describedby=\"{described}\"></textarea>\
         <p class=\"soft\" id=\"about\">Of the workspace <strong>{workspace}</strong>. Your own backend signs it; on a trial, \
         <code>offhook token --agent you --workspace {workspace}</code> does.</p>\
         <input type=\"hidden\" name=\"to\" value=\"{to}\"><button>Sign in</button></form>{provider}\
         <script src=\"/signin/page.js\" defer></script>",
        to = escaped(to),
    );
    page(status, "Sign in", &main)
}

/// It did not work: what happened, its code for whoever helps, and the way to try again.
pub(super) fn failed(status: StatusCode, sentence: &str, code: &str, again: Option<&str>) -> Response {
    let again = again.map_or(String::new(), |to| format!("<a class=\"go\" href=\"{}\">Try again</a>", escaped(to)));
    let main = format!(
        "<p role=\"alert\">{}</p><p class=\"soft\">For whoever helps you: <code>{}</code></p>{again}",
        escaped(sentence),
        escaped(code)
    );
    page(status, "You are not signed in", &main)
}

pub(super) fn signed_out(workspace: &str) -> Response {
    let main = format!(
        "<p>You are signed out of <strong>{workspace}</strong> in this browser.</p>\
         <a class=\"go\" href=\"/signin/{workspace}\">Sign in</a>"
    );
    page(StatusCode::OK, "Signed out", &main)
}

/// Browsers say that they want HTML; who says nothing of it gets JSON.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    let wants = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    wants.flat_map(|accept| accept.split(',')).any(|kind| kind.trim().starts_with("text/html"))
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
            failed(StatusCode::FORBIDDEN, hostile, hostile, Some(hostile)),
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

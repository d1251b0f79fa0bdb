//! A page to try the messenger on, as strict as a page can be: its own script and calls, pictures that the script made, its own style by hash, and no more. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use sha2::{Digest, Sha256};

const STYLE: &str = "body{max-width:42rem;margin:4rem auto;padding:0 1.5rem;font:17px/1.6 system-ui,sans-serif;color-scheme:light dark}\
                     code{font-size:.9em}";

pub(super) fn policy() -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src blob:; \
         style-src 'sha256-{hash}'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    );
    HeaderValue::from_str(&policy).expect("a policy of plain letters")
}

/// `workspace` is a name that there is: lower-case letters, digits and hyphens.
pub(super) fn page(workspace: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Offhook's messenger</title>\
         <style>{STYLE}</style><script src=\"/messenger.js\" data-workspace=\"{workspace}\" data-ask=\"name\" defer></script></head>\
         <body><main><h1>A page of yours</h1>\
         <p>The button in the corner is all that one line puts here:</p>\
         <pre><code>&lt;script src=\"/messenger.js\" data-workspace=\"{workspace}\" defer&gt;&lt;/script&gt;</code></pre>\
         <p>Write something, load the page again, open it in another tab: it is the same conversation.</p></main></body></html>"
    )
}

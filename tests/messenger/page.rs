//! How the messenger looks and what it says: set once for the workspace, and the same for everybody.

use crate::support::scene::{DEMO, server};
use crate::{call, problem};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_what_the_workspace_has_set() {
    let server = server();
    let page = async |headers: &[(&str, &str)]| call(server.address, "GET", "/page", headers, b"").await;
    let first = page(&[]).await;
    let rating = json!({"scale": "five", "within_ms": 604_800_000});
    let types = ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"];
    let files = json!({"max_bytes": 10 << 20, "types": types});
    assert_eq!(first.json(), json!({"texts": {}, "position": "end", "rating": rating, "files": files}));
    assert_eq!(first.header("cache-control"), Some("public, max-age=60, stale-while-revalidate=86400"));
    let tag = first.header("etag").unwrap().to_owned();
    let known = page(&[("If-None-Match", &tag)]).await;
    assert_eq!((known.status, known.header("etag")), (304, Some(tag.as_str())));

    let set = json!({
        "texts": {"heading": "Ask the shop", "offline": "We are out."},
        "by_language": {"ar": {"heading": "اسأل المتجر"}},
        "accent": "#5a1e78", "languages": ["en", "ar"], "ask": ["name", "email"], "position": "start",
    });
    server.change_settings(DEMO, |settings| settings["messenger"] = set.clone()).await;
    let told = page(&[("If-None-Match", &tag)]).await;
    assert_eq!(told.status, 200);
    let mut wanted = set.clone();
    wanted["rating"] = rating;
    wanted["files"] = files;
    assert_eq!(told.json(), wanted);

    let path = format!("/v1/workspaces/{DEMO}/settings");
    let mut settings = server.admin("GET", &path, None).await.json();
    settings["messenger"]["accent"] = json!("#ffee00");
    let refused = server.admin("PUT", &path, Some(&settings)).await;
    let told = problem(&refused);
    assert_eq!((&told["code"], &told["field"]), (&json!("bad_setting"), &json!("messenger.accent")));
    assert_eq!(problem(&call(server.address, "GET", "/page?x=1", &[], b"").await)["code"], "bad_request");
}

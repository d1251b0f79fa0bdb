//! The documents as they are kept, made and served.

use super::support::Http;
use super::support::foreign::npm;
use super::support::scene::server;
use super::{installed, root, validated};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn kept(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}"))
}

fn openapi() -> Value {
    serde_json::from_str(&kept("openapi.json")).unwrap()
}

#[test]
fn the_documents_that_are_kept_are_the_ones_that_are_made() {
    for word in ["openapi", "asyncapi"] {
        let printed = Command::new(env!("CARGO_BIN_EXE_offhook")).arg(word).output().unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let same = printed.stdout == kept(&format!("{word}.json")).as_bytes();
        assert!(same, "docs/{word}.json is not what the code says. Renew it, and look at what changed: just documents");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_has_them_and_says_when_they_are_known() {
    let server = server();
    for name in ["openapi.json", "asyncapi.json"] {
        let mut http = Http::connect(server.address).await.unwrap();
        let path = format!("/{name}");
        let whole = http.ask("GET", &path, "", b"").await.unwrap();
        assert_eq!((whole.status, whole.header("content-type")), (200, Some("application/json")));
        assert_eq!(whole.text(), kept(name));
        let tag = whole.header("etag").unwrap().to_owned();
        let known = http.ask("GET", &path, &format!("If-None-Match: {tag}\r\n"), b"").await.unwrap();
        assert_eq!((known.status, known.body.len()), (304, 0));
        let zipped = http.ask("GET", &path, "Accept-Encoding: gzip\r\n", b"").await.unwrap();
        assert_eq!(zipped.header("content-encoding"), Some("gzip"));
        assert!(zipped.body.len() * 5 < whole.body.len(), "{} of {}", zipped.body.len(), whole.body.len());
    }
}

#[test]
fn a_published_validator_reads_the_calls_and_their_examples() {
    validated(&[Path::new("openapi"), &root().join("docs/openapi.json")]);
}

#[test]
fn the_published_schema_of_asyncapi_takes_the_frames() {
    let place = installed().join("asyncapi");
    npm(&root().join("tests/spec"), &["package.json", "package-lock.json"], &place);
    let schema = place.join("node_modules/@asyncapi/specs/schemas/3.0.0.json");
    validated(&[Path::new("asyncapi"), &root().join("docs/asyncapi.json"), &schema]);
}

/// Names in braces do not matter.
fn plain(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Calls as docs/wire.md names them: `GET /queues/{name}`, below what its part is about.
fn told() -> BTreeSet<String> {
    let text = kept("wire.md");
    let mut found = BTreeSet::new();
    for part in text.split("\n## ") {
        let at: &[&str] = match part.split(['\n', ':']).next().unwrap_or_default() {
            "Messenger" => &["/v1/messenger/{}"],
            "Files" => &["/v1/messenger/{}", "/v1/agent/{}"],
            "Admin API" => &["/v1/workspaces/{}"],
            "Operators' port" => continue,
            _ => &[""],
        };
        // Who may call what of the admin API, which is told of above.
        let part = part.split("a person may call").next().unwrap_or_default();
        for code in part.split('`').skip(1).step_by(2) {
            let Some((method, path)) = code.split_once(' ') else { continue };
            if !["GET", "POST", "PUT", "DELETE"].contains(&method) || !path.starts_with('/') {
                continue;
            }
            for at in at {
                let whole = path.starts_with("/v1/");
                found.insert(format!("{method} {}", plain(&format!("{}{path}", if whole { "" } else { at }))));
            }
        }
    }
    found
}

#[test]
fn every_call_is_in_the_prose_and_in_the_document() {
    let document = openapi();
    let mut described = BTreeSet::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        let methods = calls.as_object().unwrap().keys().filter(|method| *method != "parameters");
        described.extend(methods.map(|method| format!("{} {}", method.to_uppercase(), plain(path))));
    }
    let mut told = told();
    // Where a browser navigates it is shown pages: those are no calls.
    for page in ["GET /signin/{}", "GET /signin/{}/callback", "GET /signin/{}/token", "GET /signin/{}/out"] {
        assert!(told.remove(page), "{page}");
    }
    let missing: Vec<_> = told.difference(&described).collect();
    assert!(missing.is_empty(), "docs/wire.md speaks of calls that there are not: {missing:?}");
    let untold: Vec<_> = described.difference(&told).collect();
    assert!(untold.is_empty(), "docs/wire.md does not speak of {untold:?}");
}

#[test]
fn what_stands_in_a_path_is_described_and_no_two_shapes_have_one_name() {
    let document = openapi();
    for (path, calls) in document["paths"].as_object().unwrap() {
        for member in calls["parameters"].as_array().into_iter().flatten() {
            assert_ne!(member["description"], "", "{path}: say what {} is, in gateway/spec/openapi.rs", member["name"]);
        }
    }
    // A number is put behind a name that is taken.
    let asyncapi: Value = serde_json::from_str(&kept("asyncapi.json")).unwrap();
    for document in [&document, &asyncapi] {
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let twice: Vec<_> = schemas.keys().filter(|name| name.ends_with(|c: char| c.is_ascii_digit())).collect();
        assert!(twice.is_empty(), "give one of each two a name of its own by #[schemars(rename = …)]: {twice:?}");
    }
}

#[test]
fn every_code_is_where_it_may_be_heard() {
    let document = openapi();
    let of_schema = |schema: &Value| -> BTreeSet<String> {
        schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let all = of_schema(&document["components"]["schemas"]["Code"]);
    let mut of_calls = BTreeSet::new();
    for response in document["components"]["responses"].as_object().unwrap().values() {
        let schema = &response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"];
        of_calls.extend(of_schema(schema));
    }
    // What is heard on the socket alone, and by browsers that navigate; what a path is not there for is no answer of a call.
    let elsewhere = [
        "unknown_type",
        "method_not_allowed",
        "no_such_offer",
        "offer_gone",
        "not_your_offer",
        "no_such_reason",
        "no_more_time",
        "label_missing",
        "pick_not_allowed",
        "nobody_joined",
        "too_many_devices",
        "signin_refused",
        "provider_failed",
    ];
    let elsewhere: BTreeSet<String> = elsewhere.map(str::to_owned).into();
    assert_eq!(of_calls.intersection(&elsewhere).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(of_calls.union(&elsewhere).cloned().collect::<BTreeSet<_>>(), all);
}

//! The console that the binary serves: its pages and files as a browser and a cache see them, and in Chromium two agents and three customers
//! in real tabs, through the whole job, over a restart of the server. With `OFFHOOK_DOC_PICTURES` the pictures of docs/console.md are made anew.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::foreign::{WORKSPACE, does_the_job_with, does_the_job_within, npm, pictures_for_documents};
use support::http::{Http, Response};
use support::{Options, Server};

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_and_three_customers_do_the_whole_job_in_real_tabs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console-page");
    let files = [
        "package.json",
        "package-lock.json",
        "console_page.mjs",
        "console_loads.mjs",
        "console_looks.mjs",
        "pages.mjs",
    ];
    npm(&root.join("tests/clients"), &files, &place);
    let mut command = Command::new("node");
    command.arg(place.join("console_page.mjs")).env("OFFHOOK_PICTURES", place.join("pictures"));
    let options = Options::default().without_rate_limits().set("messenger.sample_page=true");
    does_the_job_with(options, command).await;
    for page in ["console", "signin"] {
        for look in ["light", "dark", "phone", "phone-dark"] {
            let name = format!("{page}-{look}");
            pictures_for_documents(&place, &[(&name, &name)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_open_all_day_holds_what_it_shows_and_no_more() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console-hour");
    npm(&root.join("tests/clients"), &["package.json", "package-lock.json", "console_hour.mjs", "pages.mjs"], &place);
    let seconds = std::env::var("OFFHOOK_CONSOLE_SECONDS").unwrap_or("20".to_owned());
    let mut command = Command::new("node");
    command.arg(place.join("console_hour.mjs")).env("OFFHOOK_PICTURES", place.join("pictures"));
    command.env("OFFHOOK_CONSOLE_SECONDS", &seconds);
    let options = Options::default().without_rate_limits().set("messenger.sample_page=true");
    does_the_job_within(options, command, Duration::from_secs(600 + seconds.parse::<u64>().expect("seconds"))).await;
}

async fn ask(server: &Server, path: &str, headers: &str) -> Response {
    let mut http = Http::connect(server.address).await.expect("the server listens");
    http.ask("GET", path, headers, b"").await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_strict_and_what_it_names_is_there() {
    let server = Server::start(&Options::default());
    server.workspace(WORKSPACE).await;
    for kind in ["console", "wallboard"] {
        let page = ask(&server, &format!("/{kind}/{WORKSPACE}"), "").await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        let policy = page.header("content-security-policy").expect("a policy");
        for directive in
            ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
        {
            assert!(policy.contains(directive), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(ask(&server, &format!("/{kind}/nobody"), "").await.status, 404);
    }
    let page = ask(&server, &format!("/console/{WORKSPACE}"), "").await;
    let html = page.text();
    let named: Vec<&str> = html.split('"').filter(|part| part.starts_with("/desk/") && part.contains('.')).collect();
    assert!(named.len() > 40, "{html}");
    let mut bytes_gz = 0;
    for path in &named {
        let plain = ask(&server, path, "").await;
        let zipped = ask(&server, path, "Accept-Encoding: gzip\r\n").await;
        assert_eq!(
            (plain.status, zipped.status, zipped.header("content-encoding")),
            (200, 200, Some("gzip")),
            "{path}"
        );
        assert!(plain.header("cache-control").is_some() && plain.header("vary") == Some("Accept-Encoding"), "{path}");
        bytes_gz += zipped.body.len();
    }
    println!("figure console_bytes_gz {bytes_gz}");
    let tag = named[0].split('/').nth(2).expect("a tag");
    for path in [
        "desk/package.json",
        "desk/src/..%2fpackage.json",
        "client/test/support.js",
        "messenger/src/dom.js",
        "desk/src/none.js",
    ] {
        assert_eq!(ask(&server, &format!("/desk/{tag}/{path}"), "").await.status, 404, "{path}");
    }
    assert_eq!(ask(&server, &named[0].replace(tag, "other"), "").await.status, 404);
}

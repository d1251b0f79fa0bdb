//! The messenger that the binary serves: its script as a browser and a cache see it, and in Chromium, on a strict page of another origin,
//! a customer's whole conversation over a restart of the server. With `OFFHOOK_DOC_PICTURES` the pictures of the documents are made anew.

mod support;

use std::path::Path;
use std::process::Command;
use support::foreign::{WORKSPACE, does_the_job_with, npm, pictures_for_documents};
use support::http::{Http, Response};
use support::{Options, Server};

/// Of the shop's backend.
const SECRET: &str = "a secret of the shop's own, with 32 bytes and more";

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_on_a_strict_page_talks_through_reload_second_tab_and_restart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("messenger-page");
    let files =
        ["package.json", "package-lock.json", "messenger_page.mjs", "messenger_shop.mjs", "agent.mjs", "pages.mjs"];
    npm(&root.join("tests/clients"), &files, &place);
    let mut command = Command::new("node");
    command
        .arg(place.join("messenger_page.mjs"))
        .env("OFFHOOK_LIBRARY", root.join("web/client"))
        .env("OFFHOOK_PICTURES", place.join("pictures"))
        .env("OFFHOOK_CUSTOMER_SECRET", SECRET);
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), SECRET).expect("written");
    let file = key.path().display();
    let options = Options::default().without_rate_limits().set("messenger.sample_page=true").set(&format!(
        r#"identity.customer_keys=[{{kid="shop", algorithm="HS256", file="{file}", workspace="{WORKSPACE}"}}]"#
    ));
    does_the_job_with(options, command).await;
    let taken = [
        ("wide-light", "messenger"),
        ("wide-dark", "messenger-dark"),
        ("phone", "messenger-phone"),
        ("phone-rtl-dark", "messenger-rtl-dark"),
    ];
    pictures_for_documents(&place, &taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_is_cached_by_what_is_in_it_and_compressed_for_who_takes_it() {
    let server = Server::start(&Options::default());
    let mut http = Http::connect(server.address).await.expect("the server listens");
    let plain = http.ask("GET", "/messenger.js", "", b"").await.expect("an answer");
    assert_eq!(plain.status, 200);
    assert_eq!(plain.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(plain.header("access-control-allow-origin"), Some("*"));
    assert_eq!(plain.header("x-content-type-options"), Some("nosniff"));
    assert!(plain.header("cache-control").is_some_and(|cache| cache.starts_with("public, max-age=")));
    let zipped = http.ask("GET", "/messenger.js", "Accept-Encoding: gzip, br\r\n", b"").await.expect("an answer");
    assert_eq!((zipped.status, zipped.header("content-encoding")), (200, Some("gzip")));
    println!("figure messenger_bytes_gz {}", zipped.body.len());
    assert!(zipped.body.len() < 20_000, "{} bytes", zipped.body.len());
    // Each body has a tag of its own; who shows it gets no body.
    let tags = [&plain, &zipped].map(|answer| answer.header("etag").expect("a tag").to_owned());
    assert_ne!(tags[0], tags[1]);
    let again = format!("Accept-Encoding: gzip\r\nIf-None-Match: {}, W/{}\r\n", "\"other\"", tags[1]);
    let again = http.ask("GET", "/messenger.js", &again, b"").await.expect("an answer");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other =
        http.ask("GET", "/messenger.js", &format!("If-None-Match: {}\r\n", tags[1]), b"").await.expect("an answer");
    assert_eq!((other.status, other.body == plain.body), (200, true));
    // Every other language is on its own, and only what there is.
    for language in ["de", "es", "ar"] {
        let path = format!("/messenger/words/{language}.json");
        let words = http.ask("GET", &path, "Accept-Encoding: gzip\r\n", b"").await.expect("an answer");
        assert_eq!((words.status, words.header("content-type")), (200, Some("application/json")), "{language}");
        assert_eq!(words.header("access-control-allow-origin"), Some("*"));
        assert!(words.header("cache-control").is_some_and(|cache| cache.starts_with("public, max-age=")));
        println!("figure messenger_words_{language}_bytes_gz {}", words.body.len());
        assert!(words.body.len() < 2_500, "{language}: {} bytes", words.body.len());
    }
    let later = http.ask("GET", "/messenger/later.js", "", b"").await.expect("an answer");
    assert_eq!((later.status, later.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(later.header("access-control-allow-origin"), Some("*"));
    for path in ["/messenger/words/en.json", "/messenger/words/de", "/messenger/words/..%2Fde.json"] {
        assert_eq!(http.ask("GET", path, "", b"").await.expect("an answer").status, 404, "{path}");
    }
    // `gzip -d` knows better than we what gzip is.
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("messenger.js.gz"), &zipped.body).expect("written");
    let unzipped =
        Command::new("gzip").args(["-dc", "messenger.js.gz"]).current_dir(dir.path()).output().expect("gzip");
    assert!(unzipped.status.success() && unzipped.stdout == plain.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_page_is_there_where_it_is_wanted() {
    async fn page(server: &Server, path: &str) -> Response {
        let mut http = Http::connect(server.address).await.expect("the server listens");
        http.ask("GET", path, "", b"").await.expect("an answer")
    }
    let without = Server::start(&Options::default());
    assert_eq!(page(&without, "/messenger/demo").await.status, 404);
    let with = Server::start(&Options::default().set("messenger.sample_page=true"));
    let found = page(&with, "/messenger/demo").await;
    assert_eq!(found.status, 200);
    assert!(found.text().contains("data-workspace=\"demo\""));
    let policy = found.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; connect-src 'self'") && !policy.contains("unsafe")
    );
    assert_eq!(page(&with, "/messenger/nobody%22%3E").await.status, 404);
}

//! Files and pictures in conversations as people have them: the messenger on a strict page and the console, in Chromium, over a restart of
//! the server while a file is on its way. With `OFFHOOK_DOC_PICTURES` the pictures of the documents are made anew.

mod support;

use std::path::Path;
use std::process::Command;
use support::Options;
use support::foreign::{does_the_job_with, npm, pictures_for_documents};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sends_looks_and_saves_on_a_strict_page() {
    let files = ["messenger_files.mjs", "messenger_shop.mjs", "agent.mjs", "pages.mjs"];
    let taken = [("files", "messenger-files"), ("files-rtl-dark", "messenger-files-rtl-dark")];
    in_chromium("messenger-files", &files, &taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_looks_and_answers_with_files_in_the_console() {
    let files = ["console_files.mjs", "pages.mjs"];
    in_chromium("console-files", &files, &[("files", "console-files")]).await;
}

/// `files`: the first is run. `taken`: its pictures that documents show, and as what.
async fn in_chromium(name: &str, files: &[&str], taken: &[(&str, &str)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let all = [&["package.json", "package-lock.json", "pictures.mjs"], files].concat();
    npm(&root.join("tests/clients"), &all, &place);
    let mut command = Command::new("node");
    command
        .arg(place.join(files[0]))
        .env("OFFHOOK_LIBRARY", root.join("web/client"))
        .env("OFFHOOK_PICTURES", place.join("pictures"));
    let options = Options::default().without_rate_limits().set("messenger.sample_page=true");
    does_the_job_with(options, command).await;
    pictures_for_documents(&place, taken);
}

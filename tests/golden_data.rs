//! Data directories as released versions left them: what a release wrote, the next ones read, also after going back and forth.
//!
//! `tests/golden/data/VERSION` was written by that version's binary (`just golden-data`), killed in the middle of an offer. It never changes
//! afterwards. A release whose formats are new adds its own, and keeps reading the one before it.

#[path = "support/mod.rs"]
mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::scene::{DEMO, eventually, offered, talking};
use support::{Agent, Options, Server};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        let copied = to.join(file.file_name());
        std::fs::copy(file.path(), &copied).unwrap();
        // Git keeps no modes, and keys that everybody can read are refused.
        std::fs::set_permissions(copied, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn offhook(dir: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.args(words).arg("--set").arg(format!("server.data_dir={}", dir.display()));
    let done = command.output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_release_left_behind_is_gone_on_with() {
    let mut releases = 0;
    for release in std::fs::read_dir(golden()).unwrap().flatten() {
        releases += 1;
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        copy(&release.path(), &data_dir);
        offhook(&data_dir, &["check", "--data"]);
        assert!(offhook(&data_dir, &["journal", "verify"]).contains("\nsound: "));
        // The view as it was left, and one that is made anew from the journal.
        for without_view in [false, true] {
            if without_view {
                for name in ["view.db", "view.db-wal", "view.db-shm"] {
                    let _ = std::fs::remove_file(data_dir.join(name));
                }
            }
            let options = Options { data_dir: Some(data_dir.clone()), ..Options::default().without_rate_limits() };
            let server = Server::start(&options);
            let ada = Agent::connect(&server, DEMO, "ada").await;
            let snapshot = &ada.welcome["snapshot"];
            assert_eq!(snapshot["status"], "available", "{snapshot}");
            assert_eq!(snapshot["conversations"][0]["conversation"], "c1", "{snapshot}");
            assert_eq!(snapshot["offers"][0]["conversation"]["conversation"], "c2", "{snapshot}");
            let path = format!("/v1/workspaces/{DEMO}/conversations/c1/messages");
            let messages = server.admin("GET", &path, None).await.json()["messages"].take();
            let texts: Vec<&str> = messages.as_array().unwrap().iter().filter_map(|one| one["text"].as_str()).collect();
            assert_eq!(texts, ["hello", "Let me look"], "names and texts are unsealed with the keys beside them");
            // Reports count what there was before them too, with the view as it was left and without.
            let path = format!("/v1/workspaces/{DEMO}/reports/conversations?from=2026-01-01");
            let reported = async || server.admin("GET", &path, None).await.json();
            let report = eventually("reports", reported, |report| report["totals"]["opened"] == 2).await;
            let totals = &report["totals"];
            assert_eq!((&totals["answered"], &totals["offered"]), (&json!(1), &json!(2)), "{report}");
            assert!(report["complete_since"].is_null(), "{report}");
        }
    }
    assert!(releases > 0);
}

/// It must not be there yet.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes the directory of a release: just golden-data"]
async fn make_the_directory_of_this_release() {
    let to = golden().join(env!("CARGO_PKG_VERSION"));
    assert!(!to.exists(), "{} is there: what a release wrote does not change", to.display());
    let mut server = Server::start(&Options::default().without_rate_limits());
    server
        .change_settings(DEMO, |settings| {
            // Whoever reads it does so at another time: nothing runs out.
            settings["channels"][0]["offer_ms"] = 600_000.into();
            settings["offer_grace_ms"] = 600_000.into();
            settings["delivery_ms"] = 60_000.into();
            settings["agent_grace_ms"] = 3_600_000.into();
        })
        .await;
    let (mut ada, mut zoe) = talking(&server, "ada").await;
    ada.must(json!({"type": "send", "conversation": zoe.conversation, "text": "Let me look"})).await;
    let (_second, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    // The view has all of it, with an agent of each kind beside.
    let _supervisor = Agent::connect_as(&server, DEMO, "grace", Role::Supervisor).await;
    let read = zoe.call("GET", "messages", None).await;
    assert_eq!(read.json()["messages"].as_array().map(Vec::len), Some(2));
    server.kill();
    copy(server.data_dir(), &to);
    // Made again at each start.
    for name in ["reserve", "lock", "journal.db-shm", "view.db-shm", "keys.db-shm"] {
        std::fs::remove_file(to.join(name)).unwrap();
    }
}

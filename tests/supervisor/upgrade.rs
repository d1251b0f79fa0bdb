//! `offhook upgrade` with binaries that are good and that are not: small scripts that play them.

use super::first_byte::FirstByte;
use super::support::scene::{DEMO, eventually};
use super::support::{Customer, Options, Server};
use super::{alone, back, send, status};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const OFFHOOK: &str = env!("CARGO_BIN_EXE_offhook");

/// A script that passes the preflight; `serves` is what it does then.
fn fake(dir: &Path, name: &str, serves: &str) -> PathBuf {
    let path = dir.join(name);
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in\n*' --version '*) echo offhook 9.9.9; echo commit: 1234; exit 0;;\n*' check '*) exit 0;;\nesac\n{serves}\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// How long a binary that dies lives: a second by default; with OFFHOOK_UPGRADE_DIES_AFTER_MS=10000 ten, as many a bad release does.
fn dies_after_ms() -> u64 {
    std::env::var("OFFHOOK_UPGRADE_DIES_AFTER_MS").map_or(1_000, |ms| ms.parse().expect("a number"))
}

/// Its probation is longer than that.
fn supervised() -> Server {
    let options = Options::supervised().without_rate_limits();
    let probation = format!("supervisor.probation_ms={}", dies_after_ms() + 2_000);
    Server::start(&options.set("supervisor.upgrade_ready_ms=2000").set(&probation))
}

async fn upgrade(server: &Server, path: &Path) -> Output {
    let mut command = Command::new(OFFHOOK);
    command.arg("upgrade").arg(path).arg("--set").arg(format!("server.data_dir={}", server.data_dir().display()));
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_that_is_no_good_gives_the_old_one_its_place_back() {
    let _alone = alone().await;
    let dir = tempfile::tempdir().unwrap();
    let server = supervised();
    Customer::start(server.address, DEMO, "hello").await;
    let seconds = dies_after_ms() as f64 / 1_000.0;
    let dies = format!("(sleep {seconds}; kill -9 $$) 3>&- 4>&- 5>&- & exec {OFFHOOK} \"$@\"");
    for (name, serves, why) in [
        ("exits", "exit 1", "it ended with 1"),
        ("never-ready", "exec sleep 1000", "it did not get ready in time"),
        ("dies", dies.as_str(), "signal 9 ended it"),
    ] {
        let watch = FirstByte::watch(server.address);
        let before = server.server_pid().unwrap();
        let done = upgrade(&server, &fake(dir.path(), name, serves)).await;
        assert_eq!(done.status.code(), Some(1), "{name}: {}", said(&done));
        assert!(said(&done).contains(&format!("rolled back: {why}")), "{name}: {}", said(&done));
        back(&server, before).await;
        watch.held();
        let facts = status(&server).await["supervisor"].take();
        assert_eq!(facts["binary"], OFFHOOK, "{name}");
        assert_eq!(
            (&facts["upgrade"]["state"], &facts["upgrade"]["to_version"]),
            (&"rolled_back".into(), &"9.9.9".into())
        );
        Customer::start(server.address, DEMO, "hello again").await;
    }
    assert_eq!(status(&server).await["supervisor"]["upgrades"]["rolled_back"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_its_preflight_touches_nothing() {
    let _alone = alone().await;
    let dir = tempfile::tempdir().unwrap();
    let server = supervised();
    let before = server.server_pid();
    let unsound = dir.path().join("unsound");
    std::fs::write(
        &unsound,
        "#!/bin/sh\n[ \"$1\" = --version ] && echo offhook 9.9.9 && exit 0\necho no such setting >&2\nexit 2\n",
    )
    .unwrap();
    std::fs::set_permissions(&unsound, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (path, why) in [
        (PathBuf::from("/nonexistent/offhook"), "No such file"),
        (PathBuf::from("/bin/true"), "not an offhook"),
        (unsound, "no such setting"),
    ] {
        let done = upgrade(&server, &path).await;
        assert_eq!(done.status.code(), Some(2), "{}", said(&done));
        assert!(said(&done).contains(why), "{}", said(&done));
    }
    assert_eq!(server.server_pid(), before);
    let asked =
        Command::new(OFFHOOK).args(["upgrade", "/bin/true", "--set", "server.data_dir=/nonexistent"]).output().unwrap();
    assert_eq!(asked.status.code(), Some(2));
    assert!(said(&asked).contains("no supervisor answers"), "{}", said(&asked));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_upgrade_put_in_place_is_what_a_crash_starts_again_even_if_its_file_is_gone() {
    let _alone = alone().await;
    let dir = tempfile::tempdir().unwrap();
    let server = supervised();
    let new = dir.path().join("offhook-new");
    std::fs::copy(OFFHOOK, &new).unwrap();
    let before = server.server_pid().unwrap();
    let watch = FirstByte::watch(server.address);
    let done = upgrade(&server, &new).await;
    assert!(done.status.success(), "{}", said(&done));
    watch.held();
    std::fs::remove_file(&new).unwrap();
    let runs = back(&server, before).await;
    send(runs, libc::SIGKILL);
    let after = back(&server, runs).await;
    let link = std::fs::read_link(format!("/proc/{after}/exe")).unwrap();
    assert!(link.to_string_lossy().starts_with(&*new.to_string_lossy()), "{}", link.display());
    let ask = async || status(&server).await["supervisor"].take();
    let facts = eventually("the facts", ask, |facts| facts["restarts"]["killed"] == 1).await;
    assert_eq!((&facts["binary"], &facts["upgrade"]["state"]), (&new.to_string_lossy().into(), &"done".into()));
}

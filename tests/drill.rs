//! `offhook drill`, small: every act happens against a real server, what must be nought is nought, and nothing is left behind. How long
//! things took is not held here: that is the machine's.

mod support;

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use support::alone;
use support::scene::eventually;

const OFFHOOK: &str = env!("CARGO_BIN_EXE_offhook");

/// So small that it is over in half a minute, on a machine that may be slow: what counts answers as late is not tried here.
fn drill(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(OFFHOOK);
    command.args([
        "drill",
        "2023-08-25",
        "--agents",
        "60",
        "--customers",
        "40",
        "--cap-mib",
        "96",
        "--seconds-per-act",
        "4",
    ]);
    command.args(arguments);
    let settings = [
        "health.window_ms=2000",
        "health.recover_after_ms=500",
        "health.probe_every_ms=1000",
        "health.probe_within_ms=20000",
        "health.slow_ms=20000",
        "supervisor.upgrade_ready_ms=3000",
        // A machine that is busy with other tests is no server that hangs.
        "supervisor.hang_ms=60000",
    ];
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.env("TMPDIR", temporary).stdin(Stdio::null());
    command
}

fn runs(pid: i64) -> bool {
    // One that has ended and is not reaped yet has no words.
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty())
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().next().is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_morning_is_played_every_promise_is_kept_and_nothing_is_left_behind() {
    let _alone = alone().await;
    let temporary = tempfile::tempdir().unwrap();
    let mut command = drill(temporary.path(), &["--json"]);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let progress = String::from_utf8_lossy(&done.stderr).into_owned();
    let told: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}\n{progress}"));
    let seen = format!("{told:#}\n{progress}");
    let number = |path: &str| told.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path}: {seen}"));

    // Every act happened.
    for title in ["calm", "10:52, memory", "11:00, everybody drops", "11:35, a bad update", "12:00, the reckoning"] {
        assert!(progress.contains(title), "{title}: {seen}");
    }
    // Whether starts are refused depends on the machine: there may be room for all that so few visitors begin.
    assert!(number("/memory/unread_mib") > 0 && told["memory"]["starts_refused"].is_u64(), "{seen}");
    let shed: u64 = told["memory"]["shed"].as_object().expect(&seen).values().filter_map(Value::as_u64).sum();
    assert!(shed > 0, "the load is one under which something is shed: {seen}");
    assert!(number("/memory/accepts/done") > 0, "{seen}");
    assert_eq!(number("/drop/dropped"), 60, "{seen}");
    assert!(told["drop"]["back_all_s"].is_f64() && number("/drop/offers_held") > 0, "{seen}");
    assert_eq!(number("/restarts/killed"), 1, "{seen}");
    assert_eq!((&told["update"]["rolled_back"], number("/restarts/rolled_back")), (&Value::Bool(true), 1), "{seen}");
    assert!(told["update"]["said"].as_str().is_some_and(|said| said.starts_with("rolled back")), "{seen}");
    assert!(number("/status_page/by_supervisor") > 0 && number("/status_page/incidents") > 0, "{seen}");
    for trouble in ["memory", "drop", "update"] {
        assert!(told[trouble]["trouble"]["noticed_after_s"].is_f64(), "{trouble}: {seen}");
        assert!(told[trouble]["trouble"]["recovered_after_s"].is_f64(), "{trouble}: {seen}");
    }

    // What must be nought.
    for path in [
        "/messages/lost",
        "/messages/twice",
        "/messages/unread",
        "/drop/offers_held_lost",
        "/status_flaps",
        "/memory/accepts/busy",
    ] {
        assert_eq!(number(path), 0, "{path}: {seen}");
    }
    assert_eq!((&told["offers"]["lost"], &told["faults"]), (&serde_json::json!({}), &serde_json::json!([])), "{seen}");
    assert_ne!(told["cap"]["oom_kills"].as_u64(), Some(1), "{seen}");
    assert!(number("/messages/acknowledged") > 100 && number("/offers/accepted") >= 40, "{seen}");
    // Only how long something took may be held against it.
    let broken: Vec<&str> = told["broken"].as_array().expect(&seen).iter().filter_map(Value::as_str).collect();
    assert!(broken.iter().all(|broken| broken.contains("on the status page within")), "{seen}");
    assert_eq!(done.status.code(), Some(i32::from(!broken.is_empty())), "{seen}");

    // Nothing is left behind.
    assert_eq!(told["stopped_in_order"], true, "{seen}");
    let processes: Vec<i64> = told["processes"].as_array().expect(&seen).iter().filter_map(Value::as_i64).collect();
    assert!(processes.len() == 4, "the supervisor, and three servers one after the other: {seen}");
    assert!(!processes.iter().any(|pid| runs(*pid)), "{seen}");
    assert!(is_empty(temporary.path()), "{seen}");
    let is_hard = told["cap"]["is_hard"] == true;
    let group = told["cap"]["group"].as_str().and_then(|group| group.split_once(", ")).map(|(_, path)| path);
    assert_eq!(group.is_some(), is_hard, "{seen}");
    assert!(!group.is_some_and(|path| Path::new(path).exists()), "{seen}");
}

/// Its standard error, up to a line with these words.
fn until_it_says(child: &mut Child, wanted: &str) -> String {
    let mut heard = String::new();
    for line in BufReader::new(child.stderr.as_mut().expect("piped")).lines().map_while(Result::ok) {
        heard += &format!("{line}\n");
        if line.contains(wanted) {
            return heard;
        }
    }
    panic!("it never said {wanted}:\n{heard}");
}

fn server_below(temporary: &Path) -> (PathBuf, i64) {
    let made = fs::read_dir(temporary).unwrap().next().expect("a directory").unwrap().path();
    let pid = fs::read_to_string(made.join("data/lock")).unwrap().trim().parse().unwrap();
    (made, pid)
}

fn parent(pid: i64) -> i64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(") ").expect("a name").1;
    after_name.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_its_server_too_and_even_its_own_sudden_end_leaves_no_process() {
    let _alone = alone().await;
    for (signal, leaves_files) in [(libc::SIGINT, false), (libc::SIGTERM, false), (libc::SIGKILL, true)] {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = drill(temporary.path(), &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let heard = until_it_says(&mut child, "agents here");
        let group = heard.split_once("(cgroup version ").and_then(|(_, rest)| rest.split_once([',', ' ']));
        let group = group.and_then(|(_, rest)| rest.split_once(')')).map(|(path, _)| PathBuf::from(path.trim()));
        let (made, server) = server_below(temporary.path());
        let supervisor = parent(server);
        assert!(runs(server) && runs(supervisor));
        // SAFETY: a signal to a child of ours that is not reaped yet.
        unsafe { libc::kill(child.id().cast_signed(), signal) };
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        eventually("their end", async || [server, supervisor].map(runs), |run| *run == [false; 2]).await;
        assert_eq!(made.exists(), leaves_files);
        assert!(group.as_ref().is_none_or(|group| group.exists() == leaves_files), "{heard}");
        if leaves_files {
            // Nobody was there any more to remove them; and the group empties a little after its processes are gone.
            let removed = async || group.as_ref().is_none_or(|group| fs::remove_dir(group).is_ok());
            eventually("an empty group", removed, |removed| *removed).await;
        } else {
            assert_eq!(ended.code(), Some(2));
            assert!(is_empty(temporary.path()));
        }
    }
}

#[test]
fn what_cannot_be_played_is_refused_plainly_and_touches_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    for (arguments, wanted) in [
        (["drill", "2023-08-25", "--agents", "50000"], "raise --cap-mib"),
        (["drill", "2023-08-25", "--customers", "9000"], "4000 customers at most"),
        (["drill", "1999-12-31", "--agents", "100"], "2023-08-25"),
    ] {
        let mut command = Command::new(OFFHOOK);
        // As many descriptors as there are is not what is tried here.
        let done = command.args(arguments).env("TMPDIR", temporary.path()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(wanted) || said.contains("file descriptors"), "{said}");
    }
    assert!(is_empty(temporary.path()));
}

//! The files that others run Offhook with say what Offhook's own settings say.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join("config/deploy").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The first number behind the first `key`.
fn number(text: &str, key: &str) -> u64 {
    let at = text.find(key).unwrap_or_else(|| panic!("no {key}"));
    let rest = &text[at + key.len()..];
    let digits: String = rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("{key}: {rest:.20}"))
}

#[test]
fn what_stops_it_waits_as_long_as_it_is_told() {
    let unit = text("systemd/offhook.service");
    assert_eq!(number(&unit, "TimeoutStopSec=") * 1_000, number(&unit, "OFFHOOK_SERVER__STOP_GRACE_MS"));
    let compose = text("docker/compose.yaml");
    assert_eq!(
        number(&compose, "\n    stop_grace_period: ") * 1_000,
        number(&compose, "OFFHOOK_SERVER__STOP_GRACE_MS")
    );
    let pod = text("kubernetes/offhook.yaml");
    let before_s = number(&pod, "command: [\"sleep\", \"");
    let waits_s = number(&pod, "terminationGracePeriodSeconds: ");
    let told_ms = number(&pod, "OFFHOOK_SERVER__STOP_GRACE_MS, value: \"");
    assert_eq!((waits_s - before_s) * 1_000, told_ms);
}

#[test]
fn every_variable_of_ours_is_a_setting_and_the_drain_fits() {
    for path in ["systemd/offhook.service", "docker/compose.yaml", "kubernetes/offhook.yaml"] {
        let text = text(path);
        let mut check = Command::new(env!("CARGO_BIN_EXE_offhook"));
        check.arg("check");
        let mut seen = 0;
        for rest in text.split("OFFHOOK_").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            let value = if name.ends_with("_MS") { number(rest, &name).to_string() } else { "elsewhere".to_owned() };
            check.env(format!("OFFHOOK_{name}"), value);
            seen += 1;
        }
        let done = check.output().unwrap();
        assert!(seen > 0 && done.status.success(), "{path}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn a_drain_that_is_longer_than_whoever_stops_it_waits_is_refused() {
    let mut check = Command::new(env!("CARGO_BIN_EXE_offhook"));
    let refused = check.args(["check", "--set", "server.drain_ms=9000"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("server.drain_ms") && said.contains("server.stop_grace_ms"), "{said}");
}

/// Keys that an older systemd does not know yet, and passes over.
const NEWER: [&str; 2] = ["RestartSteps", "RestartMaxDelaySec"];

#[test]
fn systemd_understands_its_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("no systemd-analyze here: the units are not checked");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let units: Vec<PathBuf> = [
        "offhook.service",
        "offhook.socket",
        "offhook-operators.socket",
        "offhook-backup.service",
        "offhook-backup.timer",
    ]
    .iter()
    .map(|name| {
        let here = text(&format!("systemd/{name}")).replace("/usr/bin/offhook", env!("CARGO_BIN_EXE_offhook"));
        let path = dir.path().join(name);
        std::fs::write(&path, here).unwrap();
        path
    })
    .collect();
    let done = Command::new("systemd-analyze").arg("verify").args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    let about_ours = said.lines().filter(|line| line.contains(&*dir.path().to_string_lossy()));
    let faults: Vec<&str> = about_ours.filter(|line| !NEWER.iter().any(|key| line.contains(key))).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The words behind `offhook backup`, up to the end of the line or of the list.
fn backup_words(text: &str, before: &str, end: char) -> Vec<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(before)).expect("a command line");
    let words = line.split(end).next().expect("a first part").split([' ', ',']);
    words.map(|word| word.trim_matches('"').to_owned()).filter(|word| !word.is_empty()).collect()
}

#[test]
fn schedules_call_the_backup_as_it_is() {
    let unit = backup_words(&text("systemd/offhook-backup.service"), "ExecStart=/usr/bin/offhook ", '\n');
    let pod = backup_words(&text("kubernetes/backup.yaml"), "args: [", ']');
    for words in [unit, pod] {
        assert_eq!(words[0], "backup");
        let dir = tempfile::tempdir().unwrap();
        let data = words.iter().position(|word| word == "--data-dir").expect("it names the data directory") + 1;
        // On a directory without a journal: the words are understood, and there is nothing to be taken.
        let here = words.iter().enumerate().map(|(at, word)| match at == data {
            true => dir.path().display().to_string(),
            false => word.clone(),
        });
        let done = Command::new(env!("CARGO_BIN_EXE_offhook")).args(here).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(said.contains("there is no journal at"), "{words:?}: {said}");
    }
}

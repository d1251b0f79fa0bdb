//! `offhook simulate`, as docs/simulate.md shows it.

use std::io::Write as _;
use std::process::{Command, Stdio};

fn simulate(words: &[&str]) -> std::process::Output {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.current_dir(root).arg("simulate").args(words).stdin(Stdio::null());
    command.output().expect("the binary runs")
}

/// The names of the rows, without their figures: those change with every rule of the desk.
fn titles(text: &str) -> Vec<String> {
    text.lines().map(|line| line.chars().take(30).collect::<String>().trim().to_owned()).collect()
}

#[test]
fn the_tour_shows_what_is_printed() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulate.md")).unwrap();
    let shown: Vec<&str> = document.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let dir = tempfile::tempdir().unwrap();
    let sooner = dir.path().join("sooner.toml");
    let declared = document.split("cat > sooner.toml <<'END_OF_FILE'\n").nth(1).unwrap();
    std::fs::write(&sooner, declared.split("END_OF_FILE").next().unwrap()).unwrap();
    let alone = simulate(&["config/scenario.toml"]);
    let compared = simulate(&["config/scenario.toml", "--against", sooner.to_str().unwrap()]);
    for (shown, ran) in shown.iter().zip([alone, compared]) {
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(titles(shown), titles(&String::from_utf8(ran.stdout).unwrap()));
    }
}

#[test]
fn what_is_wrong_with_a_scenario_is_said_and_ends_with_2() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wrong.toml");
    std::fs::write(&file, "[run]\nhours = 0\n").unwrap();
    let ran = simulate(&[file.to_str().unwrap()]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.code() == Some(2) && said.contains("wrong.toml: run.hours: more than 0"), "{said}");
    assert!(ran.stdout.is_empty());
}

#[test]
fn another_systems_events_may_come_over_a_pipe() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["simulate", "--shadow", "-", "config/workspace.toml"]);
    let mut ran = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary runs");
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulate.md")).unwrap();
    let events = document.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    ran.stdin.take().unwrap().write_all(events.as_bytes()).unwrap();
    let said = String::from_utf8(ran.wait_with_output().unwrap().stdout).unwrap();
    // Ada speaks French and is there; the other system gave it to Grace, who does neither.
    assert!(said.contains("offered to another one") && said.contains("excluded here: offline"), "{said}");
    assert!(said.contains("29.0 s"), "{said}");
}

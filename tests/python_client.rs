//! The Python library of `web/python` against the real binary: its agents are killed the server under, and its channel carries messages.
//! And its own tests of what needs no server.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::foreign::{does_the_job, must, python};

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web/python")
}

/// An interpreter with what the library needs, that finds the library itself.
fn command() -> Command {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-client");
    let mut command = Command::new(python(&library().join("tests/real/requirements.txt"), &venv));
    // Nothing is written into the tree.
    command.env("PYTHONPATH", library()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[test]
fn what_is_pure_in_the_library_holds() {
    must(command().args(["-m", "unittest", "discover", "-s", "tests"]).current_dir(library()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_streams_its_answers_loses_none_to_a_kill_and_hands_over_to_a_person() {
    let mut command = command();
    command.arg(library().join("tests/real/job.py"));
    does_the_job(command).await;
}

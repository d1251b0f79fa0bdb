//! The documents of the API: made from the code and kept, read by published validators, compared with docs/wire.md, and held to what a server
//! really says: by calls that are made up from them, and by frames of real sessions.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod conditions;
mod documents;
mod frames;

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where packages are installed: kept between runs, apart from the tree.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("spec")
}

/// The interpreter that has what requirements.txt names.
fn python() -> PathBuf {
    support::foreign::python(&root().join("tests/spec/requirements.txt"), &installed().join("venv"))
}

/// What validate.py says of this, which must end well.
fn validated(arguments: &[&Path]) -> String {
    let done = Command::new(python()).arg(root().join("tests/spec/validate.py")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && said.ends_with("done\n"), "{said}{}", String::from_utf8_lossy(&done.stderr));
    said
}

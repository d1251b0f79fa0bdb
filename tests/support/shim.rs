//! The shims of `tests/shim`, compiled for whoever preloads them into the server.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Compiled once for each test process, with the machine's own C compiler.
pub fn shim(name: &'static str) -> PathBuf {
    static SHIMS: Mutex<Option<HashMap<&str, PathBuf>>> = Mutex::new(None);
    let mut shims = SHIMS.lock().unwrap_or_else(PoisonError::into_inner);
    shims.get_or_insert_default().entry(name).or_insert_with(|| compiled(name)).clone()
}

fn compiled(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/shim/{name}.c"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let made = place.join(format!("{name}-{}.so", std::process::id()));
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread", "-o"]);
    let done = cc.arg(&made).arg(source).output().expect("a C compiler");
    assert!(done.status.success(), "{cc:?}\n{}", String::from_utf8_lossy(&done.stderr));
    // Other test processes may be loading it just now.
    let shim = place.join(format!("{name}.so"));
    fs::rename(made, &shim).expect("the shim can be put in its place");
    shim
}

//! What the binary says of its own making: which commit, which target, which compiler.
//!
//! The commit is what OFFHOOK_COMMIT says (release builds say it), else what `git archive` wrote into `source-commit` beside this file, else
//! what git says. Git is asked by optimised builds alone: a commit changes the binary then, and who develops would compile the crate again
//! for each. There is no time of the build in it, so that the same source gives the same bytes; SOURCE_DATE_EPOCH, where it is set, is the
//! source's own.

use std::path::{Path, PathBuf};
use std::process::Command;

const UNKNOWN: &str = "unknown";
const ARCHIVED: &str = "config/release/source-commit";
/// What the binary is made of, as far as it is in the tree.
const SOURCES: [&str; 9] = [
    "src",
    "web/client/src",
    "web/desk",
    "web/messenger",
    "config/offhook.toml",
    "config/release/build.rs",
    ".cargo",
    "Cargo.toml",
    "Cargo.lock",
];

fn main() {
    println!("cargo::rerun-if-changed=config/release/build.rs");
    println!("cargo::rerun-if-changed={ARCHIVED}");
    println!("cargo::rerun-if-env-changed=OFFHOOK_COMMIT");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let (commit, tree) = source();
    fact("COMMIT", &commit);
    fact("TREE", tree);
    fact("TARGET", &variable("TARGET").unwrap_or_else(unknown));
    fact("PROFILE", &variable("PROFILE").unwrap_or_else(unknown));
    fact("OPT_LEVEL", &variable("OPT_LEVEL").unwrap_or_else(unknown));
    fact("RUSTC", &rustc().unwrap_or_else(unknown));
    let date = variable("SOURCE_DATE_EPOCH").filter(|date| date.parse::<u64>().is_ok());
    fact("SOURCE_DATE", &date.unwrap_or_default());
}

fn fact(name: &str, value: &str) {
    println!("cargo::rustc-env=OFFHOOK_BUILD_{name}={value}");
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn unknown() -> String {
    UNKNOWN.to_owned()
}

/// The commit, and whether the tree was as that commit has it: `clean`, `modified` or `unknown`.
fn source() -> (String, &'static str) {
    if let Some(given) = variable("OFFHOOK_COMMIT") {
        // A build that is told its commit was made of a fresh checkout; who changed something says so.
        return match given.strip_suffix("-modified") {
            Some(commit) => (commit.to_owned(), "modified"),
            None => (given, "clean"),
        };
    }
    let archived = std::fs::read_to_string(ARCHIVED).unwrap_or_default();
    if is_commit(archived.trim()) {
        return (archived.trim().to_owned(), UNKNOWN);
    }
    let optimised = variable("OPT_LEVEL").is_some_and(|level| level != "0");
    optimised.then(of_git).flatten().unwrap_or_else(|| (unknown(), UNKNOWN))
}

fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn of_git() -> Option<(String, &'static str)> {
    // An archive that was unpacked within somebody else's repository is not that one's commit.
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if top != Path::new(".").canonicalize().ok()? {
        return None;
    }
    for name in ["HEAD", "logs/HEAD", "packed-refs"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        // Cargo would run this at each build for a file that is not there.
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    for path in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    let changed = git(&[["status", "--porcelain", "--"].as_slice(), &SOURCES].concat())?;
    is_commit(&commit).then_some((commit, if changed.is_empty() { "clean" } else { "modified" }))
}

fn git(arguments: &[&str]) -> Option<String> {
    // It may be asked in the middle of somebody's work: no lock is taken for what is only read.
    said(Command::new("git").arg("--no-optional-locks").args(arguments))
}

fn rustc() -> Option<String> {
    let said = said(Command::new(variable("RUSTC")?).arg("--version"))?;
    Some(said.strip_prefix("rustc ").unwrap_or(&said).to_owned())
}

fn said(command: &mut Command) -> Option<String> {
    let done = command.output().ok().filter(|done| done.status.success())?;
    Some(String::from_utf8(done.stdout).ok()?.trim().to_owned())
}

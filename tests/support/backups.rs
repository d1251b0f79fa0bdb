//! `offhook backup`, `verify` and `restore` of a server's data directory, in a place of their own.

use super::{Options, Server, as_cluster, command_id};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A place for backups, and one for keys.
pub struct Place(tempfile::TempDir);

impl Place {
    #[allow(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory can be made"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn to(&self) -> PathBuf {
        self.0.path().join("backups")
    }

    pub fn keys(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    pub fn backup(&self, server: &Server, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
        command.args(["backup", "--data-dir"]).arg(server.data_dir());
        command.arg("--to").arg(self.to()).arg("--keys-to").arg(self.keys()).args(words);
        command
    }

    /// Takes one; gives back its name.
    pub fn taken(&self, server: &Server, words: &[&str]) -> String {
        let done = self.backup(server, words).output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stdout).split(':').next().unwrap().to_owned()
    }

    pub fn verify(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
        command.args(["verify", "--json", "--backup"]).arg(self.to()).arg("--keys-from").arg(self.keys());
        command.output().unwrap()
    }

    pub fn is_sound(&self) {
        let done = self.verify();
        assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stdout), text(&done.stderr));
    }

    pub fn restore(&self, to: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
        command.args(["restore", "--from"]).arg(self.to()).arg("--keys-from").arg(self.keys());
        command.arg("--data-dir").arg(to).args(words).output().unwrap()
    }

    /// A server on what was brought back. In a cluster it goes on in that of whom it was taken of, and takes its place.
    pub fn restored(&self, of: &Server, words: &[&str]) -> Server {
        let dir = self.0.path().join(format!("restored{}", command_id()));
        let done = self.restore(&dir, words);
        assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stdout), text(&done.stderr));
        let mut options = Options { data_dir: Some(dir), ..patiently() };
        options.settings.extend(as_cluster::cluster_of(of.data_dir()));
        Server::start(&options)
    }

    pub fn manifest(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.to().join(name).join("manifest.json")).unwrap();
        serde_json::from_str(text.lines().next().unwrap()).unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.to())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with('Z'))
            .collect();
        names.sort();
        names
    }
}

/// A server whose customers say nothing for as long as a backup takes, and keep their connections.
pub fn patient() -> Server {
    Server::start(&patiently())
}

pub fn patiently() -> Options {
    Options::default().without_rate_limits().set("server.header_timeout_ms=120000")
}

/// What a command said.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! The command line: one file a command.

mod apply;
mod asyncapi;
mod audit;
mod backup;
mod check;
mod check_data;
mod cluster;
mod demo;
mod drill;
mod import;
mod journal;
mod openapi;
mod reach;
mod restore;
mod serve;
mod simulate;
mod token;
mod upgrade;
mod verify;
mod version;
mod why;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// Keeps the roll of present agents, and offers each waiting conversation to the right one.
#[derive(Debug, Parser)]
#[command(name = "offhook", version, long_version = version::LONG.as_str(), after_help = EXAMPLES)]
struct Line {
    /// The settings file; without one, the built-in defaults are what the rest lies over.
    #[arg(long, global = true, env = "OFFHOOK_CONFIG", value_name = "PATH")]
    config: Option<PathBuf>,
    /// Sets one setting, over file and environment. May be repeated.
    #[arg(long = "set", global = true, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  offhook serve
  offhook check --config offhook.toml
  offhook token --agent ann --workspace acme
  offhook apply --diff workspace.toml
  offhook journal verify
  offhook simulate config/scenario.toml
  offhook openapi
  offhook demo
  offhook drill 2023-08-25
  offhook upgrade /usr/bin/offhook
  offhook backup --to /srv/backup
  offhook cluster check --server nats://127.0.0.1:4222";

#[derive(Debug, Subcommand)]
enum Command {
    Apply(apply::Apply),
    #[command(name = "asyncapi")]
    AsyncApi(asyncapi::AsyncApi),
    Audit(audit::Audit),
    Backup(backup::Backup),
    Check(check::Check),
    Cluster(cluster::Cluster),
    Demo(demo::Demo),
    Drill(drill::Drill),
    Import(import::Import),
    Journal(journal::Journal),
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApi),
    Restore(restore::Restore),
    Serve(serve::Serve),
    Simulate(simulate::Simulate),
    Token(token::Token),
    Upgrade(upgrade::Upgrade),
    Verify(verify::Verify),
    Version(version::Version),
    Why(why::Why),
}

/// Where the settings came from, as it was said on the command line: for commands that start others of ours.
struct Given {
    config: Option<PathBuf>,
    set: Vec<String>,
}

impl Given {
    fn arguments(&self) -> Vec<OsString> {
        let file = self.config.iter().flat_map(|path| ["--config".into(), path.into()]);
        file.chain(self.set.iter().flat_map(|set| ["--set".into(), set.into()])).collect()
    }
}

/// Why a command ended without doing what it should; the sentence is shown to whoever called.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CommandError(String);

impl CommandError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command that the process was started with. Ends with 0, or 2 for what the caller can mend; some commands have
/// a 1 of their own, said in their help.
pub fn run() -> ExitCode {
    let Line { config, set, command } = Line::parse();
    let load = || Config::load(config.as_deref(), &set).map_err(CommandError::of);
    let mut out = std::io::stdout().lock();
    let done = match command {
        Command::Apply(apply) => apply.run(load, &mut out),
        Command::AsyncApi(asyncapi) => asyncapi.run(&mut out).map(|()| ExitCode::SUCCESS),
        Command::Audit(audit) => load().and_then(|config| audit.run(&config.sections.server.data_dir, &mut out)),
        Command::Backup(backup) => backup.run(load, &mut out),
        Command::Check(check) => load().and_then(|config| check.run(&config, &mut out)),
        Command::Cluster(cluster) => cluster.run(load, &mut out),
        Command::Demo(demo) => demo.run(config.as_deref(), &set, &mut out).map(|()| ExitCode::SUCCESS),
        Command::Drill(drill) => drill.run(&Given { config: config.clone(), set: set.clone() }, &mut out),
        Command::Import(import) => import.run(load, &mut out),
        Command::Journal(journal) => load().and_then(|config| journal.run(&config.sections.server.data_dir, &mut out)),
        Command::OpenApi(openapi) => openapi.run(&mut out).map(|()| ExitCode::SUCCESS),
        Command::Restore(restore) => restore.run(load, &mut out),
        Command::Serve(serve) => {
            let given = Given { config: config.clone(), set: set.clone() };
            load().and_then(|config| serve.run(&config, &given, &mut out))
        }
        Command::Simulate(simulate) => simulate.run(load, &mut out),
        Command::Why(why) => load().and_then(|config| why.run(&config.sections.server.data_dir, &mut out)),
        Command::Upgrade(upgrade) => load().and_then(|config| upgrade.run(&config.sections.server.data_dir, &mut out)),
        Command::Verify(verify) => verify.run(&mut out),
        Command::Version(version) => version.run(&mut out).map(|()| ExitCode::SUCCESS),
        Command::Token(token) => token.run(load, wall_s(), &mut out).map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("offhook: {error}");
            ExitCode::from(2)
        }
    }
}

/// Seconds since 1970.
fn wall_s() -> i64 {
    i64::try_from(crate::clock::wall_ms() / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_command_shows_an_example() {
        let line = Line::command();
        line.clone().debug_assert();
        for command in line.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{}", command.get_name());
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}

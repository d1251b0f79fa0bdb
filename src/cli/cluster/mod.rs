//! `offhook cluster`: what has to do with the NATS servers that can hold a journal, and with the journal that they hold.

mod adopt;
mod back;
mod check;
mod moving;
mod servers;
mod sync;

use super::CommandError;
use crate::config::Config;
use clap::{Args, Subcommand};
use moving::Stopped;
use std::io::Write;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  offhook cluster check --server nats://10.0.0.1:4222 --server nats://10.0.0.2:4222
  offhook --config offhook.toml cluster adopt
  offhook --config offhook.toml cluster return";

/// Looks whether NATS servers can hold a journal; brings one there, and back.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Cluster {
    #[command(subcommand)]
    asked: Asked,
}

#[derive(Debug, Subcommand)]
enum Asked {
    Adopt(adopt::Adopt),
    Check(check::Check),
    Return(back::Return),
}

impl Cluster {
    pub(super) fn run(
        &self,
        load: impl FnOnce() -> Result<Config, CommandError>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        let set = load()?.sections;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
        match &self.asked {
            Asked::Adopt(adopt) => ended(runtime.block_on(adopt.run(&set, out)), out),
            Asked::Check(check) => runtime.block_on(check.run(&set.cluster.nats(), out)),
            Asked::Return(back) => ended(runtime.block_on(back.run(&set, out)), out),
        }
    }
}

/// The last line says how it ended.
fn ended(done: Result<String, Stopped>, out: &mut impl Write) -> Result<ExitCode, CommandError> {
    let (said, code) = match done {
        Ok(done) => (done, ExitCode::SUCCESS),
        Err(Stopped::Refused(why)) => (format!("refused: {why}"), ExitCode::from(1)),
        Err(Stopped::Failed(failed)) => return Err(failed),
    };
    writeln!(out, "{:<7} {said}", "result").map_err(CommandError::of)?;
    Ok(code)
}

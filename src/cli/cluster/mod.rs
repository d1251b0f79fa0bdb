//! `offhook cluster`: what has to do with the NATS servers that can hold a journal.

mod check;
mod sync;

use super::CommandError;
use crate::config::Config;
use clap::{Args, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Looks whether NATS servers can hold a journal.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  offhook cluster check --server nats://10.0.0.1:4222 --server nats://10.0.0.2:4222")]
pub struct Cluster {
    #[command(subcommand)]
    asked: Asked,
}

#[derive(Debug, Subcommand)]
enum Asked {
    Check(check::Check),
}

impl Cluster {
    pub(super) fn run(
        &self,
        load: impl FnOnce() -> Result<Config, CommandError>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        let set = load()?.sections.cluster.nats();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
        match &self.asked {
            Asked::Check(check) => runtime.block_on(check.run(&set, out)),
        }
    }
}

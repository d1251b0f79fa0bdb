//! `offhook serve`: the server, until it is told to stop.

use super::CommandError;
use crate::config::Config;
use crate::server::Server;
use crate::telemetry::exporter::Exporter;
use crate::telemetry::logging;
use clap::Args;
use std::io::Write;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLES: &str = "Examples:
  offhook serve
  offhook serve --set server.listen=127.0.0.1:8080 --set server.data_dir=/var/lib/offhook

SIGTERM or Ctrl-C stops it in order, SIGHUP reads agents' keys and the certificate again.";

/// Serves agents, customers and administrators.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {}

impl Serve {
    pub(super) fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), CommandError> {
        let log = &config.sections.log;
        logging::install(log.format, &log.level).map_err(CommandError::of)?;
        let exporter = Exporter::install().map_err(CommandError::of)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::of)?;
        let done = runtime.block_on(serve(config, exporter, out));
        // Reads of the disk that nobody waits for any more do not hold the process.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        done
    }
}

async fn serve(config: &Config, exporter: Exporter, out: &mut impl Write) -> Result<(), CommandError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::of)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::of)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(CommandError::of)?;
    tokio::spawn(exporter.clone().upkeep());
    let server = Server::start(config, Arc::new(exporter)).await.map_err(CommandError::of)?;
    let say = |out: &mut dyn Write, line: String| writeln!(out, "{line}").and_then(|()| out.flush());
    let data_dir = config.sections.server.data_dir.display();
    say(out, format!("operators: http://{}", server.operators_address)).map_err(CommandError::of)?;
    say(out, format!("data directory: {data_dir}")).map_err(CommandError::of)?;
    say(out, format!("offhook is serving agents and customers on {}://{}", server.scheme(), server.address))
        .map_err(CommandError::of)?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => server.reload(),
        }
    }
    tracing::info!("stopping in order");
    server.stop().await;
    Ok(())
}

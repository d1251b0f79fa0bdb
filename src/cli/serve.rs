//! `offhook serve`: the server, until it is told to stop; and the supervisor over it.

use super::{CommandError, Given};
use crate::clock;
use crate::config::{Config, Sections};
use crate::gateway::listen::{self, ListenLimits};
use crate::server::Server;
use crate::slices;
use crate::supervisor::{self, Inherited, Limits, Setup, TlsFiles};
use crate::telemetry::exporter::Exporter;
use crate::telemetry::{logging, turned};
use clap::Args;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLES: &str = "Examples:
  offhook serve
  offhook serve --set server.listen=127.0.0.1:8080 --set server.data_dir=/var/lib/offhook
  offhook serve --no-supervisor

Two processes: a small one that holds the listening sockets, and the server, which it starts again however that ends. With
--no-supervisor the server alone, for where something else starts it again. Both take sockets from systemd (LISTEN_FDS, named public and
operators) and tell it how they are (NOTIFY_SOCKET, WATCHDOG_USEC).

SIGTERM or Ctrl-C stops it in order, SIGHUP reads agents' keys and the certificate again.";

/// From the end of the drain to SIGKILL.
const OVERTIME_MS: u64 = 1_000;

/// Serves agents, customers and administrators.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// The server alone: nothing starts it again.
    #[arg(long)]
    no_supervisor: bool,
}

impl Serve {
    pub(super) fn run(&self, config: &Config, given: &Given, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let inherited = Inherited::take().map_err(CommandError::of)?;
        let log = &config.sections.log;
        logging::install(log.format, &log.level).map_err(CommandError::of)?;
        turned::tell_addresses(log.addresses);
        if self.no_supervisor {
            return server(config, inherited, out).map(|()| ExitCode::SUCCESS);
        }
        supervise(config, given, inherited)
    }
}

/// One thread, and nothing of the server's in its memory.
fn supervise(config: &Config, given: &Given, inherited: Inherited) -> Result<ExitCode, CommandError> {
    let set = &config.sections;
    let dir = &set.server.data_dir;
    std::fs::create_dir_all(dir).map_err(|error| CommandError(format!("{}: {error}", dir.display())))?;
    // The server sets the rest.
    let bounds = ListenLimits { receive_buffer_bytes: set.sessions.receive_buffer_bytes, ..ListenLimits::default() };
    let open = |given: Option<_>, address| {
        given
            .map_or_else(|| listen::bind(address, &bounds), Ok)
            .map_err(|error| CommandError(format!("listening on {address}: {error}")))
    };
    let setup = Setup {
        data_dir: dir.clone(),
        arguments: given.arguments(),
        limits: limits(set),
        public: open(inherited.public, set.server.listen)?,
        operators: open(inherited.operators, set.server.operators_listen)?,
        tls: (!set.tls.certificate.as_os_str().is_empty())
            .then(|| TlsFiles { certificate: set.tls.certificate.clone(), key: set.tls.key.clone() }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
    let code = runtime.block_on(supervisor::run(setup)).map_err(CommandError::of)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn limits(set: &Sections) -> Limits {
    let of = &set.supervisor;
    Limits {
        hang_ms: of.hang_ms,
        start_ms: of.start_ms,
        stop_ms: set.server.drain_ms + OVERTIME_MS,
        delay_ms_max: of.delay_ms_max,
        upgrade_ready_ms: of.upgrade_ready_ms,
        probation_ms: of.probation_ms,
    }
}

fn server(config: &Config, inherited: Inherited, out: &mut impl Write) -> Result<(), CommandError> {
    // A binary that is started through a descriptor is called by its number.
    let _ = rustix::thread::set_name(c"offhook");
    let exporter = Exporter::install().map_err(CommandError::of)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .on_thread_start(slices::short)
        .enable_all()
        .build()
        .map_err(CommandError::of)?;
    let done = runtime.block_on(serve(config, inherited, exporter, out));
    // Reads of the disk that nobody waits for any more do not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}

async fn serve(
    config: &Config,
    inherited: Inherited,
    exporter: Exporter,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let began = clock::stopwatch();
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::of)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::of)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(CommandError::of)?;
    tokio::spawn(exporter.clone().upkeep());
    let starting = tokio::spawn(supervisor::beat_at_start());
    let server = Server::start(config, Arc::new(exporter), inherited).await.map_err(CommandError::of)?;
    starting.abort();
    supervisor::tell("READY=1");
    let say = |out: &mut dyn Write, line: String| writeln!(out, "{line}").and_then(|()| out.flush());
    let data_dir = config.sections.server.data_dir.display();
    // Whoever read the first server's words need not be there any more when the supervisor starts another one.
    let _ = say(out, format!("operators: http://{}", server.operators_address));
    let _ = say(out, format!("data directory: {data_dir}"));
    let _ = say(out, format!("offhook is serving agents and customers on {}://{}", server.scheme(), server.address));
    tracing::info!(seconds = began.seconds(), "ready");
    tokio::spawn(server.beat());
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => server.reload(),
            why = server.must_end() => {
                tracing::error!(error = %why, "this node ends");
                server.stop().await;
                return Err(CommandError::of(why));
            }
        }
    }
    tracing::info!("stopping in order");
    server.stop().await;
    Ok(())
}

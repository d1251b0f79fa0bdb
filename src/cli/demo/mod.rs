//! `offhook demo`: a server with a day's bustle on it, to look at and to join.

mod agent;
mod cast;
mod customer;
mod screen;
mod told;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{CommandError, apply, wall_s};
use crate::client::{Address, Call, Client, random_id};
use crate::clock;
use crate::config::Config;
use crate::gateway::auth::agent_token::{self, AgentClaims, Role};
use crate::gateway::auth::first_key::LOCAL_KID;
use crate::gateway::auth::keys::{Algorithm, SigningKey, read_key_file};
use crate::server::Server;
use crate::supervisor::Inherited;
use crate::telemetry::exporter::Exporter;
use screen::Screen;
use told::Teller;

const WORKSPACE: &str = include_str!("workspace.toml");
const DRAW_EVERY: Duration = Duration::from_millis(400);

/// Starts a server on this machine, in a directory of its own, with simulated agents and customers, and shows it live.
///
/// The players are ordinary clients of the agents' WebSocket and the messenger: they accept, reject, miss offers, drop
/// their connection and come back. What to type to join them is printed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook demo
  offhook demo --plain --seconds 20
  offhook demo --agents 8 --customers 20 --data-dir /tmp/desk --set server.listen=127.0.0.1:7788

Ctrl-C ends it; a directory that it made itself is removed then.")]
pub struct Demo {
    /// Where the server keeps its data; without it, a new directory that is removed at the end.
    #[arg(long, value_name = "PATH")]
    data_dir: Option<PathBuf>,
    /// How many agents play.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(0..=8))]
    agents: u8,
    /// How many customers play at once.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(0..=50))]
    customers: u8,
    /// One line for each thing that happens, instead of a screen; so it is also where there is no terminal.
    #[arg(long)]
    plain: bool,
    /// Ends by itself after so long.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
}

/// A data directory that goes with the demo.
struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("offhook: {} is left behind: {error}", self.0.display());
        }
    }
}

impl Demo {
    pub(super) fn run(&self, file: Option<&Path>, set: &[String], out: &mut impl Write) -> Result<(), CommandError> {
        let made = match self.data_dir {
            Some(_) => None,
            None => Some(Made(std::env::temp_dir().join(format!("offhook-demo-{}", &random_id()[..12])))),
        };
        let dir = self.data_dir.clone().or_else(|| made.as_ref().map(|made| made.0.clone())).unwrap_or_default();
        std::fs::create_dir_all(&dir).map_err(|error| CommandError(format!("{}: {error}", dir.display())))?;
        let config = config(file, &dir, set)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::of)?;
        let done = runtime.block_on(self.show(&config, &dir, out));
        runtime.shutdown_timeout(Duration::from_secs(1));
        drop(made);
        done
    }

    async fn show(&self, config: &Config, dir: &Path, out: &mut impl Write) -> Result<(), CommandError> {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::of)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::of)?;
        let exporter = Arc::new(Exporter::install().map_err(CommandError::of)?);
        let server = Server::start(config, exporter, Inherited::default()).await.map_err(CommandError::of)?;
        let address = Address::of(server.address);
        let key = std::fs::read_to_string(dir.join("admin.key")).map_err(CommandError::of)?.trim().to_owned();
        apply::make(address.clone(), &key, WORKSPACE).await?;
        let (teller, mut told) = Teller::new();
        let mut players = self.players(&address, dir, &teller)?;
        drop(teller);

        let join = join(&address, dir)?;
        let mut screen = Screen::new(self.plain);
        let opening = if screen.is_plain() {
            format!("{join}\ntoken: {}\n", token(dir, "you", "You", Role::Agent)?)
        } else {
            "\x1b[2J".to_owned()
        };
        write!(out, "{opening}").and_then(|()| out.flush()).map_err(CommandError::of)?;

        let begun = now();
        let end = begun + Duration::from_secs(self.seconds.unwrap_or(u64::from(u32::MAX)));
        let mut draw = tokio::time::interval(DRAW_EVERY);
        let mut client = Client::new(address);
        let mut shown = Ok(());
        while shown.is_ok() {
            tokio::select! {
                Some(told) = told.recv() => shown = screen.told(&told, (now() - begun).as_millis(), out),
                _ = draw.tick(), if !screen.is_plain() => {
                    let queues = live(&mut client, "queues", &key).await;
                    let agents = live(&mut client, "agents", &key).await;
                    shown = screen.draw(&join, &queues, &agents, out);
                }
                () = tokio::time::sleep_until(end) => break,
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
            }
        }
        players.shutdown().await;
        server.stop().await;
        // Whoever no longer listens (a closed pipe) has seen enough; that is no fault.
        let _ = writeln!(out, "\nin {} s: {}", (now() - begun).as_secs(), screen.sums);
        Ok(())
    }

    fn players(&self, address: &Address, dir: &Path, teller: &Teller) -> Result<JoinSet<()>, CommandError> {
        let mut players = JoinSet::new();
        for (name, title) in cast::AGENTS.iter().take(self.agents.into()) {
            let player = agent::Player {
                address: address.clone(),
                title: (*title).to_owned(),
                token: token(dir, name, title, Role::Agent)?,
                teller: teller.clone(),
            };
            players.spawn(player.play());
        }
        for _ in 0..self.customers {
            players.spawn(customer::Player { address: address.clone(), teller: teller.clone() }.play());
        }
        Ok(players)
    }
}

fn now() -> Instant {
    Instant::from_std(clock::instant())
}

/// The demo's own settings, and over them what the caller sets.
fn config(file: Option<&Path>, dir: &Path, set: &[String]) -> Result<Config, CommandError> {
    let own = [
        "server.listen=127.0.0.1:0".to_owned(),
        "server.operators_listen=127.0.0.1:0".to_owned(),
        format!("server.data_dir={}", dir.display()),
        // All visitors come from one address here.
        "messenger.starts_per_10_min=1000000".to_owned(),
        "messenger.sample_page=true".to_owned(),
    ];
    Config::load(file, &[&own, set].concat()).map_err(CommandError::of)
}

/// A token of the demo's own key, good for a day: longer than `--seconds` can be.
fn token(dir: &Path, agent: &str, title: &str, role: Role) -> Result<String, CommandError> {
    let key = read_key_file(&dir.join("agent.key")).map_err(CommandError::of)?;
    let key = SigningKey::read(Algorithm::Hs256, &key).map_err(CommandError::of)?;
    let now_s = wall_s();
    let claims = AgentClaims {
        agent: agent.to_owned(),
        workspace: "demo".to_owned(),
        role,
        name: Some(title.to_owned()),
        expires_at_s: now_s + 90_000,
        signin: None,
    };
    agent_token::mint(&claims, now_s, LOCAL_KID, &key).map_err(CommandError::of)
}

async fn live(client: &mut Client, what: &str, key: &str) -> Value {
    let page = format!("/v1/workspaces/demo/live/{what}?limit=20");
    client.ask_once(&Call::read(page, key)).await.map_or(Value::Null, |answered| answered.body)
}

/// The addresses of an agent and a supervisor have a token behind their `#`, which no browser sends anywhere before a button is pressed.
fn join(address: &Address, dir: &Path) -> Result<String, CommandError> {
    let you = token(dir, "you", "You", Role::Agent)?;
    let lead = token(dir, "lead", "Team lead", Role::Supervisor)?;
    let (server, dir) = (address.authority(), dir.display());
    Ok(format!(
        "Join in, in a browser. As a customer: http://{server}/messenger/demo
As an agent: http://{server}/signin/demo/token#{you}
As a supervisor: http://{server}/signin/demo/token?to=/wallboard/demo#{lead}
By hand, as an agent:
  npx wscat -c ws://{server}/v1/agent -s offhook.agent.v1 \\
    -s offhook.token.$(offhook token --agent you --workspace demo --set server.data_dir={dir})
By hand, as a customer:
  curl http://{server}/v1/messenger/demo/conversations -H 'Content-Type: application/json' \\
    -H \"Idempotency-Key: $(uuidgen)\" -d '{{\"text\": \"Hello!\"}}'"
    ))
}

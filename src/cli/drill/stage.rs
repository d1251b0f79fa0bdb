//! The server that the drill is played against: a child of its own, with its supervisor, on a directory of its own and under a
//! hard limit. Dropped, all of it is gone.

use super::super::{CommandError, Given};
use super::MIB;
use super::cap::Cap;
use crate::client::{Address, Call, Client, random_id};
use crate::gateway::auth::agent_token::{self, AgentClaims, Role};
use crate::gateway::auth::first_key::LOCAL_KID;
use crate::gateway::auth::keys::{Algorithm, SigningKey, read_key_file};
use crate::overload::budget;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

const PUBLIC_LINE: &str = "offhook is serving agents and customers on http://";
const OPERATORS_LINE: &str = "operators: http://";
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// Longer than the server's own drain.
const STOPS_WITHIN: Duration = Duration::from_secs(15);
const GONE_WITHIN: u32 = 250;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A drill is over long before.
const TOKEN_S: i64 = 90_000;

/// Everybody here comes from one machine, and few play many: so what limits one sender or one address is lifted, and nothing else.
const SETTINGS: [&str; 13] = [
    "messenger.starts_per_10_min=1000000",
    "messenger.visitor_messages_per_s=10000",
    "messenger.visitor_burst=100000",
    "messenger.address_messages_per_s=1000000",
    "messenger.address_burst=10000000",
    "messenger.workspace_messages_per_s=1000000",
    "messenger.workspace_burst=10000000",
    "sessions.connects_per_min=1000000",
    "server.handshakes_per_address_max=65536",
    "identity.api_key_requests_per_s=100000",
    // Of the server that is started, whatever the caller's own settings are for.
    "server.listen=127.0.0.1:0",
    "server.operators_listen=127.0.0.1:0",
    "server.stop_grace_ms=10000",
];

/// A data directory that goes with the drill.
#[derive(Debug)]
struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("offhook: {} is left behind: {error}", self.0.display());
        }
    }
}

pub(super) struct Stage {
    /// The supervisor; first in order, so that all else outlives it.
    child: Child,
    pub address: Address,
    pub operators: Address,
    pub key: String,
    /// Nothing where none could be made: then the budget is set instead.
    pub cap: Option<Cap>,
    signing: SigningKey,
    made: Made,
}

impl Stage {
    /// Starts the server, from the thread on which the command runs: it is killed when that one ends.
    pub async fn build(cap_mib: u64, given: &Given) -> Result<Self, CommandError> {
        let made = Made(std::env::temp_dir().join(format!("offhook-drill-{}", &random_id()[..12])));
        fs::create_dir_all(made.0.join("data")).map_err(CommandError::of)?;
        let cap_bytes = cap_mib * MIB;
        let cap = Cap::make(Path::new("/"), cap_bytes);
        let mut child = tokio::process::Command::from(command(&made.0, cap.as_ref(), cap_bytes, given)?)
            .kill_on_drop(true)
            .spawn()
            .map_err(CommandError::of)?;
        let addresses = tokio::time::timeout(STARTS_WITHIN, addresses(&mut child)).await;
        let Ok(Some((address, operators))) = addresses else {
            // The guards end what was begun.
            let said = log_tail(&made.0);
            let _ = child.kill().await;
            return Err(CommandError(format!("the server did not start:\n{said}")));
        };
        let data = made.0.join("data");
        let key = fs::read_to_string(data.join("admin.key")).map_err(CommandError::of)?.trim().to_owned();
        let bytes = read_key_file(&data.join("agent.key")).map_err(CommandError::of)?;
        let signing = SigningKey::read(Algorithm::Hs256, &bytes).map_err(CommandError::of)?;
        Ok(Self { child, address, operators, key, cap, signing, made })
    }

    pub fn data_dir(&self) -> PathBuf {
        self.made.0.join("data")
    }

    /// Where the drill may put a file.
    pub fn directory(&self) -> &Path {
        &self.made.0
    }

    /// The supervisor's process.
    pub fn supervisor(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// The server's own process, as it says in its data directory; it may be gone.
    pub fn server(&self) -> Option<i32> {
        fs::read_to_string(self.data_dir().join("lock")).ok()?.trim().parse().ok()
    }

    /// `kill -9` of the server, and not of its supervisor.
    pub fn kill_server(&self) -> Result<i32, CommandError> {
        let none = || CommandError("the server's process number is not in its data directory".to_owned());
        let number = self.server().ok_or_else(none)?;
        let pid = Pid::from_raw(number).ok_or_else(none)?;
        kill_process(pid, Signal::KILL).map_err(|error| CommandError(format!("kill -9 {number}: {error}")))?;
        Ok(number)
    }

    pub fn token(&self, agent: &str) -> Result<String, CommandError> {
        let now_s = super::super::wall_s();
        let claims = AgentClaims {
            agent: agent.to_owned(),
            workspace: "demo".to_owned(),
            role: Role::Agent,
            name: None,
            expires_at_s: now_s + TOKEN_S,
            signin: None,
        };
        agent_token::mint(&claims, now_s, LOCAL_KID, &self.signing).map_err(CommandError::of)
    }

    /// What the supervisor knows, as the status page tells it.
    pub async fn facts(&self) -> Value {
        let asked = Client::new(self.operators.clone()).ask(&Call::anonymous("/status")).await;
        asked.map_or(Value::Null, |answered| answered.body["supervisor"].clone())
    }

    /// In order, as an operator would.
    pub async fn stop(&mut self) -> bool {
        let supervisor = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = supervisor {
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = tokio::time::timeout(STOPS_WITHIN, self.child.wait()).await;
        ended.is_ok_and(|status| status.is_ok_and(|status| status.success()))
    }

    pub fn log_tail(&self) -> String {
        log_tail(&self.made.0)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let server = self.server();
        // Its server goes with it. What has ended already is not killed twice.
        let _ = self.child.start_kill();
        for _ in 0..GONE_WITHIN {
            let is_reaped = !matches!(self.child.try_wait(), Ok(None));
            let is_gone = server.is_none_or(|pid| !Path::new(&format!("/proc/{pid}")).exists());
            if is_reaped && is_gone {
                break;
            }
            // Nobody can wait for a process that is not its child: it is looked at.
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

fn command(dir: &Path, cap: Option<&Cap>, cap_bytes: u64, given: &Given) -> Result<Command, CommandError> {
    let mut command = Command::new(std::env::current_exe().map_err(CommandError::of)?);
    for setting in SETTINGS {
        command.args(["--set", setting]);
    }
    command.args(given.arguments());
    command.arg("--set").arg(format!("server.data_dir={}", dir.join("data").display()));
    if cap.is_none() {
        command.arg("--set").arg(format!("memory.budget_bytes={}", budget::below(cap_bytes)));
    }
    let log = fs::File::create(dir.join("log")).map_err(CommandError::of)?;
    // In a group of its own: a terminal's Ctrl-C is for the drill, which ends it.
    command.arg("serve").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).process_group(0);
    let door = cap.map(Cap::door).transpose().map_err(CommandError::of)?;
    let before = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if let Some(mut door) = door.as_ref() {
            door.write_all(b"0")?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec two calls into the kernel, on a descriptor that is open; nothing is allocated, no lock is taken.
    unsafe { command.pre_exec(before) };
    Ok(command)
}

/// Public and operators', once it says where it serves; what it says later is read and dropped, so that it never blocks.
async fn addresses(child: &mut Child) -> Option<(Address, Address)> {
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    let mut operators = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(at) = line.strip_prefix(OPERATORS_LINE) {
            operators = Address::parse(at).ok();
        }
        if let Some(at) = line.strip_prefix(PUBLIC_LINE) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some((Address::parse(at).ok()?, operators?));
        }
    }
    None
}

fn log_tail(dir: &Path) -> String {
    let text = fs::read_to_string(dir.join("log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

//! The server as a child process on a data directory of its own: started, killed, started again, stopped in order.

use super::cgroup::Cgroup;
use super::http::{Http, Response};
use super::{PATIENCE, as_cluster, command_id, now_s, process};
use offhook::gateway::auth::agent_token::{self, AgentClaims, Role};
use offhook::gateway::auth::first_key::LOCAL_KID;
use offhook::gateway::auth::keys::{Algorithm, SigningKey, read_key_file};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PUBLIC_LINE: &str = "offhook is serving agents and customers on ";
const OPERATORS_LINE: &str = "operators: http://";

/// What a server is started with, besides free ports and its data directory.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `section.key=value`
    pub settings: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// The most files that it may have open.
    pub descriptors: Option<u64>,
    /// A data directory that exists; otherwise an empty one is made, and removed with the server.
    pub data_dir: Option<PathBuf>,
    /// The memory cgroup that it runs in; otherwise that of the test.
    pub cgroup: Option<Arc<Cgroup>>,
    /// Its log goes into this, instead of a file.
    pub log: Option<Arc<std::io::PipeWriter>>,
    /// As users have it: with the supervisor, whose process is then the one that is started, stopped and killed.
    pub supervised: bool,
}

impl Options {
    pub fn supervised() -> Self {
        Self { supervised: true, ..Self::default() }
    }

    pub fn set(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Rates and burst limits far above what a load sends: what is measured then is the server and not its politeness.
    pub fn without_rate_limits(self) -> Self {
        self.set("messenger.starts_per_10_min=1000000")
            .set("messenger.visitor_messages_per_s=10000")
            .set("messenger.visitor_burst=100000")
            .set("messenger.address_messages_per_s=1000000")
            .set("messenger.address_burst=10000000")
            .set("messenger.workspace_messages_per_s=1000000")
            .set("messenger.workspace_burst=10000000")
            .set("messenger.streams_per_address_max=10000000")
            .set("sessions.commands_per_s=100000")
            .set("sessions.commands_burst=1000000")
            .set("sessions.program_commands_per_s=100000")
            .set("sessions.program_commands_burst=1000000")
            .set("sessions.connects_per_min=1000000")
            .set("identity.api_key_requests_per_s=1000000")
    }

    /// And no time is lost between tries.
    pub fn with_webhooks_to_this_machine(self) -> Self {
        self.set("webhooks.private_addresses=true")
            .set("webhooks.plain_http=true")
            .set("webhooks.retry_first_ms=50")
            .set("webhooks.retry_most_ms=200")
    }
}

/// A running server. Dropped, it is killed.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub operators: SocketAddr,
    options: Options,
    data_dir: PathBuf,
    /// From the start of the process to the line that says where it serves.
    pub started_in: Duration,
    /// Removes the directory at the end.
    _directory: Option<tempfile::TempDir>,
}

impl Server {
    pub fn start(options: &Options) -> Self {
        Self::try_start(options).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same; what it said, if it did not start.
    pub fn try_start(options: &Options) -> Result<Self, String> {
        let directory = options.data_dir.is_none().then(|| tempfile::tempdir().expect("a directory can be made"));
        let data_dir = match (&options.data_dir, &directory) {
            (Some(given), _) => given.clone(),
            (None, made) => made.as_ref().expect("made just now").path().join("data"),
        };
        fs::create_dir_all(&data_dir).expect("the data directory can be made");
        let spawned = Spawned::try_new(&data_dir, options)?;
        Ok(Self {
            child: spawned.child,
            address: spawned.address,
            operators: spawned.operators,
            options: options.clone(),
            data_dir,
            started_in: spawned.started_in,
            _directory: directory,
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The server's own process, which is not `pid` where it is supervised: as it says in the data directory. It may be gone.
    pub fn server_pid(&self) -> Option<i32> {
        server_pid_in(&self.data_dir)
    }

    /// `kill -9` of the server's own process, which its supervisor reaps.
    pub fn kill_the_child(&self) {
        let pid = self.server_pid().expect("a server runs");
        // SAFETY: a signal to the child of a supervisor of ours.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }

    /// `kill -9`, and reaped.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: a signal to a child of ours that is not reaped yet, so that the id is still its own.
        unsafe { libc::kill(pid, signal) };
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(libc::SIGTERM);
        self.ended()
    }

    /// Asks it to read keys and certificates again (SIGHUP).
    pub fn hang_up(&self) {
        self.signal(libc::SIGHUP);
    }

    /// Starts it again on the same data, on new ports. It must have ended.
    pub fn start_again(&mut self) {
        if let Err(why) = self.try_start_again() {
            panic!("{why}");
        }
    }

    /// The same, with other settings from now on.
    pub fn start_again_with(&mut self, options: Options) {
        self.options = options;
        self.start_again();
    }

    /// The same; what it said, if it did not start.
    pub fn try_start_again(&mut self) -> Result<(), String> {
        let spawned = Spawned::try_new(&self.data_dir, &self.options)?;
        self.child = spawned.child;
        self.address = spawned.address;
        self.operators = spawned.operators;
        self.started_in = spawned.started_in;
        Ok(())
    }

    /// Waits until it ends by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let limit = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(Instant::now() < limit, "the server did not end\n{}", self.log_tail());
            // A wait with a limit is not to be had for a child: it is looked at.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The last lines of its log, for failures.
    pub fn log_tail(&self) -> String {
        tail(&log_path(&self.data_dir))
    }

    /// The admin key of the first start.
    pub fn admin_key(&self) -> String {
        let key = fs::read_to_string(self.data_dir.join("admin.key")).expect("the first start made a key");
        key.trim().to_owned()
    }

    /// A token for an agent, good for an hour.
    pub fn agent_token(&self, workspace: &str, agent: &str, role: Role) -> String {
        self.tokens().of(workspace, agent, role)
    }

    /// What signs many tokens without reading the key again.
    pub fn tokens(&self) -> Tokens {
        let bytes = read_key_file(&self.data_dir.join("agent.key")).expect("the first start made a key");
        Tokens(SigningKey::read(Algorithm::Hs256, &bytes).expect("a key"))
    }

    /// A call of the admin API with the key of the first start.
    pub async fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let mut http = Http::connect(self.address).await.expect("the server listens");
        let body = body.map(Value::to_string).unwrap_or_default();
        let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", self.admin_key(), command_id());
        http.ask(method, path, &headers, body.as_bytes()).await.expect("an answer")
    }

    /// Makes a workspace and gives back its settings.
    pub async fn workspace(&self, name: &str) -> Value {
        let made = self.admin("PUT", &format!("/v1/workspaces/{name}"), None).await;
        assert!(made.is_success(), "PUT /v1/workspaces/{name}: {made:?}\n{}", self.log_tail());
        let settings = self.admin("GET", &format!("/v1/workspaces/{name}/settings"), None).await;
        assert!(settings.is_success(), "settings of {name}: {settings:?}");
        settings.json()
    }

    /// Changes a workspace's settings: those that `change` writes into the JSON.
    pub async fn change_settings(&self, workspace: &str, change: impl FnOnce(&mut Value)) {
        let mut settings = self.workspace(workspace).await;
        change(&mut settings);
        let put = self.admin("PUT", &format!("/v1/workspaces/{workspace}/settings"), Some(&settings)).await;
        assert!(put.is_success(), "PUT settings: {put:?}");
    }

    /// A page of the operators' port.
    pub async fn operators_page(&self, path: &str) -> Response {
        let mut http = Http::connect(self.operators).await.expect("the operators' port listens");
        http.ask("GET", path, "", b"").await.expect("an answer")
    }

    /// The value of one series of `/metrics`, written as it is there: `name` or `name{label="value"}`. 0 when it is not there.
    pub async fn metric(&self, series: &str) -> f64 {
        let page = self.operators_page("/metrics").await;
        let value = page.text().lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0.0)
    }

    pub fn rss_anon_bytes(&self) -> u64 {
        process::rss_anon_bytes(self.pid())
    }

    pub fn cpu_ms(&self) -> u64 {
        process::cpu_ms(self.pid())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Signs agents' tokens.
pub struct Tokens(SigningKey);

impl Tokens {
    /// Good for a day.
    pub fn of(&self, workspace: &str, agent: &str, role: Role) -> String {
        self.minted(workspace, agent, role, None, now_s() + 86_400)
    }

    /// Good until then (Unix seconds).
    pub fn until(&self, workspace: &str, agent: &str, expires_at_s: i64) -> String {
        self.minted(workspace, agent, Role::Agent, None, expires_at_s)
    }

    /// Of somebody who is called like this.
    pub fn named(&self, workspace: &str, agent: &str, title: &str) -> String {
        self.minted(workspace, agent, Role::Agent, Some(title.to_owned()), now_s() + 86_400)
    }

    fn minted(&self, workspace: &str, agent: &str, role: Role, name: Option<String>, expires_at_s: i64) -> String {
        let (agent, workspace) = (agent.to_owned(), workspace.to_owned());
        let claims = AgentClaims { agent, workspace, role, name, expires_at_s, signin: None };
        agent_token::mint(&claims, now_s(), LOCAL_KID, &self.0).expect("a token can be signed")
    }
}

struct Spawned {
    child: Child,
    address: SocketAddr,
    operators: SocketAddr,
    started_in: Duration,
}

impl Spawned {
    fn try_new(data_dir: &Path, options: &Options) -> Result<Self, String> {
        let log = log_path(data_dir);
        let log = File::options().create(true).append(true).open(log).expect("the log can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
        command.args(["--set", "server.listen=127.0.0.1:0", "--set", "server.operators_listen=127.0.0.1:0"]);
        command.arg("--set").arg(format!("server.data_dir={}", data_dir.display()));
        // What a test counts on its disk and in its journal are its own commands; tests of health put the probe on again.
        command.args(["--set", "health.probe_every_ms=0"]);
        for setting in as_cluster::settings(data_dir).iter().chain(&options.settings) {
            command.args(["--set", setting]);
        }
        command.envs(options.environment.iter().cloned());
        if let Some(cgroup) = &options.cgroup {
            cgroup.hold(&mut command);
        }
        if let Some(most) = options.descriptors {
            let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
            let lower = move || match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            };
            // SAFETY: between fork and exec, one call into the kernel and no allocation.
            unsafe { command.pre_exec(lower) };
        }
        command.arg("serve");
        if !options.supervised {
            command.arg("--no-supervisor");
        }
        let log = match &options.log {
            Some(pipe) => Stdio::from(pipe.try_clone().expect("a descriptor is free")),
            None => Stdio::from(log),
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let began = Instant::now();
        let mut child = command.spawn().expect("the server can be started");
        let lines = lines_of(&mut child);
        let (mut address, mut operators) = (None, None);
        while address.is_none() || operators.is_none() {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    address = address.or_else(|| address_in(&line, PUBLIC_LINE));
                    operators = operators.or_else(|| address_in(&line, OPERATORS_LINE));
                }
                Err(_) => {
                    let _ = child.kill();
                    let status = child.wait();
                    return Err(format!("the server did not start ({status:?})\n{}", tail(&log_path(data_dir))));
                }
            }
        }
        let (address, operators) = (address.expect("looped until"), operators.expect("looped until"));
        Ok(Self { child, address, operators, started_in: began.elapsed() })
    }
}

/// Of the server whose data directory this is: it may be gone.
pub fn server_pid_in(data_dir: &Path) -> Option<i32> {
    fs::read_to_string(data_dir.join("lock")).ok()?.trim().parse().ok()
}

/// Its standard output, line by line; read to the end, so that it never blocks on a full pipe.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take().expect("piped");
    let (line, lines) = channel();
    std::thread::spawn(move || {
        for text in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = line.send(text);
        }
    });
    lines
}

fn address_in(line: &str, before: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(before)?;
    let rest = rest.trim_start_matches("https://").trim_start_matches("http://");
    rest.split(|c: char| c.is_whitespace() || c == '/').next()?.parse().ok()
}

/// Beside the data directory, not in it.
fn log_path(data_dir: &Path) -> PathBuf {
    data_dir.with_extension("log")
}

fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

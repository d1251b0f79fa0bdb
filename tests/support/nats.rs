//! Servers of NATS, processes of ours: started, stopped and continued.

use super::http::Http;
use super::process;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process of a server. Dropped, it is killed.
pub struct NatsProcess(Child);

/// The program: where tests/run unpacks it, since the one of the system may be too old.
fn program() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the directory of all that is built");
    let program = target.join("tools/usr/sbin/nats-server");
    assert!(program.is_file(), "there is no {}: run `bash tests/run tools` first, which fetches it", program.display());
    program
}

impl NatsProcess {
    /// By `nats.conf` in this directory; what it says goes into `nats.log` there.
    pub fn start(dir: &Path) -> Self {
        let log = fs::File::options().create(true).append(true).open(dir.join("nats.log")).expect("a file");
        let mut command = Command::new(program());
        command.arg("-c").arg(dir.join("nats.conf")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self(command.spawn().expect("nats-server starts"))
    }

    /// Stands still, as a process does whose machine is overloaded: what is sent to it waits.
    pub fn freeze(&self) {
        process::freeze(self.0.id() as i32);
    }

    pub fn thaw(&self) {
        process::thaw(self.0.id() as i32);
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) {
        process::terminate(self.0.id() as i32);
        self.0.wait().expect("a child can be waited for");
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child can be waited for").is_some()
    }
}

impl Drop for NatsProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A page of a server's monitoring, where it answers.
pub async fn page(monitor: &str, path: &str) -> Option<Value> {
    let address = monitor.strip_prefix("http://")?.parse().ok()?;
    let answer = Http::connect(address).await.ok()?.ask("GET", path, "", b"").await.ok()?;
    (answer.status == 200).then(|| answer.json())
}

/// One by itself.
pub struct Nats {
    process: NatsProcess,
    pub address: String,
    pub monitor: String,
    dir: tempfile::TempDir,
}

impl Nats {
    /// With more settings of its jetstream block.
    pub async fn alone(more: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let here = dir.path().display();
        let text = format!(
            "server_name: alone\nlisten: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{here}\"\n\
             jetstream {{ store_dir: \"{here}/store\", {more} }}\n"
        );
        fs::write(dir.path().join("nats.conf"), text).expect("a file");
        let process = NatsProcess::start(dir.path());
        let mut nats = Self { process, address: String::new(), monitor: String::new(), dir };
        for _ in 0..1_200 {
            if nats.is_up().await {
                return nats;
            }
            // A process of others that is starting tells nobody.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = fs::read_to_string(nats.dir.path().join("nats.log")).unwrap_or_default();
        panic!("nats-server did not come up: {log}");
    }

    /// Whether it has said where it listens, and says that it is well.
    async fn is_up(&mut self) -> bool {
        let ports = self.dir.path().join(format!("nats-server_{}.ports", self.process.0.id()));
        let ports: Option<Value> = fs::read(ports).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let Some(ports) = ports else { return false };
        let of = |what: &str| ports[what][0].as_str().unwrap_or_default().to_owned();
        (self.address, self.monitor) = (of("nats"), of("monitoring"));
        page(&self.monitor, "/healthz").await.is_some()
    }

    /// Whether these bytes are in any file that the server keeps.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let mut folders = vec![self.dir.path().join("store")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if fs::read(path).is_ok_and(|held| held.windows(bytes.len()).any(|part| part == bytes)) {
                    return true;
                }
            }
        }
        false
    }

    /// Stands still, as a process does whose machine is overloaded: what is sent to it waits.
    pub fn freeze(&self) {
        self.process.freeze();
    }

    pub fn thaw(&self) {
        self.process.thaw();
    }
}

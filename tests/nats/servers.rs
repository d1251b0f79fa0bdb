//! A server of NATS, a process of ours: started, stopped and continued.

use crate::support::http::Http;
use crate::support::process;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Nats {
    child: Child,
    pub address: String,
    pub monitor: String,
    dir: tempfile::TempDir,
}

/// The program: where tests/run unpacks it, since the one of the system may be too old.
fn program() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the directory of all that is built");
    let program = target.join("tools/usr/sbin/nats-server");
    assert!(program.is_file(), "there is no {}: run `bash tests/run tools` first, which fetches it", program.display());
    program
}

impl Nats {
    /// One by itself, with more settings of its jetstream block.
    pub async fn alone(more: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let here = dir.path().display();
        let text = format!(
            "server_name: alone\nlisten: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{here}\"\n\
             jetstream {{ store_dir: \"{here}/store\", {more} }}\n"
        );
        let config = dir.path().join("nats.conf");
        fs::write(&config, text).expect("a file");
        let log = fs::File::create(dir.path().join("nats.log")).expect("a file");
        let mut command = Command::new(program());
        command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("nats-server starts");
        let mut nats = Self { child, address: String::new(), monitor: String::new(), dir };
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
        let ports = self.dir.path().join(format!("nats-server_{}.ports", self.child.id()));
        let ports: Option<Value> = fs::read(ports).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let Some(ports) = ports else { return false };
        let of = |what: &str| ports[what][0].as_str().unwrap_or_default().to_owned();
        (self.address, self.monitor) = (of("nats"), of("monitoring"));
        let Some(monitor) = self.monitor.strip_prefix("http://").and_then(|address| address.parse().ok()) else {
            return false;
        };
        let Ok(mut http) = Http::connect(monitor).await else { return false };
        http.ask("GET", "/healthz", "", b"").await.is_ok_and(|answer| answer.status == 200)
    }

    /// Stands still, as a process does whose machine is overloaded: what is sent to it waits.
    pub fn freeze(&self) {
        process::freeze(self.child.id() as i32);
    }

    pub fn thaw(&self) {
        process::thaw(self.child.id() as i32);
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

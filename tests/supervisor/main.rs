//! The supervisor, from outside: servers that are killed, hang, do not start; binaries that are no good; and throughout, a client that comes
//! new hears something within two seconds.

#[path = "../support/mod.rs"]
mod support;

mod first_byte;
mod kills;
mod protocol;
mod upgrade;

use serde_json::Value;
use support::scene::eventually;
use support::{Http, Server, alone};

fn send(pid: i32, signal: i32) {
    // SAFETY: sends a signal to a process that a test started.
    unsafe { libc::kill(pid, signal) };
}

/// `/status`, by whoever answers it. A server that is killed answers nobody any more: then it is asked again.
async fn status(server: &Server) -> Value {
    loop {
        let mut http = Http::connect(server.operators).await.expect("the operators' port listens");
        if let Ok(answer) = http.ask("GET", "/status", "", b"").await {
            return answer.json();
        }
    }
}

/// Waits until the server itself answers, and is another process than `before`; gives its number.
async fn back(server: &Server, before: i32) -> i32 {
    let ask = async || {
        let answered = status(server).await;
        let pid = server.server_pid().unwrap_or(before);
        (answered["answered_by"] == "server" && pid != before).then_some(pid)
    };
    eventually("another server", ask, Option::is_some).await.expect("it was there")
}

fn restarts(status: &Value, cause: &str) -> u64 {
    status["supervisor"]["restarts"][cause].as_u64().expect("a count")
}

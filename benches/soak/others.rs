//! The others of the soak: supervisors who watch for a while, whoever asks the admin API, and strangers who are refused.

use crate::dice::{below, one_in};
use crate::floor::Floor;
use crate::load::come::{Come, Road, come};
use crate::load::desk::WORKSPACE;
use crate::load::support::http::Http;
use crate::load::support::socket::{Heard, Socket};
use crate::load::support::{Server, command_id};
use crate::tally::{Tally, add};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Comes, watches queues and agents, looks at what waits, and goes; again and again.
pub async fn supervise(floor: Rc<Floor>, number: u32) {
    while floor.going.get() {
        let token = floor.tokens.of(WORKSPACE, &format!("boss{number}"), Role::Supervisor);
        let from = "127.0.1.100:0".parse().expect("an address");
        let road = Road { server: floor.server, from, tls: None };
        let mut socket = match come(&road, &token, None).await {
            Come::Welcomed(socket, _) => socket,
            Come::Later(wait) => {
                tokio::time::sleep(wait).await;
                continue;
            }
            Come::Nobody => {
                floor.tally.error("a supervisor was not welcomed");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        ask(&socket, json!({"type": "watch", "what": "queues"})).await;
        ask(&socket, json!({"type": "watch", "what": "agents", "limit": 200})).await;
        ask(&socket, json!({"type": "waiting", "queue": "support"})).await;
        let watched = Duration::from_millis(10_000 + u64::from(below(20_000)));
        let heard = tokio::time::timeout(watched, async {
            loop {
                match socket.next().await {
                    Heard::Text(_) => {}
                    other => return other,
                }
            }
        });
        if let Ok(other) = heard.await {
            floor.tally.lost(&format!("boss{number} heard {other:?}"));
            continue;
        }
        ask(&socket, json!({"type": "unwatch", "what": "agents"})).await;
        if one_in(2) {
            ask(&socket, json!({"type": "sign_out"})).await;
            while let Heard::Text(_) = socket.next().await {}
        }
    }
}

async fn ask(socket: &Socket, mut frame: Value) {
    frame["id"] = command_id().into();
    // A connection that broke is heard of by its reader.
    let _ = socket.writer.text(&frame.to_string()).await;
}

/// What programs of the workspace's own ask now and then, and a key that is made and removed.
pub async fn administrate(server: &Server, tally: &Tally) {
    let of = |path: &str| format!("/v1/workspaces/{WORKSPACE}/{path}");
    let mut paths: Vec<String> =
        ["settings", "queues", "agents?limit=200", "keys", "live/agents?limit=200", "live/queues"]
            .iter()
            .chain(&["conversations?text=times&limit=20", "conversations?state=active", "agents/agent1/why"])
            .map(|path| of(path))
            .collect();
    let page = server.admin("GET", &of("conversations?limit=50"), None).await;
    if page.status == 200 {
        let some = page.json()["conversations"][below(20) as usize]["conversation"].clone();
        let some = some.as_str().unwrap_or_default().to_owned();
        let parts = ["", "/messages", "/events?limit=200", "/notes", "/why"];
        paths.extend(parts.iter().filter(|_| !some.is_empty()).map(|part| of(&format!("conversations/{some}{part}"))));
    }
    for path in paths {
        let answer = server.admin("GET", &path, None).await;
        add(&tally.reads);
        match answer.status {
            200 => {}
            // Nobody is asked who could take what is closed by now.
            409 if path.ends_with("/why") => {}
            // Told to come again: the view is behind, or people's reads stand in line.
            429 | 503 => add(&tally.told_to_wait),
            status => tally.error(&format!("GET {path}: {status} {}", answer.text())),
        }
    }
    let made = server.admin("POST", &of("keys"), Some(&json!({"name": "soak", "scopes": ["read"]}))).await;
    if made.status == 201 {
        let id = made.json()["id"].as_str().unwrap_or_default().to_owned();
        let removed = server.admin("DELETE", &of(&format!("keys/{id}")), None).await;
        if !removed.is_success() {
            tally.error(&format!("DELETE of a key: {}", removed.text()));
        }
    }
    for path in ["/healthz", "/readyz", "/status.json"] {
        let page = server.operators_page(path).await;
        if page.status != 200 {
            tally.error(&format!("{path}: {} {}", page.status, page.text()));
        }
    }
}

/// Those who are refused, each for another reason.
pub async fn strangers(floor: Rc<Floor>) {
    let tally = &floor.tally;
    match Socket::connect(floor.server, &["offhook.token.not.a.token"]).await {
        Ok(Ok(mut socket)) => match socket.next().await {
            Heard::Close { code: 4001, .. } => add(&tally.refused),
            other => tally.error(&format!("a bad token heard {other:?}")),
        },
        // Before its token was looked at.
        Ok(Err(refused)) if refused.status == 503 => add(&tally.told_to_wait),
        other => tally.error(&format!("a bad token was not told so: {:?}", other.map(|heard| heard.err()))),
    }
    let start = format!("/v1/messenger/{WORKSPACE}/conversations");
    let of_nobody = format!("{start}/c1");
    let (id, again) = (command_id(), command_id());
    let key = |id: &str| format!("Idempotency-Key: {id}\r\n");
    let with = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    let mut waited = false;
    for (method, path, headers, body, status) in [
        ("GET", "/v1/nothing", String::new(), "", 404),
        ("POST", start.as_str(), key(&id), "no JSON", 400),
        ("POST", start.as_str(), String::new(), "{}", 400),
        ("POST", start.as_str(), key(&command_id()), large.as_str(), 413),
        ("POST", start.as_str(), key(&again), "{\"text\":\"one\"}", 201),
        ("POST", start.as_str(), key(&again), "{\"text\":\"two\"}", 409),
        ("GET", of_nobody.as_str(), with("ohv1.nobody"), "", 401),
        ("GET", "/v1/workspaces/bench/agents", with("ohk_nobody"), "", 401),
        ("GET", "/v1/agent", String::new(), "", 400),
    ] {
        let answer = async { Http::connect(floor.server).await?.ask(method, path, &headers, body.as_bytes()).await };
        match answer.await {
            Ok(answer) if answer.status == status => add(&tally.refused),
            Ok(answer) if answer.status == 503 => {
                add(&tally.told_to_wait);
                waited = true;
            }
            // Of what was put off nothing happened, so the same id is as good as new.
            Ok(answer) if waited && status == 409 && answer.status == 201 => {}
            Ok(answer) => tally.error(&format!("{method} {path}: {} for {status}: {}", answer.status, answer.text())),
            Err(error) => tally.error(&format!("{method} {path}: {error}")),
        }
    }
    // Who says nothing, or half of it, is closed by the server, or goes.
    let mut held = Vec::new();
    for said in [&b""[..], b"GET /v1/agent HTTP/1.1\r\nHost: "] {
        let Ok(mut stream) = TcpStream::connect(floor.server).await else { continue };
        let _ = stream.write_all(said).await;
        held.push(stream);
    }
    // As long as such a one stays.
    tokio::time::sleep(Duration::from_millis(u64::from(below(8_000)))).await;
}

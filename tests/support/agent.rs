//! An agent's client as a test wants it: JSON in, JSON out, and what was not asked for yet is kept.

use super::heard;
use super::server::Server;
use super::socket::{Heard, Socket};
use super::{command_id, within};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;

pub struct Agent {
    pub name: String,
    /// The first frame.
    pub welcome: Value,
    pub socket: Socket,
    /// Came while something else was waited for.
    kept: VecDeque<Value>,
    /// Is shown each frame after the welcome, in the order in which they come.
    pub watcher: Option<Watcher>,
}

pub type Watcher = Box<dyn FnMut(&Value) + Send>;

impl Agent {
    /// Connects and is welcomed.
    pub async fn connect(server: &Server, workspace: &str, name: &str) -> Self {
        Self::connect_as(server, workspace, name, Role::Agent).await
    }

    pub async fn connect_as(server: &Server, workspace: &str, name: &str, role: Role) -> Self {
        let token = server.agent_token(workspace, name, role);
        match Self::try_connect(server.address, name, &token, None).await {
            Ok(agent) => agent,
            Err(heard) => panic!("{name} was not welcomed: {heard:?}\n{}", server.log_tail()),
        }
    }

    /// The same by any token, and with the return ticket of an earlier welcome. Not welcomed: what was heard instead.
    pub async fn try_connect(
        address: SocketAddr,
        name: &str,
        token: &str,
        ticket: Option<&str>,
    ) -> Result<Self, Heard> {
        let mut protocols = vec![format!("offhook.token.{token}")];
        protocols.extend(ticket.map(|ticket| format!("offhook.ticket.{ticket}")));
        let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
        let connected = within("an upgrade", Socket::connect(address, &protocols)).await;
        let mut socket = match connected.map_err(|_| Heard::Gone)? {
            Ok(socket) => socket,
            Err(refused) => return Err(Heard::Close { code: refused.status, reason: refused.answer }),
        };
        match within("a welcome", socket.next()).await {
            Heard::Text(text) => {
                let welcome = read(&text);
                assert_eq!(welcome["type"], "welcome", "{text}");
                Ok(Self { name: name.to_owned(), welcome, socket, kept: VecDeque::new(), watcher: None })
            }
            other => Err(other),
        }
    }

    /// Connects and becomes available.
    pub async fn available(server: &Server, workspace: &str, name: &str) -> Self {
        let mut agent = Self::connect(server, workspace, name).await;
        agent.must(json!({"type": "set_status", "status": "available"})).await;
        agent
    }

    /// Sends a frame, with a fresh `id` if it has none, and gives back the id.
    pub async fn send(&mut self, mut frame: Value) -> String {
        if frame.get("id").is_none() {
            frame["id"] = command_id().into();
        }
        self.socket.writer.text(&frame.to_string()).await.expect("the connection takes a frame");
        frame["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Sends a command and waits for its reply; deltas that come before it are kept.
    pub async fn ask(&mut self, mut frame: Value) -> Value {
        let id = self.send(frame.clone()).await;
        let is_reply = |frame: &Value| frame["type"] == "reply" && frame["id"] == id.as_str();
        let reply = self.until(&format!("the reply to {id}"), is_reply).await;
        if reply["ok"] == true {
            frame["id"] = id.into();
            heard::from_agent(&frame);
        }
        reply
    }

    /// The same, and the reply must say `ok`.
    pub async fn must(&mut self, frame: Value) -> Value {
        let said = frame.to_string();
        let reply = self.ask(frame).await;
        assert_eq!(reply["ok"], true, "{said}: {reply}");
        reply
    }

    /// The next frame of this type; others are kept.
    pub async fn wait_for(&mut self, kind: &str) -> Value {
        self.until(kind, |frame| frame["type"] == kind).await
    }

    /// The first frame, kept or still to come, that is `wanted`; others are kept.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at).expect("found there");
        }
        within(&format!("{what}, for {}", self.name), async {
            loop {
                let frame = self.hear().await;
                if wanted(&frame) {
                    return frame;
                }
                self.kept.push_back(frame);
            }
        })
        .await
    }

    /// The next frame, whatever it is.
    pub async fn next(&mut self) -> Value {
        match self.kept.pop_front() {
            Some(frame) => frame,
            None => within("a frame", self.hear()).await,
        }
    }

    /// Waits for the server's close; frames before it are kept. A connection that breaks is 1006.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match within("a close", self.socket.next()).await {
                Heard::Text(text) => {
                    let frame = self.read(&text);
                    self.kept.push_back(frame);
                }
                Heard::Close { code, reason } => return (code, reason),
                Heard::Gone => return (1006, String::new()),
            }
        }
    }

    /// As `ask`; `None` when the connection ended before the reply.
    pub async fn try_ask(&mut self, frame: Value) -> Option<Value> {
        let id = frame["id"].as_str()?.to_owned();
        self.socket.writer.text(&frame.to_string()).await.ok()?;
        loop {
            let heard = within("a reply, or the end", self.socket.next()).await;
            let Heard::Text(text) = heard else { return None };
            let frame = self.read(&text);
            if frame["type"] == "reply" && frame["id"] == id.as_str() {
                return Some(frame);
            }
            self.kept.push_back(frame);
        }
    }

    /// The next frame, however long it takes; `None` when the connection ended.
    pub async fn try_next(&mut self) -> Option<Value> {
        if let Some(frame) = self.kept.pop_front() {
            return Some(frame);
        }
        match self.socket.next().await {
            Heard::Text(text) => Some(self.read(&text)),
            Heard::Close { .. } | Heard::Gone => None,
        }
    }

    /// All that came and was not asked for.
    pub fn take_kept(&mut self) -> Vec<Value> {
        self.kept.drain(..).collect()
    }

    /// Frames that came and were not asked for.
    pub fn kept(&self) -> impl Iterator<Item = &Value> {
        self.kept.iter()
    }

    async fn hear(&mut self) -> Value {
        match self.socket.next().await {
            Heard::Text(text) => self.read(&text),
            other => panic!("{} heard {other:?}; before it: {:?}", self.name, self.kept),
        }
    }

    fn read(&mut self, text: &str) -> Value {
        let frame = read(text);
        if let Some(watcher) = &mut self.watcher {
            watcher(&frame);
        }
        frame
    }
}

fn read(text: &str) -> Value {
    let frame = serde_json::from_str(text).expect("frames are JSON");
    heard::from_server(&frame);
    frame
}

//! One probe: the whole job, step by step, each timed. Which step is under way is known from outside, for when it never ends.

use super::ProbeKeys;
use crate::client::{Address, AgentSocket, Answered, Call, Client, random_id};
use crate::clock;
use crate::engine::workspace::PROBES;
use crate::health::{Component, Each};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// In the order in which they are done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Step {
    Start,
    SignIn,
    Offer,
    Accept,
    ToAgent,
    ToCustomer,
    Read,
    Close,
    Api,
}

impl Step {
    /// The word in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Step::SignIn => "sign_in",
            Step::Start => "start",
            Step::Offer => "offer",
            Step::Accept => "accept",
            Step::ToAgent => "to_agent",
            Step::ToCustomer => "to_customer",
            Step::Read => "read",
            Step::Close => "close",
            Step::Api => "api",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Step::SignIn => "an agent signs in",
            Step::Start => "a visitor starts",
            Step::Offer => "the offer comes",
            Step::Accept => "the offer is accepted",
            Step::ToAgent => "the visitor's message reaches the agent",
            Step::ToCustomer => "the agent answers",
            Step::Read => "the visitor reads what was written",
            Step::Close => "the conversation is closed",
            Step::Api => "the API is asked",
        }
    }

    /// Whose step it is.
    fn of(self) -> Component {
        match self {
            Step::SignIn | Step::Close => Component::AgentInterface,
            Step::Offer | Step::Accept => Component::ConversationOffers,
            Step::Start | Step::ToAgent | Step::ToCustomer | Step::Read => Component::Messenger,
            Step::Api => Component::Api,
        }
    }

    /// What users do not have when it fails: without an agent, or without a new conversation, nothing is offered.
    pub fn keeps_from(self) -> &'static [Component] {
        match self {
            Step::SignIn => &[Component::AgentInterface, Component::ConversationOffers],
            Step::Start => &[Component::Messenger, Component::ConversationOffers],
            Step::Offer | Step::Accept => &[Component::ConversationOffers],
            Step::ToAgent | Step::ToCustomer | Step::Read => &[Component::Messenger],
            Step::Close => &[Component::AgentInterface],
            Step::Api => &[Component::Api],
        }
    }
}

/// One probe, with how far it came.
pub(super) struct Job<'a> {
    address: Address,
    keys: &'a ProbeKeys,
    under_way: Step,
    /// What was not got, in the order of steps.
    pub failed: Vec<(Step, String)>,
    /// Of the steps that were done; none where none was.
    pub slowest_ms: Each<Option<u64>>,
}

impl<'a> Job<'a> {
    pub fn new(address: Address, keys: &'a ProbeKeys) -> Self {
        Self { address, keys, under_way: Step::Start, failed: Vec::new(), slowest_ms: Each::default() }
    }

    /// Nobody waits for the step that is under way any more.
    pub fn gave_up(&mut self) {
        self.failed.push((self.under_way, "no answer in time".to_owned()));
    }

    /// Does a step, and notes what came of it. `None`: it failed.
    async fn step<T>(&mut self, step: Step, doing: impl Future<Output = Result<T, String>>) -> Option<T> {
        self.under_way = step;
        let stopwatch = clock::stopwatch();
        match doing.await {
            Ok(done) => {
                let took_ms = (stopwatch.seconds() * 1_000.0) as u64;
                let slowest_ms = &mut self.slowest_ms[step.of().place()];
                *slowest_ms = (*slowest_ms).max(Some(took_ms));
                Some(done)
            }
            Err(why) => {
                self.failed.push((step, why));
                None
            }
        }
    }

    /// All but the API, until a step fails; `None` then.
    pub async fn all(&mut self) -> Option<()> {
        let now_s = (clock::wall_ms() / 1_000) as i64;
        let token = self.keys.customer_token(now_s).map_err(|error| error.to_string());
        let mut visitor = Visitor { client: Client::new(self.address.clone()), token, conversation: String::new() };
        let started = self.step(Step::Start, visitor.starts()).await;
        // An agent may be able to sign in where nothing can be begun, and the other way round.
        let token = self.keys.agent_token(now_s).map_err(|error| error.to_string());
        let address = self.address.clone();
        let mut agent = self.step(Step::SignIn, Agent::signs_in(&address, token)).await?;
        started?;
        let conversation = visitor.conversation.clone();
        let offer = self.step(Step::Offer, agent.is_offered(&conversation)).await?;
        self.step(Step::Accept, agent.accepts(&offer)).await?;
        let said = random_id();
        let to_agent = async {
            visitor.posts(&said).await?;
            agent.hears(&said).await
        };
        self.step(Step::ToAgent, to_agent).await?;
        let answer = random_id();
        let send = json!({"type": "send", "conversation": conversation, "text": answer});
        self.step(Step::ToCustomer, agent.does(send)).await?;
        self.step(Step::Read, visitor.reads(&[&said, &answer])).await?;
        let close = json!({"type": "close", "conversation": conversation});
        self.step(Step::Close, agent.does(close)).await?;
        agent.socket.close().await;
        Some(())
    }

    /// The API, with a key of the probe's workspace.
    pub async fn api(&mut self) {
        let (_, key) = self.keys.api_key();
        let mut client = Client::new(self.address.clone());
        let path = format!("/v1/workspaces/{PROBES}/live/queues");
        let asked = async { well(client.ask_once(&Call::read(path, &key)).await, StatusCode::OK) };
        self.step(Step::Api, asked).await;
    }
}

fn well<E: std::fmt::Display>(answered: Result<Answered, (E, bool)>, expected: StatusCode) -> Result<Answered, String> {
    match answered {
        Ok(answered) if answered.status == expected => Ok(answered),
        Ok(answered) => Err(format!("{} {}", answered.status.as_u16(), answered.text("code"))),
        Err((unreached, _)) => Err(unreached.to_string()),
    }
}

struct Visitor {
    client: Client,
    token: Result<String, String>,
    conversation: String,
}

impl Visitor {
    /// Who is told that the server is busy comes again when it was told to, as any client does: that is slow, and only a failure when it
    /// takes longer than a probe may.
    async fn starts(&mut self) -> Result<(), String> {
        let path = format!("/v1/messenger/{PROBES}/conversations");
        let body = json!({"text": "probe"});
        let call = Call::write(Method::POST, path, self.token.as_ref()?, Some(&body));
        let mut answered = self.client.ask_once(&call).await;
        while let Some(pause) =
            answered.as_ref().ok().filter(|said| said.text("code") == "busy").and_then(Answered::retry_after)
        {
            // As long as the server asked for.
            tokio::time::sleep(pause).await;
            answered = self.client.ask_once(&call).await;
        }
        let started = well(answered, StatusCode::CREATED)?;
        self.conversation = started.body["conversation"]["conversation"].as_str().unwrap_or_default().to_owned();
        Ok(())
    }

    fn messages(&self) -> String {
        format!("/v1/messenger/{PROBES}/conversations/{}/messages", self.conversation)
    }

    async fn posts(&mut self, text: &str) -> Result<(), String> {
        let body = json!({ "text": text });
        let call = Call::write(Method::POST, self.messages(), self.token.as_ref()?, Some(&body));
        well(self.client.ask_once(&call).await, StatusCode::CREATED).map(|_| ())
    }

    /// From the view, which has only what was committed.
    async fn reads(&mut self, texts: &[&str]) -> Result<(), String> {
        let page =
            well(self.client.ask_once(&Call::read(self.messages(), self.token.as_ref()?)).await, StatusCode::OK)?;
        let read = page.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let missing = texts.iter().filter(|text| !read.iter().any(|message| message["text"] == **text)).count();
        if missing == 0 { Ok(()) } else { Err(format!("{missing} of {} messages are not there", texts.len())) }
    }
}

struct Agent {
    socket: AgentSocket,
    /// Frames that came while something else was awaited.
    heard: Vec<Value>,
}

impl Agent {
    async fn signs_in(address: &Address, token: Result<String, String>) -> Result<Self, String> {
        let socket = AgentSocket::connect(address, &token?).await.map_err(|lost| lost.to_string())?;
        let mut agent = Self { socket, heard: Vec::new() };
        let welcome = agent.frame().await?;
        if welcome["type"] != "welcome" {
            return Err(format!("{} came instead of a welcome", welcome["type"]));
        }
        let snapshot = &welcome["snapshot"];
        // What an earlier probe left, when the server ended in the middle of it.
        for left in snapshot["conversations"].as_array().into_iter().flatten() {
            agent.does(json!({"type": "close", "conversation": left["conversation"]})).await?;
        }
        agent.heard.extend(snapshot["offers"].as_array().into_iter().flatten().map(|offer| json!({"offer": offer})));
        if snapshot["available"] != true {
            agent.does(json!({"type": "set_status", "status": "available"})).await?;
        }
        Ok(agent)
    }

    async fn frame(&mut self) -> Result<Value, String> {
        self.socket.frame().await.map_err(|lost| lost.to_string())
    }

    /// Sends a command and hears that it was done.
    async fn does(&mut self, command: Value) -> Result<(), String> {
        let id = self.socket.send(command).await.map_err(|lost| lost.to_string())?;
        loop {
            let frame = self.frame().await?;
            if frame["id"] == id.as_str() {
                let code = frame["error"]["code"].as_str().unwrap_or("refused");
                return if frame["ok"] == true { Ok(()) } else { Err(code.to_owned()) };
            }
            self.heard.push(frame);
        }
    }

    /// Until this one comes; earlier probes' leftovers are taken and closed on the way.
    async fn is_offered(&mut self, conversation: &str) -> Result<String, String> {
        loop {
            while let Some(frame) = self.heard.pop() {
                let Some(offer) = frame["offer"]["offer"].as_str() else { continue };
                let of = frame["offer"]["conversation"]["conversation"].as_str().unwrap_or_default().to_owned();
                if of == conversation {
                    return Ok(offer.to_owned());
                }
                self.accepts(offer).await?;
                self.does(json!({"type": "close", "conversation": of})).await?;
            }
            let frame = self.frame().await?;
            self.heard.push(frame);
        }
    }

    async fn accepts(&mut self, offer: &str) -> Result<(), String> {
        self.does(json!({"type": "accept", "offer": offer})).await
    }

    async fn hears(&mut self, text: &str) -> Result<(), String> {
        while !self.heard.drain(..).any(|frame| frame["text"] == text) {
            let frame = self.frame().await?;
            self.heard.push(frame);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::post;
    use http::HeaderMap;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn a_visitor_who_is_told_that_the_server_is_busy_comes_again_with_the_same_id() {
        let ids: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = ids.clone();
        let start = async move |headers: HeaderMap| {
            let mut seen = seen.lock().unwrap();
            seen.push(headers["idempotency-key"].to_str().unwrap().to_owned());
            match seen.len() {
                1 => (StatusCode::SERVICE_UNAVAILABLE, r#"{"code": "busy", "retry_after_ms": 50}"#),
                _ => (StatusCode::CREATED, r#"{"conversation": {"conversation": "c7"}}"#),
            }
        };
        let router = Router::new().route(&format!("/v1/messenger/{PROBES}/conversations"), post(start));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(Address::of(listener.local_addr().unwrap()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut visitor = Visitor { client, token: Ok("token".to_owned()), conversation: String::new() };
        visitor.starts().await.unwrap();
        assert_eq!(visitor.conversation, "c7");
        let ids = ids.lock().unwrap();
        assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    }
}

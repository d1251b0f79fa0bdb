//! Sends composed conversations, a few at a time, waits where the server says so, and tells how it goes.

use super::compose::{Composed, Composer};
use super::left::Left;
use crate::cli::CommandError;
use crate::cli::apply::live::Live;
use crate::client::{Address, Answered, Call, Client};
use crate::clock;
use crate::wire::percent::encoded;
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::{Method, StatusCode};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

pub(super) use super::compose::Standing;

/// Conversations that are on their way at once: enough to keep a server busy between two answers, and no flood.
const AT_ONCE: usize = 4;
const SAY_EVERY_S: f64 = 2.0;
/// Refusals that are told one by one; all are counted.
const TOLD_MAX: u64 = 20;
/// How long a server that was there may be gone.
const GONE_MOST_S: f64 = 60.0;
/// How long the same is asked for while the server says that it will be able to.
const WAIT_MOST_S: f64 = 600.0;

pub(super) struct Sender {
    address: Address,
    key: String,
    workspace: String,
    source: String,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    new: u64,
    here: u64,
    refused: u64,
    left: u64,
    seconds: f64,
}

impl Sent {
    /// Nothing was refused that should have been taken.
    pub fn is_whole(&self) -> bool {
        self.refused == 0
    }

    fn done(&self) -> u64 {
        self.new + self.here + self.refused + self.left
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { new, here, refused, left, seconds } = self;
        let pace = (*new + *here) as f64 / seconds.max(0.001);
        write!(f, "{new} conversations imported, {here} were here already, {left} left, {refused} refused")?;
        write!(f, " ({seconds:.1} s, {pace:.0}/s)")
    }
}

/// Of one conversation.
enum Fate {
    New,
    Here,
    /// It has no place here, by its own nature: counted by why.
    Left(&'static str),
    Refused(String),
}

impl Sender {
    pub fn new(address: Address, key: String, workspace: &str, source: &str) -> Self {
        Self { address, key, workspace: workspace.to_owned(), source: source.to_owned() }
    }

    /// What of the workspace may be named; `queue` is for what belongs to none of its queues.
    pub async fn standing(&self, queue: Option<&str>) -> Result<Standing, CommandError> {
        let mut live = Live::new(Client::new(self.address.clone()), self.key.clone(), self.workspace.clone());
        let found = live.read(false).await.map_err(CommandError::of)?;
        if !found.exists {
            return Err(CommandError(format!("there is no workspace {:?}, or the key is not its", self.workspace)));
        }
        let names = |value: Option<&Value>, member: Option<&str>| -> Option<Vec<String>> {
            let list = value?.as_array()?.iter();
            let names = list.filter_map(|entry| member.map_or(Some(entry), |member| entry.get(member))?.as_str());
            Some(names.map(str::to_owned).collect())
        };
        let queues: BTreeSet<String> = found.queues.keys().cloned().collect();
        let default = found.settings.get("default_queue").and_then(Value::as_str);
        let queue = queue.or(default).unwrap_or_default().to_owned();
        if !queues.contains(&queue) {
            let what = "name a queue of the workspace for conversations whose own is not here";
            return Err(CommandError(format!("--queue {queue:?}: {what}")));
        }
        let tags = found.settings.get("labels").and_then(|labels| names(labels.get("tags"), None));
        Ok(Standing {
            agents: found.agents.keys().cloned().collect(),
            queues,
            queue,
            channels: names(found.settings.get("channels"), Some("name")).unwrap_or_default(),
            tags: tags.map(|tags| tags.into_iter().collect()),
        })
    }

    /// All of them. Breaks off where nothing more can be done; what was sent by then is kept, and is not sent again.
    pub async fn send(&self, mut composer: Composer<'_>, talks: u64, left: &mut Left) -> Result<Sent, CommandError> {
        let begun = clock::stopwatch();
        let (mut sent, mut said_at_s) = (Sent::default(), 0.0);
        let mut clients: Vec<Client> = (0..AT_ONCE).map(|_| Client::new(self.address.clone())).collect();
        let mut under_way = FuturesUnordered::new();
        loop {
            while let Some(client) = clients.pop() {
                match composer.next(left).map_err(CommandError)? {
                    Some(composed) => under_way.push(self.one(client, composed)),
                    None => {
                        clients.push(client);
                        break;
                    }
                }
            }
            let Some((client, id, fate)) = under_way.next().await else { break };
            clients.push(client);
            match fate? {
                Fate::New => sent.new += 1,
                Fate::Here => sent.here += 1,
                Fate::Left(why) => {
                    sent.left += 1;
                    left.one(why);
                }
                Fate::Refused(why) => {
                    sent.refused += 1;
                    if sent.refused <= TOLD_MAX {
                        eprintln!("refused: {} {id}: {why}", self.source);
                    }
                }
            }
            sent.seconds = begun.seconds();
            if sent.seconds - said_at_s >= SAY_EVERY_S {
                said_at_s = sent.seconds;
                eprintln!("{} of {talks}: {sent}", sent.done());
            }
        }
        Ok(sent)
    }

    async fn one(&self, mut client: Client, composed: Composed) -> (Client, String, Result<Fate, CommandError>) {
        let fate = self.fate(&mut client, &composed).await;
        (client, composed.id, fate)
    }

    async fn fate(&self, client: &mut Client, composed: &Composed) -> Result<Fate, CommandError> {
        let (workspace, source, id) = (encoded(&self.workspace), encoded(&self.source), encoded(&composed.id));
        let path = format!("/v1/workspaces/{workspace}/imports/{source}/{id}");
        let answered = self.put(client, path.clone(), &composed.first).await?;
        if !answered.status.is_success() {
            return refused(&answered);
        }
        let mut is_new = answered.status == StatusCode::CREATED;
        let mut parts = answered.body.get("parts").and_then(Value::as_u64).unwrap_or(1);
        for (place, more) in composed.more.iter().enumerate() {
            let part = place as u64 + 2;
            if part <= parts {
                continue;
            }
            let answered = self.put(client, format!("{path}/parts/{part}"), more).await?;
            if !answered.status.is_success() {
                return refused(&answered);
            }
            is_new |= answered.status == StatusCode::CREATED;
            parts = part;
        }
        Ok(if is_new { Fate::New } else { Fate::Here })
    }

    /// Until there is an answer that waiting would not change.
    async fn put(&self, client: &mut Client, path: String, body: &Value) -> Result<Answered, CommandError> {
        let call = Call::write(Method::PUT, path, &self.key, Some(body));
        let begun = clock::stopwatch();
        loop {
            match client.ask(&call).await {
                Ok(answered) if answered.retry_after().is_none() => return Ok(answered),
                Ok(answered) if begun.seconds() > WAIT_MOST_S => {
                    let why = answered.text("message");
                    return Err(CommandError(format!("the server takes nothing: {why}. Run the same again later")));
                }
                Ok(_) => {}
                Err(error) if begun.seconds() > GONE_MOST_S => {
                    return Err(CommandError(format!("{error}. What was sent is there; run the same again")));
                }
                // It was there: a restart takes a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    }
}

fn refused(answered: &Answered) -> Result<Fate, CommandError> {
    let (code, message) = (answered.text("code"), answered.text("message"));
    match code {
        "customer_erased" => Ok(Fate::Left("conversations of customers who were erased here")),
        "too_old" => Ok(Fate::Left("conversations that were closed longer ago than they are kept here")),
        // Nothing more will be taken.
        "unauthorized" | "forbidden" | "not_found" | "quota" => {
            Err(CommandError(format!("{message} [{code}]. What was sent is there")))
        }
        _ => {
            let field = answered.text("field");
            Ok(Fate::Refused(format!("{field}: {message} [{code}]")))
        }
    }
}

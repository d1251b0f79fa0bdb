//! A line of the notation to the command that it means.

mod decisions;
mod moves;
mod outside;

use crate::desk::command::{AgentAsk, Ask, AskedAgent, Author, Closer, Command, OpenAsk, Worker};
use crate::desk::files::Attachments;
use crate::desk::ids::{AgentId, CommandId, CustomerId, KeyNumber, NotAnId, Principal, SessionId};
use crate::desk::moves::{MoveAsk, Mover};
use crate::desk::ratings::RateAsk;
use crate::desk::settings::{ApiKey, QueueSettings, Settings};
use crate::desk::time::WallTime;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The line is not of the notation; says at which word.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a line of the notation, at {0:?}")]
pub struct NotALine(pub String);

/// Who asks, for the scope of the command's id.
#[must_use]
pub fn principal(ask: &Ask) -> Principal {
    match ask {
        Ask::SetStatus { agent, .. }
        | Ask::Ready { agent }
        | Ask::SetNextStatus { agent, .. }
        | Ask::SignOut { agent }
        | Ask::ListOwn { agent, .. }
        | Ask::ConfirmDelivery { agent, .. }
        | Ask::Accept { agent, .. }
        | Ask::Reject { agent, .. }
        | Ask::WrapUpDone { by: Worker::Owner(agent) | Worker::Supervisor(agent), .. }
        | Ask::ExtendWrapUp { agent, .. }
        | Ask::Post { author: Author::Agent(agent), .. }
        | Ask::Read { reader: Author::Agent(agent), .. }
        | Ask::Typing { author: Author::Agent(agent), .. }
        | Ask::Close { by: Closer::Agent(agent) | Closer::Supervisor(agent), .. } => Principal::Agent(*agent),
        Ask::Post { author: Author::Customer(customer), .. }
        | Ask::Read { reader: Author::Customer(customer), .. }
        | Ask::Typing { author: Author::Customer(customer), .. }
        | Ask::Close { by: Closer::Customer(customer), .. } => Principal::Customer(*customer),
        Ask::Rate(ask) => Principal::Customer(ask.customer),
        Ask::Receive(ask) => Principal::Customer(ask.open.customer),
        Ask::ReportDelivery(_) => Principal::ApiKey(3),
        Ask::Describe { customer, .. } => Principal::Customer(*customer),
        Ask::Label(ask) => ask.by.agent().map_or(Principal::ApiKey(1), Principal::Agent),
        Ask::Move(MoveAsk { by, .. })
        | Ask::ForceStatus { by, .. }
        | Ask::Note { by, .. }
        | Ask::ListWaiting { by, .. } => by.agent().map_or(Principal::ApiKey(1), Principal::Agent),
        Ask::Start(start) => Principal::Agent(start.agent),
        Ask::Open(_) | Ask::Import(_) => Principal::Visitor,
        Ask::ServerBegan
        | Ask::LeaderBegan
        | Ask::NodeGone { .. }
        | Ask::AgentIsIdle { .. }
        | Ask::SessionCame { .. }
        | Ask::SessionWent { .. }
        | Ask::SignInEnded { .. }
        | Ask::Post { author: Author::System(_), .. }
        | Ask::Read { reader: Author::System(_), .. }
        | Ask::Typing { author: Author::System(_), .. }
        | Ask::Close { by: Closer::System, .. }
        | Ask::Tick => Principal::Server,
        Ask::OnlyIf(_)
        | Ask::PutSettings(_)
        | Ask::PutQueue(_)
        | Ask::RemoveQueue { .. }
        | Ask::PutAgent(_)
        | Ask::PutApiKey(_)
        | Ask::RemoveApiKey { .. }
        | Ask::WhyConversation { .. }
        | Ask::WhyAgent { .. }
        | Ask::DrainAgent { .. }
        | Ask::DrainQueue { .. }
        | Ask::Close { by: Closer::Admin, .. }
        | Ask::WrapUpDone { by: Worker::Admin, .. }
        | Ask::MergeCustomer { .. }
        | Ask::SignOutCustomer { .. } => Principal::ApiKey(1),
        Ask::Decide(_) | Ask::ListDecisions { .. } => Principal::ApiKey(2),
    }
}

/// FNV-1a of the printed body: the same words have the same one.
#[must_use]
pub fn fingerprint(ask: &Ask) -> u64 {
    let bytes = super::ask(ask).into_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The command of a line.
///
/// # Errors
/// The word that could not be read.
pub fn command(line: &str) -> Result<Command, NotALine> {
    let mut line = line.trim();
    let mut id = None;
    if let Some(rest) = line.strip_prefix('#') {
        let (number, rest) = rest.split_once(' ').ok_or_else(|| NotALine(line.into()))?;
        id = Some(CommandId(number.parse().map_err(|_| NotALine(number.into()))?));
        line = rest;
    }
    let ask = Words { left: line }.ask()?;
    Ok(Command { principal: principal(&ask), id, fingerprint: fingerprint(&ask), ask })
}

struct Words<'a> {
    left: &'a str,
}

type Read<T> = Result<T, NotALine>;

impl<'a> Words<'a> {
    fn word(&mut self) -> Read<&'a str> {
        let left = self.left.trim_start();
        let (word, rest) = left.split_once(' ').unwrap_or((left, ""));
        self.left = rest;
        if word.is_empty() { Err(NotALine(String::new())) } else { Ok(word) }
    }

    fn id<T: std::str::FromStr<Err = NotAnId>>(&mut self) -> Read<T> {
        let word = self.word()?;
        word.parse().map_err(|_| NotALine(word.into()))
    }

    fn text(&mut self) -> Read<Arc<str>> {
        let text = std::mem::take(&mut self.left).trim();
        if text.is_empty() { Err(NotALine(String::new())) } else { Ok(text.into()) }
    }

    fn number(&mut self) -> Read<u32> {
        number(self.word()?)
    }

    fn ask(mut self) -> Read<Ask> {
        let who = self.word()?;
        match who {
            "server" => self.of_server(),
            "admin" => self.of_admin(),
            "router" => self.of_router(),
            "carrier" => self.of_carrier(),
            "supervisor" => {
                let agent = self.id()?;
                match self.word()? {
                    "closes" => Ok(Ask::Close { conversation: self.id()?, by: Closer::Supervisor(agent) }),
                    "done" => Ok(Ask::WrapUpDone { conversation: self.id()?, by: Worker::Supervisor(agent) }),
                    verb => self.of_mover(verb, Mover::Supervisor(agent)),
                }
            }
            _ if who.starts_with('a') => self.of_agent(who),
            _ => match numbered(who, 'u') {
                Some(customer) => self.of_customer(CustomerId(customer)),
                None => Err(NotALine(who.into())),
            },
        }
    }

    fn of_server(&mut self) -> Read<Ask> {
        match self.word()? {
            "began" => Ok(Ask::ServerBegan),
            "leads" => Ok(Ask::LeaderBegan),
            "without" => Ok(Ask::NodeGone { node: self.id()? }),
            "tick" => Ok(Ask::Tick),
            "idle" => Ok(Ask::AgentIsIdle { agent: self.id()? }),
            other => Err(NotALine(other.into())),
        }
    }

    fn of_agent(&mut self, who: &str) -> Read<Ask> {
        let agent: AgentId = who.parse().map_err(|_| NotALine(who.into()))?;
        let author = Author::Agent(agent);
        Ok(match self.word()? {
            "comes" => Ask::SessionCame { agent: who.into(), session: self.session()?, title: None },
            "goes" => Ask::SessionWent { agent, session: self.session()? },
            "sets" => {
                let status = self.word()?.into();
                Ask::SetStatus { agent, status, channels: self.word().ok().map(names) }
            }
            "ready" => Ask::Ready { agent },
            "next" => {
                let status = self.word()?;
                Ask::SetNextStatus { agent, status: (status != "-").then(|| status.into()) }
            }
            "signs_out" => Ask::SignOut { agent },
            "signs_out_of" => {
                let mut sessions = Vec::new();
                while let Ok(session) = self.session() {
                    sessions.push(session);
                }
                Ask::SignInEnded { agent, sessions }
            }
            "looks" => Ask::ListOwn { agent, after: self.id()? },
            "delivered" => Ask::ConfirmDelivery { agent, offer: self.id()? },
            "accepts" => Ask::Accept { agent, offer: self.id()? },
            "rejects" => Ask::Reject { agent, offer: self.id()?, reason: self.word()?.into() },
            "closes" => Ask::Close { conversation: self.id()?, by: Closer::Agent(agent) },
            "done" => Ask::WrapUpDone { conversation: self.id()?, by: Worker::Owner(agent) },
            "extends" => Ask::ExtendWrapUp { agent, conversation: self.id()? },
            "starts" => return self.start(agent),
            verb @ ("posts" | "reads" | "types") => return self.of_author(verb, author),
            verb => return self.of_mover(verb, Mover::Agent(agent)),
        })
    }

    fn of_customer(&mut self, customer: CustomerId) -> Read<Ask> {
        Ok(match self.word()? {
            "opens" => return self.open(customer),
            "writes" => return self.receive(customer),
            "closes" => Ask::Close { conversation: self.id()?, by: Closer::Customer(customer) },
            "signs_out" => Ask::SignOutCustomer { customer },
            "describes" => {
                let (conversation, about) = (self.id()?, self.text()?);
                Ask::Describe { conversation, customer, about }
            }
            "rates" => {
                let (conversation, score) = (self.id()?, self.number()? as u8);
                let comment = Some(self.left.trim()).filter(|text| !text.is_empty()).map(Into::into);
                Ask::Rate(Box::new(RateAsk { conversation, customer, score, comment }))
            }
            "becomes" => {
                let word = self.word()?;
                let into = numbered(word, 'u').ok_or_else(|| NotALine(word.into()))?;
                Ask::MergeCustomer { from: customer, into: CustomerId(into) }
            }
            verb => return self.of_author(verb, Author::Customer(customer)),
        })
    }

    fn of_author(&mut self, verb: &str, author: Author) -> Read<Ask> {
        Ok(match verb {
            "posts" => {
                Ask::Post { conversation: self.id()?, author, text: self.text()?, files: Attachments::default() }
            }
            "reads" => Ask::Read { conversation: self.id()?, reader: author, number: self.number()? },
            "types" => {
                let conversation = self.id()?;
                let draft = Some(self.left.trim()).filter(|text| !text.is_empty()).map(Into::into);
                Ask::Typing { conversation, author, draft }
            }
            other => return Err(NotALine(other.into())),
        })
    }

    fn session(&mut self) -> Read<SessionId> {
        let word = self.word()?;
        numbered(word, 's').map(SessionId).ok_or_else(|| NotALine(word.into()))
    }

    fn open(&mut self, customer: CustomerId) -> Read<Ask> {
        let channel = self.word()?.into();
        match self.word()? {
            "in" => {}
            other => return Err(NotALine(other.into())),
        }
        let queue = self.word()?.into();
        let mut open = OpenAsk { customer, key: KeyNumber(1), channel, queue, ..OpenAsk::default() };
        while !self.left.trim().is_empty() {
            if let Some(text) = self.left.trim().strip_prefix("text=") {
                open.text = Some(text.into());
                break;
            }
            match self.pair()? {
                ("priority", value) => open.priority = Some(value.parse().map_err(|_| NotALine(value.into()))?),
                ("skills", value) => open.skills = levels(value)?,
                ("since", value) => open.waiting_since = Some(seconds(value)?),
                ("or_message", value) => open.or_message = value == "yes",
                ("prefers", value) => open.preferred_skills = names(value),
                ("for", value) => open.preferred_agent = Some(AskedAgent { name: value.into(), required: false }),
                ("only", value) => open.preferred_agent = Some(AskedAgent { name: value.into(), required: true }),
                (other, _) => return Err(NotALine(other.into())),
            }
        }
        Ok(Ask::Open(Box::new(open)))
    }

    fn pair(&mut self) -> Read<(&'a str, &'a str)> {
        let word = self.word()?;
        word.split_once('=').ok_or_else(|| NotALine(word.into()))
    }

    fn of_admin(&mut self) -> Read<Ask> {
        Ok(match self.word()? {
            "queue" => return self.queue(),
            "remove_queue" => Ask::RemoveQueue { name: self.word()?.into() },
            "agent" => return self.agent(),
            "key" => {
                let id: Arc<str> = self.word()?.into();
                Ask::PutApiKey(Box::new(ApiKey {
                    name: id.clone(),
                    id,
                    sha256: "".into(),
                    scopes: vec![],
                    created_at: 0,
                }))
            }
            "why" => {
                let word = self.word()?;
                match word.parse() {
                    Ok(conversation) => Ask::WhyConversation { conversation },
                    Err(_) => Ask::WhyAgent { agent: word.into() },
                }
            }
            "remove_key" => Ask::RemoveApiKey { id: self.word()?.into() },
            "closes" => Ask::Close { conversation: self.id()?, by: Closer::Admin },
            "done" => Ask::WrapUpDone { conversation: self.id()?, by: Worker::Admin },
            "settings" => {
                let text = self.text()?;
                let settings: Settings = serde_json::from_str(&text).map_err(|why| NotALine(why.to_string()))?;
                Ask::PutSettings(Box::new(settings))
            }
            "drains" => Ask::DrainAgent { agent: self.word()?.into(), draining: self.word()? == "yes" },
            "drains_queue" => return self.drain_queue(),
            verb => return self.of_mover(verb, Mover::Admin),
        })
    }

    fn queue(&mut self) -> Read<Ask> {
        let mut queue = QueueSettings::named(self.word()?);
        while !self.left.trim().is_empty() {
            match self.pair()? {
                ("max", value) => queue.waiting_max = number(value)?,
                ("hours", value) => queue.hours = Some(value.into()),
                ("priority", value) => queue.priority = value.parse().map_err(|_| NotALine(value.into()))?,
                ("offer_ms", value) => queue.offer_ms = Some(u64::from(number(value)?)),
                ("wrap_up_ms", value) => queue.wrap_up_ms = Some(u64::from(number(value)?)),
                ("wrap_up", value) => queue.wrap_up = json(value)?,
                ("skills", value) => queue.skills = levels(value)?,
                ("moves", value) => queue.moves = json(value)?,
                ("silent_customer", value) => queue.silent_customer = json(value)?,
                ("silent_owner", value) => queue.silent_owner = json(value)?,
                ("service", value) => queue.service = json(value)?,
                ("labels", value) => queue.labels = json(value)?,
                ("offering", value) => queue.offering = json(value)?,
                ("waiting", value) => queue.waiting = json(value)?,
                (other, _) => return Err(NotALine(other.into())),
            }
        }
        Ok(Ask::PutQueue(Box::new(queue)))
    }

    fn agent(&mut self) -> Read<Ask> {
        let mut agent = AgentAsk { name: self.word()?.into(), ..AgentAsk::default() };
        while !self.left.trim().is_empty() {
            match self.pair()? {
                ("active", value) => agent.active = Some(value == "yes"),
                ("queues", value) => agent.queues = Some(names(value)),
                ("skills", value) => agent.skills = Some(levels(value)?),
                ("capacity", value) => agent.capacity = Some(levels(value)?),
                ("program", value) => agent.program = Some(value == "yes"),
                ("total", value) => agent.capacity_total = Some(number(value)?),
                ("auto", value) => agent.auto_accept = Some(json(value)?),
                ("tiers", value) => agent.tiers = Some(levels(value)?),
                ("offer_percent", value) => agent.offer_percent = Some(number(value)?),
                (other, _) => return Err(NotALine(other.into())),
            }
        }
        Ok(Ask::PutAgent(Box::new(agent)))
    }
}

/// `12.5s`: milliseconds of the wall clock.
fn seconds(word: &str) -> Read<WallTime> {
    let seconds: Option<f64> = word.strip_suffix('s').and_then(|number| number.parse().ok());
    seconds.map(|seconds| WallTime((seconds * 1_000.0) as u64)).ok_or_else(|| NotALine(word.into()))
}

fn json<T: serde::de::DeserializeOwned>(word: &str) -> Read<T> {
    serde_json::from_str(word).map_err(|_| NotALine(word.into()))
}

fn number(word: &str) -> Read<u32> {
    word.parse().map_err(|_| NotALine(word.into()))
}

fn numbered(word: &str, prefix: char) -> Option<u128> {
    word.strip_prefix(prefix)?.parse().ok()
}

/// `a,b`; `-` for none.
fn names(word: &str) -> Vec<Arc<str>> {
    if word == "-" { Vec::new() } else { word.split(',').map(Arc::from).collect() }
}

/// `french:3,german:1`; `-` for none.
fn levels<N: std::str::FromStr>(word: &str) -> Read<BTreeMap<Arc<str>, N>> {
    let level = |name: Arc<str>| {
        let (name, level) = name.split_once(':').ok_or_else(|| NotALine(name.to_string()))?;
        Ok((name.into(), level.parse().map_err(|_| NotALine(level.into()))?))
    };
    names(word).into_iter().map(level).collect()
}

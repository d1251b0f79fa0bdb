//! Frames by which a supervisor watches queues and agents, and asks why: a page in the order of names, or a sheet of agents
//! that the server sorts and filters, so that whoever watches is sent what it shows, however many agents there are.

use super::from_client::{AgentFrame, cursor, limit};
use crate::desk::agent::Connection;
use crate::desk::ids::ConversationId;
use crate::desk::settings::NAME_BYTES_MAX;
use crate::wire::error::{Code, WireError};
use crate::wire::fields::Fields;
use std::sync::Arc;

/// Rows before those of a sheet, at most.
const SKIP_MAX: u32 = 100_000;

/// What there are rows of: to watch for supervisors, and as names for everybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Watched {
    Queues,
    Agents,
}

impl Watched {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Watched::Queues => "queues",
            Watched::Agents => "agents",
        }
    }
}

/// Which page of rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WatchedPage {
    /// In the order of names, from behind this one.
    Names {
        after: Option<String>,
    },
    Sheet(Box<Sheet>),
}

/// Which agents, in which order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sheet {
    pub order: SheetOrder,
    pub connection: Option<SeenAs>,
    pub status: Option<Arc<str>>,
    /// Of this queue.
    pub queue: Option<Arc<str>>,
    /// In name or title, in lower case.
    pub find: Option<Arc<str>>,
    /// So many that come first are left out.
    pub skip: usize,
}

/// What is equal goes by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SheetOrder {
    #[default]
    Name,
    /// The fullest first.
    Load,
    /// The longest in its connection and status first.
    Since,
}

/// How an agent's connection is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeenAs {
    /// Anything but offline.
    Here,
    As(&'static str),
}

impl SeenAs {
    #[must_use]
    pub fn admits(self, connection: &str) -> bool {
        match self {
            SeenAs::Here => connection != Connection::Offline.name(),
            SeenAs::As(word) => connection == word,
        }
    }
}

/// What it is to be explained of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhyOf {
    Conversation(ConversationId),
    Agent(Arc<str>),
}

pub(super) fn watch(fields: &mut Fields<'_>) -> Result<AgentFrame, WireError> {
    let what = watched(fields)?;
    let page = match (what, sheet(fields)?) {
        (_, None) => WatchedPage::Names { after: cursor(fields)? },
        (Watched::Agents, Some(sheet)) => WatchedPage::Sheet(Box::new(sheet)),
        (Watched::Queues, Some(_)) => {
            return Err(WireError::new(Code::BadField, "queues are watched in the order of names").at("what"));
        }
    };
    Ok(AgentFrame::Watch { what, page, limit: limit(fields, 100)? })
}

pub(super) fn watched(fields: &mut Fields<'_>) -> Result<Watched, WireError> {
    match fields.some_text("what", 64)?.as_ref() {
        "queues" => Ok(Watched::Queues),
        "agents" => Ok(Watched::Agents),
        _ => Err(WireError::new(Code::BadField, "what must be queues or agents").at("what")),
    }
}

/// `None` without an `order`.
fn sheet(fields: &mut Fields<'_>) -> Result<Option<Sheet>, WireError> {
    let order = match fields.text("order", 64)?.as_deref() {
        None => return Ok(None),
        Some("name") => SheetOrder::Name,
        Some("load") => SheetOrder::Load,
        Some("since") => SheetOrder::Since,
        Some(_) => return Err(WireError::new(Code::BadField, "order must be name, load or since").at("order")),
    };
    let connection = fields.text("connection", 64)?.map(|word| seen_as(&word)).transpose()?;
    let name = |fields: &mut Fields<'_>, field| fields.text(field, NAME_BYTES_MAX).map(|text| text.map(Arc::from));
    let (status, queue) = (name(fields, "status")?, name(fields, "queue")?);
    let find = fields.text("find", NAME_BYTES_MAX)?.filter(|text| !text.is_empty());
    let find = find.map(|text| Arc::from(text.to_lowercase()));
    let skip = match fields.number("skip")?.unwrap_or(0) {
        skip @ 0..=SKIP_MAX => skip as usize,
        _ => return Err(WireError::new(Code::BadField, "skip must be at most 100000").at("skip")),
    };
    Ok(Some(Sheet { order, connection, status, queue, find, skip }))
}

fn seen_as(word: &str) -> Result<SeenAs, WireError> {
    let known = ["online", "reconnecting", "unreachable", "offline"];
    match known.into_iter().find(|known| *known == word) {
        Some(known) => Ok(SeenAs::As(known)),
        None if word == "here" => Ok(SeenAs::Here),
        None => {
            let what = "connection must be here, online, reconnecting, unreachable or offline";
            Err(WireError::new(Code::BadField, what).at("connection"))
        }
    }
}

pub(super) fn why(fields: &mut Fields<'_>) -> Result<WhyOf, WireError> {
    match fields.text("agent", NAME_BYTES_MAX)? {
        Some(name) => Ok(WhyOf::Agent(name.into())),
        None => fields.id("conversation").map(WhyOf::Conversation),
    }
}

//! Search over conversations. The view filters by what is in the clear; words are looked for by unsealing the messages of
//! what that leaves, a bounded amount for each request: `next` goes on where this one stopped, found or not.

use super::Shared;
use super::asker::Scope;
use super::history::text;
use super::shapes::Facts;
use crate::desk::conversation::Conversation;
use crate::desk::ids::ConversationId;
use crate::desk::refusal::Refusal;
use crate::gateway::http::VIEW_WAIT_MOST;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::desks::{Desk, Filter, Rows, Seals, Span};
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use axum::extract::State as Held;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

const STATES: [&str; 5] = ["waiting", "offered", "active", "wrap_up", "closed"];
const TEXT_BYTES_MAX: usize = 256;
/// What one request unseals at most.
const CLEAR_BYTES_MAX: usize = 4 * 1024 * 1024;
const CONVERSATIONS_MAX: usize = 500;
/// Messages, and conversations, read from the view at once.
const PAGE: usize = 50;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FoundConversations")]
pub(super) struct Page {
    conversations: Vec<Facts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Where a search goes on: before a conversation, or within it behind a message (`c17.200`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    conversation: ConversationId,
    within: Option<u32>,
}

impl FromStr for Place {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (conversation, within) = match text.split_once('.') {
            Some((conversation, number)) => (conversation, Some(number.parse().map_err(drop)?)),
            None => (text, None),
        };
        Ok(Self { conversation: conversation.parse().map_err(drop)?, within })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.conversation)?;
        self.within.map_or(Ok(()), |number| write!(f, ".{number}"))
    }
}

pub(super) async fn search(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Own)?;
    let known =
        ["state", "agent", "queue", "customer", "disposition", "tag", "score", "from", "to", "text", "cursor", "limit"];
    let query = Query::parse(asked.query.as_deref(), &known)?;
    let desk = &*asker.desk;
    let mut filter = filter(desk, &query)?;
    if let Some(own) = asker.shown_own_of()? {
        if filter.agent.is_some_and(|agent| agent != own) {
            return Err(Problem::forbidden("an agent searches its own conversations").at("agent"));
        }
        filter.agent = Some(own);
    }
    let (limit, place) = (query.limit()?, query.cursor::<Place>("cursor")?);
    let words = query.text("text").map(str::to_lowercase);
    if words.as_ref().is_some_and(|words| words.len() > TEXT_BYTES_MAX) {
        return Err(Problem::too_large("text", TEXT_BYTES_MAX));
    }
    let room = Room::for_rows(limit)?;
    desk.history().wait_for(desk.position(), VIEW_WAIT_MOST).await?;
    let (found, next) = match &words {
        None => by_filter(desk, filter, place, limit).await?,
        Some(words) => by_words(desk, admin.door.desks.seals(), filter, words, place, limit).await?,
    };
    let conversations = found.iter().map(|(id, found)| Facts::of(&admin.door, desk, *id, found)).collect();
    room.ok(&Page { conversations, next: next.map(|place| place.to_string()) })
}

fn filter(desk: &dyn Desk, query: &Query) -> Result<Filter, Problem> {
    let state = query.text("state").map(|state| {
        let known = STATES.into_iter().find(|known| *known == state);
        known.ok_or_else(|| Problem::bad_field("state", "must be waiting, offered, active, wrap_up or closed"))
    });
    let agent = query.text("agent").map(|name| {
        desk.agent_row(name).map(|row| row.id).ok_or_else(|| Problem::from(Refusal::NoSuchAgent(name.into())))
    });
    let published = desk.published();
    let queue = query.text("queue").map(|name| {
        let found = published.queues.get(name).map(|(id, _)| *id);
        found.ok_or_else(|| Problem::from(Refusal::NoSuchQueue(name.into())))
    });
    Ok(Filter {
        state: state.transpose()?,
        agent: agent.transpose()?,
        queue: queue.transpose()?,
        customer: query.parsed("customer", "must be 32 hexadecimal digits")?,
        disposition: query.text("disposition").map(Arc::from),
        tag: query.text("tag").map(Arc::from),
        score: query.parsed("score", "must be 1 to 5")?,
        from: query.parsed("from", "must be Unix milliseconds")?,
        to: query.parsed("to", "must be Unix milliseconds")?,
    })
}

type Found = (Vec<(ConversationId, Conversation)>, Option<Place>);

async fn by_filter(desk: &dyn Desk, filter: Filter, place: Option<Place>, limit: usize) -> Result<Found, Problem> {
    let before = place.map(|place| place.conversation);
    let mut found = desk.history().search(filter, before, limit + 1).await?;
    let next = (found.len() > limit).then(|| {
        found.truncate(limit);
        Place { conversation: found[limit - 1].0, within: None }
    });
    Ok((found, next))
}

async fn by_words(
    desk: &dyn Desk,
    seals: &dyn Seals,
    filter: Filter,
    words: &str,
    place: Option<Place>,
    limit: usize,
) -> Result<Found, Problem> {
    let mut looked_at = 0;
    let mut budget = CLEAR_BYTES_MAX;
    let mut found = Vec::new();
    let mut before = place.map(|place| place.conversation);
    let mut candidates = Vec::new();
    let mut within = 0;
    if let Some(Place { conversation, within: Some(number) }) = place {
        // The last request stopped in the middle of this one.
        candidates.extend(desk.history().conversation(conversation).await?.map(|found| (conversation, found)));
        within = number;
    }
    loop {
        if candidates.is_empty() {
            candidates = desk.history().search(filter.clone(), before, PAGE).await?;
            if candidates.is_empty() {
                return Ok((found, None));
            }
        }
        for (id, conversation) in std::mem::take(&mut candidates) {
            match holds(desk, seals, id, words, std::mem::take(&mut within), &mut budget).await? {
                Holds::Yes => found.push((id, conversation)),
                Holds::No => {}
                Holds::NotDone { after } => {
                    return Ok((found, Some(Place { conversation: id, within: Some(after) })));
                }
            }
            before = Some(id);
            looked_at += 1;
            if found.len() == limit || looked_at == CONVERSATIONS_MAX {
                return Ok((found, Some(Place { conversation: id, within: None })));
            }
        }
    }
}

enum Holds {
    Yes,
    No,
    /// The budget is spent: go on behind this message.
    NotDone {
        after: u32,
    },
}

async fn holds(
    desk: &dyn Desk,
    seals: &dyn Seals,
    id: ConversationId,
    words: &str,
    mut after: u32,
    budget: &mut usize,
) -> Result<Holds, Problem> {
    loop {
        let Rows { rows, more } = desk.history().messages(id, Span::After(after), PAGE).await?;
        for row in &rows {
            if *budget == 0 {
                return Ok(Holds::NotDone { after });
            }
            let clear = text(seals, row.author, &row.text).unwrap_or_default();
            // An empty or erased one was work too.
            *budget = budget.saturating_sub(clear.len() + 64);
            if clear.to_lowercase().contains(words) {
                return Ok(Holds::Yes);
            }
            after = row.number;
        }
        if !more {
            return Ok(Holds::No);
        }
        // A search is no reason for others to wait on this worker.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_as_it_was_said() {
        for text in ["c17", "c17.200"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for wrong in ["", "17", "c17.", "c17.x", ".1"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}

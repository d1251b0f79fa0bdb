//! From the desk's and the view's values to what a customer is shown.

use crate::desk::command::Author;
use crate::desk::conversation::{Conversation, State};
use crate::desk::estimates::Estimate;
use crate::desk::ids::{AgentId, ConversationId, CustomerId};
use crate::engine::published::queue_title;
use crate::gateway::http::Door;
use crate::gateway::http::desks::{Desk, MessageRow, PublicFact, PublicFrame, PublicRow, Seals, Unread};
use crate::gateway::http::shown::files_shown;
use crate::wire::messenger::{ConversationShape, MessageShape, RatedShape, StreamEvent, TitleShape};
use crate::wire::percent::encoded;
use crate::wire::shown::{author_shown, closer_shown, notice_shown, state_shown};
use std::sync::Arc;

/// What a `ConversationShape` borrows from.
pub(super) struct Shown {
    queue: Arc<str>,
    agent: Option<Arc<str>>,
    place: Option<u32>,
    opens_at: Option<u64>,
    estimate: Option<Estimate>,
    pub connection: Option<&'static str>,
    pub events: Option<String>,
}

impl Shown {
    pub fn of(desk: &dyn Desk, id: ConversationId, conversation: &Conversation) -> Self {
        let published = desk.published();
        let name = published.queue_names.get(&conversation.queue);
        let found = name.and_then(|name| published.queues.get(name));
        let queue = found.map(|(_, queue)| queue_title(queue)).or_else(|| name.cloned()).unwrap_or_default();
        let agent = match conversation.state {
            State::Active { owner } => desk.agent_named(owner),
            _ => None,
        };
        let waits = state_shown(conversation.state) == "waiting";
        let outlook = desk.outlook(id).filter(|_| waits);
        Self {
            queue,
            place: outlook.map(|outlook| outlook.place),
            estimate: outlook.and_then(|outlook| outlook.estimate),
            opens_at: published.opens_at(conversation.queue).filter(|_| waits).map(|at| at.0),
            connection: agent.as_ref().map(|agent| agent.connection),
            agent: agent.map(|agent| if agent.title.is_empty() { agent.name } else { agent.title }),
            events: None,
        }
    }

    /// The queue's title.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    pub fn shape<'a>(&'a self, id: ConversationId, conversation: &Conversation) -> ConversationShape<'a> {
        ConversationShape {
            conversation: id,
            state: state_shown(conversation.state),
            queue: &self.queue,
            place: self.place,
            opens_at: self.opens_at,
            estimate: self.estimate,
            agent: self.agent.as_deref().map(|title| TitleShape { title }),
            last_number: conversation.last_number,
            read_by_agent: conversation.read_by_agent,
            read_by_customer: conversation.read_by_customer,
            opened_at: conversation.opened_at.0,
            ended_at: (state_shown(conversation.state) == "closed").then_some(conversation.ended_at.0),
            message: conversation.spell.message && state_shown(conversation.state) == "waiting",
            rating: conversation.rating().map(|rating| RatedShape { score: rating.score, at: rating.at.0 }),
            events: self.events.as_deref(),
        }
    }

    /// The stream's `state`, as of now.
    pub fn state_frame(&self, conversation: &Conversation) -> PublicFrame {
        let event = StreamEvent::State {
            state: state_shown(conversation.state),
            place: self.place,
            opens_at: self.opens_at,
            estimate: self.estimate,
            agent: self.agent.as_deref().map(|title| TitleShape { title }),
            agent_connection: self.connection,
        };
        PublicFrame { public: None, event: event.name(), data: event.data() }
    }
}

/// Where a conversation's stream is, with a ticket for it.
pub(super) fn events_path(door: &Door, desk: &dyn Desk, customer: CustomerId, id: ConversationId) -> String {
    let ticket = door.identities.stream_ticket(desk.name(), customer, id, (door.now)().wall);
    format!("/v1/messenger/{}/conversations/{id}/events?ticket={}", encoded(desk.name()), encoded(&ticket))
}

/// An agent's title; empty for one that is gone.
pub(super) fn title(desk: &dyn Desk, agent: AgentId) -> Arc<str> {
    let row = desk.agent_named(agent);
    row.map(|row| if row.title.is_empty() { row.name } else { row.title }).unwrap_or_default()
}

/// A message's text; empty when its customer was erased, or when it cannot be read, which is logged. What the workspace
/// itself said is in the clear.
fn clear(seals: &dyn Seals, author: Author, sealed: &str) -> String {
    if !author.is_sealed() {
        return sealed.to_owned();
    }
    match seals.unseal(b"text", sealed) {
        Ok(clear) => String::from_utf8(clear).unwrap_or_default(),
        Err(Unread::Erased) => String::new(),
        Err(Unread::Damaged) => {
            tracing::error!("a sealed text cannot be read");
            String::new()
        }
    }
}

/// Calls `then` with the message's shape: it borrows what is unsealed here.
pub(super) fn with_message<T>(
    door: &Door,
    desk: &dyn Desk,
    row: &MessageRow,
    then: impl FnOnce(MessageShape<'_>) -> T,
) -> T {
    let MessageRow { number, author, at, text, files } = row;
    let (number, author, seals) = (*number, *author, door.desks.seals());
    let text = clear(seals, author, text);
    let files = files_shown(seals, files);
    let title = match author {
        Author::Agent(agent) => Some(title(desk, agent)),
        Author::Customer(_) | Author::System(_) => None,
    };
    let agent = title.as_deref().map(|title| TitleShape { title });
    let (author, notice) = (author_shown(author), notice_shown(author));
    then(MessageShape { number, author, notice, agent, text: &text, at: at.0, files: &files })
}

/// A row of the view as the frame that the engine would have sent for it.
pub(super) fn frame(door: &Door, desk: &dyn Desk, row: &PublicRow) -> PublicFrame {
    with_event(door, desk, row, |event| PublicFrame {
        public: Some(row.public),
        event: event.name(),
        data: event.data(),
    })
}

/// Calls `then` with a row of the view as its customer may see it: it borrows what is unsealed here.
pub(super) fn with_event<T>(
    door: &Door,
    desk: &dyn Desk,
    row: &PublicRow,
    then: impl FnOnce(StreamEvent<'_>) -> T,
) -> T {
    let at = row.at.0;
    match &row.fact {
        PublicFact::Opened => then(StreamEvent::Opened { at }),
        PublicFact::Message { number, author, text, files } => {
            let (text, files) = (text.clone(), files.clone());
            let message = MessageRow { number: *number, author: *author, at: row.at, text, files };
            with_message(door, desk, &message, |shape| then(StreamEvent::Message(shape)))
        }
        PublicFact::Joined { agent } => {
            then(StreamEvent::Joined { agent: TitleShape { title: &title(desk, *agent) }, at })
        }
        PublicFact::Requeued => then(StreamEvent::Requeued { at }),
        PublicFact::Ended { by } => then(StreamEvent::Ended { by: closer_shown(*by), at }),
        PublicFact::Reopened => then(StreamEvent::Reopened { at }),
        PublicFact::Moved { queue } => {
            let published = desk.published();
            let found = published.queue_names.get(queue).and_then(|name| published.queues.get(name));
            let title = found.map(|(_, queue)| queue_title(queue)).unwrap_or_default();
            then(StreamEvent::Moved { queue: &title, at })
        }
        PublicFact::Left { agent } => then(StreamEvent::Left { agent: TitleShape { title: &title(desk, *agent) }, at }),
    }
}

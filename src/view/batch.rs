//! What the engine hands to the view: committed turns, and the desk's entities as they stand after them.

use crate::desk::answer::Outcome;
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::stored::Row;
use crate::desk::time::Now;
use std::sync::Arc;

/// One record of the journal, as committed.
#[derive(Clone, PartialEq, Debug)]
pub struct CommittedTurn {
    pub position: u64,
    pub now: Now,
    pub events: Vec<Event>,
    pub outcomes: Vec<Outcome>,
}

/// The records of one workspace in `after+1..=to`. Records that hold nothing for the view may be left out of `turns`.
#[derive(Clone, Debug)]
pub struct Batch {
    pub workspace: Arc<str>,
    /// The position before the first record: the batch is refused when the view has not reached it.
    pub after: u64,
    /// In the order of their positions.
    pub turns: Vec<Arc<CommittedTurn>>,
    pub to: u64,
    /// Entities that changed, as of `to`. Conversations are not among them.
    pub rows: Vec<Row>,
    /// Conversations that changed, as of `to`, the closed ones included.
    pub conversations: Vec<(ConversationId, Conversation)>,
}

//! Conversations that were had and closed in another system, and are history here: as they are asked for, and what one keeps of it. No rule
//! of the desk ever looks at one. It is found again by its source's own id, for as long as it is kept, so that it is never here twice.
//!
//! What is larger than a record goes in parts, one after the other.

use super::conversation::{Conversation, Spell, State};
use super::ids::{AgentId, ConversationId, CustomerId, ImportId, KeyNumber, QueueId};
use super::labels::{LabelChange, Labels};
use super::moves::Moved;
use super::ratings::Rating;
use super::settings::ChannelId;
use super::time::{DeskTimeOrNone, WallTime};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Messages and notes in one part.
pub const ENTRIES_MAX: usize = 200;
/// Their texts together, before they are sealed: sealed, and with all else that a part may hold, they fit a record beside what a
/// turn has decided before.
pub const TEXTS_BYTES_MAX: usize = 64 * 1024;
/// Parts of one conversation.
pub const PARTS_MAX: u32 = 500;

/// One part of a conversation from elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ImportAsk {
    pub import: ImportId,
    pub part: Part,
    pub entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    First(Box<Beginning>),
    /// What follows, from 2.
    Next(u32),
}

impl ImportAsk {
    /// From 1.
    #[must_use]
    pub fn part(&self) -> u32 {
        match self.part {
            Part::First(_) => 1,
            Part::Next(part) => part,
        }
    }

    /// Bytes of its texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let about = match &self.part {
            Part::First(beginning) => beginning.about.len(),
            Part::Next(_) => 0,
        };
        about + self.entries.iter().map(|entry| entry.text.len()).sum::<usize>()
    }
}

/// What is known of the conversation as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Beginning {
    pub customer: CustomerId,
    pub key: KeyNumber,
    pub channel: ChannelId,
    pub queue: QueueId,
    pub owner: Option<AgentId>,
    /// Sealed.
    pub about: Arc<str>,
    pub labels: LabelChange,
    pub opened_at: WallTime,
    pub closed_at: WallTime,
    pub rating: Option<Rated>,
}

/// As its customer rated it there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rated {
    pub score: u8,
    /// Sealed.
    pub comment: Option<Arc<str>>,
}

/// Something that was written in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub at: WallTime,
    pub by: By,
    /// Sealed.
    pub text: Arc<str>,
}

/// Whether its customer could read it, and who wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Customer,
    Agent(AgentId),
    /// A program or a rule there, or somebody who is no agent here.
    Other,
    /// An internal note; by nobody who is an agent here, where that is absent.
    Note(Option<AgentId>),
}

/// What an imported conversation keeps of where it came from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Imported {
    pub import: ImportId,
    /// Parts that are here.
    pub parts: u32,
    /// When it came here.
    pub at: WallTime,
    /// When the last that is here was written.
    pub last_at: WallTime,
}

impl Conversation {
    /// Where it came from, had it not been begun here.
    #[must_use]
    pub fn imported(&self) -> Option<&Imported> {
        self.moved.as_ref()?.imported.as_deref()
    }

    pub(super) fn change_imported(&mut self, change: impl FnOnce(&mut Imported)) {
        self.change_moved(|moved| {
            if let Some(imported) = &mut moved.imported {
                change(imported);
            }
        });
    }
}

impl Beginning {
    /// As it stands before anything was written in it: closed, and read.
    pub(super) fn conversation(&self, import: ImportId, labels: Labels, now: WallTime) -> Conversation {
        let rating = self.rating.as_ref().map(|rated| {
            let (score, comment) = (rated.score, rated.comment.clone());
            Box::new(Rating { score, comment, at: self.closed_at, times: 1 })
        });
        let imported = Imported { import, parts: 0, at: now, last_at: self.opened_at };
        let moved = Moved { last_owner: self.owner, rating, imported: Some(Box::new(imported)), ..Moved::default() };
        let mut conversation = Conversation {
            customer: self.customer,
            key: self.key,
            channel: self.channel,
            queue: self.queue,
            priority: 0,
            skills: Vec::new(),
            about: Some(self.about.clone()),
            state: State::Closed,
            offers: Vec::new(),
            opened_at: self.opened_at,
            waiting_since: self.opened_at,
            ended_at: self.closed_at,
            last_number: 0,
            public: 1,
            read_by_agent: 0,
            read_by_customer: 0,
            offers_made: 0,
            cool_downs: Vec::new(),
            requeue_at: DeskTimeOrNone::NONE,
            ring: 0,
            wishes: None,
            moved: Some(Box::new(moved)),
            routed: None,
            labels: None,
            spell: Spell::default(),
        };
        conversation.set_labels(&labels);
        conversation
    }
}

/// What was found of an import: the conversation that it became.
pub type FoundImport = (ConversationId, Conversation);

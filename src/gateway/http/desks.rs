//! What the HTTP side needs of the rest of the process, as narrow traits: the engine, the view, the key ring.

use crate::desk::command::{Author, Closer, Command};
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::files::{Attachments, FileId};
use crate::desk::ids::{AgentId, ConversationId, CustomerId, ImportId, KeyNumber, QueueId, SessionId};
use crate::desk::imported::FoundImport;
use crate::desk::settings::{AgentProfile, QueueSettings};
use crate::desk::time::WallTime;
use crate::feed::Feed;
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;

use super::problem::Problem;
pub use crate::engine::{AgentRow, Changes, NotDone, Outlook, OwnQuota, Published, QueueRow, QuotaStands, Replied};
pub use crate::journal::Position;
pub use crate::presence::PublicFrame;
pub use crate::view::reports::{
    Course, Cube, Found as ReportFound, Group as ReportGroup, Sums, Wanted as ReportWanted, measures,
};
pub use crate::view::{MessageRow, NoteRow, Rows};

pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All workspaces of this process.
pub trait Desks: Send + Sync + 'static {
    fn desk(&self, workspace: &str) -> Option<Arc<dyn Desk>>;
    /// Whether a new conversation would be taken now, in a workspace of this name if there is one; next to free.
    ///
    /// # Errors
    /// What its command would be told.
    fn may_start(&self, workspace: &str) -> Result<(), NotDone> {
        self.desk(workspace).map_or(Ok(()), |desk| desk.may_start())
    }
    /// In the order of names.
    fn names(&self) -> Vec<Arc<str>>;
    /// Makes a workspace with default settings, or finds the one that is there.
    fn create<'a>(&'a self, workspace: &'a str) -> Soon<'a, Result<Arc<dyn Desk>, NotDone>>;
    /// How the quota of a workspace stands.
    fn quota(&self, workspace: &str) -> Option<QuotaStands>;
    /// Sets a workspace's own quota, whole; on the disk when this answers.
    fn put_quota<'a>(&'a self, workspace: &'a str, own: OwnQuota) -> Soon<'a, Result<(), Problem>>;
    fn seals(&self) -> &dyn Seals;
    /// Closes every agent's socket that rests on the sign-in with this mark, at this node.
    fn close_sockets(&self, signin: u64, code: CloseCode, reason: &'static str) -> Vec<SessionId>;
}

/// One workspace: commands in, committed facts out.
pub trait Desk: Send + Sync + 'static {
    fn name(&self) -> &Arc<str>;
    fn ask(&self, command: Command) -> Soon<'_, Result<Replied, NotDone>>;
    /// Whether a new conversation would be taken now; asked before anything dear is done for it.
    fn may_start(&self) -> Result<(), NotDone> {
        Ok(())
    }
    /// The committed settings; cheap.
    fn published(&self) -> Arc<Published>;
    /// The last committed position.
    fn position(&self) -> Position;
    /// Whether more may be committed than is known here, by other nodes: what is not here may be there all the same.
    fn may_be_behind(&self) -> bool {
        false
    }
    fn agent_row(&self, name: &str) -> Option<AgentRow>;
    /// In the order of names, from behind `after`.
    fn agent_rows(&self, after: Option<&str>, limit: usize) -> Vec<AgentRow>;
    fn queue_rows(&self) -> Arc<Vec<QueueRow>>;
    fn profile(&self, name: &str) -> Option<Arc<AgentProfile>>;
    fn profiles(&self, after: Option<&str>, limit: usize) -> Vec<Arc<AgentProfile>>;
    /// How an agent is called, by its id.
    fn agent_named(&self, agent: AgentId) -> Option<AgentRow>;
    /// What it waits for; `None` when it is not waiting.
    fn outlook(&self, conversation: ConversationId) -> Option<Outlook>;
    /// Subscribes to what the conversation's customer may see, from now on.
    ///
    /// # Errors
    /// The workspace has as many connections as it may.
    fn stream(&self, conversation: ConversationId, after: u32) -> Result<Box<dyn Live>, NotDone>;
    /// Whether so many bytes more may be stored for it.
    ///
    /// # Errors
    /// Its quota is used up.
    fn has_storage(&self, bytes: u64) -> Result<(), NotDone> {
        let _ = bytes;
        Ok(())
    }
    /// How long closed conversations are kept; `None`: for ever.
    fn kept_ms(&self) -> Option<u64> {
        None
    }
    /// Told whenever a decision was wanted from outside, or ended; `None` when as many follow already as may.
    fn decisions(&self) -> Option<watch::Receiver<Changes>>;
    /// All that happens in it; `None` of a desk that keeps no journal, as those of tests.
    fn feed(&self) -> Option<Feed> {
        None
    }
    fn history(&self) -> &dyn History;
    /// The files of a conversation that a message is going to name, with their names sealed with its key.
    ///
    /// # Errors
    /// `no_such_file`; or they cannot be read now.
    fn attached<'a>(
        &'a self,
        conversation: ConversationId,
        key: KeyNumber,
        files: &'a [FileId],
    ) -> Soon<'a, Result<Attachments, WireError>>;
}

pub type QueuesByName = BTreeMap<Arc<str>, (QueueId, Arc<QueueSettings>)>;

/// A customer's subscription; dropping it ends it.
pub trait Live: Send + 'static {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Out>;
}

pub enum Out {
    Frame(PublicFrame),
    /// Frames were dropped, since they were not taken in time: the view has them.
    Behind,
    /// The workspace is going down; the browser comes back by itself.
    Ended {
        retry_after_ms: u32,
    },
}

/// What people read, of one workspace.
///
/// A page ends with its last row, or earlier where its rows are large: it says whether there are more.
pub trait History: Send + Sync {
    fn wait_for(&self, position: Position, most: Duration) -> Soon<'_, Result<(), Behind>>;
    /// As committed, of one that is not closed; next to free.
    fn open(&self, conversation: ConversationId) -> Option<Arc<Conversation>>;
    /// Open or closed.
    fn conversation(&self, conversation: ConversationId) -> Soon<'_, Result<Option<Conversation>, NotRead>>;
    /// What another system's conversation became here.
    fn imported(&self, import: ImportId) -> Soon<'_, Result<Option<FoundImport>, NotRead>>;
    /// Newest first.
    fn conversations_of(
        &self,
        customer: CustomerId,
        limit: usize,
    ) -> Soon<'_, Result<Vec<(ConversationId, Conversation)>, NotRead>>;
    /// Ascending; the last `limit` when neither end is given.
    fn messages(
        &self,
        conversation: ConversationId,
        span: Span,
        limit: usize,
    ) -> Soon<'_, Result<Rows<MessageRow>, NotRead>>;
    /// Internal notes, ascending, from behind `after`.
    fn notes(&self, conversation: ConversationId, after: u32, limit: usize)
    -> Soon<'_, Result<Rows<NoteRow>, NotRead>>;
    /// Ascending, from behind `after`.
    fn public_events(
        &self,
        conversation: ConversationId,
        after: u32,
        limit: usize,
    ) -> Soon<'_, Result<Rows<PublicRow>, NotRead>>;
    /// Newest first, from before `before`.
    fn search(
        &self,
        filter: Filter,
        before: Option<ConversationId>,
        limit: usize,
    ) -> Soon<'_, Result<Vec<(ConversationId, Conversation)>, NotRead>>;
    /// Ascending, from behind the position and index.
    fn events_of(
        &self,
        conversation: ConversationId,
        after: Option<(Position, u32)>,
        limit: usize,
    ) -> Soon<'_, Result<Rows<EventRow>, NotRead>>;
    /// What was counted.
    fn report(&self, wanted: ReportWanted) -> Soon<'_, Result<ReportFound, NotRead>>;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Behind;

/// The view could not be read: its store failed. The cause is logged where it happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotRead;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    Last,
    After(u32),
    Before(u32),
}

#[derive(Clone, PartialEq, Debug)]
pub struct PublicRow {
    pub public: u32,
    pub at: WallTime,
    pub fact: PublicFact,
}

#[derive(Clone, PartialEq, Debug)]
pub enum PublicFact {
    Opened,
    /// The text is sealed.
    Message {
        number: u32,
        author: Author,
        text: Arc<str>,
        files: Attachments,
    },
    Joined {
        agent: AgentId,
    },
    Requeued,
    Ended {
        by: Closer,
    },
    Reopened,
    Left {
        agent: AgentId,
    },
    /// It waits in this queue now.
    Moved {
        queue: QueueId,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    pub state: Option<&'static str>,
    pub agent: Option<AgentId>,
    pub queue: Option<QueueId>,
    pub customer: Option<CustomerId>,
    pub disposition: Option<Arc<str>>,
    pub tag: Option<Arc<str>>,
    pub score: Option<u8>,
    /// Opened at or after, and before; Unix milliseconds.
    pub from: Option<u64>,
    pub to: Option<u64>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct EventRow {
    pub position: Position,
    pub index: u32,
    pub at: WallTime,
    pub event: Event,
}

/// Customers' keys.
pub trait Seals: Send + Sync {
    /// A key for a new customer; durable when this answers.
    fn assign(&self) -> Soon<'_, Result<KeyNumber, NotSealed>>;
    fn seal(&self, key: KeyNumber, context: &[u8], clear: &[u8]) -> Result<Arc<str>, NotSealed>;
    fn unseal(&self, context: &[u8], sealed: &str) -> Result<Vec<u8>, Unread>;
    fn keyed_hash(&self, domain: &str, bytes: &[u8]) -> [u8; 16];
    /// Nothing that was sealed with these keys can be read any more; done for good when this answers.
    fn erase(&self, workspace: &str, customer: CustomerId, keys: Vec<KeyNumber>) -> Soon<'_, Result<(), NotSealed>>;
    /// Whether nothing can be sealed under it any more.
    ///
    /// # Errors
    /// `Failed`: that cannot be known now.
    fn is_erased(&self, key: KeyNumber) -> Result<bool, NotSealed>;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotSealed {
    /// The customer was erased: nothing can be written under its key any more.
    Erased,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unread {
    Erased,
    Damaged,
}

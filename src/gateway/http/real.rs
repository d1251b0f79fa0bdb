//! The HTTP side's traits over the real engine, view and key ring.

use super::desks::{
    AgentRow, Behind, Changes, Desk, Desks, EventRow, Filter, History, Live, MessageRow, NotDone, NotRead, NotSealed,
    NoteRow, Out, Outlook, Position, PublicFact, PublicRow, Published, QueueRow, Replied, ReportFound, ReportWanted,
    Rows, Seals, Soon, Span, Unread,
};
use super::problem::Problem;
use crate::clock;
use crate::desk::command::Command;
use crate::desk::conversation::Conversation;
use crate::desk::files::{Attachments, FileId};
use crate::desk::ids::{AgentId, ConversationId, CustomerId, ImportId, KeyNumber, SessionId};
use crate::desk::imported::FoundImport;
use crate::desk::settings::AgentProfile;
use crate::engine::attaching::attached;
use crate::engine::{Engine, OwnQuota, QuotaStands, Workspace};
use crate::feed::{Feed, Feeds};
use crate::files::Files;
use crate::gateway::lag::Lag;
use crate::presence::{Registry, Stream, StreamOut};
use crate::seal::{self, Erasure, KeyRing, SealFailed, Sealed, Unsealed};
use crate::view::{self, Page, Public, View, ViewFailed};
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;

/// All workspaces of the real engine.
pub struct RealDesks {
    engine: Arc<Engine>,
    lag: Arc<Lag>,
    seals: RealSeals,
    feeds: Feeds,
}

impl RealDesks {
    #[must_use]
    pub fn new(engine: Arc<Engine>, lag: Arc<Lag>, feeds: Feeds) -> Self {
        let seals = RealSeals { keys: engine.keys().clone() };
        Self { engine, lag, seals, feeds }
    }

    fn of(&self, workspace: Arc<Workspace>) -> Arc<dyn Desk> {
        let history = RealHistory { workspace: workspace.clone(), view: self.engine.view().clone() };
        Arc::new(RealDesk {
            workspace,
            history,
            registry: self.engine.registry().clone(),
            lag: self.lag.clone(),
            files: self.engine.files().clone(),
            keys: self.engine.keys().clone(),
            feeds: self.feeds.clone(),
            kept_ms: self.engine.kept_ms(),
            may_be_behind: self.engine.may_be_behind(),
        })
    }
}

impl Desks for RealDesks {
    fn desk(&self, workspace: &str) -> Option<Arc<dyn Desk>> {
        self.engine.workspace(workspace).map(|held| self.of(held))
    }

    fn may_start(&self, workspace: &str) -> Result<(), NotDone> {
        self.engine.workspace(workspace).map_or(Ok(()), |held| may_start(&held, &self.lag))
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.engine.names()
    }

    fn create<'a>(&'a self, workspace: &'a str) -> Soon<'a, Result<Arc<dyn Desk>, NotDone>> {
        Box::pin(async move { self.engine.create_workspace(workspace).await.map(|held| self.of(held)) })
    }

    fn quota(&self, workspace: &str) -> Option<QuotaStands> {
        self.engine.workspace(workspace).map(|held| self.engine.quota_of(&held))
    }

    fn put_quota<'a>(&'a self, workspace: &'a str, own: OwnQuota) -> Soon<'a, Result<(), Problem>> {
        Box::pin(async move {
            let held = self.engine.workspace(workspace).ok_or_else(|| Problem::not_found("workspace"))?;
            self.engine.put_quota(&held, own).await.map_err(|error| {
                tracing::error!(%error, "a quota could not be kept");
                Problem(WireError::unavailable(1_000, "the quota cannot be written"))
            })
        })
    }

    fn seals(&self) -> &dyn Seals {
        &self.seals
    }

    fn close_sockets(&self, signin: u64, code: CloseCode, reason: &'static str) -> Vec<SessionId> {
        self.engine.registry().close_of_signin(signin, code, reason)
    }
}

fn may_start(workspace: &Workspace, lag: &Lag) -> Result<(), NotDone> {
    // Counted first, whatever comes of it.
    if workspace.asks_beyond_its_share() && lag.is_late() {
        return Err(workspace.refuse_start(lag.retry_after_ms()));
    }
    workspace.may_start()
}

struct RealDesk {
    workspace: Arc<Workspace>,
    history: RealHistory,
    registry: Arc<Registry>,
    lag: Arc<Lag>,
    files: Arc<Files>,
    keys: Arc<KeyRing>,
    feeds: Feeds,
    /// By the server's settings.
    kept_ms: Option<u64>,
    may_be_behind: bool,
}

impl Desk for RealDesk {
    fn name(&self) -> &Arc<str> {
        self.workspace.name()
    }

    fn ask(&self, command: Command) -> Soon<'_, Result<Replied, NotDone>> {
        Box::pin(self.workspace.ask(command))
    }

    fn may_start(&self) -> Result<(), NotDone> {
        may_start(&self.workspace, &self.lag)
    }

    fn published(&self) -> Arc<Published> {
        self.workspace.published()
    }

    fn position(&self) -> Position {
        self.workspace.position()
    }

    fn may_be_behind(&self) -> bool {
        self.may_be_behind
    }

    fn agent_row(&self, name: &str) -> Option<AgentRow> {
        self.workspace.agent_row(name)
    }

    fn agent_rows(&self, after: Option<&str>, limit: usize) -> Vec<AgentRow> {
        self.workspace.agent_rows(after, limit)
    }

    fn queue_rows(&self) -> Arc<Vec<QueueRow>> {
        self.workspace.queue_rows()
    }

    fn profile(&self, name: &str) -> Option<Arc<AgentProfile>> {
        self.workspace.profile(name)
    }

    fn profiles(&self, after: Option<&str>, limit: usize) -> Vec<Arc<AgentProfile>> {
        self.workspace.profiles(after, limit)
    }

    fn agent_named(&self, agent: AgentId) -> Option<AgentRow> {
        self.workspace.agent_with_id(agent)
    }

    fn outlook(&self, conversation: ConversationId) -> Option<Outlook> {
        self.workspace.outlook(conversation)
    }

    fn stream(&self, conversation: ConversationId, _after: u32) -> Result<Box<dyn Live>, NotDone> {
        // A stream that breaks comes back and loses nothing, so none is kept a place for.
        self.workspace.quota().connect(|| false)?;
        let number = self.workspace.number();
        match self.registry.follow(number, conversation) {
            Ok(stream) => {
                let (registry, workspace) = (self.registry.clone(), self.workspace.clone());
                Ok(Box::new(Following { registry, workspace, conversation, stream }))
            }
            // The browser comes back by itself.
            Err(_) => {
                self.workspace.quota().disconnect();
                Ok(Box::new(NoRoom))
            }
        }
    }

    fn has_storage(&self, bytes: u64) -> Result<(), NotDone> {
        Ok(self.workspace.quota().has_storage(bytes)?)
    }

    fn kept_ms(&self) -> Option<u64> {
        let own = self.workspace.published().settings.retention_days.map(|days| u64::from(days) * 86_400_000);
        own.into_iter().chain(self.kept_ms).min()
    }

    fn decisions(&self) -> Option<watch::Receiver<Changes>> {
        self.workspace.followers().follow()
    }

    fn feed(&self) -> Option<Feed> {
        self.feeds.of(self.workspace.name())
    }

    fn history(&self) -> &dyn History {
        &self.history
    }

    fn attached<'a>(
        &'a self,
        conversation: ConversationId,
        key: KeyNumber,
        files: &'a [FileId],
    ) -> Soon<'a, Result<Attachments, WireError>> {
        Box::pin(attached(&self.files, &self.keys, self.workspace.name(), conversation, key, files))
    }
}

/// A customer's stream, taken out of the registry when it is dropped.
struct Following {
    registry: Arc<Registry>,
    workspace: Arc<Workspace>,
    conversation: ConversationId,
    stream: Arc<Stream>,
}

impl Live for Following {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Out> {
        self.stream.poll_next(cx).map(|out| match out {
            StreamOut::Frame(frame) => Out::Frame(frame),
            StreamOut::Behind => Out::Behind,
            StreamOut::Ended { retry_after_ms } => Out::Ended { retry_after_ms },
        })
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.registry.unfollow(self.workspace.number(), self.conversation, &self.stream);
        self.workspace.quota().disconnect();
    }
}

struct NoRoom;

/// As what a stream is told at its start.
const NO_ROOM_RETRY_MS: u32 = 1_000;

impl Live for NoRoom {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Out> {
        Poll::Ready(Out::Ended { retry_after_ms: NO_ROOM_RETRY_MS })
    }
}

struct RealHistory {
    workspace: Arc<Workspace>,
    view: Arc<View>,
}

fn not_read(error: ViewFailed) -> NotRead {
    // A flood makes thousands of these a second, and whoever asked is told.
    if !matches!(error, ViewFailed::Busy) {
        tracing::warn!(%error, "the view could not be read");
    }
    NotRead
}

impl History for RealHistory {
    fn wait_for(&self, position: Position, most: Duration) -> Soon<'_, Result<(), Behind>> {
        Box::pin(async move { self.view.wait_for(self.workspace.name(), position.0, most).await.map_err(|_| Behind) })
    }

    fn open(&self, conversation: ConversationId) -> Option<Arc<Conversation>> {
        self.workspace.conversation(conversation)
    }

    fn conversation(&self, conversation: ConversationId) -> Soon<'_, Result<Option<Conversation>, NotRead>> {
        Box::pin(async move {
            // What is open is in memory, as committed; the view may lag.
            if let Some(open) = self.open(conversation) {
                return Ok(Some((*open).clone()));
            }
            self.view.conversation(self.workspace.name(), conversation).await.map_err(not_read)
        })
    }

    fn imported(&self, import: ImportId) -> Soon<'_, Result<Option<FoundImport>, NotRead>> {
        Box::pin(async move { self.view.imported(self.workspace.name(), import).await.map_err(not_read) })
    }

    fn conversations_of(
        &self,
        customer: CustomerId,
        limit: usize,
    ) -> Soon<'_, Result<Vec<(ConversationId, Conversation)>, NotRead>> {
        Box::pin(async move {
            let rows = self.view.conversations_of_customer(self.workspace.name(), customer, limit).await;
            Ok(rows.map_err(not_read)?.into_iter().map(|row| (row.id, row.conversation)).collect())
        })
    }

    fn messages(
        &self,
        conversation: ConversationId,
        span: Span,
        limit: usize,
    ) -> Soon<'_, Result<Rows<MessageRow>, NotRead>> {
        let page = match span {
            Span::Last => Page::Last,
            Span::After(number) => Page::After(number),
            Span::Before(number) => Page::Before(number),
        };
        Box::pin(async move {
            let read = self.view.messages(self.workspace.name(), conversation, page, limit).await;
            read.map_err(not_read)
        })
    }

    fn notes(
        &self,
        conversation: ConversationId,
        after: u32,
        limit: usize,
    ) -> Soon<'_, Result<Rows<NoteRow>, NotRead>> {
        Box::pin(async move {
            let read = self.view.notes(self.workspace.name(), conversation, after, limit).await;
            read.map_err(not_read)
        })
    }

    fn public_events(
        &self,
        conversation: ConversationId,
        after: u32,
        limit: usize,
    ) -> Soon<'_, Result<Rows<PublicRow>, NotRead>> {
        Box::pin(async move {
            let read = self.view.public_events(self.workspace.name(), conversation, after, limit).await;
            let Rows { rows, more } = read.map_err(not_read)?;
            let rows = rows.into_iter();
            let rows = rows.map(|row| PublicRow { public: row.public, at: row.at, fact: fact_of(row.what) });
            Ok(Rows { rows: rows.collect(), more })
        })
    }

    fn report(&self, wanted: ReportWanted) -> Soon<'_, Result<ReportFound, NotRead>> {
        Box::pin(async move {
            let read = self.view.report(self.workspace.name(), wanted).await;
            Ok(read.map_err(not_read)?.unwrap_or_default())
        })
    }

    fn search(
        &self,
        filter: Filter,
        before: Option<ConversationId>,
        limit: usize,
    ) -> Soon<'_, Result<Vec<(ConversationId, Conversation)>, NotRead>> {
        let filter = view::Filter {
            state: filter.state.map(Arc::from),
            agent: filter.agent,
            queue: filter.queue,
            customer: filter.customer,
            disposition: filter.disposition,
            tag: filter.tag,
            score: filter.score,
            from_ms: filter.from,
            to_ms: filter.to,
        };
        Box::pin(async move {
            let mut found = Vec::new();
            let mut cursor = before;
            // A page of the view looks at a bounded number of rows, and may be short though there are more.
            loop {
                let hits = self.view.search(self.workspace.name(), filter.clone(), cursor, limit - found.len()).await;
                let hits = hits.map_err(not_read)?;
                found.extend(hits.rows.into_iter().map(|row| (row.id, row.conversation)));
                cursor = hits.next;
                if cursor.is_none() || found.len() >= limit {
                    return Ok(found);
                }
            }
        })
    }

    fn events_of(
        &self,
        conversation: ConversationId,
        after: Option<(Position, u32)>,
        limit: usize,
    ) -> Soon<'_, Result<Rows<EventRow>, NotRead>> {
        Box::pin(async move {
            let after = after.map(|(position, index)| (position.0, index));
            let read = self.view.events_of(self.workspace.name(), conversation, after, limit).await;
            let Rows { rows, more } = read.map_err(not_read)?;
            let form = |row: view::EventRow| EventRow {
                position: Position(row.position),
                index: row.index,
                at: row.at,
                event: row.event,
            };
            Ok(Rows { rows: rows.into_iter().map(form).collect(), more })
        })
    }
}

fn fact_of(what: Public) -> PublicFact {
    match what {
        Public::Opened => PublicFact::Opened,
        Public::Message { number, author, text, files } => PublicFact::Message { number, author, text, files },
        Public::Joined { agent } => PublicFact::Joined { agent },
        Public::Requeued => PublicFact::Requeued,
        Public::Ended { by } => PublicFact::Ended { by },
        Public::Reopened => PublicFact::Reopened,
        Public::Left { agent } => PublicFact::Left { agent },
        Public::Moved { queue } => PublicFact::Moved { queue },
    }
}

struct RealSeals {
    keys: Arc<KeyRing>,
}

impl Seals for RealSeals {
    fn assign(&self) -> Soon<'_, Result<KeyNumber, NotSealed>> {
        // Keys are made ahead: this waits for a disk only when all of them are used up.
        let assigned = self.keys.assign().map(|key| KeyNumber(key.0)).map_err(not_sealed);
        Box::pin(std::future::ready(assigned))
    }

    fn seal(&self, key: KeyNumber, context: &[u8], clear: &[u8]) -> Result<Arc<str>, NotSealed> {
        let sealed = self.keys.seal(seal::KeyNumber(key.0), context, clear);
        sealed.map(|sealed| Arc::from(sealed.0)).map_err(not_sealed)
    }

    fn unseal(&self, context: &[u8], sealed: &str) -> Result<Vec<u8>, Unread> {
        self.keys.unseal(context, &Sealed(sealed.into())).map_err(|error| match error {
            Unsealed::Erased => Unread::Erased,
            Unsealed::Damaged | Unsealed::Unavailable(_) => Unread::Damaged,
        })
    }

    fn keyed_hash(&self, domain: &str, bytes: &[u8]) -> [u8; 16] {
        self.keys.keyed_hash(domain, bytes)
    }

    fn erase(&self, workspace: &str, customer: CustomerId, keys: Vec<KeyNumber>) -> Soon<'_, Result<(), NotSealed>> {
        let erasure = Erasure {
            workspace: workspace.to_owned(),
            customer: customer.to_string(),
            keys: keys.into_iter().map(|key| seal::KeyNumber(key.0)).collect(),
            at: clock::wall_ms(),
        };
        let ring = self.keys.clone();
        Box::pin(async move {
            let erased = tokio::task::spawn_blocking(move || ring.erase_customer(&erasure)).await;
            erased.map_err(|_| NotSealed::Failed)?.map_err(not_sealed)
        })
    }

    fn is_erased(&self, key: KeyNumber) -> Result<bool, NotSealed> {
        self.keys.is_erased(seal::KeyNumber(key.0)).map_err(not_sealed)
    }
}

fn not_sealed(error: SealFailed) -> NotSealed {
    if matches!(error, SealFailed::Erased) {
        return NotSealed::Erased;
    }
    tracing::error!(%error, "customers' keys cannot be used");
    NotSealed::Failed
}

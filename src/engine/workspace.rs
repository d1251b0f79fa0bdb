//! One workspace as the rest of the process sees it: a place to hand commands in, and what was committed.

use super::committed::Committed;
use super::counted::Amounts;
use super::followers::Followers;
use super::hints::Hints;
use super::idle::IdleElsewhere;
use super::intake::{Intake, Limits, ReplyTo};
use super::outlook::Outlook;
use super::passing::Taken;
use super::published::{AgentRow, NotDone, Published, QueueRow, Replied, Roll};
use super::quota::Account;
use super::shares::{Share, Shares};
use super::sheets::Sheets;
use super::tail::Tail;
use super::turn::Asked;
use super::watch::Watchers;
use crate::clock;
use crate::desk::command::{Ask, Command};
use crate::desk::conversation::Conversation;
use crate::desk::ids::{AgentId, CommandId, ConversationId};
use crate::desk::settings::AgentProfile;
use crate::health::Component;
use crate::health::experience::EXPERIENCE;
use crate::journal::Position;
use crate::journal::record::Lead;
use crate::presence::{Session, WorkspaceNumber};
use crate::telemetry::traces;
use arc_swap::{ArcSwap, ArcSwapOption};
use dashmap::DashMap;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// The workspace of the server's own probe. Not a name that anybody may choose, and kept out of what people are shown: lists of
/// workspaces, and the counts of agents, conversations, offers and messages.
pub const PROBES: &str = "_probe";

/// How a workspace takes commands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It is being loaded.
    Nothing {
        why: &'static str,
    },
    /// Room is left for accepts, closes and edges only.
    LastResort {
        why: &'static str,
    },
    Everything,
}

impl Taking {
    /// The word for metrics and readiness.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Taking::Everything => "serving",
            Taking::LastResort { .. } => "scarce",
            Taking::Nothing { .. } => "unavailable",
        }
    }
}

#[derive(Debug)]
pub struct Workspace {
    name: Arc<str>,
    number: WorkspaceNumber,
    pub(super) intake: Intake,
    pub(super) published: ArcSwap<Published>,
    pub(super) position: AtomicU64,
    pub(super) taking: ArcSwap<Taking>,
    pub(super) roll: RwLock<Roll>,
    pub(super) queue_rows: ArcSwap<Vec<QueueRow>>,
    /// Places in their queues of those whose customers look, about a second old.
    pub(super) outlooks: ArcSwap<BTreeMap<ConversationId, Outlook>>,
    pub(super) watchers: Watchers,
    pub(super) sheets: Sheets,
    pub(super) followers: Followers,
    pub(super) committed: Committed,
    pub(super) amounts: ArcSwap<Amounts>,
    /// Committed conversations that are not closed, for readers.
    pub(super) open: DashMap<ConversationId, Arc<Conversation>>,
    pub(super) last_conversation: AtomicU64,
    /// The view is behind: nothing new is begun until it has caught up.
    pub(super) starts_held: AtomicBool,
    /// The view has more to write than imports should add to.
    pub(super) imports_held: AtomicBool,
    /// In a cluster: records of whoever leads.
    pub(super) tail: Tail,
    pub(super) hints: Hints,
    pub(super) idle_elsewhere: IdleElsewhere,
    /// This node's claim, while it leads.
    pub(super) leads: ArcSwapOption<Lead>,
    /// What other nodes passed on.
    taken: Taken,
    quota: Account,
    share: Share,
    shares: Arc<Shares>,
}

/// How long a caller waits for its answer before it is told to try again: its command may still be done, and a
/// retry with its id hears so.
const RETRY_AFTER_MS: u64 = 1_000;

impl Workspace {
    pub(super) fn new(name: Arc<str>, number: WorkspaceNumber, limits: Limits, shares: Arc<Shares>) -> Self {
        Self {
            name,
            number,
            intake: Intake::new(limits),
            published: ArcSwap::default(),
            position: AtomicU64::new(0),
            taking: ArcSwap::from_pointee(Taking::Nothing { why: "the workspace is starting" }),
            roll: RwLock::default(),
            queue_rows: ArcSwap::default(),
            outlooks: ArcSwap::default(),
            watchers: Watchers::default(),
            sheets: Sheets::default(),
            followers: Followers::default(),
            committed: Committed::default(),
            amounts: ArcSwap::default(),
            open: DashMap::new(),
            last_conversation: AtomicU64::new(0),
            starts_held: AtomicBool::new(false),
            imports_held: AtomicBool::new(false),
            tail: Tail::default(),
            hints: Hints::default(),
            idle_elsewhere: IdleElsewhere::default(),
            leads: ArcSwapOption::default(),
            taken: Taken::default(),
            quota: Account::default(),
            share: Share::default(),
            shares,
        }
    }

    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether it is the one of the server's own probe.
    #[must_use]
    pub fn is_probes(&self) -> bool {
        *self.name == *PROBES
    }

    #[must_use]
    pub fn number(&self) -> WorkspaceNumber {
        self.number
    }

    #[must_use]
    pub fn taking(&self) -> Taking {
        **self.taking.load()
    }

    /// What its operator allows it, and what it has of that.
    #[must_use]
    pub fn quota(&self) -> &Account {
        &self.quota
    }

    /// The last committed position.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(self.position.load(Ordering::Acquire))
    }

    /// The committed settings; cheap.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// Hand in a command; its reply goes into the session's mailbox.
    ///
    /// # Errors
    /// Nothing happened, and nothing will be said.
    pub fn submit(&self, command: Command, session: &Arc<Session>, id: CommandId) -> Result<(), NotDone> {
        self.put_of_session(command, ReplyTo::Session { session: session.clone(), id })
    }

    /// A session came: it is welcomed with a snapshot, or closed.
    ///
    /// # Errors
    /// Nothing happened, and nothing will be said.
    pub fn submit_session(&self, command: Command, session: &Arc<Session>, ticket: Box<str>) -> Result<(), NotDone> {
        self.put_of_session(command, ReplyTo::Welcome { session: session.clone(), ticket })
    }

    /// An edge that nobody waits for: a session went.
    pub fn tell(&self, command: Command) {
        // Edges are never refused.
        let _ = self.intake.put(Asked::untraced(command, ReplyTo::Nobody), clock::monotonic_ms());
    }

    /// Hand in a command and wait for what comes of it.
    ///
    /// # Errors
    /// Nothing happened.
    pub async fn ask(&self, command: Command) -> Result<Replied, NotDone> {
        let (answer, answered) = oneshot::channel();
        self.put(command, ReplyTo::Caller(answer)).map_err(|(not_done, _)| not_done)?;
        let stopped = NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why: "the server is going down".into() };
        answered.await.unwrap_or(Err(stopped))
    }

    /// Hand in a command that another node passed on; what comes of it is for that node to tell.
    ///
    /// # Errors
    /// Nothing happened.
    pub(super) fn submit_passed(
        &self,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Replied, NotDone>>, NotDone> {
        let (answer, answered) = oneshot::channel();
        self.put(command, ReplyTo::Node(answer)).map_err(|(not_done, _)| not_done)?;
        Ok(answered)
    }

    /// This node's claim, while it leads.
    #[must_use]
    pub(super) fn leads(&self) -> Option<Lead> {
        self.leads.load().as_deref().copied()
    }

    pub(super) fn leads_by(&self, claim: Option<Lead>) {
        self.leads.store(claim.map(Arc::new));
        self.committed.follows(false);
    }

    /// Where it never led, as without a cluster, nothing changes.
    pub(super) fn leads_no_more(&self) {
        if self.leads.swap(None).is_some() {
            self.committed.follows(true);
        }
    }

    pub(super) fn taken(&self) -> &Taken {
        &self.taken
    }

    /// A new conversation is refused for a reason that the intake does not see; counted as its own.
    #[must_use]
    pub fn refuse_start(&self, retry_after_ms: u64) -> NotDone {
        self.intake.refuse_start(retry_after_ms)
    }

    /// Somebody wants to begin a conversation: whether its workspace is asking for more than its share, where there is not enough for all.
    #[must_use]
    pub fn asks_beyond_its_share(&self) -> bool {
        let now_ms = clock::monotonic_ms();
        self.shares.ask(&self.share, now_ms);
        self.shares.is_used_up(&self.share, now_ms)
    }

    /// Whether a new conversation would be taken now.
    ///
    /// # Errors
    /// What its command would be told.
    pub fn may_start(&self) -> Result<(), NotDone> {
        match self.taking() {
            Taking::Everything if self.starts_held.load(Ordering::Relaxed) => Err(self.refuse_start(RETRY_AFTER_MS)),
            Taking::Everything => {
                let now_ms = clock::monotonic_ms();
                self.quota.may_start(now_ms)?;
                self.intake.may_start(now_ms)
            }
            Taking::Nothing { why } | Taking::LastResort { why } => {
                Err(NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why: why.into() })
            }
        }
    }

    fn put_of_session(&self, command: Command, reply_to: ReplyTo) -> Result<(), NotDone> {
        let name = command.ask.name();
        self.put(command, reply_to).map_err(|(not_done, reply_to)| {
            // Who is over its quota is refused by its own fault.
            if !matches!(not_done, NotDone::Quota(_)) {
                self.experienced(name, &reply_to, None);
            }
            not_done
        })
    }

    /// An agent's client was told to come later, before anything was asked.
    pub fn not_admitted(&self) {
        if !self.is_probes() {
            EXPERIENCE.failed(Component::AgentInterface);
        }
    }

    /// An agent's client was answered, after so long; `None`: that nothing could be done. What was asked over HTTP is counted where
    /// HTTP is answered.
    pub(super) fn experienced(&self, asked: &str, reply_to: &ReplyTo, took_ms: Option<u64>) {
        if self.is_probes() || !matches!(reply_to, ReplyTo::Session { .. } | ReplyTo::Welcome { .. }) {
            return;
        }
        let component = match asked {
            "accept" | "reject" | "confirm_delivery" => Component::ConversationOffers,
            "post" => Component::Messenger,
            _ => Component::AgentInterface,
        };
        match took_ms {
            Some(took_ms) => EXPERIENCE.answered(component, took_ms),
            None => EXPERIENCE.failed(component),
        }
    }

    fn put(&self, command: Command, reply_to: ReplyTo) -> Result<(), (NotDone, ReplyTo)> {
        let unavailable = |why: &'static str| NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why: why.into() };
        match self.taking() {
            Taking::Everything => {}
            Taking::LastResort { .. } if super::turn::may_use_the_last_room(&command.ask) => {}
            Taking::Nothing { why } | Taking::LastResort { why } => return Err((unavailable(why), reply_to)),
        }
        if matches!(command.ask, Ask::Import(_)) && self.imports_held.load(Ordering::Relaxed) {
            return Err((self.intake.refuse_import(RETRY_AFTER_MS), reply_to));
        }
        let now_ms = clock::monotonic_ms();
        self.shares.ask(&self.share, now_ms);
        if let Err(over) = self.quota.take(&command.ask, now_ms) {
            return Err((over.into(), reply_to));
        }
        let trace = traces::part(|| format!("command {}", command.ask.name()));
        self.intake.put(Asked { command, reply_to, trace }, now_ms)
    }

    /// This session's deltas were dropped: it wants a fresh snapshot.
    pub fn want_snapshot(&self, session: &Arc<Session>) {
        self.intake.want_snapshot(session);
    }

    #[must_use]
    pub fn agent_row(&self, name: &str) -> Option<AgentRow> {
        self.roll().named(name).cloned()
    }

    #[must_use]
    pub fn agent_with_id(&self, id: AgentId) -> Option<AgentRow> {
        self.roll().with_id(id).cloned()
    }

    /// In the order of names, from behind `after`.
    #[must_use]
    pub fn agent_rows(&self, after: Option<&str>, limit: usize) -> Vec<AgentRow> {
        self.roll().after(after).take(limit).cloned().collect()
    }

    #[must_use]
    pub fn profile(&self, name: &str) -> Option<Arc<AgentProfile>> {
        self.roll().profile(name)
    }

    /// In the order of names, from behind `after`.
    #[must_use]
    pub fn profiles(&self, after: Option<&str>, limit: usize) -> Vec<Arc<AgentProfile>> {
        let roll = self.roll();
        let names = roll.after(after).take(limit);
        names.filter_map(|row| roll.profile(&row.name)).collect()
    }

    /// As of at most a second ago.
    #[must_use]
    pub fn queue_rows(&self) -> Arc<Vec<QueueRow>> {
        self.queue_rows.load_full()
    }

    /// What it waits for; `None` when it does not wait.
    #[must_use]
    pub fn outlook(&self, conversation: ConversationId) -> Option<Outlook> {
        self.outlooks.load().get(&conversation).copied()
    }

    #[must_use]
    pub fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    /// Those who watch agents sorted and filtered.
    #[must_use]
    pub fn sheets(&self) -> &Sheets {
        &self.sheets
    }

    /// Those who follow the decisions that are wanted from outside.
    #[must_use]
    pub fn followers(&self) -> &Followers {
        &self.followers
    }

    /// How far it has committed, for those who follow all of it.
    #[must_use]
    pub fn committed(&self) -> &Committed {
        &self.committed
    }

    /// The server stops: whoever follows is told so.
    pub fn end_followers(&self) {
        self.followers.end();
        self.committed.end();
    }

    /// How an agent is called.
    #[must_use]
    pub fn agent_name(&self, id: AgentId) -> Option<Arc<str>> {
        self.roll().with_id(id).map(|row| row.name.clone())
    }

    /// A conversation that is not closed, as committed. Closed ones are in the view.
    #[must_use]
    pub fn conversation(&self, id: ConversationId) -> Option<Arc<Conversation>> {
        self.open.get(&id).map(|held| held.clone())
    }

    /// Whether there ever was such a conversation.
    #[must_use]
    pub fn was_opened(&self, id: ConversationId) -> bool {
        (1..=self.last_conversation.load(Ordering::Acquire)).contains(&id.0)
    }

    /// How much there is of everything, as of at most a second ago.
    #[must_use]
    pub fn amounts(&self) -> Arc<Amounts> {
        self.amounts.load_full()
    }

    /// Commands and bytes that wait to be decided.
    #[must_use]
    pub fn intake_size(&self) -> (usize, usize) {
        self.intake.size()
    }

    pub(super) fn roll(&self) -> std::sync::RwLockReadGuard<'_, Roll> {
        self.roll.read().unwrap_or_else(PoisonError::into_inner)
    }
}

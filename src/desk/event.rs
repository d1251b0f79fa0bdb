//! What happened. Past tense, never taken back. The journal keeps these, so a field is only ever added, with a
//! default; golden records hold every release's form.
//!
//! Times that a deadline needs are in the event, so that a later change of a setting or of a default cannot
//! change what a replay gives. When it happened is in the record's head, once for the turn.

pub use super::causes::{OfferEnd, OfflineCause, RequeueCause, StatusCause, WrapUpCause};
use super::clocks::{Clock, ClockEnd};
use super::command::{Author, Closer};
use super::conversation::{Conversation, WishedAgent, Wishes};
use super::decision::DecisionEnd;
use super::files::{self, Attachments};
use super::ids::{
    AgentId, ConversationId, CustomerId, DecisionId, KeyNumber, NodeNumber, OfferId, QueueId, SessionId, ThreadId,
};
use super::labels::Labels;
use super::moves::{Mover, Taken, Transfer};
pub use super::offer::Offered;
use super::outside::DeliveryState;
use super::settings::{AgentProfile, ApiKey, ChannelId, QueueSettings, Settings, StatusId};
pub use super::skills::RequiredSkill;
use super::time::{DeskTime, WallTime};
use super::wrapping::Blocks;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Agents that one event tells of at most: some 50 KB of a record.
pub const NODE_AGENTS_MAX: usize = 8_192;

/// A fact of a workspace. `public` counts, within a conversation, what its customer may see, from 1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    // the workspace
    SettingsChanged {
        settings: Box<Settings>,
    },
    QueuePut {
        queue: QueueId,
        settings: Box<QueueSettings>,
    },
    QueueRemoved {
        queue: QueueId,
        /// What it was called. Absent in older records.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Arc<str>>,
    },
    AgentPut {
        agent: AgentId,
        profile: Box<AgentProfile>,
    },
    ApiKeyPut {
        key: Box<ApiKey>,
    },
    ApiKeyRemoved {
        id: Arc<str>,
    },

    // presence
    /// All sessions are gone; who was connected is reconnecting until `grace_until`, offers until `offer_grace_until`.
    ServerBegan {
        grace_until: DeskTime,
        offer_grace_until: DeskTime,
    },
    /// All sessions of a node of the cluster are gone. Who had no other is reconnecting until `grace_until`, offers until
    /// `offer_grace_until`: at most [`NODE_AGENTS_MAX`] of them, and the rest by another.
    NodeGone {
        node: NodeNumber,
        reconnecting: Vec<AgentId>,
        grace_until: DeskTime,
        offer_grace_until: DeskTime,
    },
    SessionCame {
        agent: AgentId,
        session: SessionId,
    },
    SessionWent {
        agent: AgentId,
        session: SessionId,
    },
    AgentReconnecting {
        agent: AgentId,
        grace_until: DeskTime,
        offer_grace_until: DeskTime,
    },
    AgentUnreachable {
        agent: AgentId,
    },
    AgentReachable {
        agent: AgentId,
    },
    /// The agent's status becomes `status`, which is not an available one.
    AgentOffline {
        agent: AgentId,
        status: StatusId,
        cause: OfflineCause,
    },
    StatusChanged {
        agent: AgentId,
        status: StatusId,
        channels: u16,
        cause: StatusCause,
        /// Who forced it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Mover>,
    },
    /// The status that the agent has once its work is over; none: none any more.
    NextStatusSet {
        agent: AgentId,
        status: Option<StatusId>,
    },

    // offers
    OfferMade {
        offer: OfferId,
        conversation: ConversationId,
        agent: AgentId,
        ends_at: DeskTime,
        deliver_by: DeskTime,
        /// Its owner gives it to this agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transfer: Option<Transfer>,
        /// Where the conversation is, as of every event of offers: for those outside who read this alone. Absent in older records.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<QueueId>,
    },
    OfferDelivered {
        offer: OfferId,
        /// Whose, to whom and where, for those outside. Absent in older records.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Offered>,
        /// When it is accepted by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepts_at: Option<DeskTime>,
    },
    OfferEnded {
        offer: OfferId,
        conversation: ConversationId,
        agent: AgentId,
        end: OfferEnd,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
        /// Until when this agent is not offered this conversation again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cool_down_until: Option<DeskTime>,
        /// Set when the end is `accepted`: the customer sees who joined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public: Option<u32>,
        /// Its owner was giving it away. Accepted of a warm one, the agent has joined, and the owner is who it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transfer: Option<Transfer>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<QueueId>,
    },

    // conversations
    ConversationOpened {
        conversation: ConversationId,
        customer: CustomerId,
        key: KeyNumber,
        channel: ChannelId,
        queue: QueueId,
        priority: i32,
        skills: Vec<RequiredSkill>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Arc<str>>,
        public: u32,
        /// From when its age counts; absent: from this record's time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting_since: Option<WallTime>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wishes: Option<Box<Wishes>>,
        /// A message left out of hours: it begins to wait when its queue opens.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        left: bool,
        /// It would have been refused for now, and is a message that its customer left instead.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        message: bool,
        /// It goes on elsewhere, and its customer's next message is found by this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<ThreadId>,
    },
    MessagePosted {
        conversation: ConversationId,
        number: u32,
        author: Author,
        text: Arc<str>,
        public: u32,
        #[serde(default, skip_serializing_if = "files::is_none")]
        files: Attachments,
    },
    /// Its customer has been silent for long: it takes less of who talks in it, until it wakes.
    ConversationPaused {
        conversation: ConversationId,
        /// Of what it took.
        weight_percent: u8,
    },
    /// Somebody writes: it takes all of it again.
    ConversationWoken {
        conversation: ConversationId,
    },
    MessagesRead {
        conversation: ConversationId,
        reader: Author,
        number: u32,
    },
    /// Who carries its messages says what became of this one.
    DeliveryReported {
        conversation: ConversationId,
        number: u32,
        state: DeliveryState,
        /// Of a failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
        /// What the desk no longer held, so that a replay needs nothing from elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<Box<Conversation>>,
    },
    /// The talk is over. With `wrap_up_until`, its owner still has work to do (`OPEN_ENDED`: until it says so).
    ConversationEnded {
        conversation: ConversationId,
        by: Closer,
        owner: Option<AgentId>,
        wrap_up_until: Option<DeskTime>,
        public: u32,
        #[serde(default, skip_serializing_if = "Blocks::is_slot")]
        blocks: Blocks,
    },
    /// Its owner asked for more time.
    WrapUpExtended {
        conversation: ConversationId,
        wrap_up_until: DeskTime,
    },
    WrapUpEnded {
        conversation: ConversationId,
        owner: AgentId,
        cause: WrapUpCause,
        /// With the cause `ended`: the supervisor; absent: over the admin API.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AgentId>,
    },
    /// The customer wrote again. Back to its owner when that one is still wrapping up, else waiting anew.
    ConversationReopened {
        conversation: ConversationId,
        /// What the desk no longer held, so that a replay needs nothing from elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<Box<Conversation>>,
        queue: QueueId,
        owner: Option<AgentId>,
        waiting_since: WallTime,
        public: u32,
        /// Its old owner is preferred from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wished: Option<WishedAgent>,
    },
    /// Its owner went offline: at this time, it goes back to its queue, or its wrap-up is over.
    OwnerVanished {
        conversation: ConversationId,
        requeue_at: Option<DeskTime>,
    },
    OwnerReturned {
        conversation: ConversationId,
    },
    /// Its customer has awaited its word for long.
    OwnerReminded {
        conversation: ConversationId,
        owner: AgentId,
    },
    ConversationRequeued {
        conversation: ConversationId,
        from: AgentId,
        waiting_since: WallTime,
        public: u32,
        #[serde(default, skip_serializing_if = "RequeueCause::is_owner_gone")]
        cause: RequeueCause,
        /// Until when it is not offered to who lost it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cool_down_until: Option<DeskTime>,
    },

    // moves
    /// Its owner has given it to a queue, where it waits.
    ConversationTransferred {
        conversation: ConversationId,
        from: AgentId,
        queue: QueueId,
        /// What it requires there.
        skills: Vec<RequiredSkill>,
        waiting_since: WallTime,
        by: Mover,
        /// Until when it is not offered to who gave it away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cool_down_until: Option<DeskTime>,
        public: u32,
    },
    /// An agent owns it without an offer. No offer of it is pending.
    ConversationTaken {
        conversation: ConversationId,
        /// Who owned it until now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<AgentId>,
        to: AgentId,
        how: Taken,
        by: Mover,
        /// A supervisor gave it although the agent could not have taken it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forced: bool,
        public: u32,
    },
    /// The agent who had joined owns it.
    ConversationHandedOver {
        conversation: ConversationId,
        from: AgentId,
        to: AgentId,
        public: u32,
    },
    /// The agent who had joined is gone from it.
    ConversationLeft {
        conversation: ConversationId,
        agent: AgentId,
        public: u32,
    },
    /// For agents only: it has no public number.
    NotePosted {
        conversation: ConversationId,
        note: u32,
        /// Absent: over the admin API.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        author: Option<AgentId>,
        text: Arc<str>,
        /// The last message before it.
        after: u32,
    },
    /// Its labels are these from now on.
    ConversationLabelled {
        conversation: ConversationId,
        by: Mover,
        labels: Box<Labels>,
    },
    /// Its customer says anew who it is, or where it can be reached.
    ConversationDescribed {
        conversation: ConversationId,
        about: Arc<str>,
    },
    /// It was had and closed in another system, and is history here: this part of it, whose messages and notes follow.
    ConversationImported {
        conversation: ConversationId,
        /// From 1.
        part: u32,
        /// As it stands with it: the desk does not hold it, so that a replay needs nothing from elsewhere.
        held: Box<Conversation>,
    },
    MessageImported {
        conversation: ConversationId,
        number: u32,
        author: Author,
        /// Sealed, whoever wrote it.
        text: Arc<str>,
        /// When it was written there.
        at: WallTime,
        public: u32,
    },
    NoteImported {
        conversation: ConversationId,
        note: u32,
        /// Absent: nobody who is an agent here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        author: Option<AgentId>,
        text: Arc<str>,
        at: WallTime,
        /// The last message before it.
        after: u32,
    },
    /// Its customer says what it was like, once it is over.
    ConversationRated {
        conversation: ConversationId,
        score: u8,
        /// Sealed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Arc<str>>,
        /// The score that it had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<u8>,
        /// What the desk no longer held, so that a replay needs nothing from elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<Box<Conversation>>,
    },
    /// A draining agent is offered nothing new.
    AgentDraining {
        agent: AgentId,
        draining: bool,
    },

    // routing
    /// Its age has reached this many steps of its queue's rings.
    RingReached {
        conversation: ConversationId,
        ring: u8,
    },

    /// Its queue is decided from outside, and somebody could take it: whom it is offered to is asked until then.
    DecisionWanted {
        decision: DecisionId,
        conversation: ConversationId,
        /// Whom Offhook would ask.
        agent: AgentId,
        until: DeskTime,
    },
    DecisionEnded {
        decision: DecisionId,
        conversation: ConversationId,
        end: DecisionEnd,
        /// Set when the end is `decided`: whom the outside named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        /// The name of the key, or of the agent, that answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Arc<str>>,
    },

    // waiting
    /// A rule of its queue, or a supervisor, moved it to another one, where it waits at its old age.
    ConversationMoved {
        conversation: ConversationId,
        queue: QueueId,
        /// What it requires there.
        skills: Vec<RequiredSkill>,
        /// Moves by rules so far.
        moves: u8,
        /// Absent in records of before customers were told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public: Option<u32>,
        /// Absent: a rule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Mover>,
    },
    /// A rule of its queue put it ahead.
    PriorityRaised {
        conversation: ConversationId,
        priority: i32,
        /// How often for its longest wait here, by now.
        raised: u8,
    },

    // clocks of service
    /// The clock runs from now on, or goes on by what another queue sets.
    ClockSet {
        conversation: ConversationId,
        clock: Clock,
        /// By whose settings.
        queue: QueueId,
        since: WallTime,
        due: WallTime,
    },
    /// Its time has come. It runs on, to be achieved late or voided.
    ClockBreached {
        conversation: ConversationId,
        clock: Clock,
        queue: QueueId,
    },
    ClockEnded {
        conversation: ConversationId,
        clock: Clock,
        queue: QueueId,
        end: ClockEnd,
        /// It was breached before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        late: bool,
        took_ms: u64,
    },

    // hours
    /// Its queues are open, or closed, from now until then; with `beyond` it is only looked at again.
    HoursTurned {
        hours: Arc<str>,
        open: bool,
        until: WallTime,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        beyond: bool,
    },
    /// Its queue closed, and it waits on.
    StayedAtClosing {
        conversation: ConversationId,
    },

    // customers
    CustomerMerged {
        from: CustomerId,
        into: CustomerId,
        conversations: Vec<ConversationId>,
    },
    CustomerSignedOut {
        customer: CustomerId,
    },
}

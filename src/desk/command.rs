//! What the outside asks of a workspace. Imperative, and refusable.
//!
//! Nodes of a cluster pass commands on to each other, also while one of them runs a release and another the next: members that a
//! release does not know are passed over, and one that is new has a default (`#[serde(default)]`) or is an `Option`. Settings alone, which
//! one would not want to lose a part of, are refused where a member of them is not known.

use super::auto_accept::AutoAccept;
use super::conversation::WaitKey;
use super::decision::DecideAsk;
use super::expecting::OnlyIf;
use super::files::Attachments;
use super::ids::{
    AgentId, CommandId, ConversationId, CustomerId, DecisionId, KeyNumber, NodeNumber, OfferId, Principal, SessionId,
    ThreadId,
};
use super::imported::ImportAsk;
use super::labels::LabelAsk;
use super::moves::{MoveAsk, Mover};
use super::outside::{DeliveryAsk, ReceiveAsk};
use super::own::OwnCursor;
use super::queue_moves::Draining;
use super::ratings::RateAsk;
use super::settings::{ApiKey, QueueSettings, Settings};
use super::time::WallTime;
pub use super::who::{Author, Closer, Notice, Worker};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One command with who asks and the id it is remembered by.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Command {
    pub principal: Principal,
    /// `None` for what cannot be repeated to harm: typing, ticks, connection edges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CommandId>,
    /// Of the body as the client sent it: the same id with another body is refused.
    pub fingerprint: u64,
    pub ask: Ask,
}

impl Command {
    /// A command of the server's own.
    #[must_use]
    pub fn of_server(ask: Ask) -> Self {
        Self { principal: Principal::Server, id: None, fingerprint: 0, ask }
    }
}

/// What is asked. Texts and metadata come sealed: nothing here can be read by the desk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    // the workspace
    PutSettings(Box<Settings>),
    PutQueue(Box<QueueSettings>),
    RemoveQueue {
        name: Arc<str>,
    },
    PutAgent(Box<AgentAsk>),
    /// Settings, a queue or an agent is put or removed, if it is still as whoever asks knows it.
    OnlyIf(Box<OnlyIf>),
    PutApiKey(Box<ApiKey>),
    RemoveApiKey {
        id: Arc<str>,
    },

    // presence
    /// The server began: every session is gone.
    ServerBegan,
    /// Another node of the cluster leads from now on: whatever may have become possible is looked at.
    LeaderBegan,
    /// A node of the cluster is gone, and its sessions with it.
    NodeGone {
        node: NodeNumber,
    },
    SessionCame {
        agent: Arc<str>,
        session: SessionId,
        title: Option<Arc<str>>,
    },
    SessionWent {
        agent: AgentId,
        session: SessionId,
    },
    SetStatus {
        agent: AgentId,
        status: Arc<str>,
        channels: Option<Vec<Arc<str>>>,
    },
    /// The status that it wants once it has nothing left to do; none: none any more.
    SetNextStatus {
        agent: AgentId,
        status: Option<Arc<str>>,
    },
    /// A supervisor or administrator sets another's, by name.
    ForceStatus {
        agent: Arc<str>,
        status: Arc<str>,
        by: Mover,
    },
    /// Its devices have reported no input for long.
    AgentIsIdle {
        agent: AgentId,
    },
    /// The agent's client says that it is there again (ends *unreachable*).
    Ready {
        agent: AgentId,
    },
    SignOut {
        agent: AgentId,
    },
    /// A sign-in of the agent ended, and with it these sessions. Who has no other is offline, without grace.
    SignInEnded {
        agent: AgentId,
        sessions: Vec<SessionId>,
    },
    /// Changes nothing: the next page of what the agent holds.
    ListOwn {
        agent: AgentId,
        after: OwnCursor,
    },

    // offers
    ConfirmDelivery {
        agent: AgentId,
        offer: OfferId,
    },
    Accept {
        agent: AgentId,
        offer: OfferId,
    },
    Reject {
        agent: AgentId,
        offer: OfferId,
        reason: Arc<str>,
    },

    // conversations
    Open(Box<OpenAsk>),
    Post {
        conversation: ConversationId,
        author: Author,
        text: Arc<str>,
        files: Attachments,
    },
    /// A customer's message from outside: it goes on, or begins something.
    Receive(Box<ReceiveAsk>),
    ReportDelivery(Box<DeliveryAsk>),
    Read {
        conversation: ConversationId,
        reader: Author,
        number: u32,
    },
    /// Passed on, never kept.
    Typing {
        conversation: ConversationId,
        author: Author,
        /// What there is of an agent's answer, sealed; empty: it is taken back.
        draft: Option<Arc<str>>,
    },
    Close {
        conversation: ConversationId,
        by: Closer,
    },
    WrapUpDone {
        conversation: ConversationId,
        by: Worker,
    },
    ExtendWrapUp {
        agent: AgentId,
        conversation: ConversationId,
    },
    // moves
    Move(MoveAsk),
    /// An agent begins a conversation with a customer, and owns it.
    Start(Box<StartAsk>),
    /// For agents only.
    Note {
        conversation: ConversationId,
        by: Mover,
        text: Arc<str>,
    },
    /// Disposition, tags and fields, and perhaps the end of the talk or of wrap-up.
    Label(Box<LabelAsk>),
    /// Its customer says anew who it is, sealed.
    Describe {
        conversation: ConversationId,
        customer: CustomerId,
        about: Arc<str>,
    },
    /// Its customer says what it was like.
    Rate(Box<RateAsk>),
    /// It was had elsewhere.
    Import(Box<ImportAsk>),
    DrainAgent {
        agent: Arc<str>,
        draining: bool,
    },
    DrainQueue {
        queue: Arc<str>,
        draining: Option<Draining>,
    },
    /// Changes nothing: a page of what waits in a queue, in the order in which it is taken.
    ListWaiting {
        by: Mover,
        queue: Arc<str>,
        after: Option<WaitKey>,
        limit: usize,
    },

    // decisions from outside
    Decide(Box<DecideAsk>),
    /// Changes nothing: which are pending that the asker does not know of, and which of those it knows are over.
    ListDecisions {
        known: BTreeSet<DecisionId>,
    },

    /// An anonymous customer turned out to be a known one.
    MergeCustomer {
        from: CustomerId,
        into: CustomerId,
    },
    /// Tokens of this customer issued before now are refused from now on.
    SignOutCustomer {
        customer: CustomerId,
    },

    // why
    /// Changes nothing: what stands between this conversation, or this agent, and an offer.
    WhyConversation {
        conversation: ConversationId,
    },
    WhyAgent {
        agent: Arc<str>,
    },

    /// Time has passed: do what is due.
    Tick,
}

/// An agent as an administrator puts it: queues by name; absent fields stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentAsk {
    pub name: Arc<str>,
    pub title: Option<Arc<str>>,
    pub active: Option<bool>,
    pub queues: Option<Vec<Arc<str>>>,
    pub skills: Option<BTreeMap<Arc<str>, u8>>,
    pub capacity: Option<BTreeMap<Arc<str>, u32>>,
    /// By the name of the queue.
    pub tiers: Option<BTreeMap<Arc<str>, u8>>,
    pub program: Option<bool>,
    pub capacity_total: Option<u32>,
    pub auto_accept: Option<AutoAccept>,
    pub offer_percent: Option<u32>,
}

/// A new conversation, its place already picked by the entry rules.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenAsk {
    pub customer: CustomerId,
    pub key: KeyNumber,
    pub channel: Arc<str>,
    pub queue: Arc<str>,
    pub priority: Option<i32>,
    pub skills: BTreeMap<Arc<str>, u8>,
    /// Sealed name and metadata, shown with the offer.
    pub about: Option<Arc<str>>,
    /// The first message, sealed.
    pub text: Option<Arc<str>>,
    /// From when its age counts, in the past; absent: from now.
    pub waiting_since: Option<WallTime>,
    pub preferred_skills: Vec<Arc<str>>,
    pub preferred_agent: Option<AskedAgent>,
    /// Should it be refused for now, it is a message that is left.
    pub or_message: bool,
    /// It goes on elsewhere.
    pub thread: Option<ThreadId>,
}

/// A conversation that an agent begins. The first text, sealed, is the agent's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StartAsk {
    pub agent: AgentId,
    pub customer: CustomerId,
    pub key: KeyNumber,
    pub channel: Arc<str>,
    pub queue: Arc<str>,
    /// Sealed name and metadata of the customer.
    pub about: Option<Arc<str>>,
    pub text: Option<Arc<str>>,
    /// Where the customer has a thread on that channel.
    pub thread: Option<ThreadId>,
}

/// The agent that a new conversation is to be kept for, by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskedAgent {
    pub name: Arc<str>,
    /// Never anyone else.
    pub required: bool,
}

impl Ask {
    /// Whether a repetition of it may change something although it changed nothing itself, since something else was chosen
    /// meanwhile. Of these the outcome is remembered all the same: a retry must not undo a later choice.
    #[must_use]
    pub fn may_matter_later(&self) -> bool {
        match self {
            // Questions, and the server's own.
            Ask::Ready { .. }
            | Ask::ListOwn { .. }
            | Ask::ListWaiting { .. }
            | Ask::ListDecisions { .. }
            | Ask::WhyConversation { .. }
            | Ask::WhyAgent { .. }
            | Ask::Typing { .. }
            | Ask::ServerBegan
            | Ask::LeaderBegan
            | Ask::NodeGone { .. }
            | Ask::SessionCame { .. }
            | Ask::SessionWent { .. }
            | Ask::SignInEnded { .. }
            | Ask::AgentIsIdle { .. }
            | Ask::Tick => false,
            // What was so once stays so.
            Ask::ConfirmDelivery { .. }
            | Ask::Accept { .. }
            | Ask::Reject { .. }
            | Ask::Read { .. }
            | Ask::ReportDelivery(_)
            | Ask::Import(_) => false,
            Ask::OnlyIf(_)
            | Ask::PutSettings(_)
            | Ask::PutQueue(_)
            | Ask::RemoveQueue { .. }
            | Ask::PutAgent(_)
            | Ask::PutApiKey(_)
            | Ask::RemoveApiKey { .. }
            | Ask::SetStatus { .. }
            | Ask::SetNextStatus { .. }
            | Ask::ForceStatus { .. }
            | Ask::SignOut { .. }
            | Ask::Open(_)
            | Ask::Post { .. }
            | Ask::Receive(_)
            | Ask::Close { .. }
            | Ask::WrapUpDone { .. }
            | Ask::ExtendWrapUp { .. }
            | Ask::Move(_)
            | Ask::Start(_)
            | Ask::Note { .. }
            | Ask::Label(_)
            | Ask::Rate(_)
            | Ask::Describe { .. }
            | Ask::DrainAgent { .. }
            | Ask::DrainQueue { .. }
            | Ask::Decide(_)
            | Ask::MergeCustomer { .. }
            | Ask::SignOutCustomer { .. } => true,
        }
    }

    /// Changes nothing: what is answered says at which position.
    #[must_use]
    pub fn is_question(&self) -> bool {
        matches!(
            self,
            Ask::ListOwn { .. }
                | Ask::ListWaiting { .. }
                | Ask::ListDecisions { .. }
                | Ask::WhyConversation { .. }
                | Ask::WhyAgent { .. }
                | Ask::Typing { .. }
        )
    }

    /// Asked by nobody outside: nobody is answered.
    #[must_use]
    pub fn is_of_the_servers_own(&self) -> bool {
        matches!(
            self,
            Ask::ServerBegan
                | Ask::LeaderBegan
                | Ask::NodeGone { .. }
                | Ask::SessionWent { .. }
                | Ask::AgentIsIdle { .. }
                | Ask::Tick
        )
    }

    /// The name in metrics and traces.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Ask::OnlyIf(only_if) => only_if.then.name(),
            Ask::PutSettings(_) => "put_settings",
            Ask::PutQueue(_) => "put_queue",
            Ask::RemoveQueue { .. } => "remove_queue",
            Ask::PutAgent(_) => "put_agent",
            Ask::PutApiKey(_) => "put_api_key",
            Ask::RemoveApiKey { .. } => "remove_api_key",
            Ask::ServerBegan => "server_began",
            Ask::LeaderBegan => "leader_began",
            Ask::NodeGone { .. } => "node_gone",
            Ask::SessionCame { .. } => "session_came",
            Ask::SessionWent { .. } => "session_went",
            Ask::SetStatus { .. } => "set_status",
            Ask::SetNextStatus { .. } => "next_status",
            Ask::ForceStatus { .. } => "force_status",
            Ask::AgentIsIdle { .. } => "agent_is_idle",
            Ask::Ready { .. } => "ready",
            Ask::SignOut { .. } => "sign_out",
            Ask::SignInEnded { .. } => "sign_in_ended",
            Ask::ListOwn { .. } => "list_own",
            Ask::ConfirmDelivery { .. } => "confirm_delivery",
            Ask::Accept { .. } => "accept",
            Ask::Reject { .. } => "reject",
            Ask::Open(_) => "open",
            Ask::Post { .. } => "post",
            Ask::Receive(_) => "receive",
            Ask::ReportDelivery(_) => "report_delivery",
            Ask::Read { .. } => "read",
            Ask::Typing { .. } => "typing",
            Ask::Close { .. } => "close",
            Ask::WrapUpDone { .. } => "wrap_up_done",
            Ask::ExtendWrapUp { .. } => "extend_wrap_up",
            Ask::Move(ask) => ask.deed.name(),
            Ask::Start(_) => "start",
            Ask::Note { .. } => "note",
            Ask::Label(_) => "label",
            Ask::Rate(_) => "rate",
            Ask::Import(_) => "import",
            Ask::Describe { .. } => "describe",
            Ask::DrainAgent { .. } => "drain_agent",
            Ask::DrainQueue { .. } => "drain_queue",
            Ask::ListWaiting { .. } => "list_waiting",
            Ask::Decide(_) => "decide",
            Ask::ListDecisions { .. } => "list_decisions",
            Ask::MergeCustomer { .. } => "merge_customer",
            Ask::SignOutCustomer { .. } => "sign_out_customer",
            Ask::WhyConversation { .. } => "why_conversation",
            Ask::WhyAgent { .. } => "why_agent",
            Ask::Tick => "tick",
        }
    }
}

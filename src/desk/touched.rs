//! What changed since it was last asked: so that the view and the readers of presence are given that and no more.

use super::conversation::Conversation;
use super::estimating::Class;
use super::ids::{AgentId, ConversationId, CustomerId, OfferId, QueueId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Touched {
    pub settings: bool,
    pub queues: BTreeSet<QueueId>,
    pub agents: BTreeSet<AgentId>,
    /// With its last state, for those that closed and are no longer in the desk.
    pub conversations: BTreeMap<ConversationId, Option<Box<Conversation>>>,
    pub offers: BTreeSet<OfferId>,
    pub api_keys: BTreeSet<Arc<str>>,
    pub signed_out: BTreeSet<CustomerId>,
    pub left_waiting: BTreeSet<CustomerId>,
    pub openings: BTreeSet<Arc<str>>,
    pub estimates: BTreeSet<Class>,
}

impl Touched {
    /// Add what a later turn touched.
    pub fn merge(&mut self, later: Touched) {
        self.settings |= later.settings;
        self.queues.extend(later.queues);
        self.agents.extend(later.agents);
        self.conversations.extend(later.conversations);
        self.offers.extend(later.offers);
        self.api_keys.extend(later.api_keys);
        self.signed_out.extend(later.signed_out);
        self.left_waiting.extend(later.left_waiting);
        self.openings.extend(later.openings);
        self.estimates.extend(later.estimates);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

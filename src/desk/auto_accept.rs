//! Accepting by itself: an offer whose agent has been shown it becomes that agent's after a set time, without an answer. Set by
//! queue, and for an agent otherwise.

use super::Desk;
use super::offer::Offer;
use super::time::DeskTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest time after which an offer is accepted by itself.
pub const AUTO_ACCEPT_MS_MAX: u64 = 3_600_000;
/// The reason that such an end has.
pub const BY_ITSELF: &str = "auto_accept";

/// What an agent's profile says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutoAccept {
    /// As the conversation's queue has it.
    #[default]
    ByQueue,
    Never,
    /// So long after it was shown, whatever the queue.
    AfterMs(u64),
}

impl AutoAccept {
    #[must_use]
    pub fn is_by_queue(&self) -> bool {
        *self == AutoAccept::ByQueue
    }
}

impl Desk {
    /// When this offer, which is shown to its agent now, is accepted by itself.
    pub(super) fn accepts_at(&self, offer: &Offer) -> Option<DeskTime> {
        let queue = &self.queues[&self.conversations[&offer.conversation].queue].settings;
        let ms = match self.agents[offer.agent.0 as usize].profile.auto_accept {
            AutoAccept::ByQueue => queue.offering.auto_accept_ms?,
            AutoAccept::Never => return None,
            AutoAccept::AfterMs(ms) => ms,
        };
        // Time has to pass first: what is due is done before commands, never with them.
        Some(self.now.desk.plus_ms(ms.max(1)))
    }
}

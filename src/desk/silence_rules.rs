//! What becomes of silence in a queue's conversations: of a customer who does not answer, and of an owner who does not. Plain values
//! with their defaults, and their checks.

use super::refusal::Refusal;
use super::waiting_rules::TEXT_BYTES_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const SILENCE_MS_MAX: u64 = 30 * 86_400_000;

/// Of a customer who has not answered an agent's last message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SilentCustomer {
    /// It is reminded, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remind_after_ms: Option<u64>,
    pub remind_text: Arc<str>,
    /// It is told, and its conversation is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_after_ms: Option<u64>,
    pub close_text: Arc<str>,
}

impl Default for SilentCustomer {
    fn default() -> Self {
        Self {
            remind_after_ms: None,
            remind_text: "Are you still there? We are waiting for your answer.".into(),
            close_after_ms: None,
            close_text: "We have not heard from you and close this conversation. Write again at any time.".into(),
        }
    }
}

/// Of an owner whose customer has waited for a word of it for so long.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilentOwner {
    pub after_ms: u64,
    pub action: OwnerAction,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OwnerAction {
    /// It is reminded, once.
    Remind,
    /// The conversation waits again.
    Requeue,
    /// The same, in another queue.
    Move { queue: Arc<str> },
}

impl SilentCustomer {
    /// Refused with the field named, below `silent_customer.`.
    ///
    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |field: &str, what: String| Refusal::BadSetting { field: format!("silent_customer.{field}"), what };
        for (ms, field) in [(self.remind_after_ms, "remind_after_ms"), (self.close_after_ms, "close_after_ms")] {
            if ms.is_some_and(|ms| !(1_000..=SILENCE_MS_MAX).contains(&ms)) {
                return Err(bad(field, format!("1000 to {SILENCE_MS_MAX} (30 days), or absent")));
            }
        }
        if self.remind_after_ms.zip(self.close_after_ms).is_some_and(|(remind, close)| close <= remind) {
            return Err(bad("close_after_ms", "more than remind_after_ms".into()));
        }
        for (text, field) in [(&self.remind_text, "remind_text"), (&self.close_text, "close_text")] {
            if !(1..=TEXT_BYTES_MAX).contains(&text.len()) {
                return Err(bad(field, format!("1 to {TEXT_BYTES_MAX} bytes")));
            }
        }
        Ok(())
    }

    /// When, after silence began, the next of these does something.
    #[must_use]
    pub fn next_ms(&self, reminded: bool) -> Option<u64> {
        let remind = self.remind_after_ms.filter(|_| !reminded);
        remind.into_iter().chain(self.close_after_ms).min()
    }
}

impl SilentOwner {
    /// Refused with the field named, below `silent_owner.`.
    ///
    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self, own: &str, is_queue: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        let bad = |field: &str, what: String| Refusal::BadSetting { field: format!("silent_owner.{field}"), what };
        if !(1_000..=SILENCE_MS_MAX).contains(&self.after_ms) {
            return Err(bad("after_ms", format!("1000 to {SILENCE_MS_MAX} (30 days)")));
        }
        match &self.action {
            OwnerAction::Move { queue } if **queue == *own || !is_queue(queue) => {
                Err(bad("action.move.queue", format!("there is no other queue {queue:?}")))
            }
            OwnerAction::Remind | OwnerAction::Requeue | OwnerAction::Move { .. } => Ok(()),
        }
    }

    /// Whether it moves to this queue.
    #[must_use]
    pub fn names_queue(&self, name: &str) -> bool {
        matches!(&self.action, OwnerAction::Move { queue } if **queue == *name)
    }
}

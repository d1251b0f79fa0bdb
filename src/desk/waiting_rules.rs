//! What becomes of those who wait in a queue: when it is full, when they have waited or been offered too long, and for how long
//! a customer who left keeps the place. Plain values with their defaults, and the checks that keep anybody from being stranded.

use super::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Of a text that the workspace itself says.
pub const TEXT_BYTES_MAX: usize = 2_000;
/// How often the rules move one conversation on while it waits; then they fall back, so that no circle of queues goes on for ever.
pub const MOVES_MAX: u8 = 10;
/// Offers of one conversation beyond which operators should look.
pub const OFFERS_ALERT: u32 = 10;
const WAITED_TOO_LONG: &str = "We are sorry: nobody could take your conversation in time. Please write again.";
const WAITING_MS_MAX: u64 = 30 * 86_400_000;
const DAY_MS: u64 = 86_400_000;

/// A queue's settings of waiting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WaitingRules {
    /// What becomes of a new conversation when nobody of the queue's agents is there: `wait`, `refuse`, `move`,
    /// `message_and_wait` or `message_and_close`.
    pub nobody_there: Action,
    /// What becomes of a new conversation while the queue is closed: `wait`, `refuse`, `move`, `take_message`,
    /// `message_and_wait` or `message_and_close`.
    pub out_of_hours: Action,
    /// What becomes of those who wait when the queue closes: `wait`, `move`, `message_and_wait` or `message_and_close`.
    pub at_closing: Action,
    /// What becomes of a new conversation when `waiting_max` wait: `refuse`, `move` or `message_and_close`.
    pub when_full: Action,
    /// The longest wait in this queue, 1 s to 30 days; null: none.
    pub waiting_ms_max: Option<u64>,
    /// What becomes of one that has waited so long: `move`, `message_and_close` or `raise_priority`.
    pub after_longest: Action,
    /// The most offers of one conversation while it waits here; null: no limit.
    pub offers_max: Option<u32>,
    /// What becomes of one that was offered so often: the same, or `wait`.
    pub after_offers: Action,
    /// A customer who left while waiting, and comes back within this, waits on at the old age; at most a day.
    pub keep_place_ms: u64,
}

impl Default for WaitingRules {
    fn default() -> Self {
        Self {
            nobody_there: Action::Wait,
            out_of_hours: Action::Wait,
            at_closing: Action::Wait,
            when_full: Action::Refuse,
            waiting_ms_max: Some(DAY_MS),
            after_longest: Action::MessageAndClose { text: WAITED_TOO_LONG.into() },
            offers_max: None,
            after_offers: Action::Wait,
            keep_place_ms: 60_000,
        }
    }
}

/// What a rule does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "WaitingAction")]
pub enum Action {
    /// Nothing: it waits.
    Wait,
    /// It is not taken in.
    Refuse,
    /// To another queue, at its old age.
    Move { queue: Arc<str> },
    /// The customer is told, and it waits.
    MessageAndWait { text: Arc<str> },
    /// The customer is told that it has left a message: it begins to wait when the queue opens.
    TakeMessage { text: Arc<str> },
    /// The customer is told, and the conversation is closed.
    MessageAndClose { text: Arc<str> },
    /// Ahead by so much; as often as `times`, each time when the limit has passed once more.
    RaisePriority {
        by: i32,
        #[serde(default = "once")]
        times: u8,
    },
}

fn once() -> u8 {
    1
}

/// Where a message goes that is left when a conversation cannot be begun now, if its customer says so.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LeftMessages {
    /// Absent: where it was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Arc<str>>,
    /// Absent: the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<str>>,
}

/// What a new conversation would be told now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coming {
    /// Where it would wait; while it would be refused, where it was placed.
    pub queue: Arc<str>,
    /// Somebody of that queue is there.
    pub there: bool,
    /// The code of the refusal.
    pub refused: Option<&'static str>,
    /// A message may be left instead.
    pub message: bool,
}

impl WaitingRules {
    /// Refused with the field named, below `waiting.`.
    ///
    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self, own: &str, is_queue: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        let longest = self.waiting_ms_max.is_none_or(|ms| (1_000..=WAITING_MS_MAX).contains(&ms));
        ensure(longest, "waiting_ms_max", || format!("1000 to {WAITING_MS_MAX} (30 days), or null"))?;
        let offers = self.offers_max.is_none_or(|most| (1..=10_000).contains(&most));
        ensure(offers, "offers_max", || "1 to 10000, or null".into())?;
        ensure(self.keep_place_ms <= DAY_MS, "keep_place_ms", || "at most 86400000 (a day)".into())?;
        let sound = |action: &Action, field: &str| action.check(field, own, &is_queue);
        sound(&self.nobody_there, "nobody_there")?;
        let enters = !matches!(self.nobody_there, Action::RaisePriority { .. } | Action::TakeMessage { .. });
        ensure(enters, "nobody_there", || "wait, refuse, move, message_and_wait or message_and_close".into())?;
        sound(&self.out_of_hours, "out_of_hours")?;
        let enters = !matches!(self.out_of_hours, Action::RaisePriority { .. });
        ensure(enters, "out_of_hours", || {
            "wait, refuse, move, take_message, message_and_wait or message_and_close".into()
        })?;
        sound(&self.at_closing, "at_closing")?;
        let waited =
            !matches!(self.at_closing, Action::RaisePriority { .. } | Action::TakeMessage { .. } | Action::Refuse);
        ensure(waited, "at_closing", || "wait, move, message_and_wait or message_and_close".into())?;
        sound(&self.when_full, "when_full")?;
        let full = matches!(self.when_full, Action::Refuse | Action::Move { .. } | Action::MessageAndClose { .. });
        // A full queue that takes one more in is not bounded.
        ensure(full, "when_full", || "refuse, move or message_and_close".into())?;
        sound(&self.after_longest, "after_longest")?;
        let ends = !matches!(
            self.after_longest,
            Action::Refuse | Action::Wait | Action::MessageAndWait { .. } | Action::TakeMessage { .. }
        );
        ensure(ends, "after_longest", || "move, message_and_close or raise_priority".into())?;
        sound(&self.after_offers, "after_offers")?;
        let goes_on =
            !matches!(self.after_offers, Action::Refuse | Action::MessageAndWait { .. } | Action::TakeMessage { .. });
        ensure(goes_on, "after_offers", || "wait, move, message_and_close or raise_priority".into())
    }

    /// Whether a rule moves to this queue.
    #[must_use]
    pub fn names_queue(&self, name: &str) -> bool {
        let rules = [
            &self.nobody_there,
            &self.out_of_hours,
            &self.at_closing,
            &self.when_full,
            &self.after_longest,
            &self.after_offers,
        ];
        rules.into_iter().any(|action| matches!(action, Action::Move { queue } if **queue == *name))
    }

    /// What is done when it has waited its longest, whatever else cannot be done.
    #[must_use]
    pub fn last_resort() -> Arc<str> {
        WAITED_TOO_LONG.into()
    }
}

impl Action {
    fn check(&self, field: &str, own: &str, is_queue: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        match self {
            Action::Wait | Action::Refuse => Ok(()),
            Action::Move { queue } => {
                ensure(**queue != *own && is_queue(queue), &format!("{field}.move.queue"), || {
                    format!("there is no other queue {queue:?}")
                })
            }
            Action::MessageAndWait { text } => text_ok(text, &format!("{field}.message_and_wait.text")),
            Action::TakeMessage { text } => text_ok(text, &format!("{field}.take_message.text")),
            Action::MessageAndClose { text } => text_ok(text, &format!("{field}.message_and_close.text")),
            Action::RaisePriority { by, times } => {
                let fits = (1..=1_000_000).contains(by);
                ensure(fits, &format!("{field}.raise_priority.by"), || "1 to 1000000".into())?;
                let fits = (1..=100).contains(times);
                ensure(fits, &format!("{field}.raise_priority.times"), || "1 to 100".into())
            }
        }
    }
}

fn text_ok(text: &str, field: &str) -> Result<(), Refusal> {
    ensure((1..=TEXT_BYTES_MAX).contains(&text.len()), field, || format!("1 to {TEXT_BYTES_MAX} bytes"))
}

fn ensure(holds: bool, field: &str, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::BadSetting { field: format!("waiting.{field}"), what: what() }) }
}

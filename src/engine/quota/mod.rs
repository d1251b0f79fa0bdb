//! What the server's operator allows each workspace, and what it has of that: so that no tenant takes what is there for all.
//!
//! | of | counted | beyond it |
//! | --- | --- | --- |
//! | agents, open conversations | by the desk, in its turn (`desk/quota.rs`) | nobody new, nothing new |
//! | messages, starts | here, as commands come in; five seconds' worth at once | those commands, for a moment |
//! | storage | by `measure.rs`, about a second late | messages, starts and files; never accepts and closes |
//! | connections | here, as they come and go | who was not here before |

mod kept;
mod measure;
mod pace;
pub(super) mod shared;

pub use kept::{NotKept, Quotas};
pub(super) use measure::measure;

use super::counted::Amounts;
use crate::desk::command::Ask;
use crate::desk::quota::Allowed;
use crate::journal::Position;
use crate::telemetry::catalogue;
use pace::Pace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What there is a quota of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Agents,
    OpenConversations,
    MessagesPerS,
    StartsPerS,
    StorageBytes,
    Connections,
}

impl What {
    pub const ALL: [What; 6] = [
        What::Agents,
        What::OpenConversations,
        What::MessagesPerS,
        What::StartsPerS,
        What::StorageBytes,
        What::Connections,
    ];

    /// The word of the settings, on the wire and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            What::Agents => "agents",
            What::OpenConversations => "open_conversations",
            What::MessagesPerS => "messages_per_s",
            What::StartsPerS => "starts_per_s",
            What::StorageBytes => "storage_bytes",
            What::Connections => "connections",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }
}

/// The most of each; 0: without a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, JsonSchema)]
pub struct Quota {
    pub agents: u64,
    pub open_conversations: u64,
    pub messages_per_s: u64,
    pub starts_per_s: u64,
    pub storage_bytes: u64,
    pub connections: u64,
}

impl Quota {
    fn each(&self) -> [u64; 6] {
        [
            self.agents,
            self.open_conversations,
            self.messages_per_s,
            self.starts_per_s,
            self.storage_bytes,
            self.connections,
        ]
    }
}

/// What is set for one workspace; absent: as for all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnQuota {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_conversations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_per_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u64>,
}

impl OwnQuota {
    #[must_use]
    pub fn over(&self, usual: &Quota) -> Quota {
        Quota {
            agents: self.agents.unwrap_or(usual.agents),
            open_conversations: self.open_conversations.unwrap_or(usual.open_conversations),
            messages_per_s: self.messages_per_s.unwrap_or(usual.messages_per_s),
            starts_per_s: self.starts_per_s.unwrap_or(usual.starts_per_s),
            storage_bytes: self.storage_bytes.unwrap_or(usual.storage_bytes),
            connections: self.connections.unwrap_or(usual.connections),
        }
    }
}

/// A quota is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OverQuota {
    pub what: What,
    pub most: u64,
    /// Of a rate: when there is some again.
    pub retry_after_ms: Option<u64>,
}

/// What a workspace has, as of about a second ago.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Used {
    pub agents: u64,
    pub open_conversations: u64,
    pub storage_bytes: u64,
    pub connections: u64,
}

/// One workspace's quota, and what it has of it. The most are atomic, since every command asks.
#[derive(Debug, Default)]
pub struct Account {
    most: [AtomicU64; 6],
    messages: Pace,
    starts: Pace,
    connections: AtomicU64,
    journal_bytes: AtomicU64,
    measured_to: AtomicU64,
    files_bytes: AtomicU64,
    /// Not yet told to the metrics.
    refused: [AtomicU64; 6],
    shown: [AtomicBool; 6],
}

impl Account {
    /// From now on.
    pub fn set(&self, quota: &Quota) {
        self.most.iter().zip(quota.each()).for_each(|(held, most)| held.store(most, Relaxed));
    }

    fn most(&self, what: What) -> Option<u64> {
        Some(self.most[what as usize].load(Relaxed)).filter(|most| *most > 0)
    }

    /// What the desk is to hold to.
    #[must_use]
    pub fn allowed(&self) -> Allowed {
        Allowed { agents: self.most(What::Agents), open_conversations: self.most(What::OpenConversations) }
    }

    /// Whether this command may come in; takes its share of the rate.
    ///
    /// # Errors
    /// The quota that is used up.
    pub fn take(&self, ask: &Ask, now_ms: u64) -> Result<(), OverQuota> {
        let (what, pace) = match ask {
            Ask::Open(_) | Ask::Start(_) => (What::StartsPerS, &self.starts),
            // What comes from outside begins something where its thread was never seen.
            Ask::Receive(ask) if ask.found.is_none() => (What::StartsPerS, &self.starts),
            Ask::Import(_) => return self.has_storage(0),
            Ask::Post { .. } | Ask::Note { .. } | Ask::Receive(_) => (What::MessagesPerS, &self.messages),
            _ => return Ok(()),
        };
        self.has_storage(0)?;
        match self.most(what) {
            None => Ok(()),
            Some(most) => pace.take(most, now_ms).map_err(|ms| self.over(what, most, Some(ms))),
        }
    }

    /// Whether a new conversation may come in; takes nothing, and is asked before anything is done for it.
    ///
    /// # Errors
    /// The quota that is used up.
    pub fn may_start(&self, now_ms: u64) -> Result<(), OverQuota> {
        self.has_storage(0)?;
        match self.most(What::StartsPerS) {
            None => Ok(()),
            Some(most) => self.starts.has(most, now_ms).map_err(|ms| self.over(What::StartsPerS, most, Some(ms))),
        }
    }

    /// Whether so many bytes more may be stored.
    ///
    /// # Errors
    /// They may not.
    pub fn has_storage(&self, bytes: u64) -> Result<(), OverQuota> {
        match self.most(What::StorageBytes) {
            Some(most) if self.storage_bytes().saturating_add(bytes.max(1)) > most => {
                Err(self.over(What::StorageBytes, most, None))
            }
            _ => Ok(()),
        }
    }

    /// A connection comes. Who `was_here` is let in beyond the quota: nobody's grace is cut short by it.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn connect(&self, was_here: impl FnOnce() -> bool) -> Result<(), OverQuota> {
        let held = self.connections.fetch_add(1, Relaxed);
        match self.most(What::Connections) {
            Some(most) if held >= most && !was_here() => {
                self.connections.fetch_sub(1, Relaxed);
                Err(self.over(What::Connections, most, None))
            }
            _ => Ok(()),
        }
    }

    /// One that came has gone.
    pub fn disconnect(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// The desk refused something for a quota of this name.
    pub fn refused(&self, what: &str) {
        if let Some(what) = What::named(what) {
            self.refused[what as usize].fetch_add(1, Relaxed);
        }
    }

    fn over(&self, what: What, most: u64, retry_after_ms: Option<u64>) -> OverQuota {
        self.refused[what as usize].fetch_add(1, Relaxed);
        OverQuota { what, most, retry_after_ms }
    }

    fn storage_bytes(&self) -> u64 {
        self.journal_bytes.load(Relaxed) + self.files_bytes.load(Relaxed)
    }

    fn is_measured(&self) -> bool {
        self.most(What::StorageBytes).is_some()
    }

    fn measured_to(&self) -> Position {
        Position(self.measured_to.load(Relaxed))
    }

    fn measured(&self, bytes: u64, to: Position) {
        self.journal_bytes.fetch_add(bytes, Relaxed);
        self.measured_to.store(to.0, Relaxed);
    }

    /// Records were cut: what is left is measured anew.
    pub fn measure_again(&self) {
        self.measured_to.store(0, Relaxed);
        self.journal_bytes.store(0, Relaxed);
    }

    pub(super) fn hold_files(&self, bytes: u64) {
        self.files_bytes.store(bytes, Relaxed);
    }

    #[must_use]
    pub fn used(&self, amounts: &Amounts) -> Used {
        Used {
            agents: amounts.agents_active,
            open_conversations: amounts.conversations.iter().sum(),
            storage_bytes: self.storage_bytes(),
            connections: self.connections.load(Relaxed),
        }
    }

    /// Of quotas that are set, or were, what metrics show.
    pub(super) fn tell(&self, amounts: &Amounts, label: impl Fn() -> String) {
        let used = self.used(amounts);
        for what in What::ALL {
            let refused = self.refused[what as usize].swap(0, Relaxed);
            if refused > 0 {
                metrics::counter!(catalogue::QUOTA_REFUSED_TOTAL, "workspace" => label(), "what" => what.name())
                    .increment(refused);
            }
            let most = self.most(what).unwrap_or(0);
            if !self.shown[what as usize].swap(most > 0, Relaxed) && most == 0 {
                continue;
            }
            metrics::gauge!(catalogue::QUOTA_MOST, "workspace" => label(), "what" => what.name()).set(most as f64);
            let used = match what {
                What::Agents => used.agents,
                What::OpenConversations => used.open_conversations,
                What::StorageBytes => used.storage_bytes,
                What::Connections => used.connections,
                // A rate has no amount; what was refused of it is counted.
                What::MessagesPerS | What::StartsPerS => continue,
            };
            metrics::gauge!(catalogue::QUOTA_USED, "workspace" => label(), "what" => what.name()).set(used as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(quota: Quota) -> Account {
        let account = Account::default();
        account.set(&quota);
        account
    }

    #[test]
    fn what_is_set_for_a_workspace_goes_before_what_is_for_all_and_a_zero_lifts_it() {
        let usual = Quota { agents: 10, connections: 20, ..Quota::default() };
        let own = OwnQuota { agents: Some(0), starts_per_s: Some(5), ..OwnQuota::default() };
        let quota = own.over(&usual);
        assert_eq!(quota, Quota { agents: 0, connections: 20, starts_per_s: 5, ..Quota::default() });
        let account = account(quota);
        assert_eq!(account.allowed(), Allowed::default());
        assert_eq!(account.most(What::Connections), Some(20));
    }

    #[test]
    fn connections_are_taken_and_given_back_and_who_was_here_is_let_in() {
        let account = account(Quota { connections: 1, ..Quota::default() });
        account.connect(|| false).unwrap();
        let over = account.connect(|| false).unwrap_err();
        assert_eq!((over.what, over.most, over.retry_after_ms), (What::Connections, 1, None));
        account.connect(|| true).unwrap();
        account.disconnect();
        account.disconnect();
        account.connect(|| false).unwrap();
    }

    #[test]
    fn storage_is_what_the_journal_and_the_files_take() {
        let account = account(Quota { storage_bytes: 1_000, ..Quota::default() });
        account.measured(600, Position(7));
        account.hold_files(300);
        assert!(account.has_storage(100).is_ok() && account.may_start(0).is_ok());
        assert_eq!(account.has_storage(101).unwrap_err().what, What::StorageBytes);
        account.measured(100, Position(8));
        assert_eq!(account.may_start(0).unwrap_err().what, What::StorageBytes);
        let post =
            Ask::Note { conversation: Default::default(), by: crate::desk::moves::Mover::Admin, text: "".into() };
        assert_eq!(account.take(&post, 0).unwrap_err().what, What::StorageBytes);
        assert!(account.take(&Ask::Tick, 0).is_ok());
        account.measure_again();
        assert!(account.may_start(0).is_ok());
    }

    #[test]
    fn names_are_those_of_the_settings() {
        let quota = Quota {
            agents: 1,
            open_conversations: 2,
            messages_per_s: 3,
            starts_per_s: 4,
            storage_bytes: 5,
            connections: 6,
        };
        let shape = serde_json::to_value(quota).unwrap();
        for (what, most) in What::ALL.into_iter().zip(quota.each()) {
            assert_eq!(shape[what.name()], most);
            assert_eq!(What::named(what.name()), Some(what));
        }
    }
}

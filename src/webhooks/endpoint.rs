//! One endpoint: what it is set to, how far it has been told, and how it stands.

use super::secret::Secret;
use crate::client::{Kept, Url};
use crate::feed::{Place, Wanted};
use crate::wire::feed::Types;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// How long an old secret signs beside the new one.
pub const ROTATING_MS: u64 = 24 * 3_600_000;
/// Secrets of one endpoint at once.
const SECRETS_MAX: usize = 4;

/// Why nothing is sent. What is paused keeps its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paused {
    /// Somebody said so.
    Asked,
    /// It has failed for too long.
    Failing,
    /// It answered 410: it wants no more.
    EndpointGone,
    /// What it is to be sent next is not kept any more.
    CursorGone,
    /// Its place has not happened yet: the server was restored from a backup.
    CursorBeyond,
}

impl Paused {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Paused::Asked => "asked",
            Paused::Failing => "failing",
            Paused::EndpointGone => "endpoint_gone",
            Paused::CursorGone => "cursor_gone",
            Paused::CursorBeyond => "cursor_beyond",
        }
    }
}

/// A secret, and until when it signs; without a time for as long as there is no newer one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSecret {
    secret: String,
    until_ms: Option<u64>,
}

impl fmt::Debug for KeptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptSecret").field("until_ms", &self.until_ms).finish_non_exhaustive()
    }
}

/// What is kept of an endpoint, besides its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    pub url: String,
    /// As they were named; none: all.
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(default)]
    pub texts: bool,
    #[serde(default)]
    pub paused: Option<Paused>,
    pub secrets: Vec<KeptSecret>,
    /// Unix milliseconds.
    pub created_at: u64,
    /// In a cluster: drawn anew whenever its place is set, so that no place of before counts; 0 until the others were told of it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub run: u64,
}

fn is_nothing(run: &u64) -> bool {
    *run == 0
}

impl Spec {
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        // Whether plain HTTP is allowed was asked when it was set, and is asked of each message.
        Url::parse_with(&self.url, true).ok()
    }

    #[must_use]
    pub fn wanted(&self) -> Wanted {
        let types = Types::parse(self.types.iter().map(String::as_str)).unwrap_or_default();
        Wanted { types, texts: self.texts }
    }

    /// Those that sign now, the newest first.
    #[must_use]
    pub fn secrets(&self, now_ms: u64) -> Vec<Secret> {
        let good = self.secrets.iter().filter(|kept| kept.until_ms.is_none_or(|until_ms| now_ms < until_ms));
        good.filter_map(|kept| Secret::parse(&kept.secret)).collect()
    }

    /// The newest signs from now on, and those before it for a while.
    pub fn add_secret(&mut self, secret: &Secret, now_ms: u64) {
        self.secrets.retain(|kept| kept.until_ms.is_none_or(|until_ms| now_ms < until_ms));
        for kept in &mut self.secrets {
            kept.until_ms.get_or_insert(now_ms + ROTATING_MS);
        }
        self.secrets.insert(0, KeptSecret { secret: secret.reveal(), until_ms: None });
        self.secrets.truncate(SECRETS_MAX);
    }

    /// Whether this is the secret that it was given last.
    #[must_use]
    pub fn has_newest(&self, secret: &Secret) -> bool {
        self.secrets.first().is_some_and(|kept| kept.secret == secret.reveal())
    }
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub spec: Spec,
    /// Behind it everything was delivered.
    pub cursor: Place,
    /// How long something has failed that was not delivered since.
    pub failing_ms: Option<u64>,
    /// Of this process; Unix milliseconds.
    pub delivered_at: Option<u64>,
    pub failed_at: Option<u64>,
    /// Why the last attempt that failed did.
    pub failure: Option<String>,
}

impl Held {
    /// A new one's.
    #[must_use]
    pub fn new(spec: Spec, cursor: Place) -> Self {
        Self { spec, cursor, failing_ms: None, delivered_at: None, failed_at: None, failure: None }
    }
}

pub struct Endpoint {
    pub workspace: Arc<str>,
    pub name: Arc<str>,
    /// With how often it was set from outside: what was begun before that says nothing of it any more.
    held: Mutex<(u64, Held)>,
    changed: watch::Sender<u64>,
    /// This node delivers it now.
    delivers: AtomicBool,
    pub(super) kept: Kept,
}

impl Endpoint {
    #[must_use]
    pub fn new(workspace: Arc<str>, name: Arc<str>, spec: Spec, cursor: Place, failing_ms: Option<u64>) -> Self {
        let held = Held { failing_ms, ..Held::new(spec, cursor) };
        let (held, changed) = (Mutex::new((0, held)), watch::Sender::new(0));
        Self { workspace, name, held, changed, delivers: false.into(), kept: Kept::default() }
    }

    #[must_use]
    pub fn held(&self) -> Held {
        self.lock().1.clone()
    }

    /// For whoever begins to deliver.
    #[must_use]
    pub(super) fn begun(&self) -> (u64, Held) {
        self.lock().clone()
    }

    /// By whoever delivers, unless it was set since that was begun.
    pub(super) fn note(&self, begun: u64, note: impl FnOnce(&mut Held)) {
        let mut held = self.lock();
        if held.0 == begun {
            note(&mut held.1);
        }
    }

    /// By whoever delivers, when that begins and ends.
    pub(super) fn delivers(&self, here: bool) {
        self.delivers.store(here, Relaxed);
    }

    /// How another node stands with it, unless this one is further or delivers itself. Whether that is news.
    pub(super) fn told(&self, run: u64, cursor: Place, tell: impl FnOnce(&mut Held)) -> bool {
        let mut held = self.lock();
        let is_news = held.1.spec.run == run && cursor >= held.1.cursor && !self.delivers.load(Relaxed);
        if is_news {
            tell(&mut held.1);
        }
        is_news
    }

    /// From outside: what is under way is given up, and what follows goes by this.
    pub(super) fn set(&self, held: Held) {
        self.change(|there| *there = held);
    }

    /// The same, of how it stands by then.
    pub(super) fn change(&self, change: impl FnOnce(&mut Held)) {
        let mut there = self.lock();
        there.0 += 1;
        change(&mut there.1);
        self.changed.send_replace(there.0);
    }

    #[must_use]
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Held)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Spec {
    /// One that says nothing else.
    pub(super) fn of_run(run: u64) -> Self {
        let (url, types, secrets) = (String::new(), Vec::new(), Vec::new());
        Self { url, types, texts: false, paused: None, secrets, created_at: 0, run }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_signs_beside_the_old_one_for_a_day() {
        let (first, second) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let mut spec = Spec::of_run(0);
        spec.add_secret(&first, 1_000);
        assert_eq!((spec.secrets(u64::MAX), spec.has_newest(&first)), (vec![first.clone()], true));
        spec.add_secret(&second, 2_000);
        assert_eq!(spec.secrets(2_000 + ROTATING_MS - 1), [second.clone(), first]);
        assert_eq!(spec.secrets(2_000 + ROTATING_MS), [second]);
        for nth in 3..20 {
            spec.add_secret(&Secret::new([nth; 32]), 3_000);
        }
        assert_eq!(spec.secrets(3_000).len(), SECRETS_MAX);
    }
}

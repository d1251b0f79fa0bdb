//! Webhooks of a cluster, in the bucket that nodes share: what each is set to and how far it has been told, a workspace's in one entry each,
//! and sealed, since there are secrets in it.
//!
//! ```text
//! webhooks.set.acme     what they are set to, and from where they are sent since their place was set last
//! webhooks.place.acme   how far each has been told since; put now and then by the node that leads
//! ```
//!
//! A place counts for the *run* that it is of: one that is set draws a new one, so that what the node that leads says of before is nothing to it.

use super::endpoint::{Endpoint, Held, Paused, Spec};
use super::{EACH_MAX, NotKept, NotSet};
use crate::cluster::{Following, NotShared, SealedPart};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

const SET: &str = "set.";
const PLACE: &str = "place.";

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Set {
    pub spec: Spec,
    /// Where this run began.
    pub from: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stands {
    run: u64,
    cursor: String,
    failing_ms: Option<u64>,
    delivered_at: Option<u64>,
    failed_at: Option<u64>,
    failure: Option<String>,
}

/// By the names of endpoints.
pub(super) type Sets = BTreeMap<Arc<str>, Set>;
pub(super) type Places = BTreeMap<Arc<str>, Stands>;

/// What an entry says of a workspace.
pub(super) enum Said {
    Set(Arc<str>, Sets),
    Places(Arc<str>, Places),
}

/// What a node needs to share its webhooks.
pub struct Cluster {
    part: SealedPart,
    /// Workspace and name of those whose places the others are to be told.
    moved: Mutex<BTreeSet<(Arc<str>, Arc<str>)>>,
    wake: Notify,
}

impl From<NotShared> for NotKept {
    fn from(not_shared: NotShared) -> Self {
        NotKept::of(&not_shared)
    }
}

impl From<NotShared> for NotSet {
    fn from(not_shared: NotShared) -> Self {
        NotSet::NotKept(not_shared.into())
    }
}

impl Cluster {
    #[must_use]
    pub fn new(part: SealedPart) -> Self {
        Self { part, moved: Mutex::default(), wake: Notify::new() }
    }

    pub(super) fn follow(&self) -> Following {
        self.part.follow()
    }

    /// Sets one that is set to `before` as far as this node has heard, at all nodes; it holds here when this returns.
    pub(super) async fn put(
        &self,
        workspace: &str,
        name: &str,
        before: Option<&Spec>,
        held: &Held,
    ) -> Result<(), NotSet> {
        let set = |sets: &mut Sets| {
            let there = sets.get(name);
            if there.map(|there| &there.spec) != before {
                return Err(NotSet::from(NotShared::of("another node changes this webhook: ask again")));
            }
            if there.is_none() && sets.len() >= EACH_MAX {
                return Err(NotSet::TooMany { most: EACH_MAX });
            }
            let same_run = there.filter(|there| there.spec.run == held.spec.run);
            let from = same_run.map_or_else(|| held.cursor.to_string(), |there| there.from.clone());
            sets.insert(name.into(), Set { spec: held.spec.clone(), from });
            Ok(true)
        };
        let revision = self.part.change(&format!("{SET}{workspace}"), set).await?;
        Ok(self.part.until_heard(revision).await?)
    }

    pub(super) async fn remove(&self, workspace: &str, name: &str) -> Result<(), NotShared> {
        let remove = |sets: &mut Sets| Ok::<_, NotShared>(sets.remove(name).is_some());
        let revision = self.part.change(&format!("{SET}{workspace}"), remove).await?;
        self.part.until_heard(revision).await
    }

    /// By the node that delivers, of the run that it delivers.
    pub(super) async fn pause(&self, one: &Endpoint, run: u64, why: Paused) -> Result<(), NotShared> {
        let pause = |sets: &mut Sets| {
            let due = sets.get_mut(&one.name).filter(|set| set.spec.run == run && set.spec.paused.is_none());
            Ok::<_, NotShared>(due.map(|set| set.spec.paused = Some(why)).is_some())
        };
        let revision = self.part.change(&format!("{SET}{}", one.workspace), pause).await?;
        self.part.until_heard(revision).await
    }

    /// Has one of this node's for all, unless another of its name is there or there are as many as may be. Whether it does.
    pub(super) async fn tell(&self, one: &Endpoint) -> Result<bool, NotShared> {
        let Held { spec, cursor, .. } = one.held();
        let set = Set { spec: Spec { run: new_run(), ..spec }, from: cursor.to_string() };
        let mut is_new = false;
        let tell = |sets: &mut Sets| {
            is_new = !sets.contains_key(&one.name) && sets.len() < EACH_MAX;
            if is_new {
                sets.insert(one.name.clone(), set.clone());
            }
            Ok::<_, NotShared>(is_new)
        };
        self.part.change(&format!("{SET}{}", one.workspace), tell).await?;
        Ok(is_new)
    }

    /// The others are to be told soon where it is.
    pub(super) fn moved(&self, one: &Endpoint) {
        self.has_moved().insert((one.workspace.clone(), one.name.clone()));
        self.wake.notify_one();
    }

    /// Until there is something to be told.
    pub(super) async fn until_moved(&self) {
        self.wake.notified().await;
    }

    /// Tells the others how far those are that have moved. What could not be told is told with the next.
    pub(super) async fn keep_places(&self, named: impl Fn(&str, &str) -> Option<Arc<Endpoint>>) {
        let mut moved: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        for (workspace, name) in std::mem::take(&mut *self.has_moved()) {
            moved.entry(workspace).or_default().push(name);
        }
        for (workspace, names) in moved {
            let put = |places: &mut Places| {
                let before = places.clone();
                places.retain(|name, _| named(&workspace, name).is_some());
                for one in names.iter().filter_map(|name| named(&workspace, name)) {
                    let own = Stands::of(&one.held());
                    if places.get(&one.name).is_none_or(|there| !there.is_beyond(&own)) {
                        places.insert(one.name.clone(), own);
                    }
                }
                Ok::<_, NotShared>(*places != before)
            };
            if let Err(error) = self.part.change(&format!("{PLACE}{workspace}"), put).await {
                tracing::debug!(%error, %workspace, "places of webhooks are not told to the other nodes");
                self.has_moved().extend(names.into_iter().map(|name| (workspace.clone(), name)));
                self.wake.notify_one();
            }
        }
    }

    /// What an entry says; nothing where it cannot be read, which stops no other.
    pub(super) fn said(&self, entry: &str, sealed: &[u8]) -> Option<Said> {
        let read = if let Some(workspace) = entry.strip_prefix(SET) {
            self.part.open(entry, sealed).map(|sets| Said::Set(workspace.into(), sets))
        } else if let Some(workspace) = entry.strip_prefix(PLACE) {
            self.part.open(entry, sealed).map(|places| Said::Places(workspace.into(), places))
        } else {
            return None;
        };
        read.map_err(|error| tracing::error!(%error, "webhooks that nodes share are passed over")).ok()
    }

    fn has_moved(&self) -> std::sync::MutexGuard<'_, BTreeSet<(Arc<str>, Arc<str>)>> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stands {
    fn of(held: &Held) -> Self {
        Self {
            run: held.spec.run,
            cursor: held.cursor.to_string(),
            failing_ms: held.failing_ms,
            delivered_at: held.delivered_at,
            failed_at: held.failed_at,
            failure: held.failure.clone(),
        }
    }

    /// In the same run: one that had led before says no less than whoever leads now.
    fn is_beyond(&self, other: &Self) -> bool {
        let place = |stands: &Self| stands.cursor.parse::<crate::feed::Place>().ok();
        self.run == other.run && place(self) > place(other)
    }

    /// Says it to an endpoint of this node; whether that is news.
    pub(super) fn tell(&self, one: &Endpoint) -> bool {
        let Ok(cursor) = self.cursor.parse() else { return false };
        let Self { failing_ms, delivered_at, failed_at, failure, .. } = self.clone();
        let tell = |held: &mut Held| {
            let spec = held.spec.clone();
            *held = Held { spec, cursor, failing_ms, delivered_at, failed_at, failure };
        };
        one.told(self.run, cursor, tell)
    }
}

/// Never 0, which says that there is none.
pub(super) fn new_run() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    u64::from_le_bytes(bytes).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_for_its_run_and_never_goes_back() {
        let held = |run, cursor: &str| Held::new(Spec::of_run(run), cursor.parse().expect("a place"));
        let stands = |run, cursor: &str| Stands::of(&Held { failing_ms: Some(5), ..held(run, cursor) });
        assert!(stands(1, "10.0").is_beyond(&stands(1, "9.1")));
        assert!(!stands(1, "9.1").is_beyond(&stands(1, "9.1")) && !stands(1, "10.0").is_beyond(&stands(2, "9.1")));

        let one = Endpoint::new("acme".into(), "crm".into(), Spec::of_run(1), "9.1".parse().expect("a place"), None);
        for not_news in [stands(2, "20.0"), stands(1, "9.0")] {
            assert!(!not_news.tell(&one));
        }
        assert_eq!(one.held(), held(1, "9.1"));
        assert!(stands(1, "9.2").tell(&one));
        assert_eq!((one.held().cursor, one.held().failing_ms), ("9.2".parse().expect("a place"), Some(5)));
        one.delivers(true);
        assert!(!stands(1, "30.0").tell(&one), "who delivers knows better");
    }
}

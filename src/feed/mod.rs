//! The event feed: the journal itself, from a cursor, as those outside are told it. Read by the journal's readers, a few at a time and
//! bounded in records and bytes, so that whoever reads a year of it is in nobody's way.

mod names;
mod place;
mod render;
mod render_conversations;

pub use place::Place;

use crate::desk::time::{DeskTime, Now, WallTime};
use crate::engine::{Engine, Standing, Taking, Workspace};
use crate::journal::{JournalFailed, Position, StoredRecord, record};
use crate::telemetry::catalogue::{FEED_EVENTS_TOTAL, FEED_FOLLOWERS};
use crate::wire::feed::{EventUnreadable, Fact, FeedEvent, Types};
use metrics::{counter, gauge};
use names::Names;
use std::sync::Arc;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};

/// Reads of the journal at once, of all who follow: half of its readers, so that the other half is the engine's.
const READS_MAX: usize = 2;
/// Those who follow at once, of all workspaces.
const FOLLOWERS_MAX: usize = 256;
/// What one read of the journal takes at most: of records, and of their bytes (but one record at least, of `RECORD_BYTES_MAX`).
const RECORDS_MAX: usize = 512;
pub const READ_BYTES_MAX: usize = 256 * 1024;
/// Reads that one page may take where little of what is read is wanted.
const READS_EACH_MAX: usize = 8;

/// The feeds of all workspaces.
#[derive(Clone)]
pub struct Feeds {
    engine: Arc<Engine>,
    reads: Arc<Semaphore>,
    followers: Arc<Semaphore>,
}

impl Feeds {
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        let (reads, followers) = (Semaphore::new(READS_MAX), Semaphore::new(FOLLOWERS_MAX));
        Self { engine, reads: Arc::new(reads), followers: Arc::new(followers) }
    }

    #[must_use]
    pub fn of(&self, workspace: &str) -> Option<Feed> {
        Some(Feed { workspace: self.engine.workspace(workspace)?, feeds: self.clone() })
    }
}

/// One workspace's.
#[derive(Clone)]
pub struct Feed {
    workspace: Arc<Workspace>,
    feeds: Feeds,
}

/// What of it.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub types: Types,
    /// What was sealed too: whoever asks may read it.
    pub texts: bool,
}

/// A part of it, in order.
#[derive(Debug)]
pub struct Page {
    pub events: Vec<FeedEvent>,
    /// From where to read on.
    pub next: Place,
    /// There is no more by now.
    pub is_last: bool,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// What comes after the cursor is not kept any more; from here on everything is there.
    #[error("what comes after this cursor is not kept any more: the first that is still there is after={first}")]
    Gone { first: Place },
    #[error("nothing has happened yet at this cursor")]
    Beyond,
    #[error("{0}")]
    Unavailable(String),
}

impl From<JournalFailed> for NotRead {
    fn from(failed: JournalFailed) -> Self {
        NotRead::Unavailable(failed.to_string())
    }
}

/// One who follows from outside, and has its place for as long as this is held.
#[derive(Debug)]
pub struct Follower(#[allow(dead_code, reason = "held for its end")] OwnedSemaphorePermit);

impl Drop for Follower {
    fn drop(&mut self) {
        gauge!(FEED_FOLLOWERS).decrement(1.0);
    }
}

impl Feed {
    #[must_use]
    pub fn workspace(&self) -> &Arc<str> {
        self.workspace.name()
    }

    /// Told whenever there is more. Not bounded in number: for the server's own followers.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.workspace.committed().follow()
    }

    /// A place among those who follow from outside; `None` when as many do already as may.
    #[must_use]
    pub fn place_to_follow(&self) -> Option<Follower> {
        let place = self.feeds.followers.clone().try_acquire_owned().ok()?;
        gauge!(FEED_FOLLOWERS).increment(1.0);
        Some(Follower(place))
    }

    /// Behind everything that there is.
    #[must_use]
    pub fn end(&self) -> Place {
        Place::behind(self.workspace.committed().position())
    }

    /// Before everything that is kept.
    ///
    /// # Errors
    /// It cannot be read now.
    pub async fn first(&self) -> Result<Place, NotRead> {
        let _turn = self.feeds.reads.acquire().await.map_err(closed)?;
        let read = self.feeds.engine.journal().read(self.workspace.name(), Position::NOTHING, 1, 1).await?;
        Ok(read.first().map_or(Place::BEGINNING, |record| Place::behind(Position(record.position.0 - 1))))
    }

    /// What comes after a place; without one, from the first that is kept. At most `events_max`, and about `READ_BYTES_MAX`.
    ///
    /// # Errors
    /// It is not kept any more, has not happened yet, or cannot be read now.
    pub async fn read(&self, after: Option<Place>, wanted: &Wanted, events_max: usize) -> Result<Page, NotRead> {
        let end = self.workspace.committed().position();
        if let Some(place) = after
            && place.position > end
        {
            return Err(self.not_here(place.position, end).await);
        }
        let mut page = Page { events: Vec::new(), next: after.unwrap_or(Place::BEGINNING), is_last: false };
        let mut from_the_first = after.is_none();
        for _ in 0..READS_EACH_MAX {
            if page.next >= Place::behind(end) {
                page.is_last = true;
                break;
            }
            let records = self.records(page.next, from_the_first, end).await?;
            from_the_first = false;
            page = self.rendered(records, page.next, wanted.clone(), events_max).await?;
            counter!(FEED_EVENTS_TOTAL).increment(page.events.len() as u64);
            if !page.events.is_empty() {
                page.is_last = page.next >= Place::behind(end);
                break;
            }
        }
        Ok(page)
    }

    /// A position that this node has not heard of: another may have told of it.
    async fn not_here(&self, position: Position, end: Position) -> NotRead {
        if let Taking::Nothing { why } = self.workspace.taking()
            && end == Position::NOTHING
        {
            return NotRead::Unavailable(why.to_owned());
        }
        if !self.feeds.engine.may_be_behind() {
            return NotRead::Beyond;
        }
        match self.feeds.engine.journal().tail(self.workspace.name()).await {
            Ok(Some(last)) if last.position >= position => {
                NotRead::Unavailable("this node has not lived through that yet".to_owned())
            }
            Ok(_) => NotRead::Beyond,
            Err(failed) => failed.into(),
        }
    }

    async fn records(&self, after: Place, from_the_first: bool, end: Position) -> Result<Vec<StoredRecord>, NotRead> {
        let _turn = self.feeds.reads.acquire().await.map_err(closed)?;
        let (name, from) = (self.workspace.name(), after.read_after());
        let mut records = self.feeds.engine.journal().read(name, from, RECORDS_MAX, READ_BYTES_MAX).await?;
        let Some(first) = records.first().map(|record| record.position) else {
            return Err(NotRead::Unavailable("the journal is being cut".to_owned()));
        };
        if first > from.next() && !from_the_first {
            return Err(NotRead::Gone { first: Place::behind(Position(first.0 - 1)) });
        }
        // What is in the journal already and was not told to anybody yet is nobody's to see.
        records.retain(|record| record.position <= end);
        Ok(records)
    }

    async fn rendered(
        &self,
        records: Vec<StoredRecord>,
        after: Place,
        wanted: Wanted,
        events_max: usize,
    ) -> Result<Page, NotRead> {
        let (workspace, keys) = (self.workspace.clone(), self.feeds.engine.keys().clone());
        // JSON and ciphers of a quarter of a megabyte: not on a thread that others wait for.
        let rendering = tokio::task::spawn_blocking(move || {
            let named = Names::of(&workspace, None);
            let clear = wanted.texts.then(|| Names::of(&workspace, Some(&keys)));
            let page = render(&records, after, &wanted.types, &named, clear.as_ref(), events_max);
            match clear.is_some_and(|clear| clear.failed()) {
                true => Err(NotRead::Unavailable("customers' keys cannot be read".to_owned())),
                false => Ok(page),
            }
        });
        rendering.await.map_err(|error| NotRead::Unavailable(error.to_string()))?
    }
}

fn closed(_: AcquireError) -> NotRead {
    NotRead::Unavailable("the server is going down".to_owned())
}

/// What is wanted of these records, after a place.
fn render(
    records: &[StoredRecord],
    after: Place,
    types: &Types,
    named: &Names<'_>,
    clear: Option<&Names<'_>>,
    events_max: usize,
) -> Page {
    let mut page = Page { events: Vec::new(), next: after, is_last: false };
    let mut at = WallTime::default();
    for stored in records {
        let position = stored.position;
        let (now, lines) = match record::decode(&stored.body) {
            Ok(read) => (Now { desk: DeskTime(read.head.desk_ms), wall: WallTime(read.head.wall_ms) }, read.events),
            Err(damaged) => {
                tracing::error!(%position, %damaged, "a record is left out of the event feed");
                let place = Place::behind_event(position, 0);
                if place > after && types.want("event.unreadable") {
                    let fact = Fact::EventUnreadable(EventUnreadable {});
                    page.events.push(event_of(place, at, named.workspace(), fact));
                }
                page.next = Place::behind(position);
                continue;
            }
        };
        at = now.wall;
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            let place = Place::behind_event(position, index as u32);
            if place <= after {
                continue;
            }
            let fact = fact_of(line.get(), now, types, named, clear);
            page.next = if index == last { Place::behind(position) } else { place };
            if let Some(fact) = fact {
                page.events.push(event_of(place, at, named.workspace(), fact));
                if page.events.len() >= events_max {
                    return page;
                }
            }
        }
        page.next = Place::behind(position);
    }
    page
}

/// `None`: it is not wanted.
fn fact_of(line: &str, now: Now, types: &Types, named: &Names<'_>, clear: Option<&Names<'_>>) -> Option<Fact> {
    let read = || {
        serde_json::from_str(line)
            .inspect_err(|error| tracing::warn!(%error, "an event of a newer release is not understood"))
    };
    let rendered =
        |names| read().map_or(Some(Fact::EventUnreadable(EventUnreadable {})), |event| render::fact(event, now, names));
    let fact = rendered(named)?;
    if !types.want(fact.kind().0) {
        return None;
    }
    // What nobody wants is not unsealed.
    clear.map_or(Some(fact), rendered)
}

fn event_of(place: Place, at: WallTime, workspace: &Arc<str>, fact: Fact) -> FeedEvent {
    FeedEvent { id: place.to_string(), version: fact.kind().1, at: at.0, workspace: workspace.clone(), fact }
}

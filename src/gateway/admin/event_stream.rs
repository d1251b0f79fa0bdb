//! The feed as server-sent events. A stream knows where it is and is told that there is more; it reads on when its client has taken what
//! it was sent, so a slow one holds one part of it and no more.

use super::Shared;
use super::asker::Scope;
use crate::clock;
use crate::desk::time::DeskTime;
use crate::engine::Standing;
use crate::feed::{Feed, Follower, NotRead, Page, Place, READ_BYTES_MAX, Wanted};
use crate::gateway::http::asking::Asked;
use crate::overload::{Purpose, Rung, Taken, Weight, memory};
use crate::wire::feed::FeedEvent;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use schemars::JsonSchema;
use serde::Serialize;
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");
const BEAT: Duration = Duration::from_secs(15);
/// Before a workspace that cannot be read now, or memory that is short, is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Between two reads, so that a busy workspace is read by parts and not by records.
const GATHER_MS: u64 = 10;
/// The longest life of a stream, as of a customer's.
const LIFE_MS_MAX: u64 = 3_600_000;
/// Events that are sent at once.
const EVENTS_MAX: usize = 100;

/// What comes after the last event is not kept any more.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FeedGone")]
pub(super) struct Gone {
    /// The first cursor that is still there.
    first: String,
}

/// `from`: where it begins, and whether that is wherever the journal does.
pub(super) fn body(
    admin: Shared,
    asked: Asked,
    feed: Feed,
    wanted: Wanted,
    (at, from_the_first): (Place, bool),
    place: Follower,
) -> Response {
    let opened_at = (admin.door.now)().desk;
    let standing = feed.standing();
    let follow = Follow {
        admin,
        asked,
        feed,
        wanted,
        standing,
        opened_at,
        at,
        from_the_first,
        told: at,
        looked_at_ms: 0,
        spoke_at_ms: clock::monotonic_ms(),
        next: Next::Hello,
        beat: Box::pin(sleep(BEAT)),
        held: None,
        _place: place,
    };
    let stream = futures_util::stream::unfold(follow, |mut follow| async {
        let bytes = follow.next().await?;
        Some((Ok::<_, Infallible>(bytes), follow))
    });
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct Follow {
    admin: Shared,
    /// With its credential, which must stay good.
    asked: Asked,
    feed: Feed,
    wanted: Wanted,
    standing: watch::Receiver<Standing>,
    opened_at: DeskTime,
    at: Place,
    from_the_first: bool,
    /// What the client would come back with.
    told: Place,
    looked_at_ms: u64,
    spoke_at_ms: u64,
    next: Next,
    beat: Pin<Box<Sleep>>,
    /// For what was handed out last, until it is taken.
    held: Option<Taken>,
    _place: Follower,
}

#[derive(Clone, Copy, PartialEq)]
enum Next {
    Hello,
    Look,
    Wait,
    End,
}

impl Follow {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        self.held = None;
        let bytes = self.said().await;
        self.spoke_at_ms = clock::monotonic_ms();
        bytes
    }

    async fn said(&mut self) -> Option<Bytes> {
        loop {
            match self.next {
                Next::Hello => {
                    self.next = Next::Look;
                    return Some(RETRY);
                }
                Next::Look => {
                    // Seen before it is read, so that what comes meanwhile is read again.
                    if self.standing.borrow_and_update().over || !self.holds() {
                        return None;
                    }
                    if let Some(bytes) = self.look().await {
                        return Some(bytes);
                    }
                    // Far behind, and little of it is wanted: it says that it is there.
                    if clock::monotonic_ms().saturating_sub(self.spoke_at_ms) >= BEAT.as_millis() as u64 {
                        return Some(self.heartbeat());
                    }
                }
                Next::Wait => tokio::select! {
                    changed = self.standing.changed() => {
                        changed.ok()?;
                        let since_ms = clock::monotonic_ms().saturating_sub(self.looked_at_ms);
                        // Gathered, never waited for: what came is told within this.
                        sleep(Duration::from_millis(GATHER_MS.saturating_sub(since_ms))).await;
                        self.next = Next::Look;
                    }
                    () = &mut self.beat => {
                        self.beat.set(sleep(BEAT));
                        return self.holds().then(|| self.heartbeat());
                    }
                },
                Next::End => return None,
            }
        }
    }

    /// Whether it may go on: the key or token is good still, and its hour is not over.
    fn holds(&self) -> bool {
        // Not by the wall: a clock that is set ends nobody's stream.
        (self.admin.door.now)().desk.ms_since(self.opened_at) < LIFE_MS_MAX
            && self.admin.may_still(self.feed.workspace(), &self.asked, Scope::Events)
    }

    /// What is told next; `None` where there is nothing, or it cannot be read now.
    async fn look(&mut self) -> Option<Bytes> {
        self.looked_at_ms = clock::monotonic_ms();
        let room = memory().admit(Rung::History).is_ok();
        let room = room.then(|| memory().reserve.guard(Purpose::Streams, Weight::Ordinary, 2 * READ_BYTES_MAX).ok());
        let Some(Some(mut room)) = room else {
            sleep(AGAIN).await;
            return None;
        };
        let after = Some(self.at).filter(|_| !self.from_the_first);
        match self.feed.read(after, &self.wanted, EVENTS_MAX).await {
            Ok(Page { events, next, is_last }) => {
                self.from_the_first = false;
                let text = told(&events);
                if room.resize_to(text.len()).is_err() {
                    sleep(AGAIN).await;
                    return None;
                }
                self.at = next;
                self.next = if is_last { Next::Wait } else { Next::Look };
                let last = events.last()?;
                self.told = last.id.parse().unwrap_or(next);
                self.held = Some(room);
                Some(text.into())
            }
            Err(NotRead::Gone { first }) => {
                self.next = Next::End;
                let gone =
                    serde_json::to_string(&Gone { first: first.to_string() }).expect("a string always serializes");
                Some(format!("event: gone\ndata: {gone}\n\n").into())
            }
            Err(NotRead::Beyond) => {
                self.next = Next::End;
                None
            }
            Err(NotRead::Unavailable(why)) => {
                tracing::warn!(why, "the event feed cannot be read: the stream tries again");
                sleep(AGAIN).await;
                None
            }
        }
    }

    /// With an id where it went past what is not wanted, so that who comes back does not begin far behind.
    fn heartbeat(&mut self) -> Bytes {
        if self.at.position <= self.told.position {
            return HEARTBEAT;
        }
        self.told = self.at;
        format!("id: {}\n\n", self.at).into()
    }
}

fn told(events: &[FeedEvent]) -> String {
    let mut out = String::new();
    for event in events {
        let data = serde_json::to_string(event).expect("strings and numbers always serialize");
        let _ = write!(out, "id: {}\ndata: {data}\n\n", event.id);
    }
    out
}

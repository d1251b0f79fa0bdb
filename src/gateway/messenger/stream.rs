//! `GET /conversations/{c}/events`: a customer follows its conversation. What was comes from the view, what is from the
//! engine, and each numbered event goes out once, in order.
//!
//! ```text
//!   hello ──▶ catching up ──the view has no more──▶ live ──the engine goes down, sign-out, an hour──▶ over
//!                  ▲                                  │
//!                  └──────── a gap, or `Behind` ──────┘
//! ```
//!
//! The engine is subscribed to before the view is read, and the view is waited for until it has reached what was committed
//! then: so every event is in one of the two. What comes from both is known by its number.

use super::Shared;
use super::customer::{customer_needed, still_good};
use super::reading::{own, own_with};
use super::shapes::{Shown, frame};
use super::slots::Slot;
use super::{customer, sse};
use crate::desk::ids::{ConversationId, CustomerId};
use crate::desk::time::Now;
use crate::gateway::auth::client_address::prefix;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::desks::{Desk, Live, Out, PublicFact, PublicFrame, PublicRow, Rows, Soon};
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::overload::{Purpose, Taken, Weight, memory};
use crate::wire::error::Code;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Rows that one stream reads at once: with the longest texts, a third of a megabyte for as long as they are sent.
const PAGE: usize = 16;
/// What they are taken to need until they are known.
const PAGE_BYTES: usize = 16 * 1024;
/// Before a view that is behind or failing is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// Then the stream ends, and the browser comes back by itself.
const TRIES_MOST: u32 = 30;
/// The longest life of a stream: a token that expired meanwhile opens no new one.
const LIFE_MS_MAX: u64 = 3_600_000;

pub(super) async fn events(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let desk = messenger.desk(&workspace)?;
    let query = Query::parse(asked.query.as_deref(), &["ticket", "after"])?;
    let conversation = conversation(&id)?;
    let customer = follower(&messenger, &*desk, &asked, &query, conversation)?;
    messenger.take(&messenger.calls, (&*workspace, customer))?;
    let after = last_seen(&asked, &query)?;
    match own_with(&*desk, customer, conversation, |found| found.public >= after).await {
        Ok(found) if after > found.public => return Err(Problem::bad_cursor(cursor_name(&asked))),
        Ok(_) => {}
        // `EventSource` never comes back after a 503. So the stream opens, and waits inside.
        Err(problem) if matches!(problem.0.code, Code::Behind | Code::Unavailable) => {}
        Err(problem) => return Err(problem),
    }
    let address = messenger.door.identities.client_address(&asked.headers, asked.peer);
    let slot = messenger.streams.take(customer, prefix(address))?;
    let stream = EventStream {
        live: desk.stream(conversation, after)?,
        follow: Arc::new(Follow {
            opened_at: (messenger.door.now)(),
            messenger: messenger.clone(),
            desk,
            customer,
            conversation,
        }),
        last: after,
        phase: Phase::Hello,
        beat: Box::pin(sleep(messenger.bounds.heartbeat)),
        _slot: slot,
    };
    let mut response = Body::new(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// By the ticket in the query, or else by `Authorization`.
fn follower(
    messenger: &Shared,
    desk: &dyn Desk,
    asked: &Asked,
    query: &Query,
    id: ConversationId,
) -> Result<CustomerId, Problem> {
    let Some(ticket) = query.text("ticket") else {
        return Ok(customer_needed(&messenger.door, desk, asked)?.id);
    };
    let door = &messenger.door;
    let ticket = door
        .identities
        .ticket(desk.name(), ticket, (door.now)().wall)
        .map_err(|not_known| Problem::unauthorized(not_known.0))?;
    customer::still_good(&desk.published(), ticket.customer, ticket.issued_at)?;
    if ticket.conversation != id {
        return Err(Problem::no_such_conversation(&id.to_string()));
    }
    Ok(ticket.customer)
}

fn last_seen(asked: &Asked, query: &Query) -> Result<u32, Problem> {
    // The browser's own header is newer than the address that the page gave it at first.
    match asked.headers.get("last-event-id") {
        Some(value) if !value.is_empty() => {
            let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
            number.ok_or_else(|| Problem::bad_cursor("Last-Event-ID"))
        }
        _ => Ok(query.cursor("after")?.unwrap_or(0)),
    }
}

fn cursor_name(asked: &Asked) -> &'static str {
    if asked.headers.contains_key("last-event-id") { "Last-Event-ID" } else { "after" }
}

/// What a stream follows, shared with the reading it has under way.
struct Follow {
    messenger: Shared,
    desk: Arc<dyn Desk>,
    customer: CustomerId,
    conversation: ConversationId,
    opened_at: Now,
}

impl Follow {
    /// Whether it may go on: nobody signed out, and its hour is not over.
    fn holds(&self) -> bool {
        // Not by the wall: a clock that is set ends nobody's stream.
        let open_ms = (self.messenger.door.now)().desk.ms_since(self.opened_at.desk);
        open_ms < LIFE_MS_MAX && still_good(&self.desk.published(), self.customer, self.opened_at.wall).is_ok()
    }
}

struct EventStream {
    follow: Arc<Follow>,
    live: Box<dyn Live>,
    /// The last number that went out.
    last: u32,
    phase: Phase,
    beat: Pin<Box<Sleep>>,
    _slot: Slot,
}

enum Phase {
    Hello,
    Reading(Soon<'static, Option<Read>>),
    Sending {
        rows: std::vec::IntoIter<PublicRow>,
        more: bool,
        /// As long as any row waits: a customer who does not read holds them for as long as it likes.
        _taken: Taken,
    },
    Live,
    Over,
}

/// What the view gave.
struct Read {
    /// As of now; with the first page only.
    state: Option<PublicFrame>,
    rows: Vec<PublicRow>,
    /// Whether there may be more rows.
    more: bool,
    taken: Taken,
}

/// `None`: the stream is to end.
async fn read(follow: Arc<Follow>, after: u32, first: bool) -> Option<Read> {
    for _ in 0..TRIES_MOST {
        match try_read(&follow, after, first).await {
            Ok(read) => return Some(read),
            Err(problem) if matches!(problem.0.code, Code::Behind | Code::Unavailable | Code::Busy) => {
                sleep(AGAIN).await
            }
            Err(_) => return None,
        }
    }
    None
}

async fn try_read(follow: &Follow, after: u32, first: bool) -> Result<Read, Problem> {
    let desk = &*follow.desk;
    let mut state = None;
    if first {
        let conversation = own(desk, follow.customer, follow.conversation).await?;
        state = Some(Shown::of(desk, follow.conversation, &conversation).state_frame(&conversation));
    }
    let mut taken = memory().reserve.guard(Purpose::Streams, Weight::Ordinary, PAGE_BYTES)?;
    let Rows { rows, more } = desk.history().public_events(follow.conversation, after, PAGE).await?;
    taken.resize_to(rows.iter().map(bytes_of).sum())?;
    Ok(Read { state, more, rows, taken })
}

/// What a row takes.
fn bytes_of(row: &PublicRow) -> usize {
    let text = match &row.fact {
        PublicFact::Message { text, .. } => text.len(),
        _ => 0,
    };
    size_of::<PublicRow>() + text
}

impl EventStream {
    fn catch_up(&mut self, first: bool) {
        self.phase = Phase::Reading(Box::pin(read(self.follow.clone(), self.last, first)));
    }

    /// The next bytes; `None` at the end.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match &mut self.phase {
                Phase::Hello => {
                    self.catch_up(true);
                    return Poll::Ready(Some(sse::RETRY));
                }
                Phase::Reading(reading) => match ready!(reading.as_mut().poll(cx)) {
                    None => self.phase = Phase::Over,
                    Some(read) => {
                        self.phase =
                            Phase::Sending { rows: read.rows.into_iter(), more: read.more, _taken: read.taken };
                        if let Some(state) = read.state {
                            return Poll::Ready(Some(sse::event(&state)));
                        }
                    }
                },
                Phase::Sending { rows, more, .. } => match (rows.next(), *more) {
                    (Some(row), _) if row.public <= self.last => {}
                    (Some(row), _) => {
                        self.last = row.public;
                        let follow = &self.follow;
                        return Poll::Ready(Some(sse::event(&frame(&follow.messenger.door, &*follow.desk, &row))));
                    }
                    (None, true) => self.catch_up(false),
                    (None, false) => self.phase = Phase::Live,
                },
                Phase::Live => match ready!(self.live.poll_next(cx)) {
                    Out::Ended { retry_after_ms } => {
                        self.phase = Phase::Over;
                        return Poll::Ready(Some(sse::retry(retry_after_ms)));
                    }
                    Out::Behind => self.catch_up(true),
                    Out::Frame(frame) => match frame.public {
                        None => return Poll::Ready(Some(sse::event(&frame))),
                        Some(public) if public <= self.last => {}
                        Some(public) if public == self.last + 1 => {
                            self.last = public;
                            return Poll::Ready(Some(sse::event(&frame)));
                        }
                        Some(_) => self.catch_up(true),
                    },
                },
                Phase::Over => return Poll::Ready(None),
            }
        }
    }
}

impl http_body::Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.beat.as_mut().poll(cx).is_ready() {
            this.beat.set(sleep(this.follow.messenger.bounds.heartbeat));
            if !this.follow.holds() {
                this.phase = Phase::Over;
                return Poll::Ready(None);
            }
            return Poll::Ready(Some(Ok(Frame::data(sse::HEARTBEAT))));
        }
        this.poll_bytes(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

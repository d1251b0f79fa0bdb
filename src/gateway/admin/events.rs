//! `GET /events`: the workspace's feed, in pages or as a stream (`event_stream.rs`). A page may wait for what has not happened yet.

use super::Shared;
use super::asker::{Asker, Scope};
use super::event_stream;
use crate::clock;
use crate::feed::{Feed, NotRead, Page, Place, Wanted};
use crate::gateway::http::asking::Asked;
use crate::gateway::http::asking::At;
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::{LIMIT_MAX, Query};
use crate::wire::error::{Code, More, WireError};
use crate::wire::feed::{EventsPage, Types};
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::header;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// When all places are taken, for whoever would follow.
const RETRY_AFTER_MS: u64 = 5_000;
const LIMIT: usize = 100;
/// The longest that a page waits.
const WAIT_MS_MAX: u64 = 30_000;
/// Between two looks at a busy workspace.
const GATHER: Duration = Duration::from_millis(10);

pub(super) async fn list(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Events)?;
    let feed = asker.desk.feed().ok_or_else(|| Problem::not_found("workspace"))?;
    let streams = accepts_a_stream(&asked);
    let query = Query::parse(asked.query.as_deref(), &["after", "types", "texts", "limit", "wait_ms"])?;
    let wanted = wanted(&asker, &query)?;
    let after = after(&asked, &query, &feed, streams)?;
    if !streams {
        return page(&feed, &query, after, &wanted).await;
    }
    if let Some(field) = ["limit", "wait_ms"].into_iter().find(|field| query.text(field).is_some()) {
        return Err(Problem::bad_request(format!("{field} is not for streams")).at(field));
    }
    let place = feed.place_to_follow().ok_or_else(|| Problem(WireError::busy(RETRY_AFTER_MS)))?;
    // Whether there is such a place is said by the status, which a stream has only once.
    let from = after.unwrap_or(Place::BEGINNING);
    feed.read(after, &wanted, 1).await.map_err(|not_read| problem(&not_read))?;
    Ok(event_stream::body(admin, asked, feed, wanted, (from, after.is_none()), place).into_response())
}

fn accepts_a_stream(asked: &Asked) -> bool {
    let accepts = asked.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts
        .flat_map(|value| value.split(','))
        .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")))
}

fn wanted(asker: &Asker, query: &Query) -> Result<Wanted, Problem> {
    let types = query.text("types").unwrap_or_default().split(',');
    let types = Types::parse(types).map_err(|word| {
        Problem::new(Code::BadField, format!("types: there is no type {word:?} (docs/events.md)")).at("types")
    })?;
    let texts = query.parsed("texts", "must be true or false")?.unwrap_or(false);
    if texts {
        asker.credential.must_have(Scope::Read)?;
    }
    Ok(Wanted { types, texts })
}

/// `Last-Event-ID` is what a browser says when it comes back.
fn after(asked: &Asked, query: &Query, feed: &Feed, streams: bool) -> Result<Option<Place>, Problem> {
    let last = asked.headers.get("last-event-id").filter(|_| streams);
    if let Some(last) = last.filter(|last| !last.is_empty()) {
        let place = last.to_str().ok().and_then(|text| text.parse().ok());
        return place.map(Some).ok_or_else(|| Problem::bad_cursor("Last-Event-ID"));
    }
    match query.text("after") {
        Some("latest") => Ok(Some(feed.end())),
        _ => query.cursor("after"),
    }
}

async fn page(feed: &Feed, query: &Query, after: Option<Place>, wanted: &Wanted) -> Result<Response, Problem> {
    let limit = match query.parsed("limit", "must be 1 to 200")? {
        None => LIMIT,
        Some(limit @ 1..=LIMIT_MAX) => limit,
        Some(_) => return Err(Problem::bad_field("limit", "must be 1 to 200")),
    };
    let wait_ms = match query.parsed("wait_ms", "must be 0 to 30000")? {
        None => 0,
        Some(wait_ms @ 0..=WAIT_MS_MAX) => wait_ms,
        Some(_) => return Err(Problem::bad_field("wait_ms", "must be 0 to 30000")),
    };
    let until = now() + Duration::from_millis(wait_ms);
    let mut standing = feed.standing();
    let mut place = None;
    let mut after = after;
    loop {
        // Seen before it is read, so that what comes meanwhile is read again.
        let over = standing.borrow_and_update().over;
        let room = Room::for_rows(limit)?;
        let Page { events, next, is_last } =
            feed.read(after, wanted, limit).await.map_err(|not_read| problem(&not_read))?;
        let waits = events.is_empty() && is_last && !over && now() < until;
        if !waits {
            return room.ok(&EventsPage { events, next: next.to_string(), more: !is_last });
        }
        drop(room);
        if place.is_none() {
            place = Some(feed.place_to_follow().ok_or_else(|| Problem(WireError::busy(RETRY_AFTER_MS)))?);
        }
        after = Some(next);
        // Later than that it is answered as it is; before, it is gathered for a moment, as of a stream.
        if timeout_at(until, standing.changed()).await.is_ok() {
            sleep_until(until.min(now() + GATHER)).await;
        }
    }
}

fn now() -> Instant {
    Instant::from_std(clock::instant())
}

/// As a client is told.
pub(super) fn problem(not_read: &NotRead) -> Problem {
    match not_read {
        NotRead::Gone { first } => {
            let error = WireError::new(Code::CursorGone, not_read.to_string()).at("after");
            Problem(WireError { more: Some(More::First(first.to_string())), ..error })
        }
        NotRead::Beyond => Problem::bad_cursor("after"),
        NotRead::Unavailable(why) => {
            tracing::warn!(why, "the event feed cannot be read");
            Problem(WireError::unavailable(1_000, "the journal cannot be read"))
        }
    }
}

//! Whose threads a connection over HTTP is served on. Everybody begins in front. Who is refused for how often it asks, or for
//! who it is, or is a stranger for whom there is no room, goes on in the back, where a flood stands behind itself alone.
//!
//! ```text
//!   front ──a refusal of that kind──▶ back ──a request with credentials is done──▶ front
//! ```
//!
//! A connection moves a few times at most and then stays in the back, so that nobody can keep the threads busy with moving.

use crate::telemetry::catalogue;
use http::{HeaderMap, StatusCode, Uri, header};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// Odd, so that the last one is to the back.
const MOVES_MAX: u8 = 7;

/// One connection's. Its requests change it, and whoever drives it obeys: both in the connection's own task.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// How often it moved: in the back when odd.
    moves: AtomicU8,
    due: AtomicBool,
    asked: AtomicBool,
    moving: Arc<AtomicBool>,
}

/// Where a connection is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lane {
    Front,
    Back,
}

impl Standing {
    fn lane(&self) -> Lane {
        if self.moves.load(Relaxed).is_multiple_of(2) { Lane::Front } else { Lane::Back }
    }

    /// Its first request has come.
    pub(super) fn has_asked(&self) {
        self.asked.store(true, Relaxed);
    }

    /// Nothing has come of it yet.
    pub(super) fn is_silent(&self) -> bool {
        !self.asked.load(Relaxed)
    }

    /// A request was answered; `credentials` says whether it showed any.
    pub(super) fn answered(&self, credentials: bool, status: StatusCode) {
        let refused = match status {
            StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS => true,
            // That there is no room is no fault of who is here already.
            StatusCode::SERVICE_UNAVAILABLE => !credentials,
            _ => false,
        };
        match self.lane() {
            Lane::Front if refused => self.due.store(true, Relaxed),
            Lane::Back if credentials && status.is_success() => self.due.store(true, Relaxed),
            Lane::Front | Lane::Back => {}
        }
    }

    /// Where to take it now, once. The carrier is told to come along.
    pub(super) fn to_move(&self) -> Option<Lane> {
        // Most look and change nothing.
        if !self.due.load(Relaxed) {
            return None;
        }
        self.due.store(false, Relaxed);
        let moves = self.moves.load(Relaxed);
        if moves == MOVES_MAX {
            return None;
        }
        self.moves.store(moves + 1, Relaxed);
        self.moving.store(true, Relaxed);
        let lane = self.lane();
        metrics::counter!(catalogue::CONNECTIONS_MOVED_TOTAL, "to" => lane.name()).increment(1);
        Some(lane)
    }

    /// Set when the connection finds itself on other threads; for the carrier, which takes it back.
    pub(super) fn moving(&self) -> Arc<AtomicBool> {
        self.moving.clone()
    }
}

impl Lane {
    fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Back => "back",
        }
    }
}

/// Whether a request shows who asks. That it is true, its answer says.
pub(super) fn shows_credentials(headers: &HeaderMap, uri: &Uri) -> bool {
    headers.contains_key(header::AUTHORIZATION)
        // A browser's `EventSource` can send no header.
        || uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("ticket=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_for_whom_there_is_no_room_goes_to_the_back_and_who_is_known_comes_out() {
        let standing = Standing::default();
        standing.answered(false, StatusCode::CREATED);
        standing.answered(true, StatusCode::SERVICE_UNAVAILABLE);
        standing.answered(true, StatusCode::NOT_FOUND);
        assert_eq!(standing.to_move(), None, "no fault of its own");
        standing.answered(false, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(standing.to_move(), Some(Lane::Back));
        assert_eq!(standing.to_move(), None, "once");
        standing.answered(false, StatusCode::CREATED);
        standing.answered(true, StatusCode::UNAUTHORIZED);
        assert_eq!(standing.to_move(), None, "nothing shown, or nothing good");
        standing.answered(true, StatusCode::OK);
        assert_eq!(standing.to_move(), Some(Lane::Front));
    }

    #[test]
    fn who_asks_too_often_or_shows_a_bad_token_goes_to_the_back() {
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::UNAUTHORIZED] {
            let standing = Standing::default();
            standing.answered(true, status);
            assert_eq!(standing.to_move(), Some(Lane::Back));
        }
    }

    #[test]
    fn a_connection_moves_a_few_times_and_stays_in_the_back() {
        let standing = Standing::default();
        let mut lanes = Vec::new();
        for _ in 0..20 {
            standing.answered(false, StatusCode::SERVICE_UNAVAILABLE);
            lanes.extend(standing.to_move());
            standing.answered(true, StatusCode::OK);
            lanes.extend(standing.to_move());
        }
        assert_eq!((lanes.len(), lanes.last()), (usize::from(MOVES_MAX), Some(&Lane::Back)));
    }

    #[test]
    fn credentials_are_a_header_or_a_ticket() {
        let none = HeaderMap::new();
        let mut some = HeaderMap::new();
        some.insert(header::AUTHORIZATION, header::HeaderValue::from_static("Bearer x"));
        let uri = |text: &'static str| Uri::from_static(text);
        assert!(shows_credentials(&some, &uri("/v1")));
        assert!(shows_credentials(&none, &uri("/v1/events?after=3&ticket=x")));
        assert!(!shows_credentials(&none, &uri("/v1/events?after=ticket=x")));
        assert!(!shows_credentials(&none, &uri("/v1")));
    }
}

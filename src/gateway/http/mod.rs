//! What all HTTP calls have in common: problems, bodies, command ids, pages, limits and the traits they are answered through.

pub mod answered;
pub mod asking;
pub mod body;
pub mod buckets;
pub mod bundle;
pub mod calls;
pub mod cors;
pub mod desks;
pub mod elsewhere;
pub mod etag;
#[cfg(test)]
pub(crate) mod fakes;
pub mod gzip;
pub mod idempotency;
pub mod identities;
pub mod pages;
pub mod problem;
pub mod query;
pub mod rates;
pub mod real;
pub mod shown;
pub mod tokens;

use crate::desk::time::Now;
use desks::Desks;
use identities::Identities;
use std::sync::Arc;
use std::time::Duration;

/// How long a read waits for the view before it is refused as `behind`.
pub const VIEW_WAIT_MOST: Duration = Duration::from_secs(2);

/// What every call is answered through.
#[derive(Clone)]
pub struct Door {
    pub desks: Arc<dyn Desks>,
    pub identities: Arc<dyn Identities>,
    /// `desk` is any monotonic milliseconds (rate limits run on it), `wall` the Unix time that tokens are judged by.
    pub now: Arc<dyn Fn() -> Now + Send + Sync>,
}

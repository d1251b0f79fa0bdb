//! Files of messages over HTTP, for the customer and for the agents of a conversation: in, streamed to the disk, and out again.
//!
//! ```text
//! who, which conversation ──▶ rates, room, memory ──▶ bytes ──▶ kind ──▶ disk, synced ──▶ scan ──▶ kept, 201
//! ```

mod agents;
mod calls;
mod customers;
mod reading;
mod scan;
mod senders;
mod upload;

pub use scan::{Scan, ScanFailed};

use super::http::Door;
use super::http::answered::answered;
use super::http::buckets::Buckets;
use super::http::calls::Routed;
use super::http::cors::allow_listed;
use super::http::problem::Problem;
use crate::files::Files;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use senders::Senders;
use std::hash::Hash;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bounds on files under way.
#[derive(Clone, Debug)]
pub struct FilesBounds {
    /// Uploads at once, of all senders and of one.
    pub uploads_max: usize,
    pub uploads_each_max: u32,
    /// Files that are read at once.
    pub reads_max: usize,
    /// What one visitor may send in an hour.
    pub visitor_bytes_per_h: u64,
    /// A sender that is slower for long is cut off.
    pub bytes_per_s_min: u64,
    /// Senders that each rate limit remembers; 16 bytes each, two limits.
    pub senders_max: usize,
    pub calls_per_s: u32,
}

impl Default for FilesBounds {
    fn default() -> Self {
        Self {
            uploads_max: 16,
            uploads_each_max: 3,
            reads_max: 64,
            visitor_bytes_per_h: 100 << 20,
            bytes_per_s_min: 16 << 10,
            senders_max: 65_536,
            calls_per_s: 10,
        }
    }
}

/// Bytes are counted in these, so that a number of them fits.
const GRAIN_BYTES: u64 = 1_024;

pub(crate) struct Counter {
    door: Door,
    files: Arc<Files>,
    scan: Option<Scan>,
    bounds: FilesBounds,
    uploads: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    senders: Arc<Senders>,
    bytes_of_visitors: Buckets,
    calls: Buckets,
}

type Shared = Arc<Counter>;

/// What is said of the calls.
pub fn described() -> Vec<Routed> {
    calls::calls().described()
}

/// The routes, with all their layers.
pub fn router(door: Door, files: Arc<Files>, scan: Option<Scan>, bounds: FilesBounds) -> Router {
    let grains = (bounds.visitor_bytes_per_h / GRAIN_BYTES).clamp(1, u64::from(u32::MAX)) as u32;
    let counter = Arc::new(Counter {
        door: door.clone(),
        files,
        scan,
        uploads: Arc::new(Semaphore::new(bounds.uploads_max)),
        reads: Arc::new(Semaphore::new(bounds.reads_max)),
        senders: Senders::new(bounds.uploads_each_max),
        bytes_of_visitors: Buckets::new(grains, 3_600_000.0 / f64::from(grains), bounds.senders_max),
        calls: Buckets::new(
            bounds.calls_per_s.saturating_mul(10),
            1_000.0 / f64::from(bounds.calls_per_s),
            bounds.senders_max,
        ),
        bounds,
    });
    calls::calls().router().with_state(counter).layer(from_fn_with_state(door, allow_listed)).layer(from_fn(answered))
}

impl Counter {
    fn now_ms(&self) -> u64 {
        (self.door.now)().desk.0
    }

    fn call(&self, sender: impl Hash) -> Result<(), Problem> {
        self.calls.take(sender, self.now_ms()).map_err(|retry_after_ms| Problem::rate_limited("files", retry_after_ms))
    }
}

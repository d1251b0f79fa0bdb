//! The messenger's calls, `/v1/messenger/{workspace}`: a visitor starts, writes, reads, follows and leaves (docs/wire.md).

mod calls;
mod contact;
mod customer;
pub mod entry;
mod gate;
mod identity;
mod page;
mod reading;
mod reception;
mod shapes;
mod slots;
mod sse;
mod start;
mod stream;
#[cfg(test)]
mod stream_tests;
mod talk;
#[cfg(test)]
mod tests;
mod transcript;

pub(super) use customer::{customer_needed, keyed_id, known_id};
pub use gate::gate;
pub(super) use reading::own;

use super::http::Door;
use super::http::answered::answered;
use super::http::buckets::Buckets;
use super::http::calls::Routed;
use super::http::cors::allow_listed;
use super::http::desks::Desk;
use super::http::problem::Problem;
use crate::engine::workspace::PROBES;
use crate::wire::messenger::Limits;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use slots::StreamSlots;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// Bounds on what visitors may do, with DESIGN's defaults.
#[derive(Clone, Debug)]
pub struct MessengerBounds {
    pub limits: Limits,
    pub streams_max: usize,
    pub streams_max_per_customer: u32,
    pub streams_max_per_address: u32,
    /// Senders that each rate limit remembers; 16 bytes each, seven limits.
    pub senders_max: usize,
    /// Messages of one visitor: so many a second, and so many at once.
    pub messages_per_s: u32,
    pub messages_burst: u32,
    /// The same of all visitors behind one address, and of a whole workspace.
    pub address_messages_per_s: u32,
    pub address_burst: u32,
    pub workspace_messages_per_s: u32,
    pub workspace_burst: u32,
    /// New conversations of one customer, and from one address.
    pub starts_per_10_min: u32,
    /// Between comment lines on a stream where nothing happens.
    pub heartbeat: Duration,
}

impl Default for MessengerBounds {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            streams_max: 10_000,
            streams_max_per_customer: 10,
            streams_max_per_address: 1_000,
            senders_max: 65_536,
            messages_per_s: 1,
            messages_burst: 10,
            address_messages_per_s: 50,
            address_burst: 500,
            workspace_messages_per_s: 2_000,
            workspace_burst: 10_000,
            starts_per_10_min: 5,
            heartbeat: Duration::from_secs(15),
        }
    }
}

pub(crate) struct Messenger {
    door: Door,
    bounds: MessengerBounds,
    messages: Buckets,
    messages_of_addresses: Buckets,
    messages_of_workspaces: Buckets,
    starts_of_customers: Buckets,
    starts_of_addresses: Buckets,
    /// Starts that were counted once: a retry is not counted again, or an outage would lock its visitors out.
    starts_counted: Buckets,
    calls: Buckets,
    streams: Arc<StreamSlots>,
}

pub(crate) type Shared = Arc<Messenger>;

/// What is said of the calls.
pub fn described() -> Vec<Routed> {
    calls::calls().described()
}

/// The routes, with all their layers.
pub fn router(door: Door, bounds: MessengerBounds) -> Router {
    let senders_max = bounds.senders_max;
    let starts = bounds.starts_per_10_min;
    let start_each_ms = 600_000.0 / f64::from(starts);
    let message_each_ms = 1_000.0 / f64::from(bounds.messages_per_s);
    // Reads and typing come with the messages.
    let (calls_burst, call_each_ms) = (bounds.messages_burst.saturating_mul(5), message_each_ms / 10.0);
    let messenger = Arc::new(Messenger {
        door: door.clone(),
        messages: Buckets::new(bounds.messages_burst, message_each_ms, senders_max),
        messages_of_addresses: Buckets::new(
            bounds.address_burst,
            1_000.0 / f64::from(bounds.address_messages_per_s),
            senders_max,
        ),
        messages_of_workspaces: Buckets::new(
            bounds.workspace_burst,
            1_000.0 / f64::from(bounds.workspace_messages_per_s),
            senders_max,
        ),
        starts_of_customers: Buckets::new(starts, start_each_ms, senders_max),
        starts_of_addresses: Buckets::new(starts, start_each_ms, senders_max),
        starts_counted: Buckets::new(1, 600_000.0, senders_max),
        calls: Buckets::new(calls_burst, call_each_ms, senders_max),
        streams: StreamSlots::new(bounds.streams_max, bounds.streams_max_per_customer, bounds.streams_max_per_address),
        bounds,
    });
    calls::calls().router().with_state(messenger).layer(from_fn_with_state(door, allow_listed)).layer(from_fn(answered))
}

impl Messenger {
    fn desk(&self, workspace: &str) -> Result<Arc<dyn Desk>, Problem> {
        self.door.desks.desk(workspace).ok_or_else(|| Problem::not_found("workspace"))
    }

    /// For who asks before there is a conversation: the probe's workspace is nobody's.
    ///
    /// # Errors
    /// There is none of that name.
    fn desk_for_people(&self, workspace: &str) -> Result<Arc<dyn Desk>, Problem> {
        let desk = self.desk(workspace)?;
        if **desk.name() == *PROBES { Err(Problem::not_found("workspace")) } else { Ok(desk) }
    }

    fn now_ms(&self) -> u64 {
        (self.door.now)().desk.0
    }

    fn take(&self, buckets: &Buckets, sender: impl Hash) -> Result<(), Problem> {
        let is = |held: &Buckets| std::ptr::eq(buckets, held);
        let scope = if is(&self.starts_of_customers) || is(&self.starts_of_addresses) {
            "starts"
        } else if is(&self.messages_of_addresses) {
            "address"
        } else if is(&self.messages_of_workspaces) {
            "workspace"
        } else {
            "visitor"
        };
        // What is others' too is nothing to reckon with.
        let own = [(&self.calls, "calls"), (&self.messages, "messages"), (&self.starts_of_customers, "starts")];
        let taken = match own.into_iter().find(|(held, _)| is(held)) {
            Some((_, name)) => buckets.take_told(name, sender, self.now_ms()),
            None => buckets.take(sender, self.now_ms()),
        };
        taken.map_err(|retry_after_ms| Problem::rate_limited(scope, retry_after_ms))
    }
}

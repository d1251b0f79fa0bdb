//! The admin API, `/v1/workspaces/{workspace}`: settings, queues, agents, keys, live state, history and search.

mod agents;
mod asker;
mod audit;
mod audited;
mod calls;
mod calls_of_care;
mod calls_of_channels;
mod calls_of_events;
mod calls_of_imports;
mod calls_of_reports;
mod calls_of_webhooks;
mod calls_of_work;
mod changes;
mod channel;
mod conditions;
mod customers;
mod decision_stream;
mod decisions;
mod ends;
mod event_stream;
mod events;
mod export;
mod history;
mod imports;
mod keys;
mod labels;
mod live;
mod moves;
mod notes;
mod queues;
mod quotas;
mod report_rows;
mod reports;
mod search;
mod settings;
mod shapes;
mod signins;
mod statuses;
#[cfg(test)]
mod tests;
mod webhooks;
mod why;
mod workspaces;

use super::http::Door;
use super::http::answered::answered;
use super::http::buckets::Buckets;
use super::http::calls::Routed;
use super::signin::Endings;
use crate::audit::Trail;
use crate::webhooks::Webhooks;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use std::sync::Arc;

/// An import of hundreds of thousands of conversations has a line in the audit trail each hour, and not one for each: they would be all that it
/// holds.
const IMPORTS_TOLD_EACH_MS: f64 = 3_600_000.0;

pub(crate) struct Admin {
    door: Door,
    endings: Endings,
    /// `None` where there is no journal to follow, as in tests.
    webhooks: Option<Arc<Webhooks>>,
    trail: Arc<Trail>,
    /// Calls of each key or agent.
    calls: Buckets,
    /// Bad tokens from each address: looking one up costs more than refusing it.
    strangers: Buckets,
    /// Messages of each customer from outside.
    messages: Buckets,
    /// Whether an import has a line in the trail of late: of each workspace, key and source.
    imports_told: Buckets,
}

pub use webhooks::Wished as WishedWebhook;

pub(crate) type Shared = Arc<Admin>;

/// What is said of the calls.
pub fn described() -> Vec<Routed> {
    calls::calls().described()
}

/// The routes, with all their layers. Each key, and each agent, may call `calls_per_s` times a second.
pub fn router(
    door: Door,
    endings: Endings,
    webhooks: Option<Arc<Webhooks>>,
    trail: Arc<Trail>,
    calls_per_s: u32,
) -> Router {
    let admin = Arc::new(Admin {
        door,
        endings,
        webhooks,
        trail,
        calls: Buckets::new(calls_per_s, 1_000.0 / f64::from(calls_per_s), 16_384),
        strangers: Buckets::new(20, 1_000.0, 65_536),
        messages: Buckets::new(60, 1_000.0, 65_536),
        imports_told: Buckets::new(1, IMPORTS_TOLD_EACH_MS, 16_384),
    });
    let calls = calls::calls().router().route_layer(from_fn_with_state(admin.clone(), audited::audited));
    calls.with_state(admin).layer(from_fn(answered))
}

//! The admin API, `/v1/workspaces/{workspace}`: settings, queues, agents, keys, live state, history and search.

mod agents;
mod asker;
mod decision_stream;
mod decisions;
mod ends;
mod event_stream;
mod events;
mod history;
mod keys;
mod labels;
mod live;
mod moves;
mod notes;
mod queues;
mod search;
mod settings;
mod shapes;
mod signins;
mod statuses;
#[cfg(test)]
mod tests;
mod why;
mod workspaces;

use super::http::Door;
use super::http::answered::answered;
use super::http::buckets::Buckets;
use super::signin::Endings;
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post, put};
use std::sync::Arc;

pub(crate) struct Admin {
    door: Door,
    endings: Endings,
    /// Calls of each key or agent.
    calls: Buckets,
    /// Bad tokens from each address: looking one up costs more than refusing it.
    strangers: Buckets,
}

pub(crate) type Shared = Arc<Admin>;

/// The routes, with all their layers. Each key, and each agent, may call `calls_per_s` times a second.
pub fn router(door: Door, endings: Endings, calls_per_s: u32) -> Router {
    let admin = Arc::new(Admin {
        door,
        endings,
        calls: Buckets::new(calls_per_s, 1_000.0 / f64::from(calls_per_s), 16_384),
        strangers: Buckets::new(20, 1_000.0, 65_536),
    });
    let at = |rest: &str| format!("/v1/workspaces/{{workspace}}{rest}");
    Router::new()
        .route("/v1/workspaces", get(workspaces::list))
        .route(&at(""), put(workspaces::create))
        .route(&at("/settings"), get(settings::show).put(settings::replace))
        .route(&at("/queues"), get(queues::list))
        .route(&at("/queues/{queue}"), get(queues::one).put(queues::replace).delete(queues::remove))
        .route(&at("/agents"), get(agents::list))
        .route(&at("/agents/{agent}"), get(agents::one).put(agents::change))
        .route(&at("/agents/{agent}/role"), post(signins::set_role))
        .route(&at("/agents/{agent}/sign_out"), post(signins::sign_out))
        .route(&at("/signins"), get(signins::list))
        .route(&at("/signins/{signin}"), axum::routing::delete(signins::end))
        .route(&at("/keys"), get(keys::list).post(keys::create))
        .route(&at("/keys/{key}"), axum::routing::delete(keys::remove))
        .route(&at("/live/queues"), get(live::queues))
        .route(&at("/live/agents"), get(live::agents))
        .route(&at("/conversations"), get(search::search))
        .route(&at("/conversations/{conversation}"), get(history::one))
        .route(&at("/conversations/{conversation}/messages"), get(history::messages))
        .route(&at("/conversations/{conversation}/events"), get(history::events))
        .route(&at("/conversations/{conversation}/close"), post(ends::close))
        .route(&at("/conversations/{conversation}/wrap_up_done"), post(ends::wrap_up_done))
        .route(&at("/conversations/{conversation}/notes"), get(notes::list).post(notes::write))
        .route(&at("/conversations/{conversation}/label"), post(labels::label))
        .route(&at("/conversations/{conversation}/transfer"), post(moves::transfer))
        .route(&at("/conversations/{conversation}/assign"), post(moves::assign))
        .route(&at("/agents/{agent}/drain"), post(moves::drain_agent))
        .route(&at("/agents/{agent}/status"), post(statuses::force))
        .route(&at("/queues/{queue}/drain"), post(moves::drain_queue))
        .route(&at("/events"), get(events::list))
        .route(&at("/decisions"), get(decisions::follow))
        .route(&at("/conversations/{conversation}/decide"), post(decisions::decide))
        .route(&at("/conversations/{conversation}/why"), get(why::of_conversation))
        .route(&at("/agents/{agent}/why"), get(why::of_agent))
        .with_state(admin)
        .layer(from_fn(answered))
}

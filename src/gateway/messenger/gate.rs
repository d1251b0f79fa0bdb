//! New conversations that cannot be begun now are refused before any router sees them: under a flood, that is most of what is
//! done at all, and every microsecond of it is taken from what was begun.

use crate::engine::workspace::PROBES;
use crate::gateway::http::Door;
use crate::gateway::http::answered::finish;
use crate::gateway::http::cors;
use crate::gateway::http::problem::Problem;
use crate::gateway::listen::Gate;
use crate::health::Component;
use crate::health::experience::EXPERIENCE;
use axum::response::IntoResponse;
use http::{Method, header};
use std::sync::Arc;

/// The route as it is counted.
pub(super) const STARTS: &str = "/v1/messenger/{workspace}/conversations";

/// For `listen`. What it lets pass is looked at again behind it.
pub fn gate(door: Door) -> Gate {
    Arc::new(move |request| {
        if request.method() != Method::POST {
            return None;
        }
        let (workspace, place) = request.uri().path().strip_prefix("/v1/messenger/")?.split_once('/')?;
        if place != "conversations" {
            return None;
        }
        let not_done = door.desks.may_start(workspace).err()?;
        let origin = request.headers().get(header::ORIGIN);
        if origin.is_some_and(|origin| !cors::is_allowed(&door, request.headers(), origin)) {
            return None;
        }
        let mut response = Problem::from(not_done).into_response();
        cors::mark(response.headers_mut(), origin.cloned());
        if workspace != PROBES {
            EXPERIENCE.failed(Component::Messenger);
        }
        finish(&mut response, STARTS.into());
        Some(response)
    })
}

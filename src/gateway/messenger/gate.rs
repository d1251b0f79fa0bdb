//! New conversations that cannot be begun now are refused before any router sees them: under a flood, that is most of what is
//! done at all, and every microsecond of it is taken from what was begun.

use crate::gateway::http::Door;
use crate::gateway::http::answered::finish;
use crate::gateway::http::cors;
use crate::gateway::http::problem::Problem;
use crate::gateway::listen::Gate;
use crate::overload;
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
        let refused = match door.desks.may_start(workspace) {
            Err(not_done) => Problem::from(not_done),
            // Who brings a token may be known by it, which is looked into behind the gate.
            Ok(()) if request.headers().contains_key(header::AUTHORIZATION) => return None,
            Ok(()) => Problem::from(overload::admit_stranger().err()?),
        };
        let origin = request.headers().get(header::ORIGIN);
        if origin.is_some_and(|origin| !cors::is_allowed(&door, request.headers(), origin)) {
            return None;
        }
        let mut response = refused.into_response();
        cors::mark(response.headers_mut(), origin.cloned());
        finish(&mut response, STARTS.into());
        Some(response)
    })
}

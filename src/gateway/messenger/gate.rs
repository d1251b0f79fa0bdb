//! New conversations that cannot be begun now are refused before any router sees them: under a flood, that is most of what is
//! done at all, and every microsecond of it is taken from what was begun.

use crate::engine::workspace::PROBES;
use crate::gateway::http::Door;
use crate::gateway::http::answered::{counter, finish, mark_safe};
use crate::gateway::http::cors;
use crate::gateway::http::desks::NotDone;
use crate::gateway::http::problem::Problem;
use crate::gateway::listen::Gate;
use crate::health::Component;
use crate::health::experience::EXPERIENCE;
use crate::overload;
use arc_swap::ArcSwapOption;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use metrics::Counter;
use std::sync::{Arc, OnceLock};

/// The route as it is counted.
pub(super) const STARTS: &str = "/v1/messenger/{workspace}/conversations";

/// For `listen`. What it lets pass is looked at again behind it.
pub fn gate(door: Door) -> Gate {
    let answers = Answers::default();
    Arc::new(move |request| {
        if request.method() != Method::POST {
            return None;
        }
        let (workspace, place) = request.uri().path().strip_prefix("/v1/messenger/")?.split_once('/')?;
        if place != "conversations" {
            return None;
        }
        let refused = match door.desks.may_start(workspace) {
            Err(not_done) => Ok(not_done),
            // Who brings a token may be known by it, which is looked into behind the gate.
            Ok(()) if request.headers().contains_key(header::AUTHORIZATION) => return None,
            Ok(()) => Err(overload::admit_stranger().err()?),
        };
        let origin = request.headers().get(header::ORIGIN);
        if origin.is_some_and(|origin| !cors::is_allowed(&door, request.headers(), origin)) {
            return None;
        }
        let quota = matches!(refused, Ok(NotDone::Quota(_)));
        let mut response = match refused {
            // By its own doing, and with another status.
            Ok(not_done @ NotDone::Quota(_)) => {
                let mut response = Problem::from(not_done).into_response();
                finish(&mut response, STARTS.into());
                response
            }
            Ok(not_done) => answers.to(not_done),
            Err(shed) => {
                let mut response = Problem::from(shed).into_response();
                finish(&mut response, STARTS.into());
                response
            }
        };
        cors::mark(response.headers_mut(), origin.cloned());
        if workspace != PROBES && !quota {
            EXPERIENCE.failed(Component::Messenger);
        }
        Some(response)
    })
}

/// In a flood one refusal is like the next: what is said is written once, and its counter looked for once.
#[derive(Default)]
struct Answers {
    last: ArcSwapOption<Written>,
    counted: OnceLock<Counter>,
}

/// A problem, as it goes out.
struct Written {
    not_done: NotDone,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answers {
    fn to(&self, not_done: NotDone) -> Response {
        let last = self.last.load();
        let response = match last.as_deref().filter(|written| written.not_done == not_done) {
            Some(written) => written.response(),
            None => {
                let written = Written::of(not_done);
                let response = written.response();
                self.last.store(Some(Arc::new(written)));
                response
            }
        };
        // Everything that was not done for a fault of ours is one status.
        self.counted.get_or_init(|| counter(STARTS.into(), response.status())).increment(1);
        response
    }
}

impl Written {
    fn of(not_done: NotDone) -> Self {
        let problem = Problem::from(not_done.clone());
        let body = problem.0.problem().into();
        let (mut parts, _) = problem.into_response().into_parts();
        mark_safe(&mut parts.headers);
        Self { not_done, status: parts.status, headers: parts.headers, body }
    }

    fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(response: Response) -> (StatusCode, HeaderMap, Bytes) {
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, axum::body::to_bytes(body, usize::MAX).await.unwrap())
    }

    #[tokio::test]
    async fn an_answer_that_is_written_once_is_the_one_that_is_made_each_time() {
        let answers = Answers::default();
        let busy = |retry_after_ms| NotDone::Busy { retry_after_ms };
        let full = NotDone::Unavailable { retry_after_ms: 1_000, why: "the disk is full".into() };
        for not_done in [busy(250), busy(250), full.clone(), busy(250), busy(2_500), full.clone(), full] {
            let mut made = Problem::from(not_done.clone()).into_response();
            finish(&mut made, STARTS.into());
            assert_eq!(told(answers.to(not_done.clone())).await, told(made).await, "{not_done:?}");
        }
    }
}

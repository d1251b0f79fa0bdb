//! The operators' pages, with a workspace that answers, cannot commit, or hangs.

use super::{Health, Operators, Reason, router};
use crate::gateway::http::desks::{NotDone, Soon};
use crate::gateway::http::fakes::{Call, World};
use crate::gateway::status::Board;
use crate::health::history::History;
use axum::Router;
use http_body_util::BodyExt;
use serde_json::json;
use std::sync::Arc;

struct Fixed(Vec<Reason>);

impl Health for Fixed {
    fn not_ready(&self) -> Soon<'_, Vec<Reason>> {
        Box::pin(std::future::ready(self.0.clone()))
    }
    fn supervisor(&self) -> Option<serde_json::Value> {
        None
    }
}

fn operators(world: &World, reasons: Vec<Reason>) -> Router {
    let metrics = Arc::new(|| "offhook_up 1\n".to_owned());
    let board = Arc::new(Board::new(History::begin(0)));
    router(Operators { door: world.door.clone(), metrics, health: Arc::new(Fixed(reasons)), board })
}

#[tokio::test]
async fn alive_is_a_timely_answer_and_unavailable_is_one() {
    let world = World::new();
    let router = operators(&world, Vec::new());
    assert_eq!(Call::new("GET /healthz").to(&router).await.ok(200), json!({"alive": true}));
    world.desk.inside().not_done = Some(NotDone::Unavailable { retry_after_ms: 1_000, why: "the disk is full".into() });
    Call::new("GET /healthz").to(&router).await.ok(200);
    world.desk.inside().hang = true;
    // An answer that waits for a slow disk: whoever commits meanwhile is at work.
    let commits = async {
        // After it was asked where it stands.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        world.desk.inside().position += 1;
    };
    let (slow, ()) = tokio::join!(Call::new("GET /healthz").to(&router), commits);
    slow.ok(200);
    let hung = Call::new("GET /healthz").to(&router).await;
    assert_eq!((hung.status.as_u16(), &hung.body), (503, &json!({"alive": false, "silent": ["demo"]})));
}

#[tokio::test]
async fn not_ready_says_why() {
    let world = World::new();
    let ready = Call::new("GET /readyz").to(&operators(&world, Vec::new())).await.ok(200);
    assert_eq!(ready, json!({"ready": true, "reasons": []}));
    let reasons = vec![Reason { component: "journal", message: "the disk is full".to_owned() }];
    let router = operators(&world, reasons);
    let unready = Call::new("GET /readyz").to(&router).await;
    assert_eq!(unready.status, 503);
    assert_eq!(unready.body["reasons"][0], json!({"component": "journal", "message": "the disk is full"}));
}

#[tokio::test]
async fn metrics_are_plain_text_and_other_pages_are_not_there() {
    let world = World::new();
    let router = operators(&world, Vec::new());
    let (parts, body) = Call::new("GET /metrics").open(&router).await.into_parts();
    assert_eq!(parts.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(body.collect().await.unwrap().to_bytes(), "offhook_up 1\n");
    Call::new("GET /nothing").to(&router).await.is(404, "not_found", None);
}

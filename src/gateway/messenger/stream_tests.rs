//! The event stream: framing, resuming, and the seam between the view and the engine, with events at every point of it.

use super::{MessengerBounds, router};
use crate::desk::command::Author;
use crate::desk::ids::{ConversationId, CustomerId, KeyNumber};
use crate::desk::time::WallTime;
use crate::gateway::http::desks::PublicFrame;
use crate::gateway::http::fakes::{AT, Call, Point, World};
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

struct Events(Body);

#[derive(Debug, PartialEq)]
struct Event {
    id: Option<u32>,
    name: String,
    data: Value,
}

impl Events {
    /// Opens the stream; its first line is taken.
    async fn open(router: &Router, call: Call) -> Self {
        let response = call.open(router).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut events = Self(response.into_body());
        assert_eq!(events.chunk().await.as_deref(), Some("retry: 1000\n\n"));
        events
    }

    async fn chunk(&mut self) -> Option<String> {
        let frame = self.0.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    }

    /// The next event; comments are passed over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let chunk = self.chunk().await?;
            let chunk = chunk.strip_suffix("\n\n").unwrap();
            if chunk.starts_with(':') {
                continue;
            }
            let mut event = Event { id: None, name: String::new(), data: Value::Null };
            for line in chunk.lines() {
                match line.split_once(": ").unwrap() {
                    ("id", id) => event.id = Some(id.parse().unwrap()),
                    ("event", name) => event.name = name.to_owned(),
                    ("data", data) => event.data = serde_json::from_str(data).unwrap(),
                    other => panic!("{other:?}"),
                }
            }
            return Some(event);
        }
    }

    /// Numbered events up to this one.
    async fn up_to(&mut self, last: u32) -> Vec<u32> {
        let mut seen = Vec::new();
        while seen.last() != Some(&last) {
            seen.extend(self.next().await.unwrap().id);
        }
        seen
    }
}

fn world() -> (World, Router) {
    let world = World::new();
    let router = router(world.door.clone(), MessengerBounds::default());
    (world, router)
}

/// With a heartbeat that a test can wait for.
fn quick() -> (World, Router) {
    let world = World::new();
    let bounds = MessengerBounds { heartbeat: Duration::from_millis(20), ..MessengerBounds::default() };
    let router = router(world.door.clone(), bounds);
    (world, router)
}

fn follow(world: &World, id: ConversationId, query: &str) -> Call {
    Call::new(&format!("GET /v1/messenger/demo/conversations/{id}/events{query}")).token(&world.anonymous(1))
}

#[tokio::test]
async fn a_stream_begins_with_the_state_then_what_was_then_what_is() {
    let (world, router) = world();
    let id = world.desk.open(1);
    world.desk.commit_any(id);
    let mut events = Events::open(&router, follow(&world, id, "")).await;
    let state = events.next().await.unwrap();
    assert_eq!((state.id, state.name.as_str(), &state.data["state"]), (None, "state", &"waiting".into()));
    assert_eq!(state.data["place"], 1);
    assert_eq!(events.up_to(2).await, [1, 2]);
    world.desk.send(id, PublicFrame { public: None, event: "typing", data: "{}".into() });
    assert_eq!(events.next().await.unwrap().name, "typing");
    world.desk.commit_any(id);
    assert_eq!(events.up_to(3).await, [3]);
    world.desk.end_streams();
    assert_eq!(events.chunk().await.as_deref(), Some("retry: 700\n\n"), "when to come back this time");
    assert_eq!(events.chunk().await, None);
}

#[tokio::test]
async fn texts_with_newlines_stay_on_one_line_and_keep_every_byte() {
    let (world, router) = world();
    let id = world.desk.open(1);
    let texts = ["a\nb\r\nc\r", "data: x\n\nid: 9", "日本語 🦀 \u{2028}\u{0}", "שלום"];
    for text in texts {
        let sealed = world.door.desks.seals().seal(KeyNumber(1), b"text", text.as_bytes()).unwrap();
        world.desk.posted(id, Author::Customer(CustomerId(1)), sealed);
    }
    let mut events = Events::open(&router, follow(&world, id, "?after=1")).await;
    assert_eq!(events.next().await.unwrap().name, "state");
    for (place, text) in texts.iter().enumerate() {
        let event = events.next().await.unwrap();
        assert_eq!((event.id, event.name.as_str()), (Some(place as u32 + 2), "message"));
        assert_eq!(event.data["text"].as_str().unwrap().as_bytes(), text.as_bytes());
        assert_eq!(event.data["author"], "customer");
    }
}

/// Two events are committed at the `nth` point that the stream passes, of a stream that resumes behind `after`.
async fn seam(nth: usize, after: u32, frames_max: usize) -> bool {
    let (world, router) = world();
    let id = world.desk.open(1);
    for _ in 1..40 {
        world.desk.commit_any(id);
    }
    *world.desk.frames_max.lock().unwrap() = frames_max;
    let points = Arc::new(AtomicUsize::new(0));
    let counted = points.clone();
    world.desk.step_in(move |desk, _: Point| {
        if counted.fetch_add(1, Ordering::Relaxed) == nth {
            desk.commit_any(id);
            desk.commit_any(id);
        }
    });
    let mut events = Events::open(&router, follow(&world, id, "").header("last-event-id", &after.to_string())).await;
    let before = 40 + if points.load(Ordering::Relaxed) > nth { 2 } else { 0 };
    let mut seen = events.up_to(before.max(after + 1)).await;
    let last = world.desk.inside().conversations[&id].public;
    if seen.last() != Some(&last) {
        seen.extend(events.up_to(last).await);
    }
    // What comes later still comes once.
    for _ in 0..3 {
        world.desk.commit_any(id);
    }
    seen.extend(events.up_to(last + 3).await);
    assert_eq!(seen, (after + 1..=last + 3).collect::<Vec<_>>(), "point {nth}, after {after}, room for {frames_max}");
    points.load(Ordering::Relaxed) > nth
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_at_the_seam_wherever_events_come() {
    for after in [0, 7, 39] {
        for frames_max in [1, 2, 64] {
            let mut points = 0;
            while seam(points, after, frames_max).await {
                points += 1;
            }
            assert!(points >= 5, "only {points} points were passed");
        }
    }
}

#[tokio::test]
async fn an_event_between_each_two_that_are_read_comes_once() {
    let (world, router) = world();
    let id = world.desk.open(1);
    for _ in 1..30 {
        world.desk.commit_any(id);
    }
    *world.desk.frames_max.lock().unwrap() = 3;
    let mut events = Events::open(&router, follow(&world, id, "")).await;
    let mut seen = Vec::new();
    while seen.len() < 60 {
        if world.desk.inside().conversations[&id].public < 60 {
            world.desk.commit_any(id);
        }
        seen.extend(events.next().await.unwrap().id);
    }
    assert_eq!(seen, (1..=60).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_that_fell_behind_reads_again_and_hears_the_state() {
    let (world, router) = world();
    let id = world.desk.open(1);
    let mut events = Events::open(&router, follow(&world, id, "")).await;
    assert_eq!(events.up_to(1).await, [1]);
    *world.desk.frames_max.lock().unwrap() = 2;
    for _ in 0..5 {
        world.desk.commit_any(id);
    }
    let mut names = Vec::new();
    let mut seen = Vec::new();
    while seen.last() != Some(&6) {
        let event = events.next().await.unwrap();
        names.push(event.name);
        seen.extend(event.id);
    }
    assert_eq!(seen, [2, 3, 4, 5, 6]);
    assert!(names.contains(&"state".to_owned()));
}

#[tokio::test]
async fn a_ticket_opens_its_own_stream_and_nothing_else() {
    let (world, router) = world();
    let (own, other) = (world.desk.open(1), world.desk.open(1));
    let ticket = format!("ohs1.demo.{}.{own}.{AT}", CustomerId(1));
    let by_ticket = |path: String| Call::new(&format!("GET /v1/messenger/demo/conversations/{path}ticket={ticket}"));
    let mut events = Events::open(&router, by_ticket(format!("{own}/events?"))).await;
    assert_eq!(events.up_to(1).await, [1]);
    let wrong = by_ticket(format!("{other}/events?")).to(&router).await;
    wrong.is(404, "no_such_conversation", Some("conversation"));
    by_ticket(format!("{own}/messages?")).to(&router).await.is(401, "unauthorized", None);
    let as_token = Call::new(&format!("GET /v1/messenger/demo/conversations/{own}")).token(&ticket);
    as_token.to(&router).await.is(401, "unauthorized", None);
}

#[tokio::test]
async fn bad_places_to_resume_from_are_refused() {
    let (world, router) = world();
    let id = world.desk.open(1);
    follow(&world, id, "?after=x").to(&router).await.is(422, "bad_cursor", Some("after"));
    follow(&world, id, "?after=2").to(&router).await.is(422, "bad_cursor", Some("after"));
    let header = |value: &str| follow(&world, id, "?after=0").header("last-event-id", value);
    header("-1").to(&router).await.is(422, "bad_cursor", Some("Last-Event-ID"));
    header("9").to(&router).await.is(422, "bad_cursor", Some("Last-Event-ID"));
    let mut events = Events::open(&router, header("1")).await;
    world.desk.commit_any(id);
    assert_eq!(events.up_to(2).await, [2]);
}

#[tokio::test]
async fn a_silent_stream_is_kept_and_ends_when_its_customer_signs_out() {
    let (world, router) = quick();
    let id = world.desk.open(1);
    let mut events = Events::open(&router, follow(&world, id, "")).await;
    assert_eq!(events.up_to(1).await, [1]);
    assert_eq!(events.chunk().await.as_deref(), Some(":\n\n"));
    assert_eq!(events.chunk().await.as_deref(), Some(":\n\n"));
    Arc::make_mut(&mut world.desk.inside().published.signed_out).insert(CustomerId(1), WallTime(AT + 1));
    assert_eq!(events.chunk().await, None);
}

#[tokio::test]
async fn a_stream_ends_after_its_hour_and_not_because_a_clock_is_set() {
    let (world, router) = quick();
    let id = world.desk.open(1);
    let mut events = Events::open(&router, follow(&world, id, "")).await;
    assert_eq!(events.up_to(1).await, [1]);
    world.wall_ahead_ms.store(3_600_000, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(events.chunk().await.as_deref(), Some(":\n\n"));
    }
    world.pass_ms(3_600_000);
    assert_eq!(events.chunk().await, None);
}

#[tokio::test]
async fn a_view_that_is_behind_is_waited_for_inside_the_stream() {
    let (world, router) = quick();
    let id = world.desk.open(1);
    world.desk.inside().view_stuck = true;
    let mut events = Events::open(&router, follow(&world, id, "")).await;
    // Nothing is said of what is not known yet, and the stream is kept.
    assert_eq!(events.chunk().await.as_deref(), Some(":\n\n"));
    assert_eq!(events.chunk().await.as_deref(), Some(":\n\n"));
    world.desk.inside().view_stuck = false;
    assert_eq!(events.up_to(1).await, [1]);
}

#[tokio::test]
async fn streams_are_bounded_for_each_customer() {
    let (world, router) = world();
    let id = world.desk.open(1);
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(Events::open(&router, follow(&world, id, "")).await);
    }
    follow(&world, id, "").to(&router).await.is(429, "rate_limited", None);
    open.pop();
    Events::open(&router, follow(&world, id, "")).await;
}

//! For tests: a process with one workspace behind the doors' traits, its clock, its tokens, and calls into a router.

mod desk;
mod history;
mod identities;
mod seals;

pub(crate) use desk::{FakeDesk, Point};
pub(crate) use identities::FakeIdentities;

use super::Door;
use super::desks::{Desk, Desks, NotDone, OwnQuota, QuotaStands, Seals, Soon};
use super::problem::Problem;
use crate::desk::ids::{CustomerId, SessionId};
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::wire::close::CloseCode;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use seals::FakeSeals;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

pub(crate) const AT: u64 = 1_700_000_000_000;

/// Everything a test reaches for.
pub(crate) struct World {
    pub desk: Arc<FakeDesk>,
    pub desks: Arc<FakeDesks>,
    pub identities: Arc<FakeIdentities>,
    pub now_ms: Arc<AtomicU64>,
    /// By how much the wall clock was set forward.
    pub wall_ahead_ms: Arc<AtomicU64>,
    pub door: Door,
}

pub(crate) struct FakeDesks {
    pub desks: Mutex<Vec<Arc<FakeDesk>>>,
    pub seals: FakeSeals,
    /// Which sign-ins' sockets were closed, with the code.
    pub closed: Mutex<Vec<(u64, u16)>>,
}

impl Desks for FakeDesks {
    fn desk(&self, workspace: &str) -> Option<Arc<dyn Desk>> {
        let desks = self.desks.lock().unwrap();
        desks.iter().find(|desk| **desk.name() == *workspace).map(|desk| desk.clone() as Arc<dyn Desk>)
    }
    fn names(&self) -> Vec<Arc<str>> {
        self.desks.lock().unwrap().iter().map(|desk| desk.name().clone()).collect()
    }
    fn create<'a>(&'a self, workspace: &'a str) -> Soon<'a, Result<Arc<dyn Desk>, NotDone>> {
        if self.desk(workspace).is_none() {
            self.desks.lock().unwrap().push(FakeDesk::new(workspace));
        }
        Box::pin(async move { Ok(self.desk(workspace).unwrap()) })
    }
    fn quota(&self, _: &str) -> Option<QuotaStands> {
        None
    }
    fn put_quota<'a>(&'a self, _: &'a str, _: OwnQuota) -> Soon<'a, Result<(), Problem>> {
        Box::pin(std::future::ready(Err(Problem::not_found("workspace"))))
    }
    fn seals(&self) -> &dyn Seals {
        &self.seals
    }
    fn close_sockets(&self, signin: u64, code: CloseCode, _: &'static str) -> Vec<SessionId> {
        self.closed.lock().unwrap().push((signin, code.number()));
        Vec::new()
    }
}

pub(crate) struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answered {
    #[track_caller]
    pub fn is(&self, status: u16, code: &str, field: Option<&str>) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.body["field"].as_str(), field, "{}", self.body);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["detail"], self.body["message"]);
    }
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl World {
    pub fn new() -> Self {
        let desk = FakeDesk::new("demo");
        let desks =
            FakeDesks { desks: Mutex::new(vec![desk.clone()]), seals: FakeSeals::default(), closed: Mutex::default() };
        let desks = Arc::new(desks);
        let identities = Arc::new(FakeIdentities::default());
        let now_ms = Arc::new(AtomicU64::new(AT));
        let wall_ahead_ms = Arc::new(AtomicU64::new(0));
        let (clock, ahead) = (now_ms.clone(), wall_ahead_ms.clone());
        let now = move || {
            let ms = clock.load(Ordering::Relaxed);
            Now { desk: DeskTime(ms), wall: WallTime(ms + ahead.load(Ordering::Relaxed)) }
        };
        let door = Door { desks: desks.clone(), identities: identities.clone(), now: Arc::new(now) };
        Self { desk, desks, identities, now_ms, wall_ahead_ms, door }
    }

    pub fn pass_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn anonymous(&self, customer: u128) -> String {
        use super::identities::Identities;
        self.identities.anonymous_token("demo", CustomerId(customer), WallTime(AT))
    }
}

/// A request in one line: `POST /path`, a token, an id for its `Idempotency-Key`, a body.
pub(crate) struct Call {
    request: http::request::Builder,
    body: Body,
}

impl Call {
    pub fn new(line: &str) -> Self {
        let (method, uri) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method.parse::<Method>().unwrap()).uri(uri);
        Self { request, body: Body::empty() }
    }
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }
    pub fn id(self, id: u32) -> Self {
        self.header("idempotency-key", &format!("{id:032x}"))
    }
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }
    pub fn json(self, body: Value) -> Self {
        self.body(body.to_string())
    }
    pub async fn open(self, router: &Router) -> http::Response<Body> {
        router.clone().oneshot(self.request.body(self.body).unwrap()).await.unwrap()
    }
    pub async fn to(self, router: &Router) -> Answered {
        let (parts, body) = self.open(router).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        assert_eq!(parts.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
        Answered { status: parts.status, headers: parts.headers, body }
    }
}

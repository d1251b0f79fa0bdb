//! From `GET /v1/agent` to a session, or to a close code that says why not.
//!
//! A request that is no WebSocket upgrade of ours is answered over HTTP. One that is, but whose token or origin is not good, is let
//! in only to be told so: a browser cannot read a refused upgrade. How many hear that is bounded; above it, they hear 503.

use super::session;
use super::{AgentTokens, Desk, Door, NewSession, Refused};
use crate::desk::ids::SessionId;
use crate::gateway::auth::agent_token::TokenError;
use crate::gateway::listen::{HeldPlace, Place};
use crate::gateway::websocket::Socket;
use crate::health::Component;
use crate::health::experience::EXPERIENCE;
use crate::telemetry::catalogue;
use crate::wire::close::CloseCode;
use crate::wire::error::{Code, WireError};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, Request, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const PROTOCOL: &str = "offhook.agent.v1";
const TOKEN_PREFIX: &str = "offhook.token.";
const TICKET_PREFIX: &str = "offhook.ticket.";
/// How long the 101 may take to reach the kernel.
const UPGRADE_WAIT: Duration = Duration::from_secs(10);
const RETRY_AFTER_MS: u64 = 2_000;

/// `GET /v1/agent`.
pub fn routes<D: Desk, T: AgentTokens>(door: Arc<Door<D, T>>) -> Router {
    Router::new().route("/v1/agent", get(upgrade::<D, T>)).with_state(door)
}

async fn upgrade<D: Desk, T: AgentTokens>(State(door): State<Arc<Door<D, T>>>, mut request: Request<Body>) -> Response {
    let accept = match accept_key(request.version(), request.headers()) {
        Ok(accept) => accept,
        Err(response) => return *response,
    };
    let Some(on_upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return problem(&WireError::new(Code::BadRequest, "this connection cannot be upgraded"));
    };
    let Ok(under_way) = door.upgrades.clone().try_acquire_owned() else {
        EXPERIENCE.failed(Component::AgentInterface);
        return problem(&WireError::busy(RETRY_AFTER_MS));
    };
    let entry = match door.examine(request.headers()) {
        Ok(entry) => Ok(entry),
        Err(refused) => match door.room_for_refusal() {
            Some(room) => Err((refused, room)),
            None => return problem(&WireError::busy(RETRY_AFTER_MS)),
        },
    };
    // From here on the place is the session's, not the HTTP connection's.
    let place = request.extensions().get::<Place>().and_then(Place::take);
    // A task of its own for the short time until the 101 is out; the session's own task is then no larger than a
    // session.
    tokio::spawn(async move {
        let Some((stream, read_already)) = upgraded(on_upgrade).await else { return };
        // Deregistered here and registered there: a session's frames do not stand in line with requests.
        let Ok(stream) = stream.into_std() else { return };
        door.threads.clone().spawn(async move {
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            let socket = Socket::new(stream, &read_already, door.limits.frame_bytes_max);
            open(door, socket, entry, place, under_way).await;
        });
    });
    switching(&accept)
}

async fn open<D: Desk, T: AgentTokens>(
    door: Arc<Door<D, T>>,
    socket: Socket<TcpStream>,
    entry: Result<NewSession, (Refused, OwnedSemaphorePermit)>,
    place: Option<HeldPlace>,
    under_way: OwnedSemaphorePermit,
) {
    let admitted = match entry {
        Ok(new) => door.desk.admit(new).map_err(|refused| (refused, door.room_for_refusal())),
        Err((refused, room)) => Err((refused, Some(room))),
    };
    drop(under_way);
    let outcome = if admitted.is_ok() { "accepted" } else { "refused" };
    metrics::counter!(catalogue::HANDSHAKES_TOTAL, "outcome" => outcome).increment(1);
    match admitted {
        Ok(session) => session::start(socket, door, session, place),
        Err((refused, room)) => {
            if let Some(_room) = room {
                socket.close(refused.code.number(), refused.reason).await;
            }
        }
    }
}

/// The raw connection below hyper's, and what came behind the request already.
async fn upgraded(on_upgrade: OnUpgrade) -> Option<(TcpStream, bytes::Bytes)> {
    let upgraded = tokio::time::timeout(UPGRADE_WAIT, on_upgrade).await.ok()?.ok()?;
    // Left wrapped, each session would keep hyper's box and a rewind buffer.
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf))
}

impl<D: Desk, T: AgentTokens> Door<D, T> {
    /// Who asks to come in, as far as the request tells.
    fn examine(&self, headers: &HeaderMap) -> Result<NewSession, Refused> {
        // A browser always says where its page is from, and a page cannot forge it; programs say nothing.
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let allowed =
            |origin: &http::HeaderValue| origin.to_str().is_ok_and(|origin| self.origins.allows(origin, host));
        if !headers.get(ORIGIN).is_none_or(allowed) {
            return Err(Refused { code: CloseCode::Forbidden, reason: "origin".into() });
        }
        let unauthorized = |reason: &'static str| Refused { code: CloseCode::Unauthorized, reason: reason.into() };
        let mut ticket = None;
        let mut token = bearer(headers);
        for entry in protocols(headers) {
            if let Some(entry) = entry.strip_prefix(TOKEN_PREFIX) {
                token = token.or(Some(entry));
            } else if let Some(entry) = entry.strip_prefix(TICKET_PREFIX) {
                ticket = Some(entry.into());
            }
        }
        let token = token.ok_or_else(|| unauthorized(TokenError::Missing.code()))?;
        let claims = self.tokens.verify(token, self.desk.wall_s()).map_err(|error| unauthorized(error.code()))?;
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_| Refused::for_now(CloseCode::Busy, RETRY_AFTER_MS))?;
        Ok(NewSession { id: SessionId(u128::from_be_bytes(id)), claims, ticket })
    }

    fn room_for_refusal(&self) -> Option<OwnedSemaphorePermit> {
        let mut rate = self.refusal_rate.lock().unwrap_or_else(PoisonError::into_inner);
        let per_s = self.limits.refusals_per_s;
        rate.take(self.desk.monotonic_ms(), per_s, per_s).ok()?;
        self.refusals.clone().try_acquire_owned().ok()
    }
}

/// What the request must have for an upgrade (RFC 6455, 4.2.1), and the key to answer with.
fn accept_key(version: Version, headers: &HeaderMap) -> Result<String, Box<Response>> {
    let wrong = |message: &'static str, field: &'static str| {
        Box::new(problem(&WireError::new(Code::BadRequest, message).at(field)))
    };
    if version != Version::HTTP_11 || !has(headers, &CONNECTION, "upgrade") || !has(headers, &UPGRADE, "websocket") {
        return Err(wrong("a WebSocket upgrade is expected", "upgrade"));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut response = wrong("only version 13 is spoken", "sec-websocket-version");
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, http::HeaderValue::from_static("13"));
        return Err(response);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(http::HeaderValue::as_bytes).unwrap_or_default();
    if key.len() != 24 || !key.ends_with(b"==") {
        return Err(wrong("the key is not 16 bytes in base64", "sec-websocket-key"));
    }
    if !protocols(headers).any(|protocol| protocol == PROTOCOL) {
        return Err(wrong("the subprotocol offhook.agent.v1 is expected", "sec-websocket-protocol"));
    }
    Ok(derive_accept_key(key))
}

fn switching(accept: &str) -> Response {
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .header(SEC_WEBSOCKET_PROTOCOL, PROTOCOL)
        .body(Body::empty())
        .expect("these headers are always right")
}

fn problem(error: &WireError) -> Response {
    let mut response = Response::builder()
        .status(error.code.status())
        .header(CONTENT_TYPE, "application/problem+json")
        .header(CONNECTION, "close");
    if let Some(retry_after_s) = error.retry_after_s() {
        response = response.header(RETRY_AFTER, retry_after_s);
    }
    response.body(Body::from(error.problem())).expect("these headers are always right")
}

/// All entries of a header that is a list, over all its lines.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    entries(headers, &SEC_WEBSOCKET_PROTOCOL)
}

fn has(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    entries(headers, name).any(|entry| entry.eq_ignore_ascii_case(wanted))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

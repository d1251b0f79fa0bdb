//! From `GET /v1/agent` to a session, or to a close code that says why not.
//!
//! A request that is no WebSocket upgrade of ours is answered over HTTP. One that is, but whose token or origin is not good, is let
//! in only to be told so: a browser cannot read a refused upgrade. How many hear that is bounded; above it, they hear 503.

use super::entrance::{Turned, entries, protocols};
use super::session::{self, Welcome};
use super::{AgentDesks, AgentTokens, Desk, Door, NewSession, Refused};
use crate::gateway::auth::agent_token::AgentKeys;
use crate::gateway::carrier::{Carrier, Guarded};
use crate::gateway::http::calls::{Calls, Group, Routed, Who, call};
use crate::gateway::listen::{HeldPlace, Peer, Place};
use crate::gateway::websocket::Socket;
use crate::health::Component;
use crate::health::experience::EXPERIENCE;
use crate::overload::pace::Served;
use crate::telemetry::{catalogue, turned};
use crate::wire::close::CloseCode;
use crate::wire::error::{Code, WireError};
use crate::wire::error_schema::Problem;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{
    CONNECTION, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, Request, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const PROTOCOL: &str = "offhook.agent.v1";
/// How long the 101 may take to reach the kernel.
const UPGRADE_WAIT: Duration = Duration::from_secs(10);
const RETRY_AFTER_MS: u64 = 2_000;

const GROUP: Group = Group {
    name: "agents",
    says: "Where agents' clients open their socket; what is said on it is in /asyncapi.json.",
    codes: &[Code::BadRequest, Code::Internal, Code::Busy],
};

fn calls<D: Desk, T: AgentTokens>() -> Calls<Arc<Door<D, T>>> {
    let protocols = json!({"type": "string", "examples": ["offhook.agent.v1", "offhook.agent.v1, offhook.token.eyJ…"]});
    let opens = call("open_agent_socket", Who::Agent, "Opens an agent's WebSocket")
        .says("Who may not come in is let in only to be told so by a close code, since a browser cannot read a refused upgrade.")
        .needs_header("Upgrade", json!({"const": "websocket"}), "WebSocket (RFC 6455)")
        .needs_header("Sec-WebSocket-Protocol", protocols, "A token, and a return ticket, may come as further subprotocols")
        .gives_nothing(101, "From here on frames are spoken")
        .gives_as::<Problem>(426, "application/problem+json", "Another version of WebSocket");
    Calls::of(&GROUP, "").get("/v1/agent", upgrade::<D, T>, opens)
}

/// What is said of the call.
#[must_use]
pub fn described() -> Vec<Routed> {
    calls::<AgentDesks, Arc<AgentKeys>>().described()
}

/// `GET /v1/agent`.
pub fn routes<D: Desk, T: AgentTokens>(door: Arc<Door<D, T>>) -> Router {
    calls().router().with_state(door)
}

async fn upgrade<D: Desk, T: AgentTokens>(State(door): State<Arc<Door<D, T>>>, request: Request<Body>) -> Response {
    let (mut parts, _) = request.into_parts();
    let accept = match accept_key(parts.version, &parts.headers) {
        Ok(accept) => accept,
        Err(response) => return *response,
    };
    let Some(on_upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return problem(&WireError::new(Code::BadRequest, "this connection cannot be upgraded"));
    };
    // All who come from nowhere are one: that fails closed.
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let address = door.proxies.client_address(peer, &parts.headers);
    let entry = match door.pass(&parts.headers, peer).await {
        Ok(passed) => Ok(passed),
        Err(turned) => match told(&door, turned, address) {
            Ok(told) => Err(told),
            Err(response) => return *response,
        },
    };
    let Ok(under_way) = door.upgrades.clone().try_acquire_owned() else {
        EXPERIENCE.failed(Component::AgentInterface);
        turned::refused(CloseCode::Busy.name(), address);
        return problem(&WireError::busy(RETRY_AFTER_MS));
    };
    // From here on the place is the session's, not the HTTP connection's.
    let place = parts.extensions.get::<Place>().and_then(Place::take);
    // A task of its own for the short time until the 101 is out; the session's own task is then no larger than a
    // session.
    tokio::spawn(async move {
        let Some((carrier, read_already)) = upgraded(on_upgrade).await else { return };
        // Taken off here and put on there: a session's frames do not stand in line with requests.
        let Ok(detached) = carrier.detach() else { return };
        door.threads.clone().spawn(async move {
            let bytes_max = door.limits.frame_bytes_max;
            // Each with a session of its own kind: one without TLS is no larger for it.
            match detached.attach() {
                Ok(Carrier::Plain(stream)) => {
                    open(door, Socket::new(stream, &read_already, bytes_max), entry, address, place, under_way).await;
                }
                Ok(Carrier::Tls(stream)) => {
                    open(door, Socket::new(stream, &read_already, bytes_max), entry, address, place, under_way).await;
                }
                Err(error) => tracing::warn!(%error, "a connection was lost between threads"),
            }
        });
    });
    switching(&accept)
}

/// Who is not let in, with the room in which it hears so; or the answer over HTTP, where there is none.
fn told<D: Desk, T: AgentTokens>(
    door: &Door<D, T>,
    turned: Turned,
    address: IpAddr,
) -> Result<(Refused, OwnedSemaphorePermit), Box<Response>> {
    if matches!(turned, Turned::Later { .. }) {
        EXPERIENCE.failed(Component::AgentInterface);
    }
    let why = match &turned {
        Turned::Later { .. } => CloseCode::Busy,
        Turned::Away(refused) => refused.code,
    };
    // Of a socket it is told when that is closed.
    let unheard = || turned::refused(why.name(), address);
    let (refused, retry_after_ms) = match turned {
        // A program reads the answer to its request: that costs less than a socket.
        Turned::Later { later, browser: false } => {
            unheard();
            return Err(Box::new(problem(&WireError::busy(later.retry_after_ms))));
        }
        Turned::Later { later, browser: true } => {
            (Refused::for_now(CloseCode::Busy, later.retry_after_ms), later.retry_after_ms)
        }
        Turned::Away(refused) => (refused, RETRY_AFTER_MS),
    };
    let room = door.room_for_refusal().ok_or_else(|| {
        unheard();
        Box::new(problem(&WireError::busy(retry_after_ms)))
    })?;
    Ok((refused, room))
}

async fn open<S, D: Desk, T: AgentTokens>(
    door: Arc<Door<D, T>>,
    socket: Socket<S>,
    entry: Result<(NewSession, Served), (Refused, OwnedSemaphorePermit)>,
    address: IpAddr,
    place: Option<HeldPlace>,
    under_way: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let admitted = match entry {
        Ok((new, served)) => match door.desk.admit(new) {
            Ok(session) => Ok((session, served)),
            Err(refused) => Err((refused, door.room_for_refusal())),
        },
        Err((refused, room)) => Err((refused, Some(room))),
    };
    drop(under_way);
    let outcome = if admitted.is_ok() { "accepted" } else { "refused" };
    metrics::counter!(catalogue::HANDSHAKES_TOTAL, "outcome" => outcome).increment(1);
    match admitted {
        Ok((session, served)) => {
            let (welcome, welcomed) = Welcome::to_come();
            let served_max = door.limits.served_max;
            session::start(socket, door, session, place, welcome);
            let _ = tokio::time::timeout(served_max, welcomed).await;
            drop(served);
        }
        Err((refused, room)) => {
            turned::refused(refused.code.name(), address);
            if let Some(_room) = room {
                socket.close(refused.code.number(), refused.reason).await;
            }
        }
    }
}

/// The raw connection below hyper's, and what came behind the request already.
async fn upgraded(on_upgrade: OnUpgrade) -> Option<(Carrier, bytes::Bytes)> {
    let upgraded = tokio::time::timeout(UPGRADE_WAIT, on_upgrade).await.ok()?.ok()?;
    // Left wrapped, each session would keep hyper's box and a rewind buffer.
    let parts = upgraded.downcast::<TokioIo<Guarded>>().ok()?;
    Some((parts.io.into_inner().into_inner()?, parts.read_buf))
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

fn has(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    entries(headers, name).any(|entry| entry.eq_ignore_ascii_case(wanted))
}

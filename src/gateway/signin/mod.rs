//! Signing in of people: `/signin/{workspace}`, by the workspace's OpenID provider or by an agent's token that is pasted. What comes of it is a
//! session in the browser's cookie, by which pages are given a short-lived agent's token.
//!
//! ```text
//!   /signin/{w} ──303──▶ provider ──303──▶ /callback ──▶ cookie ──303──▶ /console/{w}
//!        │ no provider                                     ▲                  │
//!        └──▶ the page for a token ──▶ POST /token ────────┘                  └──▶ /session ──▶ token: socket, admin API
//! ```
//!
//! Nothing is stored for a sign-in under way: state, nonce and PKCE's verifier are derived from a cookie of the browser that began it.

mod back_channel;
mod browser;
mod calls;
mod claims;
mod ending;
mod flow;
mod of_agent;
mod pages;
mod paste;
mod provider;
mod roll;
mod session;
mod settings;
mod shared;
mod store;

pub(crate) use ending::{DEACTIVATED, ROLE_CHANGED, not_kept};

pub use ending::{Endings, NotHeard};
pub use provider::{Provider, ProviderNotRead};
pub use roll::{NotBegun, ROLES_MAX, Signin, Signins, SigninsFailed};
pub use settings::{BadProvider, ProviderSettings};
pub use store::STORE;

use crate::desk::command::{AgentAsk, Ask, Command};
use crate::engine::workspace::PROBES;
use crate::gateway::auth::agent_token::AgentKeys;
use crate::gateway::auth::client_address::prefix;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::gateway::auth::signin_token::{SessionCookie, SigninKey};
use crate::gateway::http::Door;
use crate::gateway::http::answered::answered;
use crate::gateway::http::asking::Asked;
use crate::gateway::http::buckets::Buckets;
use crate::gateway::http::calls::Routed;
use crate::gateway::http::desks::Desk;
use crate::gateway::http::problem::Problem;
use crate::telemetry::catalogue;
use crate::wire::error::{Code, More, WireError};
use axum::Router;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use browser::Here;
use http::{HeaderValue, StatusCode, header};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Codes that are exchanged at once, of all workspaces: each waits for a provider.
const EXCHANGES_MAX: usize = 64;
const BUSY_RETRY_MS: u64 = 2_000;
/// Of one address, which may be a whole company's: what comes back from a provider, so many at once and one more each.
const CALLBACKS_BURST: u32 = 500;
const CALLBACK_EACH_MS: f64 = 100.0;
/// Tokens that are no good, likewise.
const BAD_BURST: u32 = 20;
const BAD_EACH_MS: f64 = 1_000.0;
const SENDERS_MAX: usize = 65_536;

/// As the settings have it.
#[derive(Debug, Clone)]
pub struct SigninSettings {
    /// How browsers call this server; `None`: as they ask for it.
    pub url: Option<String>,
    /// This process speaks TLS itself.
    pub speaks_tls: bool,
    pub session_s: i64,
    pub token_s: i64,
    pub leeway_s: i64,
}

/// What signing in needs of the rest.
pub struct Parts {
    pub door: Door,
    pub endings: Endings,
    pub agent_keys: Arc<AgentKeys>,
    pub server_keys: Arc<ServerKeys>,
    pub key: Arc<SigninKey>,
    pub providers: Vec<Provider>,
    pub settings: SigninSettings,
}

pub(crate) struct Signing {
    door: Door,
    endings: Endings,
    agent_keys: Arc<AgentKeys>,
    server_keys: Arc<ServerKeys>,
    key: Arc<SigninKey>,
    /// By workspace.
    providers: BTreeMap<String, Provider>,
    settings: SigninSettings,
    exchanges: Semaphore,
    callbacks: Buckets,
    bad: Buckets,
}

type Shared = Arc<Signing>;

/// What is said of the calls of programs and pages.
pub fn described() -> Vec<Routed> {
    calls::calls().described()
}

/// The routes, with all their layers.
pub fn router(parts: Parts) -> Router {
    let Parts { door, endings, agent_keys, server_keys, key, providers, settings } = parts;
    let providers = providers.into_iter().map(|provider| (provider.settings.workspace.clone(), provider)).collect();
    let signing = Signing {
        door,
        endings,
        agent_keys,
        server_keys,
        key,
        providers,
        settings,
        exchanges: Semaphore::new(EXCHANGES_MAX),
        callbacks: Buckets::new(CALLBACKS_BURST, CALLBACK_EACH_MS, SENDERS_MAX),
        bad: Buckets::new(BAD_BURST, BAD_EACH_MS, SENDERS_MAX),
    };
    let at = |rest: &str| format!("/signin/{{workspace}}{rest}");
    Router::new()
        .route("/signin/page.js", get(script))
        .route(&at(""), get(flow::begin))
        .route(&at("/callback"), get(flow::callback))
        .route(&at("/token"), get(paste::show).post(paste::take))
        .route(&at("/out"), get(session::is_out))
        .merge(calls::calls().router())
        .with_state(Arc::new(signing))
        .layer(from_fn(answered))
}

async fn script() -> Response {
    let mut response = pages::SCRIPT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// Why somebody is not signed in: counted, and with the reason.
fn refused(reason: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    metrics::counter!(catalogue::SIGNINS_TOTAL, "outcome" => "refused").increment(1);
    Problem(WireError { more: Some(More::Reason(reason)), ..WireError::new(Code::SigninRefused, message) })
}

impl Signing {
    fn desk(&self, workspace: &str) -> Result<Arc<dyn Desk>, Problem> {
        let desk = self.door.desks.desk(workspace).filter(|desk| **desk.name() != *PROBES);
        desk.ok_or_else(|| Problem::not_found("workspace"))
    }

    fn here(&self, asked: &Asked) -> Result<Here, Problem> {
        let here = Here::of(self.settings.url.as_deref(), self.settings.speaks_tls, &asked.headers);
        here.ok_or_else(|| Problem::bad_request("the request has no Host that can be read").at("Host"))
    }

    fn now_s(&self) -> i64 {
        i64::try_from((self.door.now)().wall.0 / 1_000).unwrap_or(i64::MAX)
    }

    /// Takes one from an address's limit.
    fn take(&self, buckets: &Buckets, asked: &Asked) -> Result<(), Problem> {
        let address = prefix(self.door.identities.client_address(&asked.headers, asked.peer));
        let taken = buckets.take(address, (self.door.now)().desk.0);
        taken.map_err(|retry_after_ms| Problem::rate_limited("signin", retry_after_ms))
    }

    /// For a browser that navigates: a page that says what happened. For others: the problem.
    fn turned(&self, workspace: &str, asked: &Asked, problem: Problem, again: Option<&str>) -> Response {
        if !pages::wants_html(&asked.headers) {
            return problem.into_response();
        }
        let error = &problem.0;
        let code = match &error.more {
            Some(More::Reason(reason)) => format!("{}: {reason}", error.code.name()),
            _ => error.code.name().to_owned(),
        };
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        pages::failed(status, workspace, &error.message, &code, again)
    }

    /// Makes an agent that is not known yet.
    async fn make(&self, desk: &dyn Desk, name: &str, title: Option<&str>) -> Result<(), Problem> {
        let ask = AgentAsk {
            name: name.into(),
            title: title.map(Arc::from),
            queues: Some(desk.published().settings.new_agent_queues.clone()),
            ..AgentAsk::default()
        };
        desk.ask(Command::of_server(Ask::PutAgent(Box::new(ask)))).await?.result?;
        Ok(())
    }

    /// Signs somebody in: kept, told to those who are connected, and into the browser's cookie.
    async fn sign_in(
        &self,
        here: &Here,
        signin: Signin,
        id_token: Option<String>,
        to: &str,
    ) -> Result<Response, Problem> {
        let now_s = self.now_s();
        let cookie = SessionCookie {
            workspace: signin.workspace.to_string(),
            agent: signin.agent.to_string(),
            signin: signin.id,
            expires_at_s: signin.expires_at_s,
        };
        let changed = match self.endings.signins.begin(signin, id_token, now_s).await {
            Ok(changed) => changed,
            Err(NotBegun::Full) => return Err(Problem(WireError::busy(BUSY_RETRY_MS))),
            Err(NotBegun::NotKept(error)) => return Err(not_kept(&error)),
        };
        self.endings.changed(&changed, "ended").await;
        metrics::counter!(catalogue::SIGNINS_TOTAL, "outcome" => "signed_in").increment(1);
        let name = here.session_name(&cookie.workspace);
        let life_s = cookie.expires_at_s.saturating_sub(now_s);
        let mut response = goes_to(to);
        let set = here.set(&name, &cookie.seal(&self.server_keys), life_s, true);
        response.headers_mut().append(header::SET_COOKIE, set);
        Ok(response)
    }
}

/// 303: whatever was asked, the next is asked by `GET`.
fn goes_to(place: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    match HeaderValue::from_str(place) {
        Ok(place) => drop(headers.insert(header::LOCATION, place)),
        Err(_) => return Problem::internal().into_response(),
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// 128 random bits.
fn drawn() -> Result<u128, Problem> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|_| Problem(WireError::busy(BUSY_RETRY_MS)))?;
    Ok(u128::from_be_bytes(bits))
}

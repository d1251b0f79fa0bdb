//! Who may come in, and when: from what the request shows for nothing to the token, which costs.
//!
//! ```text
//!   origin, a token at all ──▶ return ticket ──▶ the pace ──▶ faults of the address ──▶ token ──▶ the agent's own rate
//!        4003, 4001                               4100, 503         4102               4001           4102
//! ```
//!
//! The ticket gives priority in the pace and nothing else: what it says of an agent is not believed, and one that is shown
//! again and again gives none.

use super::{AgentTokens, Desk, Door, NewSession, Refused};
use crate::desk::ids::SessionId;
use crate::engine::workspace::PROBES;
use crate::gateway::auth::agent_token::TokenError;
use crate::gateway::auth::client_address::prefix;
use crate::gateway::http::asking::bearer;
use crate::overload::pace::{Comer, Entry, Later, Served};
use crate::telemetry::catalogue;
use crate::wire::close::CloseCode;
use http::header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

const TOKEN_PREFIX: &str = "offhook.token.";
const TICKET_PREFIX: &str = "offhook.ticket.";
/// Longer than this nobody is kept in line: a proxy would give up, and what it knows would be old.
const IN_LINE_MAX: Duration = Duration::from_secs(3);
/// Of senders that each limit remembers; 16 bytes each.
pub(super) const SENDERS_MAX: usize = 65_536;
/// Tickets of one agent that give priority: all its devices, again and again in a bad quarter of an hour, and no more.
pub(super) const TICKETS_BURST: u32 = 20;
pub(super) const TICKET_EACH_MS: f64 = 3_000.0;
const RETRY_AFTER_MS: u64 = 2_000;

/// Why somebody does not come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Turned {
    /// By a close code, since a browser cannot read a refused upgrade.
    Away(Refused),
    /// There was no room to look at it.
    Later { later: Later, browser: bool },
}

impl<D: Desk, T: AgentTokens> Door<D, T> {
    /// Waits for its turn if it must, and looks at its token then.
    pub(super) async fn pass(&self, headers: &HeaderMap, peer: IpAddr) -> Result<(NewSession, Served), Turned> {
        let (token, returning) = self.shown(headers).map_err(Turned::Away)?;
        let comer = if returning { Comer::Returning } else { Comer::New };
        let served = self.turn(comer).await.map_err(|later| {
            metrics::counter!(catalogue::HANDSHAKES_PACED_TOTAL, "comer" => comer.name()).increment(1);
            Turned::Later { later, browser: headers.contains_key(ORIGIN) }
        })?;
        self.tokens.hear(token, self.desk.wall_s()).await;
        let new = self.known(token, returning, prefix(self.proxies.client_address(peer, headers)));
        new.map(|new| (new, served)).map_err(Turned::Away)
    }

    /// The token, and whether the ticket beside it is one of ours: all that costs next to nothing.
    fn shown<'a>(&self, headers: &'a HeaderMap) -> Result<(&'a str, bool), Refused> {
        // A browser always says where its page is from, and a page cannot forge it; programs say nothing.
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let allowed = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| self.origins.allows(origin, host));
        if !headers.get(ORIGIN).is_none_or(allowed) {
            return Err(Refused { code: CloseCode::Forbidden, reason: "origin".into() });
        }
        let mut ticket = None;
        let mut token = bearer(headers);
        for entry in protocols(headers) {
            if let Some(entry) = entry.strip_prefix(TOKEN_PREFIX) {
                token = token.or(Some(entry));
            } else if let Some(entry) = entry.strip_prefix(TICKET_PREFIX) {
                ticket = Some(entry);
            }
        }
        let token = token.ok_or_else(|| unauthorized(TokenError::Missing.code()))?;
        let of = ticket.and_then(|ticket| self.desk.agent_of_ticket(ticket));
        let returning = of.is_some_and(|of| self.tickets.take(of, self.desk.monotonic_ms()).is_ok());
        Ok((token, returning))
    }

    async fn turn(&self, comer: Comer) -> Result<Served, Later> {
        match self.pace.enter(comer) {
            Entry::Now(served) => Ok(served),
            Entry::Later(later) => Err(later),
            Entry::Wait(line) => {
                metrics::gauge!(catalogue::HANDSHAKES_WAITING).increment(1.0);
                // Also when the client goes, and this with it.
                let _waiting = Counted;
                tokio::time::timeout(IN_LINE_MAX, line).await.unwrap_or_else(|_| Err(self.pace.later(comer)))
            }
        }
    }

    fn known(&self, token: &str, returning: bool, address: IpAddr) -> Result<NewSession, Refused> {
        let now_ms = self.desk.monotonic_ms();
        let limited = |scope: &'static str, retry_after_ms| {
            metrics::counter!(catalogue::RATE_LIMITED_TOTAL, "scope" => scope).increment(1);
            Refused::for_now(CloseCode::RateLimited, retry_after_ms)
        };
        // Who guesses tokens is not listened to for a while; a colleague behind the same address who was here is.
        if !returning && let Err(retry_after_ms) = self.faults.has(address, now_ms) {
            return Err(limited("bad_tokens", retry_after_ms));
        }
        let claims = self.tokens.verify(token, self.desk.wall_s()).map_err(|error| {
            // Whether there was room for one more fault is asked before the next token is looked at.
            let _ = self.faults.take(address, now_ms);
            unauthorized(error.code())
        })?;
        // The probe's one agent comes as often as it is set to.
        if claims.workspace != PROBES {
            let connected = self.connects.take((&claims.workspace, &claims.agent), now_ms);
            connected.map_err(|retry_after_ms| limited("connects", retry_after_ms))?;
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_| Refused::for_now(CloseCode::Busy, RETRY_AFTER_MS))?;
        Ok(NewSession { id: SessionId(u128::from_be_bytes(id)), claims, returning })
    }

    /// To be let in only to hear why not.
    pub(super) fn room_for_refusal(&self) -> Option<OwnedSemaphorePermit> {
        let mut rate = self.refusal_rate.lock().unwrap_or_else(PoisonError::into_inner);
        let per_s = self.limits.refusals_per_s;
        rate.take(self.desk.monotonic_ms(), per_s, per_s).ok()?;
        self.refusals.clone().try_acquire_owned().ok()
    }
}

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(catalogue::HANDSHAKES_WAITING).decrement(1.0);
    }
}

fn unauthorized(reason: &'static str) -> Refused {
    Refused { code: CloseCode::Unauthorized, reason: reason.into() }
}

/// All entries of a header that is a list, over all its lines.
pub(super) fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

pub(super) fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    entries(headers, &SEC_WEBSOCKET_PROTOCOL)
}

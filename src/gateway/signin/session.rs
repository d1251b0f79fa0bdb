//! Who is signed in in this browser, with a token for its pages; and signing out.

use super::browser::cookie;
use super::ending::not_kept;
use super::roll::By;
use super::{Shared, Signing, pages};
use crate::desk::refusal::Refusal;
use crate::desk::settings::Role;
use crate::gateway::auth::agent_token::AgentClaims;
use crate::gateway::auth::signin_token::{LiveSignins, SessionCookie};
use crate::gateway::auth::ticket::TicketError;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use axum::extract::State as Held;
use axum::response::Response;
use http::{HeaderValue, header};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// A header that no page of another site can send without asking first, which it would be told no.
const OWN_HEADER: &str = "x-offhook";

/// Times are Unix milliseconds.
#[derive(Serialize, JsonSchema)]
pub(super) struct Session {
    workspace: Arc<str>,
    agent: Arc<str>,
    title: Arc<str>,
    role: Role,
    by: &'static str,
    signed_in_at: i64,
    expires_at: i64,
    token: String,
    token_expires_at: i64,
}

/// Where the browser is to go.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignedOut")]
pub(super) struct Out {
    to: String,
}

pub(super) async fn show(
    Held(signing): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let desk = signing.desk(&workspace)?;
    let here = signing.here(&asked)?;
    Query::parse(asked.query.as_deref(), &[])?;
    if !here.is_asked_from(&asked.headers, true) {
        return Err(Problem::forbidden("only pages of this server may ask this"));
    }
    let held = cookie(&asked.headers, &here.session_name(&workspace)).ok_or(Problem::unauthorized("missing"))?;
    let held = signing.opened(held, &workspace).map_err(Problem::unauthorized)?;
    let profile = desk.profile(&held.agent);
    if profile.as_ref().is_some_and(|profile| !profile.active) {
        return Err(Refusal::AgentDeactivated(held.agent.as_str().into()).into());
    }
    let now_s = signing.now_s();
    let signins = &signing.endings.signins;
    signins.hear(held.signin, &workspace, &held.agent).await;
    let signin = signins.live(held.signin, now_s).filter(|signin| *signin.agent == *held.agent);
    let signin = signin.ok_or(Problem::unauthorized("revoked"))?;
    let role = signins.role(&signin);
    let title = profile.map(|profile| profile.title.clone()).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| signin.agent.clone());
    let token_expires_at_s = signin.expires_at_s.min(now_s.saturating_add(signing.settings.token_s));
    let claims = AgentClaims {
        agent: signin.agent.to_string(),
        workspace: workspace.clone(),
        role,
        name: None,
        expires_at_s: token_expires_at_s,
        signin: Some(signin.id),
    };
    let mut response = ok(&Session {
        workspace: signin.workspace.clone(),
        agent: signin.agent.clone(),
        title,
        role,
        by: signin.by.name(),
        signed_in_at: signin.began_at_s.saturating_mul(1_000),
        expires_at: signin.expires_at_s.saturating_mul(1_000),
        token: signing.key.mint(&claims, now_s),
        token_expires_at: token_expires_at_s.saturating_mul(1_000),
    });
    response.headers_mut().insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// Signs out, here and at the provider: the answer says where the browser is to go for that.
pub(super) async fn out(
    Held(signing): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    signing.desk(&workspace)?;
    let here = signing.here(&asked)?;
    if !asked.headers.contains_key(OWN_HEADER) || !here.is_asked_from(&asked.headers, false) {
        return Err(Problem::forbidden("only pages of this server sign out, with the header X-Offhook"));
    }
    let held = cookie(&asked.headers, &here.session_name(&workspace));
    let held = held.and_then(|held| signing.opened(held, &workspace).ok());
    let mut id_token = None;
    let mut by_provider = false;
    if let Some(held) = held {
        signing.endings.signins.hear(held.signin, &workspace, &held.agent).await;
        let signin = signing.endings.signins.live(held.signin, signing.now_s());
        by_provider = signin.is_some_and(|signin| matches!(signin.by, By::Provider { .. }));
        let ended = signing.endings.end_one("signed_out", (&workspace, &held.agent), held.signin).await;
        id_token = ended.map_err(|error| not_kept(&error))?.1;
    }
    let own_page = format!("/signin/{workspace}/out");
    let to = match by_provider {
        true => signing.end_at_provider(&workspace, &here.origin, id_token.as_deref()).await,
        false => None,
    };
    let mut response = ok(&Out { to: to.unwrap_or(own_page) });
    let gone = here.set(&here.session_name(&workspace), "", 0, true);
    response.headers_mut().append(header::SET_COOKIE, gone);
    Ok(response)
}

/// Where the browser comes back to.
pub(super) async fn is_out(Held(signing): Held<Shared>, At(workspace): At<String>, asked: Asked) -> Response {
    match signing.desk(&workspace) {
        Ok(_) => pages::signed_out(&workspace),
        Err(problem) => signing.turned(&workspace, &asked, problem, None),
    }
}

impl Signing {
    /// The error is the reason.
    fn opened(&self, text: &str, workspace: &str) -> Result<SessionCookie, &'static str> {
        match SessionCookie::open(text, &self.server_keys, self.now_s()) {
            Ok(held) if held.workspace == workspace => Ok(held),
            Err(TicketError::Expired) => Err("expired"),
            _ => Err("malformed"),
        }
    }

    /// The provider's own end of session; `None` where it has none, or cannot be asked now: we are signed out all the same.
    async fn end_at_provider(&self, workspace: &str, origin: &str, id_token: Option<&str>) -> Option<String> {
        let provider = self.providers.get(workspace)?;
        let discovered = provider.discovered().await.ok()?;
        let back = format!("{origin}/signin/{workspace}/out");
        let mut members =
            vec![("client_id", provider.settings.client_id.as_str()), ("post_logout_redirect_uri", &back)];
        members.extend(id_token.map(|token| ("id_token_hint", token)));
        Some(discovered.end_session.as_ref()?.with_query(&members))
    }
}

//! The authorization code flow, with PKCE, state and nonce: to the provider, and back.

use super::browser::{Here, cookie, place, same};
use super::provider::{NotExchanged, Provider, ProviderFailed};
use super::roll::{By, Signin};
use super::settings::Person;
use super::{BUSY_RETRY_MS, Shared, Signing, drawn, goes_to, pages, refused};
use crate::desk::refusal::Refusal;
use crate::gateway::auth::id_token::{self, Claims, Expected};
use crate::gateway::auth::jwt::TokenError;
use crate::gateway::auth::signin_token::FlowCookie;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::desks::Desk;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::telemetry::catalogue;
use crate::wire::error::{Code, More, WireError};
use axum::extract::State as Held;
use axum::response::Response;
use http::header;
use std::sync::Arc;

/// So long somebody may take to sign in at the provider.
const FLOW_S: i64 = 900;
const PROVIDER_RETRY_MS: u64 = 2_000;

/// To the provider; or, where there is none, to the page for a token.
pub(super) async fn begin(Held(signing): Held<Shared>, At(workspace): At<String>, asked: Asked) -> Response {
    match signing.begin(&workspace, &asked).await {
        Ok(response) => response,
        Err(problem) => signing.turned(&workspace, &asked, problem, Some(&again(&workspace, asked.query.as_deref()))),
    }
}

/// Back from the provider.
pub(super) async fn callback(Held(signing): Held<Shared>, At(workspace): At<String>, asked: Asked) -> Response {
    let here = signing.here(&asked);
    let mut response = match signing.back(&workspace, &asked).await {
        Ok(response) => response,
        Err(problem) => signing.turned(&workspace, &asked, problem, Some(&again(&workspace, None))),
    };
    // However it ended, it is over: what came back once is nothing a second time.
    if let Ok(here) = here {
        let gone = here.set(&here.flow_name(&workspace), "", 0, false);
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

fn again(workspace: &str, query: Option<&str>) -> String {
    let to = query.and_then(|query| Query::known(Some(query), &["to"]).ok());
    let to = place(to.as_ref().and_then(|query| query.text("to")), workspace);
    format!("/signin/{workspace}?to={}", crate::wire::percent::encoded(&to))
}

/// The provider's failure as it is told: in the log with what it said, to the browser with the reason alone.
pub(super) fn provider_failed(provider: &Provider, failed: &ProviderFailed) -> Problem {
    let workspace = &provider.settings.workspace;
    tracing::warn!(%workspace, issuer = %provider.settings.issuer, reason = failed.reason, %failed, "the OpenID provider is of no use");
    metrics::counter!(catalogue::SIGNINS_TOTAL, "outcome" => "provider_failed").increment(1);
    let message = match failed.reason {
        "unreachable" | "late" | "status" => "your organisation's sign-in cannot be reached at the moment",
        _ => "your organisation's sign-in does not answer as it should: tell whoever looks after it",
    };
    let error = WireError { more: Some(More::Reason(failed.reason)), ..WireError::new(Code::ProviderFailed, message) };
    Problem(error.after_ms(PROVIDER_RETRY_MS))
}

fn not_good(error: TokenError) -> Problem {
    tracing::warn!(reason = error.code(), claim = error.claim(), "an ID token is no good");
    refused(error.code(), "what your organisation's sign-in says of you cannot be trusted; nothing was done")
}

impl Signing {
    async fn begin(&self, workspace: &str, asked: &Asked) -> Result<Response, Problem> {
        self.desk(workspace)?;
        let here = self.here(asked)?;
        let query = Query::parse(asked.query.as_deref(), &["to"])?;
        let to = place(query.text("to"), workspace);
        let Some(provider) = self.providers.get(workspace) else {
            return Ok(pages::token(workspace, &to, false, None));
        };
        let discovered = provider.discovered().await.map_err(|failed| provider_failed(provider, &failed))?;
        let expires_at_s = self.now_s().saturating_add(FLOW_S);
        let flow = FlowCookie { workspace: workspace.to_owned(), flow: drawn()?, to, expires_at_s };
        let keys = &self.server_keys;
        let location = discovered.authorization.with_query(&[
            ("response_type", "code"),
            ("client_id", &provider.settings.client_id),
            ("redirect_uri", &callback_of(&here, workspace)),
            ("scope", &provider.settings.scopes.join(" ")),
            ("state", &flow.state(keys)),
            ("nonce", &flow.nonce(keys)),
            ("code_challenge", &flow.challenge(keys)),
            ("code_challenge_method", "S256"),
        ]);
        let mut response = goes_to(&location);
        let set = here.set(&here.flow_name(workspace), &flow.seal(keys), FLOW_S, false);
        response.headers_mut().append(header::SET_COOKIE, set);
        Ok(response)
    }

    async fn back(&self, workspace: &str, asked: &Asked) -> Result<Response, Problem> {
        let desk = self.desk(workspace)?;
        let here = self.here(asked)?;
        let provider = self.providers.get(workspace).ok_or_else(|| Problem::not_found("provider"))?;
        self.take(&self.callbacks, asked)?;
        let query = Query::known(asked.query.as_deref(), &["code", "state", "iss", "error"])?;
        let flow = self.flow(&here, workspace, asked)?;
        let state = query.text("state").unwrap_or_default();
        if !same(state, &flow.state(&self.server_keys)) {
            return Err(refused("state", "this answer belongs to another sign-in; begin again"));
        }
        let exchange = self.exchanges.try_acquire().map_err(|_| Problem(WireError::busy(BUSY_RETRY_MS)))?;
        let discovered = provider.discovered().await.map_err(|failed| provider_failed(provider, &failed))?;
        // RFC 9207: an answer of one provider must not pass for another's.
        match query.text("iss") {
            Some(issuer) if issuer != provider.settings.issuer => {
                return Err(refused("issuer", "this answer is of another provider; nothing was done"));
            }
            None if discovered.names_itself => {
                return Err(refused("issuer", "this answer does not say which provider it is of; nothing was done"));
            }
            _ => {}
        }
        if let Some(error) = query.text("error") {
            return Err(match error {
                "access_denied" => refused("access_denied", "your organisation's sign-in did not let you in"),
                _ => refused("provider_refused", "your organisation's sign-in refused; begin again"),
            });
        }
        let code = query.text("code").ok_or_else(|| refused("no_code", "the answer is not whole; begin again"))?;
        let (person, subject, sid, id_token) = self.person(provider, &here, &flow, code).await?;
        drop(exchange);
        self.admit(&*desk, provider, &person).await?;
        let now_s = self.now_s();
        let issuer = provider.settings.issuer.as_str().into();
        let signin = Signin {
            id: drawn()?,
            workspace: desk.name().clone(),
            agent: person.agent.into(),
            role: person.role,
            by: By::Provider { issuer, subject: subject.into(), sid: sid.map(Arc::from) },
            began_at_s: now_s,
            expires_at_s: now_s.saturating_add(self.settings.session_s),
        };
        self.sign_in(&here, signin, Some(id_token), &place(Some(&flow.to), workspace)).await
    }

    /// What the browser that began left with itself.
    fn flow(&self, here: &Here, workspace: &str, asked: &Asked) -> Result<FlowCookie, Problem> {
        let held = cookie(&asked.headers, &here.flow_name(workspace));
        let held = held.ok_or_else(|| {
            refused(
                "no_flow",
                "this browser did not begin this sign-in, or took too long, or keeps no cookies; begin again",
            )
        })?;
        let flow = FlowCookie::open(held, &self.server_keys, self.now_s());
        flow.ok()
            .filter(|flow| flow.workspace == workspace)
            .ok_or_else(|| refused("flow", "this sign-in was begun too long ago, or elsewhere; begin again"))
    }

    /// Who the code is of, by the provider's word.
    async fn person(
        &self,
        provider: &Provider,
        here: &Here,
        flow: &FlowCookie,
        code: &str,
    ) -> Result<(Person, String, Option<String>, String), Problem> {
        let down = |failed: ProviderFailed| provider_failed(provider, &failed);
        let back = callback_of(here, &flow.workspace);
        let exchanged = provider.exchange(code, &flow.verifier(&self.server_keys), &back).await;
        let exchanged = exchanged.map_err(|error| match error {
            NotExchanged::Failed(failed) => down(failed),
            NotExchanged::Refused => {
                refused("code_refused", "this sign-in was used already, or took too long; begin again")
            }
        })?;
        let nonce = flow.nonce(&self.server_keys);
        let expected = self.expected(provider);
        let mut checked =
            id_token::check(&exchanged.id_token, &*provider.keys(false).await.map_err(down)?, expected, &nonce);
        if checked == Err(TokenError::UnknownKid) {
            let keys = provider.keys(true).await.map_err(down)?;
            checked = id_token::check(&exchanged.id_token, &keys, expected, &nonce);
        }
        let (subject, mut claims) = checked.map_err(not_good)?;
        if provider.settings.lacks(&claims) {
            let more = provider.more_of(&exchanged, &subject).await.map_err(down)?;
            add(&mut claims, more);
        }
        let person =
            provider.settings.person(&claims).map_err(|nobody| refused(nobody.reason(), nobody.to_string()))?;
        let sid = claims.get("sid").and_then(serde_json::Value::as_str).map(str::to_owned);
        Ok((person, subject, sid, exchanged.id_token))
    }

    pub(super) fn expected<'a>(&self, provider: &'a Provider) -> Expected<'a> {
        Expected {
            issuer: &provider.settings.issuer,
            client_id: &provider.settings.client_id,
            now_s: self.now_s(),
            leeway_s: self.settings.leeway_s,
        }
    }

    /// Finds the agent, or makes it where that is wanted.
    async fn admit(&self, desk: &dyn Desk, provider: &Provider, person: &Person) -> Result<(), Problem> {
        let name: Arc<str> = person.agent.as_str().into();
        match desk.profile(&name) {
            Some(profile) if profile.active => Ok(()),
            Some(_) => Err(Refusal::AgentDeactivated(name).into()),
            None if provider.settings.create_agents => self.make(desk, &name, person.title.as_deref()).await,
            None => Err(refused("unknown_agent", "nobody of this name works here yet: ask an administrator")),
        }
    }
}

fn callback_of(here: &Here, workspace: &str) -> String {
    format!("{}/signin/{workspace}/callback", here.origin)
}

/// What was signed goes before what was only said.
fn add(claims: &mut Claims, more: Claims) {
    for (name, value) in more {
        claims.entry(name).or_insert(value);
    }
}

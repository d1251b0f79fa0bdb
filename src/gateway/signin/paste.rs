//! Signing in by an agent's token that is pasted: for workspaces without a provider, and beside one.

use super::browser::place;
use super::roll::{By, Signin};
use super::{Shared, Signing, drawn, pages, refused};
use crate::desk::refusal::Refusal;
use crate::gateway::auth::jwt::TOKEN_BYTES_MAX;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::wire::error::Code;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(super) async fn show(Held(signing): Held<Shared>, At(workspace): At<String>, asked: Asked) -> Response {
    let shown = || -> Result<Response, Problem> {
        signing.desk(&workspace)?;
        let query = Query::parse(asked.query.as_deref(), &["to"])?;
        let to = place(query.text("to"), &workspace);
        Ok(pages::token(&workspace, &to, signing.providers.contains_key(&workspace), None))
    };
    shown().unwrap_or_else(|problem| signing.turned(&workspace, &asked, problem, None))
}

pub(super) async fn take(Held(signing): Held<Shared>, At(workspace): At<String>, asked: Asked, body: Body) -> Response {
    let mut to = place(None, &workspace);
    match signing.take_token(&workspace, &asked, body, &mut to).await {
        Ok(response) => response,
        Err(problem) if problem.0.code == Code::NotFound || !pages::wants_html(&asked.headers) => {
            problem.into_response()
        }
        Err(problem) => {
            let status = StatusCode::from_u16(problem.0.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let by_provider = signing.providers.contains_key(&workspace);
            pages::token(&workspace, &to, by_provider, Some((status, &problem.0.message)))
        }
    }
}

impl Signing {
    async fn take_token(
        &self,
        workspace: &str,
        asked: &Asked,
        body: Body,
        to: &mut String,
    ) -> Result<Response, Problem> {
        let desk = self.desk(workspace)?;
        let here = self.here(asked)?;
        // Another site must not sign anybody in here, as whom it likes.
        if !here.is_asked_from(&asked.headers, false) {
            return Err(Problem::forbidden("this form was not sent by a page of this server"));
        }
        // The token and where to go.
        let form = body::text(body, 2 * TOKEN_BYTES_MAX).await?;
        let form = Query::parse(Some(&form), &["token", "to"])?;
        *to = place(form.text("to"), workspace);
        let token = form.text("token").map(str::trim).unwrap_or_default();
        let now_s = self.now_s();
        let claims = self.agent_keys.verify(token, now_s).map_err(|error| match self.take(&self.bad, asked) {
            Ok(()) => refused(error.code(), error.to_string()),
            Err(limited) => limited,
        })?;
        if claims.workspace != workspace {
            return Err(refused("other_workspace", "this token is for another workspace"));
        }
        // What a sign-in gave for minutes must not become another one for hours.
        if claims.signin.is_some() {
            return Err(refused("token_of_signin", "this token comes from signing in; sign in again instead"));
        }
        let profile = desk.profile(&claims.agent);
        if profile.as_ref().is_some_and(|profile| !profile.active) {
            return Err(Refusal::AgentDeactivated(claims.agent.as_str().into()).into());
        }
        if profile.is_none() {
            if !desk.published().settings.create_agents {
                return Err(refused("unknown_agent", "nobody of this name works here yet: ask an administrator"));
            }
            // Not when they connect, as with a token: those that a sign-in gives do not say how somebody is called.
            self.make(&*desk, &claims.agent, claims.name.as_deref()).await?;
        }
        let signin = Signin {
            id: drawn()?,
            workspace: desk.name().clone(),
            agent: claims.agent.into(),
            role: claims.role,
            by: By::Token,
            began_at_s: now_s,
            // By its end, whatever clocks differ: a session is not to outlive its token.
            expires_at_s: claims.expires_at_s.min(now_s.saturating_add(self.settings.session_s)),
        };
        self.sign_in(&here, signin, None, to).await
    }
}

//! The provider says itself that somebody signed out there (OpenID Connect Back-Channel Logout): server to server, by a signed token.

use super::roll::By;
use super::{Shared, Signing};
use crate::gateway::auth::id_token::{self, ID_TOKEN_BYTES_MAX, Logout};
use crate::gateway::auth::jwt::TokenError;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::problem::{Problem, answer};
use crate::gateway::http::query::Query;
use crate::wire::error::{Code, More, WireError};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProviderSignOut")]
pub(super) struct Ended {}

/// As OAuth 2.0 has it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProviderSignOutRefused")]
pub(super) struct NotEnded<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// 200; or 400, as that document has it.
pub(super) async fn logout(
    Held(signing): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Response {
    match signing.logout(&workspace, &asked, body).await {
        Ok(()) => answer(StatusCode::OK, &Ended {}),
        Err(problem) => {
            let reason = match &problem.0.more {
                Some(More::Reason(reason)) => reason,
                _ => problem.0.code.name(),
            };
            tracing::warn!(workspace, reason, "a logout token was refused");
            answer(StatusCode::BAD_REQUEST, &NotEnded { error: "invalid_request", error_description: reason })
        }
    }
}

impl Signing {
    async fn logout(&self, workspace: &str, asked: &Asked, body: Body) -> Result<(), Problem> {
        self.desk(workspace)?;
        let provider = self.providers.get(workspace).ok_or_else(|| Problem::not_found("provider"))?;
        let form = body::text(body, ID_TOKEN_BYTES_MAX + 1_024).await?;
        let form = Query::known(Some(&form), &["logout_token"])?;
        let token = form.text("logout_token").unwrap_or_default();
        let expected = self.expected(provider);
        let unavailable = |_| Problem(WireError::unavailable(1_000, "the provider does not say its keys"));
        let mut checked = id_token::check_logout(token, &*provider.keys(false).await.map_err(unavailable)?, expected);
        if checked == Err(TokenError::UnknownKid) {
            // Anybody may send this; how often the provider is asked for it is bounded.
            let keys = provider.keys(true).await.map_err(unavailable)?;
            checked = id_token::check_logout(token, &keys, expected);
        }
        let logout = checked.map_err(|error| match self.take(&self.bad, asked) {
            Ok(()) => {
                let bad = WireError::new(Code::BadRequest, error.to_string());
                Problem(WireError { more: Some(More::Reason(error.code())), ..bad })
            }
            Err(limited) => limited,
        })?;
        let issuer = provider.settings.issuer.as_str();
        let is_meant = |signin: &super::Signin| *signin.workspace == *workspace && is_of(&signin.by, issuer, &logout);
        // Those that began after it was said are others: a token that is sent again ends nobody's next session.
        let leeway_s = self.settings.leeway_s;
        let ended = self.endings.end("provider_out", |signin| {
            is_meant(signin) && signin.began_at_s <= logout.issued_at_s.saturating_add(leeway_s)
        });
        ended.await.map(drop).map_err(|error| super::not_kept(&error))
    }
}

fn is_of(by: &By, own_issuer: &str, logout: &Logout) -> bool {
    let By::Provider { issuer, subject, sid } = by else { return false };
    let is = |said: &Option<String>, held: Option<&str>| said.as_deref().is_none_or(|said| held == Some(said));
    **issuer == *own_issuer && is(&logout.subject, Some(subject)) && is(&logout.sid, sid.as_deref())
}

//! Signing in, put together: the sign-ins that there are, the key of their tokens, and the providers of the settings.

use super::{StartFailed, failed};
use crate::client::Outbound;
use crate::clock;
use crate::cluster::SealedPart;
use crate::config::{self, Config};
use crate::gateway::auth::agent_token::AgentKeys;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::gateway::auth::signin_token::SigninKey;
use crate::gateway::http::Door;
use crate::gateway::http::asking::bearer;
use crate::gateway::signin::{self, Endings, Parts, Provider, SigninSettings, Signins};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Signings {
    signins: Arc<Signins>,
    key: Arc<SigninKey>,
}

impl Signings {
    pub fn open(dir: &Path, server_keys: &ServerKeys) -> Result<Self, StartFailed> {
        let signins = Signins::open(dir, now_s()).map_err(failed("reading who is signed in"))?;
        let key = SigninKey::of(server_keys).map_err(failed("making the key of sign-ins"))?;
        Ok(Self { signins: Arc::new(signins), key: Arc::new(key) })
    }

    /// Agents' tokens that rest on a sign-in are good, too.
    pub fn known_to(&self, keys: AgentKeys) -> Result<AgentKeys, StartFailed> {
        keys.with_signins(&self.key, self.signins.clone()).map_err(failed("making the key of sign-ins"))
    }

    /// `shared`: with the other nodes of a cluster. Returns when this one has heard of all that was said while it was away.
    pub async fn endings(&self, door: &Door, shared: Option<SealedPart>) -> Result<Endings, StartFailed> {
        let endings = Endings { signins: self.signins.clone(), desks: door.desks.clone(), now_s };
        if let Some(shared) = shared {
            endings.share(shared).await.map_err(failed("hearing who is signed in at the other nodes"))?;
        }
        Ok(endings)
    }

    pub fn router(
        &self,
        config: &Config,
        door: &Door,
        endings: Endings,
        agent_keys: Arc<AgentKeys>,
        server_keys: Arc<ServerKeys>,
    ) -> Result<Router, StartFailed> {
        let set = &config.sections;
        let providers = signin_providers(config).map_err(failed("preparing signin.providers"))?;
        let settings = SigninSettings {
            url: Some(set.signin.url.clone()).filter(|url| !url.is_empty()),
            speaks_tls: !set.tls.certificate.as_os_str().is_empty(),
            session_s: set.signin.session_hours * 3_600,
            token_s: set.signin.token_s,
            leeway_s: set.identity.token_leeway_s,
        };
        let (door, key) = (door.clone(), self.key.clone());
        Ok(signin::router(Parts { door, endings, agent_keys, server_keys, key, providers, settings }))
    }
}

/// For a node of a cluster: whoever comes with a token that rests on a sign-in at another node is waited for until that is heard of here.
pub(super) fn hearing(router: Router, keys: Arc<AgentKeys>) -> Router {
    async fn hear(State(keys): State<Arc<AgentKeys>>, request: Request, next: Next) -> Response {
        if let Some(token) = bearer(request.headers()) {
            keys.hear(token, now_s()).await;
        }
        next.run(request).await
    }
    router.layer(from_fn_with_state(keys, hear))
}

fn now_s() -> i64 {
    i64::try_from(clock::wall_ms() / 1_000).unwrap_or(i64::MAX)
}

/// The providers of the settings, with their secrets; nobody is asked anything.
///
/// # Errors
/// A secret, or the certificate authorities, cannot be read.
pub fn signin_providers(config: &Config) -> Result<Vec<Provider>, Box<dyn std::error::Error + Send + Sync>> {
    let config::SigninSettings { providers, provider_timeout_ms, authorities, .. } = &config.sections.signin;
    if providers.is_empty() {
        return Ok(Vec::new());
    }
    let https = providers.iter().any(|provider| provider.issuer.starts_with("https://"));
    let roots = (!authorities.as_os_str().is_empty()).then_some(authorities.as_path());
    let outbound = Outbound::new(roots, https, Duration::from_millis(*provider_timeout_ms))
        .map_err(|error| format!("certificate authorities (signin.authorities): {error}"))?;
    let provider = |settings: &signin::ProviderSettings| Provider::new(settings.clone(), outbound.clone());
    Ok(providers.iter().map(provider).collect::<Result<_, _>>()?)
}

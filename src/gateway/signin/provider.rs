//! An OpenID provider as it is asked: what it publishes, its keys, the exchange of a code, what it knows of somebody.
//!
//! It may be down, slow, or taken over: each answer is bounded in bytes and time, is believed only in what it must say, and a failure is
//! remembered for a moment, so that those who wait behind each other do not each wait for it.

use super::settings::ProviderSettings;
use crate::client::outbound::{Wanted, form};
use crate::client::{NotFetched, Outbound, Url};
use crate::clock;
use crate::gateway::auth::id_token::{Claims, ProviderKeys};
use crate::gateway::auth::keys::{KeyError, read_key_file};
use crate::telemetry::catalogue;
use crate::wire::percent::encoded;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::Mutex;

const ANSWER_BYTES_MAX: usize = 256 << 10;
/// What a provider publishes seldom changes.
const FRESH_MS: u64 = 3_600_000;
/// What is old is better than nothing, while the provider does not answer.
const STALE_MS: u64 = 24 * FRESH_MS;
/// For so long a failure is not tried again.
const FAILED_MS: u64 = 2_000;
/// Tokens that name a key that is not known may make us ask again so often.
const KEYS_AGAIN_MS: u64 = 10_000;
const JSON: &str = "application/json";

/// Why a provider is of no use now. The sentence is for the log: it may hold what the provider said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ProviderFailed {
    /// The `reason` on the wire, and a label.
    pub reason: &'static str,
    pub detail: String,
}

fn failed(reason: &'static str, detail: impl std::fmt::Display) -> ProviderFailed {
    ProviderFailed { reason, detail: detail.to_string() }
}

impl From<NotFetched> for ProviderFailed {
    fn from(error: NotFetched) -> Self {
        let reason = match &error {
            NotFetched::Unreachable(_) | NotFetched::NotAllowed(_) => "unreachable",
            NotFetched::Late => "late",
            NotFetched::TooLarge(_) => "too_large",
        };
        failed(reason, error)
    }
}

/// Why a code gave nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotExchanged {
    Failed(ProviderFailed),
    /// The code is not good, or not any more.
    Refused,
}

impl From<ProviderFailed> for NotExchanged {
    fn from(failed: ProviderFailed) -> Self {
        Self::Failed(failed)
    }
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What a provider publishes of itself.
#[derive(Debug)]
pub struct Discovered {
    pub authorization: Url,
    token: Url,
    keys: Url,
    userinfo: Option<Url>,
    pub end_session: Option<Url>,
    /// The client's secret goes into the form, and not into a header.
    secret_in_form: bool,
    /// It says with each answer who it is (RFC 9207).
    pub names_itself: bool,
}

/// What a code is exchanged for.
pub struct Exchanged {
    pub id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    id_token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// What was fetched, and when; or that it could not be, just now.
struct Kept<T> {
    value: Option<(Arc<T>, u64)>,
    failed: Option<(ProviderFailed, u64)>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { value: None, failed: None }
    }
}

impl<T> Kept<T> {
    fn younger_than(&self, now_ms: u64, ms: u64) -> Option<Arc<T>> {
        self.value.as_ref().filter(|(_, at)| now_ms.saturating_sub(*at) < ms).map(|(value, _)| value.clone())
    }

    /// The one that is kept, or another where that is older than `ms`.
    async fn get(
        &mut self,
        ms: u64,
        fetch: impl Future<Output = Result<T, ProviderFailed>>,
    ) -> Result<Arc<T>, ProviderFailed> {
        let now_ms = clock::monotonic_ms();
        if let Some(value) = self.younger_than(now_ms, ms) {
            return Ok(value);
        }
        let just_now = self.failed.as_ref().filter(|(_, at)| now_ms.saturating_sub(*at) < FAILED_MS);
        let fetched = match just_now.map(|(failed, _)| failed.clone()) {
            Some(failed) => Err(failed),
            None => fetch.await.inspect_err(|error| self.failed = Some((error.clone(), clock::monotonic_ms()))),
        };
        match fetched {
            Ok(value) => {
                let value = Arc::new(value);
                (self.value, self.failed) = (Some((value.clone(), clock::monotonic_ms())), None);
                Ok(value)
            }
            Err(error) => self.younger_than(now_ms, STALE_MS).ok_or(error),
        }
    }
}

pub struct Provider {
    pub settings: ProviderSettings,
    secret: Option<String>,
    issuer: Url,
    outbound: Outbound,
    discovered: Mutex<Kept<Discovered>>,
    keys: Mutex<KeptKeys>,
}

#[derive(Default)]
struct KeptKeys {
    kept: Kept<ProviderKeys>,
    /// When a token made us ask.
    again_at: Option<u64>,
}

impl Provider {
    /// Reads the client's secret; the settings were checked.
    ///
    /// # Errors
    /// The secret's file cannot be read.
    pub fn new(settings: ProviderSettings, outbound: Outbound) -> Result<Self, ProviderNotRead> {
        let of = |what: String| ProviderNotRead { workspace: settings.workspace.clone(), what };
        let secret = settings.client_secret_file.as_deref().map(read_key_file).transpose();
        let secret = secret.map_err(|error: KeyError| of(error.to_string()))?;
        let secret = secret.map(String::from_utf8).transpose().map_err(|_| of("the secret is not UTF-8".into()))?;
        if secret.as_ref().is_some_and(String::is_empty) {
            return Err(of("the secret's file is empty".into()));
        }
        let issuer = Url::parse(&settings.issuer).map_err(|error| of(error.to_string()))?;
        let (discovered, keys) = (Mutex::default(), Mutex::default());
        Ok(Self { settings, secret, issuer, outbound, discovered, keys })
    }

    /// What it publishes: asked for, or as it was less than an hour ago.
    ///
    /// # Errors
    /// It does not say, or says what cannot be believed.
    pub async fn discovered(&self) -> Result<Arc<Discovered>, ProviderFailed> {
        self.discovered.lock().await.get(FRESH_MS, self.discover()).await
    }

    async fn discover(&self) -> Result<Discovered, ProviderFailed> {
        let at = format!("{}/.well-known/openid-configuration", self.issuer.as_str().trim_end_matches('/'));
        let at = self.url(&at)?;
        let document: Document = self.fetch("discovery", &at, Wanted { accept: JSON, ..Wanted::default() }).await?;
        if document.issuer != self.settings.issuer {
            let said: String = document.issuer.chars().take(200).collect();
            return Err(failed("other_issuer", format!("it says that it is {said:?}")));
        }
        let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
        let has = |method: &str| methods.iter().any(|held| held == method);
        Ok(Discovered {
            authorization: self.url(&document.authorization_endpoint)?,
            token: self.url(&document.token_endpoint)?,
            keys: self.url(&document.jwks_uri)?,
            userinfo: document.userinfo_endpoint.map(|at| self.url(&at)).transpose()?,
            end_session: document.end_session_endpoint.map(|at| self.url(&at)).transpose()?,
            secret_in_form: has("client_secret_post") && !has("client_secret_basic"),
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }

    /// An issuer over HTTPS sends nobody over plain HTTP, not even to this machine.
    fn url(&self, text: &str) -> Result<Url, ProviderFailed> {
        let url = Url::parse(text).map_err(|error| failed("malformed", error))?;
        if self.issuer.is_secure() && !url.is_secure() {
            return Err(failed("malformed", "one of its addresses is not https"));
        }
        Ok(url)
    }

    /// The keys that it signs with. `again`: a token named another, so they are asked for anew, unless that was just done.
    ///
    /// # Errors
    /// It does not say, or says what cannot be believed.
    pub async fn keys(&self, again: bool) -> Result<Arc<ProviderKeys>, ProviderFailed> {
        let discovered = self.discovered().await?;
        let fetch = async {
            let wanted = Wanted { accept: JSON, ..Wanted::default() };
            let bytes = self.bytes("keys", &discovered.keys, wanted).await?;
            let keys = ProviderKeys::read(&bytes).filter(|keys| !keys.is_empty());
            keys.ok_or_else(|| failed("malformed", "it publishes no key that can be used"))
        };
        let mut keys = self.keys.lock().await;
        let now_ms = clock::monotonic_ms();
        let may = again && keys.again_at.is_none_or(|at| now_ms.saturating_sub(at) >= KEYS_AGAIN_MS);
        if may {
            keys.again_at = Some(now_ms);
        }
        keys.kept.get(if may { 0 } else { FRESH_MS }, fetch).await
    }

    /// Exchanges a code for tokens.
    ///
    /// # Errors
    /// The code is not good, or the provider is of no use.
    pub async fn exchange(&self, code: &str, verifier: &str, back: &str) -> Result<Exchanged, NotExchanged> {
        let discovered = self.discovered().await?;
        let id = self.settings.client_id.as_str();
        let mut members = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", back),
            ("code_verifier", verifier),
        ];
        let mut authorization = None;
        match &self.secret {
            None => members.push(("client_id", id)),
            Some(secret) if discovered.secret_in_form => members.extend([("client_id", id), ("client_secret", secret)]),
            // RFC 6749, 2.3.1: each is encoded before they are put together.
            Some(secret) => {
                let both = format!("{}:{}", encoded(id), encoded(secret));
                authorization = Some(format!("Basic {}", STANDARD.encode(both)));
            }
        }
        let wanted = Wanted { form: Some(form(&members)), authorization, accept: JSON };
        let (status, bytes) = self.asked("token", &discovered.token, wanted).await?;
        let answer: Option<TokenAnswer> = serde_json::from_slice(&bytes).ok();
        let error = answer.as_ref().and_then(|answer| answer.error.clone());
        match (status, answer) {
            (StatusCode::OK, Some(TokenAnswer { id_token: Some(id_token), access_token, .. })) => {
                Ok(Exchanged { id_token, access_token })
            }
            (StatusCode::OK, _) => Err(failed("malformed", "its token endpoint gives no ID token").into()),
            (status, _) if status.is_client_error() && error.as_deref() == Some("invalid_grant") => {
                Err(NotExchanged::Refused)
            }
            (status, _) if status.is_client_error() && error.is_some() => {
                let error: String = error.unwrap_or_default().chars().take(64).collect();
                Err(failed("client_refused", format!("it does not take this server as its client: {error:?}")).into())
            }
            (status, _) => Err(failed("status", format!("its token endpoint answers {status}")).into()),
        }
    }

    /// What it knows of somebody beyond the ID token; nothing where it has no place to ask.
    ///
    /// # Errors
    /// It does not say, or speaks of somebody else.
    pub async fn more_of(&self, exchanged: &Exchanged, subject: &str) -> Result<Claims, ProviderFailed> {
        let discovered = self.discovered().await?;
        let (Some(at), Some(token)) = (&discovered.userinfo, &exchanged.access_token) else {
            return Ok(Claims::new());
        };
        let authorization = Some(format!("Bearer {token}"));
        let claims: Claims = self.fetch("userinfo", at, Wanted { authorization, accept: JSON, form: None }).await?;
        match claims.get("sub").and_then(serde_json::Value::as_str) {
            Some(own) if own == subject => Ok(claims),
            _ => Err(failed("malformed", "its userinfo is of somebody else")),
        }
    }

    async fn fetch<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        at: &Url,
        wanted: Wanted<'_>,
    ) -> Result<T, ProviderFailed> {
        let bytes = self.bytes(what, at, wanted).await?;
        // Not what the reader says: it quotes, and what is quoted may be somebody's.
        serde_json::from_slice(&bytes)
            .map_err(|_| failed("malformed", format!("its {what} is no JSON of the right shape")))
    }

    async fn bytes(&self, what: &'static str, at: &Url, wanted: Wanted<'_>) -> Result<bytes::Bytes, ProviderFailed> {
        match self.asked(what, at, wanted).await? {
            (StatusCode::OK, bytes) => Ok(bytes),
            (status, _) => Err(failed("status", format!("its {what} answers {status}"))),
        }
    }

    /// Any status is an answer. Counted, and timed.
    async fn asked(
        &self,
        what: &'static str,
        at: &Url,
        wanted: Wanted<'_>,
    ) -> Result<(StatusCode, bytes::Bytes), ProviderFailed> {
        let stopwatch = clock::stopwatch();
        let asked = self.outbound.fetch(at, wanted, ANSWER_BYTES_MAX).await.map_err(ProviderFailed::from);
        metrics::histogram!(catalogue::PROVIDER_SECONDS).record(stopwatch.seconds());
        let outcome = match &asked {
            Ok((status, _)) if status.is_success() => "ok",
            Ok(_) => "status",
            Err(failed) => failed.reason,
        };
        metrics::counter!(catalogue::PROVIDER_REQUESTS_TOTAL, "what" => what, "outcome" => outcome).increment(1);
        asked
    }
}

/// A provider's secret cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("the provider of {workspace}: {what}")]
pub struct ProviderNotRead {
    pub workspace: String,
    pub what: String,
}

//! What every handler takes from a request before its body: path, headers, query, and who is at the other end.

use super::problem::Problem;
use crate::desk::ids::ConversationId;
use crate::gateway::listen::Peer;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use std::net::{IpAddr, Ipv4Addr};

/// The path's members; one that cannot be read is a place that does not exist.
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(_) => Err(Problem::not_found("page")),
        }
    }
}

/// Headers, query and the peer of the connection.
pub struct Asked {
    pub headers: HeaderMap,
    pub query: Option<String>,
    /// The other end of the connection; behind a proxy, that proxy. Unspecified when the server did not say.
    pub peer: IpAddr,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>();
        Ok(Self {
            headers: parts.headers.clone(),
            query: parts.uri.query().map(str::to_owned),
            // All who come from nowhere share one bucket: that fails closed.
            peer: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| address.ip()),
        })
    }
}

/// The bearer token of a request of any kind; `None` for whatever else its headers say.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Asked {
    /// The bearer token; `None` when there is no `Authorization` at all.
    ///
    /// # Errors
    /// `unauthorized` for another scheme, two of them, or bytes that no token has.
    pub fn bearer(&self) -> Result<Option<&str>, Problem> {
        let mut values = self.headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let malformed = || Problem::unauthorized("malformed");
        let (scheme, token) = value.to_str().map_err(|_| malformed())?.split_once(' ').ok_or_else(malformed)?;
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || values.next().is_some() {
            return Err(malformed());
        }
        Ok(Some(token))
    }
}

/// A conversation's id as the path spells it.
///
/// # Errors
/// `no_such_conversation` for what is no id.
pub fn conversation(text: &str) -> Result<ConversationId, Problem> {
    text.parse().map_err(|_| Problem::no_such_conversation(text))
}

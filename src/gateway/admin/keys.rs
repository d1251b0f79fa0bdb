//! API keys: the key itself is said once, when it is made, and again only to the same request.

use super::Shared;
use super::asker::Scope;
use crate::desk::command::Ask;
use crate::desk::settings::{ApiKey, NAME_BYTES_MAX};
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, answer, json_of, ok};
use crate::gateway::http::query::Query;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Bound;
use std::sync::Arc;

/// A key without what would let anybody be it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub(super) struct Key {
    id: Arc<str>,
    name: Arc<str>,
    scopes: Vec<Arc<str>>,
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Key {
    fn of(kept: &ApiKey, key: Option<String>) -> Self {
        let ApiKey { id, name, scopes, created_at, .. } = kept.clone();
        Self { id, name, scopes, created_at, key }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiKeysPage")]
pub(super) struct Page {
    keys: Vec<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Arc<str>>,
}

pub(super) async fn list(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Keys)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let limit = query.limit()?;
    let published = asker.desk.published();
    let from = query.text("cursor").map_or(Bound::Unbounded, Bound::Excluded);
    let found = published.api_keys.range::<str, _>((from, Bound::Unbounded));
    let mut keys: Vec<_> = found.map(|(_, kept)| Key::of(kept, None)).take(limit + 1).collect();
    let next = (keys.len() > limit).then(|| {
        keys.truncate(limit);
        keys[limit - 1].id.clone()
    });
    Ok(ok(&Page { keys, next }))
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewApiKey")]
pub(super) struct Wanted {
    name: String,
    scopes: Vec<String>,
}

pub(super) async fn create(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Keys)?;
    let id = command_id(&asked.headers)?;
    let mut wanted: Wanted = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    if wanted.name.is_empty() || wanted.name.len() > NAME_BYTES_MAX || wanted.name.chars().any(char::is_control) {
        return Err(Problem::bad_field("name", "must be 1 to 128 bytes without control characters"));
    }
    let scope_of = |word: &String| Scope::ALL.into_iter().find(|scope| scope.name() == word);
    let scopes: Option<Vec<Scope>> = wanted.scopes.iter().map(scope_of).collect();
    let scopes = scopes.filter(|scopes| !scopes.is_empty());
    let scopes = scopes.ok_or_else(|| {
        Problem::bad_field("scopes", "must be some of read, write, admin, keys, route, events and channel")
    })?;
    for scope in scopes {
        // Else a key that may only make keys could make itself anything.
        asker.credential.must_have(scope)?;
    }
    wanted.scopes.sort_unstable();
    wanted.scopes.dedup();

    let fingerprint = fingerprint("put_api_key", &[&json_of(&wanted)]);
    // Derived and not drawn: whoever did not hear the answer asks again and is told the same key, and it is stored nowhere.
    let context = json_of(&(asker.desk.name(), asker.principal, id, fingerprint));
    let seals = admin.door.desks.seals();
    let mut secret = [0; 32];
    secret[..16].copy_from_slice(&seals.keyed_hash("api_key_1", &context));
    secret[16..].copy_from_slice(&seals.keyed_hash("api_key_2", &context));
    let scopes = wanted.scopes.iter().map(|scope| scope.as_str().into()).collect();
    let (text, kept) = admin.door.identities.new_api_key(secret, &wanted.name, scopes, (admin.door.now)().wall);
    let kept = asker.desk.published().api_keys.get(&kept.id).cloned().unwrap_or(kept);
    let response = answer(StatusCode::CREATED, &Key::of(&kept, Some(text)));
    asker.ask(id, fingerprint, Ask::PutApiKey(Box::new(kept))).await?;
    Ok(response)
}

pub(super) async fn remove(
    Held(admin): Held<Shared>,
    At((workspace, key)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Keys)?;
    let id = command_id(&asked.headers)?;
    let fingerprint = fingerprint("remove_api_key", &[key.as_bytes()]);
    asker.ask(id, fingerprint, Ask::RemoveApiKey { id: key.as_str().into() }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

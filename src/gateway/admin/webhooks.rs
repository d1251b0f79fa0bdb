//! Webhooks over the admin API: which there are, how each stands, and what is done with one. A secret is said when it is made, and again
//! only to the same request.

use super::Shared;
use super::asker::{Asker, Scope};
use super::events::problem;
use crate::desk::ids::CommandId;
use crate::feed::{Feed, Place, Wanted};
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::command_id;
use crate::gateway::http::problem::{Problem, json_of, ok};
use crate::gateway::http::query::Query;
use crate::webhooks::{Held, NotSet, Outcome, Paused, Secret, Spec, Webhooks};
use crate::wire::error::{Code, More, WireError};
use crate::wire::feed::Types;
use crate::wire::webhook::{TestedShape, WebhookShape, WebhooksShape};
use axum::body::Body;
use axum::extract::State as Given;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const NAME_BYTES_MAX: usize = 64;
const URL_BYTES_MAX: usize = 2_048;
const TYPES_MAX: usize = 100;

impl From<NotSet> for Problem {
    fn from(not_set: NotSet) -> Self {
        match not_set {
            NotSet::TooMany { most } => {
                let error = WireError::new(Code::TooMany, format!("a workspace holds at most {most} webhooks"));
                Problem(WireError { more: Some(More::What("webhooks")), ..error })
            }
            NotSet::NotKept(error) => {
                tracing::error!(%error, "a webhook is not set");
                Problem(WireError::unavailable(1_000, "webhooks cannot be written"))
            }
        }
    }
}

/// One who may set webhooks, and what they are set on.
struct Call {
    asker: Asker,
    webhooks: Arc<Webhooks>,
    feed: Feed,
}

fn call(admin: &Shared, workspace: &str, asked: &Asked) -> Result<Call, Problem> {
    let asker = admin.asker(workspace, asked, Scope::Admin)?;
    // Whoever names an endpoint reads what it is sent.
    asker.credential.must_have(Scope::Events)?;
    let nowhere = || Problem::not_found("workspace");
    let webhooks = admin.webhooks.clone().ok_or_else(nowhere)?;
    let feed = asker.desk.feed().ok_or_else(nowhere)?;
    Ok(Call { asker, webhooks, feed })
}

impl Call {
    async fn change(&self, name: &str, change: impl FnOnce(&mut Held) -> Result<(), Problem>) -> Result<Held, Problem> {
        let change = |there: Option<Held>| {
            let mut held = there.ok_or_else(|| Problem::not_found("webhook"))?;
            change(&mut held)?;
            Ok(held)
        };
        // Asked here too, so that many calls for what is not there write nothing.
        self.webhooks.one(self.asker.desk.name(), name).ok_or_else(|| Problem::not_found("webhook"))?;
        self.webhooks.set(self.asker.desk.name(), name, change).await
    }

    /// `first`, `latest` or a cursor, which must still be there.
    async fn place(&self, after: &str) -> Result<Place, Problem> {
        let place = match after {
            "first" => return self.feed.first().await.map_err(|why| problem(&why)),
            "latest" => return Ok(self.feed.end()),
            cursor => cursor.parse().map_err(|()| Problem::bad_cursor("after"))?,
        };
        self.must_be_there(place).await?;
        Ok(place)
    }

    async fn must_be_there(&self, place: Place) -> Result<(), Problem> {
        self.feed.read(Some(place), &Wanted::default(), 1).await.map(drop).map_err(|why| problem(&why))
    }

    /// The same for the same request: derived and not drawn, so whoever did not hear the answer asks again and is told it.
    fn secret(&self, admin: &Shared, name: &str, id: CommandId) -> Secret {
        let context = json_of(&(self.asker.desk.name(), name, id));
        let seals = admin.door.desks.seals();
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&seals.keyed_hash("webhook_1", &context));
        bytes[16..].copy_from_slice(&seals.keyed_hash("webhook_2", &context));
        Secret::new(bytes)
    }
}

fn shape(name: &str, held: &Held, secret: Option<&Secret>) -> WebhookShape {
    let state = match (held.spec.paused, held.failing_ms) {
        (Some(_), _) => "paused",
        (None, Some(_)) => "failing",
        (None, None) => "active",
    };
    WebhookShape {
        name: name.into(),
        url: held.spec.url.clone(),
        types: held.spec.types.clone(),
        texts: held.spec.texts,
        state: state.into(),
        paused: held.spec.paused.map(|why| why.name().into()),
        cursor: held.cursor.to_string(),
        created_at: held.spec.created_at,
        delivered_at: held.delivered_at,
        failed_at: held.failed_at,
        failure: held.failure.clone(),
        failing_ms: held.failing_ms,
        secret: secret.map(Secret::reveal),
    }
}

pub(super) async fn list(
    Given(admin): Given<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    Query::parse(asked.query.as_deref(), &[])?;
    let found = call.webhooks.of(call.asker.desk.name());
    let webhooks = found.iter().map(|one| shape(&one.name, &one.held(), None)).collect();
    Ok(ok(&WebhooksShape { webhooks }))
}

pub(super) async fn one(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    let found = call.webhooks.one(call.asker.desk.name(), &name).ok_or_else(|| Problem::not_found("webhook"))?;
    Ok(ok(&shape(&name, &found.held(), None)))
}

/// What a webhook is set to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewWebhook")]
pub(super) struct Wished {
    /// Where it is sent to.
    url: String,
    /// Types, or `offer.*` and the like; none: all.
    #[serde(default)]
    types: Vec<String>,
    /// With what was sealed.
    #[serde(default)]
    texts: bool,
    /// Of a new one: from where; `latest` unless it says so.
    after: Option<String>,
}

impl Wished {
    fn check(&self, call: &Call, name: &str) -> Result<(), Problem> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(plain) {
            return Err(Problem::bad_field("name", "must be 1 to 64 of a to z, 0 to 9, _ and -"));
        }
        if self.url.len() > URL_BYTES_MAX {
            return Err(Problem::too_large("url", URL_BYTES_MAX));
        }
        call.webhooks.may_send_to(&self.url).map_err(|why| Problem::bad_field("url", &why))?;
        let known = |word: &String| Types::parse(std::iter::once(word.as_str())).is_ok();
        if self.types.len() > TYPES_MAX || !self.types.iter().all(|word| !word.is_empty() && known(word)) {
            return Err(Problem::bad_field("types", "must be types of docs/events.md, or offer.* and the like"));
        }
        if self.texts {
            call.asker.credential.must_have(Scope::Read)?;
        }
        Ok(())
    }
}

pub(super) async fn put(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    let id = command_id(&asked.headers)?;
    let wished: Wished = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    wished.check(&call, &name)?;
    let cursor = call.place(wished.after.as_deref().unwrap_or("latest")).await?;
    call.asker.log("put_webhook");
    let secret = call.secret(&admin, &name, id);
    let now_ms = (admin.door.now)().wall.0;
    let Wished { url, types, texts, after: _ } = wished;
    let change = |there: Option<Held>| -> Result<Held, Problem> {
        let Some(held) = there else {
            let mut spec = Spec { url, types, texts, paused: None, secrets: Vec::new(), created_at: now_ms };
            spec.add_secret(&secret, now_ms);
            return Ok(Held::new(spec, cursor));
        };
        let spec = Spec { url, types, texts, ..held.spec };
        Ok(Held { spec, ..held })
    };
    let held = call.webhooks.set(call.asker.desk.name(), &name, change).await?;
    let said = held.spec.has_newest(&secret).then_some(&secret);
    Ok(ok(&shape(&name, &held, said)))
}

pub(super) async fn remove(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    command_id(&asked.headers)?;
    call.asker.log("remove_webhook");
    let was_there = call.webhooks.remove(call.asker.desk.name(), &name).await.map_err(NotSet::from)?;
    // Done already: the same answer, but to one that never was there is none.
    if was_there { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Problem::not_found("webhook")) }
}

pub(super) async fn pause(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    command_id(&asked.headers)?;
    body::nothing(body).await?;
    call.asker.log("pause_webhook");
    let pause = |held: &mut Held| {
        held.spec.paused.get_or_insert(Paused::Asked);
        Ok(())
    };
    Ok(ok(&shape(&name, &call.change(&name, pause).await?, None)))
}

/// From where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookPlace")]
pub(super) struct Onward {
    /// A cursor, `first` or `latest`.
    after: Option<String>,
}

/// Goes on where it was, or from `after`.
pub(super) async fn resume(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    command_id(&asked.headers)?;
    let text = body::text(body, body::ADMIN_BODY_BYTES_MAX).await?;
    let Onward { after } = if text.is_empty() { Onward { after: None } } else { body::json(&text)? };
    let found = call.webhooks.one(call.asker.desk.name(), &name).ok_or_else(|| Problem::not_found("webhook"))?;
    let cursor = match after.as_deref() {
        Some(after) => Some(call.place(after).await?),
        None => {
            call.must_be_there(found.held().cursor).await?;
            None
        }
    };
    call.asker.log("resume_webhook");
    let resume = |held: &mut Held| {
        (held.spec.paused, held.failing_ms) = (None, None);
        held.cursor = cursor.unwrap_or(held.cursor);
        Ok(())
    };
    Ok(ok(&shape(&name, &call.change(&name, resume).await?, None)))
}

/// What came after is sent again, or passed over; whether it is paused stays.
pub(super) async fn replay(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    command_id(&asked.headers)?;
    let Onward { after } = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let after = after.ok_or_else(|| Problem::bad_field("after", "must be a cursor, first or latest"))?;
    let cursor = call.place(&after).await?;
    call.asker.log("replay_webhook");
    let replay = |held: &mut Held| {
        held.cursor = cursor;
        Ok(())
    };
    Ok(ok(&shape(&name, &call.change(&name, replay).await?, None)))
}

/// A new secret signs beside the old one for a day.
pub(super) async fn rotate(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    call.asker.log("rotate_webhook_secret");
    let secret = call.secret(&admin, &name, id);
    let now_ms = (admin.door.now)().wall.0;
    let rotate = |held: &mut Held| {
        if !held.spec.has_newest(&secret) {
            held.spec.add_secret(&secret, now_ms);
        }
        Ok(())
    };
    Ok(ok(&shape(&name, &call.change(&name, rotate).await?, Some(&secret))))
}

/// One message, now, paused or not; answers what came of it.
pub(super) async fn test(
    Given(admin): Given<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let call = call(&admin, &workspace, &asked)?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    let workspace = call.asker.desk.name();
    let found = call.webhooks.one(workspace, &name).ok_or_else(|| Problem::not_found("webhook"))?;
    call.asker.log("test_webhook");
    let (id, at) = (format!("test_{id}"), (admin.door.now)().wall.0);
    let said = json_of(&json!({"id": id, "version": 1, "at": at, "workspace": workspace, "type": "webhook.test"}));
    let (status, failure) = match call.webhooks.test(&found, &id, said).await {
        Outcome::Taken(status) => (Some(status.as_u16()), None),
        Outcome::Gone => (Some(StatusCode::GONE.as_u16()), Some(Outcome::Gone.to_string())),
        refused @ Outcome::Refused { status, .. } => (Some(status.as_u16()), Some(refused.to_string())),
        not_sent @ Outcome::NotSent(_) => (None, Some(not_sent.to_string())),
    };
    Ok(ok(&TestedShape { delivered: failure.is_none(), status, failure }))
}

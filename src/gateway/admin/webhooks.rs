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
use crate::webhooks::{Endpoint, Held, NotSet, Outcome, Paused, Secret, Spec, Webhooks};
use crate::wire::error::{Code, More, WireError};
use crate::wire::feed::Types;
use crate::wire::webhook::{TestedShape, WebhookShape, WebhooksShape};
use axum::body::Body;
use axum::extract::{FromRequestParts, State as Given};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
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
                Problem(WireError { more: Some(More::What("webhooks".into())), ..error })
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
    admin: Shared,
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
    Ok(Call { admin: admin.clone(), asker, webhooks, feed })
}

/// A write on one endpoint: who asks, for which, and by which id.
pub(super) struct Write {
    call: Call,
    name: String,
    id: CommandId,
}

impl FromRequestParts<Shared> for Write {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Shared) -> Result<Self, Problem> {
        let At((workspace, name)) = At::<(String, String)>::from_request_parts(parts, admin).await?;
        let asked = Asked::from_request_parts(parts, admin).await?;
        let call = call(admin, &workspace, &asked)?;
        Ok(Self { id: command_id(&asked.headers)?, call, name })
    }
}

impl Write {
    fn found(&self) -> Result<Arc<Endpoint>, Problem> {
        self.call.found(&self.name)
    }

    /// Changes the one that is there; answers how it stands then.
    async fn changes(&self, change: impl FnOnce(&mut Held)) -> Result<Held, Problem> {
        let change = |there: Option<Held>| {
            let mut held = there.ok_or_else(|| Problem::not_found("webhook"))?;
            change(&mut held);
            Ok::<_, Problem>(held)
        };
        // Asked here too, so that many calls for what is not there write nothing.
        self.found()?;
        self.call.webhooks.set(self.call.asker.desk.name(), &self.name, change).await
    }

    fn stands(&self, held: &Held, secret: Option<&Secret>) -> Response {
        ok(&shape(&self.name, held, secret))
    }

    /// The same for the same request: derived and not drawn, so whoever did not hear the answer asks again and is told it.
    fn secret(&self) -> Secret {
        let context = json_of(&(self.call.asker.desk.name(), &self.name, self.id));
        let seals = self.call.admin.door.desks.seals();
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&seals.keyed_hash("webhook_1", &context));
        bytes[16..].copy_from_slice(&seals.keyed_hash("webhook_2", &context));
        Secret::new(bytes)
    }
}

impl Call {
    fn now_ms(&self) -> u64 {
        (self.admin.door.now)().wall.0
    }

    fn found(&self, name: &str) -> Result<Arc<Endpoint>, Problem> {
        self.webhooks.one(self.asker.desk.name(), name).ok_or_else(|| Problem::not_found("webhook"))
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
    Ok(ok(&shape(&name, &call.found(&name)?.held(), None)))
}

/// What a webhook is set to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewWebhook")]
pub struct Wished {
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

pub(super) async fn put(write: Write, body: Body) -> Result<Response, Problem> {
    let (call, name) = (&write.call, &write.name);
    let wished: Wished = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    wished.check(call, name)?;
    let cursor = call.place(wished.after.as_deref().unwrap_or("latest")).await?;
    call.asker.log("put_webhook");
    let (secret, now_ms) = (write.secret(), call.now_ms());
    let Wished { url, types, texts, after: _ } = wished;
    let change = |there: Option<Held>| -> Result<Held, Problem> {
        let Some(held) = there else {
            let secrets = Vec::new();
            let mut spec = Spec { url, types, texts, paused: None, secrets, created_at: now_ms, run: 0 };
            spec.add_secret(&secret, now_ms);
            return Ok(Held::new(spec, cursor));
        };
        let spec = Spec { url, types, texts, ..held.spec };
        Ok(Held { spec, ..held })
    };
    let held = call.webhooks.set(call.asker.desk.name(), name, change).await?;
    let said = held.spec.has_newest(&secret).then_some(&secret);
    Ok(write.stands(&held, said))
}

pub(super) async fn remove(Write { call, name, .. }: Write) -> Result<Response, Problem> {
    call.asker.log("remove_webhook");
    let was_there = call.webhooks.remove(call.asker.desk.name(), &name).await.map_err(NotSet::from)?;
    // Whether it was there before is not remembered.
    if was_there { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Problem::not_found("webhook")) }
}

pub(super) async fn pause(write: Write, body: Body) -> Result<Response, Problem> {
    body::nothing(body).await?;
    write.call.asker.log("pause_webhook");
    let pause = |held: &mut Held| {
        held.spec.paused.get_or_insert(Paused::Asked);
    };
    Ok(write.stands(&write.changes(pause).await?, None))
}

/// From where.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookPlace")]
pub(super) struct Onward {
    /// A cursor, `first` or `latest`.
    after: Option<String>,
}

/// Goes on where it was, or from `after`.
pub(super) async fn resume(write: Write, body: Body) -> Result<Response, Problem> {
    let text = body::text(body, body::ADMIN_BODY_BYTES_MAX).await?;
    let Onward { after } = if text.is_empty() { Onward::default() } else { body::json(&text)? };
    let found = write.found()?;
    let cursor = match after.as_deref() {
        Some(after) => Some(write.call.place(after).await?),
        None => {
            write.call.must_be_there(found.held().cursor).await?;
            None
        }
    };
    write.call.asker.log("resume_webhook");
    let resume = |held: &mut Held| {
        (held.spec.paused, held.failing_ms) = (None, None);
        held.cursor = cursor.unwrap_or(held.cursor);
    };
    Ok(write.stands(&write.changes(resume).await?, None))
}

/// What came after is sent again, or passed over; whether it is paused stays.
pub(super) async fn replay(write: Write, body: Body) -> Result<Response, Problem> {
    let Onward { after } = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let after = after.ok_or_else(|| Problem::bad_field("after", "must be a cursor, first or latest"))?;
    let cursor = write.call.place(&after).await?;
    write.call.asker.log("replay_webhook");
    Ok(write.stands(&write.changes(|held| held.cursor = cursor).await?, None))
}

/// A new secret signs beside the old one for a day.
pub(super) async fn rotate(write: Write, body: Body) -> Result<Response, Problem> {
    body::nothing(body).await?;
    write.call.asker.log("rotate_webhook_secret");
    let (secret, now_ms) = (write.secret(), write.call.now_ms());
    let rotate = |held: &mut Held| {
        if !held.spec.has_newest(&secret) {
            held.spec.add_secret(&secret, now_ms);
        }
    };
    Ok(write.stands(&write.changes(rotate).await?, Some(&secret)))
}

/// One message, now, paused or not; answers what came of it.
pub(super) async fn test(write: Write, body: Body) -> Result<Response, Problem> {
    body::nothing(body).await?;
    let (call, found) = (&write.call, write.found()?);
    call.asker.log("test_webhook");
    let (id, at, workspace) = (format!("test_{}", write.id), call.now_ms(), call.asker.desk.name());
    let said = json_of(&json!({"id": id, "version": 1, "at": at, "workspace": workspace, "type": "webhook.test"}));
    let (status, failure) = match call.webhooks.test(&found, &id, said).await {
        Outcome::Taken(status) => (Some(status.as_u16()), None),
        Outcome::Gone => (Some(StatusCode::GONE.as_u16()), Some(Outcome::Gone.to_string())),
        refused @ Outcome::Refused { status, .. } => (Some(status.as_u16()), Some(refused.to_string())),
        not_sent @ Outcome::NotSent(_) => (None, Some(not_sent.to_string())),
    };
    Ok(ok(&TestedShape { delivered: failure.is_none(), status, failure }))
}

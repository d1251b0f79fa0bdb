//! What an administrator is shown of a conversation, and bodies whose name stands in the path.

use super::history::sealed_text;
use crate::desk::conversation::{Conversation, State};
use crate::desk::ids::{ConversationId, CustomerId, OfferId};
use crate::desk::labels::Labels;
use crate::gateway::http::Door;
use crate::gateway::http::body;
use crate::gateway::http::desks::{Desk, Unread};
use crate::gateway::http::problem::Problem;
use crate::wire::about::About;
use crate::wire::agent::ClockShape;
use crate::wire::labels::{FIELD, LabelsShape};
use crate::wire::spelled::{Spelled, spelled};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// It is offered to an agent by now.
#[derive(Serialize, JsonSchema)]
pub(super) struct Offered {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<OfferId>")]
    pub offer: OfferId,
}

/// A body whose `name` is in the path already, and may be there again.
pub(super) struct Named<T>(PhantomData<T>);

impl<T: DeserializeOwned> Named<T> {
    /// # Errors
    /// As `body::json`, and `bad_field` when the body names another.
    pub fn parse(text: &str, name: &str) -> Result<T, Problem> {
        let mut members: Map<String, Value> = body::json(text)?;
        match members.get("name") {
            None => drop(members.insert("name".to_owned(), name.into())),
            Some(Value::String(own)) if own == name => {}
            Some(_) => return Err(Problem::bad_field("name", "is not the one of the path")),
        }
        body::json(&Value::Object(members).to_string())
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}ByPath", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|member| member != "name");
        }
        schema
    }
}

/// A conversation's facts. Times are Unix milliseconds.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminConversation")]
pub(super) struct Facts {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<ConversationId>")]
    conversation: ConversationId,
    state: &'static str,
    channel: Arc<str>,
    queue: Arc<str>,
    priority: i32,
    skills: Vec<crate::desk::event::RequiredSkill>,
    customer: CustomerId,
    #[serde(flatten)]
    about: About,
    /// The customer was erased: what it said of itself is gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    erased: bool,
    owner: Option<Arc<str>>,
    opened_at: u64,
    waiting_since: u64,
    /// 0 while it has not ended.
    ended_at: u64,
    last_number: u32,
    read_by_agent: u32,
    read_by_customer: u32,
    offers_made: u32,
    /// Its customer has been silent for long: what it takes of what it takes in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_weight_percent: Option<u8>,
    /// Clocks of service that run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clocks: Vec<ClockShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<LabelsShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<Rated>,
}

/// As its customer rated it; `comment` is null when there is none, or the customer was erased.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminRating")]
pub(super) struct Rated {
    score: u8,
    comment: Option<String>,
    at: u64,
}

impl Facts {
    pub fn of(door: &Door, desk: &dyn Desk, id: ConversationId, found: &Conversation) -> Self {
        let published = desk.published();
        let channel = published.settings.channels.get(usize::from(found.channel.0));
        let (about, erased) = about(door, found.about.as_deref());
        let owner = match found.state {
            State::Active { owner } | State::WrapUp { owner, .. } => desk.agent_named(owner).map(|row| row.name),
            State::Waiting | State::Offered { .. } | State::Closed => None,
        };
        Self {
            conversation: id,
            state: found.state.name(),
            channel: channel.map(|channel| channel.name.clone()).unwrap_or_default(),
            queue: published.queue_names.get(&found.queue).cloned().unwrap_or_default(),
            priority: found.priority,
            skills: found.skills.clone(),
            customer: found.customer,
            about,
            erased,
            owner,
            opened_at: found.opened_at.0,
            waiting_since: found.waiting_since.0,
            ended_at: found.ended_at.0,
            last_number: found.last_number,
            read_by_agent: found.read_by_agent,
            read_by_customer: found.read_by_customer,
            offers_made: found.offers_made,
            paused_weight_percent: found.paused(),
            clocks: found.clocks().iter().map(ClockShape::from).collect(),
            labels: found.labels.as_deref().map(|held| labels(door, held)),
            rating: found.rating().map(|held| Rated {
                score: held.score,
                comment: held.comment.as_ref().and_then(|sealed| sealed_text(door.desks.seals(), sealed)),
                at: held.at.0,
            }),
        }
    }
}

/// Labels with their values unsealed.
pub(super) fn labels(door: &Door, labels: &Labels) -> LabelsShape {
    LabelsShape::of(labels, |sealed| match door.desks.seals().unseal(FIELD, sealed) {
        Ok(clear) => Some(clear),
        Err(Unread::Erased) => None,
        Err(Unread::Damaged) => {
            tracing::error!("a sealed value of a field cannot be read");
            None
        }
    })
}

/// What was sealed of a customer, and whether it was erased since.
pub(super) fn about(door: &Door, sealed: Option<&str>) -> (About, bool) {
    let Some(sealed) = sealed else { return (About::default(), false) };
    match door.desks.seals().unseal(b"about", sealed) {
        Ok(clear) => (serde_json::from_slice(&clear).unwrap_or_default(), false),
        Err(Unread::Erased) => (About::default(), true),
        Err(Unread::Damaged) => {
            tracing::error!("a sealed description of a customer cannot be read");
            (About::default(), false)
        }
    }
}

//! `POST /conversations`: a visitor starts. Placed by the entry rules in the clear, then sealed, then asked of the desk.

use super::Shared;
use super::customer::{Customer, customer, visitor_id};
use super::entry::{Visit, entry};
use super::shapes::{Shown, events_path};
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Command, OpenAsk};
use crate::desk::conversation::{Conversation, Spell, State};
use crate::desk::ids::{ConversationId, CustomerId, KeyNumber, Principal};
use crate::desk::time::WallTime;
use crate::engine::workspace::PROBES;
use crate::gateway::auth::client_address::prefix;
use crate::gateway::http::Door;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::desks::Desk;
use crate::gateway::http::idempotency::{command_id, keyed_fingerprint};
use crate::gateway::http::problem::{Problem, answer};
use crate::gateway::http::{body, problem::json_of};
use crate::overload;
use crate::wire::about::About;
use crate::wire::messenger::{EMAIL_BYTES_MAX, StartBody, StartedShape};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// For so long after it was opened, one that is not open any more was closed by somebody who was quick.
const JUST_OPENED_MS: u64 = 5_000;

pub(super) async fn start(
    Held(messenger): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let desk = messenger.desk(&workspace)?;
    // Before anything is done for it: what cannot be begun now must cost next to nothing.
    desk.may_start()?;
    let door = &messenger.door;
    let asker = customer(door, &*desk, &asked)?;
    let probes = **desk.name() == *PROBES;
    let stranger = asker.as_ref().is_none_or(|asker| asker.known.is_none());
    if probes && stranger {
        return Err(Problem::not_found("workspace"));
    }
    if stranger {
        overload::admit_stranger()?;
    }
    let id = command_id(&asked.headers)?;
    let address = prefix(door.identities.client_address(&asked.headers, asked.peer));
    messenger.take(&messenger.calls, (&*workspace, address))?;
    let sent = body::text(body, messenger.bounds.limits.body_bytes_max()).await?;
    let sent = StartBody::parse(sent.as_bytes(), &messenger.bounds.limits)?;
    if sent.or_message {
        may_be_left(asker.as_ref(), &sent)?;
    }
    let ask = placed(&*desk, asker.as_ref(), &sent)?;

    if !probes && messenger.starts_counted.take((&*workspace, address, id), messenger.now_ms()).is_ok() {
        messenger.take(&messenger.starts_of_addresses, address)?;
        if let Some(asker) = &asker {
            messenger.take(&messenger.starts_of_customers, (&*workspace, asker.id))?;
        }
    }

    let customer = asker.as_ref().map_or_else(|| visitor_id(door, &*desk, id), |asker| asker.id);
    let key = match &asker {
        Some(asker) => key_of(door, &*desk, asker.id).await?,
        None => None,
    };
    let key = match key {
        Some(key) => key,
        None => door.desks.seals().assign().await?,
    };
    let metadata = json_of(&sent.metadata);
    let (text, name, channel) = (json_of(&sent.text), json_of(&sent.name), json_of(&sent.channel));
    let mut parts: Vec<&[u8]> = vec![&text[..], &name, &channel, &metadata];
    if sent.or_message {
        parts.push(b"or_message");
    }
    let fingerprint = keyed_fingerprint(door.desks.seals(), "start", &parts);
    let number = sent.text.is_some().then_some(1);
    let ask = sealed(&messenger, ask, asker.as_ref(), sent, customer, key)?;
    let queue = ask.queue.clone();
    let principal = if asker.is_some() { Principal::Customer(customer) } else { Principal::Visitor };
    let command = Command { principal, id: Some(id), fingerprint, ask: Ask::Open(Box::new(ask)) };
    let replied = desk.ask(command).await?;
    let Answer::Opened { conversation, customer, at } = replied.result? else { return Err(Problem::internal()) };

    let token = asker.is_none().then(|| door.identities.anonymous_token(desk.name(), customer, at));
    let facts = match as_it_stands(&*desk, conversation, (door.now)().wall.0.saturating_sub(at.0)).await {
        Some(facts) => facts,
        None => fresh(&*desk, &queue, customer, key, at, number),
    };
    let shown = Shown::of(&*desk, conversation, &facts);
    let events = events_path(door, &*desk, customer, conversation);
    let started = StartedShape {
        conversation: shown.shape(conversation, &facts),
        number,
        token: token.as_deref(),
        events: &events,
    };
    Ok(answer(StatusCode::CREATED, &started))
}

/// A message that is left says something, and how its customer is reached.
fn may_be_left(asker: Option<&Customer>, sent: &StartBody) -> Result<(), Problem> {
    if sent.text.is_none() {
        return Err(Problem::bad_field("text", "is missing: a message says something"));
    }
    let known = asker.is_some_and(|asker| asker.known.is_some());
    if known || sent.metadata.get("email").is_some_and(|email| is_address(email)) {
        return Ok(());
    }
    Err(Problem::bad_field("metadata.email", "must be an e-mail address"))
}

/// Not whether it is anybody's: whether it could be.
pub(super) fn is_address(text: &str) -> bool {
    let ends = text.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
    ends && text.len() <= EMAIL_BYTES_MAX && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The ask with its place, not yet anybody's and with nothing sealed in it.
fn placed(desk: &dyn Desk, asker: Option<&Customer>, sent: &StartBody) -> Result<OpenAsk, Problem> {
    let none = std::collections::BTreeMap::new();
    let known = asker.and_then(|asker| asker.known.as_ref());
    let channel = sent.channel.as_deref().unwrap_or("chat");
    let visit = Visit {
        metadata: &sent.metadata,
        attributes: known.map_or(&none, |known| &known.attributes),
        known: known.is_some(),
        channel,
    };
    let entry = entry(&desk.published().settings, visit).ok_or_else(Problem::nowhere)?;
    Ok(OpenAsk {
        customer: CustomerId::default(),
        key: KeyNumber::default(),
        channel: channel.into(),
        queue: entry.queue,
        priority: entry.priority,
        skills: entry.skills,
        about: None,
        text: None,
        waiting_since: None,
        preferred_skills: entry.preferred_skills,
        preferred_agent: entry.preferred_agent,
        or_message: sent.or_message,
        thread: None,
    })
}

fn sealed(
    messenger: &Shared,
    ask: OpenAsk,
    asker: Option<&Customer>,
    sent: StartBody,
    customer: CustomerId,
    key: KeyNumber,
) -> Result<OpenAsk, Problem> {
    let seals = messenger.door.desks.seals();
    let known = asker.and_then(|asker| asker.known.as_ref());
    let about = About {
        // What was signed goes before what anybody could have typed.
        name: known.and_then(|known| known.name.clone()).or(sent.name),
        metadata: sent.metadata,
        attributes: known.map(|known| known.attributes.clone()).unwrap_or_default(),
        known: known.is_some(),
        outside: None,
        imported: None,
    };
    let text = sent.text.map(|text| seals.seal(key, b"text", text.as_bytes())).transpose()?;
    let about = seals.seal(key, b"about", &json_of(&about))?;
    Ok(OpenAsk { customer, key, about: Some(about), text, ..ask })
}

/// The key that a returning customer's texts are sealed under already; none of one who was erased, and begins anew.
async fn key_of(door: &Door, desk: &dyn Desk, customer: CustomerId) -> Result<Option<KeyNumber>, Problem> {
    let latest = desk.history().conversations_of(customer, 1).await?;
    let Some(key) = latest.first().map(|(_, conversation)| conversation.key) else { return Ok(None) };
    Ok((!door.desks.seals().is_erased(key)?).then_some(key))
}

/// One that is open is in memory, as committed. One that was closed while it was answered is not waited for, nor asked of the view,
/// which gathers what it writes for up to a tenth of a second; a start that is repeated later may be of one that closed long ago.
async fn as_it_stands(desk: &dyn Desk, conversation: ConversationId, opened_ms_ago: u64) -> Option<Conversation> {
    if let Some(open) = desk.history().open(conversation) {
        return Some((*open).clone());
    }
    if opened_ms_ago < JUST_OPENED_MS {
        return None;
    }
    desk.history().conversation(conversation).await.ok().flatten()
}

/// What is certain of a conversation that is not open any more, and that the view may not have reached.
fn fresh(
    desk: &dyn Desk,
    queue: &Arc<str>,
    customer: CustomerId,
    key: KeyNumber,
    at: WallTime,
    number: Option<u32>,
) -> Conversation {
    let queue = desk.published().queues.get(queue).map(|(id, _)| *id).unwrap_or_default();
    Conversation {
        customer,
        key,
        channel: Default::default(),
        queue,
        priority: 0,
        skills: Vec::new(),
        about: None,
        state: State::Closed,
        offers: Vec::new(),
        opened_at: at,
        waiting_since: at,
        ended_at: WallTime::default(),
        last_number: number.unwrap_or(0),
        public: 1 + number.unwrap_or(0),
        read_by_agent: 0,
        read_by_customer: number.unwrap_or(0),
        offers_made: 0,
        cool_downs: Vec::new(),
        requeue_at: Default::default(),
        ring: 0,
        wishes: None,
        spell: Spell { from: at, ..Spell::default() },
        moved: None,
        routed: None,
        labels: None,
    }
}

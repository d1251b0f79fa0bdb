//! What a customer reads: its conversations, one of them, and its messages.

use super::Shared;
use super::customer::customer_needed;
use super::shapes::{Shown, events_path, with_message};
use crate::desk::command::{Ask, Author, Command};
use crate::desk::conversation::Conversation;
use crate::desk::ids::{ConversationId, CustomerId, Principal};
use crate::desk::refusal::Refusal;
use crate::gateway::http::VIEW_WAIT_MOST;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::desks::{Desk, Rows, Span};
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::{Problem, json_of, ok};
use crate::gateway::http::query::Query;
use crate::wire::messenger::{ConversationsShape, MessageShape};
use axum::extract::State as Held;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

const CONVERSATIONS_MAX: usize = 20;

pub(super) async fn list(
    Held(messenger): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let desk = messenger.desk(&workspace)?;
    let customer = customer_needed(&messenger.door, &*desk, &asked)?;
    messenger.take(&messenger.calls, (&*workspace, customer.id))?;
    Query::parse(asked.query.as_deref(), &[])?;
    let room = Room::for_rows(CONVERSATIONS_MAX)?;
    desk.history().wait_for(desk.position(), VIEW_WAIT_MOST).await?;
    let found = desk.history().conversations_of(customer.id, CONVERSATIONS_MAX).await?;
    let shown: Vec<Shown> = found.iter().map(|(id, conversation)| Shown::of(&*desk, *id, conversation)).collect();
    let conversations: Vec<_> =
        shown.iter().zip(&found).map(|(shown, (id, conversation))| shown.shape(*id, conversation)).collect();
    room.ok(&ConversationsShape { conversations: &conversations })
}

pub(super) async fn one(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let desk = messenger.desk(&workspace)?;
    let customer = customer_needed(&messenger.door, &*desk, &asked)?;
    messenger.take(&messenger.calls, (&*workspace, customer.id))?;
    Query::parse(asked.query.as_deref(), &[])?;
    let id = conversation(&id)?;
    let conversation = own(&*desk, customer.id, id).await?;
    let mut shown = Shown::of(&*desk, id, &conversation);
    shown.events = Some(events_path(&messenger.door, &*desk, customer.id, id));
    Ok(ok(&shown.shape(id, &conversation)))
}

/// The conversation as of the last committed position, if it is this customer's.
///
/// # Errors
/// `no_such_conversation`, also for another customer's; `behind`; `busy`; `unavailable`.
pub(in crate::gateway) async fn own(
    desk: &dyn Desk,
    customer: CustomerId,
    id: ConversationId,
) -> Result<Conversation, Problem> {
    own_with(desk, customer, id, |_| true).await
}

/// The same, and as far as its customer has seen it already, perhaps at another node: with what `shows` it.
pub(super) async fn own_with(
    desk: &dyn Desk,
    customer: CustomerId,
    id: ConversationId,
    shows: impl Fn(&Conversation) -> bool,
) -> Result<Conversation, Problem> {
    let as_it_stands = async || {
        desk.history().wait_for(desk.position(), VIEW_WAIT_MOST).await?;
        let found = desk.history().conversation(id).await?;
        Ok::<_, Problem>(found.filter(|found| found.customer == customer))
    };
    let mut found = as_it_stands().await?;
    if desk.may_be_behind() && !found.as_ref().is_some_and(shows) {
        is_known(desk, customer, id).await?;
        found = as_it_stands().await?;
    }
    found.ok_or_else(|| Problem::no_such_conversation(&id.to_string()))
}

/// That there is no such thing is for whoever decides to say. When that one has answered, this node stands where the answer does.
async fn is_known(desk: &dyn Desk, customer: CustomerId, id: ConversationId) -> Result<(), Problem> {
    let ask = Ask::Read { conversation: id, reader: Author::Customer(customer), number: 0 };
    let command = Command { principal: Principal::Customer(customer), id: None, fingerprint: 0, ask };
    desk.ask(command).await?.result.map_err(|refusal| match refusal {
        Refusal::NotYours(_) => Problem::no_such_conversation(&id.to_string()),
        other => other.into(),
    })?;
    Ok(())
}

/// A page of messages, each row as JSON already: what it is made from was unsealed and is gone again.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OwnMessagesPage")]
pub(super) struct Page {
    #[schemars(with = "Vec<MessageShape<'static>>")]
    messages: Vec<Box<RawValue>>,
    more: bool,
}

pub(super) async fn messages(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let desk = messenger.desk(&workspace)?;
    let customer = customer_needed(&messenger.door, &*desk, &asked)?;
    messenger.take(&messenger.calls, (&*workspace, customer.id))?;
    let query = Query::parse(asked.query.as_deref(), &["after", "before", "limit"])?;
    let (span, limit) = (span(&query)?, query.limit()?);
    let id = conversation(&id)?;
    let room = Room::for_rows(limit)?;
    own(&*desk, customer.id, id).await?;
    let Rows { rows, more } = desk.history().messages(id, span, limit).await?;
    let messages = rows.iter().map(|row| {
        with_message(&messenger.door, &*desk, row, |shape| {
            let json = String::from_utf8(json_of(&shape)).expect("JSON is UTF-8");
            RawValue::from_string(json).expect("what was serialized is JSON")
        })
    });
    room.ok(&Page { messages: messages.collect(), more })
}

/// Which messages are asked for.
///
/// # Errors
/// `bad_cursor` for what is no number, or both ends at once.
pub(crate) fn span(query: &Query) -> Result<Span, Problem> {
    match (query.cursor("after")?, query.cursor("before")?) {
        (None, None) => Ok(Span::Last),
        (Some(after), None) => Ok(Span::After(after)),
        (None, Some(before)) => Ok(Span::Before(before)),
        (Some(_), Some(_)) => Err(Problem::bad_cursor("before")),
    }
}

//! What a customer does in a conversation: writes, reads, types, leaves.

use super::Shared;
use super::customer::{Customer, customer_needed};
use super::reading::own;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Author, Closer, Command};
use crate::desk::ids::{CommandId, ConversationId, KeyNumber, Principal};
use crate::desk::ratings::RateAsk;
use crate::desk::refusal::Refusal;
use crate::gateway::auth::client_address::prefix;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::body;
use crate::gateway::http::desks::{Desk, Seals};
use crate::gateway::http::idempotency::{command_id, keyed_fingerprint};
use crate::gateway::http::problem::{Problem, answer};
use crate::overload::{Rung, memory};
use crate::wire::files::PostBody;
use crate::wire::messenger::{PostedShape, parse_post, parse_rating, parse_read};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use std::sync::Arc;

pub(super) struct Talk {
    pub desk: Arc<dyn Desk>,
    pub customer: Customer,
    pub conversation: ConversationId,
}

impl Talk {
    pub fn of(messenger: &Shared, workspace: &str, id: &str, asked: &Asked) -> Result<Self, Problem> {
        let desk = messenger.desk(workspace)?;
        let customer = customer_needed(&messenger.door, &*desk, asked)?;
        messenger.take(&messenger.calls, (workspace, customer.id))?;
        Ok(Self { conversation: conversation(id)?, desk, customer })
    }

    fn author(&self) -> Author {
        Author::Customer(self.customer.id)
    }

    pub async fn ask(
        &self,
        seals: &dyn Seals,
        id: Option<CommandId>,
        parts: &[&[u8]],
        ask: Ask,
    ) -> Result<Answer, Problem> {
        let spelled = self.conversation.to_string();
        let mut all: Vec<&[u8]> = vec![spelled.as_bytes()];
        all.extend_from_slice(parts);
        let fingerprint = keyed_fingerprint(seals, ask.name(), &all);
        let principal = Principal::Customer(self.customer.id);
        let replied = self.desk.ask(Command { principal, id, fingerprint, ask }).await?;
        replied.result.map_err(|refusal| match refusal {
            // Another customer's is no different from one that never was.
            Refusal::NotYours(_) => Problem::no_such_conversation(&spelled),
            other => other.into(),
        })
    }
}

/// A conversation's key never changes, so the view may be behind; only what it does not know yet is waited for.
async fn key_of(talk: &Talk) -> Result<KeyNumber, Problem> {
    let (desk, id) = (&*talk.desk, talk.conversation);
    if let Some(found) = desk.history().conversation(id).await? {
        return Ok(found.key);
    }
    Ok(own(desk, talk.customer.id, id).await?.key)
}

pub(super) async fn post(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let talk = Talk::of(&messenger, &workspace, &id, &asked)?;
    let id = command_id(&asked.headers)?;
    let sent = body::text(body, messenger.bounds.limits.body_bytes_max()).await?;
    let PostBody { text, files } = parse_post(sent.as_bytes(), &messenger.bounds.limits)?;
    messenger.take(&messenger.messages, (&*workspace, talk.customer.id))?;
    // One who may write is nobody's flood; many of them together are.
    let address = messenger.door.identities.client_address(&asked.headers, asked.peer);
    messenger.take(&messenger.messages_of_addresses, prefix(address))?;
    messenger.take(&messenger.messages_of_workspaces, &*workspace)?;
    let key = key_of(&talk).await?;
    let sealed = messenger.door.desks.seals().seal(key, b"text", text.as_bytes())?;
    // Of another's conversation not even that there are files in it is told.
    if !files.is_empty() {
        own(&*talk.desk, talk.customer.id, talk.conversation).await?;
    }
    let attached = talk.desk.attached(talk.conversation, key, &files).await?;
    let ask = Ask::Post { conversation: talk.conversation, author: talk.author(), text: sealed, files: attached };
    // Without files it is what it was before there were any: a retry may come across an upgrade.
    let spelled: Vec<String> = files.iter().map(ToString::to_string).collect();
    let parts: Vec<&[u8]> = std::iter::once(text.as_bytes()).chain(spelled.iter().map(String::as_bytes)).collect();
    let Answer::Posted { number, at, .. } = talk.ask(messenger.door.desks.seals(), Some(id), &parts, ask).await? else {
        return Err(Problem::internal());
    };
    Ok(answer(StatusCode::CREATED, &PostedShape { number, at: at.0 }))
}

pub(super) async fn read(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let talk = Talk::of(&messenger, &workspace, &id, &asked)?;
    let id = command_id(&asked.headers)?;
    let number = parse_read(body::text(body, messenger.bounds.limits.body_bytes_max()).await?.as_bytes())?;
    let ask = Ask::Read { conversation: talk.conversation, reader: talk.author(), number };
    talk.ask(messenger.door.desks.seals(), Some(id), &[&number.to_le_bytes()], ask).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What it was like, once it is over; again, and the last counts.
pub(super) async fn rate(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let talk = Talk::of(&messenger, &workspace, &id, &asked)?;
    let id = command_id(&asked.headers)?;
    let sent = body::text(body, messenger.bounds.limits.body_bytes_max()).await?;
    let (score, comment) = parse_rating(sent.as_bytes())?;
    let seals = messenger.door.desks.seals();
    let sealed = match &comment {
        Some(comment) => {
            let key = key_of(&talk).await?;
            Some(seals.seal(key, b"text", comment.as_bytes())?)
        }
        None => None,
    };
    let (conversation, customer) = (talk.conversation, talk.customer.id);
    let ask = Ask::Rate(Box::new(RateAsk { conversation, customer, score, comment: sealed }));
    let parts: [&[u8]; 2] = [&[score], comment.as_deref().unwrap_or_default().as_bytes()];
    talk.ask(seals, Some(id), &parts, ask).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn typing(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    memory().admit(Rung::Typing)?;
    let talk = Talk::of(&messenger, &workspace, &id, &asked)?;
    body::nothing(body).await?;
    talk.ask(
        messenger.door.desks.seals(),
        None,
        &[],
        Ask::Typing { conversation: talk.conversation, author: talk.author(), draft: None },
    )
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn leave(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let talk = Talk::of(&messenger, &workspace, &id, &asked)?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    let by = Closer::Customer(talk.customer.id);
    talk.ask(messenger.door.desks.seals(), Some(id), &[], Ask::Close { conversation: talk.conversation, by }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

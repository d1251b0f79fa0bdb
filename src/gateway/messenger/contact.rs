//! `POST /conversations/{c}/contact`: a customer says its name, or where it can be reached, after the beginning. What it is not said of
//! stays as it is; a name that was signed is not said anew.

use super::Shared;
use super::reading::own;
use super::start::is_address;
use super::talk::Talk;
use crate::desk::answer::Answer;
use crate::desk::command::Ask;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::command_id;
use crate::gateway::http::problem::{Problem, json_of};
use crate::wire::about::About;
use crate::wire::messenger::{Contact, parse_contact};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(super) async fn contact(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let talk = Talk::of(&messenger, &workspace, &id, &asked)?;
    let command = command_id(&asked.headers)?;
    let sent = body::text(body, messenger.bounds.limits.body_bytes_max()).await?;
    let Contact { name, email } = parse_contact(sent.as_bytes())?;
    if email.as_deref().is_some_and(|email| !email.is_empty() && !is_address(email)) {
        return Err(Problem::bad_field("email", "must be an e-mail address"));
    }
    // It is an event, and of about the size of a message.
    messenger.take(&messenger.messages, (&*workspace, talk.customer.id))?;
    let history = talk.desk.history();
    let held = match history.open(talk.conversation) {
        Some(open) => (*open).clone(),
        None => own(&*talk.desk, talk.customer.id, talk.conversation).await?,
    };
    if held.customer != talk.customer.id {
        return Err(Problem::no_such_conversation(&id));
    }
    let seals = messenger.door.desks.seals();
    let clear = held.about.as_deref().and_then(|sealed| seals.unseal(b"about", sealed).ok());
    let mut about: About = clear.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    if name.is_some() && (about.known || talk.customer.known.is_some()) {
        return Err(Problem::forbidden("this name was signed").at("name"));
    }
    let parts = [json_of(&name), json_of(&email)];
    if let Some(name) = name {
        about.name = Some(name).filter(|name| !name.is_empty());
    }
    match email {
        Some(email) if email.is_empty() => drop(about.metadata.remove("email")),
        Some(email) => drop(about.metadata.insert("email".into(), email)),
        None => {}
    }
    let sealed = seals.seal(held.key, b"about", &json_of(&about))?;
    let (conversation, customer) = (talk.conversation, talk.customer.id);
    let ask = Ask::Describe { conversation, customer, about: sealed };
    match talk.ask(seals, Some(command), &[&parts[0], &parts[1]], ask).await? {
        Answer::Done => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(Problem::internal()),
    }
}

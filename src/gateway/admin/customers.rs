//! One customer: found by the id that your own system has for it, and erased.
//!
//! ```text
//! close what is open ─▶ its tokens are void ─▶ the ledger of erasures ─▶ its keys are gone
//! ```
//!
//! Each step may be done again. Before the ledger has it nothing is lost; from then on no restart and no backup brings it back.

use super::Shared;
use super::asker::{Asker, Scope};
use crate::desk::command::Ask;
use crate::desk::conversation::{Conversation, State};
use crate::desk::ids::{CommandId, ConversationId, CustomerId, KeyNumber};
use crate::gateway::auth::customer_token::CUSTOMER_ID_BYTES_MAX;
use crate::gateway::auth::is_external_id;
use crate::gateway::http::VIEW_WAIT_MOST;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::desks::{Desk, Filter};
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, json_of, ok};
use crate::gateway::http::query::Query;
use crate::gateway::messenger::known_id;
use crate::wire::error::Code;
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// Conversations that are read at once.
pub(super) const PAGE: usize = 50;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FoundCustomer")]
pub(super) struct Found {
    customer: CustomerId,
    /// Whether there is any conversation of it.
    is_here: bool,
}

/// By the outside id: which number the workspace has for it.
pub(super) async fn find(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &["external_id"])?;
    let external = query.text("external_id").ok_or_else(|| Problem::bad_field("external_id", "is missing"))?;
    if !is_external_id(external, CUSTOMER_ID_BYTES_MAX) {
        return Err(Problem::bad_field("external_id", "cannot be a customer's id"));
    }
    let customer = known_id(&admin.door, &*asker.desk, external);
    asker.desk.history().wait_for(asker.desk.position(), VIEW_WAIT_MOST).await?;
    let is_here = !asker.desk.history().conversations_of(customer, 1).await?.is_empty();
    Ok(ok(&Found { customer, is_here }))
}

/// # Errors
/// `no_such_customer`.
pub(super) fn customer(text: &str) -> Result<CustomerId, Problem> {
    text.parse().map_err(|_| no_such_customer())
}

pub(super) fn no_such_customer() -> Problem {
    Problem::new(Code::NoSuchCustomer, "nobody with this id has written here")
}

/// Of one customer, newest first.
///
/// # Errors
/// The history cannot be read.
pub(super) async fn conversations(
    desk: &dyn Desk,
    customer: CustomerId,
    before: Option<ConversationId>,
) -> Result<Vec<(ConversationId, Conversation)>, Problem> {
    let filter = Filter { customer: Some(customer), ..Filter::default() };
    Ok(desk.history().search(filter, before, PAGE).await?)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ErasedCustomer")]
pub(super) struct Erased {
    customer: CustomerId,
    conversations: u64,
    /// Those that were open, and were closed for it.
    closed: u64,
    /// How many keys opened what it said.
    keys: usize,
}

pub(super) async fn erase(
    Held(admin): Held<Shared>,
    At((workspace, customer_id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let customer = customer(&customer_id)?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    let desk = &*asker.desk;
    desk.history().wait_for(desk.position(), VIEW_WAIT_MOST).await?;
    let (mut keys, mut erased) =
        (BTreeSet::<KeyNumber>::new(), Erased { customer, conversations: 0, closed: 0, keys: 0 });
    let mut before = None;
    loop {
        let page = conversations(desk, customer, before).await?;
        let Some((last, _)) = page.last() else { break };
        before = Some(*last);
        for (conversation, held) in &page {
            keys.insert(held.key);
            erased.conversations += 1;
            if is_open(held) && close(&admin, &asker, id, *conversation).await? {
                erased.closed += 1;
            }
        }
    }
    if keys.is_empty() {
        return Err(no_such_customer());
    }
    let seals = admin.door.desks.seals();
    erased.keys = keys.len();
    let mut readable = Vec::new();
    for key in keys {
        if !seals.is_erased(key)? {
            readable.push(key);
        }
    }
    let what = derived(&admin, id, "sign_out", customer.0);
    asker
        .ask(what, fingerprint("erase_customer", &[customer_id.as_bytes()]), Ask::SignOutCustomer { customer })
        .await?;
    if !readable.is_empty() {
        seals.erase(desk.name(), customer, readable).await?;
    }
    Ok(ok(&erased))
}

fn is_open(held: &Conversation) -> bool {
    match held.state {
        State::Waiting | State::Offered {} | State::Active { .. } => true,
        State::WrapUp { .. } | State::Closed => false,
    }
}

/// Whether it was open until now.
async fn close(admin: &Shared, asker: &Asker, id: CommandId, conversation: ConversationId) -> Result<bool, Problem> {
    let id = derived(admin, id, "close", u128::from(conversation.0));
    let ask = Ask::Close { conversation, by: asker.closer() };
    match asker.ask(id, fingerprint("erase_close", &[&conversation.0.to_be_bytes()]), ask).await {
        Ok(_) => Ok(true),
        // Somebody else was quicker.
        Err(problem) if problem.0.code == Code::WrongState => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// Of the one command id that was given, one for each step: a call that is repeated repeats them.
fn derived(admin: &Shared, id: CommandId, step: &str, of: u128) -> CommandId {
    let hash = admin.door.desks.seals().keyed_hash("erase", &json_of(&(id, step, of.to_string())));
    CommandId(u128::from_be_bytes(hash))
}

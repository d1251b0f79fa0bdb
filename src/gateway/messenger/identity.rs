//! Who a customer is, changed: an anonymous one turns out to be known, or one signs out.

use super::Shared;
use super::customer::{anonymous, customer_needed};
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::Principal;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, ok};
use crate::wire::error::{Code, More, WireError};
use crate::wire::messenger::{MergedShape, parse_identify};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(super) async fn identify(
    Held(messenger): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let desk = messenger.desk(&workspace)?;
    let customer = customer_needed(&messenger.door, &*desk, &asked)?;
    messenger.take(&messenger.calls, (&*workspace, customer.id))?;
    if customer.known.is_none() {
        return Err(Problem::forbidden("only a known customer's token says who an anonymous one is"));
    }
    let id = command_id(&asked.headers)?;
    let token = parse_identify(body::text(body, messenger.bounds.limits.body_bytes_max()).await?.as_bytes())?;
    // The caller's own token is good: it is this field that is not.
    let from = anonymous(&messenger.door, &*desk, &token).map_err(|problem| {
        let error = WireError::new(Code::BadField, "anonymous_token is not a valid token").at("anonymous_token");
        Problem(WireError { more: problem.0.more, ..error })
    })?;
    let command = Command {
        principal: Principal::Customer(customer.id),
        id: Some(id),
        // By whom it names and not by its bytes: another token of the same customer asks for the same.
        fingerprint: fingerprint("identify", &[&from.0.to_be_bytes()]),
        ask: Ask::MergeCustomer { from, into: customer.id },
    };
    let Answer::Merged { conversations } = desk.ask(command).await?.result? else { return Err(Problem::internal()) };
    Ok(ok(&MergedShape { conversations }))
}

pub(super) async fn sign_out(
    Held(messenger): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let desk = messenger.desk(&workspace)?;
    let customer = match customer_needed(&messenger.door, &*desk, &asked) {
        // A sign-out that is repeated: its own first time made this token void. What was asked for is so.
        Err(problem) if problem.0.more == Some(More::Reason("revoked")) => {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        other => other?,
    };
    messenger.take(&messenger.calls, (&*workspace, customer.id))?;
    let id = command_id(&asked.headers)?;
    body::nothing(body).await?;
    let command = Command {
        principal: Principal::Customer(customer.id),
        id: Some(id),
        fingerprint: fingerprint("sign_out", &[]),
        ask: Ask::SignOutCustomer { customer: customer.id },
    };
    desk.ask(command).await?.result?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

//! A customer's files: of conversations of its own.

use super::upload::{Head, Sent, take};
use super::{Shared, reading, upload};
use crate::desk::ids::{ConversationId, CustomerId, Principal};
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::desks::Desk;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::gateway::messenger::{customer_needed, own};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use std::sync::Arc;

struct Asks {
    desk: Arc<dyn Desk>,
    customer: CustomerId,
    conversation: ConversationId,
}

fn asks(counter: &Shared, workspace: &str, id: &str, asked: &Asked) -> Result<Asks, Problem> {
    let desk = counter.door.desks.desk(workspace).ok_or_else(|| Problem::not_found("workspace"))?;
    let customer = customer_needed(&counter.door, &*desk, asked)?.id;
    counter.call((workspace, customer))?;
    Ok(Asks { desk, customer, conversation: conversation(id)? })
}

pub(super) async fn upload(
    Held(counter): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Response {
    let sent = async {
        upload::admit()?;
        let Asks { desk, customer, conversation } = asks(&counter, &workspace, &id, &asked)?;
        let head = Head::of(&*desk, &asked)?;
        let key = own(&*desk, customer, conversation).await?.key;
        let principal = Principal::Customer(customer);
        Ok((Sent { desk, principal, sender: format!("customer {}", customer.0), conversation, key }, head))
    };
    take(&counter, sent.await, &asked, body).await
}

pub(super) async fn read(
    Held(counter): Held<Shared>,
    At((workspace, id, file)): At<(String, String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    reading::admit()?;
    let Asks { desk, customer, conversation } = asks(&counter, &workspace, &id, &asked)?;
    Query::parse(asked.query.as_deref(), &[])?;
    own(&*desk, customer, conversation).await?;
    reading::give(&counter, &*desk, conversation, &file).await
}

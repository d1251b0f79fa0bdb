//! An agent's files: it adds to conversations that it talks in, and reads those of conversations that it may read.

use super::upload::{Head, Sent, take};
use super::{Shared, reading, upload};
use crate::desk::conversation::{Conversation, State};
use crate::desk::ids::{AgentId, ConversationId, Principal};
use crate::desk::settings::Role;
use crate::gateway::http::VIEW_WAIT_MOST;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::desks::Desk;
use crate::gateway::http::elsewhere::may_be_known_by_now;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::wire::error::{Code, More, WireError};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use std::sync::Arc;

struct Asks {
    desk: Arc<dyn Desk>,
    agent: AgentId,
    role: Role,
    id: ConversationId,
    conversation: Conversation,
}

async fn asks(counter: &Shared, workspace: &str, id: &str, asked: &Asked) -> Result<Asks, Problem> {
    let desk = counter.door.desks.desk(workspace).ok_or_else(|| Problem::not_found("workspace"))?;
    let token = asked.bearer()?.ok_or_else(|| Problem::unauthorized("missing"))?;
    let token = counter.door.identities.agent(token, (counter.door.now)().wall);
    let token = token.map_err(|not_known| Problem::unauthorized(not_known.0))?;
    let elsewhere = || Problem::forbidden("this token is for another workspace");
    if *token.workspace != *workspace {
        return Err(elsewhere());
    }
    // Who was never on the socket is not known here, and has no conversation.
    let agent = desk.agent_row(&token.name).ok_or_else(|| Problem::forbidden("this agent is not known here"))?.id;
    if desk.profile(&token.name).is_some_and(|profile| !profile.active) {
        return Err(Problem::new(Code::AgentDeactivated, "this agent is deactivated"));
    }
    counter.call((workspace, agent))?;
    let id = conversation(id)?;
    let seen = async || match desk.history().open(id) {
        Some(open) => Ok::<_, Problem>(Some((*open).clone())),
        None => {
            desk.history().wait_for(desk.position(), VIEW_WAIT_MOST).await?;
            Ok(desk.history().conversation(id).await?)
        }
    };
    let mut found = seen().await?;
    if found.is_none() && may_be_known_by_now(&*desk, id).await? {
        found = seen().await?;
    }
    let conversation = found.ok_or_else(|| Problem::no_such_conversation(&id.to_string()))?;
    Ok(Asks { desk, agent, role: token.role, id, conversation })
}

fn not_yours(id: ConversationId) -> Problem {
    Problem::new(Code::NotYours, format!("{id} is not yours")).at("conversation")
}

pub(super) async fn upload(
    Held(counter): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Response {
    let sent = async {
        upload::admit()?;
        let Asks { desk, agent, role: _, id, conversation } = asks(&counter, &workspace, &id, &asked).await?;
        if !conversation.is_talked_in_by(agent) {
            return Err(not_yours(id));
        }
        if !matches!(conversation.state, State::Active { .. }) {
            let state = conversation.state.name();
            let error = WireError::new(Code::WrongState, format!("the conversation {id} is {state}"));
            return Err(Problem(WireError { more: Some(More::State(state.into())), ..error.at("conversation") }));
        }
        let head = Head::of(&*desk, &asked)?;
        let principal = Principal::Agent(agent);
        let (sender, conversation, key) = (format!("agent {agent}"), id, conversation.key);
        Ok((Sent { desk, principal, sender, conversation, key }, head))
    };
    take(&counter, sent.await, &asked, body).await
}

pub(super) async fn read(
    Held(counter): Held<Shared>,
    At((workspace, id, file)): At<(String, String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    reading::admit()?;
    let Asks { desk, agent, role, id, conversation } = asks(&counter, &workspace, &id, &asked).await?;
    Query::parse(asked.query.as_deref(), &[])?;
    let supervises = matches!(role, Role::Supervisor | Role::Admin);
    if !supervises && !conversation.is_held_by(agent) && conversation.last_owner() != Some(agent) {
        return Err(not_yours(id));
    }
    reading::give(&counter, &*desk, id, &file).await
}

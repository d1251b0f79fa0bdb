//! Why a conversation is not offered, or to whom it would be; why an agent is idle: as the desk sees it now.

use super::Shared;
use super::asker::Scope;
use crate::desk::answer::Answer;
use crate::desk::command::Ask;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use axum::extract::State as Held;
use axum::response::Response;

pub(super) async fn of_conversation(
    Held(admin): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    Query::parse(asked.query.as_deref(), &[])?;
    let conversation = conversation(&id)?;
    match asker.look(Ask::WhyConversation { conversation }).await? {
        Answer::WhyConversation(why) => Ok(ok(&*why)),
        _ => Err(Problem::internal()),
    }
}

pub(super) async fn of_agent(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    Query::parse(asked.query.as_deref(), &[])?;
    match asker.look(Ask::WhyAgent { agent: name.as_str().into() }).await? {
        Answer::WhyAgent(why) => Ok(ok(&*why)),
        _ => Err(Problem::internal()),
    }
}

//! The workspace's agents: listed, put member by member; deactivating one signs it out at once.

use super::Shared;
use super::asker::Scope;
use super::conditions::{conditional, put};
use crate::desk::auto_accept::AutoAccept;
use crate::desk::command::{AgentAsk, Ask};
use crate::desk::expecting::Known;
use crate::desk::refusal::Refusal;
use crate::desk::settings::AgentProfile;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::desks::Desk;
use crate::gateway::http::etag::{hex_tag, tagged};
use crate::gateway::http::idempotency::{command_id, fingerprint};
use crate::gateway::http::problem::{Problem, answer_of, json_of, ok};
use crate::gateway::http::query::Query;
use crate::gateway::signin::{DEACTIVATED, Signin, not_kept};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An agent as it is set; its queues by name.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentSettings")]
pub(super) struct Agent {
    name: Arc<str>,
    title: Arc<str>,
    active: bool,
    queues: Vec<Arc<str>>,
    skills: BTreeMap<Arc<str>, u8>,
    capacity: BTreeMap<Arc<str>, u32>,
    /// By queue, where it is not 1.
    tiers: BTreeMap<Arc<str>, u8>,
    program: bool,
    capacity_total: u32,
    auto_accept: AutoAccept,
    offer_percent: u32,
}

impl Agent {
    fn of(desk: &dyn Desk, profile: &AgentProfile) -> Self {
        let names = desk.published().queue_names.clone();
        let tiers = profile.tiers.iter().filter_map(|(queue, tier)| Some((names.get(queue)?.clone(), *tier)));
        let tiers = tiers.collect();
        Self {
            name: profile.name.clone(),
            title: profile.title.clone(),
            active: profile.active,
            queues: profile.queues.iter().filter_map(|queue| names.get(queue).cloned()).collect(),
            skills: profile.skills.clone(),
            capacity: profile.capacity.clone(),
            tiers,
            program: profile.program,
            capacity_total: profile.total(),
            auto_accept: profile.auto_accept,
            offer_percent: profile.offer_percent,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentsPage")]
pub(super) struct Page {
    agents: Vec<Agent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Arc<str>>,
}

pub(super) async fn list(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &["cursor", "limit"])?;
    let limit = query.limit()?;
    let mut profiles = asker.desk.profiles(query.text("cursor"), limit + 1);
    let next = (profiles.len() > limit).then(|| {
        profiles.truncate(limit);
        profiles[limit - 1].name.clone()
    });
    let agents = profiles.iter().map(|profile| Agent::of(&*asker.desk, profile)).collect();
    Ok(ok(&Page { agents, next }))
}

pub(super) async fn one(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Read)?;
    Query::parse(asked.query.as_deref(), &[])?;
    let profile = asker.desk.profile(&name).ok_or_else(|| Refusal::NoSuchAgent(name.as_str().into()))?;
    let json = json_of(&Agent::of(&*asker.desk, &profile));
    Ok(tagged(&asked.headers, &hex_tag(&json), || answer_of(StatusCode::OK, json)))
}

/// Absent members stay as they are.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgentChange")]
pub(super) struct Change {
    name: Option<Arc<str>>,
    title: Option<Arc<str>>,
    active: Option<bool>,
    queues: Option<Vec<Arc<str>>>,
    skills: Option<BTreeMap<Arc<str>, u8>>,
    capacity: Option<BTreeMap<Arc<str>, u32>>,
    tiers: Option<BTreeMap<Arc<str>, u8>>,
    program: Option<bool>,
    capacity_total: Option<u32>,
    auto_accept: Option<AutoAccept>,
    offer_percent: Option<u32>,
}

pub(super) async fn change(
    Held(admin): Held<Shared>,
    At((workspace, name)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let id = command_id(&asked.headers)?;
    let change: Change = body::json(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    if change.name.as_ref().is_some_and(|own| **own != *name) {
        return Err(Problem::bad_field("name", "is not the one of the path"));
    }
    let fingerprint = fingerprint("put_agent", &[name.as_bytes(), &json_of(&change)]);
    let ask = AgentAsk {
        name: name.as_str().into(),
        title: change.title,
        active: change.active,
        queues: change.queues,
        skills: change.skills,
        capacity: change.capacity,
        tiers: change.tiers,
        program: change.program,
        capacity_total: change.capacity_total,
        auto_accept: change.auto_accept,
        offer_percent: change.offer_percent,
    };
    let held = asker.desk.profile(&name);
    let current = held.map(|held| (json_of(&Agent::of(&*asker.desk, &held)), Known::Agent(held)));
    let ask = conditional(&asked.headers, current, Ask::PutAgent(Box::new(ask)))?;
    asker.ask(id, fingerprint, ask).await?;
    if change.active == Some(false) {
        // Its sockets the desk has closed. Who is made active again later signs in again.
        let of = |signin: &Signin| *signin.workspace == **asker.desk.name() && *signin.agent == *name;
        admin.endings.end(DEACTIVATED, of).await.map_err(|error| not_kept(&error))?;
    }
    let profile = asker.desk.profile(&name).ok_or_else(Problem::internal)?;
    Ok(put(&Agent::of(&*asker.desk, &profile)))
}

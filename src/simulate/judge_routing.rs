//! The judge's own reading of the rules of routing: skills, rings, tiers, programs first and preferred agents, written apart from the desk's.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::conversation::State;
use crate::desk::event::StatusCause;
use crate::desk::ids::{AgentId, ConversationId, QueueId};
use crate::desk::time::DeskTime;
use crate::desk::wrapping::Blocks;

/// Whether the rules let this agent have this conversation, right after it was offered.
pub fn may_take(desk: &Desk, agent: AgentId, conversation: ConversationId) -> bool {
    let (Some(held), Some(talk)) = (desk.agent(agent), desk.conversation(conversation)) else { return false };
    let Some(queue) = desk.queue(talk.queue) else { return false };
    if super::judge_hours::is_closed(desk, conversation).is_ok() {
        return false;
    }
    let reached = &queue.settings.offering.rings[..queue.settings.offering.rings.len().min(usize::from(talk.ring))];
    let skilled = talk.skills.iter().all(|skill| {
        let dropped = reached.iter().any(|ring| ring.drop.contains(&skill.name));
        let lowered = reached.iter().filter_map(|ring| ring.lower.get(&skill.name)).copied();
        let level = lowered.chain([skill.level]).min().unwrap_or(skill.level);
        dropped || held.profile.skills.get(&skill.name).copied().unwrap_or(0) >= level
    });
    let added = |id: &QueueId| {
        let name = desk.queue(*id).map(|queue| queue.settings.name.clone());
        name.is_some_and(|name| reached.iter().any(|ring| ring.queues.contains(&name)))
    };
    let own = held.profile.queues.contains(&talk.queue);
    let in_queue = own || held.profile.queues.iter().any(added);
    let first = queue.settings.offering.tiers_up_to.unwrap_or(u8::MAX);
    let up_to = reached.iter().filter_map(|ring| ring.tiers_up_to).chain([first]).max().unwrap_or(first);
    let tier = held.profile.tiers.get(&talk.queue).copied().unwrap_or(1);
    let wraps_up = |id: &ConversationId| {
        let state = desk.conversation(*id).map(|held| held.state);
        matches!(state, Some(State::WrapUp { blocks: Blocks::Agent, .. }))
    };
    if held.conversations.iter().any(wraps_up) {
        return false;
    }
    let programs_first = queue.settings.offering.programs_first && !reached.iter().any(|ring| ring.people);
    let preferred = talk.wishes.as_ref().and_then(|wishes| wishes.agent).is_some_and(|wished| wished.agent == agent);
    let program_first = programs_first && !held.profile.program && !preferred && a_program_could(desk, conversation);
    skilled && in_queue && (!own || tier <= up_to) && !program_first && !is_anothers(desk, agent, conversation)
}

/// Whether some program of the queue, of the first tier and with the skills, could have taken it at once.
fn a_program_could(desk: &Desk, conversation: ConversationId) -> bool {
    let Some(talk) = desk.conversation(conversation) else { return false };
    let skilled = |level: &dyn Fn(&str) -> u8| talk.skills.iter().all(|skill| level(&skill.name) >= skill.level);
    desk.agents().any(|(id, other)| {
        other.profile.program
            && other.is_able(desk.settings())
            && other.room_on(desk.settings(), talk.channel)
            && other.profile.queues.contains(&talk.queue)
            && other.profile.tiers.is_empty()
            && skilled(&|name| other.profile.skills.get(name).copied().unwrap_or(0))
            && !talk.cools_down(id, desk.now().desk)
    })
}

/// Whether it requires another agent, or one that it prefers, is in time and could have taken it at once.
fn is_anothers(desk: &Desk, agent: AgentId, conversation: ConversationId) -> bool {
    let Some(talk) = desk.conversation(conversation) else { return false };
    let Some(wished) = talk.wishes.as_ref().and_then(|wishes| wishes.agent) else { return false };
    if wished.agent == agent {
        return false;
    }
    let Some(until) = wished.until else { return true };
    let Some(other) = desk.agent(wished.agent) else { return false };
    until > desk.now().desk
        && other.connection == Connection::Online
        && other.is_able(desk.settings())
        && other.room_on(desk.settings(), talk.channel)
        && other.profile.queues.contains(&talk.queue)
        && other.profile.tiers.is_empty()
        && talk.skills.iter().all(|skill| other.profile.skills.get(&skill.name).is_some_and(|l| *l >= skill.level))
        && !talk.cools_down(wished.agent, desk.now().desk)
}

/// A step is reached by age, and none is skipped back.
pub fn ring_is_due(desk: &Desk, conversation: ConversationId, ring: u8) -> Result<(), String> {
    let talk = desk.conversation(conversation).ok_or_else(|| format!("{conversation} widens and is not there"))?;
    let rings = desk.queue(talk.queue).map(|queue| queue.settings.offering.rings.clone()).unwrap_or_default();
    let age_ms = desk.now().wall.0.saturating_sub(talk.waiting_since.0);
    let due = ring > 0 && rings.get(usize::from(ring) - 1).is_some_and(|step| step.after_ms <= age_ms);
    if due && talk.ring == ring { Ok(()) } else { Err(format!("{conversation} reaches ring {ring} at {age_ms} ms")) }
}

/// More time is never more than an hour in all, from when the talk ended. (The shadow has taken it in already.)
pub fn wrap_up_is_extended(desk: &Desk, conversation: ConversationId, until: DeskTime) -> Result<(), String> {
    match desk.conversation(conversation).map(|held| held.state) {
        Some(State::WrapUp { since, .. }) if until.ms_since(since) <= 3_600_000 => Ok(()),
        other => Err(format!("{conversation} has wrap-up until {until:?} and is {other:?}")),
    }
}

/// Right after the change: by nobody but a supervisor where it was forced, with nothing left to do where that was waited for,
/// and for want of input only of a person, where the workspace says so.
pub fn status_changes_rightly(desk: &Desk, agent: AgentId, cause: StatusCause, forced: bool) -> Result<(), String> {
    let held = desk.agent(agent).ok_or_else(|| format!("{agent} is not there"))?;
    let rightly = forced == (cause == StatusCause::Forced)
        && match cause {
            StatusCause::Next => held.offers.is_empty() && held.conversations.is_empty(),
            StatusCause::Idle => desk.settings().idle_agents.is_some() && !held.profile.program,
            StatusCause::Chosen | StatusCause::Missed | StatusCause::Forced => true,
        };
    if rightly { Ok(()) } else { Err(format!("{agent} has another status, as {}: {held:?}", cause.name())) }
}

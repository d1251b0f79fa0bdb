//! The judge's own reading of the rules of moves: one owner before and after, and nothing pending of what changes hands.

use super::judge_seen::Talk;
use crate::desk::Desk;
use crate::desk::event::Event;
use crate::desk::ids::{AgentId, ConversationId};
use crate::desk::moves::Taken;
use crate::journal::Position;

/// An owner gives it to one other, who has nothing of it yet.
pub fn may_be_transferred(id: ConversationId, talk: &Talk, to: AgentId) -> Result<(), String> {
    let free = talk.owner.is_some_and(|owner| owner != to) && talk.joined.is_none() && talk.offers.is_empty();
    if free { Ok(()) } else { Err(format!("{id} of {:?} is transferred to {to}", talk.owner)) }
}

/// `desk`: the state right after the event.
pub(super) fn moves(event: &Event, talk: &mut Talk, desk: &Desk, position: Position) -> Result<(), String> {
    let said = || super::notation::event(event);
    let free = talk.joined.is_none() && talk.offers.is_empty();
    match event {
        Event::ConversationTransferred { from, waiting_since, cool_down_until, .. } => {
            if talk.owner.take() != Some(*from) || !free {
                return Err(said());
            }
            talk.waiting_since = *waiting_since;
            talk.cool.clear();
            talk.cool.extend(cool_down_until.map(|until| (*from, until)));
        }
        Event::ConversationTaken { conversation, from, to, how, forced, .. } => {
            if talk.owner != *from || *from == Some(*to) || !free {
                return Err(said());
            }
            let by_itself = matches!(how, Taken::Picked | Taken::Started);
            if by_itself && (*forced || from.is_some()) {
                return Err(format!("an agent may not: {}", said()));
            }
            // What it held of it until just now it may hold on to, though its limits have been lowered since.
            let held = talk.stood_down.get(to) == Some(&position);
            if !forced && !held && !fits(desk, *to, *conversation) {
                return Err(format!("beyond what it can take, and not forced: {}", said()));
            }
            talk.owner = Some(*to);
            talk.cool.clear();
        }
        Event::ConversationHandedOver { from, to, .. } => {
            if talk.owner != Some(*from) || talk.joined != Some(*to) || !talk.offers.is_empty() {
                return Err(said());
            }
            (talk.owner, talk.joined) = (Some(*to), None);
        }
        Event::ConversationLeft { agent, .. } => {
            let joined = talk.joined.take();
            if joined != Some(*agent) {
                return Err(said());
            }
            talk.stood_down.insert(*agent, position);
        }
        _ => {}
    }
    Ok(())
}

/// Its channel is on, and what it holds with it is within its limits.
fn fits(desk: &Desk, agent: AgentId, conversation: ConversationId) -> bool {
    let (Some(held), Some(talk)) = (desk.agent(agent), desk.conversation(conversation)) else { return false };
    // What it was offered of it, it held already.
    held.profile.active && (held.over_limit || held.load.is_within_on(held, desk.settings(), talk.channel))
}

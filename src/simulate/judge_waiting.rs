//! The judge's own reading of the rules of waiting: what the workspace itself says is due, and moves are counted.

use super::judge_seen::Talk;
use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::command::{Author, Notice};
use crate::desk::ids::ConversationId;
use crate::desk::moves::Mover;
use crate::desk::waiting_rules::MOVES_MAX;

/// That it has waited too long is said of who has: since this wait began, in this queue.
pub fn notice_is_due(desk: &Desk, conversation: ConversationId, author: Author) -> Result<(), String> {
    let Author::System(notice) = author else { return Ok(()) };
    let talk = desk.conversation(conversation).ok_or_else(|| format!("{conversation} is told and is not there"))?;
    let queue = desk.queue(talk.queue).ok_or_else(|| format!("{conversation} is in no queue"))?;
    let waited_ms = desk.now().wall.0.saturating_sub(talk.spell.from.0);
    let due = match notice {
        Notice::WaitedTooLong => queue.settings.waiting.waiting_ms_max.is_some_and(|most| most <= waited_ms),
        Notice::OfferedTooOften => queue.settings.waiting.offers_max.is_some_and(|most| most <= talk.offers_made),
        Notice::QueueFull => queue.waiting + queue.offered > queue.settings.waiting_max,
        Notice::NobodyThere => {
            let mut agents = desk.agents().filter(|(_, held)| held.profile.queues.contains(&talk.queue));
            agents.all(|(_, held)| {
                let status = &desk.settings().statuses[usize::from(held.status.0)];
                held.connection == Connection::Offline || !held.profile.active || !status.available
            })
        }
        Notice::OutOfHours => super::judge_hours::is_closed(desk, conversation).is_ok(),
        Notice::Reminder | Notice::CustomerSilent => true,
        // Nobody says here what was said elsewhere.
        Notice::Imported => false,
    };
    if due { Ok(()) } else { Err(format!("{conversation} is told {} after {waited_ms} ms", notice.name())) }
}

/// By a rule: one more than before, or the first since it had an owner; and never more than there may be. A person's does not count.
pub fn move_is_one_more(talk: &mut Talk, moves: u8, by: Option<Mover>) -> Result<(), String> {
    let one_more = match by {
        None => moves == talk.moves + 1 || moves == 1,
        Some(Mover::Supervisor(_) | Mover::Admin) => moves == talk.moves || moves == 0,
        Some(Mover::Agent(_)) => false,
    };
    talk.moves = moves;
    if one_more && moves <= MOVES_MAX { Ok(()) } else { Err(format!("for the {moves}th time")) }
}

//! The judge's own reading of the rules of silence: who wrote last, and since when, is all that a pause may rest on.

use super::judge_seen::Talk;
use crate::desk::Desk;
use crate::desk::command::{Author, Notice};
use crate::desk::event::{Event, RequeueCause};
use crate::desk::ids::{AgentId, ConversationId};
use crate::desk::moves::Taken;
use crate::desk::settings::QueueSettings;
use crate::desk::silence_rules::OwnerAction;
use crate::desk::time::Now;

/// Who was heard last.
#[derive(Default)]
pub struct Heard {
    /// Since when the customer is silent, while the last word is an agent's.
    pub(super) silent_since_ms: Option<u64>,
    paused: bool,
    reminded: bool,
    /// Since when its owner's word is awaited.
    awaited_since_ms: Option<u64>,
    owner_reminded: bool,
}

/// `talk`: as the judge has it before the event.
pub fn hears(event: &Event, talk: &mut Talk, now: Now, desk: &Desk) -> Result<(), String> {
    let said = || super::notation::event(event);
    let heard = &mut talk.heard;
    match event {
        Event::MessagePosted { conversation, author: Author::System(notice), .. } => {
            let rules = queue_of(*conversation, desk).and_then(|queue| queue.silent_customer.clone());
            let after_ms = match notice {
                Notice::Reminder if !heard.reminded => rules.and_then(|rules| rules.remind_after_ms),
                Notice::CustomerSilent => rules.and_then(|rules| rules.close_after_ms),
                Notice::Reminder => None,
                _ => return Ok(()),
            };
            heard.reminded = true;
            if talk.owner.is_none() || !is_over(heard.silent_since_ms, after_ms, now) {
                return Err(format!("its customer is not silent for so long: {}", said()));
            }
        }
        Event::OwnerReminded { conversation, .. }
        | Event::ConversationRequeued { conversation, cause: RequeueCause::OwnerSilent, .. } => {
            let rules = queue_of(*conversation, desk).and_then(|queue| queue.silent_owner.clone());
            let reminds = matches!(event, Event::OwnerReminded { .. });
            let rules = rules.filter(|rules| (rules.action == OwnerAction::Remind) == reminds);
            let due = is_over(heard.awaited_since_ms, rules.map(|rules| rules.after_ms), now);
            if !due || reminds && std::mem::replace(&mut heard.owner_reminded, true) {
                return Err(format!("its owner is not silent for so long: {}", said()));
            }
        }
        Event::MessagePosted { author, .. } => {
            if heard.paused {
                return Err(format!("it is still paused when it is written to: {}", said()));
            }
            let by_agent = matches!(author, Author::Agent(_));
            heard.silent_since_ms = by_agent.then_some(now.desk.0);
            heard.reminded = false;
            let awaited = heard.awaited_since_ms.unwrap_or(now.desk.0);
            heard.awaited_since_ms = (!by_agent && talk.owner.is_some()).then_some(awaited);
            heard.owner_reminded &= !by_agent;
        }
        Event::ConversationPaused { conversation, weight_percent } => {
            let channel = desk.conversation(*conversation).map(|held| usize::from(held.channel.0));
            let rules = channel.and_then(|channel| desk.settings().channels.get(channel)).map(|set| &set.silence);
            let due = rules.and_then(|rules| Some(rules.pause_ms? + heard.silent_since_ms?));
            let set = rules.is_some_and(|rules| rules.paused_weight_percent == *weight_percent);
            if heard.paused || talk.owner.is_none() || !set || due.is_none_or(|due| due > now.desk.0) {
                return Err(format!("too early, or nobody's: {}", said()));
            }
            heard.paused = true;
        }
        Event::ConversationWoken { .. } if heard.paused => heard.paused = false,
        Event::ConversationWoken { .. } => return Err(format!("it was not paused: {}", said())),
        _ => {}
    }
    Ok(())
}

/// It has another owner: its customer is silent towards that one from now on.
pub fn changes_hands(talk: &mut Talk, now: Now) {
    talk.heard.paused = false;
    talk.heard.silent_since_ms = talk.heard.silent_since_ms.map(|_| now.desk.0);
    let silent = talk.heard.silent_since_ms.is_some();
    (talk.heard.awaited_since_ms, talk.heard.owner_reminded) = ((!silent).then_some(now.desk.0), false);
}

/// It was `before`'s, and `event` has moved it.
pub fn moves(event: &Event, before: Option<AgentId>, talk: &mut Talk, now: Now) {
    match talk.owner {
        None => is_let_go(talk, false),
        owner if owner != before => {
            if matches!(event, Event::ConversationTaken { how: Taken::Started, .. }) {
                // Nobody awaits a word of who has begun it.
                talk.heard.silent_since_ms = Some(now.desk.0);
            }
            changes_hands(talk, now);
        }
        Some(_) => {}
    }
}

fn queue_of(id: ConversationId, desk: &Desk) -> Option<&QueueSettings> {
    Some(&desk.queue(desk.conversation(id)?.queue)?.settings)
}

fn is_over(since_ms: Option<u64>, after_ms: Option<u64>, now: Now) -> bool {
    since_ms.zip(after_ms).is_some_and(|(since, after)| since + after <= now.desk.0)
}

/// Nobody owns it any more, or its talk is over.
pub fn is_let_go(talk: &mut Talk, over: bool) {
    talk.heard.paused = false;
    (talk.heard.awaited_since_ms, talk.heard.owner_reminded) = (None, false);
    talk.heard.reminded &= !over;
    talk.heard.silent_since_ms = talk.heard.silent_since_ms.filter(|_| !over);
}

/// The desk has it as it was heard.
pub fn is_as_heard(id: ConversationId, talk: &Talk, desk: &Desk) -> Result<(), String> {
    let paused = desk.conversation(id).is_some_and(|held| held.paused().is_some());
    if paused == talk.heard.paused { Ok(()) } else { Err(format!("{id} is paused: {paused}, and was heard otherwise")) }
}

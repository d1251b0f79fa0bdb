//! The judge's own reading of the rules of silence: who wrote last, and since when, is all that a pause may rest on.

use super::judge::Talk;
use crate::desk::Desk;
use crate::desk::command::Author;
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::time::Now;

/// Who was heard last.
#[derive(Default)]
pub struct Heard {
    /// Since when the customer is silent, while the last word is an agent's.
    pub(super) silent_since_ms: Option<u64>,
    paused: bool,
}

/// `talk`: as the judge has it before the event.
pub fn hears(event: &Event, talk: &mut Talk, now: Now, desk: &Desk) -> Result<(), String> {
    let said = || super::notation::event(event);
    let heard = &mut talk.heard;
    match event {
        Event::MessagePosted { author: Author::System(_), .. } => {}
        Event::MessagePosted { author, .. } => {
            if heard.paused {
                return Err(format!("it is still paused when it is written to: {}", said()));
            }
            heard.silent_since_ms = matches!(author, Author::Agent(_)).then_some(now.desk.0);
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
        Event::ConversationWoken { .. } => {
            if !std::mem::take(&mut heard.paused) {
                return Err(format!("it was not paused: {}", said()));
            }
        }
        _ => {}
    }
    Ok(())
}

/// It has another owner: its customer is silent towards that one from now on.
pub fn changes_hands(talk: &mut Talk, now: Now) {
    talk.heard.paused = false;
    talk.heard.silent_since_ms = talk.heard.silent_since_ms.map(|_| now.desk.0);
}

/// Nobody owns it any more, or its talk is over.
pub fn is_let_go(talk: &mut Talk, over: bool) {
    talk.heard.paused = false;
    talk.heard.silent_since_ms = talk.heard.silent_since_ms.filter(|_| !over);
}

/// The desk has it as it was heard.
pub fn is_as_heard(id: ConversationId, talk: &Talk, desk: &Desk) -> Result<(), String> {
    let paused = desk.conversation(id).is_some_and(|held| held.paused().is_some());
    if paused == talk.heard.paused { Ok(()) } else { Err(format!("{id} is paused: {paused}, and was heard otherwise")) }
}

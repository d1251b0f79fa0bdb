//! The judge's own reading of what customers leave behind: messages, where the settings say so and only where nothing could be begun;
//! and ratings, only of what is over, in time, on the scale that is set, of which the last is kept.

use super::judge_seen::Talk;
use crate::desk::Desk;
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::ratings::Scale;
use crate::desk::time::{Now, WallTime};
use std::collections::BTreeMap;

/// What is known of a talk's rating.
#[derive(Default)]
pub struct Rated {
    /// While it is over.
    ended_at: Option<WallTime>,
    score: Option<u8>,
    times: u8,
}

impl Rated {
    /// The desk holds what was said last.
    pub fn is_kept(&self, id: ConversationId, held: &Conversation) -> Result<(), String> {
        let kept = held.rating().map(|rating| (rating.score, rating.times));
        let said = self.score.map(|score| (score, self.times));
        if kept == said { Ok(()) } else { Err(format!("{id} is rated {kept:?} and was rated {said:?}")) }
    }
}

/// `desk`: the state right after the event.
pub fn hears(event: &Event, talks: &mut BTreeMap<ConversationId, Talk>, now: Now, desk: &Desk) -> Result<(), String> {
    let (id, ended_at) = match event {
        Event::ConversationDescribed { conversation, about } => {
            let held = desk.conversation(*conversation).and_then(|held| held.about.as_ref());
            return if held == Some(about) { Ok(()) } else { Err(format!("{conversation} is described as {held:?}")) };
        }
        Event::ConversationOpened { conversation, message: true, .. } => return is_left_rightly(*conversation, desk),
        Event::ConversationEnded { conversation, .. } => (conversation, Some(now.wall)),
        Event::ConversationReopened { conversation, .. } | Event::ConversationRated { conversation, .. } => {
            (conversation, None)
        }
        _ => return Ok(()),
    };
    let rated = &mut talks.get_mut(id).ok_or_else(|| format!("{id} was never opened"))?.rated;
    let Event::ConversationRated { score, before, .. } = event else {
        rated.ended_at = ended_at;
        return Ok(());
    };
    let rules = &desk.settings().rating;
    let of_scale = match rules.scale {
        Scale::None => false,
        Scale::Five => matches!(score, 1..=5),
        Scale::Two => matches!(score, 1 | 5),
    };
    let in_time = rated.ended_at.is_some_and(|at| at.0 + rules.within_ms >= now.wall.0);
    if !of_scale || !in_time || *before != rated.score {
        return Err(format!(
            "{id} is rated {score} after {before:?}, and was {:?} at {:?}",
            rated.score, rated.ended_at
        ));
    }
    (rated.score, rated.times) = (Some(*score), rated.times + 1);
    Ok(())
}

/// It is in the queue of messages, on their channel; and no more wait there than may.
fn is_left_rightly(id: ConversationId, desk: &Desk) -> Result<(), String> {
    let held = desk.conversation(id).ok_or_else(|| format!("{id} is left and not there"))?;
    let (Some(left), Some(queue)) = (&desk.settings().left_messages, desk.queue(held.queue)) else {
        return Err(format!("{id} is left as a message, and none may be left"));
    };
    let channel = &desk.settings().channels[usize::from(held.channel.0)].name;
    let in_place = left.queue.as_ref().is_none_or(|name| *name == queue.settings.name)
        && left.channel.as_ref().is_none_or(|name| name == channel);
    let fits = queue.waiting + queue.offered <= queue.settings.waiting_max && queue.settings.moves.draining.is_none();
    if in_place && fits { Ok(()) } else { Err(format!("{id} is left in {} on {channel}", queue.settings.name)) }
}

//! The judge's own reading of the clocks of service: each is set by its queue, breached at its time and once, and ends once.

use super::judge_seen::Talk;
use crate::desk::Desk;
use crate::desk::clocks::{Clock, ClockEnd};
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::time::{Now, WallTime};
use std::collections::BTreeMap;

/// Since when each runs, until when, and whether it was breached.
pub type Clocks = BTreeMap<Clock, (WallTime, WallTime, bool)>;

pub fn runs(event: &Event, talk: &mut Talk, now: Now, desk: &Desk) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {}", super::notation::event(event)));
    let is_person = talk.owner.and_then(|owner| desk.agent(owner)).is_some_and(|held| !held.profile.program);
    match event {
        Event::ClockSet { conversation, clock, queue, since, due } => {
            let service = desk.queue(*queue).map(|queue| queue.settings.service.clone()).unwrap_or_default();
            let own = desk.conversation(*conversation).is_some_and(|held| held.queue == *queue);
            let ms = service.ms(*clock).filter(|ms| own && since.0 + ms == due.0 && *since <= now.wall);
            if ms.is_none() {
                return wrong("not as its queue sets it");
            }
            let before = talk.clocks.get(clock).copied();
            if before.is_some_and(|(held, ..)| held != *since) {
                return wrong("it begins twice");
            }
            talk.clocks.insert(*clock, (*since, *due, before.is_some_and(|(.., breached)| breached)));
        }
        Event::ClockBreached { clock, .. } => match talk.clocks.get_mut(clock) {
            Some((_, due, breached)) if !*breached && *due <= now.wall => *breached = true,
            _ => return wrong("not due, or breached before"),
        },
        Event::ClockEnded { clock, end, late, took_ms, .. } => {
            let Some((since, due, breached)) = talk.clocks.remove(clock) else { return wrong("it did not run") };
            if breached != *late || (!late && due <= now.wall) || now.wall.0 - since.0 != *took_ms {
                return wrong("not as long as it ran");
            }
            let by_person = match clock {
                Clock::Accept => is_person,
                // A message of who talks here came just before.
                Clock::FirstReply | Clock::NextReply => talk.heard.silent_since_ms == Some(now.desk.0),
                Clock::Resolution => talk.owner.is_some(),
            };
            if *end == ClockEnd::Achieved && !by_person {
                return wrong("nobody did it");
            }
        }
        _ => {}
    }
    Ok(())
}

/// The talk is over.
pub fn none_outlives(id: ConversationId, talk: &Talk) -> Result<(), String> {
    if talk.clocks.is_empty() { Ok(()) } else { Err(format!("{id} is over, and {:?} run on", talk.clocks)) }
}

/// The desk has them as they were set.
pub fn are_as_set(id: ConversationId, talk: &Talk, desk: &Desk) -> Result<(), String> {
    let held = desk.conversation(id).map(|held| held.clocks()).unwrap_or_default();
    let held: Clocks = held.iter().map(|clock| (clock.clock, (clock.since, clock.due, clock.breached))).collect();
    if held == talk.clocks { Ok(()) } else { Err(format!("{id} has {held:?}, and they were set as {:?}", talk.clocks)) }
}

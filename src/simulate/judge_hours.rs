//! The judge's own reading of opening hours, written apart from the desk's: minutes of the day, in UTC, as the administrator
//! of the simulation sets them.

use super::judge_seen::Talk;
use crate::desk::Desk;
use crate::desk::hours::{Hours, Interval};
use crate::desk::ids::ConversationId;
use crate::desk::time::WallTime;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the settings say that it is open at this minute.
fn by_the_book(hours: &Hours, wall: WallTime) -> bool {
    let minute = wall.0 / 60_000;
    let (day, at) = (minute / 1_440, (minute % 1_440) as u16);
    let week = &hours.weekly;
    // The first day of 1970 was a Thursday.
    let of = |day: u64| -> &[Interval] {
        match day % 7 {
            0 => &week.thursday,
            1 => &week.friday,
            2 => &week.saturday,
            3 => &week.sunday,
            4 => &week.monday,
            5 => &week.tuesday,
            _ => &week.wednesday,
        }
    };
    let today = of(day).iter().any(|one| one.from <= at && (at < one.to || one.to < one.from));
    today || of(day + 6).iter().any(|one| one.to < one.from && at < one.to)
}

/// Its queue is closed, by the book.
pub fn is_closed(desk: &Desk, conversation: ConversationId) -> Result<(), String> {
    let talk = desk.conversation(conversation).ok_or_else(|| format!("{conversation} is not there"))?;
    let queue = desk.queue(talk.queue).ok_or_else(|| format!("{conversation} is in no queue"))?;
    let hours = queue.settings.hours.as_ref().and_then(|name| desk.settings().hours.get(name));
    let closed = hours.is_some_and(|hours| !by_the_book(hours, desk.now().wall));
    if closed { Ok(()) } else { Err(format!("{conversation} is treated as out of hours, and its queue is open")) }
}

/// It turns when the book says so.
pub fn turn_is_due(desk: &Desk, name: &str, open: bool) -> Result<(), String> {
    let hours = desk.settings().hours.get(name).ok_or_else(|| format!("{name} turns and is not there"))?;
    let right = by_the_book(hours, desk.now().wall) == open;
    if right { Ok(()) } else { Err(format!("{name} turns to open={open} at {:?}", desk.now().wall)) }
}

/// What is not due stands as the book says.
pub fn hours_are_by_the_book(desk: &Desk) -> Result<(), String> {
    for (name, hours) in &desk.settings().hours {
        let opening = desk.openings().get(name).ok_or_else(|| format!("nobody knows how {name} stands"))?;
        if opening.until > desk.now().wall && opening.open != by_the_book(hours, desk.now().wall) {
            return Err(format!("{name} stands as {opening:?} at {:?}", desk.now().wall));
        }
    }
    Ok(())
}

/// What was left begins to wait at no age. One that got an owner before keeps the age that it had.
pub fn those_left_begin(
    left: &mut BTreeSet<ConversationId>,
    talks: &mut BTreeMap<ConversationId, Talk>,
    desk: &Desk,
) -> Result<(), String> {
    for id in left.iter().copied().collect::<Vec<_>>() {
        let held = desk.conversation(id);
        if held.is_some_and(|held| !held.spell.left) {
            let talk = talks.get_mut(&id).ok_or_else(|| format!("{id} was never opened"))?;
            talk.waiting_since = desk.now().wall;
        }
        if held.is_none_or(|held| !held.spell.left || held.state.owner().is_some()) {
            left.remove(&id);
        }
    }
    Ok(())
}

/// At the end of a record: what was left and has not begun to wait is in a queue that is closed.
pub fn those_left_wait_for_opening(left: &BTreeSet<ConversationId>, desk: &Desk) -> Result<(), String> {
    left.iter().try_for_each(|id| is_closed(desk, *id))
}

//! Looking for who was forgotten: found where a wake-up was lost, and never otherwise.

use crate::desk::Desk;
use crate::desk::event::Event;
use crate::desk::needs::Loaded;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::simulate::notation;

fn tell(desk: &mut Desk, line: &str) -> Vec<Event> {
    let now = Now { desk: DeskTime(5), wall: WallTime(5_000) };
    let command = notation::command(line).unwrap_or_else(|why| panic!("{line}: {why}"));
    let mut events = Vec::new();
    desk.handle(now, &command, &Loaded::default(), &mut events).unwrap_or_else(|refusal| panic!("{line}: {refusal:?}"));
    events
}

#[test]
fn who_waits_beside_an_able_agent_is_found_and_nobody_else_is() {
    let mut desk = Desk::default();
    for line in ["admin queue support", "admin agent a0 queues=support", "a0 comes s0", "u1 opens chat in support"] {
        tell(&mut desk, line);
    }
    assert_eq!(desk.overlooked(), None, "nobody is available");
    let mut paired = desk.clone();
    let events = tell(&mut paired, "a0 sets available");
    assert_eq!(paired.overlooked(), None, "it was offered at once");
    // The same status without the pairing that follows it: a lost wake-up.
    desk.apply(&events[0]);
    assert_eq!(desk.overlooked(), Some(WallTime(5_000)));
}

//! Quotas of what the desk counts: exact, and never taken back from what is there.

use super::script::{desk_of, does, now};
use crate::desk::Desk;
use crate::desk::needs::Loaded;
use crate::desk::quota::Allowed;
use crate::desk::refusal::Refusal;
use crate::simulate::notation;

const QUEUE: &str = "admin queue support";

fn refused(desk: &mut Desk, ms: u64, line: &str) -> Option<Refusal> {
    let mut events = Vec::new();
    let command = notation::command(line).expect("a line");
    let refused = desk.handle(now(ms), &command, &Loaded::default(), &mut events).err();
    assert!(refused.is_none() || events.is_empty(), "a refusal leaves nothing behind: {events:?}");
    refused
}

#[test]
fn conversations_are_opened_up_to_the_quota_and_again_when_one_has_closed() {
    let mut desk = desk_of(1, QUEUE);
    desk.allow(Allowed { open_conversations: Some(2), ..Allowed::default() });
    assert_eq!(refused(&mut desk, 1, "u1 opens chat in support"), None);
    assert_eq!(refused(&mut desk, 2, "u2 opens chat in support"), None);
    let full = Some(Refusal::Quota { what: "open_conversations".into(), most: 2 });
    assert_eq!(refused(&mut desk, 3, "u3 opens chat in support"), full);
    assert_eq!(refused(&mut desk, 4, "u1 closes c1"), None);
    assert_eq!(refused(&mut desk, 5, "u3 opens chat in support"), None);
    assert_eq!((desk.open_conversations(), refused(&mut desk, 6, "u4 opens chat in support")), (2, full));
}

#[test]
fn agents_that_are_deactivated_make_room_and_who_comes_back_needs_it() {
    let mut desk = desk_of(2, QUEUE);
    desk.allow(Allowed { agents: Some(2), ..Allowed::default() });
    let full = Some(Refusal::Quota { what: "agents".into(), most: 2 });
    assert_eq!(refused(&mut desk, 1, "admin agent a2 queues=support"), full);
    assert_eq!(refused(&mut desk, 2, "a2 comes s2"), full, "nor by its token alone");
    assert_eq!(refused(&mut desk, 3, "admin agent a0 active=no"), None);
    assert_eq!(refused(&mut desk, 4, "a2 comes s2"), None);
    assert_eq!(refused(&mut desk, 5, "admin agent a0 active=yes"), full);
    assert_eq!(refused(&mut desk, 6, "admin agent a1 queues=support"), None, "who is there may be changed");
    assert_eq!(desk.active_agents(), 2);
}

#[test]
fn a_quota_that_is_lowered_takes_nothing_away() {
    let mut desk = desk_of(3, QUEUE);
    does(&mut desk, 1, "u1 opens chat in support");
    desk.allow(Allowed { agents: Some(1), open_conversations: Some(0) });
    assert_eq!((desk.active_agents(), desk.open_conversations()), (3, 1));
    assert_eq!(refused(&mut desk, 2, "a0 accepts o1"), None);
    assert_eq!(refused(&mut desk, 3, "u1 posts c1 again"), None);
}

//! What a turn remembers of commands that changed nothing.

use super::*;
use crate::desk::time::{DeskTime, WallTime};
use crate::simulate::notation;

/// A workspace with one agent, who is available.
fn room() -> Keeper {
    let mut keeper = Keeper::new(Desk::default(), Position(0));
    for line in ["admin queue support", "admin agent a0 queues=support", "a0 comes s0", "#1 a0 sets available"] {
        decided(&mut keeper, &[line]);
        let position = keeper.position().next();
        keeper.committed(position);
    }
    keeper
}

fn decided(keeper: &mut Keeper, lines: &[&str]) -> Decided<()> {
    let asked = lines.iter().map(|line| notation::command(line).expect("a line"));
    let mut asked: VecDeque<_> = asked.map(|command| Asked::untraced(command, ())).collect();
    let now = Now { desk: DeskTime(1_000), wall: WallTime(1_000_000) };
    let decided = keeper.decide(now, TurnId(1), &mut asked, &Loaded::default());
    assert!(asked.is_empty() && decided.replies.iter().all(|(_, result)| result.is_ok()), "{decided:?}");
    decided
}

fn ids(decided: &Decided<()>) -> Vec<u128> {
    decided.outcomes.iter().map(|outcome| outcome.id.0).collect()
}

#[test]
fn a_command_that_changed_nothing_writes_nothing_and_is_in_the_next_record() {
    let mut keeper = room();
    let idle = decided(&mut keeper, &["#2 a0 sets available"]);
    assert!(idle.record.is_none() && idle.outcomes.is_empty());
    let next = decided(&mut keeper, &["#3 a0 sets away"]);
    assert_eq!(ids(&next), [3, 2]);
    keeper.committed(next.position);
    assert_eq!(ids(&decided(&mut keeper, &["#4 a0 sets available"])), [4]);
}

#[test]
fn it_is_remembered_although_the_next_record_was_refused() {
    let mut keeper = room();
    let committed = keeper.clone();
    decided(&mut keeper, &["#2 a0 sets available"]);
    decided(&mut keeper, &["#3 a0 sets away", "#5 a0 sets away"]);
    // The append is refused: the state is dropped and loaded again.
    let mut again = committed;
    again.go_on_with(keeper.take_told());
    let next = decided(&mut again, &["#4 a0 sets away", "#2 a0 sets available"]);
    assert_eq!((next.events.len(), ids(&next)), (1, vec![4, 2, 2]));
}

#[test]
fn those_that_wait_for_a_record_are_bounded() {
    let mut keeper = room();
    let lines: Vec<String> = (2..).map(|id| format!("#{id} a0 sets available")).take(TOLD_MAX).collect();
    for line in &lines {
        assert!(decided(&mut keeper, &[line]).record.is_none());
    }
    let full = decided(&mut keeper, &["#1000 a0 sets available"]);
    assert!(full.record.is_some() && full.events.is_empty());
    assert_eq!(full.outcomes.len(), TOLD_MAX + 1);
    keeper.committed(full.position);
    assert!(decided(&mut keeper, &["#1001 a0 sets available"]).record.is_none());
}

/// The largest part that the gateway lets through, behind a turn that is about to be closed.
#[test]
fn the_largest_import_fits_a_record_beside_all_that_a_turn_decides_before_it() {
    use crate::desk::ids::{CommandId, CustomerId, ImportId, KeyNumber, Principal, QueueId};
    use crate::desk::imported::{Beginning, By, ENTRIES_MAX, Entry, ImportAsk, Part, Rated, TEXTS_BYTES_MAX};
    use crate::desk::labels::{LABELS_BYTES_MAX, LabelChange};
    use crate::desk::settings::ChannelId;
    // A sealed text is base64 of the text and of what sealing adds.
    let sealed = |bytes: usize| "x".repeat(bytes * 4 / 3 + 100);
    let each = TEXTS_BYTES_MAX / ENTRIES_MAX;
    let entry = |_| Entry { at: WallTime(u64::MAX >> 1), by: By::Customer, text: sealed(each).into() };
    let beginning = Beginning {
        customer: CustomerId(u128::MAX),
        key: KeyNumber(u64::MAX),
        channel: ChannelId(0),
        queue: QueueId(1),
        owner: None,
        about: sealed(2 * (4_096 + 1_024) + 1_024).into(),
        labels: LabelChange::default(),
        opened_at: WallTime(1),
        closed_at: WallTime(u64::MAX >> 1),
        rating: Some(Rated { score: 5, comment: Some(sealed(2_000).into()) }),
    };
    let entries: Vec<Entry> = (0..ENTRIES_MAX).map(entry).collect();
    let import = ImportId(u128::MAX);
    let ask = ImportAsk { import, part: Part::First(Box::new(beginning)), entries };
    let command = Command {
        principal: Principal::Visitor,
        id: Some(CommandId(7)),
        fingerprint: 0,
        ask: Ask::Import(Box::new(ask)),
    };
    let mut keeper = room();
    let mut asked = VecDeque::from([Asked::untraced(command, ())]);
    let now = Now { desk: DeskTime(1_000), wall: WallTime(1_000_000) };
    let decided = keeper.decide(now, TurnId(1), &mut asked, &Loaded::default());
    assert!(decided.replies.iter().all(|(_, result)| result.is_ok()), "{:?}", decided.replies);
    let bytes = decided.record.expect("a record").body.len();
    assert!(bytes + LABELS_BYTES_MAX + TURN_BYTES <= RECORD_BYTES_MAX, "{bytes}");
    let counted: usize = decided.events.iter().map(bytes_of).sum();
    assert!(counted >= bytes * 9 / 10, "{counted} of {bytes} are counted");
}

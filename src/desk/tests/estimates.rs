//! The estimate of a wait as the desk gives it: from what was accepted, and not when nothing can be said.

use super::script::{desk_of, does};
use crate::desk::Desk;
use crate::desk::estimates::{ENOUGH, Estimate};
use crate::desk::estimating::Class;
use crate::desk::event::Event;
use crate::desk::ids::{ConversationId, QueueId};
use crate::desk::settings::ChannelId;
use crate::desk::touched::Touched;

/// One after the other waits for the one agent, for 10 s each.
fn serve(desk: &mut Desk, at: &mut u64, times: usize) {
    for _ in 0..times {
        does(desk, *at, "u1 opens chat in support");
        *at += 10_000;
        let active = desk.owners().next().expect("somebody is served").0;
        let made = does(desk, *at, &format!("admin closes {active}"));
        let offer = made.iter().find_map(|event| match event {
            Event::OfferMade { offer, .. } => Some(*offer),
            _ => None,
        });
        does(desk, *at, &format!("a0 accepts {}", offer.expect("the next is offered")));
    }
}

fn everything(desk: &Desk) -> Touched {
    Touched {
        settings: true,
        queues: desk.queues().map(|(id, _)| id).collect(),
        agents: desk.agents().map(|(id, _)| id).collect(),
        offers: desk.offers().map(|(id, _)| id).collect(),
        estimates: [Class { queue: QueueId(1), channel: ChannelId(0), priority: 0 }].into(),
        ..Touched::default()
    }
}

fn busy_desk() -> (Desk, u64) {
    let mut desk = desk_of(1, "admin queue support");
    does(&mut desk, 0, "admin agent a0 capacity=chat:1");
    does(&mut desk, 0, "u1 opens chat in support");
    does(&mut desk, 0, "a0 accepts o1");
    (desk, 1_000)
}

#[test]
fn an_estimate_is_given_when_enough_waits_have_ended_and_not_while_nobody_is_there() {
    let (mut desk, mut at) = busy_desk();
    serve(&mut desk, &mut at, ENOUGH - 1);
    assert_eq!(desk.estimates_in(QueueId(1)), []);
    serve(&mut desk, &mut at, 1);
    does(&mut desk, at, "u2 opens chat in support");
    let waiting = desk.last_conversation();
    let of = |place: u32| Some(Estimate { p50_ms: 10_000 * place, p90_ms: 10_000 * place });
    let known = desk.estimates_of(desk.waiting_with_class(QueueId(1))[0].1).expect("enough is known");
    assert_eq!((known.at(1), known.at(3)), (of(1), of(3)));
    assert_eq!(desk.conversation(waiting).expect("it waits").spell.said.estimate(), of(1));
    let row = &desk.estimates_in(QueueId(1))[0];
    assert_eq!((row.place, row.estimate, row.past_error), (2, of(2).expect("some"), None));
    // What became of it is told by the next rows.
    at += 12_000;
    let active = desk.owners().next().expect("somebody is served").0;
    does(&mut desk, at, &format!("admin closes {active}"));
    let offer = desk.offers().next().expect("the next is offered").0;
    does(&mut desk, at, &format!("a0 accepts {offer}"));
    let error = desk.estimates_in(QueueId(1))[0].past_error.expect("one has ended");
    assert_eq!((error.of, error.under_p50_percent, error.median_error_ms), (1, 0, Some(2_000)));
    desk.check().expect("the invariants");
    does(&mut desk, at, "a0 sets away");
    assert_eq!(desk.estimates_in(QueueId(1)), []);
}

#[test]
fn who_found_an_agent_free_teaches_nothing_and_estimates_are_there_again_after_a_load() {
    let mut desk = desk_of(1, "admin queue support");
    for nth in 1..=50 {
        does(&mut desk, nth * 1_000, "u1 opens chat in support");
        let (conversation, offer) = (desk.last_conversation(), desk.offers().next().expect("offered at once").0);
        does(&mut desk, nth * 1_000 + 500, &format!("a0 accepts {offer}"));
        does(&mut desk, nth * 1_000 + 500, &format!("admin closes {conversation}"));
    }
    assert_eq!(desk.estimates_in(QueueId(1)), []);
    let (mut desk, mut at) = busy_desk();
    serve(&mut desk, &mut at, 30);
    let rows = desk.rows(&everything(&desk), desk.now());
    let rows = rows.iter().filter_map(|row| Some((row.kind, row.id.as_str(), row.body.as_deref()?)));
    let open: Vec<(ConversationId, _)> = desk.conversations().map(|(id, held)| (id, held.clone())).collect();
    let loaded = Desk::from_rows(rows, open).expect("rows of ours");
    assert_eq!(loaded.difference(&desk), None);
    assert!(!loaded.estimates_in(QueueId(1)).is_empty());
}

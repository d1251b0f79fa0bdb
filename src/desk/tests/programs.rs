//! Programs as agents: their offers, their capacity, and their place after the people of their tier.

use super::script::{check, desk_of, does};
use crate::desk::event::Event;
use crate::desk::settings::HELD_MAX;

#[test]
fn an_offer_to_a_program_runs_five_seconds() {
    check(
        r#"
given 1 agents
admin agent a0 program=yes
  -> put a0
  a0 put program queues=[q1] skills=-
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 5s deliver 2.5s
a0 delivered o1
  -> done
  o1 delivered
+5s
  o1 expired c1 a0 cool=65s
"#,
    );
}

#[test]
fn programs_come_after_the_people_of_their_tier_and_never_between_them() {
    let mut desk = desk_of(4, "admin queue support");
    // Idle the longest, and a program from now on.
    does(&mut desk, 0, "admin agent a0 program=yes capacity=chat:50");
    let mut asked = Vec::new();
    for nth in 1..=4 {
        let events = does(&mut desk, nth, &format!("u{nth} opens voice in support"));
        asked.extend(events.iter().filter_map(|event| match event {
            Event::OfferMade { agent, .. } => Some(agent.0),
            _ => None,
        }));
    }
    assert_eq!(asked, [1, 2, 3, 0]);
    // In a lower tier than theirs, it comes before them.
    does(&mut desk, 5, "admin agent a1 tiers=support:2");
    let events = does(&mut desk, 5, "u5 opens email in support");
    assert!(events.iter().all(|event| !matches!(event, Event::OfferMade { agent, .. } if agent.0 == 1)));
}

/// Whoever is asked for a conversation that is opened now.
fn asked(desk: &mut crate::desk::Desk, ms: u64, line: &str) -> Vec<u32> {
    let made = does(desk, ms, line);
    made.iter()
        .filter_map(|event| if let Event::OfferMade { agent, .. } = event { Some(agent.0) } else { None })
        .collect()
}

const PROGRAMS_FIRST: &str =
    r#"admin queue support offering={"programs_first":true,"rings":[{"after_ms":10000,"people":true}]}"#;

#[test]
fn programs_come_first_and_people_from_the_ring_that_lets_them_in() {
    let mut desk = desk_of(2, PROGRAMS_FIRST);
    does(&mut desk, 0, "admin agent a1 program=yes capacity=chat:1");
    assert_eq!(asked(&mut desk, 1, "u1 opens chat in support"), [1]);
    does(&mut desk, 2, "a1 accepts o1");
    // The program is full: it is waited for, until the ring.
    assert_eq!(asked(&mut desk, 2, "u2 opens chat in support"), Vec::<u32>::new());
    assert_eq!(asked(&mut desk, 10_001, "server tick"), Vec::<u32>::new());
    assert_eq!(asked(&mut desk, 10_002, "server tick"), [0]);
    desk.check().expect("the invariants");
}

#[test]
fn people_have_it_at_once_while_no_program_could_take_it() {
    // None is there.
    let mut desk = desk_of(2, PROGRAMS_FIRST);
    assert_eq!(asked(&mut desk, 1, "u1 opens chat in support"), [0]);
    // One is there without the skill.
    does(&mut desk, 1, "admin agent a1 program=yes capacity=chat:2");
    does(&mut desk, 1, "admin agent a0 skills=french:5");
    assert_eq!(asked(&mut desk, 2, "u2 opens chat in support skills=french:3"), [0]);
    // One that says no, with another that is away.
    let asked_first = asked(&mut desk, 3, "u3 opens chat in support");
    let offer = desk.offers().map(|(id, _)| id).last().expect("an offer");
    assert_eq!((asked_first, asked(&mut desk, 4, &format!("a1 rejects {offer} not_mine"))), (vec![1], vec![0]));
    desk.check().expect("the invariants");
}

#[test]
fn the_last_program_that_leaves_lets_people_in_and_one_that_comes_back_is_first_again() {
    let mut desk = desk_of(2, PROGRAMS_FIRST);
    does(&mut desk, 0, "admin agent a1 program=yes capacity=chat:1");
    assert_eq!(asked(&mut desk, 1, "u1 opens chat in support"), [1]);
    assert_eq!(asked(&mut desk, 2, "u2 opens chat in support"), Vec::<u32>::new());
    assert_eq!(asked(&mut desk, 3, "a1 sets away"), [0, 0], "both, at once");
    does(&mut desk, 4, "a0 sets away");
    assert_eq!(asked(&mut desk, 5, "u3 opens chat in support"), Vec::<u32>::new());
    does(&mut desk, 6, "a1 sets available");
    let offered: Vec<u32> = desk.offers().map(|(_, offer)| offer.agent.0).collect();
    assert_eq!(offered, [1]);
    // Full again, it keeps the others for itself, though a person is there.
    assert_eq!(asked(&mut desk, 7, "a0 sets available"), Vec::<u32>::new());
    desk.check().expect("the invariants");
}

#[test]
fn programs_first_without_a_ring_that_lets_people_in_is_refused() {
    check(
        r#"
admin queue support offering={"programs_first":true,"rings":[{"after_ms":10000}]}
  -> refused bad_setting field=offering.programs_first: offering.programs_first: a ring must let people in in the end (people = true), or somebody could wait for programs for ever
"#,
    );
}

#[test]
fn a_program_holds_two_hundred_chats_at_once() {
    let mut desk = desk_of(2, "admin queue support");
    does(&mut desk, 0, "admin agent a0 program=yes capacity=chat:200");
    does(&mut desk, 0, "admin agent a1 active=no");
    for nth in 1..=250 {
        for event in does(&mut desk, nth, &format!("u{nth} opens chat in support")) {
            if let Event::OfferMade { offer, agent, .. } = event {
                does(&mut desk, nth, &format!("{agent} accepts {offer}"));
            }
        }
    }
    let held: Vec<usize> = desk.agents().map(|(_, agent)| agent.conversations.len()).collect();
    assert_eq!(held, [200, 0]);
    desk.check().expect("the invariants");
}

#[test]
fn a_total_of_its_own_goes_before_the_hundred() {
    let mut desk = desk_of(1, "admin queue support");
    does(&mut desk, 0, "admin agent a0 total=70 capacity=chat:9");
    for nth in 1..=9 {
        does(&mut desk, nth, &format!("u{nth} opens chat in support"));
    }
    let pending = |desk: &crate::desk::Desk| desk.offers().count();
    assert_eq!(pending(&desk), 2);
    does(&mut desk, 20, "admin agent a0 total=200");
    assert_eq!(pending(&desk), 6);
    let agent = desk.agents().next().expect("an agent").1;
    assert_eq!(agent.share_held(desk.settings()), 9_900);
}

#[test]
fn no_agent_holds_more_than_five_hundred() {
    let mut desk = desk_of(1, "admin queue support");
    does(&mut desk, 0, "admin agent a0 program=yes total=100000 capacity=chat:10000");
    for nth in 1..=u64::from(HELD_MAX) + 20 {
        does(&mut desk, nth, &format!("u{nth} opens chat in support"));
    }
    assert_eq!(desk.offers().count(), HELD_MAX as usize);
    desk.check().expect("the invariants");
}

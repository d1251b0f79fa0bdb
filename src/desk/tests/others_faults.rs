//! Faults that other routers had, by name: none of them here.

use super::script::{check, desk_of, does, now};
use crate::desk::command::{Ask, Command};
use crate::desk::conversation::State;
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, OfferId};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;

#[test]
fn of_twenty_who_accept_one_conversation_at_once_one_has_it() {
    let mut desk = desk_of(20, r#"admin queue support offering={"offer_to_at_most":20}"#);
    for round in 1..=10_000_u64 {
        let made = does(&mut desk, round, "u1 opens chat in support");
        let offers: Vec<(OfferId, AgentId)> = made
            .iter()
            .filter_map(|event| match event {
                Event::OfferMade { offer, agent, .. } => Some((*offer, *agent)),
                _ => None,
            })
            .collect();
        assert_eq!(offers.len(), 20);
        let mut won = Vec::new();
        // Everybody answers in the same turn, each round in another order.
        for nth in 0..20 {
            let (offer, agent) = offers[(nth * 7 + round as usize) % 20];
            let accept = Command::of_server(Ask::Accept { agent, offer });
            match desk.handle(now(round), &accept, &Loaded::default(), &mut Vec::new()) {
                Ok(_) => won.push(agent),
                Err(refusal) => assert_eq!(refusal, Refusal::OfferGone { offer, end: OfferEnd::Rescinded }),
            }
        }
        if round % 100 == 0 {
            desk.check().expect("the invariants");
        }
        assert_eq!(won.len(), 1);
        let owned: Vec<_> = desk.owners().collect();
        assert_eq!(owned, [(desk.last_conversation(), won[0])]);
        assert!(
            desk.agents()
                .all(|(id, agent)| agent.offers.is_empty() && agent.conversations.is_empty() != (id == won[0]))
        );
        let conversation = desk.last_conversation();
        does(&mut desk, round, &format!("admin closes {conversation}"));
    }
}

#[test]
fn an_unavailable_agent_at_the_end_of_the_order_takes_nothing_and_hides_nobody() {
    let mut desk = desk_of(3, "admin queue support");
    does(&mut desk, 1, "a2 sets away");
    for customer in 1..=7 {
        does(&mut desk, 2, &format!("u{customer} opens chat in support"));
        desk.check().expect("the invariants");
    }
    assert!(desk.agents().all(|(id, agent)| agent.offers.len() == if id == AgentId(2) { 0 } else { 3 }));
    // Back again, it is next, though it was last in every order.
    does(&mut desk, 3, "a2 sets available");
    assert_eq!(desk.agents().map(|(_, agent)| agent.offers.len()).collect::<Vec<_>>(), [3, 3, 1]);
}

#[test]
fn an_agent_who_was_reserved_is_free_again_when_another_took_it() {
    let mut desk = desk_of(2, r#"admin queue support offering={"offer_to_at_most":2}"#);
    for round in 0..50 {
        let customer = round + 1;
        does(&mut desk, round, &format!("u{customer} opens voice in support"));
        let offer = desk.offers().map(|(id, _)| id).next().expect("an offer");
        let agent = desk.offer(offer).expect("is pending").agent;
        does(&mut desk, round, &format!("{agent} accepts {offer}"));
        let other = AgentId(1 - agent.0);
        let held = desk.agent(other).expect("an agent");
        assert!(held.load.is_empty() && held.offers.is_empty(), "{held:?}");
        let conversation = desk.last_conversation();
        does(&mut desk, round, &format!("admin closes {conversation}"));
        does(&mut desk, round, &format!("{agent} done {conversation}"));
        desk.check().expect("the invariants");
    }
}

#[test]
fn a_limit_of_three_holds_under_a_burst_of_a_thousand() {
    let mut desk = desk_of(10, "admin queue support");
    for customer in 1..=1_000 {
        does(&mut desk, 1, &format!("u{customer} opens chat in support"));
        assert!(desk.agents().all(|(_, agent)| agent.offers.len() + agent.conversations.len() <= 3));
    }
    desk.check().expect("the invariants");
    let mut served = 30;
    loop {
        let pending = desk.offers().next().map(|(id, offer)| (id, offer.clone()));
        let Some((offer, held)) = pending else { break };
        does(&mut desk, 2, &format!("{} accepts {offer}", held.agent));
        let made = does(&mut desk, 2, &format!("admin closes {}", held.conversation));
        served += made.iter().filter(|event| matches!(event, Event::OfferMade { .. })).count();
        assert!(desk.agents().all(|(_, agent)| agent.offers.len() + agent.conversations.len() <= 3));
    }
    assert_eq!((served, desk.conversations().filter(|(_, held)| held.state == State::Waiting).count()), (1_000, 0));
    desk.check().expect("the invariants");
}

/// Elsewhere, wrap-up was kept for each queue: an agent who wrapped up for one was offered conversations of its others.
#[test]
fn wrap_up_in_several_queues_is_one_wrap_up_of_one_agent() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=10000 wrap_up={"blocks":"agent"}
  -> put q1
  q1 put as support
admin queue sales wrap_up_ms=30000
  -> put q2
  q2 put as sales
admin agent a0 queues=support,sales capacity=chat:2
  -> put a0
  a0 put queues=[q1, q2] skills=-
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in sales
  -> opened c2 u2
  c2 opened u2 q2
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s blocks=agent
a0 closes c2
  -> done
  c2 ended a0 wrap_up=30s
u3 opens chat in sales
  -> opened c3 u3
  c3 opened u3 q2
u4 opens chat in support
  -> opened c4 u4
  c4 opened u4 q1
+10s
  c1 wrap_up over a0 time_over
  o3 made c3 a0 ends 40s deliver 15s
admin why a0
  -> why a0 waiting=support/chat:1xc4:channel_full
+20s
  o3 undelivered c3 a0 cool=60s
  c2 wrap_up over a0 time_over
  o4 made c4 a0 ends 60s deliver 35s
"#,
    );
}

#[test]
fn a_transfer_to_a_full_queue_loses_nothing() {
    let mut desk = desk_of(1, "admin queue support");
    does(&mut desk, 0, "admin queue sales max=1");
    does(&mut desk, 1, "u1 opens chat in sales");
    for round in 2..=50 {
        does(&mut desk, round, "u2 opens chat in support");
        let conversation = desk.last_conversation();
        let offer = desk.offers().map(|(id, _)| id).next().expect("an offer");
        does(&mut desk, round, &format!("a0 accepts {offer}"));
        let made = does(&mut desk, round, &format!("a0 queues {conversation} in sales"));
        assert!(made.is_empty(), "{made:?}");
        let held = desk.conversation(conversation).expect("it is there");
        assert_eq!(held.state, State::Active { owner: AgentId(0) });
        does(&mut desk, round, &format!("a0 closes {conversation}"));
        desk.check().expect("the invariants");
    }
}

#[test]
fn a_conversation_that_is_closed_twice_ends_once() {
    let mut desk = desk_of(2, "admin queue support wrap_up_ms=5000");
    for round in 1..=50 {
        does(&mut desk, round, "u1 opens chat in support");
        let conversation = desk.last_conversation();
        let (offer, agent) = desk.offers().map(|(id, offer)| (id, offer.agent)).next().expect("an offer");
        does(&mut desk, round, &format!("{agent} accepts {offer}"));
        let other = AgentId(1 - agent.0);
        does(&mut desk, round, &format!("{agent} transfers {conversation} to {other} warm"));
        // All at once: its owner, its customer, an administrator, and its owner again.
        let closers = [format!("{agent}"), "u1".into(), "admin".into(), format!("{agent}")];
        let mut made = Vec::new();
        for closer in closers {
            made.extend(does(&mut desk, round, &format!("{closer} closes {conversation}")));
        }
        let ends = made.iter().filter(|event| matches!(event, Event::ConversationEnded { .. })).count();
        assert_eq!(ends, 1, "{made:?}");
        does(&mut desk, round, &format!("{agent} done {conversation}"));
        does(&mut desk, round, &format!("{agent} done {conversation}"));
        assert!(desk.agents().all(|(_, held)| held.load.is_empty() && held.offers.is_empty()));
        desk.check().expect("the invariants");
    }
}

#[test]
fn reopened_with_its_owner_away_it_goes_to_whoever_is_there() {
    for moves in ["{}", r#"{"reopened_for":"old_owner"}"#] {
        let mut desk = desk_of(2, &format!("admin queue support wrap_up_ms=5000 moves={moves}"));
        does(&mut desk, 1, "u1 opens chat in support");
        does(&mut desk, 1, "a0 accepts o1");
        does(&mut desk, 1, "a0 closes c1");
        does(&mut desk, 1, "a0 signs_out");
        let made = does(&mut desk, 1, "u1 posts c1 one more thing");
        let to = made.iter().find_map(|event| match event {
            Event::OfferMade { agent, .. } => Some(*agent),
            _ => None,
        });
        assert_eq!(to, Some(AgentId(1)), "{made:?}");
        desk.check().expect("the invariants");
    }
}

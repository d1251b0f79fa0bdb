//! Queues that are decided from outside: what is asked, how it ends, and that nobody waits for an outside that is silent.

use super::script::{check, desk_of, does, now};
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::decision::{CANDIDATES_MAX, DECISIONS_PAGE_MAX, DECISIONS_PENDING_MAX, DecisionEnd, Decisions};
use crate::desk::event::Event;
use crate::desk::ids::DecisionId;
use crate::desk::needs::Loaded;
use crate::simulate::notation;

const OUTSIDE: &str = r#"admin queue support offering={"router":{"by":"outside","within_ms":2000}}"#;

#[test]
fn the_outside_names_an_agent_who_fits_and_a_failed_offer_is_asked_about_anew() {
    check(
        r#"
given 2 agents
admin queue support offering={"router":{"by":"outside","within_ms":2000}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  d1 wanted c1 a0 until 2s
router lists -
  -> decisions d1:c1=a0:3,a1:3
router lists d1
  -> decisions
router decides c1 d1 to=a1 from=a0
  -> refused owner_changed field=expected_owner: c1 is now owned by nobody
router decides c1 d1 to=a1
  -> decided c1 o1
  d1 decided c1 to=a1 by=router
  o1 made c1 a1 ends 30s deliver 5s
router lists d1
  -> decisions d1=decided
router decides c1 d1 to=a0
  -> refused decision_gone field=decision: the decision d1 has ended: decided
a1 delivered o1
  -> done
  o1 delivered
a1 rejects o1 busy
  -> done
  o1 rejected c1 a1 reason=busy cool=30s
  d2 wanted c1 a0 until 2s
router decides c1 d2 to=a1
  -> refused agent_unable field=agent: the agent "a1" cannot take it: cooling_down
router decides c1 d3 to=a0
  -> refused no_such_decision field=decision: there is no decision d3 about this conversation
router leaves c1 d2
  -> done
  d2 left c1 by=router
  o2 made c1 a0 ends 30s deliver 5s
admin why c1
  -> why c1 offered next_by=outside last=d2:left by=router offered_to=a0 first=a0 excluded=a1:cooling_down
"#,
    );
}

#[test]
fn while_the_outside_is_silent_offhook_decides_by_itself_and_a_late_answer_hears_so() {
    check(
        r#"
given 1 agents
admin queue support offering={"router":{"by":"outside","within_ms":2000}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  d1 wanted c1 a0 until 2s
+2s
  d1 silent c1
  o1 made c1 a0 ends 32s deliver 7s
router decides c1 d1 to=a0
  -> refused decision_gone field=decision: the decision d1 has ended: silent
+5s
  o1 undelivered c1 a0 cool=37s
+30s
  d2 wanted c1 a0 until 39s
"#,
    );
}

#[test]
fn what_nobody_could_take_when_the_outside_fell_silent_is_offhooks_when_somebody_can() {
    check(
        r#"
given 1 agents
admin queue support offering={"router":{"by":"outside","within_ms":2000}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  d1 wanted c1 a0 until 2s
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
router decides c1 d1 to=a0
  -> refused agent_unable field=agent: the agent "a0" cannot take it: status_not_available
+2s
  d1 silent c1
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 32s deliver 7s
"#,
    );
}

#[test]
fn no_more_is_asked_than_agents_have_room_for_and_other_queues_need_not_wait() {
    check(
        r#"
given 1 agents
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
admin queue support offering={"router":{"by":"outside","within_ms":2000}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  d1 wanted c1 a0 until 2s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
admin why c2
  -> why c2 waiting next_by=outside excluded=a0:decision_pending
admin why c1
  -> why c1 waiting next_by=outside pending=d1 first=a0
u1 closes c1
  -> done
  d1 withdrawn c1
  c1 ended u1
  d2 wanted c2 a0 until 2s
admin queue sales
  -> put q2
  q2 put as sales
admin agent a0 queues=support,sales
  -> put a0
  a0 put queues=[q1, q2] skills=-
u3 opens chat in sales
  -> opened c3 u3
  c3 opened u3 q2
  o1 made c3 a0 ends 30s deliver 5s
router decides c2 d2 to=a0
  -> refused agent_unable field=agent: the agent "a0" cannot take it: channel_full
"#,
    );
}

#[test]
fn a_queue_that_goes_back_to_offhook_is_looked_at_again_at_once() {
    check(
        r#"
given 2 agents
admin queue support offering={"router":{"by":"outside","within_ms":2000}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  d1 wanted c1 a0 until 2s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  d2 wanted c2 a0 until 2s
admin queue support
  -> put q1
  d1 withdrawn c1
  d2 withdrawn c2
  q1 put as support
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c2 a1 ends 30s deliver 5s
"#,
    );
}

#[test]
fn what_is_picked_while_the_outside_is_asked_is_its_no_more() {
    check(
        r#"
given 2 agents
admin queue support moves={"pick":true} offering={"router":{"by":"outside","within_ms":2000}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  d1 wanted c1 a0 until 2s
a1 picks c1
  -> taken c1
  d1 withdrawn c1
  c1 picked a1
router decides c1 d1 to=a0
  -> refused owner_changed field=expected_owner: c1 is now owned by a1
router decides c1 d1 to=a0 from=a1
  -> refused decision_gone field=decision: the decision d1 has ended: withdrawn
"#,
    );
}

#[test]
fn a_pending_decision_outlives_a_restart_and_so_does_how_it_ended() {
    check(
        r#"
given 1 agents
admin queue support offering={"router":{"by":"outside","within_ms":2000}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  d1 wanted c1 a0 until 2s
restart
+2s
  d1 silent c1
  o1 made c1 a0 ends 32s deliver 7s
restart
router decides c1 d1 to=a0
  -> refused decision_gone field=decision: the decision d1 has ended: silent
"#,
    );
}

#[test]
fn the_time_of_the_outside_is_checked() {
    check(
        r#"
admin queue support offering={"router":{"by":"outside","within_ms":50}}
  -> refused bad_setting field=offering.router.within_ms: offering.router.within_ms: 100 to 60000 (a minute)
"#,
    );
}

#[test]
fn beyond_the_most_that_are_pending_offhook_decides_by_itself() {
    let mut desk = desk_of(200, OUTSIDE);
    for nth in 1..=DECISIONS_PENDING_MAX {
        let events = does(&mut desk, 1, &format!("u{nth} opens chat in support"));
        assert!(matches!(events.last(), Some(Event::DecisionWanted { .. })), "{events:?}");
    }
    let events = does(&mut desk, 1, "u999 opens chat in support");
    let [_, Event::DecisionEnded { end: DecisionEnd::Crowded, .. }, Event::OfferMade { .. }] = &events[..] else {
        panic!("{events:?}");
    };
    desk.check().expect("the invariants");
    // All at once when the time is up, in steps.
    for _ in 0..4 {
        does(&mut desk, 3_000, "server tick");
    }
    assert_eq!((desk.decisions().count(), desk.offers().count()), (0, DECISIONS_PENDING_MAX + 1));
    desk.check().expect("the invariants");
}

fn listed(desk: &mut Desk, line: &str) -> Decisions {
    let command = notation::command(line).expect("a line");
    match desk.handle(now(1), &command, &Loaded::default(), &mut Vec::new()) {
        Ok(Answer::Decisions(decisions)) => *decisions,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_wanted_is_listed_in_pages_with_the_first_candidates() {
    let mut desk = desk_of(60, OUTSIDE);
    for nth in 1..=25 {
        does(&mut desk, 1, &format!("u{nth} opens chat in support"));
    }
    let first = listed(&mut desk, "router lists -");
    assert_eq!((first.wanted.len(), first.more), (DECISIONS_PAGE_MAX, true));
    assert!(first.wanted.iter().all(|wanted| wanted.candidates.len() == CANDIDATES_MAX && wanted.more_candidates));
    assert_eq!((first.wanted[0].waiting, first.wanted[0].ends_in_ms), (25, 2_000));
    does(&mut desk, 1, "u3 closes c3");
    let known: Vec<String> = first.wanted.iter().map(|wanted| wanted.decision.to_string()).collect();
    let rest = listed(&mut desk, &format!("router lists {}", known.join(",")));
    assert_eq!((rest.wanted.len(), rest.more), (5, false));
    assert_eq!(rest.ended.len(), 1);
    assert_eq!((rest.ended[0].decision, rest.ended[0].end), (DecisionId(3), Some(DecisionEnd::Withdrawn)));
}

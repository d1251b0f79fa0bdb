//! Answers that come late, twice, from another agent, or to nothing.

use super::script::check;

#[test]
fn the_winner_who_accepts_again_hears_the_same() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
#1 a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
#1 a0 accepts o1
  -> accepted c1
#2 a0 accepts o1
  -> accepted c1
",
    );
}

#[test]
fn a_late_answer_names_the_end() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=30s
  o2 made c1 a1 ends 30s deliver 5s
a0 accepts o1
  -> refused offer_gone field=offer: the offer o1 has ended: rejected
a0 rejects o1 busy
  -> refused offer_gone field=offer: the offer o1 has ended: rejected
a0 delivered o1
  -> refused offer_gone field=offer: the offer o1 has ended: rejected
a1 delivered o2
  -> done
  o2 delivered
+30s
  o2 expired c1 a1 cool=90s
  o3 made c1 a0 ends 60s deliver 35s
a1 accepts o2
  -> refused offer_gone field=offer: the offer o2 has ended: expired
",
    );
}

#[test]
fn a_late_answer_names_the_end_after_a_restart_too() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=30s
restart
server began
  -> done
  server began, grace until 60s offers 10s
a0 accepts o1
  -> refused offer_gone field=offer: the offer o1 has ended: rejected
",
    );
}

#[test]
fn an_offer_is_answered_by_its_own_agent_alone() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a1 accepts o1
  -> refused not_your_offer field=offer: the offer o1 was made to another agent
a1 rejects o1 busy
  -> refused not_your_offer field=offer: the offer o1 was made to another agent
a1 delivered o1
  -> refused not_your_offer field=offer: the offer o1 was made to another agent
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a1 accepts o1
  -> refused not_your_offer field=offer: the offer o1 was made to another agent
",
    );
}

#[test]
fn an_offer_that_was_never_made_is_no_offer() {
    check(
        r"
given 1 agents
a0 accepts o1
  -> refused no_such_offer field=offer: there is no offer o1
a0 delivered o9
  -> refused no_such_offer field=offer: there is no offer o9
",
    );
}

#[test]
fn a_reason_must_be_one_of_the_workspaces() {
    check(
        r#"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 rejects o1 tired
  -> refused no_such_reason field=reason: no reason code "tired" is set for this workspace
"#,
    );
}

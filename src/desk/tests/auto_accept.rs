//! Accepting by itself: only what was shown, after its time, and as what it is.

use super::script::check;

#[test]
fn an_offer_that_was_shown_is_accepted_by_itself_after_its_time() {
    check(
        r#"
given 2 agents
admin queue support offering={"auto_accept_ms":4000,"offer_to_at_most":2}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c1 a1 ends 30s deliver 5s
+2s
a1 delivered o2
  -> done
  o2 delivered accepts=6s
a1 delivered o2
  -> done
+3s
  o1 undelivered c1 a0 cool=35s
restart
+1s
  o2 accepted c1 a1 reason=auto_accept
a1 accepts o2
  -> accepted c1
a1 closes c1
  -> done
  c1 ended a1
"#,
    );
}

#[test]
fn others_who_were_asked_at_once_are_rescinded_and_an_answer_goes_before_it() {
    check(
        r#"
given 2 agents
admin queue support offering={"auto_accept_ms":4000,"offer_to_at_most":2}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c1 a1 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered accepts=4s
+1s
a1 delivered o2
  -> done
  o2 delivered accepts=5s
+3s
  o2 rescinded c1 a1
  o1 accepted c1 a0 reason=auto_accept
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o3 made c2 a1 ends 34s deliver 9s
  o4 made c2 a0 ends 34s deliver 9s
a1 delivered o3
  -> done
  o3 delivered accepts=8s
a1 rejects o3 busy
  -> done
  o3 rejected c2 a1 reason=busy cool=34s
a0 accepts o4
  -> accepted c2
  o4 accepted c2 a0
+5s
"#,
    );
}

#[test]
fn one_whose_own_end_comes_first_expires() {
    check(
        r#"
given 1 agents
admin queue support offer_ms=5000 offering={"auto_accept_ms":4000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 5s deliver 2.5s
+1s
a0 delivered o1
  -> done
  o1 delivered accepts=5s
+4s
  o1 expired c1 a0 cool=65s
"#,
    );
}

#[test]
fn what_was_never_shown_is_never_accepted_by_itself() {
    check(
        r#"
given 1 agents
admin queue support offering={"auto_accept_ms":0}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
+5s
  o1 undelivered c1 a0 cool=35s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 35s deliver 10s
a0 delivered o2
  -> done
  o2 delivered accepts=5.001s
+1ms
  o2 accepted c2 a0 reason=auto_accept
"#,
    );
}

#[test]
fn the_time_of_accepting_stands_while_its_agent_is_reconnecting() {
    check(
        r#"
given 1 agents
admin queue support offering={"auto_accept_ms":4000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered accepts=4s
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+6s
a0 comes s5
  -> welcome a0
  a0 came s5
+3s
+1s
  o1 accepted c1 a0 reason=auto_accept
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 40s deliver 15s
a0 goes s5
  -> done
  a0 reconnecting until 70s offers 20s
a0 delivered o2
  -> done
  o2 delivered accepts=14s
+6s
a0 comes s6
  -> welcome a0
  a0 came s6
+3s
+1s
  o2 accepted c2 a0 reason=auto_accept
"#,
    );
}

#[test]
fn an_agents_own_rule_of_accepting_goes_before_the_queues() {
    check(
        r#"
given 2 agents
admin queue support offering={"auto_accept_ms":4000}
  -> put q1
  q1 put as support
admin agent a0 auto="never"
  -> put a0
  a0 put queues=[q1] skills=-
admin agent a1 auto={"after_ms":1000}
  -> put a1
  a1 put queues=[q1] skills=-
admin agent a1 auto={"after_ms":3600001}
  -> refused bad_setting field=auto_accept.after_ms: auto_accept.after_ms: at most 3600000 (an hour)
admin queue support offering={"auto_accept_ms":3600001}
  -> refused bad_setting field=offering.auto_accept_ms: offering.auto_accept_ms: at most 3600000 (an hour)
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
a1 delivered o2
  -> done
  o2 delivered accepts=1s
+1s
  o2 accepted c2 a1 reason=auto_accept
admin agent a0 auto="by_queue"
  -> put a0
  a0 put queues=[q1] skills=-
+29s
  o1 expired c1 a0 cool=90s
  o3 made c1 a1 ends 60s deliver 35s
"#,
    );
}

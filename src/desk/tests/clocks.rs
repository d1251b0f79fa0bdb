//! Clocks of service: what sets each, what achieves it, and what makes it void.

use super::script::check;

#[test]
fn each_clock_runs_until_what_it_waits_for() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"next_reply_ms":15000,"resolution_ms":600000}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock first_reply set q1 due=20s
  c1 clock resolution set q1 due=600s
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
+4s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
  c1 clock accept achieved q1 took=4s
u1 posts c1 anybody?
  -> posted c1 2
  c1 message 2 u1 anybody?
+1s
a0 posts c1 good morning
  -> posted c1 3
  c1 message 3 a0 good morning
  c1 clock first_reply achieved q1 took=5s
a0 posts c1 what is it?
  -> posted c1 4
  c1 message 4 a0 what is it?
u1 posts c1 this
  -> posted c1 5
  c1 message 5 u1 this
  c1 clock next_reply set q1 due=20s
+2s
u1 posts c1 and that
  -> posted c1 6
  c1 message 6 u1 and that
+2s
a0 posts c1 done
  -> posted c1 7
  c1 message 7 a0 done
  c1 clock next_reply achieved q1 took=4s
restart
+1s
a0 closes c1
  -> done
  c1 clock resolution achieved q1 took=10s
  c1 ended a0
"#,
    );
}

#[test]
fn a_clock_is_breached_at_its_time_and_may_be_achieved_late() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"next_reply_ms":15000,"resolution_ms":600000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock first_reply set q1 due=20s
  c1 clock resolution set q1 due=600s
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
+9s
+1s
  c1 clock accept breached q1
restart
+2s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
  c1 clock accept achieved q1 took=12s late
+8s
  c1 clock first_reply breached q1
a0 posts c1 at last
  -> posted c1 1
  c1 message 1 a0 at last
  c1 clock first_reply achieved q1 took=20s late
"#,
    );
}

#[test]
fn what_comes_after_its_time_is_late_also_when_nobody_has_said_so_yet() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"next_reply_ms":15000,"resolution_ms":600000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock first_reply set q1 due=20s
  c1 clock resolution set q1 due=600s
  o1 made c1 a0 ends 30s deliver 5s
wall +11s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
  c1 clock accept breached q1
  c1 clock accept achieved q1 took=11s late
"#,
    );
}

#[test]
fn clocks_are_void_when_the_customer_leaves_and_when_a_rule_closes() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"resolution_ms":20000} waiting={"waiting_ms_max":15000,"after_longest":{"message_and_close":{"text":"Sorry."}},"keep_place_ms":0}
  -> put q1
  q1 put as support
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock resolution set q1 due=20s
  o1 made c1 a0 ends 20s deliver 5s
u2 opens voice in support
  -> opened c2 u2
  c2 opened u2 q1
  c2 clock accept set q1 due=10s
  c2 clock resolution set q1 due=20s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
  c1 clock accept achieved q1 took=0s
u1 closes c1
  -> done
  c1 clock resolution voided q1 took=0s
  c1 ended u1 wrap_up=60s
+10s
  c2 clock accept breached q1
+5s
  c2 message 1 system waited_too_long Sorry.
  c2 clock accept voided q1 took=15s late
  c2 clock resolution voided q1 took=15s
  c2 ended system
"#,
    );
}

#[test]
fn in_another_queue_a_clock_goes_on_by_what_that_one_sets_or_is_void() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"resolution_ms":600000}
  -> put q1
  q1 put as support
admin queue sales service={"accept_ms":40000,"resolution_ms":100000}
  -> put q2
  q2 put as sales
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock first_reply set q1 due=20s
  c1 clock resolution set q1 due=600s
  o1 made c1 a0 ends 30s deliver 5s
+1s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
  c1 clock accept achieved q1 took=1s
+1s
a0 queues c1 in sales
  -> done
  c1 transferred a0 q2 cool=32s
  c1 clock first_reply voided q1 took=2s
  c1 clock resolution set q2 due=100s
  c1 clock accept set q2 due=42s
"#,
    );
}

#[test]
fn whoever_picks_or_claims_achieves_the_accept_clock_too() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000} moves={"pick":true}
  -> put q1
  q1 put as support
a0 sets available -
  -> done
  a0 status 1 channels 0 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  c2 clock accept set q1 due=10s
+2s
supervisor a0 assigns c1 force=yes
  -> taken c1
  c1 claimed a0 forced
  c1 clock accept achieved q1 took=2s
admin assigns c2 to=a0 force=yes
  -> taken c2
  c2 reassigned a0 forced
  c2 clock accept achieved q1 took=2s
"#,
    );
}

#[test]
fn programs_are_outside_of_peoples_clocks() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"next_reply_ms":15000,"resolution_ms":600000}
  -> put q1
  q1 put as support
admin agent a1 queues=support program=yes tiers=-
  -> put a1
  a1 put program queues=[q1] skills=-
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
a1 comes s1
  -> welcome a1
  a1 came s1
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock first_reply set q1 due=20s
  c1 clock resolution set q1 due=600s
  c1 message 1 u1 hello
  o1 made c1 a1 ends 5s deliver 2.5s
+1s
a1 accepts o1
  -> accepted c1
  o1 accepted c1 a1
  c1 clock accept voided q1 took=1s
  c1 clock first_reply voided q1 took=1s
a1 posts c1 I am a program
  -> posted c1 2
  c1 message 2 a1 I am a program
u1 posts c1 a person please
  -> posted c1 3
  c1 message 3 u1 a person please
+1s
a1 queues c1 in support
  -> done
  c1 transferred a1 q1 cool=32s
  c1 clock accept set q1 due=12s
  c1 clock first_reply set q1 due=22s
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o2 made c1 a0 ends 32s deliver 7s
a0 accepts o2
  -> accepted c1
  o2 accepted c1 a0
  c1 clock accept achieved q1 took=0s
+3s
a0 posts c1 here
  -> posted c1 4
  c1 message 4 a0 here
  c1 clock first_reply achieved q1 took=3s
"#,
    );
}

#[test]
fn reopening_begins_clocks_anew() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"next_reply_ms":15000,"resolution_ms":600000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock first_reply set q1 due=20s
  c1 clock resolution set q1 due=600s
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
  c1 clock accept achieved q1 took=0s
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
  c1 clock first_reply achieved q1 took=0s
a0 closes c1
  -> done
  c1 clock resolution achieved q1 took=0s
  c1 ended a0
+100s
u1 posts c1 again
  -> posted c1 2
  c1 reopened q1 loaded
  c1 clock accept set q1 due=110s
  c1 clock resolution set q1 due=700s
  c1 message 2 u1 again
  c1 clock next_reply set q1 due=115s
  o2 made c1 a0 ends 130s deliver 105s
"#,
    );
}

#[test]
fn nobody_waits_for_an_answer_in_what_an_agent_begins() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"next_reply_ms":15000,"resolution_ms":600000}
  -> put q1
  q1 put as support
a0 starts u1 chat in support text=good morning
  -> opened c1 u1
  c1 opened u1 q1
  c1 started a0
  c1 clock resolution set q1 due=600s
  c1 message 1 a0 good morning
"#,
    );
}

#[test]
fn who_is_given_back_is_counted_from_then() {
    check(
        r#"
given 1 agents
admin queue support service={"accept_ms":10000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
  c1 clock accept achieved q1 took=0s
+60s
a0 signs_out
  -> done
  a0 offline signed_out
  c1 owner vanished, requeue 180s
+120s
  c1 requeued a0
  c1 clock accept set q1 due=190s
"#,
    );
}

#[test]
fn a_clock_keeps_the_time_that_was_set_when_it_began() {
    check(
        r#"
given 0 agents
admin queue support service={"accept_ms":10000,"first_reply_ms":20000,"next_reply_ms":15000,"resolution_ms":600000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 clock accept set q1 due=10s
  c1 clock first_reply set q1 due=20s
  c1 clock resolution set q1 due=600s
admin queue support service={"accept_ms":5000}
  -> put q1
  q1 put as support
+6s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  c2 clock accept set q1 due=11s
+4s
  c1 clock accept breached q1
+1s
  c2 clock accept breached q1
"#,
    );
}

#[test]
fn clocks_that_are_no_times_are_refused_with_the_field_named() {
    check(
        r#"
given 0 agents
admin queue support service={"next_reply_ms":999}
  -> refused bad_setting field=service.next_reply_ms: service.next_reply_ms: 1000 to 7776000000 (90 days), or absent
"#,
    );
}

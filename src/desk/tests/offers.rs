//! Offers: every end that they have, and what follows from it.

use super::script::check;

#[test]
fn an_accepted_offer_makes_its_agent_the_owner() {
    check(
        r"
given 1 agents
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
#1 a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 hi
  -> posted c1 2
  c1 message 2 a0 hi
",
    );
}

#[test]
fn an_answer_implies_delivery() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
+4s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
+1s
",
    );
}

#[test]
fn a_rejected_offer_goes_to_the_next_agent_and_not_back_before_its_cool_down() {
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
a1 rejects o2 not_mine
  -> done
  o2 rejected c1 a1 reason=not_mine cool=30s
+29s
+1s
  o3 made c1 a0 ends 60s deliver 35s
",
    );
}

#[test]
fn expired_offer_goes_to_the_next_agent() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
+29999ms
+1ms
  o1 expired c1 a0 cool=90s
  o2 made c1 a1 ends 60s deliver 35s
",
    );
}

#[test]
fn an_offer_that_is_not_painted_in_time_goes_on_at_once() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
+4999ms
+1ms
  o1 undelivered c1 a0 cool=35s
  o2 made c1 a1 ends 35s deliver 10s
",
    );
}

#[test]
fn delivery_must_come_within_half_of_a_short_offer() {
    check(
        r"
given 1 agents
admin queue support offer_ms=4000
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 4s deliver 2s
+1999ms
+1ms
  o1 undelivered c1 a0 cool=32s
",
    );
}

#[test]
fn who_needs_longer_is_given_longer() {
    check(
        r"
given 2 agents
admin queue support offer_ms=4000
  -> put q1
  q1 put as support
admin agent a0 offer_percent=1001
  -> refused bad_setting field=offer_percent: offer_percent: 100 to 1000
admin agent a0 offer_percent=99
  -> refused bad_setting field=offer_percent: offer_percent: 100 to 1000
admin agent a0 offer_percent=300
  -> put a0
  a0 put queues=[q1] skills=-
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 12s deliver 5s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 4s deliver 2s
",
    );
}

#[test]
fn a_customer_who_leaves_withdraws_the_offer() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended u1
a0 accepts o1
  -> refused offer_gone field=offer: the offer o1 has ended: withdrawn
",
    );
}

#[test]
fn an_agent_who_leaves_the_available_status_rejects_what_it_saw_and_loses_what_it_did_not() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
  o1 rejected c1 a0 cool=30s
  o2 agent_lost c2 a0
",
    );
}

#[test]
fn an_offer_whose_agent_dropped_is_lost_after_its_own_grace() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+9999ms
+1ms
  o1 agent_lost c1 a0
  o2 made c1 a1 ends 40s deliver 15s
",
    );
}

#[test]
fn the_delivery_clock_stands_while_the_agent_reconnects() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
+3s
a0 goes s0
  -> done
  a0 reconnecting until 63s offers 13s
+9s
a0 comes s7
  -> welcome a0
  a0 came s7
+1999ms
+1ms
  o1 undelivered c1 a0 cool=44s
",
    );
}

#[test]
fn an_accept_between_two_misses_starts_the_count_again() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
+30s
  o1 expired c1 a0 cool=90s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 60s deliver 35s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 60s deliver 35s
a0 delivered o3
  -> done
  o3 delivered
+30s
  o3 expired c3 a0 cool=120s
",
    );
}

#[test]
fn an_offer_goes_on_after_a_restart_with_the_time_it_had_left() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
+20s
restart
server began
  -> done
  server began, grace until 80s offers 30s
a0 comes s7
  -> welcome a0
  a0 came s7
+9999ms
+1ms
  o1 expired c1 a0 cool=90s
",
    );
}

#[test]
fn a_failed_offer_keeps_the_age_of_its_conversation() {
    check(
        r"
given 1 agents
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
+1s
u2 opens voice in support
  -> opened c2 u2
  c2 opened u2 q1
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=31s
  o2 made c2 a0 ends 21s deliver 6s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
+30s
a0 closes c2
  -> done
  c2 ended a0 wrap_up=91s
a0 done c2
  -> done
  c2 wrap_up over a0 done
  o3 made c1 a0 ends 51s deliver 36s
",
    );
}

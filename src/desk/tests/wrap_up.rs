//! Wrap-up: what ends it, what it blocks, and more time for it.

use super::script::check;

#[test]
fn a_wrap_up_that_is_extended_ends_later_and_only_so_often() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=10000 wrap_up={"extend_ms":20000,"extensions_max":2}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 extends c1
  -> refused wrong_state field=conversation: the conversation c1 is active
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s
+4s
a0 extends c1
  -> done
  c1 wrap_up extended 30s
a0 extends c1
  -> done
  c1 wrap_up extended 50s
a0 extends c1
  -> refused no_more_time field=conversation: the wrap-up of c1 cannot be extended any more
+45s
+1s
  c1 wrap_up over a0 time_over
a0 extends c1
  -> refused wrong_state field=conversation: the conversation c1 is closed
"#,
    );
}

#[test]
fn all_extensions_together_are_an_hour_at_most() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=3000000 wrap_up={"extend_ms":3600000,"extensions_max":5}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=3000s
a0 extends c1
  -> done
  c1 wrap_up extended 3600s
a0 extends c1
  -> refused no_more_time field=conversation: the wrap-up of c1 cannot be extended any more
+1h
  c1 wrap_up over a0 time_over
"#,
    );
}

#[test]
fn an_open_ended_wrap_up_ends_when_its_agent_says_so() {
    check(
        r#"
given 1 agents
admin queue support wrap_up={"ends":"when_done"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=open
+1d
a0 extends c1
  -> done
a0 done c1
  -> done
  c1 wrap_up over a0 done
"#,
    );
}

#[test]
fn a_supervisor_may_end_a_wrap_up_and_it_is_recorded_who() {
    check(
        r#"
given 2 agents
admin queue support wrap_up={"ends":"when_done"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=open
a1 done c1
  -> refused not_yours field=conversation: c1 is not yours
supervisor a1 done c1
  -> done
  c1 wrap_up over a0 ended by=a1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
a0 closes c2
  -> done
  c2 ended a0 wrap_up=open
supervisor a0 done c2
  -> done
  c2 wrap_up over a0 done
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 30s deliver 5s
a0 accepts o3
  -> accepted c3
  o3 accepted c3 a0
a0 closes c3
  -> done
  c3 ended a0 wrap_up=open
admin done c3
  -> done
  c3 wrap_up over a0 ended
"#,
    );
}

#[test]
fn an_open_ended_wrap_up_whose_agent_stays_away_ends_by_itself() {
    check(
        r#"
given 1 agents
admin queue support wrap_up={"ends":"when_done"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=open
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+60s
  a0 offline grace_over
  c1 owner vanished, requeue 180s
a0 comes s1
  -> welcome a0
  a0 came s1
  c1 owner returned
a0 signs_out
  -> done
  a0 offline signed_out
  c1 owner vanished, requeue 180s
+120s
  c1 wrap_up over a0 owner_gone
"#,
    );
}

#[test]
fn an_open_ended_wrap_up_that_begins_with_its_agent_away_ends_by_itself() {
    check(
        r#"
given 1 agents
admin queue support wrap_up={"ends":"when_done"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 signs_out
  -> done
  a0 offline signed_out
  c1 owner vanished, requeue 120s
u1 closes c1
  -> done
  c1 ended u1 wrap_up=open
  c1 owner vanished, requeue 120s
+120s
  c1 wrap_up over a0 owner_gone
"#,
    );
}

#[test]
fn wrap_up_blocks_a_slot() {
    check(
        r#"
given 1 agents
admin agent a0 capacity=chat:2
  -> put a0
  a0 put queues=[q1] skills=-
admin queue support wrap_up_ms=10000
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
admin why a0
  -> why a0 waiting=support/chat:1xc3:channel_full
a0 done c1
  -> done
  c1 wrap_up over a0 done
  o3 made c3 a0 ends 30s deliver 5s
"#,
    );
}

#[test]
fn wrap_up_blocks_the_whole_agent() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=10000 wrap_up={"blocks":"agent"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s blocks=agent
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
admin why c2
  -> why c2 waiting excluded=a0:wrapping_up
admin why a0
  -> why a0 excluded=wrapping_up waiting=support/chat:1xc2:wrapping_up
restart
server began
  -> done
  server began, grace until 60s offers 10s
+9s
a0 comes s1
  -> welcome a0
  a0 came s1
+1s
  c1 wrap_up over a0 time_over
  o2 made c2 a0 ends 40s deliver 15s
"#,
    );
}

#[test]
fn an_offer_that_was_made_before_an_agent_is_blocked_may_still_be_accepted() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=10000 wrap_up={"blocks":"agent"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s blocks=agent
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
"#,
    );
}

#[test]
fn wrap_up_that_blocks_nothing_leaves_the_slot_and_the_idle_time() {
    check(
        r#"
given 2 agents
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
admin queue support wrap_up_ms=60000 wrap_up={"blocks":"nothing"}
  -> put q1
  q1 put as support
+1s
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 31s deliver 6s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=61s blocks=nothing
+1s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 32s deliver 7s
a1 accepts o2
  -> accepted c2
  o2 accepted c2 a1
a1 closes c2
  -> done
  c2 ended a1 wrap_up=62s blocks=nothing
+1s
a0 done c1
  -> done
  c1 wrap_up over a0 done
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 33s deliver 8s
a0 accepts o3
  -> accepted c3
  o3 accepted c3 a0
"#,
    );
}

#[test]
fn who_writes_during_wrap_up_that_blocks_nothing_is_back_with_the_owner_if_there_is_room() {
    check(
        r#"
given 1 agents
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
admin queue support wrap_up_ms=60000 wrap_up={"blocks":"nothing"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s blocks=nothing
u1 posts c1 and
  -> posted c1 1
  c1 reopened q1 owner=a0
  c1 message 1 u1 and
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s blocks=nothing
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
u1 posts c1 again
  -> posted c1 2
  c1 reopened q1
  c1 message 2 u1 again
"#,
    );
}

#[test]
fn what_a_wrap_up_blocks_was_set_when_it_began() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=60000 wrap_up={"blocks":"agent"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s blocks=agent
admin queue support
  -> put q1
  q1 put as support
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
+60s
  c1 wrap_up over a0 time_over
  o2 made c2 a0 ends 90s deliver 65s
"#,
    );
}

#[test]
fn a_queues_wrap_up_goes_before_its_channels_member_by_member() {
    check(
        r#"
given 1 agents
admin queue support wrap_up={"extend_ms":999}
  -> refused bad_setting field=wrap_up.extend_ms: wrap_up.extend_ms: 1000 to 3600000 (an hour)
admin queue support wrap_up={"extensions_max":61}
  -> refused bad_setting field=wrap_up.extensions_max: wrap_up.extensions_max: 0 to 60
admin queue support wrap_up={"blocks":"agent"}
  -> put q1
  q1 put as support
admin agent a0 capacity=voice:1
  -> put a0
  a0 put queues=[q1] skills=-
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s blocks=agent
"#,
    );
}

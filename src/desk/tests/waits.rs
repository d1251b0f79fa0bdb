//! Full queues, the longest wait, the most offers, and the place of who left.

use super::script::check;

#[test]
fn a_full_queue_refuses_plainly() {
    check(
        r#"
admin queue support max=1
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens chat in support
  -> refused queue_full field=queue: the queue "support" has 1 waiting already
"#,
    );
}

#[test]
fn a_full_queue_moves_on_or_tells_and_closes() {
    check(
        r#"
admin queue overflow max=1
  -> put q1
  q1 put as overflow
admin queue support max=1 waiting={"when_full":{"move":{"queue":"overflow"}}}
  -> put q2
  q2 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q2
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
u3 opens chat in support
  -> refused queue_full field=queue: the queue "support" has 1 waiting already
admin queue support max=1 waiting={"when_full":{"message_and_close":{"text":"Full."}}}
  -> put q2
  q2 put as support
u4 opens chat in support text=hello
  -> opened c3 u4
  c3 opened u4 q2
  c3 message 1 u4 hello
  c3 message 2 system queue_full Full.
  c3 ended system
admin remove_queue overflow
  -> refused queue_in_use field=queue: the queue "overflow" still holds 1 conversations
"#,
    );
}

#[test]
fn who_waited_the_longest_is_told_and_closed() {
    check(
        r#"
admin queue support waiting={"waiting_ms_max":60000,"after_longest":{"message_and_close":{"text":"Sorry."}}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
+59s
restart
+1s
  c1 message 1 system waited_too_long Sorry.
  c1 ended system
"#,
    );
}

#[test]
fn the_longest_wait_counts_from_when_it_began_to_wait_here_and_not_from_its_age() {
    check(
        r#"
wall +1h
admin queue support waiting={"waiting_ms_max":60000,"after_longest":{"message_and_close":{"text":"Sorry."}}}
  -> put q1
  q1 put as support
u1 opens chat in support since=1s
  -> opened c1 u1
  c1 opened u1 q1
+59s
+1s
  c1 message 1 system waited_too_long Sorry.
  c1 ended system
"#,
    );
}

#[test]
fn a_move_keeps_the_age_and_leaves_what_only_the_old_queue_required() {
    check(
        r#"
admin queue overflow skills=dutch:1 waiting={"waiting_ms_max":60000,"after_longest":{"message_and_close":{"text":"Sorry."}}}
  -> put q1
  q1 put as overflow
admin queue support skills=french:3 waiting={"waiting_ms_max":10000,"after_longest":{"move":{"queue":"overflow"}}}
  -> put q2
  q2 put as support
u1 opens chat in support skills=german:2
  -> opened c1 u1
  c1 opened u1 q2 skills=french:3,german:2
+10s
  c1 moved q1 moves=1 skills=dutch:1,german:2
+59s
+1s
  c1 message 1 system waited_too_long Sorry.
  c1 ended system
"#,
    );
}

#[test]
fn a_full_target_of_a_move_falls_back_to_the_message() {
    check(
        r#"
admin queue overflow max=1
  -> put q1
  q1 put as overflow
admin queue support waiting={"waiting_ms_max":10000,"after_longest":{"move":{"queue":"overflow"}}}
  -> put q2
  q2 put as support
u1 opens chat in overflow
  -> opened c1 u1
  c1 opened u1 q1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q2
+10s
  c2 message 1 system waited_too_long We are sorry: nobody could take your conversation in time. Please write again.
  c2 ended system
"#,
    );
}

#[test]
fn queues_that_move_to_each_other_end_after_ten_moves() {
    check(
        r#"
admin queue a
  -> put q1
  q1 put as a
admin queue b waiting={"waiting_ms_max":1000,"after_longest":{"move":{"queue":"a"}}}
  -> put q2
  q2 put as b
admin queue a waiting={"waiting_ms_max":1000,"after_longest":{"move":{"queue":"b"}}}
  -> put q1
  q1 put as a
u1 opens chat in a
  -> opened c1 u1
  c1 opened u1 q1
+1s
  c1 moved q2 moves=1
+1s
  c1 moved q1 moves=2
+1s
  c1 moved q2 moves=3
+1s
  c1 moved q1 moves=4
+1s
  c1 moved q2 moves=5
+1s
  c1 moved q1 moves=6
+1s
  c1 moved q2 moves=7
+1s
  c1 moved q1 moves=8
+1s
  c1 moved q2 moves=9
+1s
  c1 moved q1 moves=10
+1s
  c1 message 1 system waited_too_long We are sorry: nobody could take your conversation in time. Please write again.
  c1 ended system
"#,
    );
}

#[test]
fn priority_is_raised_as_often_as_is_set_and_then_it_ends() {
    check(
        r#"
admin queue support waiting={"waiting_ms_max":10000,"after_longest":{"raise_priority":{"by":5,"times":2}}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
+10s
  c1 raised 5 times=1
+10s
  c1 raised 10 times=2
+10s
  c1 message 1 system waited_too_long We are sorry: nobody could take your conversation in time. Please write again.
  c1 ended system
"#,
    );
}

#[test]
fn whoever_is_offered_when_the_longest_wait_is_over_is_asked_once_more_and_no_longer() {
    check(
        r#"
given 1 agents
admin queue support waiting={"waiting_ms_max":10000,"after_longest":{"message_and_close":{"text":"Sorry."}}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
+12s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=42s
  c1 message 1 system waited_too_long Sorry.
  c1 ended system
"#,
    );
}

#[test]
fn after_the_most_offers_comes_what_is_set() {
    check(
        r#"
given 3 agents
admin queue overflow
  -> put q2
  q2 put as overflow
admin queue support waiting={"offers_max":2,"after_offers":{"move":{"queue":"overflow"}}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=30s
  o2 made c1 a1 ends 30s deliver 5s
a1 rejects o2 busy
  -> done
  o2 rejected c1 a1 reason=busy cool=30s
  c1 moved q2 moves=1
admin queue support waiting={"offers_max":1,"after_offers":{"raise_priority":{"by":7,"times":1}}}
  -> put q1
  q1 put as support
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o3 made c2 a0 ends 30s deliver 5s
a0 rejects o3 busy
  -> done
  o3 rejected c2 a0 reason=busy cool=30s
  c2 raised 7 times=0
  o4 made c2 a1 ends 30s deliver 5s
a1 rejects o4 busy
  -> done
  o4 rejected c2 a1 reason=busy cool=30s
  o5 made c2 a2 ends 30s deliver 5s
admin queue support waiting={"offers_max":3,"after_offers":{"message_and_close":{"text":"Sorry."}}}
  -> put q1
  q1 put as support
a2 rejects o5 busy
  -> done
  o5 rejected c2 a2 reason=busy cool=30s
  c2 message 1 system offered_too_often Sorry.
  c2 ended system
"#,
    );
}

#[test]
fn a_customer_who_left_while_waiting_and_comes_back_in_time_keeps_the_place() {
    check(
        r#"
admin queue support
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
+10s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
+10s
u1 closes c1
  -> done
  c1 ended u1
+20s
restart
u1 opens chat in support
  -> opened c3 u1
  c3 opened u1 q1
a0 comes s0
  -> welcome a0
  a0 put queues=[] skills=-
  a0 came s0
admin agent a0 queues=support
  -> put a0
  a0 put queues=[q1] skills=-
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c3 a0 ends 70s deliver 45s
  o2 made c2 a0 ends 70s deliver 45s
u1 closes c3
  -> done
  o1 withdrawn c3 a0
  c3 ended u1
u2 closes c2
  -> done
  o2 withdrawn c2 a0
  c2 ended u2
+60s
u2 posts c2 hello
  -> posted c2 1
  c2 reopened q1 loaded
  c2 message 1 u2 hello
  o3 made c2 a0 ends 130s deliver 105s
"#,
    );
}

#[test]
fn who_writes_again_in_time_to_what_was_closed_while_waiting_keeps_the_place() {
    check(
        r#"
admin queue support
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
+10s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
u1 closes c1
  -> done
  c1 ended u1
+10s
u1 posts c1 hello
  -> posted c1 1
  c1 reopened q1 loaded
  c1 message 1 u1 hello
a0 comes s0
  -> welcome a0
  a0 put queues=[] skills=-
  a0 came s0
admin agent a0 queues=support capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 50s deliver 25s
"#,
    );
}

#[test]
fn settings_of_waiting_are_checked_field_by_field() {
    check(
        r#"
admin queue support waiting={"waiting_ms_max":1}
  -> refused bad_setting field=waiting.waiting_ms_max: waiting.waiting_ms_max: 1000 to 2592000000 (30 days), or null
admin queue support waiting={"offers_max":0}
  -> refused bad_setting field=waiting.offers_max: waiting.offers_max: 1 to 10000, or null
admin queue support waiting={"keep_place_ms":86400001}
  -> refused bad_setting field=waiting.keep_place_ms: waiting.keep_place_ms: at most 86400000 (a day)
admin queue support waiting={"when_full":"wait"}
  -> refused bad_setting field=waiting.when_full: waiting.when_full: refuse, move or message_and_close
admin queue support waiting={"when_full":{"move":{"queue":"support"}}}
  -> refused bad_setting field=waiting.when_full.move.queue: waiting.when_full.move.queue: there is no other queue "support"
admin queue support waiting={"when_full":{"raise_priority":{"by":1}}}
  -> refused bad_setting field=waiting.when_full: waiting.when_full: refuse, move or message_and_close
admin queue support waiting={"after_longest":"wait"}
  -> refused bad_setting field=waiting.after_longest: waiting.after_longest: move, message_and_close or raise_priority
admin queue support waiting={"after_longest":{"move":{"queue":"nowhere"}}}
  -> refused bad_setting field=waiting.after_longest.move.queue: waiting.after_longest.move.queue: there is no other queue "nowhere"
admin queue support waiting={"after_longest":{"raise_priority":{"by":0}}}
  -> refused bad_setting field=waiting.after_longest.raise_priority.by: waiting.after_longest.raise_priority.by: 1 to 1000000
admin queue support waiting={"after_longest":{"message_and_close":{"text":""}}}
  -> refused bad_setting field=waiting.after_longest.message_and_close.text: waiting.after_longest.message_and_close.text: 1 to 2000 bytes
admin queue support waiting={"after_offers":"refuse"}
  -> refused bad_setting field=waiting.after_offers: waiting.after_offers: wait, move, message_and_close or raise_priority
admin queue support waiting={"after_offers":{"raise_priority":{"by":1,"times":0}}}
  -> refused bad_setting field=waiting.after_offers.raise_priority.times: waiting.after_offers.raise_priority.times: 1 to 100
"#,
    );
}

#[test]
fn what_becomes_of_a_new_conversation_when_nobody_is_there() {
    check(
        r#"
admin queue other
  -> put q1
  q1 put as other
admin queue support waiting={"nobody_there":"refuse"}
  -> put q2
  q2 put as support
u1 opens chat in support
  -> refused nobody_there field=queue: nobody of the queue "support" is there
admin queue support waiting={"nobody_there":{"message_and_wait":{"text":"Soon."}}}
  -> put q2
  q2 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q2
  c1 message 1 u1 hello
  c1 message 2 system nobody_there Soon.
admin queue support waiting={"nobody_there":{"message_and_close":{"text":"Tomorrow."}}}
  -> put q2
  q2 put as support
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q2
  c2 message 1 system nobody_there Tomorrow.
  c2 ended system
admin queue support waiting={"nobody_there":{"move":{"queue":"other"}}}
  -> put q2
  q2 put as support
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q2
admin agent a0 queues=other capacity=chat:0
  -> put a0
  a0 put queues=[q1] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
u4 opens chat in support
  -> opened c4 u4
  c4 opened u4 q2
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
u5 opens chat in support
  -> opened c5 u5
  c5 opened u5 q1
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
u6 opens chat in support
  -> opened c6 u6
  c6 opened u6 q1
admin agent a1 queues=support capacity=chat:0
  -> put a1
  a1 put queues=[q2] skills=-
a1 comes s1
  -> welcome a1
  a1 came s1
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
u7 opens chat in support
  -> opened c7 u7
  c7 opened u7 q2
admin queue support waiting={"nobody_there":{"raise_priority":{"by":1}}}
  -> refused bad_setting field=waiting.nobody_there: waiting.nobody_there: wait, refuse, move, message_and_wait or message_and_close
"#,
    );
}

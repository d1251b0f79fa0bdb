//! Wrap-up, and conversations that go on again.

use super::script::check;

#[test]
fn an_active_conversation_without_wrap_up_closes_at_once() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0
a0 posts c1 hi
  -> refused wrong_state field=conversation: the conversation c1 is closed
a0 done c1
  -> refused wrong_state field=conversation: the conversation c1 is closed
",
    );
}

#[test]
fn wrap_up_blocks_its_slot_until_its_time_is_over() {
    check(
        r"
given 1 agents
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s
u2 opens voice in support
  -> opened c2 u2
  c2 opened u2 q1
a0 closes c1
  -> refused wrong_state field=conversation: the conversation c1 is wrap_up
+59s
+1s
  c1 wrap_up over a0 time_over
  o2 made c2 a0 ends 80s deliver 65s
",
    );
}

#[test]
fn wrap_up_that_is_done_frees_its_slot() {
    check(
        r"
given 1 agents
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u1 closes c1
  -> done
  c1 ended u1 wrap_up=60s
u2 opens voice in support
  -> opened c2 u2
  c2 opened u2 q1
a0 done c1
  -> done
  c1 wrap_up over a0 done
  o2 made c2 a0 ends 20s deliver 5s
a0 done c1
  -> refused wrong_state field=conversation: the conversation c1 is closed
",
    );
}

#[test]
fn a_queue_may_set_its_own_wrap_up() {
    check(
        r"
given 1 agents
admin queue support wrap_up_ms=5000
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 bye
  -> posted c1 1
  c1 message 1 a0 bye
a0 closes c1
  -> done
  c1 ended a0 wrap_up=5s
+5s
  c1 wrap_up over a0 time_over
",
    );
}

#[test]
fn a_customer_who_writes_during_wrap_up_is_back_with_the_owner() {
    check(
        r"
given 1 agents
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s
u1 posts c1 one more thing
  -> posted c1 1
  c1 reopened q1 owner=a0
  c1 message 1 u1 one more thing
+60s
",
    );
}

#[test]
fn a_customer_who_writes_during_the_wrap_up_of_an_offline_owner_waits_anew() {
    check(
        r"
given 2 agents
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s
a0 signs_out
  -> done
  a0 offline signed_out
u1 posts c1 one more thing
  -> posted c1 1
  c1 reopened q1
  c1 message 1 u1 one more thing
  o2 made c1 a1 ends 20s deliver 5s
",
    );
}

#[test]
fn a_closed_conversation_is_reopened_by_its_customer_in_time() {
    check(
        r"
given 1 agents
u1 opens chat in support text=one
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 one
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0
wall +30d
u1 posts c1 two
  -> posted c1 2
  c1 reopened q1 loaded
  c1 message 2 u1 two
  o2 made c1 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn a_closed_conversation_is_not_reopened_after_its_time() {
    check(
        r"
given 1 agents
u1 opens chat in support text=one
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 one
  o1 made c1 a0 ends 30s deliver 5s
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended u1
wall +31d
u1 posts c1 two
  -> refused wrong_state field=conversation: the conversation c1 is closed
",
    );
}

#[test]
fn a_conversation_whose_queue_is_gone_is_reopened_in_the_default_one() {
    check(
        r#"
given 0 agents
admin queue other
  -> put q2
  q2 put as other
u1 opens chat in other
  -> opened c1 u1
  c1 opened u1 q2
u1 closes c1
  -> done
  c1 ended u1
admin remove_queue other
  -> done
  q2 removed
u1 posts c1 hello
  -> refused no_such_queue field=queue: there is no queue ""
admin settings {"default_queue":"support"}
  -> done
  settings changed
u1 posts c1 hello
  -> posted c1 1
  c1 reopened q1 loaded
  c1 message 1 u1 hello
"#,
    );
}

#[test]
fn what_becomes_of_one_that_is_reopened_when_nobody_is_there() {
    check(
        r#"
given 1 agents
admin queue other
  -> put q2
  q2 put as other
admin queue support wrap_up_ms=10000 waiting={"nobody_there":"refuse"}
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
a0 signs_out
  -> done
  a0 offline signed_out
u1 posts c1 are you there?
  -> refused nobody_there field=queue: nobody of the queue "support" is there
+10s
  c1 wrap_up over a0 time_over
u1 posts c1 are you there?
  -> refused nobody_there field=queue: nobody of the queue "support" is there
admin queue support waiting={"nobody_there":{"message_and_close":{"text":"Tomorrow."}}}
  -> put q1
  q1 put as support
u1 posts c1 are you there?
  -> posted c1 1
  c1 reopened q1 loaded
  c1 message 1 u1 are you there?
  c1 message 2 system nobody_there Tomorrow.
  c1 ended system
admin queue support max=1 waiting={"nobody_there":{"move":{"queue":"other"}}}
  -> put q1
  q1 put as support
u1 posts c1 and now?
  -> posted c1 3
  c1 reopened q1 loaded
  c1 message 3 u1 and now?
admin closes c1
  -> done
  c1 ended admin
admin agent a1 queues=other capacity=chat:0
  -> put a1
  a1 put queues=[q2] skills=-
a1 comes s1
  -> welcome a1
  a1 came s1
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
u1 posts c1 and now?
  -> posted c1 4
  c1 reopened q1 loaded
  c1 message 4 u1 and now?
  c1 moved q2 moves=1
admin queue other waiting={"nobody_there":{"message_and_wait":{"text":"Soon."}}}
  -> put q2
  q2 put as other
admin closes c1
  -> done
  c1 ended admin
a1 sets away
  -> done
  a1 status 0 channels 111 chosen
u1 posts c1 still here
  -> posted c1 5
  c1 reopened q2 loaded
  c1 message 5 u1 still here
  c1 message 6 system nobody_there Soon.
"#,
    );
}

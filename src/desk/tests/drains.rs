//! Draining, vanished owners by their queue's rule, and whom a reopened conversation is for.

use super::script::check;

#[test]
fn a_draining_agent_keeps_what_it_has_and_is_offered_nothing_new() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
admin drains a0 yes
  -> done
  a0 drains
admin drains a0 yes
  -> done
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 posts c1 hi
  -> posted c1 1
  c1 message 1 a0 hi
restart
admin why c2
  -> why c2 waiting excluded=a0:draining
admin drains a0 no
  -> done
  a0 drains no more
  o2 made c2 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn a_draining_queue_refuses_what_is_new_and_finishes_what_waits() {
    check(
        r#"
given 1 agents
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
admin drains_queue support to=-
  -> done
  q1 put as support
u2 opens chat in support
  -> refused queue_draining field=queue: the queue "support" takes nothing new in
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 queues c1 in support
  -> refused queue_draining field=queue: the queue "support" takes nothing new in
a0 starts u1 chat in support
  -> refused queue_draining field=queue: the queue "support" takes nothing new in
a0 closes c1
  -> done
  c1 ended a0
u1 posts c1 one more thing
  -> posted c1 1
  c1 reopened q1 loaded
  c1 message 1 u1 one more thing
  o2 made c1 a0 ends 30s deliver 5s
admin drains_queue support no
  -> done
  q1 put as support
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o3 made c2 a0 ends 30s deliver 5s
"#,
    );
}

#[test]
fn a_draining_queue_sends_what_is_new_to_another() {
    check(
        r#"
given 0 agents
admin drains_queue support to=sales
  -> refused bad_setting field=moves.draining.to: moves.draining.to: there is no other queue "sales"
admin queue sales
  -> put q2
  q2 put as sales
admin drains_queue support to=sales
  -> done
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q2
u1 closes c1
  -> done
  c1 ended u1
admin remove_queue sales
  -> refused bad_setting field=name: name: another queue drains into this queue: change it first
admin drains_queue sales to=support
  -> done
  q2 put as sales
u2 opens chat in support
  -> refused queue_draining field=queue: the queue "support" takes nothing new in
"#,
    );
}

#[test]
fn a_queue_says_what_becomes_of_a_vanished_owners_conversations() {
    check(
        r#"
given 2 agents
admin agent a1 queues=-
  -> put a1
  a1 put queues=[] skills=-
admin queue keep moves={"vanished_owner":"keep"}
  -> put q2
  q2 put as keep
admin queue write moves={"vanished_owner":"next_message"}
  -> put q3
  q3 put as write
admin queue soon moves={"vanished_owner":"after","vanished_owner_ms":5000}
  -> put q4
  q4 put as soon
a0 starts u1 email in keep
  -> opened c1 u1
  c1 opened u1 q2
  c1 started a0
a0 starts u1 chat in write
  -> opened c2 u1
  c2 opened u1 q3
  c2 started a0
a0 starts u1 email in soon
  -> opened c3 u1
  c3 opened u1 q4
  c3 started a0
a0 signs_out
  -> done
  a0 offline signed_out
  c2 owner vanished, requeue next message
  c3 owner vanished, requeue 5s
+5s
  c3 requeued a0
u1 posts c1 hello
  -> posted c1 1
  c1 message 1 u1 hello
u1 posts c2 hello
  -> posted c2 1
  c2 requeued a0
  c2 message 1 u1 hello
admin agent a0 active=no
  -> put a0
  a0 put inactive queues=[q1] skills=-
  c1 owner vanished, requeue next message
u1 posts c1 are you there
  -> posted c1 2
  c1 requeued a0
  c1 message 2 u1 are you there
"#,
    );
}

#[test]
fn a_reopened_conversation_is_kept_for_its_old_owner_only_if_that_one_is_able() {
    check(
        r#"
given 2 agents
admin queue support moves={"reopened_for":"old_owner","reopened_for_ms":20000}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
+1s
a0 closes c1
  -> done
  c1 ended a0
u1 posts c1 again
  -> posted c1 1
  c1 reopened q1 for=a0 until=21s loaded
  c1 message 1 u1 again
  o2 made c1 a0 ends 31s deliver 6s
a0 accepts o2
  -> accepted c1
  o2 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
u1 posts c1 and again
  -> posted c1 2
  c1 reopened q1 for=a0 until=1s loaded
  c1 message 2 u1 and again
  o3 made c1 a1 ends 31s deliver 6s
"#,
    );
}

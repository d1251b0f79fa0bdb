//! An owner gives its conversation to another agent or to a queue, and it is never without an owner, or a place, in between.

use super::script::check;

#[test]
fn an_owner_keeps_it_until_the_other_has_accepted() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0
a0 posts c1 one moment
  -> posted c1 1
  c1 message 1 a0 one moment
a1 posts c1 hello
  -> refused not_yours field=conversation: c1 is not yours
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1 from=a0
a0 posts c1 hello
  -> refused not_yours field=conversation: c1 is not yours
a1 closes c1
  -> done
  c1 ended a1
",
    );
}

#[test]
fn a_transfer_that_is_refused_expires_or_is_not_delivered_leaves_it_with_its_owner() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0
a1 rejects o2 busy
  -> done
  o2 rejected c1 a1 reason=busy from=a0
a0 transfers c1 to a1
  -> offered o3
  o3 made c1 a1 ends 30s deliver 5s from=a0
+5s
  o3 undelivered c1 a1 from=a0
a0 transfers c1 to a1
  -> offered o4
  o4 made c1 a1 ends 35s deliver 10s from=a0
a1 delivered o4
  -> done
  o4 delivered
+30s
  o4 expired c1 a1 from=a0
a1 accepts o4
  -> refused offer_gone field=offer: the offer o4 has ended: expired
a0 closes c1
  -> done
  c1 ended a0
",
    );
}

#[test]
fn in_a_warm_transfer_both_talk_until_it_is_handed_over() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 hands_over c1
  -> refused nobody_joined field=conversation: nobody has joined c1, and it is offered to nobody
a0 transfers c1 to a1 warm
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0 warm
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1 from=a0 warm
a1 posts c1 hello
  -> posted c1 1
  c1 message 1 a1 hello
a0 posts c1 this is she
  -> posted c1 2
  c1 message 2 a0 this is she
u1 types c1
  -> typing c1 to a0,a1
a0 types c1
  -> typing c1 to a1
a1 types c1
  -> typing c1 to a0
a1 closes c1
  -> refused not_yours field=conversation: c1 is not yours
a1 hands_over c1
  -> refused not_yours field=conversation: c1 is not yours
a0 hands_over c1
  -> done
  c1 handed over a0 a1
a0 posts c1 bye
  -> refused not_yours field=conversation: c1 is not yours
a1 closes c1
  -> done
  c1 ended a1
",
    );
}

#[test]
fn who_has_joined_may_leave_and_may_be_let_go() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1 warm
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0 warm
a0 cancels c1
  -> done
  o2 withdrawn c1 a1 from=a0 warm
a0 cancels c1
  -> refused nobody_joined field=conversation: nobody has joined c1, and it is offered to nobody
a0 transfers c1 to a1 warm
  -> offered o3
  o3 made c1 a1 ends 30s deliver 5s from=a0 warm
a1 accepts o3
  -> accepted c1
  o3 accepted c1 a1 from=a0 warm
a0 leaves c1
  -> refused not_yours field=conversation: c1 is not yours
a1 leaves c1
  -> done
  c1 left a1
a0 transfers c1 to a1 warm
  -> offered o4
  o4 made c1 a1 ends 30s deliver 5s from=a0 warm
a1 accepts o4
  -> accepted c1
  o4 accepted c1 a1 from=a0 warm
u1 closes c1
  -> done
  c1 left a1
  c1 ended u1
",
    );
}

#[test]
fn who_has_joined_has_it_when_its_owner_stays_away() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1 warm
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0 warm
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1 from=a0 warm
a0 signs_out
  -> done
  a0 offline signed_out
  c1 owner vanished, requeue 120s
+120s
  c1 handed over a0 a1
",
    );
}

#[test]
fn a_pending_transfer_is_withdrawn_when_its_owner_stays_away() {
    check(
        r#"
given 2 agents
admin settings {"vanished_owner_ms":10000}
  -> done
  settings changed
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0
a1 delivered o2
  -> done
  o2 delivered
a0 signs_out
  -> done
  a0 offline signed_out
  c1 owner vanished, requeue 10s
+10s
  o2 withdrawn c1 a1 from=a0
  c1 requeued a0
  o3 made c1 a1 ends 40s deliver 15s
"#,
    );
}

#[test]
fn who_has_joined_and_goes_offline_has_left() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1 warm
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0 warm
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1 from=a0 warm
a1 signs_out
  -> done
  a1 offline signed_out
  c1 left a1
restart
a0 posts c1 still here
  -> posted c1 1
  c1 message 1 a0 still here
",
    );
}

#[test]
fn an_agent_who_cannot_take_it_is_not_asked_and_the_rule_is_named() {
    check(
        r#"
given 3 agents
admin agent a1 capacity=chat:0
  -> put a1
  a1 put queues=[q1] skills=-
a2 sets away
  -> done
  a2 status 0 channels 111 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1
  -> refused agent_unable field=agent: the agent "a1" cannot take it: channel_full
a0 transfers c1 to a2
  -> refused agent_unable field=agent: the agent "a2" cannot take it: status_not_available
a0 transfers c1 to a9
  -> refused no_such_agent field=agent: there is no agent "a9"
a0 transfers c1 to a0
  -> refused already_there field=agent: c1 is the conversation of "a0" already, or offered to it
a1 transfers c1 to a2
  -> refused not_yours field=conversation: c1 is not yours
supervisor a1 transfers c1 to a2 warm
  -> refused agent_unable field=agent: the agent "a2" cannot take it: status_not_available
a0 transfers c9 to a1
  -> refused no_such_conversation field=conversation: there is no conversation c9
"#,
    );
}

#[test]
fn a_transfer_to_a_queue_waits_there_with_a_new_age_and_does_not_come_back_at_once() {
    check(
        r"
given 1 agents
admin queue sales skills=french:2
  -> put q2
  q2 put as sales
admin agent a1 queues=sales skills=french:3
  -> put a1
  a1 put queues=[q2] skills=french:3
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 queues c1 in sales
  -> done
  c1 transferred a0 q2 skills=french:2 cool=30s
a1 comes s9
  -> welcome a1
  a1 came s9
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
  o2 made c1 a1 ends 30s deliver 5s
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1
a1 queues c1 in support since=0s
  -> done
  c1 transferred a1 q1 cool=30s
  o3 made c1 a0 ends 30s deliver 5s
a0 rejects o3 busy
  -> done
  o3 rejected c1 a0 reason=busy cool=30s
+10s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o4 made c2 a0 ends 40s deliver 15s
+20s
  o4 undelivered c2 a0 cool=60s
  o5 made c1 a0 ends 60s deliver 35s
",
    );
}

#[test]
fn a_transfer_to_a_full_or_missing_queue_is_refused_and_it_stays_with_its_owner() {
    check(
        r#"
given 1 agents
admin queue sales max=1
  -> put q2
  q2 put as sales
u1 opens chat in sales
  -> opened c1 u1
  c1 opened u1 q2
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o1 made c2 a0 ends 30s deliver 5s
a0 queues c2 in sales
  -> refused not_yours field=conversation: c2 is not yours
supervisor a0 queues c2 in sales
  -> refused queue_full field=queue: the queue "sales" has 1 waiting already
a0 accepts o1
  -> accepted c2
  o1 accepted c2 a0
a0 queues c2 in sales
  -> refused queue_full field=queue: the queue "sales" has 1 waiting already
a0 queues c2 in nowhere
  -> refused no_such_queue field=queue: there is no queue "nowhere"
a0 queues c2 in support since=99s
  -> refused bad_setting field=waiting_since: waiting_since: from when it was opened to now
a0 posts c2 still yours
  -> posted c2 1
  c2 message 1 a0 still yours
u1 closes c1
  -> done
  c1 ended u1
a0 queues c2 in sales
  -> done
  c2 transferred a0 q2 cool=30s
"#,
    );
}

#[test]
fn a_new_transfer_withdraws_the_one_before_it() {
    check(
        r#"
given 3 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0
#5 a0 transfers c1 to a2 warm
  -> offered o3
  o2 withdrawn c1 a1 from=a0
  o3 made c1 a2 ends 30s deliver 5s from=a0 warm
#5 a0 transfers c1 to a2 warm
  -> offered o3
a0 transfers c1 to a2
  -> refused already_there field=agent: c1 is the conversation of "a2" already, or offered to it
a0 queues c1 in support
  -> done
  o3 withdrawn c1 a2 from=a0 warm
  c1 transferred a0 q1 cool=30s
  o4 made c1 a1 ends 30s deliver 5s
"#,
    );
}

#[test]
fn a_supervisor_moves_what_waits_and_it_keeps_its_age() {
    check(
        r#"
given 1 agents
admin queue sales skills=french:2
  -> put q2
  q2 put as sales
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
+10s
a0 queues c1 in sales
  -> refused not_yours field=conversation: c1 is not yours
supervisor a0 queues c1 in sales since=0s
  -> refused bad_setting field=waiting_since: waiting_since: absent: what waits keeps its age
supervisor a0 queues c1 in nowhere
  -> refused no_such_queue field=queue: there is no queue "nowhere"
supervisor a0 queues c1 in sales
  -> done
  c1 moved q2 moves=0 by=supervisor a0 skills=french:2
admin queues c1 in sales
  -> done
admin queues c1 in support
  -> done
  c1 moved q1 moves=0 by=admin
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 40s deliver 15s
admin queues c1 in sales
  -> done
  o1 withdrawn c1 a0
  c1 moved q2 moves=0 by=admin skills=french:2
"#,
    );
}

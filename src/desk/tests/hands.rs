//! Picked, claimed, reassigned, begun: an agent owns a conversation without an offer, by a rule that names what it expects.

use super::script::check;

#[test]
fn an_agent_picks_what_waits_where_the_queue_lets_it() {
    check(
        r#"
given 1 agents
a0 sets available email
  -> done
  a0 status 1 channels 100 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
a0 lists support 10
  -> refused pick_not_allowed field=queue: the queue "support" does not let agents pick
a0 picks c1
  -> refused pick_not_allowed field=queue: the queue "support" does not let agents pick
admin queue support moves={"pick":true} skills=french:2
  -> put q1
  q1 put as support
u2 opens email in support
  -> opened c2 u2
  c2 opened u2 q1 skills=french:2
a0 lists support 10
  -> waiting c1 channel_off, c2 lacks_skill
a0 picks c1
  -> refused agent_unable field=agent: the agent "a0" cannot take it: channel_off
a0 picks c2
  -> refused agent_unable field=agent: the agent "a0" cannot take it: lacks_skill
admin agent a0 skills=french:3
  -> put a0
  a0 put queues=[q1] skills=french:3
  o1 made c2 a0 ends 120s deliver 5s
a0 picks c2
  -> refused wrong_state field=conversation: the conversation c2 is offered
a0 rejects o1 busy
  -> done
  o1 rejected c2 a0 reason=busy cool=30s
a0 lists support 1
  -> waiting c1 channel_off and more
#4 a0 picks c2
  -> taken c2
  c2 picked a0
#4 a0 picks c2
  -> taken c2
a0 picks c2
  -> refused wrong_state field=conversation: the conversation c2 is active
"#,
    );
}

#[test]
fn a_supervisor_claims_what_it_expects_and_hears_who_owns_it_otherwise() {
    check(
        r#"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
supervisor a1 assigns c1 from=a0
  -> refused owner_changed field=expected_owner: c1 is now owned by nobody
supervisor a1 assigns c1
  -> taken c1
  o1 withdrawn c1 a0
  c1 claimed a1
supervisor a1 assigns c1
  -> refused owner_changed field=expected_owner: c1 is now owned by a1
supervisor a1 assigns c1 to=a0 from=a1
  -> taken c1
  c1 reassigned a0 from=a1
admin assigns c1 to=a0 from=a0
  -> refused already_there field=agent: c1 is the conversation of "a0" already, or offered to it
a1 assigns c1 from=a0
  -> refused not_yours field=conversation: c1 is not yours
admin assigns c1 to=a1 from=a0
  -> taken c1
  c1 reassigned a1 from=a0
a1 closes c1
  -> done
  c1 ended a1
admin assigns c1 to=a0
  -> refused wrong_state field=conversation: the conversation c1 is closed
"#,
    );
}

#[test]
fn only_force_goes_beyond_what_an_agent_can_take_and_it_is_recorded() {
    check(
        r#"
given 2 agents
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
admin agent a1 queues=-
  -> put a1
  a1 put queues=[] skills=-
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
supervisor a1 assigns c2 to=a0
  -> refused agent_unable field=agent: the agent "a0" cannot take it: channel_full
supervisor a1 assigns c2 to=a0 force=yes
  -> taken c2
  c2 reassigned a0 forced
restart
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
a0 closes c1
  -> done
  c1 ended a0
a0 closes c2
  -> done
  c2 ended a0
  o2 made c3 a0 ends 30s deliver 5s
a1 signs_out
  -> done
  a1 offline signed_out
supervisor a0 assigns c3 to=a1 force=yes
  -> refused agent_unable field=agent: the agent "a1" cannot take it: offline
"#,
    );
}

#[test]
fn an_agent_begins_a_conversation_and_owns_it() {
    check(
        r#"
given 1 agents
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
#3 a0 starts u1 chat in support text=good morning
  -> opened c1 u1
  c1 opened u1 q1
  c1 started a0
  c1 message 1 a0 good morning
#3 a0 starts u1 chat in support text=good morning
  -> opened c1 u1
a0 starts u2 chat in support
  -> refused agent_unable field=agent: the agent "a0" cannot take it: channel_full
a0 starts u2 fax in support
  -> refused no_such_channel field=channel: there is no channel "fax"
a0 starts u2 email in nowhere
  -> refused no_such_queue field=queue: there is no queue "nowhere"
u1 posts c1 yes please
  -> posted c1 2
  c1 message 2 u1 yes please
"#,
    );
}

#[test]
fn notes_are_for_agents_and_count_apart() {
    check(
        r"
given 2 agents
u1 opens voice in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 20s deliver 5s
a0 notes c1 not mine yet
  -> refused not_yours field=conversation: c1 is not yours
supervisor a1 notes c1 be careful
  -> noted c1 1
  c1 note 1 a1 after=1 be careful
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
#7 a0 notes c1 she called before
  -> noted c1 2
  c1 note 2 a0 after=1 she called before
#7 a0 notes c1 she called before
  -> noted c1 2
a0 posts c1 hi
  -> posted c1 2
  c1 message 2 a0 hi
a0 closes c1
  -> done
  c1 ended a0 wrap_up=60s
a0 notes c1 will pay
  -> noted c1 3
  c1 note 3 a0 after=2 will pay
admin notes c1 paid by now
  -> noted c1 4
  c1 note 4 admin after=2 paid by now
a0 done c1
  -> done
  c1 wrap_up over a0 done
a0 notes c1 too late
  -> refused wrong_state field=conversation: the conversation c1 is closed
",
    );
}

#[test]
fn what_an_agent_has_joined_takes_its_capacity() {
    check(
        r"
given 2 agents
admin agent a1 capacity=chat:1
  -> put a1
  a1 put queues=[q1] skills=-
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
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 hands_over c1
  -> done
  c1 handed over a0 a1
a1 closes c1
  -> done
  c1 ended a1
  o3 made c2 a1 ends 30s deliver 5s
",
    );
}

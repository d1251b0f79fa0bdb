//! Why: every agent's place in the order or the first rule that excludes it, and what keeps an agent idle.

use super::script::{check, desk_of, does};

#[test]
fn every_agent_has_its_place_or_the_first_rule_that_excludes_it() {
    check(
        r#"
given 4 agents
admin queue support offering={"tiers_up_to":1,"rings":[{"after_ms":60000,"tiers_up_to":100}]}
  -> put q1
  q1 put as support
admin queue other
  -> put q2
  q2 put as other
admin agent a4 queues=other
  -> put a4
  a4 put queues=[q2] skills=-
a4 comes s4
  -> welcome a4
  a4 came s4
a4 sets available
  -> done
  a4 status 1 channels 111 chosen
admin agent a5 queues=support active=no
  -> put a5
  a5 put inactive queues=[q1] skills=-
admin agent a6 queues=support
  -> put a6
  a6 put queues=[q1] skills=-
admin agent a7 queues=support tiers=support:2
  -> put a7
  a7 put queues=[q1] skills=-
a7 comes s7
  -> welcome a7
  a7 came s7
a7 sets available
  -> done
  a7 status 1 channels 111 chosen
admin agent a8 queues=support capacity=chat:0
  -> put a8
  a8 put queues=[q1] skills=-
a8 comes s8
  -> welcome a8
  a8 came s8
a8 sets available
  -> done
  a8 status 1 channels 111 chosen
admin agent a9 queues=support
  -> put a9
  a9 put queues=[q1] skills=-
a9 comes s9
  -> welcome a9
  a9 came s9
a9 sets available email
  -> done
  a9 status 1 channels 100 chosen
a1 sets away
  -> done
  a1 status 0 channels 111 chosen
a2 goes s2
  -> done
  a2 reconnecting until 60s offers 10s
u1 opens chat in support skills=french:3
  -> opened c1 u1
  c1 opened u1 q1 skills=french:3
admin agent a3 skills=french:4
  -> put a3
  a3 put queues=[q1] skills=french:4
  o1 made c1 a3 ends 30s deliver 5s
a3 rejects o1 busy
  -> done
  o1 rejected c1 a3 reason=busy cool=30s
admin agent a8 skills=french:4
  -> put a8
  a8 put queues=[q1] skills=french:4
admin why c1
  -> why c1 waiting skills=french:3 excluded=a0:lacks_skill,a1:status_not_available,a2:reconnecting,a3:cooling_down,a4:not_in_queue,a5:deactivated,a6:offline,a7:tier_not_yet,a8:channel_full,a9:channel_off
admin why c2
  -> refused no_such_conversation field=conversation: there is no conversation c2
admin agent a0 skills=french:9
  -> put a0
  a0 put queues=[q1] skills=french:9
  o2 made c1 a0 ends 30s deliver 5s
admin why c1
  -> why c1 offered skills=french:3 offered_to=a0 first=a0 excluded=a1:status_not_available,a2:reconnecting,a3:cooling_down,a4:not_in_queue,a5:deactivated,a6:offline,a7:tier_not_yet,a8:channel_full,a9:channel_off
"#,
    );
}

#[test]
fn an_idle_agent_is_told_what_stands_against_each_group_that_waits() {
    check(
        r#"
given 1 agents
admin agent a0 queues=support skills=german:1
  -> put a0
  a0 put queues=[q1] skills=german:1
admin queue voice_only
  -> put q2
  q2 put as voice_only
u1 opens chat in support skills=french:3
  -> opened c1 u1
  c1 opened u1 q1 skills=french:3
u2 opens chat in support skills=french:3
  -> opened c2 u2
  c2 opened u2 q1 skills=french:3
u3 opens voice in support only=a0
  -> opened c3 u3
  c3 opened u3 q1
  o1 made c3 a0 ends 20s deliver 5s
a0 rejects o1 busy
  -> done
  o1 rejected c3 a0 reason=busy cool=30s
admin why a0
  -> why a0 waiting=support/chat:2xc1:lacks_skill,support/voice:1xc3:cooling_down
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
admin why a0
  -> why a0 excluded=status_not_available waiting=support/chat:2xc1:status_not_available,support/voice:1xc3:status_not_available
admin why nobody
  -> refused no_such_agent field=agent: there is no agent "nobody"
"#,
    );
}

#[test]
fn who_could_take_it_is_named_however_many_agents_there_are_of_other_queues() {
    let mut desk = desk_of(0, "admin queue other");
    does(&mut desk, 0, "admin queue support");
    for agent in 0..12_000 {
        let queue = if agent < 11_998 { "other" } else { "support" };
        does(&mut desk, 0, &format!("admin agent a{agent} queues={queue}"));
    }
    does(&mut desk, 0, "a11999 comes s1");
    does(&mut desk, 0, "a11999 sets available");
    does(&mut desk, 0, "u1 opens chat in support");
    let why = desk.why_conversation(desk.last_conversation()).expect("it is there");
    assert_eq!(why.candidates.len(), 1);
    assert_eq!(&*why.candidates[0].agent, "a11999");
    // The other of its queue, and a hundred of the other one.
    assert_eq!((why.agents_looked_at, why.excluded.len(), why.agents), (102, 100, 12_000));
}

//! Pairing: who is offered what, in which order, and what keeps them apart.

use super::script::check;

#[test]
fn the_longest_idle_agent_comes_first() {
    check(
        r"
given 3 agents
+1s
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a1 ends 31s deliver 6s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a2 ends 31s deliver 6s
",
    );
}

#[test]
fn higher_priority_goes_first_then_the_older() {
    check(
        r"
given 0 agents
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
+1s
u2 opens voice in support priority=5
  -> opened c2 u2
  c2 opened u2 q1 priority=5
u3 opens voice in support priority=5
  -> opened c3 u3
  c3 opened u3 q1 priority=5
admin agent a0 queues=support
  -> put a0
  a0 put queues=[q1] skills=-
a0 comes s1
  -> welcome a0
  a0 came s1
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c2 a0 ends 21s deliver 6s
a0 rejects o1 busy
  -> done
  o1 rejected c2 a0 reason=busy cool=31s
  o2 made c3 a0 ends 21s deliver 6s
a0 rejects o2 busy
  -> done
  o2 rejected c3 a0 reason=busy cool=31s
  o3 made c1 a0 ends 21s deliver 6s
",
    );
}

#[test]
fn a_skill_is_needed_at_its_level() {
    check(
        r"
given 2 agents
u1 opens chat in support skills=french:3
  -> opened c1 u1
  c1 opened u1 q1 skills=french:3
admin agent a0 skills=french:2
  -> put a0
  a0 put queues=[q1] skills=french:2
admin agent a1 skills=french:3
  -> put a1
  a1 put queues=[q1] skills=french:3
  o1 made c1 a1 ends 30s deliver 5s
",
    );
}

#[test]
fn a_queue_may_require_a_skill_of_all() {
    check(
        r"
given 2 agents
admin queue support skills=german:4
  -> put q1
  q1 put as support
admin agent a1 skills=german:4
  -> put a1
  a1 put queues=[q1] skills=german:4
u1 opens chat in support skills=german:2
  -> opened c1 u1
  c1 opened u1 q1 skills=german:4
  o1 made c1 a1 ends 30s deliver 5s
u2 opens chat in support skills=german:5
  -> opened c2 u2
  c2 opened u2 q1 skills=german:5
",
    );
}

#[test]
fn only_agents_of_the_queue_are_offered() {
    check(
        r"
given 1 agents
admin queue sales
  -> put q2
  q2 put as sales
u1 opens chat in sales
  -> opened c1 u1
  c1 opened u1 q2
admin agent a0 queues=sales
  -> put a0
  a0 put queues=[q2] skills=-
  o1 made c1 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn a_channel_that_is_switched_off_is_not_offered() {
    check(
        r"
given 1 agents
a0 sets available email
  -> done
  a0 status 1 channels 100 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens email in support
  -> opened c2 u2
  c2 opened u2 q1
  o1 made c2 a0 ends 120s deliver 5s
a0 sets available chat,email
  -> done
  a0 status 1 channels 101 chosen
  o2 made c1 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn an_agent_without_channels_is_offered_nothing() {
    check(
        r"
given 1 agents
a0 sets available -
  -> done
  a0 status 1 channels 0 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
",
    );
}

#[test]
fn an_agent_holds_as_many_chats_as_its_channel_allows() {
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
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 30s deliver 5s
u4 opens chat in support
  -> opened c4 u4
  c4 opened u4 q1
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0
  o4 made c4 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn weights_of_all_channels_share_one_total() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u2 opens email in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 120s deliver 5s
u3 opens voice in support
  -> opened c3 u3
  c3 opened u3 q1
u4 opens email in support
  -> opened c4 u4
  c4 opened u4 q1
  o3 made c4 a0 ends 120s deliver 5s
u5 opens email in support
  -> opened c5 u5
  c5 opened u5 q1
  o4 made c5 a0 ends 120s deliver 5s
u6 opens email in support
  -> opened c6 u6
  c6 opened u6 q1
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended u1
  o5 made c6 a0 ends 120s deliver 5s
",
    );
}

#[test]
fn an_agents_own_limit_goes_before_the_channels() {
    check(
        r"
given 1 agents
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
admin agent a0 capacity=chat:2
  -> put a0
  a0 put queues=[q1] skills=-
  o2 made c2 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn a_limit_that_was_lowered_takes_nothing_away_and_offers_nothing_new() {
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
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended u1
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
u2 closes c2
  -> done
  o2 withdrawn c2 a0
  c2 ended u2
  o3 made c3 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn nobody_waits_when_an_agent_becomes_available() {
    check(
        r"
given 1 agents
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c2 a0 ends 30s deliver 5s
",
    );
}

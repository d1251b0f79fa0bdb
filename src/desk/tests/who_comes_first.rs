//! Who comes first: the strategies of a queue, tiers, preferred skills, and the order of conversations.

use super::script::check;

#[test]
fn the_least_loaded_agent_comes_first_by_its_share_of_capacity() {
    check(
        r#"
admin queue support offering={"agents_by":"least_loaded"}
  -> put q1
  q1 put as support
admin agent a0 queues=support
  -> put a0
  a0 put queues=[q1] skills=-
admin agent a1 queues=support
  -> put a1
  a1 put queues=[q1] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
a1 comes s1
  -> welcome a1
  a1 came s1
+1s
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
u1 opens email in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 121s deliver 6s
#1 a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 31s deliver 6s
#2 a1 accepts o2
  -> accepted c2
  o2 accepted c2 a1
u3 opens email in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 121s deliver 6s
"#,
    );
}

#[test]
fn round_robin_goes_to_whose_last_offer_is_longest_ago() {
    check(
        r#"
given 2 agents
admin queue support offering={"agents_by":"round_robin"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
#1 a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 30s deliver 5s
#2 a1 accepts o2
  -> accepted c2
  o2 accepted c2 a1
a0 closes c1
  -> done
  c1 ended a0
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 30s deliver 5s
a0 rejects o3 busy
  -> done
  o3 rejected c3 a0 reason=busy cool=30s
  o4 made c3 a1 ends 30s deliver 5s
"#,
    );
}

#[test]
fn the_most_skilled_comes_first_by_the_sum_of_levels_then_of_preferred_ones() {
    check(
        r#"
given 3 agents
admin queue support offering={"agents_by":"most_skilled"}
  -> put q1
  q1 put as support
admin agent a0 skills=french:5,billing:5
  -> put a0
  a0 put queues=[q1] skills=billing:5,french:5
admin agent a1 skills=french:9,billing:2
  -> put a1
  a1 put queues=[q1] skills=billing:2,french:9
admin agent a2 skills=french:4,billing:6,german:1
  -> put a2
  a2 put queues=[q1] skills=billing:6,french:4,german:1
u1 opens chat in support skills=french:3
  -> opened c1 u1
  c1 opened u1 q1 skills=french:3
  o1 made c1 a1 ends 30s deliver 5s
u2 opens chat in support skills=billing:1,french:1
  -> opened c2 u2
  c2 opened u2 q1 skills=billing:1,french:1
  o2 made c2 a1 ends 30s deliver 5s
u3 opens chat in support skills=billing:5,french:1 prefers=german
  -> opened c3 u3
  c3 opened u3 q1 skills=billing:5,french:1
  o3 made c3 a2 ends 30s deliver 5s
"#,
    );
}

#[test]
fn tiers_come_before_the_rule_of_the_queue() {
    check(
        r#"
given 2 agents
admin agent a0 tiers=support:2
  -> put a0
  a0 put queues=[q1] skills=-
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a1 ends 30s deliver 5s
#1 a1 accepts o1
  -> accepted c1
  o1 accepted c1 a1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 30s deliver 5s
"#,
    );
}

#[test]
fn preferred_skills_put_an_agent_first_and_never_exclude_one() {
    check(
        r#"
given 2 agents
admin agent a1 skills=german:2
  -> put a1
  a1 put queues=[q1] skills=german:2
u1 opens chat in support prefers=german
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a1 ends 30s deliver 5s
u2 opens voice in support prefers=spanish
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 20s deliver 5s
"#,
    );
}

#[test]
fn of_one_priority_the_one_whose_accept_by_time_is_nearest_comes_first() {
    check(
        r#"
admin queue slow
  -> put q1
  q1 put as slow
admin queue fast offering={"accept_within_ms":60000}
  -> put q2
  q2 put as fast
admin queue faster offering={"accept_within_ms":20000}
  -> put q3
  q3 put as faster
u1 opens voice in slow
  -> opened c1 u1
  c1 opened u1 q1
+1s
u2 opens voice in fast
  -> opened c2 u2
  c2 opened u2 q2
+1s
u3 opens voice in faster
  -> opened c3 u3
  c3 opened u3 q3
u4 opens voice in slow priority=1
  -> opened c4 u4
  c4 opened u4 q1 priority=1
admin agent a0 queues=slow,fast,faster
  -> put a0
  a0 put queues=[q1, q2, q3] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c4 a0 ends 22s deliver 7s
#1 a0 accepts o1
  -> accepted c4
  o1 accepted c4 a0
a0 closes c4
  -> done
  c4 ended a0 wrap_up=62s
a0 done c4
  -> done
  c4 wrap_up over a0 done
  o2 made c3 a0 ends 22s deliver 7s
#2 a0 accepts o2
  -> accepted c3
  o2 accepted c3 a0
a0 closes c3
  -> done
  c3 ended a0 wrap_up=62s
a0 done c3
  -> done
  c3 wrap_up over a0 done
  o3 made c2 a0 ends 22s deliver 7s
#3 a0 accepts o3
  -> accepted c2
  o3 accepted c2 a0
a0 closes c2
  -> done
  c2 ended a0 wrap_up=62s
a0 done c2
  -> done
  c2 wrap_up over a0 done
  o4 made c1 a0 ends 22s deliver 7s
"#,
    );
}

#[test]
fn by_weight_an_agents_queues_take_turns_in_proportion() {
    check(
        r#"
admin settings {"across_queues":"by_weight"}
  -> done
  settings changed
admin queue big offering={"weight":3}
  -> put q1
  q1 put as big
admin queue small
  -> put q2
  q2 put as small
u1 opens chat in small
  -> opened c1 u1
  c1 opened u1 q2
u2 opens chat in small
  -> opened c2 u2
  c2 opened u2 q2
u3 opens chat in big
  -> opened c3 u3
  c3 opened u3 q1
u4 opens chat in big
  -> opened c4 u4
  c4 opened u4 q1
u5 opens chat in big
  -> opened c5 u5
  c5 opened u5 q1
u6 opens chat in big
  -> opened c6 u6
  c6 opened u6 q1
admin agent a0 queues=big,small capacity=email:5
  -> put a0
  a0 put queues=[q1, q2] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c3 a0 ends 30s deliver 5s
  o3 made c4 a0 ends 30s deliver 5s
#1 a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0
  o4 made c5 a0 ends 30s deliver 5s
"#,
    );
}

#[test]
fn an_age_may_be_handed_in_and_only_from_the_past() {
    check(
        r#"
given 0 agents
+100s
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens voice in support since=40s
  -> opened c2 u2
  c2 opened u2 q1
u3 opens voice in support since=101s
  -> refused bad_setting field=waiting_since: waiting_since: not in the future, and at most 30 days ago
admin agent a0 queues=support
  -> put a0
  a0 put queues=[q1] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c2 a0 ends 120s deliver 105s
"#,
    );
}

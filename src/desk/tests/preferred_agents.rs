//! Preferred and required agents.

use super::script::check;

#[test]
fn a_conversation_is_kept_for_its_preferred_agent_for_a_time() {
    check(
        r#"
given 2 agents
u1 opens voice in support for=a1
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a1 ends 20s deliver 5s
#1 a1 accepts o1
  -> accepted c1
  o1 accepted c1 a1
u2 opens voice in support for=a1
  -> opened c2 u2
  c2 opened u2 q1
+59s
+1s
  o2 made c2 a0 ends 80s deliver 65s
"#,
    );
}

#[test]
fn a_preferred_agent_who_is_offline_is_skipped_unless_the_queue_says_wait() {
    check(
        r#"
given 2 agents
a1 signs_out
  -> done
  a1 offline signed_out
u1 opens voice in support for=a1
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
admin queue support offering={"preferred_agent":{"when_offline":"wait"}}
  -> put q1
  q1 put as support
admin agent a2 queues=support
  -> put a2
  a2 put queues=[q1] skills=-
a2 comes s2
  -> welcome a2
  a2 came s2
a2 sets available
  -> done
  a2 status 1 channels 111 chosen
u2 opens voice in support for=a1
  -> opened c2 u2
  c2 opened u2 q1
a1 comes s3
  -> welcome a1
  a1 came s3
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
  o2 made c2 a1 ends 20s deliver 5s
"#,
    );
}

#[test]
fn away_and_busy_have_rules_of_their_own() {
    check(
        r#"
given 2 agents
admin queue support offering={"preferred_agent":{"when_away":"skip","when_busy":"skip"}}
  -> put q1
  q1 put as support
a1 sets away
  -> done
  a1 status 0 channels 111 chosen
u1 opens voice in support for=a1
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
u2 opens voice in support for=a1
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 20s deliver 5s
u3 opens voice in support for=a1
  -> opened c3 u3
  c3 opened u3 q1
"#,
    );
}

#[test]
fn one_that_waits_for_its_agent_is_let_go_when_that_one_goes_offline() {
    check(
        r#"
given 2 agents
a1 sets away
  -> done
  a1 status 0 channels 111 chosen
u1 opens chat in support for=a1
  -> opened c1 u1
  c1 opened u1 q1
a1 signs_out
  -> done
  a1 offline signed_out
  o1 made c1 a0 ends 30s deliver 5s
"#,
    );
}

#[test]
fn a_preferred_agent_who_says_no_is_asked_no_more() {
    check(
        r#"
given 2 agents
u1 opens chat in support for=a1
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a1 ends 30s deliver 5s
a1 rejects o1 busy
  -> done
  o1 rejected c1 a1 reason=busy cool=30s
  o2 made c1 a0 ends 30s deliver 5s
"#,
    );
}

#[test]
fn a_required_agent_is_waited_for_and_nobody_else_is_asked() {
    check(
        r#"
given 2 agents
u1 opens chat in support only=a1
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a1 ends 30s deliver 5s
a1 rejects o1 busy
  -> done
  o1 rejected c1 a1 reason=busy cool=30s
+29s
+1s
  o2 made c1 a1 ends 60s deliver 35s
u2 opens chat in support only=nobody
  -> refused no_such_agent field=agent: there is no agent "nobody"
u3 opens chat in support for=nobody
  -> opened c2 u3
  c2 opened u3 q1
  o3 made c2 a0 ends 60s deliver 35s
"#,
    );
}

#[test]
fn a_preferred_agent_who_could_never_take_it_is_not_waited_for() {
    check(
        r#"
given 2 agents
admin agent a0 skills=french:5
  -> put a0
  a0 put queues=[q1] skills=french:5
u1 opens chat in support for=a1 skills=french:3
  -> opened c1 u1
  c1 opened u1 q1 skills=french:3
  o1 made c1 a0 ends 30s deliver 5s
"#,
    );
}

//! Presence: coming, dropping, grace, signing out, and owners who vanish.

use super::script::check;

#[test]
fn a_short_drop_changes_no_status() {
    check(
        r"
given 1 agents
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+59s
a0 comes s7
  -> welcome a0
  a0 came s7
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 89s deliver 64s
",
    );
}

#[test]
fn when_grace_is_over_an_agent_is_offline_and_comes_back_away() {
    check(
        r"
given 1 agents
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+60s
  a0 offline grace_over
a0 comes s7
  -> welcome a0
  a0 came s7
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 90s deliver 65s
",
    );
}

#[test]
fn signing_out_skips_grace() {
    check(
        r"
given 1 agents
a0 signs_out
  -> done
  a0 offline signed_out
a0 comes s7
  -> welcome a0
  a0 came s7
",
    );
}

/// Who signs out at one node may be connected to another by the same sign-in, or another one.
#[test]
fn the_last_session_of_a_sign_in_that_ended_takes_its_agent_offline_and_no_other_does() {
    check(
        r"
given 1 agents
a0 comes s7
  -> welcome a0
  a0 came s7
a0 signs_out_of
  -> done
a0 signs_out_of s0
  -> done
  a0 went s0
a0 signs_out_of s0 s7
  -> done
  a0 offline signed_out
a0 comes s8
  -> welcome a0
  a0 came s8
a0 goes s8
  -> done
  a0 reconnecting until 60s offers 10s
a0 signs_out_of s8
  -> done
  a0 offline signed_out
a0 signs_out_of s8
  -> done
",
    );
}

#[test]
fn a_session_that_was_signed_out_cannot_make_its_agent_available() {
    check(
        r"
given 1 agents
a0 comes s7
  -> welcome a0
  a0 came s7
a0 signs_out
  -> done
  a0 offline signed_out
a0 sets available
  -> refused no_such_session: the session is not known here any more
",
    );
}

#[test]
fn signing_out_gives_up_offers() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
a0 signs_out
  -> done
  o1 rejected c1 a0 cool=30s
  a0 offline signed_out
  o2 made c1 a1 ends 30s deliver 5s
",
    );
}

#[test]
fn an_agent_stays_online_while_one_device_is_left() {
    check(
        r"
given 1 agents
a0 comes s7
  -> welcome a0
  a0 came s7
a0 goes s0
  -> done
  a0 went s0
a0 goes s0
  -> refused no_such_session: the session is not known here any more
a0 goes s7
  -> done
  a0 reconnecting until 60s offers 10s
",
    );
}

#[test]
fn the_same_session_comes_once() {
    check(
        r"
given 1 agents
a0 comes s0
  -> welcome a0
",
    );
}

#[test]
fn devices_are_limited() {
    check(
        r#"
given 1 agents
admin settings {"devices_max":2}
  -> done
  settings changed
a0 comes s7
  -> welcome a0
  a0 came s7
a0 comes s8
  -> refused too_many_devices: 2 devices are connected already
"#,
    );
}

#[test]
fn no_new_offer_while_reconnecting() {
    check(
        r"
given 1 agents
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
a0 comes s7
  -> welcome a0
  a0 came s7
  o1 made c1 a0 ends 30s deliver 5s
",
    );
}

#[test]
fn a_live_conversation_of_a_vanished_owner_goes_back_after_its_time() {
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
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+60s
  a0 offline grace_over
  c1 owner vanished, requeue 180s
+119s
+1s
  c1 requeued a0
",
    );
}

#[test]
fn a_conversation_of_a_vanished_owner_goes_back_at_the_customers_next_message() {
    check(
        r"
given 2 agents
u1 opens email in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 120s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 signs_out
  -> done
  a0 offline signed_out
  c1 owner vanished, requeue next message
+1h
u1 posts c1 anybody there
  -> posted c1 1
  c1 requeued a0
  c1 message 1 u1 anybody there
  o2 made c1 a1 ends 3720s deliver 3605s
",
    );
}

#[test]
fn an_owner_who_returns_in_time_keeps_its_conversations() {
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
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+60s
  a0 offline grace_over
  c1 owner vanished, requeue 180s
a0 comes s7
  -> welcome a0
  a0 came s7
  c1 owner returned
+120s
",
    );
}

#[test]
fn the_server_that_begins_starts_everybodys_grace() {
    check(
        r"
given 2 agents
a1 signs_out
  -> done
  a1 offline signed_out
server began
  -> done
  server began, grace until 60s offers 10s
+60s
  a0 offline grace_over
",
    );
}

#[test]
fn each_beginning_of_the_server_gives_everybody_fresh_grace() {
    check(
        r"
given 1 agents
server began
  -> done
  server began, grace until 60s offers 10s
+40s
restart
server began
  -> done
  server began, grace until 100s offers 50s
+60s
  a0 offline grace_over
",
    );
}

#[test]
fn a_deactivated_agent_is_out_at_once_and_may_not_come_back() {
    check(
        r#"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
admin agent a0 active=no
  -> put a0
  a0 put inactive queues=[q1] skills=-
  o1 agent_lost c1 a0
  a0 offline deactivated
a0 comes s7
  -> refused agent_deactivated field=agent: the agent "a0" is deactivated
admin agent a0 active=yes
  -> put a0
  a0 put queues=[q1] skills=-
a0 comes s7
  -> welcome a0
  a0 came s7
"#,
    );
}

#[test]
fn an_agent_who_is_not_known_is_created_in_the_queues_for_new_ones() {
    check(
        r#"
given 0 agents
admin settings {"new_agent_queues":["support"]}
  -> done
  settings changed
a0 comes s1
  -> welcome a0
  a0 put queues=[q1] skills=-
  a0 came s1
"#,
    );
}

#[test]
fn an_agent_who_is_not_known_is_refused_where_agents_are_not_created() {
    check(
        r#"
given 0 agents
admin settings {"create_agents":false}
  -> done
  settings changed
a0 comes s1
  -> refused no_such_agent field=agent: there is no agent "a0"
"#,
    );
}

#[test]
fn a_status_or_channel_must_be_one_of_the_workspaces() {
    check(
        r#"
given 1 agents
a0 sets lunch
  -> refused no_such_status field=status: there is no status "lunch"
a0 sets available chat,fax
  -> refused no_such_channel field=channel: there is no channel "fax"
a0 sets available
  -> done
"#,
    );
}

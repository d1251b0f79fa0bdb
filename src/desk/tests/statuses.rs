//! Statuses for after work, by a supervisor, and for want of input.

use super::script::check;

#[test]
fn the_next_status_applies_when_the_work_is_over_and_nothing_new_comes_meanwhile() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=10000
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 next lunch
  -> refused no_such_status field=status: there is no status "lunch"
a0 next away
  -> done
  a0 next status 0
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
admin why c3
  -> why c3 waiting excluded=a0:next_status
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s
u2 closes c2
  -> done
  c2 ended u2 wrap_up=10s
restart
a0 done c1
  -> done
  c1 wrap_up over a0 done
+10s
  c2 wrap_up over a0 time_over
  a0 status 0 channels 111 next
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o3 made c3 a0 ends 40s deliver 15s
"#,
    );
}

#[test]
fn a_next_status_is_taken_back_and_applies_at_once_where_there_is_nothing_to_do() {
    check(
        r#"
given 2 agents
a1 next away
  -> done
  a1 next status 0
  a1 status 0 channels 111 next
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 next away
  -> done
  a0 next status 0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 next -
  -> done
  a0 next status none
  o2 made c2 a0 ends 30s deliver 5s
a0 next away
  -> done
  a0 next status 0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
a0 next available
  -> done
  a0 next status 1
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=30s
a0 rejects o2 busy
  -> done
  o2 rejected c2 a0 reason=busy cool=30s
  a0 status 1 channels 111 next
a0 next away
  -> done
  a0 next status 0
  a0 status 0 channels 111 next
a0 signs_out
  -> done
  a0 offline signed_out
a0 next away
  -> refused no_such_session: the session is not known here any more
"#,
    );
}

#[test]
fn a_supervisor_forces_a_status_and_it_is_recorded_who() {
    check(
        r#"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
supervisor a1 forces a0 away
  -> done
  a0 status 0 channels 111 forced by=supervisor a1
  o1 rejected c1 a0 cool=30s
  o2 made c1 a1 ends 30s deliver 5s
supervisor a1 forces a0 away
  -> done
admin forces a0 available
  -> done
  a0 status 1 channels 111 forced by=admin
admin forces a0 asleep
  -> refused no_such_status field=status: there is no status "asleep"
admin forces a9 away
  -> refused no_such_agent field=agent: there is no agent "a9"
a0 signs_out
  -> done
  a0 offline signed_out
admin forces a0 available
  -> refused agent_unable field=agent: the agent "a0" cannot take it: offline
"#,
    );
}

#[test]
fn who_has_been_idle_is_away_and_what_was_on_screen_is_rejected() {
    check(
        r#"
given 2 agents
admin settings {"idle_agents":{"after_ms":60000}}
  -> done
  settings changed
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
server idle a0
  -> done
  a0 status 0 channels 111 idle
  o1 rejected c1 a0 cool=30s
  o2 made c1 a1 ends 30s deliver 5s
server idle a0
  -> done
server idle a1
  -> done
  a1 status 0 channels 111 idle
  o2 agent_lost c1 a1
"#,
    );
}

#[test]
fn programs_and_workspaces_without_the_rule_know_no_idleness() {
    check(
        r#"
given 2 agents
server idle a0
  -> done
admin settings {"statuses":[{"name":"away","available":false},{"name":"available","available":true},{"name":"lunch","available":false}],"idle_agents":{"after_ms":60000,"status":"lunch"}}
  -> done
  settings changed
admin agent a1 program=yes
  -> put a1
  a1 put program queues=[q1] skills=-
server idle a1
  -> done
server idle a0
  -> done
  a0 status 2 channels 111 idle
"#,
    );
}

#[test]
fn the_rule_of_idleness_is_checked_field_by_field() {
    check(
        r#"
given 0 agents
admin settings {"idle_agents":{"after_ms":999}}
  -> refused bad_setting field=idle_agents.after_ms: idle_agents.after_ms: 1000 to 86400000 (a day)
admin settings {"idle_agents":{"after_ms":60000,"status":"available"}}
  -> refused bad_setting field=idle_agents.status: idle_agents.status: a status that is not available
admin settings {"idle_agents":{"after_ms":60000,"status":"asleep"}}
  -> refused bad_setting field=idle_agents.status: idle_agents.status: a status that is not available
"#,
    );
}

#[test]
fn a_retry_of_a_choice_that_changed_nothing_does_not_undo_a_later_one() {
    check(
        r"
given 2 agents
#1 a0 sets available
  -> done
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
#1 a0 sets available
  -> done
#1 a0 sets away
  -> refused id_reused field=id: this command id was used with another body
restart
#1 a0 sets available
  -> done
",
    );
}

#[test]
fn a_retry_of_a_drain_that_changed_nothing_does_not_undo_a_later_one() {
    check(
        r"
given 1 agents
#1 admin drains a0 no
  -> done
admin drains a0 yes
  -> done
  a0 drains
#1 admin drains a0 no
  -> done
",
    );
}

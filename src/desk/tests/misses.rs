//! What an agent misses: cool-downs, turned away, unreachable.

use super::script::check;

#[test]
fn an_offer_that_runs_out_while_its_agent_reconnects_is_lost_and_not_missed() {
    check(
        r"
given 1 agents
admin queue support offer_ms=8000
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 8s deliver 4s
a0 delivered o1
  -> done
  o1 delivered
a0 goes s0
  -> done
  a0 reconnecting until 60s offers 10s
+8s
  o1 agent_lost c1 a0
",
    );
}

#[test]
fn cool_downs_double_up_to_the_most() {
    check(
        r#"
given 1 agents
admin settings {"cool_downs":{"rejected_ms":100000,"most_ms":300000}}
  -> done
  settings changed
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=100s
+100s
  o2 made c1 a0 ends 130s deliver 105s
a0 rejects o2 busy
  -> done
  o2 rejected c1 a0 reason=busy cool=300s
+200s
  o3 made c1 a0 ends 330s deliver 305s
a0 rejects o3 busy
  -> done
  o3 rejected c1 a0 reason=busy cool=600s
+300s
  o4 made c1 a0 ends 630s deliver 605s
a0 rejects o4 busy
  -> done
  o4 rejected c1 a0 reason=busy cool=900s
"#,
    );
}

#[test]
fn each_end_has_its_own_cool_down_and_a_lost_agent_has_none() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
+30s
  o1 expired c1 a0 cool=90s
+60s
  o2 made c1 a0 ends 120s deliver 95s
+5s
  o2 undelivered c1 a0 cool=155s
+60s
  o3 made c1 a0 ends 185s deliver 160s
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
  o3 agent_lost c1 a0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o4 made c1 a0 ends 185s deliver 160s
",
    );
}

#[test]
fn two_missed_in_a_row_turn_an_agent_away_until_it_chooses() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
+30s
  o1 expired c1 a0 cool=90s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 60s deliver 35s
a0 delivered o2
  -> done
  o2 delivered
+30s
  o2 expired c2 a0 cool=120s
  a0 status 0 channels 111 missed
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o3 made c3 a0 ends 90s deliver 65s
",
    );
}

#[test]
fn what_else_was_pending_is_given_up_when_an_agent_is_turned_away() {
    check(
        r#"
given 1 agents
admin settings {"missed_in_a_row_max":1}
  -> done
  settings changed
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
+1s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 31s deliver 6s
+1s
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 32s deliver 7s
a0 delivered o1
  -> done
  o1 delivered
a0 delivered o2
  -> done
  o2 delivered
+28s
  o3 undelivered c3 a0 cool=60s
  o1 expired c1 a0 cool=90s
  a0 status 0 channels 111 missed
  o2 rejected c2 a0 cool=60s
"#,
    );
}

#[test]
fn twice_undelivered_makes_unreachable_until_any_command() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
+5s
  o1 undelivered c1 a0 cool=35s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 35s deliver 10s
+5s
  o2 undelivered c2 a0 cool=40s
  a0 unreachable
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
a0 rejects o77 busy
  -> refused no_such_offer field=offer: there is no offer o77
  a0 reachable
  o3 made c3 a0 ends 40s deliver 15s
a0 ready
  -> done
",
    );
}

#[test]
fn a_command_that_is_repeated_ends_unreachable_too() {
    check(
        r"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
#5 a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 30s deliver 5s
+5s
  o2 undelivered c2 a0 cool=35s
  o3 undelivered c3 a0 cool=35s
  a0 unreachable
#5 a0 accepts o1
  -> accepted c1
  a0 reachable
",
    );
}

#[test]
fn ready_ends_unreachable() {
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
+5s
  o1 undelivered c1 a0 cool=35s
  o2 undelivered c2 a0 cool=35s
  a0 unreachable
a0 ready
  -> done
  a0 reachable
",
    );
}

#[test]
fn coming_back_starts_the_count_of_the_undelivered_again() {
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
+5s
  o1 undelivered c1 a0 cool=35s
  o2 undelivered c2 a0 cool=35s
  a0 unreachable
a0 goes s0
  -> done
  a0 reconnecting until 65s offers 15s
a0 comes s7
  -> welcome a0
  a0 came s7
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 35s deliver 10s
+5s
  o3 undelivered c3 a0 cool=40s
",
    );
}

#[test]
fn only_one_agent_who_rejects_is_neither_looped_at_nor_forgotten() {
    check(
        r#"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=30s
+29s
+1s
  o2 made c1 a0 ends 60s deliver 35s
a0 rejects o2 busy
  -> done
  o2 rejected c1 a0 reason=busy cool=90s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o3 made c2 a0 ends 60s deliver 35s
+59s
  o3 undelivered c2 a0 cool=119s
+1s
  o4 made c1 a0 ends 120s deliver 95s
"#,
    );
}

#[test]
fn cool_downs_are_bounded() {
    check(
        r#"
admin settings {"cool_downs":{"rejected_ms":86400001}}
  -> refused bad_setting field=cool_downs.rejected_ms: cool_downs.rejected_ms: at most a day
admin settings {"cool_downs":{"most_ms":86400001}}
  -> refused bad_setting field=cool_downs.most_ms: cool_downs.most_ms: at most a day
"#,
    );
}

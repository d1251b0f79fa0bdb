//! Nodes of a cluster that are gone, and their agents' sessions with them. Sessions of small numbers are of node 0; this one is of node 1:
//! `s1208925819614629174706176` is 2^80.

use super::script::check;

#[test]
fn whose_node_is_gone_comes_back_at_another_with_its_status_and_its_offer() {
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
server without n0
  -> done
  n0 gone, [a0, a1] reconnecting until 60s offers 10s
+5s
a0 comes s1208925819614629174706176
  -> welcome a0
  a0 came s1208925819614629174706176
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
server without n0
  -> done
",
    );
}

#[test]
fn who_has_another_device_stays_and_who_was_away_already_stays_so() {
    check(
        r"
given 2 agents
a0 comes s1208925819614629174706176
  -> welcome a0
  a0 came s1208925819614629174706176
a1 goes s1
  -> done
  a1 reconnecting until 60s offers 10s
+30s
server without n0
  -> done
  n0 gone, [] reconnecting until 90s offers 40s
a0 goes s1208925819614629174706176
  -> done
  a0 reconnecting until 90s offers 40s
+30s
  a1 offline grace_over
",
    );
}

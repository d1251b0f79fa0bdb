//! Rings: steps of widening, by age.

use super::script::check;

#[test]
fn a_ring_lowers_drops_and_lets_in_by_age() {
    check(
        r#"
admin queue other
  -> put q1
  q1 put as other
admin queue support offering={"tiers_up_to":1,"rings":[{"after_ms":10000,"lower":{"french":3}},{"after_ms":20000,"drop":["french"]},{"after_ms":30000,"tiers_up_to":100},{"after_ms":40000,"queues":["other"]}]}
  -> put q2
  q2 put as support
admin agent a0 queues=support skills=french:3
  -> put a0
  a0 put queues=[q2] skills=french:3
admin agent a1 queues=support
  -> put a1
  a1 put queues=[q2] skills=-
admin agent a2 queues=support skills=french:9 tiers=support:2
  -> put a2
  a2 put queues=[q2] skills=french:9
admin agent a3 queues=other
  -> put a3
  a3 put queues=[q1] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
a1 comes s1
  -> welcome a1
  a1 came s1
a1 sets available
  -> done
  a1 status 1 channels 111 chosen
a2 comes s2
  -> welcome a2
  a2 came s2
a2 sets available
  -> done
  a2 status 1 channels 111 chosen
a3 comes s3
  -> welcome a3
  a3 came s3
a3 sets available
  -> done
  a3 status 1 channels 111 chosen
u1 opens chat in support skills=french:5
  -> opened c1 u1
  c1 opened u1 q2 skills=french:5
+9s
+1s
  c1 ring 1
  o1 made c1 a0 ends 40s deliver 15s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=40s
+10s
  c1 ring 2
  o2 made c1 a1 ends 50s deliver 25s
a1 rejects o2 busy
  -> done
  o2 rejected c1 a1 reason=busy cool=50s
+10s
  c1 ring 3
  o3 made c1 a2 ends 60s deliver 35s
a2 rejects o3 busy
  -> done
  o3 rejected c1 a2 reason=busy cool=60s
a0 signs_out
  -> done
  a0 offline signed_out
a1 signs_out
  -> done
  a1 offline signed_out
+10s
  c1 ring 4
  o4 made c1 a3 ends 70s deliver 45s
"#,
    );
}

#[test]
fn rings_go_on_after_a_restart_by_the_age_that_was_kept() {
    check(
        r#"
admin queue support offering={"rings":[{"after_ms":10000,"drop":["french"]}]}
  -> put q1
  q1 put as support
admin agent a0 queues=support
  -> put a0
  a0 put queues=[q1] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
u1 opens chat in support skills=french:5
  -> opened c1 u1
  c1 opened u1 q1 skills=french:5
+6s
restart
wall +4s
+1ms
  c1 ring 1
  o1 made c1 a0 ends 36.001s deliver 11.001s
"#,
    );
}

#[test]
fn a_change_of_rings_looks_at_everything_that_waits_again() {
    check(
        r#"
admin queue support offering={"rings":[{"after_ms":60000,"drop":["french"]}]}
  -> put q1
  q1 put as support
admin agent a0 queues=support
  -> put a0
  a0 put queues=[q1] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
u1 opens chat in support skills=french:5
  -> opened c1 u1
  c1 opened u1 q1 skills=french:5
+6s
admin queue support offering={"rings":[{"after_ms":5000,"drop":["french"]}]}
  -> put q1
  q1 put as support
server tick
  -> done
  c1 ring 1
  o1 made c1 a0 ends 36s deliver 11s
"#,
    );
}

#[test]
fn an_age_that_was_handed_in_reaches_its_rings_at_once() {
    check(
        r#"
admin queue support offering={"rings":[{"after_ms":10000,"lower":{"french":2}},{"after_ms":20000,"drop":["french"]}]}
  -> put q1
  q1 put as support
+100s
admin agent a0 queues=support
  -> put a0
  a0 put queues=[q1] skills=-
a0 comes s0
  -> welcome a0
  a0 came s0
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
u1 opens chat in support skills=french:5 since=80s
  -> opened c1 u1
  c1 opened u1 q1 skills=french:5
server tick
  -> done
  c1 ring 2
  o1 made c1 a0 ends 130s deliver 105s
"#,
    );
}

#[test]
fn rings_are_checked_field_by_field() {
    check(
        r#"
admin queue support offering={"rings":[{"after_ms":10}]}
  -> refused bad_setting field=offering.rings[0].after_ms: offering.rings[0].after_ms: 1000 to 86400000 (a day), later than the step before
admin queue support offering={"rings":[{"after_ms":5000},{"after_ms":5000}]}
  -> refused bad_setting field=offering.rings[1].after_ms: offering.rings[1].after_ms: 1000 to 86400000 (a day), later than the step before
admin queue support offering={"rings":[{"after_ms":5000,"queues":["nowhere"]}]}
  -> refused bad_setting field=offering.rings[0].queues[0]: offering.rings[0].queues[0]: there is no other queue "nowhere"
admin queue support offering={"rings":[{"after_ms":5000,"lower":{"french":11}}]}
  -> refused bad_setting field=offering.rings[0].lower.french: offering.rings[0].lower.french: a level is 1 to 10
admin queue support offering={"rings":[{"after_ms":5000,"tiers_up_to":101}]}
  -> refused bad_setting field=offering.rings[0].tiers_up_to: offering.rings[0].tiers_up_to: 1 to 100
admin queue support offering={"tiers_up_to":1}
  -> refused bad_setting field=offering.tiers_up_to: offering.tiers_up_to: a ring must let in all tiers in the end (tiers_up_to 100), or somebody could wait for ever
admin queue support offering={"weight":0}
  -> refused bad_setting field=offering.weight: offering.weight: 1 to 1000
admin queue support offering={"accept_within_ms":1}
  -> refused bad_setting field=offering.accept_within_ms: offering.accept_within_ms: 1000 to 86400000 (a day)
admin queue other
  -> put q1
  q1 put as other
admin queue support offering={"rings":[{"after_ms":5000,"queues":["other"]}]}
  -> put q2
  q2 put as support
admin remove_queue other
  -> refused bad_setting field=name: name: a ring of another queue names this queue: change it first
"#,
    );
}

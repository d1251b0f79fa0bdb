//! Offered to several at once: the first who accepts has it, the others are let go.

use super::script::check;

#[test]
fn the_first_who_accepts_has_it_and_the_others_offers_are_rescinded() {
    check(
        r#"
given 4 agents
admin queue support offering={"offer_to_at_most":3}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c1 a1 ends 30s deliver 5s
  o3 made c1 a2 ends 30s deliver 5s
#1 a1 accepts o2
  -> accepted c1
  o1 rescinded c1 a0
  o3 rescinded c1 a2
  o2 accepted c1 a1
a0 accepts o1
  -> refused offer_gone field=offer: the offer o1 has ended: rescinded
a2 rejects o3 busy
  -> refused offer_gone field=offer: the offer o3 has ended: rescinded
#1 a1 accepts o2
  -> accepted c1
"#,
    );
}

#[test]
fn a_rescinded_offer_is_not_missed_and_has_no_cool_down() {
    check(
        r#"
given 2 agents
admin queue support offering={"offer_to_at_most":2}
  -> put q1
  q1 put as support
u1 opens voice in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 20s deliver 5s
  o2 made c1 a1 ends 20s deliver 5s
a0 delivered o1
  -> done
  o1 delivered
a1 delivered o2
  -> done
  o2 delivered
a0 accepts o1
  -> accepted c1
  o2 rescinded c1 a1
  o1 accepted c1 a0
u1 closes c1
  -> done
  c1 ended u1 wrap_up=60s
a0 done c1
  -> done
  c1 wrap_up over a0 done
u2 opens voice in support
  -> opened c2 u2
  c2 opened u2 q1
  o3 made c2 a0 ends 20s deliver 5s
  o4 made c2 a1 ends 20s deliver 5s
"#,
    );
}

#[test]
fn it_waits_on_when_all_have_ended_without_an_accept() {
    check(
        r#"
given 3 agents
admin queue support offering={"offer_to_at_most":2}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c1 a1 ends 30s deliver 5s
a0 rejects o1 busy
  -> done
  o1 rejected c1 a0 reason=busy cool=30s
a1 delivered o2
  -> done
  o2 delivered
+30s
  o2 expired c1 a1 cool=90s
  o3 made c1 a0 ends 60s deliver 35s
  o4 made c1 a2 ends 60s deliver 35s
"#,
    );
}

#[test]
fn a_customer_who_leaves_ends_all_its_offers() {
    check(
        r#"
given 2 agents
admin queue support offering={"offer_to_at_most":20}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c1 a1 ends 30s deliver 5s
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  o2 withdrawn c1 a1
  c1 ended u1
a1 accepts o2
  -> refused offer_gone field=offer: the offer o2 has ended: withdrawn
"#,
    );
}

#[test]
fn one_who_goes_away_loses_its_own_offer_only() {
    check(
        r#"
given 2 agents
admin queue support offering={"offer_to_at_most":2}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c1 a1 ends 30s deliver 5s
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
  o1 agent_lost c1 a0
restart
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1
"#,
    );
}

#[test]
fn offered_at_once_is_at_most_twenty() {
    check(
        r#"
admin queue support offering={"offer_to_at_most":21}
  -> refused bad_setting field=offering.offer_to_at_most: offering.offer_to_at_most: 1 to 20
admin queue support offering={"offer_to_at_most":0}
  -> refused bad_setting field=offering.offer_to_at_most: offering.offer_to_at_most: 1 to 20
"#,
    );
}

//! Who is silent: customers who are reminded and whose conversations are closed, and owners who are reminded or lose them.

use super::script::check;

#[test]
fn a_silent_customer_is_reminded_once_and_then_its_conversation_is_closed() {
    check(
        r#"
given 1 agents
admin queue support silent_customer={"remind_after_ms":60000,"remind_text":"There?","close_after_ms":90000,"close_text":"Goodbye."}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
+1h
a0 posts c1 what is your number?
  -> posted c1 2
  c1 message 2 a0 what is your number?
+59s
+1s
  c1 message 3 system reminder There?
+29s
restart
+1s
  c1 message 4 system customer_silent Goodbye.
  c1 ended system
"#,
    );
}

#[test]
fn any_message_begins_the_customers_silence_anew() {
    check(
        r#"
given 1 agents
admin queue support silent_customer={"remind_after_ms":60000,"remind_text":"There?"}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 yes?
  -> posted c1 2
  c1 message 2 a0 yes?
+50s
a0 posts c1 are you there?
  -> posted c1 3
  c1 message 3 a0 are you there?
+50s
u1 posts c1 here
  -> posted c1 4
  c1 message 4 u1 here
+1h
a0 posts c1 good
  -> posted c1 5
  c1 message 5 a0 good
+60s
  c1 message 6 system reminder There?
+1h
"#,
    );
}

#[test]
fn an_owner_who_is_silent_is_reminded_once() {
    check(
        r#"
given 1 agents
admin queue support silent_owner={"after_ms":120000,"action":"remind"}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
+60s
u1 posts c1 hello?
  -> posted c1 2
  c1 message 2 u1 hello?
+60s
  c1 reminds a0
u1 posts c1 anybody?
  -> posted c1 3
  c1 message 3 u1 anybody?
+1h
a0 posts c1 sorry
  -> posted c1 4
  c1 message 4 a0 sorry
+1h
u1 posts c1 thanks
  -> posted c1 5
  c1 message 5 u1 thanks
+120s
  c1 reminds a0
"#,
    );
}

#[test]
fn an_owner_who_is_silent_loses_it_and_is_not_asked_again_at_once() {
    check(
        r#"
given 2 agents
admin queue support silent_owner={"after_ms":120000,"action":"requeue"}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a1 sets away
  -> done
  a1 status 0 channels 111 chosen
+120s
  c1 requeued a0 silent cool=150s
+29s
+1s
  o2 made c1 a0 ends 180s deliver 155s
"#,
    );
}

#[test]
fn it_may_go_to_another_queue_or_waits_on_in_its_own() {
    check(
        r#"
given 1 agents
admin queue sales max=1
  -> put q2
  q2 put as sales
admin queue support silent_owner={"after_ms":60000,"action":{"move":{"queue":"sales"}}}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
+60s
  c1 requeued a0 silent cool=90s
  c1 moved q2 moves=1
  c2 requeued a0 silent cool=90s
admin remove_queue sales
  -> refused queue_in_use field=queue: the queue "sales" still holds 1 conversations
u1 closes c1
  -> done
  c1 ended u1
admin remove_queue sales
  -> refused bad_setting field=name: name: a rule of another queue moves to this queue: change it first
"#,
    );
}

#[test]
fn nobody_awaits_a_word_in_what_an_agent_has_begun() {
    check(
        r#"
given 1 agents
admin queue support silent_owner={"after_ms":60000,"action":"remind"} silent_customer={"close_after_ms":90000,"close_text":"Goodbye."}
  -> put q1
  q1 put as support
a0 starts u1 chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 started a0
+89s
+1s
  c1 message 1 system customer_silent Goodbye.
  c1 ended system
"#,
    );
}

#[test]
fn in_other_hands_the_owners_silence_counts_anew() {
    check(
        r#"
given 2 agents
admin queue support silent_owner={"after_ms":60000,"action":"remind"}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
+50s
admin assigns c1 to=a1 from=a0
  -> taken c1
  c1 reassigned a1 from=a0
+59s
+1s
  c1 reminds a1
"#,
    );
}

#[test]
fn who_has_joined_has_it_when_its_owner_is_silent() {
    check(
        r#"
given 2 agents
admin queue support silent_owner={"after_ms":60000,"action":"requeue"}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 transfers c1 to a1 warm
  -> offered o2
  o2 made c1 a1 ends 30s deliver 5s from=a0 warm
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1 from=a0 warm
+60s
  c1 handed over a0 a1
"#,
    );
}

#[test]
fn rules_of_silence_that_are_put_later_hold_for_what_is_silent_already() {
    check(
        r#"
given 1 agents
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 yes?
  -> posted c1 2
  c1 message 2 a0 yes?
+100s
admin queue support silent_customer={"remind_after_ms":60000,"remind_text":"There?"}
  -> put q1
  q1 put as support
  c1 message 3 system reminder There?
admin queue support
  -> put q1
  q1 put as support
+1h
"#,
    );
}

#[test]
fn rules_for_who_is_silent_are_refused_with_the_field_named() {
    check(
        r#"
given 0 agents
admin queue support silent_customer={"remind_after_ms":999}
  -> refused bad_setting field=silent_customer.remind_after_ms: silent_customer.remind_after_ms: 1000 to 2592000000 (30 days), or absent
admin queue support silent_customer={"remind_after_ms":2000,"close_after_ms":2000}
  -> refused bad_setting field=silent_customer.close_after_ms: silent_customer.close_after_ms: more than remind_after_ms
admin queue support silent_customer={"close_text":""}
  -> refused bad_setting field=silent_customer.close_text: silent_customer.close_text: 1 to 2000 bytes
admin queue support silent_owner={"after_ms":1,"action":"remind"}
  -> refused bad_setting field=silent_owner.after_ms: silent_owner.after_ms: 1000 to 2592000000 (30 days)
admin queue support silent_owner={"after_ms":1000,"action":{"move":{"queue":"support"}}}
  -> refused bad_setting field=silent_owner.action.move.queue: silent_owner.action.move.queue: there is no other queue "support"
"#,
    );
}

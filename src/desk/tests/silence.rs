//! Customers who are silent: what is paused for that, what it takes meanwhile, and what wakes it.

use super::script::check;

#[test]
fn a_silent_customers_conversation_is_paused_and_what_it_gives_back_is_offered_at_once() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
+30s
a0 posts c1 how can I help?
  -> posted c1 1
  c1 message 1 a0 how can I help?
+9s
+1s
  c1 paused weighs=0%
  o2 made c2 a0 ends 70s deliver 45s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
"#,
    );
}

#[test]
fn what_wakes_weighs_fully_at_once_and_nothing_new_is_offered_until_it_fits() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
+10s
  c1 paused weighs=0%
  o2 made c2 a0 ends 40s deliver 15s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
u1 posts c1 here I am
  -> posted c1 2
  c1 woken
  c1 message 2 u1 here I am
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
a0 closes c2
  -> done
  c2 ended a0
restart
+30s
a0 closes c1
  -> done
  c1 ended a0
  o3 made c3 a0 ends 70s deliver 45s
"#,
    );
}

#[test]
fn the_agents_own_message_wakes_it_too_and_silence_counts_from_there() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
u2 closes c2
  -> done
  c2 ended u2
+10s
  c1 paused weighs=0%
a0 posts c1 are you there?
  -> posted c1 2
  c1 woken
  c1 message 2 a0 are you there?
+9s
+1s
  c1 paused weighs=0%
a0 closes c1
  -> done
  c1 ended a0
"#,
    );
}

#[test]
fn who_waits_for_an_agents_word_is_never_paused() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 1 agents
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
+1h
a0 posts c1 yes?
  -> posted c1 2
  c1 message 2 a0 yes?
u1 posts c1 help
  -> posted c1 3
  c1 message 3 u1 help
+1h
"#,
    );
}

#[test]
fn a_paused_one_may_keep_a_part_of_its_weight() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":50}}]}
  -> done
  settings changed
given 1 agents
admin agent a0 capacity=chat:2 total=200
  -> put a0
  a0 put queues=[q1] skills=-
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
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
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
+10s
  c1 paused weighs=50%
a0 posts c2 hello
  -> posted c2 1
  c2 message 1 a0 hello
+10s
  c2 paused weighs=50%
  o3 made c3 a0 ends 50s deliver 25s
"#,
    );
}

#[test]
fn in_other_hands_it_weighs_fully_and_silence_counts_anew() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
+10s
  c1 paused weighs=0%
a0 transfers c1 to a1
  -> offered o2
  o2 made c1 a1 ends 40s deliver 15s from=a0
a1 accepts o2
  -> accepted c1
  o2 accepted c1 a1 from=a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o3 made c2 a0 ends 40s deliver 15s
a0 accepts o3
  -> accepted c2
  o3 accepted c2 a0
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
+9s
+1s
  c1 paused weighs=0%
  o4 made c3 a1 ends 50s deliver 25s
"#,
    );
}

#[test]
fn who_has_joined_a_paused_talk_has_it_in_full_when_it_is_handed_over() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
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
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
+10s
  c1 paused weighs=0%
  o3 made c2 a0 ends 40s deliver 15s
a0 hands_over c1
  -> done
  c1 handed over a0 a1
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
"#,
    );
}

#[test]
fn wrap_up_of_what_was_paused_weighs_in_full() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":60000,"live":true,"silence":{"pause_ms":10000,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
u2 closes c2
  -> done
  c2 ended u2
+10s
  c1 paused weighs=0%
u1 closes c1
  -> done
  c1 ended u1 wrap_up=70s
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
+60s
  c1 wrap_up over a0 time_over
  o2 made c3 a0 ends 100s deliver 75s
"#,
    );
}

#[test]
fn a_time_of_silence_that_is_set_later_holds_for_what_is_silent_already() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":null,"paused_weight_percent":0}}]}
  -> done
  settings changed
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
a0 posts c1 hello
  -> posted c1 1
  c1 message 1 a0 hello
+30s
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":20000,"paused_weight_percent":0}}]}
  -> done
  settings changed
  c1 paused weighs=0%
  o2 made c2 a0 ends 60s deliver 35s
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":null,"paused_weight_percent":100}}]}
  -> done
  settings changed
restart
u2 closes c2
  -> done
  o2 withdrawn c2 a0
  c2 ended u2
"#,
    );
}

#[test]
fn rules_of_silence_are_refused_with_the_field_named() {
    check(
        r#"
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":999,"paused_weight_percent":0}}]}
  -> refused bad_setting field=channels[0].silence.pause_ms: channels[0].silence.pause_ms: 1000 to 2592000000 (30 days), or absent
admin settings {"channels":[{"name":"chat","capacity":1,"weight":100,"offer_ms":30000,"wrap_up_ms":0,"live":true,"silence":{"pause_ms":1000,"paused_weight_percent":101}}]}
  -> refused bad_setting field=channels[0].silence.paused_weight_percent: channels[0].silence.paused_weight_percent: 0 to 100
"#,
    );
}

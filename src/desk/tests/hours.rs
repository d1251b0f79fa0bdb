//! Opening hours: what becomes of those who come while a queue is closed, of those who wait when it closes, and that all are
//! offered when it opens. Scripts begin on Thursday, the 1st of January 1970, at midnight.

use super::script::check;

#[test]
fn everything_that_waits_is_offered_when_the_queue_opens() {
    check(
        r#"
given 1 agents
admin settings {"default_queue":"support","hours":{"office":{"time_zone":"Asia/Kathmandu","weekly":{"thursday":["05:31-05:40"]}}}}
  -> done
  settings changed
  office closed until 60s
admin queue support hours=office
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
admin why c1
  -> why c1 waiting excluded=a0:queue_closed
a0 picks c1
  -> refused pick_not_allowed field=queue: the queue "support" does not let agents pick
+59s
restart
+1s
  office open until 600s
  o1 made c1 a0 ends 90s deliver 65s
  o2 made c2 a0 ends 90s deliver 65s
"#,
    );
}

#[test]
fn what_becomes_of_a_new_conversation_out_of_hours() {
    check(
        r#"
given 1 agents
admin settings {"hours":{"office":{"time_zone":"Etc/UTC","weekly":{"friday":["09:00-17:00"]}}}}
  -> done
  settings changed
  office closed until 118800s
admin queue night
  -> put q2
  q2 put as night
admin queue support hours=office waiting={"out_of_hours":"refuse"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> refused queue_closed field=queue: the queue "support" is closed at this hour
admin queue support hours=office waiting={"out_of_hours":{"message_and_wait":{"text":"Tomorrow."}}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 system out_of_hours Tomorrow.
admin queue support hours=office waiting={"out_of_hours":{"message_and_close":{"text":"Tomorrow."}}}
  -> put q1
  q1 put as support
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  c2 message 1 system out_of_hours Tomorrow.
  c2 ended system
admin queue support hours=office waiting={"out_of_hours":{"move":{"queue":"night"}}}
  -> put q1
  q1 put as support
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q2
admin queue night hours=office
  -> put q2
  q2 put as night
u4 opens chat in support
  -> opened c4 u4
  c4 opened u4 q1
"#,
    );
}

#[test]
fn a_message_that_was_left_begins_to_wait_when_the_queue_opens() {
    check(
        r#"
admin settings {"hours":{"office":{"time_zone":"Etc/UTC","weekly":{"thursday":["00:05-23:00"]}}}}
  -> done
  settings changed
  office closed until 300s
admin queue support hours=office waiting={"out_of_hours":{"take_message":{"text":"Tomorrow."}},"waiting_ms_max":60000,"after_longest":{"message_and_close":{"text":"Sorry."}}} offering={"rings":[{"after_ms":30000,"queues":[]}]}
  -> put q1
  q1 put as support
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1 left
  c1 message 1 u1 hello
  c1 message 2 system out_of_hours Tomorrow.
+299s
restart
+1s
  office open until 82800s
+30s
  c1 ring 1
+29s
+1s
  c1 message 3 system waited_too_long Sorry.
  c1 ended system
"#,
    );
}

#[test]
fn what_becomes_of_those_who_wait_when_the_queue_closes() {
    check(
        r#"
given 1 agents
admin settings {"hours":{"office":{"time_zone":"Etc/UTC","weekly":{"thursday":["00:00-00:10"],"friday":["09:00-17:00"]}}}}
  -> done
  settings changed
  office open until 600s
admin queue night max=1
  -> put q2
  q2 put as night
admin agent a0 capacity=chat:1
  -> put a0
  a0 put queues=[q1] skills=-
admin queue support hours=office offer_ms=900000 waiting={"waiting_ms_max":null,"at_closing":{"move":{"queue":"night"}}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 900s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
+600s
  office closed until 118800s
  c2 moved q2 moves=1
  c3 stayed at closing
+1s
u4 opens chat in support
  -> opened c4 u4
  c4 opened u4 q1
admin queue support hours=office waiting={"waiting_ms_max":null,"at_closing":{"message_and_close":{"text":"Tomorrow."}}}
  -> put q1
  q1 put as support
+86400s
  c2 message 1 system waited_too_long We are sorry: nobody could take your conversation in time. Please write again.
  c2 ended system
+30600s
restart
+1198s
+1s
  office open until 147600s
a0 closes c1
  -> done
  c1 ended a0
  o2 made c3 a0 ends 118830s deliver 118805s
a0 accepts o2
  -> accepted c3
  o2 accepted c3 a0
+28800s
  office closed until 604800s
  c4 message 1 system out_of_hours Tomorrow.
  c4 ended system
"#,
    );
}

#[test]
fn an_offer_that_was_made_before_closing_may_still_be_accepted_and_goes_to_nobody_else() {
    check(
        r#"
given 2 agents
admin settings {"hours":{"office":{"time_zone":"Etc/UTC","weekly":{"thursday":["00:00-00:10"]}}}}
  -> done
  settings changed
  office open until 600s
admin queue support hours=office offer_ms=60000 waiting={"at_closing":{"message_and_wait":{"text":"Tomorrow."}}}
  -> put q1
  q1 put as support
+590s
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 650s deliver 595s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 650s deliver 595s
a0 delivered o1
  -> done
  o1 delivered
a1 delivered o2
  -> done
  o2 delivered
+10s
  office closed until 604800s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a1 rejects o2 busy
  -> done
  o2 rejected c2 a1 reason=busy cool=630s
+1ms
  c2 message 1 system out_of_hours Tomorrow.
  c2 stayed at closing
"#,
    );
}

#[test]
fn a_change_of_hours_looks_at_everything_that_waits_again() {
    check(
        r#"
given 2 agents
admin settings {"hours":{"office":{"time_zone":"Etc/UTC","weekly":{"friday":["09:00-17:00"]}},"other":{"time_zone":"Etc/UTC","weekly":{"friday":["09:00-17:00"]}}}}
  -> done
  settings changed
  office closed until 118800s
  other closed until 118800s
admin queue support hours=office waiting={"out_of_hours":{"take_message":{"text":"Later."}}}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1 left
  c1 message 1 system out_of_hours Later.
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1 left
  c2 message 1 system out_of_hours Later.
admin settings {"hours":{"other":{"time_zone":"Etc/UTC","weekly":{"friday":["09:00-17:00"]}}}}
  -> refused bad_setting field=hours: hours: the queue "support" names hours that are gone: change it first
admin settings {"hours":{"office":{"time_zone":"Etc/UTC","weekly":{"friday":["09:00-17:00"]},"exceptions":[{"date":"1970-01-01","intervals":["00:00-01:00"]}]}}}
  -> done
  settings changed
  office open until 3600s
  o1 made c1 a0 ends 30s deliver 5s
  o2 made c2 a1 ends 30s deliver 5s
+3600s
  office closed until 118800s
  o1 undelivered c1 a0 cool=3630s
  o2 undelivered c2 a1 cool=3630s
+1s
admin queue support
  -> put q1
  q1 put as support
  o3 made c1 a1 ends 3631s deliver 3606s
  o4 made c2 a0 ends 3631s deliver 3606s
"#,
    );
}

#[test]
fn hours_are_checked_field_by_field() {
    check(
        r#"
admin settings {"hours":{"office":{"time_zone":"Europe/Atlantis","weekly":{"friday":["09:00-17:00"]}}}}
  -> refused bad_setting field=hours.office.time_zone: hours.office.time_zone: there is no time zone "Europe/Atlantis": Europe/Berlin, Etc/UTC
admin settings {"hours":{"office":{"time_zone":"Europe/Berlin","weekly":{}}}}
  -> refused bad_setting field=hours.office.weekly: hours.office.weekly: never open in the next 400 days: somebody could wait for ever
admin queue support hours=office
  -> refused bad_setting field=hours: hours: the settings hold no hours "office"
admin queue support waiting={"out_of_hours":{"move":{"queue":"night"}}}
  -> refused bad_setting field=waiting.out_of_hours.move.queue: waiting.out_of_hours.move.queue: there is no other queue "night"
admin queue support waiting={"out_of_hours":{"raise_priority":{"by":1}}}
  -> refused bad_setting field=waiting.out_of_hours: waiting.out_of_hours: wait, refuse, move, take_message, message_and_wait or message_and_close
admin queue support waiting={"at_closing":"refuse"}
  -> refused bad_setting field=waiting.at_closing: waiting.at_closing: wait, move, message_and_wait or message_and_close
admin queue support waiting={"at_closing":{"take_message":{"text":"x"}}}
  -> refused bad_setting field=waiting.at_closing: waiting.at_closing: wait, move, message_and_wait or message_and_close
admin queue support waiting={"nobody_there":{"take_message":{"text":"x"}}}
  -> refused bad_setting field=waiting.nobody_there: waiting.nobody_there: wait, refuse, move, message_and_wait or message_and_close
"#,
    );
}

#[test]
fn who_comes_back_out_of_hours_meets_the_same_rule() {
    let room = |rule: &str| {
        format!(
            r#"
admin queue support
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
admin closes c1
  -> done
  c1 ended admin
admin settings {{"hours":{{"office":{{"time_zone":"Etc/UTC","weekly":{{"friday":["09:00-17:00"]}}}}}}}}
  -> done
  settings changed
  office closed until 118800s
admin queue night
  -> put q2
  q2 put as night
admin queue support hours=office waiting={{"keep_place_ms":0,"out_of_hours":{rule}}}
  -> put q1
  q1 put as support
+1s
u1 posts c1 hello
"#
        )
    };
    for (rule, then) in [
        (r#""refuse""#, r#"  -> refused queue_closed field=queue: the queue "support" is closed at this hour"#),
        (
            r#"{"message_and_close":{"text":"Tomorrow."}}"#,
            "  -> posted c1 1\n  c1 reopened q1 loaded\n  c1 message 1 u1 hello\n  c1 message 2 system out_of_hours Tomorrow.\n  c1 ended system",
        ),
        (
            r#"{"move":{"queue":"night"}}"#,
            "  -> posted c1 1\n  c1 reopened q1 loaded\n  c1 message 1 u1 hello\n  c1 moved q2 moves=1",
        ),
        (
            r#"{"take_message":{"text":"Tomorrow."}}"#,
            "  -> posted c1 1\n  c1 reopened q1 loaded\n  c1 message 1 u1 hello\n  c1 message 2 system out_of_hours Tomorrow.",
        ),
    ] {
        check(&format!("{}{then}", room(rule)));
    }
}

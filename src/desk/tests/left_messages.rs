//! Messages that are left when a conversation cannot be begun: where they wait, and when there is no place for them.

use super::script::check;

#[test]
fn what_is_refused_for_now_is_left_where_the_settings_say() {
    check(
        r#"
given 1 agents
admin queue letters waiting={"waiting_ms_max":null}
  -> put q2
  q2 put as letters
admin agent a0 queues=support,letters
  -> put a0
  a0 put queues=[q1, q2] skills=-
admin queue support max=1 waiting={"nobody_there":"refuse"}
  -> put q1
  q1 put as support
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
u1 opens chat in support or_message=yes text=call me
  -> refused nobody_there field=queue: nobody of the queue "support" is there
admin settings {"left_messages":{"queue":"letters","channel":"email"}}
  -> done
  settings changed
u1 opens chat in support text=call me
  -> refused nobody_there field=queue: nobody of the queue "support" is there
#7 u1 opens chat in support or_message=yes text=call me
  -> opened c1 u1
  c1 opened u1 q2 message
  c1 message 1 u1 call me
restart
#7 u1 opens chat in support or_message=yes text=call me
  -> opened c1 u1
admin remove_queue letters
  -> refused queue_in_use field=queue: the queue "letters" still holds 1 conversations
a0 sets available
  -> done
  a0 status 1 channels 111 chosen
  o1 made c1 a0 ends 120s deliver 5s
u2 opens chat in support or_message=yes
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
u3 opens chat in support or_message=yes
  -> opened c3 u3
  c3 opened u3 q2 message
  o3 made c3 a0 ends 120s deliver 5s
"#,
    );
}

#[test]
fn where_there_is_no_place_for_messages_the_refusal_stands() {
    check(
        r#"
given 1 agents
admin settings {"left_messages":{}}
  -> done
  settings changed
admin queue support max=1
  -> put q1
  q1 put as support
a0 sets away
  -> done
  a0 status 0 channels 111 chosen
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens chat in support or_message=yes
  -> refused queue_full field=queue: the queue "support" has 1 waiting already
admin queue letters
  -> put q2
  q2 put as letters
admin settings {"left_messages":{"queue":"letters"}}
  -> done
  settings changed
admin remove_queue letters
  -> refused bad_setting field=name: name: the settings name this queue: change them first
admin drains_queue letters to=-
  -> done
  q2 put as letters
u2 opens chat in support or_message=yes
  -> refused queue_full field=queue: the queue "support" has 1 waiting already
admin drains_queue letters no
  -> done
  q2 put as letters
u2 opens chat in support or_message=yes
  -> opened c2 u2
  c2 opened u2 q2 message
admin settings {"left_messages":{"queue":"nowhere"}}
  -> refused bad_setting field=left_messages.queue: left_messages.queue: there is no queue "nowhere": put it first
admin settings {"left_messages":{"channel":"smoke"}}
  -> refused bad_setting field=left_messages.channel: left_messages.channel: there is no channel "smoke"
"#,
    );
}

#[test]
fn a_message_that_is_left_while_its_queue_is_closed_begins_to_wait_when_that_opens() {
    // The first of January 1970, a Thursday: open from one minute past midnight.
    check(
        r#"
given 1 agents
admin settings {"left_messages":{},"hours":{"office":{"time_zone":"Etc/UTC","weekly":{"thursday":["00:01-24:00"]}}}}
  -> done
  settings changed
  office closed until 60s
admin queue support hours=office waiting={"out_of_hours":"refuse"}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> refused queue_closed field=queue: the queue "support" is closed at this hour
u1 opens chat in support or_message=yes text=call me
  -> opened c1 u1
  c1 opened u1 q1 left message
  c1 message 1 u1 call me
+60s
  office open until 86400s
  o1 made c1 a0 ends 90s deliver 65s
"#,
    );
}

//! Conversations that go on elsewhere: where the next message belongs, and what became of ours.

use super::script::check;

#[test]
fn a_message_goes_on_in_the_open_conversation_of_its_thread_and_of_no_other() {
    check(
        r#"
given 1 agents
#1 u1 writes t7 email in support text=hello
  -> received c1 1 started
  c1 opened u1 q1 thread
  c1 message 1 u1 hello
  o1 made c1 a0 ends 120s deliver 5s
#2 u1 writes t7 email in support text=are you there
  -> received c1 2
  c1 message 2 u1 are you there
#2 u1 writes t7 email in support text=are you there
  -> received c1 2
#2 u1 writes t7 email in support text=something else
  -> refused id_reused field=id: this command id was used with another body
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u1 writes t8 email in support text=another thing
  -> received c2 1 started
  c2 opened u1 q1 thread
  c2 message 1 u1 another thing
  o2 made c2 a0 ends 120s deliver 5s
u1 writes t7 email in support text=still here
  -> received c1 3
  c1 message 3 u1 still here
restart
#1 u1 writes t7 email in support text=hello
  -> received c1 1 started
u1 writes t7 email in support text=and after a restart
  -> received c1 4
  c1 message 4 u1 and after a restart
u1 writes t9 email in nowhere text=hello
  -> refused no_such_queue field=queue: there is no queue "nowhere"
u1 writes t9 pigeon in support text=hello
  -> refused no_such_channel field=channel: there is no channel "pigeon"
u1 writes t7 email in support key=2 text=sealed otherwise
  -> refused another_key: the customer's texts are sealed with another key: k1
"#,
    );
}

#[test]
fn what_closed_is_reopened_for_a_time_and_then_begun_anew() {
    check(
        r#"
given 1 agents
admin settings {"reopen_ms":60000}
  -> done
  settings changed
u1 writes t7 email in support text=hello
  -> received c1 1 started
  c1 opened u1 q1 thread
  c1 message 1 u1 hello
  o1 made c1 a0 ends 120s deliver 5s
admin closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended admin
u1 writes t7 email in support found=c1 text=one thing more
  -> received c1 2
  c1 reopened q1 loaded
  c1 message 2 u1 one thing more
  o2 made c1 a0 ends 120s deliver 5s
admin closes c1
  -> done
  o2 withdrawn c1 a0
  c1 ended admin
wall +61s
u1 writes t7 email in support found=c1 text=later
  -> received c2 1 started
  c2 opened u1 q1 thread
  c2 message 1 u1 later
  o3 made c2 a0 ends 120s deliver 5s
u1 writes t7 email in support found=c1 text=of the newest
  -> received c2 2
  c2 message 2 u1 of the newest
"#,
    );
}

#[test]
fn what_became_of_a_message_goes_forward_only_also_after_the_end() {
    check(
        r#"
given 1 agents
admin queue support wrap_up_ms=0
  -> put q1
  q1 put as support
u1 writes t7 email in support text=hello
  -> received c1 1 started
  c1 opened u1 q1 thread
  c1 message 1 u1 hello
  o1 made c1 a0 ends 120s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 good morning
  -> posted c1 2
  c1 message 2 a0 good morning
carrier email c1 1 sent
  -> refused delivery_over field=number: no state is kept of message 1 of c1: its customer wrote it, or it is too old
carrier email c1 3 sent
  -> refused no_such_message field=number: message 3 does not exist yet: the last is 2
carrier chat c1 2 sent
  -> refused no_such_conversation field=conversation: there is no conversation c1
carrier email c9 2 sent
  -> refused no_such_conversation field=conversation: there is no conversation c9
carrier email c1 2 failed no such number
  -> done
  c1 message 2 failed reason=no such number
carrier email c1 2 sent
  -> done
carrier email c1 2 delivered
  -> done
  c1 message 2 delivered
carrier email c1 2 failed too late
  -> done
a0 closes c1
  -> done
  c1 ended a0
restart
carrier email c1 2 delivered
  -> done
carrier email c1 2 read
  -> done
  c1 message 2 read loaded
"#,
    );
}

#[test]
fn who_has_read_elsewhere_has_read() {
    check(
        r#"
given 1 agents
u1 writes t7 email in support text=hello
  -> received c1 1 started
  c1 opened u1 q1 thread
  c1 message 1 u1 hello
  o1 made c1 a0 ends 120s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 good morning
  -> posted c1 2
  c1 message 2 a0 good morning
carrier email c1 2 read
  -> done
  c1 message 2 read
  c1 read 2 u1
restart
carrier email c1 2 read
  -> done
"#,
    );
}

#[test]
fn states_are_kept_of_the_newest_messages_alone() {
    use crate::desk::outside::SENT_MAX;
    let mut desk = super::script::desk_of(1, "admin queue support");
    super::script::does(&mut desk, 1, "u1 writes t7 email in support text=hello");
    super::script::does(&mut desk, 2, "a0 accepts o1");
    for second in 0..SENT_MAX as u64 + 5 {
        super::script::does(&mut desk, 3 + second, "a0 posts c1 more");
    }
    let held = desk.conversations().next().expect("a conversation").1;
    let sent: Vec<u32> = held.line().expect("a line").sent.iter().map(|message| message.number).collect();
    assert_eq!((sent.len(), sent[0]), (SENT_MAX, 7));
    assert!(super::script::does(&mut desk, 500, "carrier email c1 6 sent").is_empty());
    assert_eq!(super::script::does(&mut desk, 500, "carrier email c1 7 sent").len(), 1);
}

//! Conversations: written in, read, ended, wrapped up, reopened, merged.

use super::script::check;

#[test]
fn messages_are_numbered_without_gaps() {
    check(
        r"
given 1 agents
u1 opens chat in support text=one
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 one
  o1 made c1 a0 ends 30s deliver 5s
u1 posts c1 two
  -> posted c1 2
  c1 message 2 u1 two
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 posts c1 three
  -> posted c1 3
  c1 message 3 a0 three
u1 posts c1 four
  -> posted c1 4
  c1 message 4 u1 four
",
    );
}

#[test]
fn the_same_client_id_is_one_message() {
    check(
        r"
given 0 agents
#1 u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
#2 u1 posts c1 hello
  -> posted c1 1
  c1 message 1 u1 hello
#2 u1 posts c1 hello
  -> posted c1 1
#2 u1 posts c1 other words
  -> refused id_reused field=id: this command id was used with another body
#1 u1 opens chat in support
  -> opened c1 u1
",
    );
}

#[test]
fn a_command_is_remembered_over_a_restart() {
    check(
        r"
given 0 agents
#1 u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
#2 u1 posts c1 hello
  -> posted c1 1
  c1 message 1 u1 hello
restart
server began
  -> done
#2 u1 posts c1 hello
  -> posted c1 1
#1 u1 opens chat in support
  -> opened c1 u1
#2 u1 posts c1 other words
  -> refused id_reused field=id: this command id was used with another body
",
    );
}

#[test]
fn one_customers_id_says_nothing_of_anothers() {
    check(
        r"
given 0 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
#2 u1 posts c1 hello
  -> posted c1 1
  c1 message 1 u1 hello
#2 u2 posts c2 hello
  -> posted c2 1
  c2 message 1 u2 hello
",
    );
}

#[test]
fn another_customers_conversation_is_none() {
    check(
        r"
given 0 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 posts c1 hello
  -> refused no_such_conversation field=conversation: there is no conversation c1
u2 reads c1 0
  -> refused no_such_conversation field=conversation: there is no conversation c1
u2 types c1
  -> refused no_such_conversation field=conversation: there is no conversation c1
u2 closes c1
  -> refused no_such_conversation field=conversation: there is no conversation c1
u2 posts c9 hello
  -> refused no_such_conversation field=conversation: there is no conversation c9
",
    );
}

#[test]
fn only_the_owner_writes_reads_types_and_closes() {
    check(
        r"
given 2 agents
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 posts c1 hi
  -> refused not_yours field=conversation: c1 is not yours
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a1 posts c1 hi
  -> refused not_yours field=conversation: c1 is not yours
a1 reads c1 1
  -> refused not_yours field=conversation: c1 is not yours
a1 types c1
  -> refused not_yours field=conversation: c1 is not yours
a1 closes c1
  -> refused not_yours field=conversation: c1 is not yours
a1 done c1
  -> refused not_yours field=conversation: c1 is not yours
a0 types c1
  -> typing c1 to nobody
u1 types c1
  -> typing c1 to a0
",
    );
}

#[test]
fn reading_counts_up_and_never_beyond_the_last_message() {
    check(
        r"
given 1 agents
u1 opens chat in support text=hello
  -> opened c1 u1
  c1 opened u1 q1
  c1 message 1 u1 hello
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 reads c1 2
  -> refused no_such_message field=number: message 2 does not exist yet: the last is 1
a0 reads c1 1
  -> done
  c1 read 1 a0
a0 reads c1 1
  -> done
u1 reads c1 1
  -> done
",
    );
}

#[test]
fn a_waiting_conversation_is_closed_by_its_customer() {
    check(
        r"
given 0 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u1 closes c1
  -> done
  c1 ended u1
u1 closes c1
  -> refused wrong_state field=conversation: the conversation c1 is closed
u1 reads c1 0
  -> done
u1 types c1
  -> refused wrong_state field=conversation: the conversation c1 is closed
",
    );
}

#[test]
fn supervisors_and_admins_close_what_is_not_theirs() {
    check(
        r"
given 2 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a1 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
supervisor a1 closes c1
  -> done
  c1 ended supervisor a1
admin closes c2
  -> done
  o2 withdrawn c2 a1
  c2 ended admin
admin closes c7
  -> refused no_such_conversation field=conversation: there is no conversation c7
",
    );
}

#[test]
fn a_merged_customer_owns_what_it_was_before_closed_or_not() {
    check(
        r"
given 0 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u1 opens chat in support
  -> opened c2 u1
  c2 opened u1 q1
u1 closes c1
  -> done
  c1 ended u1
u1 becomes u2
  -> merged 2
  u1 merged u2 [c1, c2]
u2 posts c2 hello
  -> posted c2 1
  c2 message 1 u2 hello
u1 posts c2 hello
  -> refused no_such_conversation field=conversation: there is no conversation c2
u1 becomes u1
  -> merged 1
u3 becomes u2
  -> merged 0
",
    );
}

#[test]
fn a_customer_is_signed_out_everywhere() {
    check(
        r"
given 0 agents
u1 signs_out
  -> done
  u1 signed out
",
    );
}

#[test]
fn a_customer_says_anew_who_it_is_until_it_is_closed() {
    check(
        r#"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u1 describes c1 sealed
  -> done
  c1 described sealed
u1 describes c1 sealed
  -> done
u2 describes c1 other
  -> refused no_such_conversation field=conversation: there is no conversation c1
restart
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended u1
u1 describes c1 too late
  -> refused wrong_state field=conversation: the conversation c1 is closed
u2 describes c1 other
  -> refused no_such_conversation field=conversation: there is no conversation c1
"#,
    );
}

//! Limits and lookups: what is refused, and what a retry hears.

use super::script::check;

#[test]
fn a_full_queue_says_so_plainly() {
    check(
        r#"
given 0 agents
admin queue support max=1
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
u2 opens chat in support
  -> refused queue_full field=queue: the queue "support" has 1 waiting already
u1 closes c1
  -> done
  c1 ended u1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
"#,
    );
}

#[test]
fn offered_ones_count_as_waiting() {
    check(
        r#"
given 1 agents
admin queue support max=1
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u2 opens chat in support
  -> refused queue_full field=queue: the queue "support" has 1 waiting already
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
"#,
    );
}

#[test]
fn a_queue_and_a_channel_must_be_there() {
    check(
        r#"
given 0 agents
u1 opens chat in nowhere
  -> refused no_such_queue field=queue: there is no queue "nowhere"
u1 opens fax in support
  -> refused no_such_channel field=channel: there is no channel "fax"
"#,
    );
}

#[test]
fn a_queue_in_use_is_not_removed() {
    check(
        r#"
given 0 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
admin remove_queue support
  -> refused queue_in_use field=queue: the queue "support" still holds 1 conversations
u1 closes c1
  -> done
  c1 ended u1
admin remove_queue support
  -> done
  q1 removed
admin remove_queue support
  -> refused no_such_queue field=queue: there is no queue "support"
"#,
    );
}

#[test]
fn a_queue_that_the_settings_name_is_not_removed() {
    check(
        r#"
given 0 agents
admin settings {"default_queue":"support"}
  -> done
  settings changed
admin remove_queue support
  -> refused bad_setting field=name: name: the settings name this queue: change them first
"#,
    );
}

#[test]
fn a_key_is_put_and_removed_once() {
    check(
        r#"
given 0 agents
admin key k1
  -> done
  key k1 put
admin remove_key k1
  -> done
  key k1 removed
admin remove_key k1
  -> refused no_such_api_key field=id: there is no API key "k1"
"#,
    );
}

#[test]
fn an_admins_retry_changes_nothing_twice() {
    check(
        r"
given 0 agents
#1 admin key k1
  -> done
  key k1 put
#2 admin remove_key k1
  -> done
  key k1 removed
#1 admin key k1
  -> done
#1 admin key k2
  -> refused id_reused field=id: this command id was used with another body
",
    );
}

#[test]
fn what_is_put_as_it_is_changes_nothing() {
    check(
        r"
given 1 agents
admin queue support
  -> put q1
admin agent a0
  -> put a0
admin settings {}
  -> done
",
    );
}

#[test]
fn a_refused_command_may_be_asked_again_under_its_id() {
    check(
        r"
given 1 agents
#9 a0 accepts o1
  -> refused no_such_offer field=offer: there is no offer o1
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
#9 a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
",
    );
}

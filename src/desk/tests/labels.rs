//! Labels: what may be set, by whom, and what an owner may not finish without.

use super::script::check;

#[test]
fn an_owner_labels_what_it_owns_and_what_it_wraps_up() {
    check(
        r#"
given 2 agents
admin settings {"labels":{"dispositions":["solved","spam"],"fields":[{"name":"count","type":"number"},{"name":"story","type":"text"}]}}
  -> done
  settings changed
admin queue support wrap_up_ms=10000
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 labels c1 {"disposition":"solved"}
  -> refused not_yours field=conversation: c1 is not yours
supervisor a1 labels c1 {"disposition":"solved"}
  -> refused wrong_state field=conversation: the conversation c1 is offered
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 labels c1 {"disposition":"solved","tags":["vip","billing","vip"],"fields":{"count":{"number":"7"},"story":{"sealed":"x"}}}
  -> done
  c1 labelled a0 {"disposition":"solved","tags":["billing","vip"],"fields":{"count":{"number":"7"},"story":{"sealed":"x"}}}
a0 labels c1 {"tags":["billing","vip"]}
  -> done
a1 labels c1 {"tags":[]}
  -> refused not_yours field=conversation: c1 is not yours
supervisor a1 labels c1 {"tags":["vip"],"fields":{"count":null}}
  -> done
  c1 labelled supervisor a1 {"disposition":"solved","tags":["vip"],"fields":{"story":{"sealed":"x"}}}
a0 labels_and_ends c1 {}
  -> refused wrong_state field=conversation: the conversation c1 is active
a0 labels_and_closes c1 {"disposition":"spam"}
  -> done
  c1 labelled a0 {"disposition":"spam","tags":["vip"],"fields":{"story":{"sealed":"x"}}}
  c1 ended a0 wrap_up=10s
a0 labels_and_closes c1 {}
  -> refused wrong_state field=conversation: the conversation c1 is wrap_up
restart
a0 labels c1 {"disposition":""}
  -> done
  c1 labelled a0 {"tags":["vip"],"fields":{"story":{"sealed":"x"}}}
a0 labels_and_ends c1 {"tags":[],"fields":{"story":null}}
  -> done
  c1 labelled a0 {}
  c1 wrap_up over a0 done
a0 labels c1 {}
  -> refused wrong_state field=conversation: the conversation c1 is closed
admin labels c9 {}
  -> refused no_such_conversation field=conversation: there is no conversation c9
"#,
    );
}

#[test]
fn each_label_is_checked_with_its_field_named() {
    let twenty_one: Vec<String> = (0..21).map(|tag| format!("\"t{tag}\"")).collect();
    check(
        &r#"
given 1 agents
admin settings {"labels":{"dispositions":["solved","spam"],"tags":["vip","billing"],"fields":[{"name":"count","type":"number"},{"name":"plan","type":"choice","choices":["gold"]},{"name":"day","type":"date"},{"name":"open","type":"boolean"},{"name":"born","type":"date","personal":true}]}}
  -> done
  settings changed
admin queue support labels={"dispositions":["spam"]}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 labels c1 {"disposition":"solved"}
  -> refused bad_label field=disposition: disposition: the queue does not offer "solved"
a0 labels c1 {"tags":["vip","unheard"]}
  -> refused bad_label field=tags: tags: there is no tag "unheard"
a0 labels c1 {"tags":[""]}
  -> refused bad_label field=tags: tags: 1 to 64 bytes without control characters
a0 labels c1 {"fields":{"size":{"number":"1"}}}
  -> refused bad_label field=fields.size: fields.size: there is no such field
a0 labels c1 {"fields":{"count":{"number":"many"}}}
  -> refused bad_label field=fields.count: fields.count: must be a number
a0 labels c1 {"fields":{"count":{"choice":"gold"}}}
  -> refused bad_label field=fields.count: fields.count: its rules have just changed: set it again
a0 labels c1 {"fields":{"plan":{"choice":"tin"}}}
  -> refused bad_label field=fields.plan: fields.plan: must be one of its choices
a0 labels c1 {"fields":{"day":{"date":"2026-02-30"}}}
  -> refused bad_label field=fields.day: fields.day: must be a day, as 2026-11-26
a0 labels c1 {"fields":{"born":{"date":"1969-07-20"}}}
  -> refused bad_label field=fields.born: fields.born: its rules have just changed: set it again
a0 labels c1 {"disposition":"spam","tags":["vip"],"fields":{"plan":{"choice":"gold"},"day":{"date":"2026-11-26"},"open":{"boolean":true},"born":{"sealed":"x"}}}
  -> done
  c1 labelled a0 {"disposition":"spam","tags":["vip"],"fields":{"born":{"sealed":"x"},"day":{"date":"2026-11-26"},"open":{"boolean":true},"plan":{"choice":"gold"}}}
admin settings {"labels":{"dispositions":["solved","spam"]}}
  -> done
  settings changed
a0 labels c1 {"tags":["new","vip"]}
  -> done
  c1 labelled a0 {"disposition":"spam","tags":["new","vip"],"fields":{"born":{"sealed":"x"},"day":{"date":"2026-11-26"},"open":{"boolean":true},"plan":{"choice":"gold"}}}
a0 labels c1 {"tags":[TWENTY_ONE]}
  -> refused bad_label field=tags: tags: at most 20
"#
        .replace("TWENTY_ONE", &twenty_one.join(",")),
    );
}

#[test]
fn all_labels_together_are_bounded() {
    let long = "x".repeat(8_192);
    check(
        &r#"
given 1 agents
admin settings {"labels":{"fields":[{"name":"story","type":"text"}]}}
  -> done
  settings changed
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 labels c1 {"fields":{"story":{"sealed":"LONG"}}}
  -> refused bad_label field=fields: fields: all labels of a conversation are at most 8192 bytes
"#
        .replace("LONG", &long),
    );
}

#[test]
fn an_owner_does_not_finish_without_what_is_required() {
    check(
        r#"
given 1 agents
admin settings {"labels":{"dispositions":["solved"],"fields":[{"name":"count","type":"number","required":true}]}}
  -> done
  settings changed
admin queue support wrap_up_ms=10000 labels={"disposition_required":true}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s
a0 done c1
  -> refused label_missing field=disposition: c1 cannot be finished without disposition
a0 labels_and_ends c1 {"disposition":"solved"}
  -> refused label_missing field=fields.count: c1 cannot be finished without fields.count
supervisor a0 done c1
  -> refused label_missing field=disposition: c1 cannot be finished without disposition
a0 labels_and_ends c1 {"disposition":"solved","fields":{"count":{"number":"1"}}}
  -> done
  c1 labelled a0 {"disposition":"solved","fields":{"count":{"number":"1"}}}
  c1 wrap_up over a0 done
admin queue support labels={"disposition_required":true}
  -> put q1
  q1 put as support
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
a0 closes c2
  -> refused label_missing field=disposition: c2 cannot be finished without disposition
supervisor a0 closes c2
  -> refused label_missing field=disposition: c2 cannot be finished without disposition
a0 labels_and_closes c2 {"disposition":"solved","fields":{"count":{"number":"2.5"}}}
  -> done
  c2 labelled a0 {"disposition":"solved","fields":{"count":{"number":"2.5"}}}
  c2 ended a0
"#,
    );
}

#[test]
fn nobody_but_the_owner_is_held_up_by_a_missing_label_and_time_is_not() {
    check(
        r#"
given 1 agents
admin settings {"labels":{"dispositions":["solved"]}}
  -> done
  settings changed
admin queue support labels={"disposition_required":true}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u1 closes c1
  -> done
  c1 ended u1
u2 opens chat in support
  -> opened c2 u2
  c2 opened u2 q1
  o2 made c2 a0 ends 30s deliver 5s
a0 accepts o2
  -> accepted c2
  o2 accepted c2 a0
admin closes c2
  -> done
  c2 ended admin
admin queue support wrap_up_ms=10000 labels={"disposition_required":true}
  -> put q1
  q1 put as support
u3 opens chat in support
  -> opened c3 u3
  c3 opened u3 q1
  o3 made c3 a0 ends 30s deliver 5s
a0 accepts o3
  -> accepted c3
  o3 accepted c3 a0
a0 closes c3
  -> done
  c3 ended a0 wrap_up=10s
+10s
  c3 wrap_up over a0 time_over
"#,
    );
}

#[test]
fn rules_of_labels_are_checked_field_by_field() {
    check(
        r#"
given 0 agents
admin settings {"labels":{"dispositions":["a","a"]}}
  -> refused bad_setting field=labels.dispositions[1]: labels.dispositions[1]: used twice
admin settings {"labels":{"dispositions":[""]}}
  -> refused bad_setting field=labels.dispositions[0]: labels.dispositions[0]: 1 to 128 bytes without control characters
admin settings {"labels":{"tags":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}}
  -> refused bad_setting field=labels.tags[0]: labels.tags[0]: 1 to 64 bytes without control characters
admin settings {"labels":{"fields":[{"name":"a","type":"choice"}]}}
  -> refused bad_setting field=labels.fields[0].choices: labels.fields[0].choices: what may be chosen, of a choice alone
admin settings {"labels":{"fields":[{"name":"a","type":"text","choices":["x"]}]}}
  -> refused bad_setting field=labels.fields[0].choices: labels.fields[0].choices: what may be chosen, of a choice alone
admin settings {"labels":{"fields":[{"name":"a","type":"text"},{"name":"a","type":"date"}]}}
  -> refused bad_setting field=labels.fields[1]: labels.fields[1]: used twice
admin queue support labels={"dispositions":["a","b","a"]}
  -> refused bad_setting field=labels.dispositions[2]: labels.dispositions[2]: used twice
"#,
    );
}

#[test]
fn a_queue_offers_only_what_the_workspace_has() {
    check(
        r#"
given 0 agents
admin settings {"labels":{"dispositions":["solved","spam"]}}
  -> done
  settings changed
admin queue support labels={"dispositions":["solved","lost"]}
  -> refused bad_setting field=labels.dispositions[1]: labels.dispositions[1]: the settings hold no disposition "lost"
admin queue support labels={"dispositions":["solved"]}
  -> put q1
  q1 put as support
admin settings {"labels":{"dispositions":["spam"]}}
  -> refused bad_setting field=labels.dispositions: labels.dispositions: the queue "support" offers "solved": change it first
admin queue support
  -> put q1
  q1 put as support
admin settings {"labels":{"dispositions":["spam"]}}
  -> done
  settings changed
"#,
    );
}

#[test]
fn where_no_disposition_is_offered_none_is_required() {
    check(
        r#"
given 1 agents
admin settings {"labels":{"dispositions":["solved"]}}
  -> done
  settings changed
admin queue support labels={"dispositions":[],"disposition_required":true}
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
a0 closes c1
  -> done
  c1 ended a0
"#,
    );
}

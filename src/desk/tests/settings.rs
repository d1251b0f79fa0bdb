//! Settings: what is refused, with the field at fault.

use super::script::check;

#[test]
fn channels_are_checked_field_by_field() {
    check(
        r#"
given 0 agents
admin settings {"channels":[]}
  -> refused bad_setting field=channels: channels: 1 to 16
admin settings {"channels": [{"name": "", "capacity": 1, "weight": 10, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}]}
  -> refused bad_setting field=channels[0].name: channels[0].name: 1 to 128 bytes without control characters
admin settings {"channels": [{"name": "chat", "capacity": 1, "weight": 101, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}]}
  -> refused bad_setting field=channels[0].weight: channels[0].weight: 1 to 100
admin settings {"channels": [{"name": "chat", "capacity": 1, "weight": 0, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}]}
  -> refused bad_setting field=channels[0].weight: channels[0].weight: 1 to 100
admin settings {"channels": [{"name": "chat", "capacity": 10001, "weight": 10, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}]}
  -> refused bad_setting field=channels[0].capacity: channels[0].capacity: 0 to 10000
admin settings {"channels": [{"name": "chat", "capacity": 1, "weight": 10, "offer_ms": 999, "wrap_up_ms": 0, "live": true}]}
  -> refused bad_setting field=channels[0].offer_ms: channels[0].offer_ms: 1000 to 3600000 (an hour)
admin settings {"channels": [{"name": "chat", "capacity": 1, "weight": 10, "offer_ms": 5000, "wrap_up_ms": 3600001, "live": true}]}
  -> refused bad_setting field=channels[0].wrap_up_ms: channels[0].wrap_up_ms: at most 3600000 (an hour)
admin settings {"channels": [{"name": "chat", "capacity": 1, "weight": 10, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}, {"name": "chat", "capacity": 1, "weight": 10, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}]}
  -> refused bad_setting field=channels[0].name: channels[0].name: used twice
"#,
    );
}

#[test]
fn statuses_are_checked_field_by_field() {
    check(
        r#"
given 0 agents
admin settings {"statuses":[]}
  -> refused bad_setting field=statuses: statuses: 1 to 32
admin settings {"statuses":[{"name":"here","available":true}]}
  -> refused bad_setting field=statuses: statuses: one must not be available: agents who signed in have it until they choose
admin settings {"statuses":[{"name":"away","available":false},{"name":"away","available":true}]}
  -> refused bad_setting field=statuses[0].name: statuses[0].name: used twice
"#,
    );
}

#[test]
fn times_and_counts_are_checked() {
    check(
        r#"
given 0 agents
admin settings {"delivery_ms":99}
  -> refused bad_setting field=delivery_ms: delivery_ms: 100 to 60000
admin settings {"undelivered_in_a_row_max":0}
  -> refused bad_setting field=undelivered_in_a_row_max: undelivered_in_a_row_max: at least 1
admin settings {"missed_in_a_row_max":0}
  -> refused bad_setting field=missed_in_a_row_max: missed_in_a_row_max: at least 1
admin settings {"devices_max":0}
  -> refused bad_setting field=devices_max: devices_max: 1 to 1000
admin settings {"agent_grace_ms":86400001}
  -> refused bad_setting field=agent_grace_ms: agent_grace_ms: at most a day
admin settings {"offer_grace_ms":60001}
  -> refused bad_setting field=offer_grace_ms: offer_grace_ms: at most agent_grace_ms
admin settings {"vanished_owner_ms":86400001}
  -> refused bad_setting field=vanished_owner_ms: vanished_owner_ms: at most a day
admin settings {"reject_reasons":[""]}
  -> refused bad_setting field=reject_reasons[0]: reject_reasons[0]: 1 to 128 bytes without control characters
"#,
    );
}

#[test]
fn what_settings_name_must_be_there() {
    check(
        r#"
given 0 agents
admin settings {"default_queue":"nowhere"}
  -> refused bad_setting field=default_queue: default_queue: there is no queue "nowhere": put it first
admin settings {"new_agent_queues":["support","nowhere"]}
  -> refused bad_setting field=new_agent_queues[1]: new_agent_queues[1]: there is no queue "nowhere": put it first
admin settings {"entry_rules":[{"queue":"nowhere"}]}
  -> refused bad_setting field=entry_rules[0].queue: entry_rules[0].queue: there is no queue "nowhere": put it first
admin settings {"entry_rules":[{"channel":"fax"}]}
  -> refused bad_setting field=entry_rules[0].channel: entry_rules[0].channel: there is no channel "fax"
admin settings {"entry_rules":[{"skills":{"french":11}}]}
  -> refused bad_setting field=entry_rules[0].skills.french: entry_rules[0].skills.french: a level is 1 to 10
"#,
    );
}

#[test]
fn channels_and_statuses_keep_their_places_once_they_are_used() {
    check(
        r#"
given 0 agents
u1 opens email in support
  -> opened c1 u1
  c1 opened u1 q1
u1 closes c1
  -> done
  c1 ended u1
admin settings {"channels": [{"name": "chat", "capacity": 1, "weight": 10, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}]}
  -> refused bad_setting field=channels[1].name: channels[1].name: "voice" must stay in its place: channels are added at the end
admin settings {"statuses":[{"name":"off","available":false}]}
  -> refused bad_setting field=statuses[0].name: statuses[0].name: "away" must stay in its place: statuses are added at the end
"#,
    );
}

#[test]
fn channels_may_be_replaced_while_nothing_uses_them() {
    check(
        r#"
given 0 agents
admin settings {"channels": [{"name": "chat", "capacity": 1, "weight": 10, "offer_ms": 5000, "wrap_up_ms": 0, "live": true}]}
  -> done
  settings changed
"#,
    );
}

#[test]
fn queues_and_agents_are_checked() {
    check(
        r#"
given 0 agents
admin queue support max=0
  -> refused bad_setting field=waiting_max: waiting_max: 1 to 1000000
admin queue support offer_ms=1
  -> refused bad_setting field=offer_ms: offer_ms: 1000 to 3600000 (an hour)
admin queue support wrap_up_ms=3600001
  -> refused bad_setting field=wrap_up_ms: wrap_up_ms: at most 3600000 (an hour)
admin queue support skills=french:0
  -> refused bad_setting field=skills.french: skills.french: a level is 1 to 10
admin agent a0 queues=support,nowhere
  -> refused bad_setting field=queues[1]: queues[1]: there is no queue "nowhere": put it first
admin agent a0 skills=french:11
  -> refused bad_setting field=skills.french: skills.french: a level is 1 to 10
admin agent a0 capacity=fax:1
  -> refused bad_setting field=capacity.fax: capacity.fax: there is no channel "fax"
admin agent a0 capacity=chat:10001
  -> refused bad_setting field=capacity.chat: capacity.chat: 0 to 10000
"#,
    );
}

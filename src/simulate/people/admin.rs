//! The administrator: sets up the workspace, and changes it under everybody's feet.

use crate::desk::Desk;
use crate::desk::hours::{Hours, Interval, Weekly};
use crate::desk::idle::IdleAgents;
use crate::desk::ids::ConversationId;
use crate::desk::labels::LabelRules;
use crate::desk::ratings::Scale;
use crate::desk::settings::Settings;
use crate::desk::waiting_rules::LeftMessages;
use crate::simulate::dice::Dice;
use std::collections::VecDeque;

/// The workspace as it is set up: short times, so that everything runs out now and then.
fn settings() -> Settings {
    let mut settings = Settings::default();
    for (channel, (offer_ms, wrap_up_ms)) in
        settings.channels.iter_mut().zip([(8_000, 3_000), (6_000, 9_000), (15_000, 0)])
    {
        (channel.offer_ms, channel.wrap_up_ms) = (offer_ms, wrap_up_ms);
    }
    // Chat is paused soon and takes half then; e-mail takes nothing.
    for (place, pause_ms, percent) in [(0, 4_000, 50), (2, 2_000, 0)] {
        let silence = &mut settings.channels[place].silence;
        (silence.pause_ms, silence.paused_weight_percent) = (Some(pause_ms), percent);
    }
    settings.cool_downs.most_ms = 40_000;
    settings.cool_downs.rejected_ms = 5_000;
    settings.cool_downs.expired_ms = 10_000;
    settings.cool_downs.undelivered_ms = 5_000;
    settings.offer_grace_ms = 4_000;
    settings.agent_grace_ms = 15_000;
    settings.vanished_owner_ms = 20_000;
    settings.reopen_ms = 600_000;
    settings.idle_agents = Some(IdleAgents { after_ms: 60_000, status: None });
    settings.hours.insert("office".into(), every_day(&[Interval { from: 0, to: 1_440 }]));
    settings.left_messages = Some(LeftMessages { queue: None, channel: Some("email".into()) });
    settings.labels.dispositions = ["solved", "spam"].map(Into::into).to_vec();
    settings
}

/// By UTC, as the judge reads hours.
fn every_day(intervals: &[Interval]) -> Hours {
    let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] = std::array::from_fn(|_| intervals.to_vec());
    let weekly = Weekly { monday, tuesday, wednesday, thursday, friday, saturday, sunday };
    Hours { time_zone: "Etc/UTC".into(), weekly, holidays: Vec::new(), exceptions: Vec::new() }
}

/// Minutes of opening and closing from about now on.
fn hours(dice: &mut Dice, desk: &Desk) -> Hours {
    let now = desk.now().wall.0 / 60_000 % 1_440;
    let mut at = now.saturating_sub(1);
    let mut intervals = Vec::new();
    if at > 0 && dice.per_mille(500) {
        intervals.push(Interval { from: 0, to: at as u16 });
    }
    while intervals.len() < 12 {
        let from = at + dice.between(1, 2);
        at = from + dice.between(1, 2);
        if at >= 1_440 {
            break;
        }
        intervals.push(Interval { from: from as u16, to: at as u16 });
    }
    if intervals.last().is_none_or(|last| last.to < 1_430) && dice.per_mille(500) {
        intervals.push(Interval { from: 1_430, to: 3 });
    }
    if intervals.is_empty() {
        intervals.push(Interval { from: 0, to: 1 });
    }
    every_day(&intervals)
}

pub fn setup(agents: u32) -> VecDeque<String> {
    let settings = serde_json::to_string(&settings()).expect("settings are plain values");
    let mut lines = VecDeque::from([
        format!("admin settings {settings}"),
        "admin queue support max=8 service={\"accept_ms\":3000,\"first_reply_ms\":6000,\"next_reply_ms\":4000,\"resolution_ms\":30000} moves={\"pick\":true}".into(),
        "admin queue sales skills=french:2 wrap_up_ms=2000".into(),
    ]);
    for agent in 0..agents {
        let level = 2 * agent + 4;
        lines.push_back(format!(
            "admin agent a{agent} active=yes queues=support,sales skills=french:{} capacity=- tiers=-",
            level.min(10)
        ));
    }
    lines
}

/// Another rule of the workspace, of a queue, or of an agent.
pub fn change(dice: &mut Dice, agents: u32, desk: &Desk) -> String {
    let agent = dice.below(u64::from(agents));
    match dice.below(28) {
        0 => format!("admin queue support max={}", dice.between(1, 10)),
        1 => format!("admin queue sales skills=french:{}", dice.between(1, 8)),
        2 => format!("admin agent a{agent} skills=french:{}", dice.between(1, 10)),
        3 => format!("admin agent a{agent} capacity=chat:{}", dice.between(0, 3)),
        4 => {
            let queues =
                *dice.pick(&["support", "sales", "sales", "sales,support", "sales,support"]).unwrap_or(&"support");
            format!("admin agent a{agent} queues={queues}")
        }
        5..=7 => settings_change(dice, desk),
        8..=11 => offering(dice),
        12 => format!(
            "admin agent a{agent} tiers=support:{} offer_percent={}",
            dice.between(1, 3),
            dice.between(100, 300)
        ),
        13 => moves(dice),
        24 => format!("admin agent a{agent} tiers=support:{}", dice.between(2, 4)),
        14 | 15 => {
            let program = if dice.per_mille(500) { "yes" } else { "no" };
            format!("admin agent a{agent} program={program} total={}", dice.between(50, 400))
        }
        16 | 17 | 25 | 26 => {
            let hours = if dice.per_mille(700) { " hours=office" } else { "" };
            format!("admin queue support max=8{hours} waiting={}", waiting(dice))
        }
        18 | 19 | 27 => wrap_up(dice),
        20 => labels(dice),
        21 => service(dice),
        22 => silence(dice),
        _ => {
            let after = serde_json::json!({"after_ms": dice.between(0, 6_000)}).to_string();
            let auto = *dice.pick(&["\"never\"", "\"by_queue\"", &after]).unwrap_or(&"\"never\"");
            format!("admin agent a{agent} auto={auto}")
        }
    }
}

/// A change of the rules, or something with what there is.
pub fn act(dice: &mut Dice, agents: u32, desk: &Desk) -> String {
    let agent = dice.below(u64::from(agents));
    let open: Vec<_> = desk.conversations().map(|(id, _)| id).collect();
    let one = dice.pick(&open).copied().unwrap_or(ConversationId(1));
    let yes = if dice.per_mille(500) { "yes" } else { "no" };
    match dice.below(36) {
        0 => format!("admin agent a{agent} active=no"),
        1..=3 => format!("admin agent a{agent} active=yes"),
        4 => format!("admin closes {one}"),
        5 => format!("admin done {one}"),
        6 => format!("admin notes {one} careful"),
        7 => format!("admin labels {one} {{\"disposition\":\"solved\",\"tags\":[\"vip\"]}}"),
        8 => format!("admin why {one}"),
        9 => format!("admin why a{agent}"),
        10 | 18 | 19 => "admin remove_queue sales".into(),
        11 => "admin queue sales skills=french:2 wrap_up_ms=2000".into(),
        12 | 13 => {
            let draining = desk.agents().find(|(_, held)| held.draining).filter(|_| dice.per_mille(600));
            draining.map_or_else(|| format!("admin drains a{agent} {yes}"), |(id, _)| format!("admin drains {id} no"))
        }
        14 | 15 => {
            let queue = *dice.pick(&["support", "sales"]).unwrap_or(&"support");
            let how = *dice.pick(&["no", "no", "to=-", "to=support"]).unwrap_or(&"no");
            format!("admin drains_queue {queue} {how}")
        }
        16 | 20 => "admin key k1".into(),
        17 | 21 => "admin remove_key k1".into(),
        _ => change(dice, agents, desk),
    }
}

fn settings_change(dice: &mut Dice, desk: &Desk) -> String {
    let mut changed = settings();
    changed.channels[0].weight = dice.between(1, 100) as u32;
    changed.channels[0].capacity = dice.between(0, 5) as u32;
    changed.channels[0].silence.pause_ms = dice.per_mille(700).then(|| dice.between(1_000, 20_000));
    changed.channels[0].silence.paused_weight_percent = dice.below(101) as u8;
    changed.missed_in_a_row_max = dice.between(1, 4) as u32;
    changed.agent_grace_ms = dice.between(4_000, 30_000);
    changed.vanished_owner_ms = dice.between(0, 20_000);
    changed.devices_max = dice.between(2, 5) as u32;
    changed.program_offer_ms = dice.between(1_000, 8_000);
    changed.labels = label_rules(dice);
    let queue = dice.per_mille(600).then(|| "support".into());
    changed.left_messages =
        changed.left_messages.filter(|_| dice.per_mille(800)).map(|left| LeftMessages { queue, ..left });
    changed.rating.scale = *dice.pick(&[Scale::None, Scale::Five, Scale::Two]).unwrap_or(&Scale::Five);
    changed.rating.within_ms = dice.between(1_000, 600_000);
    changed.idle_agents = changed.idle_agents.filter(|_| dice.per_mille(700));
    if dice.per_mille(500) {
        changed.across_queues = crate::desk::offering::AcrossQueues::ByWeight;
    }
    if dice.per_mille(900) {
        changed.hours.insert("office".into(), hours(dice, desk));
    }
    format!("admin settings {}", serde_json::to_string(&changed).expect("settings are plain values"))
}

/// Other fields, and perhaps without a disposition that a queue needs, which is refused.
fn label_rules(dice: &mut Dice) -> LabelRules {
    let required = dice.per_mille(500);
    let rules = serde_json::json!({
        "dispositions": if dice.per_mille(800) { vec!["solved", "spam"] } else { vec!["spam"] },
        "tags": dice.per_mille(500).then_some(["vip"]),
        "fields": [{"name": "count", "type": "number", "required": required}, {"name": "story", "type": "text"}],
    });
    serde_json::from_value(rules).expect("these are rules")
}

/// Another rule for a queue of what its agents may not finish without.
fn labels(dice: &mut Dice) -> String {
    let offered = dice.per_mille(500).then_some(["solved"]);
    let labels = serde_json::json!({"dispositions": offered, "disposition_required": dice.per_mille(700)});
    format!("admin queue support max=8 wrap_up_ms={} labels={labels}", dice.between(0, 5_000))
}

/// Other rules for who is silent, without a space in them.
fn silence(dice: &mut Dice) -> String {
    let remind_ms = dice.between(1_000, 10_000);
    let customer = serde_json::json!({
        "remind_after_ms": dice.per_mille(700).then_some(remind_ms),
        "remind_text": "Still-there?",
        "close_after_ms": dice.per_mille(500).then(|| remind_ms + dice.between(1, 10_000)),
        "close_text": "Goodbye.",
    });
    let (remind, requeue) = (serde_json::json!("remind"), serde_json::json!("requeue"));
    let moves = serde_json::json!({"move": {"queue": "sales"}});
    let action = (*dice.pick(&[&remind, &requeue, &moves]).unwrap_or(&&remind)).clone();
    let owner = serde_json::json!({"after_ms": dice.between(1_000, 15_000), "action": action});
    format!("admin queue support max=8 silent_customer={customer} silent_owner={owner}")
}

/// Other clocks of service for a queue, or none.
fn service(dice: &mut Dice) -> String {
    let queue = *dice.pick(&["support max=8", "sales skills=french:2"]).unwrap_or(&"support");
    let mut clock = |most_ms| dice.per_mille(700).then(|| dice.between(1_000, most_ms));
    let service = serde_json::json!({
        "accept_ms": clock(10_000),
        "first_reply_ms": clock(20_000),
        "next_reply_ms": clock(10_000),
        "resolution_ms": clock(60_000),
    });
    format!("admin queue {queue} service={service} moves={{\"pick\":true}}")
}

/// Another way of wrapping up for a queue.
fn wrap_up(dice: &mut Dice) -> String {
    let rules = serde_json::json!({
        "ends": dice.pick(&["timed", "when_done"]),
        "blocks": dice.pick(&["slot", "agent", "nothing"]),
        "extend_ms": dice.between(1_000, 3_600_000),
        "extensions_max": dice.between(0, 3),
    });
    let queue = *dice.pick(&["support max=8", "sales skills=french:2"]).unwrap_or(&"support");
    format!("admin queue {queue} wrap_up_ms={} wrap_up={rules}", dice.between(0, 20_000))
}

/// Other rules for those who wait, without a space in them.
fn waiting(dice: &mut Dice) -> serde_json::Value {
    let moves = serde_json::json!({"move": {"queue": "sales"}});
    let closes = serde_json::json!({"message_and_close": {"text": "Sorry."}});
    let raises = serde_json::json!({"raise_priority": {"by": dice.between(1, 3), "times": dice.between(1, 3)}});
    let stays = serde_json::json!({"message_and_wait": {"text": "Soon."}});
    let takes = serde_json::json!({"take_message": {"text": "Tomorrow."}});
    let (waits, refuses) = (serde_json::json!("wait"), serde_json::json!("refuse"));
    let pick = |dice: &mut Dice, of: &[&serde_json::Value]| (*dice.pick(of).unwrap_or(&of[0])).clone();
    serde_json::json!({
        "nobody_there": pick(dice, &[&waits, &refuses, &refuses, &moves, &stays, &closes]),
        "out_of_hours": pick(dice, &[&waits, &refuses, &refuses, &moves, &takes, &takes, &stays, &closes]),
        "at_closing": pick(dice, &[&waits, &moves, &stays, &closes]),
        "when_full": pick(dice, &[&refuses, &moves, &closes]),
        "waiting_ms_max": dice.per_mille(800).then(|| dice.between(1_000, 60_000)),
        "after_longest": pick(dice, &[&moves, &closes, &raises]),
        "offers_max": dice.per_mille(500).then(|| dice.between(1, 4)),
        "after_offers": pick(dice, &[&waits, &moves, &closes, &raises]),
        "keep_place_ms": dice.between(0, 60_000),
    })
}

/// Other rules of moves for a queue.
fn moves(dice: &mut Dice) -> String {
    let vanished_owner = *dice.pick(&["after", "next_message", "keep"]).unwrap_or(&"keep");
    let moves = serde_json::json!({
        "pick": dice.per_mille(700),
        "vanished_owner": dice.per_mille(700).then_some(vanished_owner),
        "vanished_owner_ms": dice.per_mille(500).then(|| dice.between(0, 20_000)),
        "reopened_for": if dice.per_mille(600) { "old_owner" } else { "queue" },
        "reopened_for_ms": dice.between(0, 20_000),
    });
    format!("admin queue support max=8 moves={moves}")
}

/// Another way of offering for a queue: every rule now and then.
fn offering(dice: &mut Dice) -> String {
    let by = *dice.pick(&["longest_idle", "least_loaded", "round_robin", "most_skilled"]).unwrap_or(&"longest_idle");
    let rule = |dice: &mut Dice| *dice.pick(&["wait", "skip"]).unwrap_or(&"wait");
    let (offline, away, busy) = (rule(dice), rule(dice), rule(dice));
    let after_ms = dice.between(1_000, 20_000);
    let widens = dice.per_mille(500);
    let offering = serde_json::json!({
        "agents_by": by,
        "tiers_up_to": widens.then(|| dice.between(1, 2)),
        "offer_to_at_most": dice.between(1, 4),
        "accept_within_ms": dice.per_mille(300).then(|| dice.between(1_000, 60_000)),
        "weight": dice.between(1, 5),
        "auto_accept_ms": dice.per_mille(300).then(|| dice.between(0, 6_000)),
        "programs_first": widens && dice.per_mille(500),
        "rings": if widens {
            serde_json::json!([
                {"after_ms": after_ms, "lower": {"french": dice.between(1, 3)}, "tiers_up_to": 2},
                {"after_ms": after_ms + 5_000, "drop": ["french"], "tiers_up_to": 100, "people": true, "queues": ["sales"]},
            ])
        } else {
            serde_json::json!([])
        },
        "router": {
            "by": if dice.per_mille(400) { "outside" } else { "offhook" }, "within_ms": dice.between(100, 8_000)
        },
        "preferred_agent": {
            "preferred_ms": dice.between(0, 30_000), "when_offline": offline, "when_away": away, "when_busy": busy
        },
    });
    format!("admin queue support max=8 offering={offering} moves={{\"pick\":true}}")
}

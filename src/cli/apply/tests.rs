//! Declarations against workspaces in hand.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::changes::Plan;
use super::declared::{Declared, object};
use super::live::Found;
use crate::desk::settings::{QueueSettings, Settings};

const EXAMPLE: &str = include_str!("../../../config/workspace.toml");

fn found() -> Found {
    let queue = object(json!(QueueSettings::named("support")));
    let agent = json!({"name": "ada", "title": "Ada", "active": true, "queues": ["support"], "skills": {"french": 2}, "capacity": {}});
    let webhook = json!({"name": "crm", "url": "https://crm.example", "types": ["conversation.*"], "texts": true});
    Found {
        workspace: "demo".to_owned(),
        exists: true,
        settings: object(json!(Settings::default())),
        quota: object(json!({"agents": 5})),
        queues: BTreeMap::from([("support".to_owned(), queue)]),
        agents: BTreeMap::from([("ada".to_owned(), object(agent))]),
        webhooks: BTreeMap::from([("crm".to_owned(), object(webhook))]),
    }
}

fn plan(text: &str, found: &Found, prune: bool) -> Plan {
    Plan::of(&Declared::parse(text).unwrap(), found, prune).unwrap()
}

/// What the server would have after the plan: enough of it to see that nothing is left to do.
fn made(mut found: Found, plan: &Plan) -> Found {
    found.exists = true;
    for change in &plan.changes {
        let body = || object(change.body.clone().unwrap_or(Value::Null));
        let (kind, name) = change.path.trim_start_matches('/').split_once('/').unwrap_or((&change.path, ""));
        match (&change.method, kind) {
            (&Method::DELETE, _) => drop(found.queues.remove(name)),
            (_, "queues") => drop(found.queues.insert(name.to_owned(), body())),
            (_, "agents") => {
                let fresh =
                    json!({"name": name, "title": "", "active": true, "queues": [], "skills": {}, "capacity": {}});
                let agent = found.agents.entry(name.to_owned()).or_insert_with(|| object(fresh));
                agent.extend(body());
            }
            (_, "/settings") => found.settings = body(),
            (_, _) => assert_eq!(change.place, "workspace"),
        }
    }
    found
}

#[test]
fn what_is_made_comes_in_an_order_in_which_each_can_be_made() {
    let absent = Found { exists: false, queues: BTreeMap::new(), agents: BTreeMap::new(), ..found() };
    let plan = plan(EXAMPLE, &absent, false);
    let paths: Vec<_> = plan.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "",
            "/settings",
            "/queues/support",
            "/queues/sales",
            "/settings",
            "/agents/ada",
            "/agents/assistant",
            "/agents/grace"
        ]
    );
}

#[test]
fn the_same_file_again_changes_nothing() {
    let first = plan(EXAMPLE, &found(), false);
    assert!(!first.changes.is_empty());
    let second = plan(EXAMPLE, &made(found(), &first), false);
    assert_eq!(second.to_string(), "");
    assert!(second.changes.is_empty());
}

#[test]
fn differences_are_shown_value_by_value() {
    let file = r#"
        [settings]
        agent_grace_ms = 90000
        [[settings.channels]]
        name = "chat"
        capacity = 4
        [[settings.statuses]]
        name = "lunch"
        available = false
        [[queues]]
        name = "support"
        offer_ms = 20000
        [[queues]]
        name = "sales"
        priority = 2
        [[agents]]
        name = "ada"
        skills = { french = 8 }
    "#;
    assert_eq!(
        plan(file, &found(), false).to_string(),
        "~ queue support: offer_ms: null -> 20000\n\
         + queue sales: priority 2\n\
         ~ settings.agent_grace_ms: 60000 -> 90000\n\
         ~ settings.channels[chat].capacity: 3 -> 4\n\
         + settings.statuses[lunch]: {\"available\":false,\"name\":\"lunch\"}\n\
         ~ agent ada: skills.french: 2 -> 8\n"
    );
}

#[test]
fn dispositions_come_before_the_queues_that_offer_them_and_go_after() {
    let file = |all: &str, own: &str| {
        format!(
            "[settings.labels]\ndispositions = {all}\n[[queues]]\nname = \"support\"\nlabels = {{ dispositions = {own} }}\n"
        )
    };
    let first = plan(&file("['solved', 'spam']", "['solved']"), &found(), false);
    assert_eq!(
        first.to_string(),
        "~ settings.labels.dispositions: [] -> [\"solved\",\"spam\"]\n\
         ~ queue support: labels.dispositions: null -> [\"solved\"]\n"
    );
    let second = plan(&file("['lost']", "['lost']"), &made(found(), &first), false);
    assert_eq!(
        second.to_string(),
        "~ settings.labels.dispositions: [\"solved\",\"spam\"] -> [\"solved\",\"spam\",\"lost\"]\n\
         ~ queue support: labels.dispositions: [\"solved\"] -> [\"lost\"]\n\
         ~ settings.labels.dispositions: [\"solved\",\"spam\",\"lost\"] -> [\"lost\"]\n"
    );
}

#[test]
fn a_quota_is_merged_and_sent_only_where_it_differs() {
    let change = plan("[quota]\nagents = 9\nconnections = 20\n", &found(), false);
    assert_eq!(change.to_string(), "~ quota.agents: 5 -> 9\n~ quota.connections: null -> 20\n");
    let sent = change.changes.iter().map(|change| (change.path.as_str(), change.body.clone())).collect::<Vec<_>>();
    assert_eq!(sent, [("/quota", Some(json!({"agents": 9, "connections": 20})))]);
    assert!(plan("[quota]\nagents = 5\n", &found(), false).changes.is_empty());
}

#[test]
fn a_webhook_is_made_changed_by_what_is_said_and_left_as_it_is() {
    let file = r#"
        [[webhooks]]
        name = "crm"
        url = "https://crm.example/offhook"
        after = "first"
        [[webhooks]]
        name = "bi"
        url = "https://bi.example"
        types = ["offer.*"]
        after = "first"
    "#;
    let change = plan(file, &found(), true);
    assert_eq!(
        change.changes[..2].iter().map(|change| (change.path.as_str(), change.body.clone())).collect::<Vec<_>>(),
        [
            (
                "/webhooks/crm",
                Some(json!({"url": "https://crm.example/offhook", "types": ["conversation.*"], "texts": true}))
            ),
            (
                "/webhooks/bi",
                Some(json!({"url": "https://bi.example", "types": ["offer.*"], "texts": false, "after": "first"}))
            ),
        ]
    );
    assert!(
        change.to_string().starts_with(
            "~ webhook crm: url: \"https://crm.example\" -> \"https://crm.example/offhook\"\n\
             + webhook bi: after \"first\", types [\"offer.*\"], url \"https://bi.example\"\n"
        ),
        "{change}"
    );
    let same = "[[webhooks]]\nname = \"crm\"\nurl = \"https://crm.example\"\nafter = \"latest\"\n";
    assert!(plan(same, &found(), false).changes.is_empty());
    let other = plan("[[webhooks]]\nname = \"bi\"\nurl = \"https://bi.example\"\n", &found(), true);
    assert!(!other.to_string().contains("crm"), "never removed: {other}");
}

#[test]
fn what_is_not_named_goes_only_when_asked() {
    let file = "[[queues]]\nname = \"sales\"\n";
    assert_eq!(plan(file, &found(), false).to_string(), "+ queue sales\n");
    let pruned = plan(file, &found(), true);
    assert_eq!(pruned.to_string(), "+ queue sales\n- agent ada (deactivated)\n- queue support\n");
    let again = plan(file, &made(found(), &pruned), true);
    assert!(again.changes.is_empty(), "{again}");
}

#[test]
fn an_agent_is_sent_only_what_the_file_mentions() {
    let plan = plan("[[agents]]\nname = \"ada\"\ntitle = \"A.\"", &found(), false);
    assert_eq!(plan.changes[0].body, Some(json!({"name": "ada", "title": "A."})));
}

#[test]
fn what_is_wrong_is_named_by_its_field() {
    for (text, field) in [
        ("queue = 1", "queue: unknown"),
        ("workspace = 1", "workspace:"),
        ("[settings]\nagent_grace = 1", "settings.agent_grace:"),
        ("[settings]\nagent_grace_ms = \"1\"", "settings.agent_grace_ms:"),
        ("[settings]\ncool_downs = {reject_ms = 1}", "settings.cool_downs.reject_ms:"),
        ("[[settings.channels]]\nname = \"chat\"\nweight = -1", "settings.channels[0].weight:"),
        ("[[settings.channels]]\nweight = 1", "settings.channels[0].name:"),
        ("[[settings.entry_rules]]\nqueues = \"a\"", "settings.entry_rules[0].queues:"),
        ("[[queues]]\ntitle = \"x\"", "queues[0].name:"),
        ("[[queues]]\nname = \"x\"\n[[queues]]\nname = \"x\"", "queues[1].name:"),
        ("[[queues]]\nname = \"x\"\noffer_ms = true", "queues[0].offer_ms:"),
        ("[[agents]]\nname = \"x\"\nskills = {french = 300}", "agents[0].skills:"),
        ("agents = 1", "agents:"),
        ("quota = 1", "quota:"),
        ("[quota]\nagent = 1", "quota.agent:"),
        ("[[webhooks]]\nurl = 'https://a.example'", "webhooks[0].name:"),
        ("[[webhooks]]\nname = 'crm'\nsecret = 'whsec_1'", "webhooks[0].secret:"),
        ("[[webhooks]]\nname = 'crm'\ntypes = 'offer.*'", "webhooks[0].types:"),
        ("[quota]\nagents = -1", "quota.agents:"),
        ("a = ", "line 1"),
    ] {
        let wrong = Declared::parse(text).unwrap_err().to_string();
        assert!(wrong.contains(field), "{text:?}: {wrong}");
    }
}

#[test]
fn every_setting_of_a_workspace_can_be_declared() {
    let mut settings = Settings { default_queue: Some("support".into()), ..Settings::default() };
    settings.entry_rules.push(crate::desk::settings::EntryRule {
        known: Some(true),
        channel: Some("chat".into()),
        queue: Some("support".into()),
        priority: Some(1),
        prefers: crate::desk::settings::Prefers {
            agent: Some("ada".into()),
            agent_attribute: Some("owner".into()),
            ..Default::default()
        },
        ..Default::default()
    });
    let text = toml::to_string(&json!({ "settings": settings })).unwrap();
    let declared = Declared::parse(&text).unwrap();
    assert_eq!(Value::Object(declared.settings), json!(settings).as_object().cloned().map(Value::Object).unwrap());
}

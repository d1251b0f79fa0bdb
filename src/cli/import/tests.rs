//! Exports as their systems write them, and the declaration that comes of each.

use super::gathered::{Gathered, slug};
use super::{chatwoot, csv, read, zendesk};
use std::fs;
use std::path::PathBuf;

struct Files(tempfile::TempDir);

impl Files {
    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

fn files() -> Files {
    Files(tempfile::tempdir().unwrap())
}

fn declared(gathered: &mut Gathered) -> toml::Table {
    toml::from_str(&gathered.declaration(Some("acme")).unwrap()).unwrap()
}

#[test]
fn zendesks_users_groups_and_tags_become_agents_queues_and_tags() {
    let files = files();
    let users = r#"{"users": [
        {"id": 1, "name": "Ada", "email": "ada@example.com", "role": "agent", "active": true, "suspended": false},
        {"id": 2, "name": "Bob", "email": "bob@example.com", "role": "admin", "active": true, "suspended": true},
        {"id": 3, "name": "Zoe", "email": "zoe@example.org", "role": "end-user", "active": true}
    ], "next_page": null, "count": 3}"#;
    let lines = concat!(
        r#"{"id": 7, "name": "Tier 2 / Billing", "is_public": true, "default": false, "deleted": false}"#,
        "\n",
        r#"{"id": 8, "name": "Old", "is_public": true, "default": false, "deleted": true}"#,
        "\n\n",
        r#"{"id": 70, "user_id": 1, "group_id": 7}"#,
        "\n",
        r#"{"id": 71, "user_id": 1, "group_id": 99}"#,
        "\n",
        r#"{"id": 9, "subject": "Hello", "status": "closed", "requester_id": 3, "tags": ["billing", "vip"]}"#,
        "\n",
    );
    let mut gathered = Gathered::default();
    for file in [files.put("users.json", users), files.put("all.ndjson", lines)] {
        read::each(&file, |record| zendesk::take(record, &mut gathered)).unwrap();
    }
    let expected: toml::Table = toml::from_str(
        r#"
        workspace = "acme"
        settings.labels.tags = ["billing", "vip"]
        queues = [{ name = "tier-2-billing", title = "Tier 2 / Billing" }]
        [[agents]]
        name = "ada@example.com"
        title = "Ada"
        queues = ["tier-2-billing"]
        [[agents]]
        name = "bob@example.com"
        title = "Bob"
        active = false
        "#,
    )
    .unwrap();
    assert_eq!(declared(&mut gathered), expected);
    let report = gathered.report().join("\n");
    for left in ["1 administrators", "1 deleted groups", "1 end users", "1 tickets", "1 memberships"] {
        assert!(report.contains(&format!("left: {left}")), "{report}");
    }
}

#[test]
fn chatwoots_agents_inboxes_teams_and_labels_become_agents_queues_and_tags() {
    let files = files();
    let agent = r#"[{"id": 1, "name": "Ada L", "available_name": "Ada", "email": "ada@example.com", "role": "agent", "confirmed": true}]"#;
    let all = [
        files.put("agents.json", agent),
        files.put("inboxes.json", r#"{"payload": [{"id": 4, "name": "Website", "channel_type": "Channel::WebWidget"}]}"#),
        files.put("teams.json", r#"[{"id": 3, "name": "sales", "description": "", "allow_auto_assign": true}]"#),
        files.put("team_members_3.json", agent),
        files.put("labels.json", r#"{"payload": [{"id": 1, "title": "refund", "color": "fff", "description": ""}]}"#),
        files.put(
            "conversations.json",
            r#"{"data": {"meta": {}, "payload": [{"id": 5, "inbox_id": 4, "status": "resolved", "labels": ["late"]}]}}"#,
        ),
        files.put("contacts.json", r#"{"payload": [{"id": 6, "name": "Zoe", "email": "z@example.org", "phone_number": null}]}"#),
    ];
    let mut gathered = Gathered::default();
    for file in all {
        let team = chatwoot::team_of(&file);
        read::each(&file, |record| chatwoot::take(record, team, &mut gathered)).unwrap();
    }
    let expected: toml::Table = toml::from_str(
        r#"
        workspace = "acme"
        settings.labels.tags = ["late", "refund"]
        queues = [{ name = "sales", title = "sales" }, { name = "website", title = "Website" }]
        agents = [{ name = "ada@example.com", title = "Ada", queues = ["sales"] }]
        "#,
    )
    .unwrap();
    assert_eq!(declared(&mut gathered), expected);
    let report = gathered.report().join("\n");
    assert!(report.contains("1 contacts") && report.contains("1 conversations"), "{report}");
}

#[test]
fn tables_of_ones_own_are_told_apart_by_their_first_column() {
    let files = files();
    let agents = "agent,title,queues,skills,active\nada,Ada,\"Support; Billing desk\",french:8;german,\nbob,Bob,,,no\n";
    let mut gathered = Gathered::default();
    for file in [
        files.put("agents.csv", agents),
        files.put("queues.csv", "queue,title\nsupport,Support\nBilling desk,\n"),
        files.put("tags.csv", "tag\nbilling\n"),
    ] {
        csv::read(&file, &mut gathered).unwrap();
    }
    let expected: toml::Table = toml::from_str(
        r#"
        workspace = "acme"
        settings.labels.tags = ["billing"]
        queues = [{ name = "billing-desk", title = "Billing desk" }, { name = "support", title = "Support" }]
        [[agents]]
        name = "ada"
        title = "Ada"
        queues = ["billing-desk", "support"]
        skills = { french = 8, german = 5 }
        [[agents]]
        name = "bob"
        title = "Bob"
        active = false
        "#,
    )
    .unwrap();
    assert_eq!(declared(&mut gathered), expected);
}

#[test]
fn what_cannot_be_read_is_named_with_file_line_and_column() {
    let files = files();
    for (text, at) in [
        ("name\nada\n", "line 1, column 1"),
        ("agent,tittle\nada,Ada\n", "line 1, column 2: no column \"tittle\""),
        ("agent,title\nada,Ada\n,Bob\n", "line 3, column 1 (agent): is empty"),
        ("agent,skills\nada,french:11\n", "line 2, column 2 (skills)"),
        ("agent,active\nada,maybe\n", "line 2, column 2 (active)"),
        ("agent,title\nada\n", "line: 2"),
    ] {
        let path = files.put("table.csv", text);
        let refused = csv::read(&path, &mut Gathered::default()).unwrap_err();
        assert!(refused.starts_with(&*path.to_string_lossy()) && refused.contains(at), "{text:?}: {refused}");
    }
    for (text, at) in [
        ("{\"users\": [\n{\"id\": }]}", "line 2, column 8"),
        ("{\"id\": 1}\n{\"id\" 2}\n", "line 2: column 7"),
        ("{\"users\": 3}", "no list of objects"),
        ("", "line 1, column 0"),
    ] {
        let path = files.put("export.json", text);
        let refused = read::each(&path, |_| {}).unwrap_err();
        assert!(refused.starts_with(&*path.to_string_lossy()) && refused.contains(at), "{text:?}: {refused}");
    }
}

#[test]
fn a_queue_is_called_as_it_can_stand_in_a_path() {
    for (title, name) in [("Tier 2 / Billing", "tier-2-billing"), ("  Größe! ", "größe"), ("--", "")] {
        assert_eq!(slug(title), name, "{title}");
    }
}

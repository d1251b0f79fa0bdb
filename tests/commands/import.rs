//! `offhook import`, and what `offhook apply` makes of it.

use super::server::Server;
use std::fs;

#[test]
fn an_export_of_another_system_becomes_a_workspace_and_once_more_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Server::start(dir, "127.0.0.1:0");
    let users = r#"{"users": [{"id": 1, "name": "Ada", "email": "ada@example.com", "role": "agent", "active": true}]}"#;
    fs::write(dir.join("users.json"), users).unwrap();
    let groups = r#"{"groups": [{"id": 7, "name": "Tier 2", "is_public": true, "default": false, "deleted": false}]}"#;
    fs::write(dir.join("groups.json"), groups).unwrap();
    fs::write(dir.join("memberships.json"), r#"{"group_memberships": [{"id": 9, "user_id": 1, "group_id": 7}]}"#)
        .unwrap();
    let tickets =
        "{\"id\": 4, \"subject\": \"Hello\", \"status\": \"open\", \"requester_id\": 3, \"tags\": [\"late\"]}\n";
    fs::write(dir.join("tickets.ndjson"), tickets).unwrap();

    let import = "offhook import zendesk users.json groups.json memberships.json tickets.ndjson --workspace acme";
    let printed = server.sh(dir, &format!("{import} >acme.toml"), &[]);
    let said = String::from_utf8(printed.stderr).unwrap();
    assert_eq!(printed.status.code(), Some(0), "{said}");
    assert!(said.contains("1 agents, 1 queues, 1 tags") && said.contains("left: 1 tickets"), "{said}");
    let applied = server.must(dir, "offhook apply acme.toml", &[]);
    assert!(applied.contains("+ queue tier-2") && applied.contains("+ agent ada@example.com"), "{applied}");
    let again = server.must(dir, &format!("{import} >acme.toml && offhook apply acme.toml"), &[]);
    assert_eq!(again, "workspace acme is as declared\n");

    fs::write(dir.join("users.json"), "{\"users\": [\n{\"id\": }]}").unwrap();
    let refused = server.sh(dir, import, &[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), refused.stdout), (Some(2), Vec::new()), "{said}");
    assert!(said.contains("users.json: line 2, column 8"), "{said}");
}

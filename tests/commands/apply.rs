//! `offhook apply` against a real server.

use std::path::Path;

use super::server::Server;

fn example() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/workspace.toml").display().to_string()
}

#[test]
fn the_example_is_applied_once_and_then_nothing_is_left_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (dir, file) = (dir.path(), example());
    let server = Server::start(dir, "127.0.0.1:0");
    let diff = server.sh(dir, &format!("offhook apply --diff {file}"), &[]);
    assert_eq!(diff.status.code(), Some(1), "{diff:?}");
    let shown = String::from_utf8(diff.stdout).unwrap();
    assert!(shown.contains("+ queue sales") && shown.contains("+ agent ada"), "{shown}");

    let applied = server.must(dir, &format!("offhook apply {file}"), &[]);
    assert!(applied.starts_with(&shown) && applied.contains("changes made"), "{applied}");
    assert_eq!(server.must(dir, &format!("offhook apply {file}"), &[]), "workspace demo is as declared\n");
    assert_eq!(server.sh(dir, &format!("offhook apply --diff {file}"), &[]).status.code(), Some(0));
}

#[test]
fn a_workspace_that_is_not_there_is_made_and_pruned_of_what_the_file_leaves_out() {
    let dir = tempfile::tempdir().unwrap();
    let (dir, file) = (dir.path(), example());
    let server = Server::start(dir, "127.0.0.1:0");
    let made = server.must(dir, &format!("offhook apply --workspace acme {file}"), &[]);
    assert!(made.starts_with("+ workspace acme\n"), "{made}");
    assert_eq!(
        server.must(dir, &format!("offhook apply --workspace acme {file}"), &[]),
        "workspace acme is as declared\n"
    );

    let less = "cat > less.toml <<'END'\n[settings]\nentry_rules = []\n[[queues]]\nname = \"support\"\n\
                [[agents]]\nname = \"ada\"\nqueues = [\"support\"]\nEND\noffhook apply --workspace acme --prune less.toml";
    let pruned = server.must(dir, less, &[]);
    assert!(pruned.contains("- queue sales\n") && pruned.contains("- agent grace (deactivated)\n"), "{pruned}");
    let again = server.must(dir, "offhook apply --workspace acme --prune less.toml", &[]);
    assert_eq!(again, "workspace acme is as declared\n");
}

#[test]
fn webhooks_are_made_and_changed_without_a_secret_and_none_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Server::start(dir, "127.0.0.1:0");
    let apply = |types: &str| {
        let file = format!(
            "workspace = \"demo\"\n[[webhooks]]\nname = \"crm\"\nurl = \"https://crm.example.com\"\n\
             types = {types}\nafter = \"first\""
        );
        server.must(dir, &format!("cat > hooks.toml <<'END'\n{file}\nEND\noffhook apply hooks.toml"), &[])
    };
    let made = apply("[\"offer.*\"]");
    assert!(made.starts_with("+ webhook crm: ") && !made.contains("whsec_"), "{made}");
    assert_eq!(apply("[\"offer.*\"]"), "workspace demo is as declared\n");
    let changed = apply("[]");
    assert!(changed.starts_with("~ webhook crm: types: [\"offer.*\"] -> []\n"), "{changed}");
    let other = "printf 'workspace = \"demo\"\n[[webhooks]]\nname = \"bi\"\nurl = \"https://bi.example.com\"\n' > other.toml\n\
                 offhook apply --diff --prune other.toml";
    let shown = String::from_utf8(server.sh(dir, other, &[]).stdout).unwrap();
    assert!(shown.contains("+ webhook bi") && !shown.contains("crm"), "{shown}");
}

#[test]
fn what_the_server_refuses_is_told_about_the_files_field() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Server::start(dir, "127.0.0.1:0");
    for (declared, field) in [
        ("[[queues]]\nname = \"support\"\noffer_ms = 5", "bad.toml: queues[0].offer_ms:"),
        ("[settings]\ndefault_queue = \"nowhere\"", "bad.toml: settings.default_queue:"),
        ("[[settings.channels]]\nname = \"chat\"\nweight = 0", "bad.toml: settings.channels[0].weight:"),
        ("[[agents]]\nname = \"ada\"\nqueues = [\"nowhere\"]", "bad.toml: agents[0].queues[0]:"),
        ("[[webhooks]]\nname = \"crm\"\nurl = \"ftp://example.com\"", "bad.toml: webhooks[0].url:"),
    ] {
        let line = format!("cat > bad.toml <<'END'\n{declared}\nEND\noffhook apply --workspace demo bad.toml");
        let refused = server.sh(dir, &line, &[]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(field), "{field}: {said}");
    }
    let key = [("OFFHOOK_API_KEY", "ohk_000000000000_00000000000000000000000000000000")];
    let refused = server.sh(dir, "offhook apply --workspace demo bad.toml", &key);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("the API key"));
    let nobody = server.sh(dir, "offhook apply --server http://127.0.0.1:1 --workspace demo bad.toml", &[]);
    assert!(String::from_utf8(nobody.stderr).unwrap().contains("no server answers at 127.0.0.1:1"));
}

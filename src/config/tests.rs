//! What the settings promise, from sources in hand.

use super::*;

fn with_flags(flags: &[&str]) -> Result<Config, ConfigError> {
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    Config::from_sources(None, [], &flags)
}

#[test]
fn every_known_setting_is_in_the_default_file_and_nothing_else_is() {
    let table: toml::Table = toml::from_str(DEFAULTS).unwrap();
    let mut in_file = Vec::new();
    for (section, keys) in &table {
        for key in keys.as_table().unwrap().keys() {
            in_file.push(format!("{section}.{key}"));
        }
    }
    let mut known: Vec<String> = all().map(|setting| setting.path.to_owned()).collect();
    in_file.sort();
    known.sort();
    assert_eq!(in_file, known);
}

#[test]
fn every_setting_in_the_default_file_has_a_comment_above_its_group() {
    let mut commented = false;
    for line in DEFAULTS.lines() {
        if line.starts_with('#') {
            commented = true;
        } else if line.is_empty() || line.starts_with('[') {
            commented = false;
        } else {
            assert!(commented, "{line} has no comment");
        }
    }
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let Sections { server, sessions, messenger, identity, .. } = with_flags(&[]).unwrap().sections;
    assert_eq!(server.listen.to_string(), "127.0.0.1:7788");
    assert_eq!((sessions.ping_every_ms, sessions.dead_after_ms), (15_000, 20_000));
    assert_eq!(sessions.frame_bytes_max, 65_536);
    assert_eq!((messenger.text_bytes_max, messenger.metadata_bytes_max), (16_384, 4096));
    assert!(identity.customer_keys.is_empty() && identity.agent_keys.is_empty());
}

#[test]
fn each_source_wins_over_the_one_before_it_and_is_named_as_the_origin() {
    let file = "\n[sessions]\nping_every_ms = 1000\ncommands_burst = 20\ncommands_per_s = 3\n";
    let environment = [
        ("OFFHOOK_SESSIONS__COMMANDS_BURST".to_owned(), "40".to_owned()),
        ("OFFHOOK_SESSIONS__COMMANDS_PER_S".to_owned(), "5".to_owned()),
    ];
    let flags = ["sessions.commands_per_s=6".to_owned()];
    let config = Config::from_sources(Some(("a.toml", file)), environment, &flags).unwrap();
    let sessions = &config.sections.sessions;
    assert_eq!((sessions.ping_every_ms, sessions.commands_burst, sessions.commands_per_s), (1000, 40, 6));
    let origin = |path| config.layers.entry(path).unwrap().origin.to_string();
    assert_eq!(origin("sessions.dead_after_ms"), "default");
    assert_eq!(origin("sessions.ping_every_ms"), "a.toml:3");
    assert_eq!(origin("sessions.commands_burst"), "environment OFFHOOK_SESSIONS__COMMANDS_BURST");
    assert_eq!(origin("sessions.commands_per_s"), "--set");
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_of_this_name_are_not_settings() {
    let environment = ["OFFHOOK_PORT", "OFFHOOK_CONFIG", "OFFHOOK_SERVICE_HOST"]
        .map(|name| (name.to_owned(), "tcp://10.0.0.1:80".to_owned()));
    assert!(Config::from_sources(None, environment, &[]).is_ok());
}

#[test]
fn an_unknown_setting_is_refused_from_every_source_and_the_nearest_is_named() {
    let file = Config::from_sources(Some(("a.toml", "[sessions]\nping_evry_ms = 1\n")), [], &[]);
    let error = file.unwrap_err();
    assert_eq!(error.field(), Some("sessions.ping_evry_ms"));
    let shown = error.to_string();
    assert!(shown.contains("a.toml:2") && shown.contains("Did you mean sessions.ping_every_ms?"), "{shown}");

    let environment = [("OFFHOOK_SERVER__LISTENN".to_owned(), "x".to_owned())];
    let error = Config::from_sources(None, environment, &[]).unwrap_err();
    assert_eq!(error.field(), Some("server.listenn"));
    assert_eq!(with_flags(&["nowhere.at_all=1"]).unwrap_err().field(), Some("nowhere.at_all"));
    let section = Config::from_sources(Some(("a.toml", "[nowhere]\n")), [], &[]).unwrap_err();
    assert_eq!(section.field(), Some("nowhere"));
    let bare = Config::from_sources(Some(("a.toml", "listen = 1\n")), [], &[]).unwrap_err();
    assert_eq!(bare.field(), Some("listen"));
}

#[test]
fn a_wrong_type_or_a_value_out_of_range_names_the_field_and_what_is_allowed() {
    for (flag, field, allowed) in [
        ("sessions.commands_burst=0", "sessions.commands_burst", "from 1 to 1000000"),
        ("sessions.commands_burst=many", "sessions.commands_burst", "whole number"),
        ("server.listen=localhost", "server.listen", "IP address and port"),
        ("server.header_bytes_max=1 parsec", "server.header_bytes_max", "16 KiB"),
        ("log.format=xml", "log.format", "\"text\", \"json\""),
        ("log.level=offhook=chatty", "log.level", "directives"),
        ("server.trusted_proxies=10.0.0.0/33", "server.trusted_proxies", "network"),
        ("identity.origins=example.com", "identity.origins", "https://host"),
        ("identity.agent_keys=[{kid=\"a\"}]", "identity.agent_keys", "algorithm"),
    ] {
        let error = with_flags(&[flag]).unwrap_err();
        assert_eq!(error.field(), Some(field), "{flag}: {error}");
        assert!(error.to_string().contains(allowed), "{flag}: {error}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused_by_name() {
    for (flags, field, other) in [
        (&["sessions.dead_after_ms=15000"][..], "sessions.dead_after_ms", "sessions.ping_every_ms"),
        (&["messenger.address_messages_per_s=501"], "messenger.address_burst", "messenger.address_messages_per_s"),
        (&["messenger.workspace_burst=1999"], "messenger.workspace_burst", "messenger.workspace_messages_per_s"),
        (&["tls.key=key.pem"], "tls.certificate", "tls.key"),
        (&["sessions.frame_bytes_max=512 KiB"], "sessions.mailbox_bytes_max", "sessions.frame_bytes_max"),
        (&["sessions.commands_burst=19"], "sessions.commands_burst", "sessions.commands_per_s"),
        (
            &["sessions.program_commands_burst=499"],
            "sessions.program_commands_burst",
            "sessions.program_commands_per_s",
        ),
        (&["messenger.text_bytes_max=40000"], "sessions.frame_bytes_max", "messenger.text_bytes_max"),
        (&["messenger.stream_bytes_max=8 KiB"], "messenger.stream_bytes_max", "messenger.text_bytes_max"),
        (&["messenger.visitor_messages_per_s=11"], "messenger.visitor_burst", "messenger.visitor_messages_per_s"),
        (
            &["messenger.anonymous_token_days=1", "messenger.stream_ticket_hours=25"],
            "messenger.stream_ticket_hours",
            "messenger.anonymous_token_days",
        ),
        (&["journal.disk_budget_bytes=32 MiB"], "journal.disk_budget_bytes", "journal.kept_back_bytes"),
        (&["server.operators_listen=127.0.0.1:7788"], "server.operators_listen", "server.listen"),
        (
            &["server.trusted_proxies=10.0.0.0/8", "server.forwarded_header=none"],
            "server.forwarded_header",
            "server.trusted_proxies",
        ),
    ] {
        let error = with_flags(flags).unwrap_err();
        assert_eq!(error.field(), Some(field), "{flags:?}: {error}");
        assert!(error.to_string().contains(other), "{flags:?}: {error}");
    }
}

#[test]
fn port_zero_may_be_asked_for_twice() {
    with_flags(&["server.listen=127.0.0.1:0", "server.operators_listen=127.0.0.1:0"]).unwrap();
}

#[test]
fn listening_beyond_this_machine_without_keys_is_refused_with_how_to_mend_it() {
    for address in ["0.0.0.0:7788", "[::]:7788", "192.168.1.1:7788"] {
        let error = with_flags(&[&format!("server.listen={address}")]).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("identity.agent_keys") && shown.contains("127.0.0.1"), "{shown}");
    }
    with_flags(&["server.listen=[::1]:7788"]).unwrap();
    let key = r#"identity.agent_keys=[{kid="a", algorithm="HS256", file="a.key"}]"#;
    let config = with_flags(&["server.listen=0.0.0.0:7788", key]).unwrap();
    assert_eq!(config.sections.identity.agent_keys[0].kid, "a");
}

#[test]
fn two_keys_with_one_kid_and_an_unknown_field_of_a_key_are_refused() {
    let twice = r#"identity.agent_keys=[{kid="a",algorithm="HS256",file="x"},{kid="a",algorithm="ES256",file="y"}]"#;
    assert!(with_flags(&[twice]).unwrap_err().to_string().contains("each kid once"));
    let unknown = r#"identity.agent_keys=[{kid="a",algorithm="HS256",file="x",colour="red"}]"#;
    assert_eq!(with_flags(&[unknown]).unwrap_err().field(), Some("identity.agent_keys"));
    let workspace = r#"identity.agent_keys=[{kid="a",algorithm="HS256",file="x",workspace="Not A Slug"}]"#;
    assert!(with_flags(&[workspace]).unwrap_err().to_string().contains("workspace"));
}

#[test]
fn a_file_that_is_missing_or_not_toml_is_a_typed_error() {
    let error = Config::load(Some(Path::new("/nonexistent/offhook.toml")), &[]).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
    let error = Config::from_sources(Some(("a.toml", "[server]\nlisten = \n")), [], &[]).unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { line: 2, .. }), "{error}");
    assert!(matches!(with_flags(&["listen"]).unwrap_err(), ConfigError::BadFlag { .. }));
}

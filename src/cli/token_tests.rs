//! `offhook token` against the readers of its tokens.

use clap::Parser;

use super::*;
use crate::gateway::auth::agent_token::AgentKeys;
use crate::gateway::auth::customer_token::{CustomerKeySettings, CustomerKeys};
use crate::gateway::auth::first_key;
use crate::gateway::auth::vectors::{NOW_S, SECRET};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    token: Token,
}

fn token(words: &[&str], data_dir: &str) -> Result<String, String> {
    let line = Line::try_parse_from([&["token"], words].concat()).map_err(|error| error.to_string())?;
    let flags = [format!("server.data_dir={data_dir}")];
    let mut out = Vec::new();
    line.token
        .run(|| Config::from_sources(None, [], &flags).map_err(CommandError::of), NOW_S, &mut out)
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap().trim().to_owned())
}

#[test]
fn the_local_key_signs_a_token_that_the_server_takes() {
    let dir = tempfile::tempdir().unwrap();
    let keys = first_key::read_or_make(dir.path(), "127.0.0.1:1".parse().unwrap()).unwrap();
    let words = ["--agent", "ann", "--workspace", "acme", "--role", "admin", "--name", "Ann"];
    let signed = token(&words, dir.path().to_str().unwrap()).unwrap();
    let claims = AgentKeys::load(&[keys.agent_key], 0).unwrap().verify(&signed, NOW_S).unwrap();
    assert_eq!((claims.agent.as_str(), claims.role), ("ann", Role::Admin));
    assert_eq!(claims.expires_at_s, NOW_S + 3600);
}

#[test]
fn a_secret_file_signs_a_customers_token() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("acme.secret");
    std::fs::write(&file, [SECRET, b"\n"].concat()).unwrap();
    let file = file.to_str().unwrap();
    let signed = token(&["--customer", "c-1", "--key-file", file, "--kid", "1"], "unused").unwrap();
    let key = String::from_utf8(SECRET.to_vec()).unwrap();
    let list = [CustomerKeySettings { kid: "1".to_owned(), algorithm: Algorithm::Hs256, key }];
    assert_eq!(CustomerKeys::from_list(&list).unwrap().verify(&signed, NOW_S, 0).unwrap().customer, "c-1");
    let long = ["--customer", "c-1", "--key-file", file, "--ttl-s", "86401"];
    assert!(token(&long, "unused").unwrap_err().contains("--ttl-s"));
    let no_kid = ["--agent", "ann", "--workspace", "acme", "--key-file", file];
    assert!(token(&no_kid, "unused").unwrap_err().contains("--kid"));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (words, named) in [
        (&["--workspace", "acme"][..], "--agent"),
        (&["--agent", "ann"], "--workspace"),
        (&["--customer", "c"], "--key-file"),
        (&["--agent", "ann", "--workspace", "acme", "--ttl-s", "0"], "--ttl-s"),
        (&["--agent", "ann", "--workspace", "acme"], "agent.key"),
    ] {
        let error = token(words, "/nonexistent").unwrap_err();
        assert!(error.contains(named), "{words:?}: {error}");
    }
}

//! `offhook check`: are the settings sound, and what are they. Reads, never writes.

use std::io::Write;

use clap::Args;

use super::CommandError;
use crate::config::Config;
use crate::gateway::auth::agent_token::AgentKeys;

/// Checks the settings and the key files, and prints every setting with its value and where it came from.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  offhook check --config offhook.toml --set server.listen=127.0.0.1:9000")]
pub struct Check {}

impl Check {
    pub(super) fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), CommandError> {
        let identity = &config.sections.identity;
        AgentKeys::load(&identity.agent_keys, identity.token_leeway_s)
            .map_err(|error| CommandError(format!("identity.agent_keys: {error}")))?;
        for (path, entry) in config.layers.iter() {
            // A closed pipe (`offhook check | head`) is not a fault of the settings.
            if writeln!(out, "{path} = {}  # {}", entry.value, entry.origin).is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(flags: &[&str]) -> Result<String, CommandError> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let config = Config::from_sources(None, [], &flags).unwrap();
        let mut out = Vec::new();
        Check {}.run(&config, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_setting_is_printed_with_its_value_and_origin() {
        let shown = check(&["sessions.commands_burst=7"]).unwrap();
        assert_eq!(shown.lines().count(), crate::config::all().count());
        assert!(shown.contains("sessions.commands_burst = 7  # --set\n"), "{shown}");
        assert!(shown.contains("server.listen = \"127.0.0.1:7788\"  # default\n"), "{shown}");
    }

    #[test]
    fn a_key_file_that_is_not_there_is_named() {
        let key = r#"identity.agent_keys=[{kid="a", algorithm="HS256", file="/nonexistent/a.key"}]"#;
        let error = check(&[key]).unwrap_err().to_string();
        assert!(error.contains("identity.agent_keys") && error.contains("/nonexistent/a.key"), "{error}");
    }
}

//! `offhook check`: are the settings sound, and what are they; does the server that has them answer. Reads, never writes.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use http::StatusCode;

use super::{CommandError, check_data};
use crate::client::{Address, Call, Client};
use crate::config::Config;
use crate::gateway::auth::agent_token::AgentKeys;
use crate::overload::Budget;
use crate::server::signin_providers;

/// Checks the settings and the key files, and prints every setting with its value and where it came from.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook check --config offhook.toml --set server.listen=127.0.0.1:9000
  offhook check --health
  offhook check --data

Ends with 0, 1 when the server asked with --health or --ready does not answer or is not well, 2 when the settings are wrong.")]
pub struct Check {
    /// Asks the running server, on server.operators_listen, whether it is alive: for container health checks.
    #[arg(long)]
    health: bool,
    /// The same, whether it should be sent work.
    #[arg(long, conflicts_with = "health")]
    ready: bool,
    /// Checks the data directory instead of printing settings: whether this version reads what is there. Also beside a running server.
    #[arg(long, conflicts_with_all = ["health", "ready"])]
    data: bool,
}

impl Check {
    pub(super) fn run(&self, config: &Config, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        if self.health || self.ready {
            return self.ask(config, out);
        }
        let identity = &config.sections.identity;
        AgentKeys::load(&identity.agent_keys, identity.token_leeway_s)
            .map_err(|error| CommandError(format!("identity.agent_keys: {error}")))?;
        signin_providers(config).map_err(|error| CommandError(format!("signin.providers: {error}")))?;
        if self.data {
            let dir = &config.sections.server.data_dir;
            check_data::check(dir)?;
            writeln!(out, "{}: this version reads it", dir.display()).map_err(CommandError::of)?;
            return Ok(ExitCode::SUCCESS);
        }
        for (path, entry) in config.layers.iter() {
            let found = match path {
                "memory.budget_bytes" => {
                    format!(": {}", Budget::find(config.sections.memory.budget_bytes, Path::new("/")))
                }
                _ => String::new(),
            };
            // A closed pipe (`offhook check | head`) is not a fault of the settings.
            if writeln!(out, "{path} = {}  # {}{found}", entry.value, entry.origin).is_err() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn ask(&self, config: &Config, out: &mut impl Write) -> Result<ExitCode, CommandError> {
        let mut client = Client::new(Address::of(config.sections.server.operators_listen));
        let path = if self.ready { "/readyz" } else { "/healthz" };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
        let (said, well) = match runtime.block_on(client.ask_once(&Call::anonymous(path))) {
            Ok(answered) => (answered.body.to_string(), answered.status == StatusCode::OK),
            Err((unreached, _)) => (unreached.to_string(), false),
        };
        writeln!(out, "{said}").map_err(CommandError::of)?;
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(flags: &[&str]) -> Result<String, CommandError> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let config = Config::from_sources(None, [], &flags).unwrap();
        let mut out = Vec::new();
        Check { health: false, ready: false, data: false }.run(&config, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_setting_is_printed_with_its_value_and_origin() {
        let shown = check(&["sessions.commands_burst=70"]).unwrap();
        assert_eq!(shown.lines().count(), crate::config::all().count());
        assert!(shown.contains("sessions.commands_burst = 70  # --set\n"), "{shown}");
        assert!(shown.contains("server.listen = \"127.0.0.1:7788\"  # default\n"), "{shown}");
    }

    #[test]
    fn the_memory_budget_is_shown_with_where_it_comes_from() {
        let shown = check(&["memory.budget_bytes=100663296"]).unwrap();
        assert!(shown.contains("memory.budget_bytes = 100663296  # --set: 96 MiB, as set\n"), "{shown}");
        let found = check(&[]).unwrap();
        assert!(found.contains("memory.budget_bytes = 0  # default: ") && found.contains(" MiB, "), "{found}");
    }

    #[test]
    fn a_key_file_that_is_not_there_is_named() {
        let key = r#"identity.agent_keys=[{kid="a", algorithm="HS256", file="/nonexistent/a.key"}]"#;
        let error = check(&[key]).unwrap_err().to_string();
        assert!(error.contains("identity.agent_keys") && error.contains("/nonexistent/a.key"), "{error}");
    }
}

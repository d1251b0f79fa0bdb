//! `offhook token`: signs a token, for trying things out and for backends that call a command.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use crate::config::Config;
use crate::gateway::auth::agent_token::{self, AGENT_ID_BYTES_MAX, AgentClaims, Role};
use crate::gateway::auth::customer_token::{self, CUSTOMER_ID_BYTES_MAX, CustomerClaims, LIFE_S_MAX};
use crate::gateway::auth::first_key::LOCAL_KID;
use crate::gateway::auth::keys::{Algorithm, SigningKey, read_key_file};
use crate::gateway::auth::{is_external_id, is_name, is_workspace};

const EXAMPLES: &str = "Examples:
  offhook token --agent ann --workspace acme --role supervisor
  offhook token --agent ann --workspace acme --key-file es.pem --kid 2026-01 --algorithm ES256
  offhook token --customer c-17 --key-file acme.secret --kid 1";

/// The word for a role, as tokens have it.
fn role_of(text: &str) -> Result<Role, &'static str> {
    match text {
        "agent" => Ok(Role::Agent),
        "supervisor" => Ok(Role::Supervisor),
        "admin" => Ok(Role::Admin),
        _ => Err("a role is agent, supervisor or admin"),
    }
}

/// Signs a token for an agent (with the key of the first start, if no other is given) or for a customer.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Token {
    /// The agent's id in your own system.
    #[arg(long, required_unless_present = "customer", conflicts_with = "customer", requires = "workspace")]
    agent: Option<String>,
    /// The workspace that the agent works in.
    #[arg(long, conflicts_with = "customer")]
    workspace: Option<String>,
    /// What the agent may do.
    #[arg(long, default_value = "agent", value_parser = role_of, conflicts_with = "customer")]
    role: Role,
    /// The customer's id in your own system; the token is signed with a key of the customer's workspace.
    #[arg(long, requires = "key_file")]
    customer: Option<String>,
    /// The name to show.
    #[arg(long)]
    name: Option<String>,
    /// The customer's e-mail address.
    #[arg(long, requires = "customer")]
    email: Option<String>,
    /// How long the token is good, in seconds.
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(i64).range(1..=31_536_000))]
    ttl_s: i64,
    /// What signs: a private key in PEM, or for HS256 a secret. Without it: <data_dir>/agent.key.
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
    /// The key's id, as the server knows it.
    #[arg(long, requires = "key_file")]
    kid: Option<String>,
    /// How that key signs.
    #[arg(long, value_enum, default_value = "HS256", ignore_case = true, requires = "key_file")]
    algorithm: Algorithm,
}

impl Token {
    /// `config` is loaded only where the key's place must be looked up.
    pub(super) fn run(
        &self,
        config: impl FnOnce() -> Result<Config, CommandError>,
        now_s: i64,
        out: &mut impl Write,
    ) -> Result<(), CommandError> {
        let name = self.name.clone().filter(|name| !name.is_empty());
        if name.as_deref().is_some_and(|name| !is_name(name, AGENT_ID_BYTES_MAX)) {
            return Err(CommandError("--name: at most 128 bytes without control characters".to_owned()));
        }
        let (file, local) = match &self.key_file {
            Some(file) => (file.clone(), false),
            None => (config()?.sections.server.data_dir.join("agent.key"), true),
        };
        let key = read_key_file(&file).and_then(|bytes| SigningKey::read(self.algorithm, &bytes));
        let key = key.map_err(|error| {
            let hint = if local { ": it is made at the first start on 127.0.0.1; or give --key-file" } else { "" };
            CommandError(format!("{}: {error}{hint}", file.display()))
        })?;
        let expires_at_s = now_s.saturating_add(self.ttl_s);
        let token = match (&self.agent, &self.customer) {
            (_, Some(customer)) => {
                let claims = self.customer_claims(customer, name, expires_at_s)?;
                customer_token::mint(&claims, now_s, self.kid.as_deref(), &key)
            }
            (agent, None) => {
                let kid = self.kid.as_deref().or(local.then_some(LOCAL_KID));
                let kid =
                    kid.ok_or_else(|| CommandError("--kid is needed: the server finds the key by it".to_owned()))?;
                let claims = self.agent_claims(agent.as_deref().unwrap_or_default(), name, expires_at_s)?;
                agent_token::mint(&claims, now_s, kid, &key)
            }
        };
        let token = token.map_err(|error| CommandError(format!("{}: {error}", file.display())))?;
        writeln!(out, "{token}").map_err(CommandError::of)
    }

    fn agent_claims(&self, agent: &str, name: Option<String>, expires_at_s: i64) -> Result<AgentClaims, CommandError> {
        if !is_external_id(agent, AGENT_ID_BYTES_MAX) {
            return Err(CommandError("--agent: 1 to 128 printable bytes".to_owned()));
        }
        let workspace = self.workspace.clone().filter(|name| is_workspace(name));
        let workspace = workspace.ok_or_else(|| CommandError("--workspace: [a-z0-9][a-z0-9-]{0,62}".to_owned()))?;
        Ok(AgentClaims { agent: agent.to_owned(), workspace, role: self.role, name, expires_at_s, signin: None })
    }

    fn customer_claims(
        &self,
        customer: &str,
        name: Option<String>,
        expires_at_s: i64,
    ) -> Result<CustomerClaims, CommandError> {
        if !is_external_id(customer, CUSTOMER_ID_BYTES_MAX) {
            return Err(CommandError("--customer: 1 to 256 printable bytes".to_owned()));
        }
        if self.ttl_s > LIFE_S_MAX {
            return Err(CommandError(format!("--ttl-s: at most {LIFE_S_MAX} for a customer's token")));
        }
        let (customer, email) = (customer.to_owned(), self.email.clone());
        Ok(CustomerClaims { customer, name, email, attributes: None, issued_at_s: None, expires_at_s })
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;

//! Who administers: an API key with its scopes, or a person with its role, by an agent's token. Other workspaces do not exist for it.
//!
//! A person may do here what its role may do on the agents' socket, and no more: an administrator everything, a supervisor what a
//! floor is led by, an agent a look at what is or was its own.

use super::Admin;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Closer, Command, Worker};
use crate::desk::ids::{AgentId, CommandId, ConversationId, CustomerId, Principal};
use crate::desk::moves::Mover;
use crate::desk::refusal::Refusal;
use crate::desk::settings::{ApiKey, Role};
use crate::engine::workspace::PROBES;
use crate::gateway::http::asking::Asked;
use crate::gateway::http::desks::{Desk, Filter};
use crate::gateway::http::identities::AgentToken;
use crate::gateway::http::problem::Problem;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const API_KEY: &str = "ohk_";

/// What a call needs. None includes another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    Read,
    Write,
    Admin,
    Keys,
    Route,
    Events,
    Channel,
    /// Of a key as `Read`; of people also an agent, who is shown its own.
    Own,
    /// Of a key as `Read`; of people administrators alone.
    Settings,
    /// Of a key as `Admin`; of people also supervisors, as on the agents' socket.
    Floor,
}

impl Scope {
    /// Those that a key is given by name.
    pub const ALL: [Scope; 7] =
        [Scope::Read, Scope::Write, Scope::Admin, Scope::Keys, Scope::Route, Scope::Events, Scope::Channel];

    pub fn name(self) -> &'static str {
        match self {
            Scope::Read | Scope::Own | Scope::Settings => "read",
            Scope::Write => "write",
            Scope::Admin | Scope::Floor => "admin",
            Scope::Keys => "keys",
            Scope::Route => "route",
            Scope::Events => "events",
            Scope::Channel => "channel",
        }
    }

    pub fn least_role(self) -> Role {
        match self {
            Scope::Own => Role::Agent,
            Scope::Read | Scope::Write | Scope::Floor => Role::Supervisor,
            Scope::Admin | Scope::Keys | Scope::Route | Scope::Events | Scope::Channel | Scope::Settings => Role::Admin,
        }
    }
}

/// What `Authorization` gave.
pub(super) enum Credential {
    /// Good for every workspace.
    Server(ApiKey),
    Workspace(Arc<dyn Desk>, ApiKey),
    Agent(AgentToken),
}

impl Credential {
    pub fn has(&self, scope: Scope) -> bool {
        match self {
            Credential::Server(key) | Credential::Workspace(_, key) => {
                key.scopes.iter().any(|has| **has == *scope.name())
            }
            Credential::Agent(token) => token.role >= scope.least_role(),
        }
    }

    /// # Errors
    /// `forbidden`, which names the scope.
    pub fn must_have(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        Err(match self {
            Credential::Agent(_) if scope.least_role() == Role::Admin => {
                Problem::forbidden("only agents with the role admin may do this")
            }
            Credential::Agent(_) => Problem::forbidden("only agents with the role supervisor or admin may do this"),
            _ => Problem::forbidden(format!("the key has not the scope {:?}", scope.name())),
        })
    }

    fn principal(&self, desk: &dyn Desk) -> Principal {
        match self {
            Credential::Server(key) | Credential::Workspace(_, key) => Principal::ApiKey(first_64_bits(&key.sha256)),
            Credential::Agent(token) => match desk.agent_row(&token.name) {
                Some(row) => Principal::Agent(row.id),
                // Never signed in here, so it has no number yet; its name is as good a scope for its command ids.
                None => Principal::ApiKey(u64::from_be_bytes(
                    Sha256::digest(format!("agent:{}", token.name))[..8].try_into().expect("8 of 32 bytes"),
                )),
            },
        }
    }
}

fn first_64_bits(sha256_hex: &str) -> u64 {
    sha256_hex.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default()
}

/// One who may do what was asked, in the workspace that was asked about.
pub(super) struct Asker {
    pub desk: Arc<dyn Desk>,
    pub credential: Credential,
    pub principal: Principal,
}

impl Asker {
    /// # Errors
    /// The desk's refusals, `busy`, `unavailable`.
    pub async fn ask(&self, id: CommandId, fingerprint: u64, ask: Ask) -> Result<Answer, Problem> {
        self.log(ask.name());
        let command = Command { principal: self.principal, id: Some(id), fingerprint, ask };
        Ok(self.desk.ask(command).await?.result?)
    }

    /// What has no place for a name in its event has one here.
    pub fn log(&self, command: &'static str) {
        if let Credential::Agent(token) = &self.credential {
            let (workspace, agent, role) = (&token.workspace, &token.name, token.role);
            tracing::info!(%workspace, %agent, ?role, command, "a person asks over the admin API");
        }
    }

    /// The agent whose own conversations are all that it is shown; `None`: it may see everybody's.
    ///
    /// # Errors
    /// `forbidden`: it was never here, so nothing is its own.
    pub fn shown_own_of(&self) -> Result<Option<AgentId>, Problem> {
        match (&self.credential, self.principal) {
            (Credential::Agent(token), principal) if token.role == Role::Agent => match principal {
                Principal::Agent(agent) => Ok(Some(agent)),
                _ => Err(Problem::forbidden("nobody of this name has been here yet")),
            },
            _ => Ok(None),
        }
    }

    /// Whether it may see this conversation: an agent those whose owner it is, or was last.
    ///
    /// # Errors
    /// `unavailable`: the history cannot be read.
    pub async fn may_see(&self, id: ConversationId) -> Result<bool, Problem> {
        let Some(agent) = self.shown_own_of()? else { return Ok(true) };
        let filter = Filter { agent: Some(agent), ..Filter::default() };
        let found = self.desk.history().search(filter, Some(ConversationId(id.0.saturating_add(1))), 1).await?;
        Ok(found.first().is_some_and(|(found, _)| *found == id))
    }

    /// As whom it closes.
    pub fn closer(&self) -> Closer {
        match self.principal {
            Principal::Agent(agent) => Closer::Supervisor(agent),
            _ => Closer::Admin,
        }
    }

    /// As whom it ends an agent's wrap-up.
    pub fn worker(&self) -> Worker {
        match self.principal {
            Principal::Agent(agent) => Worker::Supervisor(agent),
            _ => Worker::Admin,
        }
    }

    /// As whom it acts: an agent by its token, a key as the administrator.
    pub fn mover(&self) -> Mover {
        match self.principal {
            Principal::Agent(agent) => Mover::Supervisor(agent),
            _ => Mover::Admin,
        }
    }

    /// What changes nothing needs no id, and is remembered by none.
    ///
    /// # Errors
    /// The desk's refusals, `busy`, `unavailable`.
    pub async fn look(&self, ask: Ask) -> Result<Answer, Problem> {
        let command = Command { principal: self.principal, id: None, fingerprint: 0, ask };
        Ok(self.desk.ask(command).await?.result?)
    }
}

impl Admin {
    /// # Errors
    /// `unauthorized`; `not_found` for another workspace; `forbidden` without the scope; `rate_limited`.
    pub(super) fn asker(&self, workspace: &str, asked: &Asked, scope: Scope) -> Result<Asker, Problem> {
        let (desk, credential) = self.admitted(workspace, asked, scope)?;
        let principal = credential.principal(&*desk);
        self.take(&desk.name().clone(), principal)?;
        Ok(Asker { desk, credential, principal })
    }

    /// Whether one who was let in would be let in again now; counts as no call.
    pub(super) fn may_still(&self, workspace: &str, asked: &Asked, scope: Scope) -> bool {
        self.admitted(workspace, asked, scope).is_ok()
    }

    fn admitted(&self, workspace: &str, asked: &Asked, scope: Scope) -> Result<(Arc<dyn Desk>, Credential), Problem> {
        let credential = self.credential(asked)?;
        let desk = self.door.desks.desk(workspace);
        let desk = desk.filter(|desk| match &credential {
            // The probe's own does not exist for people.
            Credential::Server(_) => **desk.name() != *PROBES,
            Credential::Workspace(own, _) => own.name() == desk.name(),
            Credential::Agent(token) => token.workspace == *desk.name(),
        });
        let desk = desk.ok_or_else(|| Problem::not_found("workspace"))?;
        if let Credential::Agent(token) = &credential
            && desk.agent_row(&token.name).is_some_and(|row| !row.active)
        {
            return Err(Refusal::AgentDeactivated(token.name.clone()).into());
        }
        credential.must_have(scope)?;
        Ok((desk, credential))
    }

    /// # Errors
    /// `rate_limited`.
    pub(super) fn take(&self, workspace: &str, principal: Principal) -> Result<(), Problem> {
        self.calls
            .take_told("calls", (workspace, principal), (self.door.now)().desk.0)
            .map_err(|ms| Problem::rate_limited("api_key", ms))
    }

    /// # Errors
    /// `rate_limited`: this customer has written too much.
    pub(super) fn take_of_customer(&self, workspace: &str, customer: CustomerId) -> Result<(), Problem> {
        let taken = self.messages.take_told("messages", (workspace, customer), (self.door.now)().desk.0);
        taken.map_err(|ms| Problem::rate_limited("visitor", ms))
    }

    /// # Errors
    /// `unauthorized`, with the reason; `rate_limited` after many of those from one address.
    pub(super) fn credential(&self, asked: &Asked) -> Result<Credential, Problem> {
        let token = asked.bearer()?.ok_or_else(|| Problem::unauthorized("missing"))?;
        self.found(token).map_err(|reason| {
            let address = self.door.identities.client_address(&asked.headers, asked.peer);
            match self.strangers.take(address, (self.door.now)().desk.0) {
                Ok(()) => Problem::unauthorized(reason),
                Err(retry_after_ms) => Problem::rate_limited("api_key", retry_after_ms),
            }
        })
    }

    /// Who it is, if that is known; counts as no call.
    pub(super) fn known(&self, asked: &Asked) -> Option<Credential> {
        self.found(asked.bearer().ok()??).ok()
    }

    fn found(&self, token: &str) -> Result<Credential, &'static str> {
        if token.starts_with(API_KEY) {
            return self.key(token).ok_or("unknown_key");
        }
        let wall = (self.door.now)().wall;
        self.door.identities.agent(token, wall).map(Credential::Agent).map_err(|not_known| not_known.0)
    }

    /// A key does not say whose it is, so each workspace is asked: a look-up by the id within the key.
    fn key(&self, text: &str) -> Option<Credential> {
        let identities = &self.door.identities;
        if let Some(key) = identities.server_key(text) {
            return Some(Credential::Server(key));
        }
        let desks = &self.door.desks;
        desks.names().iter().map(|name| &**name).chain([PROBES]).find_map(|name| {
            let desk = desks.desk(name)?;
            let key = identities.api_key(&desk.published().api_keys, text)?;
            Some(Credential::Workspace(desk, key))
        })
    }
}

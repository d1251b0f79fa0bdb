//! Who is signed in: the sign-ins that there are, in memory for whoever asks with each request, and kept before anybody is told: on the disk
//! here, and in a cluster where all nodes hear of it (`shared.rs`).
//!
//! Ending takes one out of memory first, so that it is void at once, and is answered when that is kept, so that it stays void.
//! Beginning is the other way round.

use super::of_agent::{Kept, OfAgent};
use super::shared::SharedSignins;
use super::store::{NotKept, Store};
use crate::desk::settings::Role;
use crate::gateway::auth::signin_token::LiveSignins;
use crate::store_file::OpenFailed;
use crate::telemetry::catalogue;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// In all workspaces together; each takes half a kilobyte.
pub const SIGNINS_MAX: usize = 50_000;
/// Roles that were set here, in all workspaces together.
pub const ROLES_MAX: usize = 50_000;

/// How somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// By an agent's token of the workspace's own backend.
    Token,
    Provider {
        issuer: Arc<str>,
        subject: Arc<str>,
        /// The provider's name for its own session.
        sid: Option<Arc<str>>,
    },
}

impl By {
    /// The word on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            By::Token => "token",
            By::Provider { .. } => "provider",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signin {
    pub id: u128,
    pub workspace: Arc<str>,
    pub agent: Arc<str>,
    /// As the provider or the token said; what was set here goes before it.
    pub role: Role,
    pub by: By,
    /// Seconds since 1970.
    pub began_at_s: i64,
    pub expires_at_s: i64,
}

impl Signin {
    fn is_of(&self, workspace: &str, agent: &str) -> bool {
        *self.workspace == *workspace && *self.agent == *agent
    }

    pub(super) fn is_by_provider(&self) -> bool {
        matches!(self.by, By::Provider { .. })
    }
}

/// Why a sign-in did not begin, or what was to be kept is not.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    #[error("there are {SIGNINS_MAX} sign-ins, and no room for another")]
    Full,
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// What came of a change for those who are connected. Nothing in a cluster: there each node, this one too, does it when it hears of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Their role is another now.
    pub roles: Vec<u128>,
    /// They ended.
    pub ended: Vec<Arc<Signin>>,
    /// Another began: those that ended made room for it.
    pub has_begun: bool,
}

/// An agent's.
#[derive(Default)]
struct Own {
    /// That was set here.
    role: Option<Role>,
    ids: Vec<u128>,
}

#[derive(Default)]
pub(super) struct Roll {
    signins: HashMap<u128, Arc<Signin>>,
    /// By workspace and agent.
    agents: HashMap<(Arc<str>, Arc<str>), Own>,
    roles: usize,
}

impl Roll {
    fn role_of(&self, signin: &Signin) -> Role {
        role(signin, self.role_set(&signin.workspace, &signin.agent))
    }

    fn role_set(&self, workspace: &str, agent: &str) -> Option<Role> {
        self.agents.get(&(workspace.into(), agent.into()))?.role
    }

    fn found(&self, which: impl Fn(&Signin) -> bool) -> Vec<Arc<Signin>> {
        self.signins.values().filter(|signin| which(signin)).cloned().collect()
    }

    fn take_out(&mut self, ids: &[u128]) -> Vec<Arc<Signin>> {
        let out: Vec<Arc<Signin>> = ids.iter().filter_map(|id| self.signins.remove(id)).collect();
        for signin in &out {
            let key = (signin.workspace.clone(), signin.agent.clone());
            if let Some(own) = self.agents.get_mut(&key) {
                own.ids.retain(|id| *id != signin.id);
                if own.ids.is_empty() && own.role.is_none() {
                    self.agents.remove(&key);
                }
            }
        }
        out
    }

    /// Workspaces and agents of whom there is anything.
    pub fn agents(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.agents.keys().cloned().collect()
    }

    /// Whether it is as this says already.
    pub fn is_as(&self, of: &OfAgent) -> bool {
        let own = self.agents.get(&(of.workspace.clone(), of.agent.clone()));
        own.and_then(|own| own.role) == of.role
            && own.map_or(0, |own| own.ids.len()) == of.signins.len()
            && of.signins.iter().all(|kept| self.signins.get(&kept.signin.id).is_some_and(|held| **held == kept.signin))
    }

    /// An agent's are these from now on, none of them over at `now_s`.
    pub fn put(&mut self, of: &OfAgent, now_s: i64) -> Changed {
        let key = (of.workspace.clone(), of.agent.clone());
        let Own { role: before, ids } = self.agents.remove(&key).unwrap_or_default();
        let held: Vec<Arc<Signin>> = ids.iter().filter_map(|id| self.signins.remove(id)).collect();
        let mut changed = Changed::default();
        let now: BTreeSet<u128> = of.signins.iter().map(|kept| kept.signin.id).collect();
        for held in &held {
            if !now.contains(&held.id) && now_s < held.expires_at_s {
                changed.ended.push(held.clone());
            }
        }
        for Kept { signin, .. } in &of.signins {
            match held.iter().find(|held| held.id == signin.id) {
                None => changed.has_begun = true,
                Some(held) if role(held, before) != role(signin, of.role) => changed.roles.push(signin.id),
                Some(_) => {}
            }
            self.signins.insert(signin.id, Arc::new(signin.clone()));
        }
        self.roles = self.roles + usize::from(of.role.is_some()) - usize::from(before.is_some());
        if of.role.is_some() || !now.is_empty() {
            self.agents.insert(key, Own { role: of.role, ids: now.into_iter().collect() });
        }
        changed
    }
}

/// A token was signed with its role; only of those who come by the provider we have a say in it.
fn role(signin: &Signin, set: Option<Role>) -> Role {
    set.filter(|_| signin.is_by_provider()).unwrap_or(signin.role)
}

pub struct Signins {
    pub(super) roll: Arc<RwLock<Roll>>,
    pub(super) store: Arc<Store>,
    /// With the other nodes of a cluster.
    pub(super) shared: OnceLock<Arc<SharedSignins>>,
}

impl Signins {
    /// # Errors
    /// The file cannot be opened or read.
    pub fn open(dir: &Path, now_s: i64) -> Result<Self, SigninsFailed> {
        Ok(Self::of(Store::open(dir)?, now_s)?)
    }

    #[cfg(test)]
    pub fn in_memory() -> Self {
        Self::of(Store::in_memory(), 0).unwrap()
    }

    fn of(store: Store, now_s: i64) -> Result<Self, NotKept> {
        let mut roll = Roll::default();
        for of in store.load(now_s)? {
            roll.put(&of, now_s);
        }
        let signins = Self { roll: Arc::new(RwLock::new(roll)), store: Arc::new(store), shared: OnceLock::new() };
        signins.count();
        Ok(signins)
    }

    /// One that is there, and not over at `now_s`.
    #[must_use]
    pub fn live(&self, id: u128, now_s: i64) -> Option<Arc<Signin>> {
        self.read().signins.get(&id).filter(|signin| now_s < signin.expires_at_s).cloned()
    }

    #[must_use]
    pub fn role(&self, signin: &Signin) -> Role {
        self.read().role_of(signin)
    }

    /// The role that was set here, if one was.
    #[must_use]
    pub fn role_set(&self, workspace: &str, agent: &str) -> Option<Role> {
        self.read().role_set(workspace, agent)
    }

    /// Of a workspace, in the order of their ids, from behind `after`; with the role that each has.
    #[must_use]
    pub fn list(&self, workspace: &str, after: Option<u128>, limit: usize, now_s: i64) -> Vec<(Arc<Signin>, Role)> {
        let roll = self.read();
        let of = |signin: &Signin| *signin.workspace == *workspace && now_s < signin.expires_at_s;
        let mut found = roll.found(|signin| of(signin) && after.is_none_or(|after| signin.id > after));
        found.sort_unstable_by_key(|signin| signin.id);
        found.truncate(limit);
        found.into_iter().map(|signin| (signin.clone(), roll.role_of(&signin))).collect()
    }

    /// Takes one in. What the provider says of a role now counts for the agent's other sign-ins by it, too.
    ///
    /// # Errors
    /// There is no room, or it cannot be kept: then nothing happened.
    pub async fn begin(&self, signin: Signin, id_token: Option<String>, now_s: i64) -> Result<Changed, NotBegun> {
        if !self.has_room(now_s) {
            return Err(NotBegun::Full);
        }
        let (workspace, agent) = (signin.workspace.clone(), signin.agent.clone());
        let kept = Kept { signin, id_token };
        let begin = move |of: &mut OfAgent| {
            of.begin(kept.clone());
            true
        };
        Ok(self.change(&workspace, &agent, now_s, begin).await?)
    }

    /// Ends all that are `which`: void at once, and for ever when this answers. The ID token is that of the first.
    ///
    /// # Errors
    /// They are void now, and would be there again after a restart: ask again.
    pub async fn end(
        &self,
        which: impl Fn(&Signin) -> bool,
        now_s: i64,
    ) -> (Vec<Arc<Signin>>, Result<Option<String>, NotKept>) {
        let mut found = {
            let mut roll = self.write();
            let ids: Vec<u128> = roll.found(which).iter().map(|signin| signin.id).collect();
            roll.take_out(&ids)
        };
        self.count();
        let of: BTreeSet<(Arc<str>, Arc<str>)> =
            found.iter().map(|signin| (signin.workspace.clone(), signin.agent.clone())).collect();
        let mut token = Ok(None);
        for (workspace, agent) in of {
            let own = found.iter().filter(|signin| signin.is_of(&workspace, &agent));
            let ids = own.map(|signin| signin.id).collect();
            match (token, self.end_kept(&workspace, &agent, ids, now_s).await) {
                (Ok(first), Ok((next, ended))) => {
                    found.extend(ended);
                    token = Ok(first.or(next));
                }
                (Err(not_kept), _) | (_, Err(not_kept)) => token = Err(not_kept),
            }
        }
        (found, token)
    }

    /// The same for one of an agent; also where memory does not hold it any more, as the last try was not kept.
    ///
    /// # Errors
    /// As `end`.
    pub async fn end_one(
        &self,
        workspace: &str,
        agent: &str,
        id: u128,
        now_s: i64,
    ) -> (Option<Arc<Signin>>, Result<Option<String>, NotKept>) {
        let found = self.write().take_out(&[id]).pop();
        self.count();
        match self.end_kept(workspace, agent, vec![id], now_s).await {
            Ok((token, ended)) => (found.or_else(|| ended.into_iter().next()), Ok(token)),
            Err(not_kept) => (found, Err(not_kept)),
        }
    }

    /// The ID token of the first; and those that came back into memory while they were taken out, by another change of the agent's.
    async fn end_kept(
        &self,
        workspace: &str,
        agent: &str,
        ids: Vec<u128>,
        now_s: i64,
    ) -> Result<(Option<String>, Vec<Arc<Signin>>), NotKept> {
        let token: Arc<OnceLock<String>> = Arc::default();
        let first = token.clone();
        let end = move |of: &mut OfAgent| {
            let ended = of.end(&ids);
            if let Some(token) = ended.iter().find_map(|kept| kept.id_token.clone()) {
                let _ = first.set(token);
            }
            !ended.is_empty()
        };
        let Changed { ended, .. } = self.change(workspace, agent, now_s, end).await?;
        Ok((token.get().cloned(), ended))
    }

    /// Sets the role of an agent who comes by the provider; `None`: as the provider says.
    ///
    /// # Errors
    /// There is no room, or it cannot be kept: then nothing happened.
    pub async fn set_role(
        &self,
        workspace: &str,
        agent: &str,
        role: Option<Role>,
        now_s: i64,
    ) -> Result<Changed, NotBegun> {
        let roles = self.read().roles;
        if role.is_some() && roles >= ROLES_MAX && self.role_set(workspace, agent).is_none() {
            return Err(NotBegun::Full);
        }
        let set = move |of: &mut OfAgent| std::mem::replace(&mut of.role, role) != role;
        Ok(self.change(workspace, agent, now_s, set).await?)
    }

    /// Changes what is kept of an agent, where `change` says that there is something to be kept.
    async fn change(
        &self,
        workspace: &str,
        agent: &str,
        now_s: i64,
        mut change: impl FnMut(&mut OfAgent) -> bool + Send + 'static,
    ) -> Result<Changed, NotKept> {
        let name = OfAgent::none(workspace, agent);
        let change = move |of: &mut OfAgent| {
            of.forget(now_s);
            change(of)
        };
        if let Some(shared) = self.shared.get() {
            shared.change(&name, change).await?;
            return Ok(Changed::default());
        }
        let (store, roll) = (self.store.clone(), self.roll.clone());
        // Beside the threads that answer.
        let kept = tokio::task::spawn_blocking(move || {
            let changed = |of: &OfAgent| roll.write().unwrap_or_else(PoisonError::into_inner).put(of, now_s);
            store.change(&name.workspace, &name.agent, change, changed)
        });
        // It did not run: the server is going down.
        let changed = kept.await.map_err(|error| NotKept(error.to_string()))?;
        self.count();
        changed
    }

    /// Those that are over are forgotten.
    fn has_room(&self, now_s: i64) -> bool {
        let mut roll = self.write();
        let over: Vec<u128> = roll.found(|held| held.expires_at_s <= now_s).iter().map(|held| held.id).collect();
        roll.take_out(&over);
        roll.signins.len() < SIGNINS_MAX
    }

    pub(super) fn count(&self) {
        metrics::gauge!(catalogue::SIGNINS).set(self.read().signins.len() as f64);
    }

    fn read(&self) -> RwLockReadGuard<'_, Roll> {
        self.roll.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Roll> {
        self.roll.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveSignins for Signins {
    fn role_of(&self, signin: u128, workspace: &str, agent: &str) -> Option<Role> {
        let roll = self.read();
        let held = roll.signins.get(&signin).filter(|held| held.is_of(workspace, agent))?;
        Some(roll.role_of(held))
    }

    fn are_shared(&self) -> bool {
        self.shared.get().is_some()
    }

    fn hear<'a>(&'a self, signin: u128, workspace: &'a str, agent: &'a str) -> BoxFuture<'a, ()> {
        async move {
            if let Some(shared) = self.shared.get()
                && !self.read().signins.contains_key(&signin)
            {
                shared.hear(&OfAgent::none(workspace, agent), signin).await;
            }
        }
        .boxed()
    }
}

/// Why there are no sign-ins.
#[derive(Debug, thiserror::Error)]
pub enum SigninsFailed {
    #[error(transparent)]
    Open(#[from] OpenFailed),
    #[error(transparent)]
    Read(#[from] NotKept),
}

#[cfg(test)]
#[path = "roll_tests.rs"]
mod tests;

//! Who is signed in: the sign-ins that there are, in memory for whoever asks with each request, and on disk before anybody is told.
//!
//! Ending takes one out of memory first, so that it is void at once, and is answered when it is on the disk, so that it stays void.
//! Beginning is the other way round.

use super::store::{NotKept, Store};
use crate::desk::settings::Role;
use crate::gateway::auth::signin_token::LiveSignins;
use crate::store_file::OpenFailed;
use crate::telemetry::catalogue;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// In all workspaces together; each takes half a kilobyte.
pub const SIGNINS_MAX: usize = 50_000;
/// Of one agent: browsers on all its devices. The oldest makes room.
pub const OF_AGENT_MAX: usize = 10;
/// Roles that were set here, in all workspaces together.
pub const ROLES_MAX: usize = 50_000;

/// How somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
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

#[derive(Debug, Clone, PartialEq, Eq)]
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

    fn is_by_provider(&self) -> bool {
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

/// What else changed when one began.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// The agent's other sign-ins whose role is another now.
    pub changed: Vec<u128>,
    /// Made room.
    pub ended: Vec<u128>,
}

#[derive(Default)]
struct Roll {
    signins: HashMap<u128, Arc<Signin>>,
    /// By workspace and agent.
    roles: HashMap<(Arc<str>, Arc<str>), Role>,
}

impl Roll {
    fn role_of(&self, signin: &Signin) -> Role {
        // A token was signed with its role; only of those who come by the provider we have a say in it.
        let set = self.roles.get(&(signin.workspace.clone(), signin.agent.clone()));
        set.copied().filter(|_| signin.is_by_provider()).unwrap_or(signin.role)
    }

    fn found(&self, which: impl Fn(&Signin) -> bool) -> Vec<Arc<Signin>> {
        self.signins.values().filter(|signin| which(signin)).cloned().collect()
    }
}

pub struct Signins {
    roll: RwLock<Roll>,
    store: Arc<Store>,
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
        let (signins, roles) = store.load(now_s)?;
        let roll = Roll {
            signins: signins.into_iter().map(|signin| (signin.id, Arc::new(signin))).collect(),
            roles: roles.into_iter().map(|((ws, agent), role)| ((ws.into(), agent.into()), role)).collect(),
        };
        let signins = Self { roll: RwLock::new(roll), store: Arc::new(store) };
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
        self.read().roles.get(&(workspace.into(), agent.into())).copied()
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
    pub async fn begin(&self, signin: Signin, id_token: Option<String>, now_s: i64) -> Result<Begun, NotBegun> {
        let (changed, ended) = {
            let mut roll = self.write();
            roll.signins.retain(|_, held| now_s < held.expires_at_s);
            let mut own = roll.found(|held| held.is_of(&signin.workspace, &signin.agent));
            own.sort_unstable_by_key(|held| (held.began_at_s, held.id));
            let surplus = (own.len() + 1).saturating_sub(OF_AGENT_MAX);
            let ended: Vec<u128> = own.drain(..surplus).map(|held| held.id).collect();
            if ended.is_empty() && roll.signins.len() >= SIGNINS_MAX {
                return Err(NotBegun::Full);
            }
            let by_provider = own.into_iter().filter(|held| held.is_by_provider() && signin.is_by_provider());
            let changed: Vec<u128> = by_provider.filter(|held| held.role != signin.role).map(|held| held.id).collect();
            (changed, ended)
        };
        let signin = Arc::new(signin);
        let (kept, roles, out) = (signin.clone(), changed.clone(), ended.clone());
        self.on_disk(move |store| store.begin(&kept, id_token.as_deref(), &roles, &out, now_s)).await?;
        let mut begun = Begun { changed: Vec::new(), ended };
        {
            let mut roll = self.write();
            begun.ended.retain(|id| roll.signins.remove(id).is_some());
            for id in changed {
                let Some(held) = roll.signins.get(&id).cloned() else { continue };
                let before = roll.role_of(&held);
                let now = Arc::new(Signin { role: signin.role, ..(*held).clone() });
                if roll.role_of(&now) != before {
                    begun.changed.push(id);
                }
                roll.signins.insert(id, now);
            }
            roll.signins.insert(signin.id, signin);
        }
        self.count();
        Ok(begun)
    }

    /// Ends all that are `which`: void at once, and for ever when this answers. The ID token is that of the first.
    ///
    /// # Errors
    /// They are void now, and would be there again after a restart: ask again.
    pub async fn end(&self, which: impl Fn(&Signin) -> bool) -> (Vec<Arc<Signin>>, Result<Option<String>, NotKept>) {
        let found = {
            let mut roll = self.write();
            let found = roll.found(which);
            for signin in &found {
                roll.signins.remove(&signin.id);
            }
            found
        };
        self.count();
        let ids: Vec<u128> = found.iter().map(|signin| signin.id).collect();
        let kept = if ids.is_empty() { Ok(None) } else { self.on_disk(move |store| store.end(&ids)).await };
        (found, kept)
    }

    /// The same for one; also where memory does not hold it any more, as the last try did not reach the disk.
    ///
    /// # Errors
    /// As `end`.
    pub async fn end_one(&self, id: u128) -> (Option<Arc<Signin>>, Result<Option<String>, NotKept>) {
        let found = self.write().signins.remove(&id);
        self.count();
        let kept = self.on_disk(move |store| store.end(&[id])).await;
        (found, kept)
    }

    /// Sets the role of an agent who comes by the provider; `None`: as the provider says. Answers the sign-ins that have another now.
    ///
    /// # Errors
    /// There is no room, or it cannot be kept: then nothing happened.
    pub async fn set_role(&self, workspace: &str, agent: &str, role: Option<Role>) -> Result<Vec<u128>, NotBegun> {
        let key: (Arc<str>, Arc<str>) = (workspace.into(), agent.into());
        let roles = self.read().roles.len();
        if role.is_some() && roles >= ROLES_MAX && self.role_set(workspace, agent).is_none() {
            return Err(NotBegun::Full);
        }
        let of = key.clone();
        self.on_disk(move |store| store.set_role(&of.0, &of.1, role)).await?;
        let mut roll = self.write();
        let own = roll.found(|held| held.is_of(workspace, agent));
        let before: Vec<Role> = own.iter().map(|held| roll.role_of(held)).collect();
        match role {
            Some(role) => roll.roles.insert(key, role),
            None => roll.roles.remove(&key),
        };
        let changed = own.iter().zip(before).filter(|(held, before)| roll.role_of(held) != *before);
        Ok(changed.map(|(held, _)| held.id).collect())
    }

    /// Beside the threads that answer.
    async fn on_disk<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Store) -> Result<T, NotKept> + Send + 'static,
    ) -> Result<T, NotKept> {
        let store = self.store.clone();
        // It did not run: the server is going down.
        tokio::task::spawn_blocking(move || write(&store)).await.map_err(|error| NotKept(error.to_string()))?
    }

    fn count(&self) {
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
mod tests {
    use super::*;

    const NOW_S: i64 = 1_700_000_000;

    fn signin(id: u128, agent: &str, role: Role) -> Signin {
        let by =
            By::Provider { issuer: "https://id".into(), subject: agent.into(), sid: Some(format!("s{id}").into()) };
        let began_at_s = NOW_S + id as i64;
        let (workspace, agent) = ("acme".into(), agent.into());
        Signin { id, workspace, agent, role, by, began_at_s, expires_at_s: NOW_S + 10_000 }
    }

    #[tokio::test]
    async fn what_ended_stays_ended_after_a_restart_and_what_did_not_is_there() {
        let dir = tempfile::tempdir().unwrap();
        {
            let signins = Signins::open(dir.path(), NOW_S).unwrap();
            for id in 1..=3 {
                signins.begin(signin(id, "ann", Role::Supervisor), Some(format!("t{id}")), NOW_S).await.unwrap();
            }
            let (ended, token) = signins.end(|held| held.id == 2).await;
            assert_eq!((ended.len(), token.unwrap().as_deref()), (1, Some("t2")));
            assert_eq!(signins.role_of(2, "acme", "ann"), None);
            signins.set_role("acme", "ann", Some(Role::Admin)).await.unwrap();
        }
        let again = Signins::open(dir.path(), NOW_S).unwrap();
        let role = |id| again.role_of(id, "acme", "ann");
        assert_eq!([role(1), role(2), role(3)], [Some(Role::Admin), None, Some(Role::Admin)]);
        assert_eq!(*again.live(1, NOW_S).unwrap(), signin(1, "ann", Role::Supervisor));
        assert!(again.live(1, NOW_S + 10_000).is_none());
        assert_eq!(again.role_of(1, "acme", "eve"), None);
        assert_eq!(again.role_of(1, "other", "ann"), None);
        drop(again);
        assert!(Signins::open(dir.path(), NOW_S + 10_000).unwrap().list("acme", None, 9, NOW_S).is_empty());
    }

    #[tokio::test]
    async fn the_role_that_was_said_last_counts_for_all_of_an_agents_sign_ins() {
        let signins = Signins::in_memory();
        signins.begin(signin(1, "ann", Role::Admin), None, NOW_S).await.unwrap();
        signins.begin(signin(2, "eve", Role::Admin), None, NOW_S).await.unwrap();
        signins.begin(Signin { by: By::Token, ..signin(3, "ann", Role::Admin) }, None, NOW_S).await.unwrap();
        let begun = signins.begin(signin(4, "ann", Role::Agent), None, NOW_S).await.unwrap();
        assert_eq!(begun, Begun { changed: vec![1], ended: vec![] });
        let role = |id, agent| signins.role_of(id, "acme", agent);
        assert_eq!([role(1, "ann"), role(4, "ann")], [Some(Role::Agent); 2]);
        assert_eq!([role(2, "eve"), role(3, "ann")], [Some(Role::Admin); 2]);
        // What was set here goes before it, but not before a token that was signed.
        assert_eq!(signins.set_role("acme", "ann", Some(Role::Supervisor)).await.unwrap().len(), 2);
        assert_eq!([role(1, "ann"), role(3, "ann")], [Some(Role::Supervisor), Some(Role::Admin)]);
        let begun = signins.begin(signin(5, "ann", Role::Admin), None, NOW_S).await.unwrap();
        assert_eq!(begun, Begun::default());
        let mut changed = signins.set_role("acme", "ann", None).await.unwrap();
        changed.sort_unstable();
        assert_eq!((changed, role(1, "ann")), (vec![1, 4, 5], Some(Role::Admin)));
    }

    #[tokio::test]
    async fn an_agents_oldest_sign_in_makes_room_and_those_that_are_over_count_no_more() {
        let signins = Signins::in_memory();
        for id in 1..=OF_AGENT_MAX as u128 {
            assert_eq!(signins.begin(signin(id, "ann", Role::Agent), None, NOW_S).await.unwrap(), Begun::default());
        }
        let begun = signins.begin(signin(99, "ann", Role::Agent), None, NOW_S).await.unwrap();
        assert_eq!(begun.ended, [1]);
        assert!(signins.live(1, NOW_S).is_none() && signins.live(2, NOW_S).is_some());
        let late = Signin { expires_at_s: NOW_S + 30_000, ..signin(100, "ann", Role::Agent) };
        assert_eq!(signins.begin(late, None, NOW_S + 20_000).await.unwrap().ended, []);
        assert_eq!(signins.list("acme", None, 50, 0).len(), 1);
    }
}

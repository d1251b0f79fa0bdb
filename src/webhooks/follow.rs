//! A node of a cluster hears what webhooks are set to at others, and how far the node that leads has told them: into what it holds itself, and
//! its own `webhooks.db`.

use super::endpoint::{Endpoint, Held};
use super::shared::{Cluster, Places, Said, Sets};
use super::store::NotKept;
use super::{Shared, Webhooks, blocking};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Before what could not be told is told again, and a workspace that has not come is looked for.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How often the others are told of places that moved.
const KEEP_EVERY: Duration = Duration::from_millis(250);

/// Tells the others how far this node has delivered, now and then, for ever.
pub(super) async fn keep(shared: Arc<Shared>, cluster: Arc<Cluster>) {
    loop {
        cluster.until_moved().await;
        // What moves meanwhile goes with it.
        sleep(KEEP_EVERY).await;
        cluster.keep_places(|workspace, name| shared.one(workspace, name)).await;
    }
}

struct Followed {
    hooks: Arc<Webhooks>,
    /// As they were said last, also of those that are not known here yet.
    places: BTreeMap<Arc<str>, Places>,
    /// Of which something was said.
    heard: BTreeSet<Arc<str>>,
    /// All that there is was heard: what is new from then on runs at once.
    is_running: bool,
    /// Their workspaces have not come to this node.
    waiting: Vec<Arc<Endpoint>>,
}

/// For ever.
pub(super) async fn follow(hooks: Arc<Webhooks>, cluster: Arc<Cluster>) {
    let (places, heard) = (BTreeMap::new(), BTreeSet::new());
    let mut followed = Followed { hooks, places, heard, is_running: false, waiting: Vec::new() };
    let mut following = cluster.follow();
    loop {
        let (said, is_all) = tokio::select! {
            came = following.next() => came,
            // Nobody tells when a workspace comes.
            () = sleep(AGAIN_AFTER), if !followed.waiting.is_empty() => {
                for one in std::mem::take(&mut followed.waiting) {
                    followed.run(one);
                }
                continue;
            }
        };
        let said: Vec<Said> = said.iter().filter_map(|said| cluster.said(&said.name, &said.value)).collect();
        match followed.take_in(said).await {
            Ok(()) => following.taken(),
            Err(not_kept) => {
                following.again(&not_kept).await;
                continue;
            }
        }
        if is_all && !followed.is_running && !followed.tell_own(&cluster).await {
            followed.is_running = true;
            for one in followed.hooks.shared.all() {
                followed.run(one);
            }
        }
    }
}

impl Followed {
    fn run(&mut self, one: Arc<Endpoint>) {
        if self.is_running && self.hooks.shared.has(&one) && !self.hooks.run(one.clone()) {
            self.waiting.push(one);
        }
    }

    /// What this node had by itself is all nodes' from now on, as far as there is room. Whether there was any: it comes back then.
    async fn tell_own(&self, cluster: &Cluster) -> bool {
        let own = self.hooks.shared.all().into_iter();
        let own = own.filter(|one| one.held().spec.run == 0 || !self.heard.contains(&one.workspace));
        let mut any = false;
        for one in own {
            let (workspace, webhook) = (&one.workspace, &one.name);
            any |= loop {
                match cluster.tell(&one).await {
                    Ok(is_told) => break is_told,
                    Err(error) => {
                        tracing::warn!(%error, %workspace, %webhook, "a webhook of this node is not told to the others; tried again until it is");
                    }
                }
                // Servers tell nobody when they take something again.
                sleep(AGAIN_AFTER).await;
            };
        }
        any
    }

    async fn take_in(&mut self, said: Vec<Said>) -> Result<(), NotKept> {
        for said in said {
            let workspace = match said {
                Said::Set(workspace, sets) => {
                    self.sets(&workspace, sets).await?;
                    self.heard.insert(workspace.clone());
                    workspace
                }
                Said::Places(workspace, places) => {
                    self.places.insert(workspace.clone(), places);
                    workspace
                }
            };
            self.tell_places(&workspace).await?;
        }
        Ok(())
    }

    async fn sets(&mut self, workspace: &Arc<str>, sets: Sets) -> Result<(), NotKept> {
        let shared = self.hooks.shared.clone();
        for one in self.hooks.of(workspace) {
            // One that the others were not told of is nobody's to remove.
            if !sets.contains_key(&one.name) && one.held().spec.run != 0 {
                shared.remove(&one).await?;
            }
        }
        for (name, set) in sets {
            let Ok(from) = set.from.parse() else { continue };
            let Some(one) = shared.one(workspace, &name) else {
                let held = Held::new(set.spec, from);
                shared.keep(workspace, &name, &held).await?;
                let one = Arc::new(Endpoint::new(workspace.clone(), name, held.spec, from, None));
                shared.put(one.clone());
                self.run(one);
                continue;
            };
            let before = one.held();
            if before.spec == set.spec {
                continue;
            }
            if before.spec.run == set.spec.run {
                shared.keep(workspace, &name, &Held { spec: set.spec.clone(), ..before }).await?;
                // It may have been delivered further meanwhile.
                one.change(|held| held.spec = set.spec);
            } else {
                let held = Held::new(set.spec, from);
                shared.keep(workspace, &name, &held).await?;
                one.set(held);
            }
        }
        Ok(())
    }

    async fn tell_places(&self, workspace: &Arc<str>) -> Result<(), NotKept> {
        let Some(places) = self.places.get(workspace) else { return Ok(()) };
        for (name, stands) in places {
            let Some(one) = self.hooks.shared.one(workspace, name) else { continue };
            if stands.tell(&one) {
                let store = self.hooks.shared.store.clone();
                blocking(move || store.keep_place(&one)).await?;
            }
        }
        Ok(())
    }
}

//! Numbers of the journal as the names that people gave, and what was sealed in the clear for who may read it.

use crate::desk::ids::{AgentId, QueueId};
use crate::desk::settings::{ChannelId, StatusId};
use crate::engine::shapes::{ABOUT, FILE_NAME, TEXT};
use crate::engine::{Published, Workspace};
use crate::seal::{KeyRing, Sealed, Unsealed};
use crate::wire::about::About as Sealing;
use crate::wire::feed::About;
use crate::wire::labels::FIELD;
use serde_json::Value;
use std::cell::Cell;
use std::sync::Arc;

/// What one page is rendered with: names as of now.
pub struct Names<'a> {
    workspace: &'a Workspace,
    published: Arc<Published>,
    /// `None`: whoever reads may not see what was sealed.
    keys: Option<&'a KeyRing>,
    /// The key store could not be used: what was rendered so far may lack texts that there are.
    failed: Cell<bool>,
}

impl<'a> Names<'a> {
    #[must_use]
    pub fn of(workspace: &'a Workspace, keys: Option<&'a KeyRing>) -> Self {
        Self { workspace, published: workspace.published(), keys, failed: Cell::new(false) }
    }

    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed.get()
    }

    #[must_use]
    pub fn workspace(&self) -> &Arc<str> {
        self.workspace.name()
    }

    #[must_use]
    pub fn agent(&self, agent: AgentId) -> Arc<str> {
        self.workspace.agent_name(agent).unwrap_or_else(|| agent.to_string().into())
    }

    /// One that was removed has its id for a name.
    #[must_use]
    pub fn queue(&self, queue: QueueId) -> Arc<str> {
        self.published.queue_names.get(&queue).cloned().unwrap_or_else(|| queue.to_string().into())
    }

    #[must_use]
    pub fn channel(&self, channel: ChannelId) -> Arc<str> {
        let named = self.published.settings.channels.get(usize::from(channel.0));
        named.map_or_else(|| channel.0.to_string().into(), |channel| channel.name.clone())
    }

    /// Those whose bits are set.
    #[must_use]
    pub fn channels(&self, bits: u16) -> Vec<Arc<str>> {
        let all = self.published.settings.channels.iter().enumerate();
        all.filter(|(place, _)| bits & 1 << place != 0).map(|(_, channel)| channel.name.clone()).collect()
    }

    /// With whether an agent in it is offered conversations.
    #[must_use]
    pub fn status(&self, status: StatusId) -> (Arc<str>, bool) {
        let named = self.published.settings.statuses.get(usize::from(status.0));
        named.map_or_else(|| (status.0.to_string().into(), false), |status| (status.name.clone(), status.available))
    }

    #[must_use]
    pub fn text(&self, sealed: &str) -> Option<String> {
        self.unsealed(TEXT, sealed).and_then(|clear| String::from_utf8(clear).ok())
    }

    #[must_use]
    pub fn file_name(&self, sealed: &str) -> Option<String> {
        self.unsealed(FILE_NAME, sealed).and_then(|clear| String::from_utf8(clear).ok())
    }

    /// A custom field's.
    #[must_use]
    pub fn value(&self, sealed: &str) -> Value {
        let clear = self.unsealed(FIELD, sealed);
        clear.and_then(|clear| serde_json::from_slice(&clear).ok()).unwrap_or_default()
    }

    #[must_use]
    pub fn about(&self, sealed: Option<&str>) -> Option<About> {
        let clear = self.unsealed(ABOUT, sealed?)?;
        let about = serde_json::from_slice(&clear).unwrap_or_default();
        let Sealing { name, metadata, attributes, known, outside, imported } = about;
        Some(About { name, metadata, attributes, known, outside, imported })
    }

    fn unsealed(&self, context: &[u8], sealed: &str) -> Option<Vec<u8>> {
        match self.keys?.unseal(context, &Sealed(sealed.into())) {
            Ok(clear) => Some(clear),
            Err(Unsealed::Erased) => None,
            Err(Unsealed::Damaged) => {
                tracing::error!("what was sealed cannot be read, and is left out of the event feed");
                None
            }
            Err(Unsealed::Unavailable(why)) => {
                tracing::error!(why, "the key store could not be used for the event feed");
                self.failed.set(true);
                None
            }
        }
    }
}

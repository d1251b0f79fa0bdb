//! All that is kept of one agent's signing in: what is changed at once, and kept as one. Pure.

use super::roll::Signin;
use crate::desk::settings::Role;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Of one agent: browsers on all its devices. The oldest makes room.
pub const OF_AGENT_MAX: usize = 10;
/// A longer one is not kept: it only spares a question at the provider's own sign-out.
const ID_TOKEN_KEPT_MAX: usize = 16 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OfAgent {
    pub workspace: Arc<str>,
    pub agent: Arc<str>,
    /// That was set here.
    pub role: Option<Role>,
    pub signins: Vec<Kept>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub signin: Signin,
    /// With which it began.
    pub id_token: Option<String>,
}

impl OfAgent {
    pub fn none(workspace: &str, agent: &str) -> Self {
        Self { workspace: workspace.into(), agent: agent.into(), role: None, signins: Vec::new() }
    }

    /// Forgets those that are over at `now_s`.
    pub fn forget(&mut self, now_s: i64) {
        self.signins.retain(|held| now_s < held.signin.expires_at_s);
    }

    /// Takes one in. The oldest may make room; and what the provider says of a role now counts for all that came by it.
    pub fn begin(&mut self, kept: Kept) {
        self.signins.sort_unstable_by_key(|held| (held.signin.began_at_s, held.signin.id));
        let surplus = (self.signins.len() + 1).saturating_sub(OF_AGENT_MAX);
        self.signins.drain(..surplus);
        if kept.signin.is_by_provider() {
            let by_provider = self.signins.iter_mut().filter(|held| held.signin.is_by_provider());
            by_provider.for_each(|held| held.signin.role = kept.signin.role);
        }
        let id_token = kept.id_token.filter(|token| token.len() <= ID_TOKEN_KEPT_MAX);
        self.signins.push(Kept { id_token, ..kept });
    }

    /// Takes them out, in their order.
    pub fn end(&mut self, ids: &[u128]) -> Vec<Kept> {
        self.signins.extract_if(.., |held| ids.contains(&held.signin.id)).collect()
    }

    pub fn has(&self, id: u128) -> bool {
        self.signins.iter().any(|held| held.signin.id == id)
    }
}

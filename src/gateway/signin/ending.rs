//! What the end of a sign-in, or another role, means for those who are connected: at once, on every socket that rests on it.

use super::roll::{Begun, Signin, Signins};
use super::store::NotKept;
use crate::desk::command::{Ask, Command};
use crate::gateway::auth::signin_token::mark;
use crate::gateway::http::desks::Desks;
use crate::gateway::http::problem::Problem;
use crate::telemetry::catalogue;
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use std::sync::Arc;
use std::time::Duration;

/// The desk is told, and waited for no longer than this: whoever signs out is not kept by a disk.
const DESK_WAIT_MOST: Duration = Duration::from_secs(2);
const RETRY_MS: u64 = 1_000;
/// Its agent may not work here any more.
pub(crate) const DEACTIVATED: &str = "deactivated";
pub(crate) const ROLE_CHANGED: &str = "token_role_changed";

/// Sign-ins with those who are connected by them.
#[derive(Clone)]
pub struct Endings {
    pub signins: Arc<Signins>,
    pub desks: Arc<dyn Desks>,
}

/// It is void, but whether it stays so is not known.
#[must_use]
pub(crate) fn not_kept(error: &impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "sign-ins could not be kept");
    Problem(WireError::unavailable(RETRY_MS, "sign-ins cannot be written"))
}

impl Endings {
    /// Ends all that are `which`. `why` is a word of the metric. Answers how many there were, and the first one's ID token.
    ///
    /// # Errors
    /// They are void, and may be there again after a restart.
    pub async fn end(
        &self,
        why: &'static str,
        which: impl Fn(&Signin) -> bool,
    ) -> Result<(usize, Option<String>), NotKept> {
        let (ended, kept) = self.signins.end(which).await;
        for signin in &ended {
            self.put_out(why, signin).await;
        }
        Ok((ended.len(), kept?))
    }

    /// The same for one, whether memory holds it or not.
    ///
    /// # Errors
    /// As `end`.
    pub async fn end_one(&self, why: &'static str, id: u128) -> Result<(bool, Option<String>), NotKept> {
        let (ended, kept) = self.signins.end_one(id).await;
        if let Some(signin) = &ended {
            self.put_out(why, signin).await;
        }
        Ok((ended.is_some(), kept?))
    }

    async fn put_out(&self, why: &'static str, signin: &Signin) {
        metrics::counter!(catalogue::SIGNINS_TOTAL, "outcome" => why).increment(1);
        let mark = mark(signin.id);
        let desk = self.desks.desk(&signin.workspace);
        let row = desk.as_ref().and_then(|desk| desk.agent_row(&signin.agent));
        let (Some(desk), Some(row)) = (desk, row) else { return };
        let is_here_otherwise = desk.has_sockets_but_of(row.id, mark);
        // The desk closes the sockets of who is deactivated too: whoever comes first, they hear the same.
        let code = if why == DEACTIVATED { CloseCode::Forbidden } else { CloseCode::SignedOut };
        self.desks.close_sockets(mark, code, code.name());
        if !is_here_otherwise {
            // Who signs out is offline without grace. A desk that can commit nothing now hears of the closed sockets, later.
            let asked = desk.ask(Command::of_server(Ask::SignOut { agent: row.id }));
            let _ = tokio::time::timeout(DESK_WAIT_MOST, asked).await;
        }
    }

    /// One began: others of the agent have another role now, or made room.
    pub fn begun(&self, begun: &Begun) {
        self.role_changed(&begun.changed);
        for id in &begun.ended {
            metrics::counter!(catalogue::SIGNINS_TOTAL, "outcome" => "made_room").increment(1);
            self.desks.close_sockets(mark(*id), CloseCode::SignedOut, CloseCode::SignedOut.name());
        }
    }

    /// Their sockets are closed, to come back with the role of now.
    pub fn role_changed(&self, ids: &[u128]) {
        for id in ids {
            self.desks.close_sockets(mark(*id), CloseCode::Unauthorized, ROLE_CHANGED);
        }
    }
}

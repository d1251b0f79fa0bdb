//! What the end of a sign-in, or another role, means for those who are connected: at once, on every socket that rests on it.

use super::roll::{Changed, Signin, Signins};
use super::shared::{self, SharedSignins};
use super::store::NotKept;
use crate::cluster::SealedPart;
use crate::desk::command::{Ask, Command};
use crate::gateway::auth::signin_token::mark;
use crate::gateway::http::desks::Desks;
use crate::gateway::http::problem::Problem;
use crate::telemetry::catalogue;
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The desk is told, and waited for no longer than this: whoever signs out is not kept by a disk.
const DESK_WAIT_MOST: Duration = Duration::from_secs(2);
/// How long a node that starts waits for what others said while it was away.
const HEARD_MOST: Duration = Duration::from_secs(30);
const RETRY_MS: u64 = 1_000;
/// Its agent may not work here any more.
pub(crate) const DEACTIVATED: &str = "deactivated";
pub(crate) const ROLE_CHANGED: &str = "token_role_changed";

/// Sign-ins with those who are connected by them.
#[derive(Clone)]
pub struct Endings {
    pub signins: Arc<Signins>,
    pub desks: Arc<dyn Desks>,
    /// Unix seconds.
    pub now_s: fn() -> i64,
}

/// Who signed in or out at the other nodes is not known here.
#[derive(Debug, thiserror::Error)]
#[error("not within {} s; see that the servers of NATS are well (`offhook cluster check`), and start again", HEARD_MOST.as_secs())]
pub struct NotHeard;

/// It is void, but whether it stays so is not known.
#[must_use]
pub(crate) fn not_kept(error: &impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "sign-ins could not be kept");
    Problem(WireError::unavailable(RETRY_MS, "sign-ins cannot be written"))
}

impl Endings {
    pub(super) fn now_s(&self) -> i64 {
        (self.now_s)()
    }

    /// From now on all nodes have the same. Returns when this one has what the others have.
    ///
    /// # Errors
    /// It has not come in time.
    pub async fn share(&self, part: SealedPart) -> Result<(), NotHeard> {
        let shared = Arc::new(SharedSignins::new(part));
        let (ready, mut is_ready) = watch::channel(false);
        tokio::spawn(shared::follow(self.clone(), shared.clone(), ready));
        let heard = tokio::time::timeout(HEARD_MOST, is_ready.wait_for(|ready| *ready)).await;
        heard.ok().and_then(Result::ok).ok_or(NotHeard)?;
        let _ = self.signins.shared.set(shared);
        Ok(())
    }

    /// Ends all that are `which`. `why` is a word of the metric. Answers how many there were, and the first one's ID token.
    ///
    /// # Errors
    /// They are void, and may be there again after a restart.
    pub async fn end(
        &self,
        why: &'static str,
        which: impl Fn(&Signin) -> bool,
    ) -> Result<(usize, Option<String>), NotKept> {
        let (ended, kept) = self.signins.end(which, self.now_s()).await;
        for signin in &ended {
            self.put_out(why, signin, true).await;
        }
        Ok((ended.len(), kept?))
    }

    /// The same for one of an agent, whether memory holds it or not.
    ///
    /// # Errors
    /// As `end`.
    pub async fn end_one(
        &self,
        why: &'static str,
        (workspace, agent): (&str, &str),
        id: u128,
    ) -> Result<(bool, Option<String>), NotKept> {
        let (ended, kept) = self.signins.end_one(workspace, agent, id, self.now_s()).await;
        if let Some(signin) = &ended {
            self.put_out(why, signin, true).await;
        }
        Ok((ended.is_some(), kept?))
    }

    /// `is_here`: it ended at this node, and the others hear of it.
    async fn put_out(&self, why: &'static str, signin: &Signin, is_here: bool) {
        metrics::counter!(catalogue::SIGNINS_TOTAL, "outcome" => why).increment(1);
        // The desk closes the sockets of who is deactivated too: whoever comes first, they hear the same.
        let code = if why == DEACTIVATED { CloseCode::Forbidden } else { CloseCode::SignedOut };
        let sessions = self.desks.close_sockets(mark(signin.id), code, code.name());
        let desk = self.desks.desk(&signin.workspace);
        let row = desk.as_ref().and_then(|desk| desk.agent_row(&signin.agent));
        if let (Some(desk), Some(row)) = (desk, row)
            && (is_here || !sessions.is_empty())
        {
            // Who signs out is offline without grace. A desk that can commit nothing now hears of the closed sockets, later.
            let asked = desk.ask(Command::of_server(Ask::SignInEnded { agent: row.id, sessions }));
            let _ = tokio::time::timeout(DESK_WAIT_MOST, asked).await;
        }
    }

    /// What came of a change. `why` those ended that made no room for another.
    pub(crate) async fn changed(&self, changed: &Changed, why: &'static str) {
        for id in &changed.roles {
            // To come back with the role of now.
            self.desks.close_sockets(mark(*id), CloseCode::Unauthorized, ROLE_CHANGED);
        }
        for signin in &changed.ended {
            if changed.has_begun {
                metrics::counter!(catalogue::SIGNINS_TOTAL, "outcome" => "made_room").increment(1);
                self.desks.close_sockets(mark(signin.id), CloseCode::SignedOut, CloseCode::SignedOut.name());
            } else {
                self.put_out(why, signin, false).await;
            }
        }
    }
}

//! What is in no record and is told to all nodes of a cluster: that somebody types, and who has been idle. It may be lost, since whoever types
//! goes on typing, and whoever is idle is so still a second later.

use super::Engine;
use super::passing::shapes::{Hint, Hinted};
use super::run::stopped;
use crate::clock;
use crate::cluster::Post;
use crate::desk::answer::Answer;
use async_nats::Subscriber;
use bytes::Bytes;
use futures_util::StreamExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Hints of one workspace that wait at most.
const HINTS_MAX: usize = 64;

/// What is to be shown to those who are connected here and is in no record.
#[derive(Debug, Default)]
pub struct Hints(Mutex<Vec<Answer>>);

impl Hints {
    /// Whether there was room.
    pub fn push(&self, hint: Answer) -> bool {
        let mut hints = self.lock();
        let room = hints.len() < HINTS_MAX;
        if room {
            hints.push(hint);
        }
        room
    }

    #[must_use]
    pub fn take(&self) -> Vec<Answer> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hints of this node's to all, and of all to those who are connected here; until the server stops.
pub(super) async fn pass_round(
    engine: Arc<Engine>,
    post: Arc<Post>,
    mut told: Subscriber,
    mut own: mpsc::Receiver<Bytes>,
) {
    let mut stop = engine.shared.stop.clone();
    loop {
        tokio::select! {
            Some(hint) = own.recv() => {
                // One that is lost is followed by another, as long as it is so.
                let _ = post.tell_all(hint).await;
            }
            Some(hint) = told.next() => hear(&engine, &hint.payload),
            () = stopped(&mut stop) => return,
        }
    }
}

fn hear(engine: &Engine, bytes: &Bytes) {
    let Ok(Hint { workspace, hinted }) = Hint::decode(bytes) else { return };
    let Some(workspace) = engine.workspace(&workspace) else { return };
    let has_room = match hinted {
        Hinted::Typing(typing) => {
            let has_room = workspace.hints.push(typing);
            workspace.tail.wake();
            has_room
        }
        Hinted::Idle(sessions) => workspace.idle_elsewhere.hear(&sessions, clock::monotonic_ms()),
    };
    if !has_room {
        metrics::counter!("offhook_cluster_hints_dropped_total").increment(1);
    }
}

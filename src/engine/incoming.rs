//! What comes to this node from the cluster: every record that is committed, to its workspace's task; commands that other nodes pass on, to
//! the workspaces that this one leads; and how far its view is, which who cuts wants to know.

use super::Engine;
use super::cutting;
use super::keyed;
use super::passing::shapes::{Batch, BatchAnswer};
use super::passing::views::ViewsAsked;
use super::run::stopped;
use crate::cluster::Post;
use crate::journal::nats::NatsJournal;
use async_nats::{Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// After the stream of records ended.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// Batches that are under way here: each other node has one for a workspace.
const BATCHES_MAX: usize = 4_096;

/// What comes in from the other nodes.
pub struct Incoming {
    pub journal: NatsJournal,
    pub post: Arc<Post>,
    pub questions: Subscriber,
    /// From all nodes.
    pub told: Subscriber,
    /// To all nodes.
    pub hints: mpsc::Receiver<Bytes>,
}

/// Until the server stops.
pub(super) async fn records(engine: Arc<Engine>, journal: NatsJournal) {
    let mut stop = engine.shared.stop.clone();
    loop {
        tokio::select! {
            () = follow(&engine, &journal) => {}
            () = stopped(&mut stop) => return,
        }
        tokio::select! {
            // Nobody tells when there is a stream again.
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

/// As long as the stream brings records.
async fn follow(engine: &Engine, journal: &NatsJournal) {
    let mut live = match journal.live().await {
        Ok(live) => live,
        Err(failed) => return tracing::warn!(error = %failed, "committed records cannot be followed"),
    };
    metrics::counter!("offhook_cluster_streams_total").increment(1);
    // What was committed before it began, or since the last one ended.
    engine.all().iter().for_each(|workspace| workspace.tail.miss());
    loop {
        match live.next().await {
            Ok((name, record)) => match engine.workspace(&name) {
                Some(workspace) => workspace.tail.push(record),
                // Made at another node: its task reads it.
                None => drop(engine.run(&name)),
            },
            Err(failed) => return tracing::warn!(error = %failed, "the stream of committed records ended"),
        }
    }
}

/// Until the server stops.
pub(super) async fn questions(engine: Arc<Engine>, post: Arc<Post>, mut questions: Subscriber) {
    let mut stop = engine.shared.stop.clone();
    let room = Arc::new(Semaphore::new(BATCHES_MAX));
    loop {
        let question = tokio::select! {
            question = questions.next() => question,
            () = stopped(&mut stop) => return,
        };
        let Some(question) = question else { return };
        // Where there is none, its sender asks again.
        let Ok(permit) = room.clone().try_acquire_owned() else { continue };
        let (engine, post) = (engine.clone(), post.clone());
        tokio::spawn(async move {
            let _permit = permit;
            answer(&engine, &post, question).await;
        });
    }
}

async fn answer(engine: &Engine, post: &Post, question: Message) {
    let Some(to) = question.reply.clone() else { return };
    if let Some(body) = what_becomes_of(engine, &question.payload).await
        && let Err(error) = post.answer(to, body).await
    {
        tracing::warn!(%error, "a node could not be answered: it asks again");
    }
}

async fn what_becomes_of(engine: &Engine, bytes: &Bytes) -> Option<Bytes> {
    if let Some(asked) = ViewsAsked::decode(bytes) {
        let told = cutting::told(engine, &asked).await;
        return told
            .inspect_err(|error| tracing::warn!(%error, "another node cannot cut"))
            .ok()
            .map(|told| told.encode());
    }
    let batch = match Batch::decode(bytes) {
        Ok(batch) => batch,
        Err(malformed) => return BatchAnswer::from(&malformed).encode().ok(),
    };
    match engine.workspace(&batch.workspace) {
        Some(workspace) => {
            let come = keyed::until_known(&engine.shared.keys, keyed::of_commands(&batch.commands)).await;
            if let Err(error) = come {
                tracing::warn!(workspace = %batch.workspace, %error, "what another node passes on waits");
                // Its sender asks again.
                return None;
            }
            workspace.take_batch(batch).await
        }
        None => BatchAnswer::NotLed { term: None }.encode().ok(),
    }
}

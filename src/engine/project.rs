//! Feeds the view: gathers what was committed and hands it over in batches, each entity once however often it changed.

use super::turn::Keeper;
use crate::desk::touched::Touched;
use crate::view::{Batch, CommittedTurn, View, ViewFailed};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// How long turns gather before they are handed over, so that an entity that changes often is written once: small batches
/// are not long in the way of commits, large ones cost less a turn. So, three times as long as the last one was written,
/// and within these bounds.
const GATHER_MS_MIN: u64 = 10;
const GATHER_MS_MAX: u64 = 100;
/// How long after a failure the view is tried again.
const RETRY_MS: u64 = 1_000;

/// Committed turns that the view does not have yet.
pub struct Projection {
    workspace: Arc<str>,
    view: Arc<View>,
    /// What the view has once everything handed over is written.
    handed_to: u64,
    turns: Vec<Arc<CommittedTurn>>,
    bytes: usize,
    outcomes: usize,
    touched: Touched,
    handed: Option<Handed>,
    /// Not before then: turns gather, and a failure is not repeated at once.
    again_at_ms: u64,
}

/// A batch that is being written, or has to be written again.
struct Handed {
    batch: Batch,
    bytes: usize,
    outcomes: usize,
    writing: Option<BoxFuture<'static, Result<(), ViewFailed>>>,
    since_ms: u64,
}

impl Projection {
    #[must_use]
    pub fn from(workspace: Arc<str>, view: Arc<View>, position: u64) -> Self {
        Self {
            workspace,
            view,
            handed_to: position,
            turns: Vec::new(),
            bytes: 0,
            outcomes: 0,
            touched: Touched::default(),
            handed: None,
            again_at_ms: 0,
        }
    }

    /// A turn was committed; `bytes` is what its record took.
    pub fn add(&mut self, turn: CommittedTurn, touched: Touched, bytes: usize) {
        self.outcomes += turn.outcomes.len();
        self.turns.push(Arc::new(turn));
        self.touched.merge(touched);
        self.bytes += bytes;
    }

    /// Bytes of records that the view does not have yet.
    #[must_use]
    pub fn lag_bytes(&self) -> usize {
        self.bytes + self.handed.as_ref().map_or(0, |handed| handed.bytes)
    }

    /// Outcomes that the view does not have yet.
    #[must_use]
    pub fn lag_outcomes(&self) -> usize {
        self.outcomes + self.handed.as_ref().map_or(0, |handed| handed.outcomes)
    }

    #[must_use]
    pub fn lag_records(&self) -> usize {
        self.turns.len() + self.handed.as_ref().map_or(0, |handed| handed.batch.turns.len())
    }

    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.handed.as_ref().is_some_and(|handed| handed.writing.is_some())
    }

    /// When there will be something to hand over; `None` while nothing waits, or a batch is being written.
    #[must_use]
    pub fn due_at_ms(&self) -> Option<u64> {
        let waits = !self.turns.is_empty() || self.handed.is_some();
        (waits && !self.is_writing()).then_some(self.again_at_ms)
    }

    /// Hand over what gathered, with the entities as they stand now; or, after a failure, the same batch again.
    pub fn hand_over(&mut self, keeper: &Keeper, now_ms: u64) {
        if self.is_writing() {
            return;
        }
        if let Some(handed) = &mut self.handed {
            handed.since_ms = now_ms;
            handed.writing = Some(self.view.apply(handed.batch.clone()));
            return;
        }
        if self.turns.is_empty() {
            return;
        }
        let touched = std::mem::take(&mut self.touched);
        let batch = Batch {
            workspace: self.workspace.clone(),
            after: self.handed_to,
            turns: std::mem::take(&mut self.turns),
            to: keeper.position().0,
            rows: keeper.desk().rows(&touched, keeper.recorded()),
            conversations: keeper.desk().touched_conversations(touched),
        };
        self.handed_to = batch.to;
        let writing = Some(self.view.apply(batch.clone()));
        let (bytes, outcomes) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.outcomes));
        self.handed = Some(Handed { batch, bytes, outcomes, writing, since_ms: now_ms });
    }

    /// Until the batch that was handed over is written; for ever when there is none. May be dropped and called again.
    ///
    /// # Errors
    /// It is not in the view; [`Projection::hand_over`] tries it again, after a while.
    pub async fn written(&mut self, now_ms: fn() -> u64) -> Result<(), ViewFailed> {
        let Some(Handed { writing: Some(writing), since_ms, .. }) = &mut self.handed else {
            return std::future::pending().await;
        };
        let result = writing.await;
        match &result {
            Ok(()) => {
                let now_ms = now_ms();
                let took_ms = now_ms.saturating_sub(*since_ms);
                self.again_at_ms = now_ms + (3 * took_ms).clamp(GATHER_MS_MIN, GATHER_MS_MAX);
                self.handed = None;
            }
            Err(_) => {
                self.again_at_ms = now_ms() + RETRY_MS;
                if let Some(handed) = &mut self.handed {
                    handed.writing = None;
                }
            }
        }
        result
    }

    #[must_use]
    pub fn workspace(&self) -> &Arc<str> {
        &self.workspace
    }
}

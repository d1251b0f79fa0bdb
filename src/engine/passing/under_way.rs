//! Commands that came in here and are decided elsewhere: one batch under way for each workspace, until it is known what became of it.
//!
//! ```text
//!   commands ──▶ batch ──▶ the leader ──answers──▶ wait until its position is lived through here ──▶ whoever asked
//!                 ▲            │ no answer, or it does not lead
//!                 └────────────┘ again: the same batch, by its number, for as long as nobody else leads;
//!                                a new one to whoever leads next, since what came to the one before is void by then
//! ```

use super::shapes::{Batch, BatchAnswer, COMMANDS_MAX, Passed, Told};
use crate::clock;
use crate::cluster::Post;
use crate::desk::ids::{CommandId, NodeNumber};
use crate::engine::commit::random;
use crate::engine::intake::ReplyTo;
use crate::engine::published::NotDone;
use crate::engine::run::RETRY_AFTER_MS;
use crate::engine::turn::Asked;
use crate::journal::Position;
use crate::journal::record::Lead;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// After no answer, or the answer that it does not lead.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A batch under way.
pub struct UnderWay {
    post: Arc<Post>,
    lead: Lead,
    asked: Vec<Asked<ReplyTo>>,
    body: Bytes,
    since_ms: u64,
    answer: BoxFuture<'static, Option<BatchAnswer>>,
}

impl UnderWay {
    /// The first of these, as many as fit; `None` where not even the first does.
    pub fn begin(
        post: &Arc<Post>,
        workspace: &Arc<str>,
        lead: Lead,
        number: u64,
        asked: &mut VecDeque<Asked<ReplyTo>>,
    ) -> Option<Self> {
        let mut many = asked.len().min(COMMANDS_MAX);
        for asked in asked.iter_mut().take(many).filter(|asked| asked.command.ask.may_matter_later()) {
            // Sent twice it must be done once.
            asked.command.id.get_or_insert_with(|| CommandId(random()));
        }
        let body = loop {
            if many == 0 {
                return None;
            }
            let commands = asked.iter().take(many).map(|asked| asked.command.clone()).collect();
            let batch =
                Batch { workspace: workspace.clone(), term: lead.term.0, sender: post.own().0, number, commands };
            match batch.encode() {
                Ok(body) => break body,
                Err(_) => many /= 2,
            }
        };
        let answer = ask(post, lead, body.clone(), Duration::ZERO);
        let asked = asked.drain(..many).collect();
        Some(Self { post: post.clone(), lead, asked, body, since_ms: clock::monotonic_ms(), answer })
    }

    /// How long nobody has said what became of it.
    #[must_use]
    pub fn waits_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.since_ms)
    }

    /// Whom it was passed to.
    #[must_use]
    pub fn lead(&self) -> Lead {
        self.lead
    }

    /// What was asked, in the order of the answers; or to be asked again, where somebody else leads.
    #[must_use]
    pub fn into_asked(self) -> Vec<Asked<ReplyTo>> {
        self.asked
    }

    /// Until there are answers to all of it. May be dropped and called again.
    pub async fn answered(&mut self) -> Vec<Passed> {
        loop {
            match (&mut self.answer).await {
                Some(BatchAnswer::Led { answers }) if answers.len() == self.asked.len() => return answers,
                Some(BatchAnswer::Unreadable { command, why }) => {
                    tracing::error!(command, %why, "the node that leads cannot read what was passed on: is it of an older release?");
                    let why = "the node that leads does not know this yet".into();
                    let result = Told::NotDone(NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why });
                    return vec![Passed { position: Position::NOTHING, result }; self.asked.len()];
                }
                Some(BatchAnswer::Led { .. } | BatchAnswer::NotLed { .. }) | None => {
                    self.answer = ask(&self.post, self.lead, self.body.clone(), AGAIN_AFTER);
                }
            }
        }
    }
}

fn ask(post: &Arc<Post>, lead: Lead, body: Bytes, after: Duration) -> BoxFuture<'static, Option<BatchAnswer>> {
    let post = post.clone();
    async move {
        if !after.is_zero() {
            // Who did not lead a moment ago may, and nobody tells.
            tokio::time::sleep(after).await;
        }
        let answer = post.ask(NodeNumber(lead.node), body).await.ok()?;
        let read = BatchAnswer::decode(&answer);
        read.inspect_err(|error| tracing::warn!(%error, "an answer of another node cannot be read")).ok()
    }
    .boxed()
}

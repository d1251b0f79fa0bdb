//! What waits in a queue, in pages, for those who may pick from it: in the order in which it is taken, each with the rule that
//! keeps it from whoever asks. A pure function of the state; a page costs what it shows and a look at each group.

use super::Desk;
use super::answer::Answer;
use super::conversation::WaitKey;
use super::fits::WhyNot;
use super::ids::{AgentId, QueueId};
use super::moves::Mover;
use super::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaitingPage {
    pub rows: Vec<WaitingRow>,
    /// More wait behind these.
    pub more: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaitingRow {
    /// Its place in the order.
    pub key: WaitKey,
    /// Why whoever asks could not pick it.
    pub rule: Option<WhyNot>,
}

impl Desk {
    pub(super) fn list_waiting(
        &self,
        by: Mover,
        name: &Arc<str>,
        after: Option<WaitKey>,
        limit: usize,
    ) -> Result<Answer, Refusal> {
        let queue = *self.queue_names.get(name).ok_or_else(|| Refusal::NoSuchQueue(name.clone()))?;
        let agent = by.agent();
        let may = match by {
            Mover::Agent(agent) => {
                let in_queue = self.agents[agent.0 as usize].profile.queues.contains(&queue);
                in_queue && self.queues[&queue].settings.moves.pick
            }
            Mover::Supervisor(_) | Mover::Admin => true,
        };
        if !may {
            return Err(Refusal::PickNotAllowed(name.clone()));
        }
        let mut keys = self.waiting_after(queue, after, limit + 1);
        let more = keys.len() > limit;
        keys.truncate(limit);
        let rows = keys.iter().map(|key| self.row(*key, agent)).collect();
        Ok(Answer::Waiting(Box::new(WaitingPage { rows, more })))
    }

    fn row(&self, key: WaitKey, agent: Option<AgentId>) -> WaitingRow {
        let held = &self.conversations[&key.conversation];
        let rule = agent.and_then(|agent| self.fits(agent, held).err()).filter(|rule| *rule != WhyNot::CoolingDown);
        WaitingRow { key, rule }
    }

    /// The first of a queue behind `after`: all its groups merged, each of which is in order.
    fn waiting_after(&self, queue: QueueId, after: Option<WaitKey>, most: usize) -> Vec<WaitKey> {
        let groups = self.waiting.groups_in(queue);
        let mut groups: Vec<_> = groups.map(|(group, _)| group.behind(after)).collect();
        let firsts = groups.iter_mut().enumerate();
        let mut heap: BinaryHeap<Reverse<(WaitKey, usize)>> =
            firsts.filter_map(|(at, group)| Some(Reverse((group.next()?, at)))).collect();
        let mut keys = Vec::with_capacity(most);
        while keys.len() < most
            && let Some(Reverse((key, at))) = heap.pop()
        {
            keys.push(key);
            heap.extend(groups[at].next().map(|next| Reverse((next, at))));
        }
        keys
    }
}

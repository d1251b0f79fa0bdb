//! What the desk's events, and a look at its agents, mean to the people of a replication.

use super::super::answering::Answer;
use super::super::draw::dice_of;
use super::super::tally::QueueTally;
use super::{Coming, Floor, Here, Seen};
use crate::desk::agent::Connection;
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, ConversationId, OfferId};
use crate::desk::load::WHOLE;
use crate::desk::settings::ChannelId;
use std::sync::Arc;

impl Floor<'_> {
    pub(super) fn tally(&mut self, queue: &Arc<str>) -> &mut QueueTally {
        if !self.tally.queues.contains_key(queue) {
            self.tally.queues.insert(queue.clone(), QueueTally::default());
        }
        self.tally.queues.get_mut(queue).expect("it was just put")
    }

    /// It is no longer among those who are here.
    pub(super) fn leaves(&mut self, id: ConversationId) -> Option<Here> {
        let here = self.here.remove(&id)?;
        if here.accepts == 0 {
            self.waiting -= 1;
            self.level.waiting = self.waiting as f64;
        }
        Some(here)
    }

    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::OfferMade { offer, conversation, agent, .. } => self.is_offered(*offer, *conversation, *agent),
            Event::OfferEnded { conversation, end, .. } => {
                let Some(here) = self.here.get(conversation) else { return };
                let (queue, counts) = (here.queue.clone(), here.counts);
                match end {
                    OfferEnd::Accepted => self.is_accepted(*conversation),
                    OfferEnd::Rejected if counts => self.tally(&queue).rejected += 1,
                    OfferEnd::Expired if counts => self.tally(&queue).expired += 1,
                    _ => {}
                }
            }
            Event::ConversationEnded { conversation, .. } => {
                if let Some(here) = self.leaves(*conversation).filter(|here| here.counts && here.accepts == 0) {
                    self.tally(&here.queue).ended_by_rule += 1;
                }
            }
            _ => {}
        }
    }

    fn is_offered(&mut self, offer: OfferId, conversation: ConversationId, agent: AgentId) {
        let Some(crew) = self.crew.get(&agent) else { return };
        let answering = &self.scenario.crew[crew.member].answering;
        let Some(here) = self.here.get_mut(&conversation) else { return };
        here.offers += 1;
        let mut dice = dice_of(self.seed, [3, here.dice, u64::from(here.offers)]);
        let (queue, counts) = (here.queue.clone(), here.counts);
        let answer = answering.of_one(&mut dice);
        if counts {
            self.tally(&queue).offers += 1;
        }
        // A client that shows it: the agent sees it at once, and thinks.
        match answer {
            Answer::Accepts(ms) => self.plan(self.now_ms + ms, Coming::Answers(agent, offer, true)),
            Answer::Rejects(ms) => self.plan(self.now_ms + ms, Coming::Answers(agent, offer, false)),
            Answer::Never => {}
        }
        self.plan(self.now_ms, Coming::Shown(agent, offer));
    }

    fn is_accepted(&mut self, conversation: ConversationId) {
        let (now_ms, within) = (self.now_ms, self.scenario.accepted_within_ms);
        let Some(here) = self.here.get_mut(&conversation) else { return };
        here.accepts += 1;
        let (first, accepts) = (here.accepts == 1, here.accepts);
        let (queue, counts, waited) = (here.queue.clone(), here.counts, now_ms - here.arrived_ms);
        let finishes_ms = now_ms + here.handling_ms;
        self.plan(finishes_ms, Coming::Finishes(conversation, accepts));
        if !first {
            return;
        }
        self.waiting -= 1;
        self.level.waiting = self.waiting as f64;
        if counts {
            let tally = self.tally(&queue);
            tally.accepted += 1;
            tally.accepted_in_time += u64::from(waited <= within);
            tally.waits.add(waited);
        }
    }

    /// What this agent is worth to the levels now; and where it was turned away, or has finished its last, it acts on it.
    pub(super) fn look_at(&mut self, agent: AgentId) {
        let Some(crew) = self.crew.get_mut(&agent) else { return };
        let Some(held) = self.desk.agent(agent) else { return };
        let settings = self.desk.settings();
        let able = held.is_able(settings);
        let holds = !held.conversations.is_empty() || !held.offers.is_empty();
        let mut load = f64::from(held.share_held(settings)) / 10_000.0;
        for place in 0..settings.channels.len() {
            let channel = ChannelId(place as u8);
            let limit = held.limit_on(settings, channel);
            if limit > 0 {
                load = load.max(f64::from(held.load.on(channel)) / f64::from(limit * WHOLE));
            }
        }
        let now = Seen { staffed: able || holds, busy: holds, load: load.min(1.0) };
        let before = std::mem::replace(&mut crew.seen, now);
        let one = |held: bool| if held { 1.0 } else { 0.0 };
        self.level.staffed += one(now.staffed) - one(before.staffed);
        self.level.busy += one(now.busy) - one(before.busy);
        self.level.load += now.load - before.load;
        let online = held.connection != Connection::Offline;
        let member = crew.member;
        if crew.on_shift && online && !able && !crew.comes_back {
            crew.comes_back = true;
            let mut dice = dice_of(self.seed, [4, u64::from(agent.0), self.now_ms]);
            let back_ms = self.scenario.crew[member].answering.back.ms(&mut dice);
            self.plan(self.now_ms + back_ms, Coming::BackAgain(member as u32));
        } else if !crew.on_shift && online && !holds {
            self.plan(self.now_ms, Coming::GoesHome(member as u32));
        }
    }

    /// Whoever still waits when the run ends.
    pub(super) fn close(&mut self) {
        for here in std::mem::take(&mut self.here).into_values().filter(|here| here.counts && here.accepts == 0) {
            self.tally(&here.queue).left_waiting += 1;
        }
    }
}

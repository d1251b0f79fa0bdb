//! Conversations that begin and cease to wait: put into the group that needs what they need, listed as not yet looked at,
//! and moved to another group when what they need, or for whom they are kept, has changed.

use super::Desk;
use super::able::{Presence, presence_of};
use super::conversation::{State, WaitKey};
use super::deadlines::ByWall;
use super::ids::{AgentId, ConversationId, QueueId};
use super::offering::Meanwhile;
use super::time::WallTime;
use super::waiting::Common;

impl Desk {
    /// By what it is ordered among those that wait.
    pub(super) fn key_of(&self, id: ConversationId) -> WaitKey {
        let held = &self.conversations[&id];
        held.wait_key(id, self.queues[&held.queue].settings.offering.accept_within_ms)
    }

    /// When its age reaches its next ring; `None` when it has reached all, or has yet to begin to wait.
    fn next_ring(&self, id: ConversationId) -> Option<WallTime> {
        let held = &self.conversations[&id];
        if held.spell.left {
            return None;
        }
        let rings = &self.queues[&held.queue].settings.offering.rings;
        let ring = rings.get(usize::from(held.ring))?;
        Some(WallTime(held.waiting_since.0.saturating_add(ring.after_ms)))
    }

    /// When it has waited its longest in this queue, or so long once more since its priority was raised.
    pub(super) fn longest_of(&self, id: ConversationId) -> Option<WallTime> {
        let held = &self.conversations[&id];
        if held.spell.left {
            return None;
        }
        let longest_ms = self.queues[&held.queue].settings.waiting.waiting_ms_max?;
        let times = u64::from(held.spell.raised) + 1;
        Some(WallTime(held.spell.from.0.saturating_add(longest_ms.saturating_mul(times))))
    }

    /// What time does to one that waits: its next ring, its longest wait, the closing of its queue.
    pub(super) fn dues_of_wait(&self, id: ConversationId) -> [Option<WallTime>; 3] {
        [self.next_ring(id), self.longest_of(id), self.closing_of(&self.conversations[&id])]
    }

    fn next_due_of_wait(&self, id: ConversationId) -> Option<WallTime> {
        self.dues_of_wait(id).into_iter().flatten().min()
    }

    pub(super) fn start_waiting(&mut self, id: ConversationId) {
        self.begin_if_open(id);
        let key = self.key_of(id);
        let held = &self.conversations[&id];
        let common = Common { queue: held.queue, need: self.need_of(held), next_offer: self.next_offer_of(held) };
        if let Some(wished) = held.wished_agent().filter(|wished| wished.until.is_some()) {
            self.preferring.add(wished.agent, id);
            // For whom it is kept was told by how that agent stands at this moment, which need not be how it was last looked at.
            let presence = presence_of(&self.agents[wished.agent.0 as usize], &self.settings);
            if self.preferred_seen.get(&wished.agent).is_some_and(|seen| *seen != presence) {
                self.preferred_seen.remove(&wished.agent);
                self.preferred_changed.insert(wished.agent);
            }
        }
        if let Some(at) = self.next_due_of_wait(id) {
            self.deadlines.set_by_wall(at, ByWall::wait(id));
        }
        let held = &self.conversations[&id];
        if !held.cool_downs.is_empty() {
            self.waiting.cooling.insert(id);
        }
        self.list_programs_first(id, &common.need.queues);
        self.waiting.add(key, common, &mut self.skills);
        self.unpaired_conversations.insert(key);
    }

    pub(super) fn stop_waiting(&mut self, id: ConversationId) {
        let key = self.key_of(id);
        if let Some(wished) = self.conversations[&id].wished_agent()
            && self.preferring.remove(wished.agent, id)
        {
            self.preferred_seen.remove(&wished.agent);
        }
        if let Some(at) = self.next_due_of_wait(id) {
            self.deadlines.clear_by_wall(at, ByWall::wait(id));
        }
        if !self.conversations[&id].cool_downs.is_empty() {
            self.waiting.cooling.remove(&id);
        }
        self.unlist_programs_first(id);
        self.waiting.remove(key, &mut self.skills);
        self.unpaired_conversations.remove(&key);
    }

    /// Whether any queue lets go of what is kept for an agent without room, so that rooms matter.
    pub(super) fn look_who_skips_busy(&mut self) {
        let rules = self.queues.values().map(|queue| queue.settings.offering.preferred_agent.when_busy);
        let skips = rules.into_iter().any(|rule| rule == Meanwhile::Skip);
        if skips != self.skips_busy {
            self.skips_busy = skips;
            self.preferred_seen.clear();
            self.preferred_changed.extend(self.preferring.agents());
        }
    }

    /// Before a queue's settings change: all that wait there, which then start again by the new ones.
    pub(super) fn stop_waiting_in(&mut self, queue: QueueId) -> Vec<ConversationId> {
        let all = self.waiting.in_queue(queue);
        all.iter().for_each(|id| self.stop_waiting(*id));
        all
    }

    pub(super) fn start_waiting_again(&mut self, all: &[ConversationId]) {
        all.iter().for_each(|id| self.start_waiting(*id));
    }

    /// Bring what is derived from agents up to date with those that changed. Before a decision, and at the end of each.
    pub(super) fn settle(&mut self) {
        while let Some(id) = self.able.next_stale() {
            if self.agents[id.0 as usize].over_limit {
                self.look_at_limits(id);
            }
            let (agent, levels) = (&self.agents[id.0 as usize], self.skills.of_agent(id));
            if self.able.place(id, agent, levels, &self.settings) {
                self.unpaired_agents.insert(id);
            }
            self.look_at_program(id);
        }
        while let Some(agent) = self.preferred_changed.pop_first() {
            self.keep_or_let_go(agent);
        }
    }

    /// A preferred agent changed: those that are kept for it, or were to be, may now be others' or its own.
    fn keep_or_let_go(&mut self, agent: AgentId) {
        if !self.preferring.is_for(agent) {
            self.preferred_seen.remove(&agent);
            return;
        }
        let presence = presence_of(&self.agents[agent.0 as usize], &self.settings);
        let before = self.preferred_seen.insert(agent, presence);
        let only_room = before.is_some_and(|seen| Presence { room: presence.room, ..seen } == presence);
        if before == Some(presence) || only_room && !self.skips_busy {
            return;
        }
        for id in self.preferring.of(agent).collect::<Vec<_>>() {
            let held = &self.conversations[&id];
            if before.is_some_and(|seen| self.waits_while(held, seen) == self.waits_while(held, presence)) {
                continue;
            }
            debug_assert_eq!(held.state, State::Waiting, "only those that wait are listed");
            let kept_for = self.need_of(held).kept_for;
            if self.waiting.group_of(id).is_some_and(|group| group.common.need.kept_for != kept_for) {
                self.stop_waiting(id);
                self.start_waiting(id);
            }
        }
    }
}

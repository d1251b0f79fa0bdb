//! Pairs what waits with who is able, after every command, until nothing more fits: no lost wake-up.
//!
//! Only what changed is looked at: an agent that became able or got room, a conversation that began to wait or whose
//! cool-down ended. Everything else was paired before, so no other pair can have become possible.

use super::conversation::{State, WaitKey};
use super::deciding::NextOffer;
use super::event::Event;
use super::fits::WhyNot;
use super::ids::{AgentId, ConversationId, OfferId, QueueId};
use super::lists::Listed;
use super::moves::Transfer;
use super::offering::AcrossQueues;
use super::settings::ChannelId;
use super::skills::{Mask, SkillId, level_of};
use super::sorted::Sorted;
use super::{Desk, EVENTS_PER_COMMAND_MAX};

/// Beyond so many skills an agent looks through the lists that there are, rather than for the list of each of its skills.
const SKILLS_LOOKED_UP_MAX: usize = 16;

impl Desk {
    pub(super) fn has_unpaired(&self) -> bool {
        !self.unpaired_agents.is_empty() || !self.unpaired_conversations.is_empty()
    }

    /// After a load: everything may have become possible.
    pub fn look_at_everything(&mut self) {
        self.unpaired_agents.extend((0..self.agents.len() as u32).map(AgentId));
        self.unpaired_conversations.extend(self.waiting.all());
    }

    /// Make every offer that has become possible; what is more than one command may decide waits for the next tick.
    pub(super) fn pair(&mut self, events: &mut Vec<Event>) {
        loop {
            self.settle();
            if events.len() >= EVENTS_PER_COMMAND_MAX {
                return;
            }
            // Agents first: what one of them was too busy for may be older than what just began to wait.
            if let Some(agent) = self.unpaired_agents.first().copied() {
                match self.first_for(agent) {
                    Some(conversation) => {
                        // Nobody else could take it a moment ago, and nobody else has changed.
                        let alone = self.unpaired_agents.len() == 1
                            && !self.unpaired_conversations.contains(&self.key_of(conversation));
                        self.offer_to_first(conversation, alone.then_some(agent), events);
                    }
                    None => {
                        self.unpaired_agents.remove(&agent);
                    }
                }
            } else if let Some(key) = self.unpaired_conversations.pop_first() {
                self.offer_to_first(key.conversation, None, events);
            } else {
                return;
            }
        }
    }

    /// The conversation that this agent takes next.
    pub(super) fn first_for(&self, id: AgentId) -> Option<ConversationId> {
        let agent = &self.agents[id.0 as usize];
        if self.may_be_offered(id).is_err() {
            return None;
        }
        let levels = self.skills.of_agent(id);
        let skilled = (Mask::of(levels), &**levels);
        let with_room = (0..self.settings.channels.len()).map(|place| ChannelId(place as u8));
        let with_room: Vec<ChannelId> = with_room.filter(|channel| agent.room_on(&self.settings, *channel)).collect();
        let mut best: Option<WaitKey> = None;
        let look_in = |list: &Sorted<Listed>, own: u8, best: &mut Option<WaitKey>| {
            let found = self.waiting.first_in(list, own, skilled, *best, |group, conversation| {
                self.could_take(id, &group.common.need)?;
                // Few cool down: the others need not be fetched from among a million.
                let cools = self.waiting.cooling.contains(&conversation)
                    && self.conversations[&conversation].cools_down(id, self.now.desk);
                if cools {
                    return Err(WhyNot::CoolingDown);
                }
                self.may_be_asked(id, group.common.next_offer, group.common.need.channel)
            });
            *best = found.or(*best);
        };
        let lists = &self.waiting.lists;
        // What is kept for it goes before whose turn it is.
        let kept = with_room.iter().filter_map(|channel| lists.kept_for(id, *channel));
        kept.for_each(|list| look_in(list, 0, &mut best));
        let by_weight = self.settings.across_queues == AcrossQueues::ByWeight;
        if by_weight && best.is_some() {
            return best.map(|key| key.conversation);
        }
        let turn_of = |queue: QueueId| if by_weight { agent.turns.of(queue) } else { 0 };
        let mut queues: Vec<(u64, QueueId)> =
            agent.profile.queues.iter().map(|queue| (turn_of(*queue), *queue)).collect();
        if by_weight {
            queues.sort_unstable();
        }
        let mut turn_found = None;
        for (turn, queue) in queues {
            if by_weight && turn_found.is_some_and(|found| found < turn) {
                break;
            }
            for channel in &with_room {
                let Some(of_queue) = lists.of(queue, *channel) else { continue };
                let mut found: Vec<(WaitKey, u8, &Sorted<Listed>)> = Vec::with_capacity(SKILLS_LOOKED_UP_MAX + 1);
                let mut look = |skill: Option<SkillId>, own: u8| {
                    found.extend(of_queue.of(skill).map(|(first, list)| (first, own, list)));
                };
                look(None, 0);
                if levels.len() <= SKILLS_LOOKED_UP_MAX {
                    levels.iter().for_each(|(skill, level)| look(Some(*skill), *level));
                } else {
                    let with_skill = of_queue.skills().map(|skill| (skill, level_of(levels, skill)));
                    with_skill.filter(|(_, level)| *level > 0).for_each(|(skill, level)| look(Some(skill), level));
                }
                // What comes first is looked into first: after that most lists hold nothing that comes before it.
                found.sort_unstable_by_key(|(first, _, _)| *first);
                for (first, own, list) in found {
                    if best.is_some_and(|best| best <= first) {
                        break;
                    }
                    look_in(list, own, &mut best);
                }
            }
            turn_found = best.map(|_| turn);
        }
        best.map(|key| key.conversation)
    }

    /// Offer a waiting conversation to whoever comes first, or to the first few where its queue says so; where the outside decides,
    /// ask it. `only` is the one agent who can take it, where that is known.
    fn offer_to_first(&mut self, id: ConversationId, only: Option<AgentId>, events: &mut Vec<Event>) {
        let held = &self.conversations[&id];
        if held.state != State::Waiting {
            return;
        }
        match self.next_offer_of(held) {
            NextOffer::Asked => {}
            NextOffer::Outsides => self.want_decision(id, only, events),
            NextOffer::Offhooks => {
                for agent in only.map_or_else(|| self.choose(id), |agent| vec![agent]) {
                    self.make_offer(id, agent, None, events);
                }
            }
        }
    }

    /// Offer it for as long as its queue, or its channel, says; longer to who needs longer.
    pub(super) fn make_offer(
        &mut self,
        conversation: ConversationId,
        agent: AgentId,
        transfer: Option<Transfer>,
        events: &mut Vec<Event>,
    ) -> OfferId {
        let held = &self.conversations[&conversation];
        let queue = &self.queues[&held.queue].settings;
        let channel = &self.settings.channels[usize::from(held.channel.0)];
        let offer_ms = queue.offer_ms.unwrap_or(channel.offer_ms);
        let profile = &self.agents[agent.0 as usize].profile;
        let offer_ms = if profile.program { self.settings.program_offer_ms } else { offer_ms };
        let offer_ms = offer_ms * u64::from(profile.offer_percent) / 100;
        let deliver_ms = self.settings.delivery_ms.min(offer_ms / 2);
        let offer = OfferId(self.last_offer + 1);
        let (ends_at, deliver_by) = (self.now.desk.plus_ms(offer_ms), self.now.desk.plus_ms(deliver_ms));
        let queue = Some(held.queue);
        self.emit(events, Event::OfferMade { offer, conversation, agent, ends_at, deliver_by, transfer, queue });
        offer
    }

    /// Decide an event: it is true at once for the rest of the command. Clocks of service follow it.
    pub(super) fn emit(&mut self, events: &mut Vec<Event>, event: Event) {
        self.clocks_before(&event, events);
        self.emit_alone(events, event);
        self.clocks_after(events);
    }

    /// The same, and no clock follows it.
    pub(super) fn emit_alone(&mut self, events: &mut Vec<Event>, event: Event) {
        self.apply(&event);
        events.push(event);
    }
}

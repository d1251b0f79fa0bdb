//! Among the agents who may take a conversation, those who come first: by queue, tier, people before programs, preferred skills and
//! the queue's rule.

use super::Desk;
use super::able::{Turn, rank_of};
use super::conversation::Conversation;
use super::deciding::NextOffer;
use super::ids::{AgentId, ConversationId};
use super::need::Need;
use super::offering::AgentsBy;
use super::skills::{SkillId, level_of};
use std::cmp::Reverse;
use std::sync::Arc;

/// Where several levels add up, so many agents of the smallest set are compared at most, the best of one skill first.
pub const COMPARED_MAX: usize = 1_000;

/// The order of agents for one conversation: the least comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Standing {
    /// 0: of the conversation's own queue; then those that its rings added, in their order.
    pub queue: usize,
    pub tier: u8,
    /// People before programs.
    pub program: bool,
    /// The sum of levels over the required skills, where the queue goes by them.
    pub required: Reverse<u32>,
    /// The sum of levels over the preferred skills.
    pub preferred: Reverse<u32>,
    pub first: u32,
    pub second: u64,
    pub agent: AgentId,
}

impl Desk {
    /// Whom this conversation is offered to now, best first; as many as its queue says.
    pub(super) fn choose(&mut self, id: ConversationId) -> Vec<AgentId> {
        let queue = &self.queues[&self.conversations[&id].queue].settings;
        self.best(id, usize::from(queue.offering.offer_to_at_most), NextOffer::Offhooks)
    }

    /// The first of those who would be asked for its next offer, best first.
    pub(super) fn best(&mut self, id: ConversationId, most: usize, next: NextOffer) -> Vec<AgentId> {
        self.able.put_in_place();
        let conversation = &self.conversations[&id];
        let by = self.queues[&conversation.queue].settings.offering.agents_by;
        let made;
        let need = match self.waiting.group_of(id) {
            Some(group) => &group.common.need,
            None => {
                made = self.need_of(conversation);
                &made
            }
        };
        if need.closed {
            return Vec::new();
        }
        if let Some(agent) = need.kept_for {
            let asked = self.would_be_asked(agent, conversation, need, next);
            return if asked.is_ok() { vec![agent] } else { Vec::new() };
        }
        if need.only_programs {
            return self.programs_that_fit(conversation, need, next, most);
        }
        let skills: Option<Vec<SkillId>> = need.skills.iter().map(|skill| self.skills.numbered(&skill.name)).collect();
        // A skill that nobody has.
        let Some(skills) = skills else { return Vec::new() };
        let wished = conversation.wishes.iter().flat_map(|wishes| &wishes.skills);
        let wished: Vec<SkillId> = wished.filter_map(|name| self.skills.numbered(name)).collect();
        for queue in &*need.queues {
            self.able.want(*queue, need.channel, None);
            for skill in skills.iter().chain(&wished) {
                self.able.want(*queue, need.channel, Some(*skill));
            }
        }
        let compares = !wished.is_empty() || by == AgentsBy::MostSkilled && skills.len() > 1;
        if !compares {
            return self.first_fits(conversation, need, next, &skills).take(most).map(|(_, turn)| turn.agent).collect();
        }
        let mut standings: Vec<Standing> = Vec::new();
        let mut add = |(queue, turn): (usize, Turn)| {
            let standing = self.standing(queue, turn, by, &skills, &wished);
            if standings.iter().all(|held| held.agent != standing.agent) {
                standings.push(standing);
            }
        };
        for skill in &wished {
            for (place, queue) in need.queues.iter().enumerate() {
                let turns = self.able.turns(*queue, need.channel, *skill);
                let fit = turns
                    .take(COMPARED_MAX)
                    .filter(|turn| self.would_be_asked(turn.agent, conversation, need, next).is_ok());
                fit.for_each(|turn| add((place, turn)));
            }
        }
        // Whoever has none of the preferred skills comes in the queue's own order.
        let rest = if by == AgentsBy::MostSkilled { COMPARED_MAX } else { most };
        self.first_fits(conversation, need, next, &skills).take(rest).for_each(add);
        standings.sort_unstable();
        standings.iter().take(most).map(|standing| standing.agent).collect()
    }

    /// Those who fit in the order of their queues' rules, with the place of the queue.
    fn first_fits<'a>(
        &'a self,
        conversation: &'a Conversation,
        need: &'a Need,
        next: NextOffer,
        skills: &'a [SkillId],
    ) -> impl Iterator<Item = (usize, Turn)> {
        let queues = need.queues.iter().enumerate();
        let turns = queues.flat_map(move |(place, queue)| {
            self.able.smallest(*queue, need.channel, skills).map(move |turn| (place, turn))
        });
        turns.filter(move |(place, turn)| {
            let agent = &self.agents[turn.agent.0 as usize];
            let levels = self.skills.of_agent(turn.agent);
            if !skills.iter().all(|skill| level_of(levels, *skill) > 0) {
                return false;
            }
            let here = *place == 0 || need.queue_of(&agent.profile).is_some_and(|(first, _)| first == *place);
            here && self.would_be_asked(turn.agent, conversation, need, next).is_ok()
        })
    }

    /// Where an agent stands for this conversation, by the names of its skills; `None` when it is in none of its queues.
    pub(super) fn standing_of(&self, agent: AgentId, conversation: &Conversation, need: &Need) -> Option<Standing> {
        let held = &self.agents[agent.0 as usize];
        let (queue, tier) = need.queue_of(&held.profile)?;
        let level = |name: &Arc<str>| u32::from(held.profile.skills.get(name).copied().unwrap_or(0));
        let required = match self.queues[&conversation.queue].settings.offering.agents_by {
            AgentsBy::MostSkilled => need.skills.iter().map(|skill| level(&skill.name)).sum(),
            AgentsBy::LongestIdle | AgentsBy::LeastLoaded | AgentsBy::RoundRobin => 0,
        };
        let preferred = conversation.wishes.iter().flat_map(|wishes| &wishes.skills).map(level).sum();
        let by = self.queues[&need.queues[queue]].settings.offering.agents_by;
        let (first, second) = rank_of(held, &self.settings, by);
        let (required, preferred) = (Reverse(required), Reverse(preferred));
        Some(Standing { queue, tier, program: held.profile.program, required, preferred, first, second, agent })
    }

    fn standing(&self, queue: usize, turn: Turn, by: AgentsBy, skills: &[SkillId], wished: &[SkillId]) -> Standing {
        let levels = self.skills.of_agent(turn.agent);
        let sum = |skills: &[SkillId]| skills.iter().map(|skill| u32::from(level_of(levels, *skill))).sum();
        let required = if by == AgentsBy::MostSkilled { sum(skills) } else { 0 };
        let (required, preferred) = (Reverse(required), Reverse(sum(wished)));
        let Turn { tier, program, first, second, agent, .. } = turn;
        Standing { queue, tier, program, required, preferred, first, second, agent }
    }
}

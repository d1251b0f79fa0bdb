//! Programs first, then people: for which waiting conversations only programs are let in, and which programs could take them.
//!
//! A queue that is `programs_first` keeps people out until a ring lets them in, but only while some program could take the
//! conversation at all: one that is there, has the skills and has not said no. Busy ones are waited for; otherwise people
//! have it at once, so nobody waits for programs that are not there.

use super::Desk;
use super::agent::Agent;
use super::choosing::Standing;
use super::conversation::Conversation;
use super::deciding::NextOffer;
use super::ids::{AgentId, ConversationId, QueueId};
use super::need::{Need, has_skills};
use super::settings::{ChannelId, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// Derived from agents and waiting conversations alone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Programs {
    stand: BTreeMap<AgentId, Stand>,
    by_queue: BTreeMap<QueueId, BTreeSet<AgentId>>,
    /// Waiting conversations whose rings have not let people in yet, by each queue that they are taken from.
    first: BTreeSet<(QueueId, ConversationId)>,
}

/// How a program stands, apart from the room it has.
#[derive(Clone, PartialEq, Debug)]
struct Stand {
    /// A bit for each channel that it takes at all; none while nothing may be offered to it.
    channels: u16,
    queues: Vec<QueueId>,
}

impl Stand {
    fn of(agent: &Agent, settings: &Settings) -> Self {
        let takes = |place: &usize| {
            let channel = ChannelId(*place as u8);
            let weight = settings.channels[*place].weight;
            agent.has_channel(channel) && agent.limit_on(settings, channel) > 0 && weight <= agent.profile.total()
        };
        let places = (0..settings.channels.len()).filter(|_| agent.is_able(settings)).filter(takes);
        Self { channels: places.fold(0, |bits, place| bits | 1 << place), queues: agent.profile.queues.clone() }
    }
}

impl Programs {
    /// The profile changed: whatever is known of it is so no longer. Gives whether it was a program.
    fn forget(&mut self, id: AgentId) -> Option<Stand> {
        let stand = self.stand.remove(&id)?;
        for queue in &stand.queues {
            if let Some(held) = self.by_queue.get_mut(queue) {
                held.remove(&id);
                if held.is_empty() {
                    self.by_queue.remove(queue);
                }
            }
        }
        Some(stand)
    }
}

impl Desk {
    /// Whether its rings have not let people in yet, where its queue is for programs first.
    pub(super) fn is_programs_first(&self, conversation: &Conversation) -> bool {
        let offering = &self.queues[&conversation.queue].settings.offering;
        let reached = usize::from(conversation.ring);
        offering.programs_first && !offering.rings.iter().take(reached).any(|ring| ring.people)
    }

    /// Whether only programs are let in now: it is for them first, and one of them could take it.
    pub(super) fn only_programs(&self, conversation: &Conversation, need: &Need) -> bool {
        need.kept_for.is_none()
            && self.is_programs_first(conversation)
            && self.programs_of(need).any(|program| self.program_could(program, conversation, need))
    }

    fn programs_of<'a>(&'a self, need: &'a Need) -> impl Iterator<Item = AgentId> + 'a {
        need.queues.iter().flat_map(|queue| self.programs.by_queue.get(queue).into_iter().flatten().copied())
    }

    /// Whether it could take the conversation, now or when it has room again.
    fn program_could(&self, program: AgentId, conversation: &Conversation, need: &Need) -> bool {
        let profile = &self.agents[program.0 as usize].profile;
        self.programs.stand[&program].channels & 1 << need.channel.0 != 0
            && need.queue_of(profile).is_some_and(|(_, tier)| tier <= need.tiers_up_to)
            && has_skills(&profile.skills, &need.skills)
            && !conversation.cools_down(program, self.now.desk)
    }

    /// The programs that fit, in their order. They are few, so they are looked at one by one and not in the order of the queue,
    /// where all people of a tier come before them.
    pub(super) fn programs_that_fit(
        &self,
        conversation: &Conversation,
        need: &Need,
        next: NextOffer,
        most: usize,
    ) -> Vec<AgentId> {
        let fit = self.programs_of(need).collect::<BTreeSet<AgentId>>().into_iter();
        let fit = fit.filter(|program| self.would_be_asked(*program, conversation, need, next).is_ok());
        let mut standings: Vec<Standing> =
            fit.filter_map(|program| self.standing_of(program, conversation, need)).collect();
        standings.sort_unstable();
        standings.iter().take(most).map(|standing| standing.agent).collect()
    }

    pub(super) fn list_programs_first(&mut self, id: ConversationId, queues: &[QueueId]) {
        if self.is_programs_first(&self.conversations[&id]) {
            self.programs.first.extend(queues.iter().map(|queue| (*queue, id)));
        }
    }

    /// Before it ceases to wait.
    pub(super) fn unlist_programs_first(&mut self, id: ConversationId) {
        if self.programs.first.is_empty() {
            return;
        }
        for queue in self.waiting.group_of(id).into_iter().flat_map(|group| &*group.common.need.queues) {
            self.programs.first.remove(&(*queue, id));
        }
    }

    /// An agent changed: where it is a program, people may be let in at once, or no longer.
    pub(super) fn look_at_program(&mut self, id: AgentId) {
        let agent = &self.agents[id.0 as usize];
        let now = agent.profile.program.then(|| Stand::of(agent, &self.settings));
        if self.programs.stand.get(&id) == now.as_ref() && !self.programs_moved.contains(&id) {
            return;
        }
        self.programs_moved.remove(&id);
        let before = self.programs.forget(id);
        let queues = before.iter().chain(&now).flat_map(|stand| stand.queues.clone()).collect::<BTreeSet<_>>();
        if let Some(stand) = now {
            for queue in &stand.queues {
                self.programs.by_queue.entry(*queue).or_default().insert(id);
            }
            self.programs.stand.insert(id, stand);
        }
        let from_to = |queue: QueueId| (queue, ConversationId(0))..=(queue, ConversationId(u64::MAX));
        let listed = queues.into_iter().flat_map(|queue| self.programs.first.range(from_to(queue)));
        for conversation in listed.map(|(_, conversation)| *conversation).collect::<BTreeSet<_>>() {
            let need = self.need_of(&self.conversations[&conversation]);
            let held = self.waiting.group_of(conversation).map(|group| group.common.need.only_programs);
            if held.is_some_and(|held| held != need.only_programs) {
                self.stop_waiting(conversation);
                self.start_waiting(conversation);
            }
        }
    }
}

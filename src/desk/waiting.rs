//! The conversations that wait, in groups that need the same of an agent, each in the order they are taken in.

use super::agent::Agent;
use super::conversation::{Conversation, WaitKey};
use super::event::RequiredSkill;
use super::ids::{ConversationId, QueueId};
use super::settings::{ChannelId, Settings};
use super::time::WallTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Group = (QueueId, ChannelId, Vec<RequiredSkill>);

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Waiting {
    groups: BTreeMap<Group, BTreeSet<WaitKey>>,
}

impl Waiting {
    pub fn add(&mut self, id: ConversationId, conversation: &Conversation) {
        self.groups.entry(group_of(conversation)).or_default().insert(conversation.wait_key(id));
    }

    pub fn remove(&mut self, id: ConversationId, conversation: &Conversation) {
        let group = group_of(conversation);
        if let Some(set) = self.groups.get_mut(&group) {
            set.remove(&conversation.wait_key(id));
            if set.is_empty() {
                self.groups.remove(&group);
            }
        }
    }

    /// The conversation that comes first among those that this agent may take and that `open` lets pass.
    pub fn first_for(
        &self,
        agent: &Agent,
        settings: &Settings,
        open: impl Fn(ConversationId) -> bool,
    ) -> Option<ConversationId> {
        let mut best: Option<WaitKey> = None;
        for queue in &agent.profile.queues {
            for place in 0..settings.channels.len() {
                let channel = ChannelId(place as u8);
                if !agent.room_on(settings, channel) {
                    continue;
                }
                let next = ChannelId(channel.0 + 1);
                let groups = self.groups.range((*queue, channel, Vec::new())..(*queue, next, Vec::new()));
                for ((_, _, skills), set) in groups {
                    if !has_skills(&agent.profile.skills, skills) {
                        continue;
                    }
                    let in_time = set.iter().take_while(|key| best.is_none_or(|best| **key < best));
                    if let Some(key) = in_time.into_iter().find(|key| open(key.conversation)) {
                        best = Some(*key);
                    }
                }
            }
        }
        best.map(|key| key.conversation)
    }

    /// Since when the oldest of a queue waits.
    #[must_use]
    pub fn oldest_in(&self, queue: QueueId) -> Option<WallTime> {
        self.of_queue(queue).flatten().map(WaitKey::waiting_since).min()
    }

    fn of_queue(&self, queue: QueueId) -> impl Iterator<Item = &BTreeSet<WaitKey>> {
        let to = (QueueId(queue.0 + 1), ChannelId(0), Vec::new());
        self.groups.range((queue, ChannelId(0), Vec::new())..to).map(|(_, set)| set)
    }

    /// All that wait in a queue, in the order they are taken in.
    #[must_use]
    pub fn in_queue(&self, queue: QueueId) -> Vec<ConversationId> {
        let mut keys: Vec<WaitKey> = self.of_queue(queue).flatten().copied().collect();
        keys.sort_unstable();
        keys.into_iter().map(|key| key.conversation).collect()
    }

    pub fn all(&self) -> impl Iterator<Item = ConversationId> + '_ {
        self.groups.values().flatten().map(|key| key.conversation)
    }
}

fn group_of(conversation: &Conversation) -> Group {
    (conversation.queue, conversation.channel, conversation.skills.clone())
}

/// Whether these levels meet what is required.
#[must_use]
pub fn has_skills(levels: &BTreeMap<Arc<str>, u8>, required: &[RequiredSkill]) -> bool {
    required.iter().all(|skill| levels.get(&skill.name).is_some_and(|level| *level >= skill.level))
}

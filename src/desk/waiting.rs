//! The conversations that wait, in groups that need the same of an agent, each in the order they are taken in.
//!
//! A group is listed, by its first conversation, for each queue that it is taken from, under the rarest skill that it needs:
//! an agent that became free looks at the lists of its own skills, and not at groups that it could never take.

use super::conversation::WaitKey;
use super::deciding::NextOffer;
use super::fits::WhyNot;
use super::ids::{ConversationId, QueueId};
use super::keys::Keys;
use super::lists::{List, Listed, Lists, Rarest};
use super::need::Need;
use super::paged::Paged;
use super::settings::ChannelId;
use super::skills::{Mask, SkillId, Skills, meets};
use super::sorted::Sorted;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::ops::Bound;

/// Priorities of one queue that are added up.
const PRIORITIES_COUNTED_MAX: usize = 100;

/// What the conversations of a group have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Common {
    /// The queue they wait in.
    pub queue: QueueId,
    pub need: Need,
    pub next_offer: NextOffer,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub common: Common,
    pub skills: Box<[(SkillId, u8)]>,
    /// Of what they have in common.
    hash: u64,
    /// Of the skills, the rarest when the group was made: the list's own, and what of it and the next is listed.
    rarest: Option<SkillId>,
    listed: Rarest,
    /// Where it is listed among those of its queue.
    place: u32,
    set: Keys,
}

#[derive(Clone, Debug, Default)]
pub struct Waiting {
    groups: Vec<Option<Box<Group>>>,
    free: Vec<u32>,
    /// Groups by the hash of what they have in common: numbers side by side, where comparing what a need names goes all over memory.
    by_hash: Sorted<(u64, u32)>,
    /// The group of each, its number and one.
    of: Paged<ConversationId, NonZeroU32>,
    pub lists: Lists,
    /// Those that some agent is spared, for now or not long ago.
    pub cooling: BTreeSet<ConversationId>,
    /// The numbers of each queue's groups, in no order.
    by_queue: BTreeMap<QueueId, Vec<u32>>,
    /// How many wait in each queue, by priority, the highest first.
    by_priority: BTreeMap<(QueueId, Reverse<i32>), u32>,
}

/// Two are equal when the same wait in the same groups; numbers of skills and groups are each desk's own.
impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        fn sets(waiting: &Waiting) -> BTreeMap<&Common, Vec<WaitKey>> {
            waiting.groups.iter().flatten().map(|group| (&group.common, group.set.iter().collect())).collect()
        }
        self.of.len() == other.of.len() && self.cooling == other.cooling && sets(self) == sets(other)
    }
}

impl Waiting {
    pub fn add(&mut self, key: WaitKey, common: Common, skills: &mut Skills) {
        let hash = hash_of(&common);
        let alike = self.by_hash.from(Bound::Included((hash, 0))).take_while(|(held, _)| *held == hash);
        let at = match alike.map(|(_, at)| at).find(|at| self.group(*at).common == common) {
            Some(at) => at,
            None => self.make(common, hash, skills),
        };
        self.of.insert(key.conversation, NonZeroU32::MIN.saturating_add(at));
        *self.by_priority.entry((self.group(at).common.queue, Reverse(key.priority()))).or_default() += 1;
        self.change(at, |set| set.insert(key));
    }

    pub fn remove(&mut self, key: WaitKey, skills: &mut Skills) {
        let at = self.of.remove(&key.conversation).expect("it waits").get() - 1;
        self.change(at, |set| {
            assert!(set.remove(&key), "it waits under the key that it was put under");
        });
        let alike = (self.group(at).common.queue, Reverse(key.priority()));
        let count = self.by_priority.get_mut(&alike).expect("it was counted");
        *count -= 1;
        if *count == 0 {
            self.by_priority.remove(&alike);
        }
        if self.group(at).set.is_empty() {
            self.unmake(at, skills);
        }
    }

    fn unmake(&mut self, at: u32, skills: &mut Skills) {
        let group = self.groups[at as usize].take().expect("a group that is here");
        self.free.push(at);
        self.by_hash.remove(&(group.hash, at));
        group.skills.iter().for_each(|(skill, _)| skills.release(*skill));
        let of_queue = self.by_queue.get_mut(&group.common.queue).expect("it was listed");
        of_queue.swap_remove(group.place as usize);
        match of_queue.get(group.place as usize) {
            Some(moved) => self.groups[*moved as usize].as_mut().expect("a group that is here").place = group.place,
            None if of_queue.is_empty() => {
                self.by_queue.remove(&group.common.queue);
            }
            None => {}
        }
    }

    fn make(&mut self, common: Common, hash: u64, skills: &mut Skills) -> u32 {
        let mut needed: Vec<(SkillId, u8)> =
            common.need.skills.iter().map(|skill| (skills.take(&skill.name), skill.level)).collect();
        needed.sort_unstable();
        let mut by_rarity = needed.clone();
        by_rarity.sort_by_key(|(skill, _)| skills.agents_with(*skill));
        let rarest = by_rarity.first().map(|(skill, _)| *skill);
        // What is kept for one agent is listed under no skill, so that all that it needs is looked at.
        let listed = if common.need.kept_for.is_some() { Rarest::unknown() } else { Rarest::of(&by_rarity) };
        let queue = common.queue;
        let of_queue = self.by_queue.entry(queue).or_default();
        let place = of_queue.len() as u32;
        let group = Group { common, skills: needed.into(), hash, rarest, listed, place, set: Keys::default() };
        let at = self.free.pop().unwrap_or(self.groups.len() as u32);
        if at as usize == self.groups.len() {
            self.groups.push(None);
        }
        of_queue.push(at);
        self.groups[at as usize] = Some(Box::new(group));
        self.by_hash.insert((hash, at));
        at
    }

    /// Change a group's set, and list it by its new first.
    fn change(&mut self, at: u32, change: impl FnOnce(&mut Keys)) {
        let group = self.groups[at as usize].as_mut().expect("a group that is here");
        let before = group.set.first();
        change(&mut group.set);
        let now = group.set.first();
        if before == now {
            return;
        }
        let group = self.groups[at as usize].as_ref().expect("a group that is here");
        for list in lists_of(group) {
            if let Some(first) = before {
                self.lists.remove(list, &Listed { first, at, rarest: group.listed });
            }
            if let Some(first) = now {
                self.lists.insert(list, Listed { first, at, rarest: group.listed });
            }
        }
    }

    fn group(&self, at: u32) -> &Group {
        self.groups[at as usize].as_ref().expect("a group that is here")
    }

    /// The group in which this one waits.
    #[must_use]
    pub fn group_of(&self, id: ConversationId) -> Option<&Group> {
        self.of.get(&id).map(|at| self.group(at.get() - 1))
    }

    /// The first conversation of a list that comes before `best`, needs no more than these levels, and that fits. `own` is the level of
    /// the list's skill.
    pub fn first_in(
        &self,
        list: &Sorted<Listed>,
        own: u8,
        (mask, levels): (Mask, &[(SkillId, u8)]),
        best: Option<WaitKey>,
        fits: impl Fn(&Group, ConversationId) -> Result<(), WhyNot>,
    ) -> Option<WaitKey> {
        let mut found = best;
        for listed in list.iter() {
            if found.is_some_and(|found| listed.first >= found) {
                break;
            }
            if !listed.rarest.is_met(own, levels, &mask) {
                continue;
            }
            let group = self.group(listed.at);
            if listed.rarest.more && !meets(levels, &group.skills) {
                continue;
            }
            // The first is listed: the others are only looked at where it does not fit.
            let behind = std::iter::once_with(|| group.set.from(Bound::Excluded(listed.first))).flatten();
            let in_time = std::iter::once(listed.first).chain(behind);
            for key in in_time.take_while(|key| found.is_none_or(|found| *key < found)) {
                match fits(group, key.conversation) {
                    Ok(()) => {
                        found = Some(key);
                        break;
                    }
                    Err(rule) if rule.is_of_one_conversation() => {}
                    Err(_) => break,
                }
            }
        }
        found.filter(|found| best != Some(*found))
    }

    /// Groups that wait in a queue.
    pub fn groups_in(&self, queue: QueueId) -> impl Iterator<Item = (&Group, WaitKey)> {
        let of_queue = self.by_queue.get(&queue).into_iter().flatten().map(|at| self.group(*at));
        of_queue.filter_map(|group| Some((group, group.set.first()?)))
    }

    /// How many wait in a queue at this priority or a higher one. Where rules have made hundreds of priorities, of the first of them.
    #[must_use]
    pub fn ahead_of(&self, queue: QueueId, priority: i32) -> u32 {
        let ahead = self.by_priority.range((queue, Reverse(i32::MAX))..=(queue, Reverse(priority)));
        ahead.take(PRIORITIES_COUNTED_MAX).map(|(_, count)| count).sum()
    }

    /// The conversation that is first of a queue.
    #[must_use]
    pub fn first_of_queue(&self, queue: QueueId) -> Option<WaitKey> {
        self.groups_in(queue).map(|(_, first)| first).min()
    }

    /// Since when the oldest of a queue waits.
    #[must_use]
    pub fn oldest_in(&self, queue: QueueId) -> Option<super::time::WallTime> {
        let groups = self.groups_in(queue).flat_map(|(group, _)| group.firsts());
        groups.map(|key| key.waiting_since()).min()
    }

    /// All that wait in a queue, in the order they are taken in.
    #[must_use]
    pub fn in_queue(&self, queue: QueueId) -> Vec<ConversationId> {
        let mut keys: Vec<WaitKey> = self.groups_in(queue).flat_map(|(group, _)| group.set.iter()).collect();
        keys.sort_unstable();
        keys.into_iter().map(|key| key.conversation).collect()
    }

    /// The same, as keys, each with its channel.
    #[must_use]
    pub fn with_channel(&self, queue: QueueId) -> Vec<(WaitKey, ChannelId)> {
        let groups = self.groups_in(queue);
        let mut keys: Vec<(WaitKey, ChannelId)> =
            groups.flat_map(|(group, _)| group.set.iter().map(|key| (key, group.common.need.channel))).collect();
        keys.sort_unstable();
        keys
    }

    pub fn all(&self) -> impl Iterator<Item = WaitKey> + '_ {
        self.groups.iter().flatten().flat_map(|group| group.set.iter())
    }
}

impl Group {
    #[must_use]
    pub fn len(&self) -> usize {
        self.set.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Those behind `after`, in order.
    pub fn behind(&self, after: Option<WaitKey>) -> impl Iterator<Item = WaitKey> + '_ {
        self.set.from(after.map_or(Bound::Unbounded, Bound::Excluded))
    }

    /// The first of each priority, which holds the oldest of the group.
    fn firsts(&self) -> impl Iterator<Item = WaitKey> + '_ {
        let mut next = self.set.first();
        std::iter::from_fn(move || {
            let first = next?;
            next = self.set.from(Bound::Included(first.after_its_priority())).next();
            Some(first)
        })
    }
}

/// Where a group is looked for: by the agent it is kept for, or by agents of each of its queues; nowhere while its queue is closed, or
/// while the outside decides.
fn lists_of(group: &Group) -> Vec<List> {
    let need = &group.common.need;
    if need.closed || group.common.next_offer == NextOffer::Asked {
        return Vec::new();
    }
    match need.kept_for {
        Some(agent) => vec![List::KeptFor(agent, need.channel)],
        None => need.queues.iter().map(|queue| List::Of(*queue, need.channel, group.rarest)).collect(),
    }
}

/// The same in every process: FNV-1a, by eight bytes where it can.
fn hash_of(common: &Common) -> u64 {
    struct Fnv(u64);
    impl Hasher for Fnv {
        fn write(&mut self, bytes: &[u8]) {
            let (words, rest) = bytes.as_chunks();
            words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
            rest.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
        }
        fn write_u64(&mut self, word: u64) {
            self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
        fn write_u32(&mut self, word: u32) {
            self.write_u64(u64::from(word));
        }
        fn write_u8(&mut self, word: u8) {
            self.write_u64(u64::from(word));
        }
        fn write_usize(&mut self, word: usize) {
            self.write_u64(word as u64);
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    common.hash(&mut hasher);
    hasher.finish()
}

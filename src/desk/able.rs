//! The agents that could take something now, in the order of each queue's rule: for each queue and channel one ordered set,
//! and one for each skill that was ever looked for there. A decision walks the smallest set that holds all candidates.
//!
//! Sets are made when they are first looked for, so that an agent with many skills is only in those that somebody needs.
//! An agent that changed is marked; where it stands is worked out once, when the next decision begins, and the sets are told
//! only when one of them is looked into: most agents who got room are full again before that.

use super::agent::{Agent, Connection};
use super::ids::{AgentId, OfferId, QueueId};
use super::need::tier_in;
use super::offering::AgentsBy;
use super::settings::{ChannelId, Settings};
use super::skills::{Levels, SkillId, level_of};
use super::time::DeskTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Where an agent stands in one set: its tier, person or program, its level where the queue goes by levels, then the queue's rule, then its id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Turn {
    pub tier: u8,
    /// People before programs, so that a program never comes between two of them.
    pub program: bool,
    level: Reverse<u8>,
    pub first: u32,
    pub second: u64,
    pub agent: AgentId,
}

/// What an agent's places follow from.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Standing {
    /// A bit for each channel it has room on; none while nothing may be offered to it.
    room: u16,
    /// Connected, if only just now, in an available status; with or without room.
    there: bool,
    program: bool,
    pending: u32,
    /// In hundredths.
    weight_held: u32,
    share_held: u32,
    idle_since: DeskTime,
    last_offer: OfferId,
}

#[derive(Clone, Debug, Default)]
struct Places {
    standing: Standing,
    /// As the sets have it, where they were told.
    placed: Standing,
    unplaced: bool,
    /// Its queues, with its tier in each.
    queues: Vec<(QueueId, u8)>,
    skills: Option<Levels>,
    stale: bool,
    /// Its queues or skills changed too.
    moved: bool,
}

#[derive(Clone, Debug, Default)]
struct QueueSets {
    by: AgentsBy,
    members: BTreeSet<AgentId>,
    with_room: u32,
    there: u32,
    /// By channel, as far as any was looked for.
    channels: Vec<ChannelSets>,
}

/// The sets of one channel that were looked for.
#[derive(Clone, Debug, Default)]
struct ChannelSets {
    all: Option<BTreeSet<Turn>>,
    /// In order, with the set of each in the same place of `of_skills`.
    skills: Vec<SkillId>,
    of_skills: Vec<BTreeSet<Turn>>,
}

impl ChannelSets {
    fn of(&self, skill: Option<SkillId>) -> Option<&BTreeSet<Turn>> {
        match skill {
            None => self.all.as_ref(),
            Some(skill) => self.skills.binary_search(&skill).ok().map(|place| &self.of_skills[place]),
        }
    }

    fn put(&mut self, skill: Option<SkillId>, set: BTreeSet<Turn>) {
        let Some(skill) = skill else {
            self.all = Some(set);
            return;
        };
        match self.skills.binary_search(&skill) {
            Ok(place) => self.of_skills[place] = set,
            Err(place) => {
                self.skills.insert(place, skill);
                self.of_skills.insert(place, set);
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Able {
    agents: Vec<Places>,
    queues: BTreeMap<QueueId, QueueSets>,
    stale: Vec<AgentId>,
    unplaced: Vec<AgentId>,
}

/// Two are equal when every agent stands alike: which sets were made is only a matter of what was looked for.
impl PartialEq for Able {
    fn eq(&self, other: &Self) -> bool {
        let standings = |able: &Self| -> Vec<(Standing, Vec<(QueueId, u8)>)> {
            able.agents.iter().map(|places| (places.standing, places.queues.clone())).collect()
        };
        let counts = |able: &Self| -> Vec<(QueueId, u32, u32, usize)> {
            let queues = able.queues.iter().filter(|(_, sets)| !sets.members.is_empty());
            queues.map(|(id, sets)| (*id, sets.with_room, sets.there, sets.members.len())).collect()
        };
        standings(self) == standings(other) && counts(self) == counts(other)
    }
}

impl Standing {
    fn of(agent: &Agent, settings: &Settings) -> Self {
        let mut room = 0;
        if agent.is_able(settings) {
            for place in 0..settings.channels.len() {
                if agent.room_on(settings, ChannelId(place as u8)) {
                    room |= 1 << place;
                }
            }
        }
        Self {
            room,
            there: agent.is_there(settings),
            pending: agent.offers.len() as u32,
            program: agent.profile.program,
            weight_held: agent.load.weight(settings),
            share_held: agent.share_held(settings),
            idle_since: agent.idle_since,
            last_offer: agent.last_offer,
        }
    }

    fn rank(&self, by: AgentsBy) -> (u32, u64) {
        match by {
            AgentsBy::LongestIdle | AgentsBy::MostSkilled => (self.pending, self.idle_since.0),
            AgentsBy::LeastLoaded => (self.share_held, self.idle_since.0),
            AgentsBy::RoundRobin => (0, self.last_offer.0),
        }
    }

    fn turn(&self, by: AgentsBy, agent: AgentId, tier: u8, level: u8) -> Turn {
        let (first, second) = self.rank(by);
        let level = if by == AgentsBy::MostSkilled { level } else { 0 };
        Turn { tier, program: self.program, level: Reverse(level), first, second, agent }
    }
}

/// What decides whether conversations that prefer an agent wait for it: whether it is there, and where it has room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Presence {
    pub offline: bool,
    pub able: bool,
    /// A bit for each channel that it has room on.
    pub room: u16,
}

#[must_use]
pub fn presence_of(agent: &Agent, settings: &Settings) -> Presence {
    let offline = agent.connection == Connection::Offline;
    Presence { offline, able: agent.is_able(settings), room: Standing::of(agent, settings).room }
}

/// What an agent is ordered by in a queue of this rule, after tier, kind and levels.
#[must_use]
pub fn rank_of(agent: &Agent, settings: &Settings, by: AgentsBy) -> (u32, u64) {
    Standing::of(agent, settings).rank(by)
}

impl Able {
    /// The agent changed: its places are looked at again when the next decision begins.
    pub fn mark(&mut self, id: AgentId) {
        let place = id.0 as usize;
        if self.agents.len() <= place {
            self.agents.resize_with(place + 1, Places::default);
        }
        if !std::mem::replace(&mut self.agents[place].stale, true) {
            self.stale.push(id);
        }
    }

    /// The queue goes by this rule now: its sets are made anew when they are looked for.
    pub fn put_queue(&mut self, queue: QueueId, by: AgentsBy) {
        let sets = self.queues.entry(queue).or_default();
        if sets.by != by {
            sets.by = by;
            sets.channels.clear();
        }
    }

    pub fn remove_queue(&mut self, queue: QueueId) {
        self.queues.remove(&queue);
    }

    /// The next agent that changed; to be given to [`Able::place`].
    pub fn next_stale(&mut self) -> Option<AgentId> {
        self.stale.pop()
    }

    /// The same, and its queues or skills may be others.
    pub fn mark_moved(&mut self, id: AgentId) {
        self.mark(id);
        self.agents[id.0 as usize].moved = true;
    }

    /// Work out where an agent stands now. Gives whether it may take more than before.
    pub fn place(&mut self, id: AgentId, agent: &Agent, levels: &Levels, settings: &Settings) -> bool {
        let now = Standing::of(agent, settings);
        let places = &mut self.agents[id.0 as usize];
        places.stale = false;
        let before = std::mem::replace(&mut places.standing, now);
        let moved = std::mem::take(&mut places.moved);
        if !moved && before == now {
            return false;
        }
        if !std::mem::replace(&mut places.unplaced, true) {
            self.unplaced.push(id);
        }
        if moved {
            self.lift(id);
            self.count(id, |sets| {
                sets.members.remove(&id);
                sets.with_room -= u32::from(before.room != 0);
                sets.there -= u32::from(before.there);
            });
            let places = &mut self.agents[id.0 as usize];
            places.queues =
                agent.profile.queues.iter().map(|queue| (*queue, tier_in(&agent.profile, *queue))).collect();
            places.skills = Some(levels.clone());
            self.count(id, |sets| {
                sets.members.insert(id);
                sets.with_room += u32::from(now.room != 0);
                sets.there += u32::from(now.there);
            });
        } else if (before.room != 0) != (now.room != 0) || before.there != now.there {
            self.count(id, |sets| {
                sets.with_room -= u32::from(before.room != 0);
                sets.with_room += u32::from(now.room != 0);
                sets.there -= u32::from(before.there);
                sets.there += u32::from(now.there);
            });
        }
        now.room & !before.room != 0 || (now.room != 0 && now.weight_held < before.weight_held)
    }

    /// Each of its queues that is still there.
    fn count(&mut self, id: AgentId, mut change: impl FnMut(&mut QueueSets)) {
        for (queue, _) in &self.agents[id.0 as usize].queues {
            self.queues.get_mut(queue).into_iter().for_each(&mut change);
        }
    }

    /// Take an agent out of the sets that hold it.
    fn lift(&mut self, id: AgentId) {
        let places = &mut self.agents[id.0 as usize];
        let placed = std::mem::take(&mut places.placed);
        let held = places.skills.as_deref().unwrap_or(&[]);
        for (queue, tier) in &places.queues {
            // A queue that was removed took its sets with it.
            let Some(sets) = self.queues.get_mut(queue) else { continue };
            sets.each(id, &placed, *tier, held, |set, turn| {
                set.remove(&turn);
            });
        }
    }

    /// Tell the sets of everybody whose standing changed. Before they are looked into.
    pub fn put_in_place(&mut self) {
        while let Some(id) = self.unplaced.pop() {
            let places = &mut self.agents[id.0 as usize];
            places.unplaced = false;
            let (before, now) = (std::mem::replace(&mut places.placed, places.standing), places.standing);
            if before == now || before.room == 0 && now.room == 0 {
                continue;
            }
            let levels = places.skills.as_deref().unwrap_or(&[]);
            for (queue, tier) in &places.queues {
                let Some(sets) = self.queues.get_mut(queue) else { continue };
                if before.room == now.room && before.turn(sets.by, id, *tier, 0) == now.turn(sets.by, id, *tier, 0) {
                    continue;
                }
                sets.each(id, &before, *tier, levels, |set, turn| {
                    set.remove(&turn);
                });
                sets.each(id, &now, *tier, levels, |set, turn| {
                    set.insert(turn);
                });
            }
        }
    }

    /// Make the sets that these are looked for in. All agents must have been put in place.
    pub fn want(&mut self, queue: QueueId, channel: ChannelId, skill: Option<SkillId>) {
        debug_assert!(self.unplaced.is_empty(), "sets are looked into when all are in place");
        if self.set(queue, channel, skill).is_some() {
            return;
        }
        let Some(made) = self.made(queue, channel, skill) else { return };
        let Some(sets) = self.queues.get_mut(&queue) else { return };
        let place = usize::from(channel.0);
        if sets.channels.len() <= place {
            sets.channels.resize_with(place + 1, ChannelSets::default);
        }
        sets.channels[place].put(skill, made);
    }

    /// Whom this set is to hold.
    fn made(&self, queue: QueueId, channel: ChannelId, skill: Option<SkillId>) -> Option<BTreeSet<Turn>> {
        let sets = self.queues.get(&queue)?;
        let mut made = BTreeSet::new();
        for id in &sets.members {
            let places = &self.agents[id.0 as usize];
            let level = match (skill, &places.skills) {
                (None, _) => 0,
                (Some(skill), Some(levels)) => match level_of(levels, skill) {
                    0 => continue,
                    level => level,
                },
                (Some(_), None) => continue,
            };
            let tier = places.queues.iter().find(|(held, _)| *held == queue).map_or(1, |(_, tier)| *tier);
            if places.standing.room & 1 << channel.0 != 0 {
                made.insert(places.standing.turn(sets.by, *id, tier, level));
            }
        }
        Some(made)
    }

    /// The agents with room in one of the sets that [`Able::want`] made, in order.
    pub fn set(&self, queue: QueueId, channel: ChannelId, skill: Option<SkillId>) -> Option<&BTreeSet<Turn>> {
        self.queues.get(&queue)?.channels.get(usize::from(channel.0))?.of(skill)
    }

    /// The smallest of the wanted sets that hold all agents of this queue with these skills.
    pub fn smallest(&self, queue: QueueId, channel: ChannelId, skills: &[SkillId]) -> impl Iterator<Item = &Turn> {
        let sets = skills.iter().map(|skill| self.set(queue, channel, Some(*skill)));
        // On a tie a skill's set, which is in the order of its level where the queue goes by levels.
        let smallest =
            sets.min_by_key(|set| set.map_or(0, BTreeSet::len)).unwrap_or_else(|| self.set(queue, channel, None));
        smallest.into_iter().flatten()
    }

    /// Agents of this queue who are there, with or without room.
    #[must_use]
    pub fn there_in(&self, queue: QueueId) -> u32 {
        self.queues.get(&queue).map_or(0, |sets| sets.there)
    }

    /// All agents of this queue.
    pub fn members_of(&self, queue: QueueId) -> impl Iterator<Item = AgentId> + '_ {
        self.queues.get(&queue).into_iter().flat_map(|sets| sets.members.iter().copied())
    }

    #[must_use]
    pub fn has_room_on(&self, agent: AgentId, channel: ChannelId) -> bool {
        self.agents[agent.0 as usize].standing.room & 1 << channel.0 != 0
    }

    /// Agents of this queue with room on some channel.
    #[must_use]
    pub fn in_queue(&self, queue: QueueId) -> usize {
        self.queues.get(&queue).map_or(0, |sets| sets.with_room as usize)
    }

    /// Every set that was made holds whom it should: for the invariants.
    ///
    /// # Errors
    /// The first set that does not.
    pub fn check(&self) -> Result<(), String> {
        let mut placed = self.clone();
        placed.put_in_place();
        for (queue, sets) in &placed.queues {
            for (place, channel) in sets.channels.iter().enumerate() {
                let id = ChannelId(place as u8);
                let wanted = channel.all.iter().map(|_| None).chain(channel.skills.iter().map(|skill| Some(*skill)));
                for skill in wanted {
                    if placed.made(*queue, id, skill).as_ref() != channel.of(skill) {
                        return Err(format!("able: the set of {queue} on {id:?} for {skill:?} was not kept in step"));
                    }
                }
            }
        }
        Ok(())
    }
}

impl QueueSets {
    /// Every set that was made and that this agent belongs in.
    fn each(
        &mut self,
        id: AgentId,
        standing: &Standing,
        tier: u8,
        levels: &[(SkillId, u8)],
        mut act: impl FnMut(&mut BTreeSet<Turn>, Turn),
    ) {
        if standing.room == 0 {
            return;
        }
        for (place, channel) in self.channels.iter_mut().enumerate() {
            if standing.room & 1 << place == 0 {
                continue;
            }
            if let Some(set) = &mut channel.all {
                act(set, standing.turn(self.by, id, tier, 0));
            }
            for (skill, level) in levels {
                if let Ok(place) = channel.skills.binary_search(skill) {
                    act(&mut channel.of_skills[place], standing.turn(self.by, id, tier, *level));
                }
            }
        }
    }
}

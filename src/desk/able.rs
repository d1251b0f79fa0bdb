//! The agents that could take something now, in the order of each queue's rule: for each queue one set of its agents, and one for
//! each skill that was ever looked for there. A decision goes through the smallest set that holds all candidates.
//!
//! Sets are made when they are first looked for, so that an agent with many skills is only in those that somebody needs. Only large
//! ones are kept in order (`members.rs`). An agent that changed is marked; where it stands is worked out once, when the next decision
//! begins, and what is kept in order is told only when it is looked into: most agents who got room are full again before that.

mod members;

use super::agent::{Agent, Connection};
use super::ids::{AgentId, OfferId, QueueId};
use super::need::tier_in;
use super::offering::AgentsBy;
use super::paged::Paged;
use super::settings::{ChannelId, Settings};
use super::skills::{Levels, SkillId, level_of};
use super::time::DeskTime;
use members::{Member, Members, Turns};
use std::cmp::Reverse;
use std::collections::BTreeSet;

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
    /// As what is kept in order has it, where that was told.
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
    with_room: u32,
    there: u32,
    all: Members,
    /// In order, with the set of each in the same place of `of_skills`.
    skills: Vec<SkillId>,
    of_skills: Vec<Members>,
    /// Whether any of those is kept in order.
    skills_in_order: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Able {
    /// How each stands, side by side: sets that are looked through ask for that alone.
    standings: Vec<Standing>,
    agents: Vec<Places>,
    queues: Paged<QueueId, QueueSets>,
    stale: Vec<AgentId>,
    unplaced: Vec<AgentId>,
}

/// Two are equal when every agent stands alike: which sets were made is only a matter of what was looked for.
impl PartialEq for Able {
    fn eq(&self, other: &Self) -> bool {
        let standings = |able: &Self| -> Vec<(Standing, Vec<(QueueId, u8)>)> {
            able.standings.iter().zip(&able.agents).map(|(stands, places)| (*stands, places.queues.clone())).collect()
        };
        let counts = |able: &Self| -> Vec<(QueueId, u32, u32, usize)> {
            let queues = able.queues.iter().filter(|(_, sets)| sets.all.len() > 0);
            queues.map(|(id, sets)| (id, sets.with_room, sets.there, sets.all.len())).collect()
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
            self.standings.resize(place + 1, Standing::default());
        }
        if !std::mem::replace(&mut self.agents[place].stale, true) {
            self.stale.push(id);
        }
    }

    /// The queue goes by this rule now: its sets are made anew when they are looked for.
    pub fn put_queue(&mut self, queue: QueueId, by: AgentsBy) {
        let Some(sets) = self.queues.get_mut(&queue) else {
            self.queues.insert(queue, QueueSets { by, ..QueueSets::default() });
            return;
        };
        if sets.by != by {
            sets.by = by;
            sets.skills_in_order = false;
            sets.of_skills.iter_mut().chain([&mut sets.all]).for_each(Members::forget_order);
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
        let before = std::mem::replace(&mut self.standings[id.0 as usize], now);
        let moved = std::mem::take(&mut places.moved);
        if !moved && before == now {
            return false;
        }
        if !std::mem::replace(&mut places.unplaced, true) {
            self.unplaced.push(id);
        }
        if moved {
            self.lift(id, &before);
            let places = &mut self.agents[id.0 as usize];
            places.queues =
                agent.profile.queues.iter().map(|queue| (*queue, tier_in(&agent.profile, *queue))).collect();
            places.skills = Some(levels.clone());
            self.join(id, &now);
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
    fn lift(&mut self, id: AgentId, stood: &Standing) {
        let places = &mut self.agents[id.0 as usize];
        let placed = std::mem::take(&mut places.placed);
        let levels = places.skills.as_deref().unwrap_or(&[]);
        for (queue, tier) in &places.queues {
            // A queue that was removed took its sets with it.
            let Some(sets) = self.queues.get_mut(queue) else { continue };
            sets.each_in_order(id, &placed, *tier, levels, |set, turn| {
                set.remove(&turn);
            });
            sets.each(id, *tier, levels, Members::remove);
            sets.with_room -= u32::from(stood.room != 0);
            sets.there -= u32::from(stood.there);
        }
    }

    /// Put an agent into the sets that it belongs in; it has yet to be told to those that are kept in order.
    fn join(&mut self, id: AgentId, stands: &Standing) {
        let places = &self.agents[id.0 as usize];
        let levels = places.skills.as_deref().unwrap_or(&[]);
        for (queue, tier) in &places.queues {
            let Some(sets) = self.queues.get_mut(queue) else { continue };
            sets.each(id, *tier, levels, Members::add);
            sets.with_room += u32::from(stands.room != 0);
            sets.there += u32::from(stands.there);
        }
    }

    /// Tell what is kept in order of everybody whose standing changed. Before it is looked into.
    pub fn put_in_place(&mut self) {
        while let Some(id) = self.unplaced.pop() {
            let places = &mut self.agents[id.0 as usize];
            places.unplaced = false;
            let (before, now) = (places.placed, self.standings[id.0 as usize]);
            places.placed = now;
            if before == now || before.room == 0 && now.room == 0 {
                continue;
            }
            let levels = places.skills.as_deref().unwrap_or(&[]);
            for (queue, tier) in &places.queues {
                let Some(sets) = self.queues.get_mut(queue) else { continue };
                if before.room == now.room && before.turn(sets.by, id, *tier, 0) == now.turn(sets.by, id, *tier, 0) {
                    continue;
                }
                sets.each_in_order(id, &before, *tier, levels, |set, turn| {
                    set.remove(&turn);
                });
                sets.each_in_order(id, &now, *tier, levels, |set, turn| {
                    set.insert(turn);
                });
            }
        }
    }

    /// Make the sets that these are looked for in. All agents must have been put in place.
    pub fn want(&mut self, queue: QueueId, channel: ChannelId, skill: Option<SkillId>) {
        debug_assert!(self.unplaced.is_empty(), "sets are looked into when all are in place");
        let Some(sets) = self.queues.get_mut(&queue) else { return };
        let by = sets.by;
        let turn = |member| turn_of(&self.standings, by, channel, member);
        let Some(skill) = skill else { return sets.all.want(channel, turn) };
        let place = sets.skills.binary_search(&skill).unwrap_or_else(|place| {
            let with_skill = sets.all.iter().filter_map(|member| {
                let levels = self.agents[member.agent.0 as usize].skills.as_deref().unwrap_or(&[]);
                Some(Member { level: level_of(levels, skill), ..member }).filter(|member| member.level > 0)
            });
            sets.of_skills.insert(place, Members::of(with_skill));
            sets.skills.insert(place, skill);
            place
        });
        sets.of_skills[place].want(channel, turn);
        sets.skills_in_order |= sets.of_skills[place].is_in_order();
    }

    /// The agents with room in one of the sets that [`Able::want`] made, in order.
    pub fn turns(&self, queue: QueueId, channel: ChannelId, skill: SkillId) -> impl Iterator<Item = Turn> {
        let found = self.queues.get(&queue).and_then(|sets| Some((sets, sets.of(skill)?)));
        let turns = found.map(|(sets, members)| self.turns_in(sets, members, channel));
        turns.into_iter().flatten()
    }

    /// Those of the smallest of the wanted sets that hold all agents of this queue with these skills.
    pub fn smallest(&self, queue: QueueId, channel: ChannelId, skills: &[SkillId]) -> impl Iterator<Item = Turn> {
        let found = self.queues.get(&queue).and_then(|sets| {
            let of_skills: Option<Vec<&Members>> = skills.iter().map(|skill| sets.of(*skill)).collect();
            // On a tie a skill's set, which is in the order of its level where the queue goes by levels.
            let smallest = of_skills?.into_iter().min_by_key(|members| members.at_most(channel)).unwrap_or(&sets.all);
            Some(self.turns_in(sets, smallest, channel))
        });
        found.into_iter().flatten()
    }

    fn turns_in<'a>(&self, sets: &QueueSets, members: &'a Members, channel: ChannelId) -> Turns<'a> {
        members.turns(channel, |member| turn_of(&self.standings, sets.by, channel, member))
    }

    /// Agents of this queue who are there, with or without room.
    #[must_use]
    pub fn there_in(&self, queue: QueueId) -> u32 {
        self.queues.get(&queue).map_or(0, |sets| sets.there)
    }

    /// All agents of this queue.
    pub fn members_of(&self, queue: QueueId) -> impl Iterator<Item = AgentId> + '_ {
        self.queues.get(&queue).into_iter().flat_map(|sets| sets.all.iter().map(|member| member.agent))
    }

    #[must_use]
    pub fn has_room_on(&self, agent: AgentId, channel: ChannelId) -> bool {
        self.standings[agent.0 as usize].room & 1 << channel.0 != 0
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
        for (queue, sets) in placed.queues.iter() {
            let of_skills = sets.skills.iter().map(|skill| Some(*skill)).zip(&sets.of_skills);
            for (skill, members) in of_skills.chain([(None, &sets.all)]) {
                let expected = placed.members_who_should_be(queue, skill);
                if !members.iter().eq(expected.iter().copied()) {
                    return Err(format!("able: the set of {queue} for {skill:?} was not kept in step"));
                }
                for channel in (0..u16::BITS as u8).map(ChannelId) {
                    let turn = |member: &Member| turn_of(&placed.standings, sets.by, channel, *member);
                    let in_step = |set: &BTreeSet<Turn>| *set == expected.iter().filter_map(turn).collect();
                    if !members.in_order(channel).is_none_or(in_step) {
                        return Err(format!("able: {queue} on {channel:?} for {skill:?} was not kept in order"));
                    }
                }
            }
        }
        Ok(())
    }

    /// By the agents themselves, in the order of their ids.
    fn members_who_should_be(&self, queue: QueueId, skill: Option<SkillId>) -> Vec<Member> {
        let members = self.agents.iter().enumerate().filter_map(|(place, places)| {
            let (_, tier) = *places.queues.iter().find(|(held, _)| *held == queue)?;
            let level = skill.map(|skill| level_of(places.skills.as_deref().unwrap_or(&[]), skill));
            let member = Member { agent: AgentId(place as u32), tier, level: level.unwrap_or(0) };
            (level != Some(0)).then_some(member)
        });
        members.collect()
    }
}

/// Where an agent stands in one set; `None` without room on the channel.
fn turn_of(standings: &[Standing], by: AgentsBy, channel: ChannelId, member: Member) -> Option<Turn> {
    let standing = &standings[member.agent.0 as usize];
    let has_room = standing.room & 1 << channel.0 != 0;
    has_room.then(|| standing.turn(by, member.agent, member.tier, member.level))
}

impl QueueSets {
    fn of(&self, skill: SkillId) -> Option<&Members> {
        self.skills.binary_search(&skill).ok().map(|place| &self.of_skills[place])
    }

    /// Every set that was made and that this agent belongs in, with its place there.
    fn each(&mut self, agent: AgentId, tier: u8, levels: &[(SkillId, u8)], act: impl Fn(&mut Members, Member)) {
        act(&mut self.all, Member { agent, tier, level: 0 });
        for (skill, level) in levels {
            if let Ok(place) = self.skills.binary_search(skill) {
                act(&mut self.of_skills[place], Member { agent, tier, level: *level });
            }
        }
    }

    /// Every set that is kept in order and that an agent who stands so belongs in, with its turn there.
    fn each_in_order(
        &mut self,
        id: AgentId,
        standing: &Standing,
        tier: u8,
        levels: &[(SkillId, u8)],
        act: impl Fn(&mut BTreeSet<Turn>, Turn),
    ) {
        if standing.room == 0 {
            return;
        }
        let turn = standing.turn(self.by, id, tier, 0);
        self.all.orders(standing.room).for_each(|set| act(set, turn));
        if !self.skills_in_order {
            return;
        }
        for (skill, level) in levels {
            if let Ok(place) = self.skills.binary_search(skill) {
                let turn = standing.turn(self.by, id, tier, *level);
                self.of_skills[place].orders(standing.room).for_each(|set| act(set, turn));
            }
        }
    }
}

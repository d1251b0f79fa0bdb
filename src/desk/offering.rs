//! How a queue's conversations are offered: who comes first, to how many at once, how the search widens with age, and what
//! a preferred agent is worth. Plain values with their defaults, and the checks that keep them sound.

use super::auto_accept::AUTO_ACCEPT_MS_MAX;
use super::decision::Router;
use super::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Steps of widening that one queue holds.
pub const RINGS_MAX: usize = 20;
/// Other queues that a queue's rings may add.
pub const RING_QUEUES_MAX: usize = 20;
/// Tiers are numbered from 1, which comes first.
pub const TIER_MAX: u8 = 100;
/// A conversation may be said to wait since at most this long ago.
pub const WAITING_SINCE_MS_MAX: u64 = 30 * 86_400_000;
/// Preferred skills of one conversation.
pub const PREFERRED_SKILLS_MAX: usize = 20;
const DAY_MS: u64 = 86_400_000;

/// A queue's settings of offering.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Offering {
    /// Who comes first among the agents of one tier who may take a conversation.
    pub agents_by: AgentsBy,
    /// Agents of a higher tier are left out until a ring lets them in; absent: none is left out.
    pub tiers_up_to: Option<u8>,
    /// To how many agents a conversation is offered at once, 1 to 20; the first who accepts has it.
    pub offer_to_at_most: u8,
    /// Conversations should be accepted within this: at the same priority, the one whose time is up first comes first.
    pub accept_within_ms: Option<u64>,
    /// This queue's share of each agent's turns, 1 to 1000, where the workspace's `across_queues` is `by_weight`.
    pub weight: u32,
    /// People are left out until a ring lets them in, as long as a program could take the conversation.
    pub programs_first: bool,
    /// How the search widens with age; each step adds to those before it.
    pub rings: Vec<Ring>,
    pub preferred_agent: PreferredAgent,
    /// Who decides: Offhook, or somebody outside.
    #[serde(skip_serializing_if = "Router::is_default")]
    pub router: Router,
    /// An offer is accepted by itself so long after its agent was shown it; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_accept_ms: Option<u64>,
}

impl Default for Offering {
    fn default() -> Self {
        Self {
            agents_by: AgentsBy::default(),
            tiers_up_to: None,
            offer_to_at_most: 1,
            accept_within_ms: None,
            weight: 1,
            programs_first: false,
            rings: Vec::new(),
            preferred_agent: PreferredAgent::default(),
            router: Router::default(),
            auto_accept_ms: None,
        }
    }
}

/// Who comes first within a tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentsBy {
    /// The fewest pending offers (so that a burst does not pile onto one), then the longest without anything new.
    #[default]
    LongestIdle,
    /// The smallest share of its capacity in use, by weight; then the longest idle.
    LeastLoaded,
    /// Whose last offer, from any queue, is the longest ago.
    RoundRobin,
    /// The highest sum of levels over the required skills, then over the preferred; then the longest idle.
    MostSkilled,
}

/// One step of widening.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ring {
    /// From this age on, 1 s to a day; later than the step before it.
    pub after_ms: u64,
    /// Skills that are no longer required.
    pub drop: Vec<Arc<str>>,
    /// Skills that are required at no more than this level.
    pub lower: BTreeMap<Arc<str>, u8>,
    /// Agents up to this tier are let in.
    pub tiers_up_to: Option<u8>,
    /// People are let in, where the queue is for programs first.
    #[serde(skip_serializing_if = "is_no")]
    pub people: bool,
    /// Other queues whose agents are added, after the queue's own.
    pub queues: Vec<Arc<str>>,
}

/// What a preferred agent is worth in this queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PreferredAgent {
    /// For how long a conversation is kept for its preferred agent.
    pub preferred_ms: u64,
    pub when_offline: Meanwhile,
    /// Connected without an available status, reconnecting or unreachable.
    pub when_away: Meanwhile,
    /// Available, and without room for one more on this channel.
    pub when_busy: Meanwhile,
}

impl Default for PreferredAgent {
    fn default() -> Self {
        Self {
            preferred_ms: 60_000,
            when_offline: Meanwhile::Skip,
            when_away: Meanwhile::Wait,
            when_busy: Meanwhile::Wait,
        }
    }
}

/// What a conversation does while its preferred agent cannot take it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Meanwhile {
    /// It waits for that agent until `preferred_ms` is over.
    Wait,
    /// It goes to whoever comes first; should the agent be able in time, it is kept for it again.
    Skip,
}

/// Which of its queues an agent's next conversation comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcrossQueues {
    /// The first of all its queues by priority, then accept-by time, then age.
    #[default]
    OldestFirst,
    /// Its queues in turn, in proportion to their weights.
    ByWeight,
}

impl Offering {
    /// Refused with the field named, below `offering.`.
    ///
    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self, own: &str, is_queue: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        let most = super::conversation::OFFERED_AT_ONCE_MAX;
        let at_once = usize::from(self.offer_to_at_most);
        ensure((1..=most).contains(&at_once), "offer_to_at_most", || format!("1 to {most}"))?;
        ensure((1..=1_000).contains(&self.weight), "weight", || "1 to 1000".into())?;
        tier_ok(self.tiers_up_to, "tiers_up_to")?;
        let within = self.accept_within_ms.is_none_or(|ms| (1_000..=DAY_MS).contains(&ms));
        ensure(within, "accept_within_ms", || "1000 to 86400000 (a day)".into())?;
        let preferred_ms = self.preferred_agent.preferred_ms;
        ensure(preferred_ms <= DAY_MS, "preferred_agent.preferred_ms", || "at most 86400000 (a day)".into())?;
        self.router.check("offering.router")?;
        ensure(self.auto_accept_ms.is_none_or(|ms| ms <= AUTO_ACCEPT_MS_MAX), "auto_accept_ms", || {
            format!("at most {AUTO_ACCEPT_MS_MAX} (an hour)")
        })?;
        ensure(self.rings.len() <= RINGS_MAX, "rings", || format!("at most {RINGS_MAX}"))?;
        let named: usize = self.rings.iter().map(|ring| ring.queues.len()).sum();
        ensure(named <= RING_QUEUES_MAX, "rings", || format!("at most {RING_QUEUES_MAX} queues in all"))?;
        let lets_all_in = self.rings.iter().any(|ring| ring.tiers_up_to == Some(TIER_MAX));
        ensure(self.tiers_up_to.is_none() || lets_all_in, "tiers_up_to", || {
            format!("a ring must let in all tiers in the end (tiers_up_to {TIER_MAX}), or somebody could wait for ever")
        })?;
        let people = self.rings.iter().any(|ring| ring.people);
        ensure(!self.programs_first || people, "programs_first", || {
            "a ring must let people in in the end (people = true), or somebody could wait for programs for ever".into()
        })?;
        let mut before_ms = 0;
        for (place, ring) in self.rings.iter().enumerate() {
            let field = |name: &str| format!("rings[{place}].{name}");
            let later = ring.after_ms > before_ms && (1_000..=DAY_MS).contains(&ring.after_ms);
            ensure(later, &field("after_ms"), || "1000 to 86400000 (a day), later than the step before".into())?;
            before_ms = ring.after_ms;
            for (name, level) in &ring.lower {
                ensure((1..=10).contains(level), &field(&format!("lower.{name}")), || "a level is 1 to 10".into())?;
            }
            ensure(ring.drop.len() + ring.lower.len() <= 200, &field("drop"), || "at most 200 skills".into())?;
            tier_ok(ring.tiers_up_to, &field("tiers_up_to"))?;
            for (nth, queue) in ring.queues.iter().enumerate() {
                let other = **queue != *own && is_queue(queue);
                ensure(other, &field(&format!("queues[{nth}]")), || format!("there is no other queue {queue:?}"))?;
            }
        }
        Ok(())
    }

    /// Whether a ring names this queue.
    #[must_use]
    pub fn names_queue(&self, name: &str) -> bool {
        self.rings.iter().any(|ring| ring.queues.iter().any(|queue| **queue == *name))
    }

    /// How many steps an age has reached.
    #[must_use]
    pub fn rings_at(&self, age_ms: u64) -> u8 {
        self.rings.iter().take_while(|ring| ring.after_ms <= age_ms).count() as u8
    }
}

fn is_no(flag: &bool) -> bool {
    !flag
}

fn tier_ok(tier: Option<u8>, field: &str) -> Result<(), Refusal> {
    let holds = tier.is_none_or(|tier| (1..=TIER_MAX).contains(&tier));
    ensure(holds, field, || format!("1 to {TIER_MAX}"))
}

fn ensure(holds: bool, field: &str, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::BadSetting { field: format!("offering.{field}"), what: what() }) }
}

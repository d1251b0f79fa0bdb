//! Which kinds of things came about in the days that were lived: events by their causes, the rules that stood behind offers and
//! ends of talks, commands that were done, and refusals. A kind that never comes about is a rule that the days do not try.

use super::kinds_of_events::{OF_EVENTS, of_event};
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::Ask;
use crate::desk::event::Event;
use crate::desk::ids::{AgentId, ConversationId};
use crate::desk::offering::{AcrossQueues, AgentsBy};
use crate::desk::refusal::Refusal;
use crate::desk::wrapping::{Blocks, OPEN_ENDED};
use std::collections::BTreeMap;
use std::fmt;

/// How often each came about.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Kinds {
    events: Counts,
    rules: Counts,
    done: Counts,
    refused: Counts,
}

type Counts = BTreeMap<&'static str, u64>;

/// What stood behind an event: nothing, one or more of these.
const OF_RULES: [&str; 27] = [
    "offered by longest_idle",
    "offered by least_loaded",
    "offered by round_robin",
    "offered by most_skilled",
    "offered by weight across queues",
    "offered to several at once",
    "offered with a time to accept within",
    "offered to a program first",
    "offered to a person where programs are first",
    "offered to a tier that a ring let in",
    "offered to another queue's agent by a ring",
    "offered with a skill that a ring lowered or dropped",
    "offered to the preferred agent",
    "offered to the required agent",
    "offered past the preferred agent",
    "offered to a preferred skill",
    "offered beside a paused conversation",
    "offered beside a wrap-up that blocks nothing",
    "offered under hours",
    "cooled down",
    "ended without wrap-up",
    "wrap-up with a time",
    "wrap-up until it is done",
    "wrap-up blocks the slot",
    "wrap-up blocks the agent",
    "wrap-up blocks nothing",
    "queue drains",
];

/// Commands that change something or ask something.
const COMMANDS: [&str; 49] = [
    "put_settings",
    "put_queue",
    "remove_queue",
    "put_agent",
    "put_api_key",
    "remove_api_key",
    "session_came",
    "session_went",
    "set_status",
    "next_status",
    "force_status",
    "agent_is_idle",
    "ready",
    "sign_out",
    "list_own",
    "confirm_delivery",
    "accept",
    "reject",
    "open",
    "post",
    "receive",
    "report_delivery",
    "read",
    "typing",
    "close",
    "wrap_up_done",
    "extend_wrap_up",
    "transfer_to_agent",
    "transfer_to_queue",
    "cancel_transfer",
    "hand_over",
    "leave",
    "pick",
    "assign",
    "start",
    "note",
    "label",
    "rate",
    "import",
    "describe",
    "drain_agent",
    "drain_queue",
    "list_waiting",
    "decide",
    "list_decisions",
    "merge_customer",
    "sign_out_customer",
    "why_conversation",
    "why_agent",
];

/// Refusals that a rule stands behind.
const REFUSALS: [&str; 30] = [
    "offer_gone",
    "no_such_offer",
    "decision_gone",
    "no_such_decision",
    "no_such_conversation",
    "not_yours",
    "not_your_offer",
    "agent_deactivated",
    "too_many_devices",
    "wrong_state",
    "no_such_reason",
    "queue_full",
    "nobody_there",
    "queue_closed",
    "queue_draining",
    "pick_not_allowed",
    "agent_unable",
    "already_there",
    "owner_changed",
    "nobody_joined",
    "queue_in_use",
    "id_reused",
    "bad_setting",
    "bad_label",
    "label_missing",
    "no_more_time",
    "rating_over",
    "delivery_over",
    "part_missing",
    "no_such_session",
];

const NOT_OF_THESE_DAYS: [&str; 2] = ["decision: crowded", "wrap-up over: reopened"];

impl Kinds {
    /// An event, with the state right after it.
    pub fn lived(&mut self, event: &Event, desk: &Desk) {
        one_more(&mut self.events, of_event(event));
        match event {
            Event::OfferMade { conversation, agent, transfer: None, .. } => self.offered(*conversation, *agent, desk),
            Event::OfferEnded { cool_down_until: Some(_), .. } => self.rule("cooled down", true),
            Event::ConversationEnded { owner: Some(_), wrap_up_until, blocks, .. } => {
                self.rule("ended without wrap-up", wrap_up_until.is_none());
                self.rule("wrap-up with a time", wrap_up_until.is_some_and(|until| until != OPEN_ENDED));
                self.rule("wrap-up until it is done", *wrap_up_until == Some(OPEN_ENDED));
                let blocked = match blocks {
                    Blocks::Slot => "wrap-up blocks the slot",
                    Blocks::Agent => "wrap-up blocks the agent",
                    Blocks::Nothing => "wrap-up blocks nothing",
                };
                self.rule(blocked, wrap_up_until.is_some());
            }
            Event::QueuePut { settings, .. } => self.rule("queue drains", settings.moves.draining.is_some()),
            _ => {}
        }
    }

    fn offered(&mut self, conversation: ConversationId, agent: AgentId, desk: &Desk) {
        let (Some(talk), Some(held)) = (desk.conversation(conversation), desk.agent(agent)) else { return };
        let Some(queue) = desk.queue(talk.queue) else { return };
        let (offering, profile) = (&queue.settings.offering, &held.profile);
        let by = match offering.agents_by {
            AgentsBy::LongestIdle => "offered by longest_idle",
            AgentsBy::LeastLoaded => "offered by least_loaded",
            AgentsBy::RoundRobin => "offered by round_robin",
            AgentsBy::MostSkilled => "offered by most_skilled",
        };
        self.rule(by, true);
        let by_weight = desk.settings().across_queues == AcrossQueues::ByWeight && profile.queues.len() > 1;
        self.rule("offered by weight across queues", by_weight);
        self.rule("offered to several at once", talk.offers.len() > 1);
        self.rule("offered with a time to accept within", offering.accept_within_ms.is_some());
        self.rule("offered to a program first", offering.programs_first && profile.program);
        self.rule("offered to a person where programs are first", offering.programs_first && !profile.program);
        let own = profile.queues.contains(&talk.queue);
        let tier = profile.tiers.get(&talk.queue).copied().unwrap_or(1);
        let let_in = offering.tiers_up_to.is_some_and(|first| own && tier > first);
        self.rule("offered to a tier that a ring let in", let_in);
        self.rule("offered to another queue's agent by a ring", !own);
        let level = |name: &str| profile.skills.get(name).copied().unwrap_or(0);
        let lowered = talk.skills.iter().any(|skill| level(&skill.name) < skill.level);
        self.rule("offered with a skill that a ring lowered or dropped", lowered);
        if let Some(wishes) = &talk.wishes {
            let wished = wishes.agent;
            self.rule("offered to the preferred agent", wished.is_some_and(|w| w.agent == agent && w.until.is_some()));
            self.rule("offered to the required agent", wished.is_some_and(|w| w.agent == agent && w.until.is_none()));
            self.rule("offered past the preferred agent", wished.is_some_and(|w| w.agent != agent));
            self.rule("offered to a preferred skill", wishes.skills.iter().any(|name| level(name) > 0));
        }
        self.rule("offered beside a paused conversation", held.paused > 0);
        let beside = |id: &ConversationId| {
            desk.conversation(*id).is_some_and(|other| other.state.wrap_up_blocks() == Some(Blocks::Nothing))
        };
        self.rule("offered beside a wrap-up that blocks nothing", held.conversations.iter().any(beside));
        self.rule("offered under hours", queue.settings.hours.is_some());
    }

    fn rule(&mut self, name: &'static str, holds: bool) {
        if holds {
            one_more(&mut self.rules, name);
        }
    }

    /// What somebody was told.
    pub fn told(&mut self, ask: &Ask, result: &Result<Answer, Refusal>) {
        match result {
            Ok(_) => one_more(&mut self.done, ask.name()),
            Err(refusal) => one_more(&mut self.refused, refusal.code()),
        }
    }

    pub fn add(&mut self, other: &Kinds) {
        let pairs = [
            (&mut self.events, &other.events),
            (&mut self.rules, &other.rules),
            (&mut self.done, &other.done),
            (&mut self.refused, &other.refused),
        ];
        for (mine, others) in pairs {
            for (name, count) in others {
                *mine.entry(name).or_default() += count;
            }
        }
    }

    /// Those that never came about.
    ///
    /// Not looked for: decisions beyond the five hundred that may be pending (a test of the desk has so many), and wrap-ups that are
    /// over because their customer wrote, of which only old records tell.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let tables: [(&[&'static str], &Counts); 4] =
            [(OF_EVENTS, &self.events), (&OF_RULES, &self.rules), (&COMMANDS, &self.done), (&REFUSALS, &self.refused)];
        let missing = |(names, counts): (&[&'static str], &Counts)| -> Vec<&'static str> {
            let none = |name: &&str| !counts.contains_key(name) && !NOT_OF_THESE_DAYS.contains(name);
            names.iter().copied().filter(none).collect()
        };
        tables.into_iter().flat_map(missing).collect()
    }
}

fn one_more(counts: &mut Counts, name: &'static str) {
    *counts.entry(name).or_default() += 1;
}

/// The rarest first.
impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables =
            [("events", &self.events), ("rules", &self.rules), ("done", &self.done), ("refused", &self.refused)];
        for (table, counts) in tables {
            let mut rows: Vec<(u64, &str)> = counts.iter().map(|(name, count)| (*count, *name)).collect();
            rows.sort_unstable();
            writeln!(f, "{table}:")?;
            rows.iter().try_for_each(|(count, name)| writeln!(f, "{count:>12}  {name}"))?;
        }
        Ok(())
    }
}

//! A day that happened, taken from a journal: who arrived when, how long they were served, how long they waited before they
//! gave up, and when agents were available. And what of all that a journal cannot tell.

use super::answering::Answering;
use super::customer::Customer;
use super::draw::{Draw, dice_of, share};
use super::scenario::Member;
use crate::desk::Desk;
use crate::desk::command::{AskedAgent, Closer, OpenAsk};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, ConversationId, CustomerId, OfferId};
use crate::desk::time::{DeskTime, WallTime};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Conversations of one recording; more are for a shorter stretch.
const CONVERSATIONS_MAX: usize = 2_000_000;
/// Answers that are kept to draw from.
const ANSWERS_MAX: usize = 65_536;
/// An agent who was away for less was reconnecting, or clicked twice.
const GAP_MS: u64 = 60_000;

/// Why there is nothing to simulate.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NothingRecorded {
    #[error("nobody arrived there")]
    Nobody,
    #[error("no agent was available there")]
    NoAgents,
    #[error("more than {CONVERSATIONS_MAX} conversations: name a shorter stretch")]
    TooMany,
}

/// What is known of the customers of a recording.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    customers: Vec<KnownCustomer>,
    handling: Survival,
    patience: Survival,
}

#[derive(Clone, PartialEq, Debug)]
struct KnownCustomer {
    at_ms: u64,
    open: OpenAsk,
    /// Absent: it never was served.
    handled: Option<Lasted>,
    waited: Lasted,
}

/// How long something went on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Lasted {
    Just(u64),
    /// It was broken off from outside (a wait by an accept, a talk by the recording's end): who knows how long it would have gone on.
    LongerThan(u64),
}

/// What the journal could not tell, and what was put in its place.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Unknowns {
    pub arrived: u64,
    pub gave_up: u64,
    pub never_served: u64,
    pub reopened: u64,
    pub open_at_the_beginning: u64,
    pub changes_of_settings: u64,
    pub offers: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub expired: u64,
}

/// Watches a desk that is replayed.
#[derive(Default)]
pub struct Recorder {
    began: Option<WallTime>,
    now: WallTime,
    open: BTreeMap<ConversationId, Open>,
    done: Vec<KnownCustomer>,
    able_since: BTreeMap<AgentId, u64>,
    shifts: BTreeMap<AgentId, Vec<(u64, u64)>>,
    offered: BTreeMap<OfferId, DeskTime>,
    answers_s: Vec<f64>,
    unknowns: Unknowns,
    too_many: bool,
}

struct Open {
    at_ms: u64,
    open: OpenAsk,
    accepted_ms: Option<u64>,
}

impl Recorder {
    /// The recording begins here: whoever waits already is somebody else's.
    pub fn begin(&mut self, desk: &Desk) {
        self.began = Some(desk.now().wall);
        self.now = desk.now().wall;
        self.unknowns.open_at_the_beginning = desk.conversations().count() as u64;
        desk.agents().for_each(|(id, _)| self.look_at(desk, id));
    }

    /// One turn, right after it was replayed.
    pub fn see(&mut self, desk: &Desk, events: &[Event], agents: &BTreeSet<AgentId>) {
        self.now = desk.now().wall;
        if self.began.is_none() {
            self.began = Some(self.now);
        }
        for event in events {
            self.note(desk, event);
        }
        agents.iter().for_each(|id| self.look_at(desk, *id));
    }

    fn at_ms(&self) -> u64 {
        self.now.0.saturating_sub(self.began.unwrap_or(self.now).0)
    }

    fn note(&mut self, desk: &Desk, event: &Event) {
        let at_ms = self.at_ms();
        match event {
            Event::SettingsChanged { .. } | Event::QueuePut { .. } | Event::QueueRemoved { .. } => {
                self.unknowns.changes_of_settings += 1;
            }
            Event::ConversationOpened { conversation, .. } => self.arrived(desk, *conversation),
            Event::ConversationReopened { conversation, owner: None, .. } => {
                self.unknowns.reopened += 1;
                self.arrived(desk, *conversation);
            }
            Event::OfferMade { offer, .. } => {
                self.unknowns.offers += 1;
                self.offered.insert(*offer, desk.now().desk);
            }
            Event::OfferEnded { offer, conversation, end, .. } => {
                let made = self.offered.remove(offer);
                match end {
                    OfferEnd::Accepted => {
                        self.unknowns.accepted += 1;
                        if let Some(open) = self.open.get_mut(conversation) {
                            open.accepted_ms.get_or_insert(at_ms);
                        }
                        if let Some(made) = made.filter(|_| self.answers_s.len() < ANSWERS_MAX) {
                            self.answers_s.push(desk.now().desk.ms_since(made) as f64 / 1_000.0);
                        }
                    }
                    OfferEnd::Rejected => self.unknowns.rejected += 1,
                    OfferEnd::Expired => self.unknowns.expired += 1,
                    _ => {}
                }
            }
            Event::ConversationEnded { conversation, by, .. } => {
                let Some(open) = self.open.remove(conversation) else { return };
                let gave_up = open.accepted_ms.is_none() && matches!(by, Closer::Customer(_));
                self.done(open, at_ms, true, gave_up);
            }
            _ => {}
        }
    }

    fn arrived(&mut self, desk: &Desk, id: ConversationId) {
        // It may have been closed again in the same turn.
        let Some(held) = desk.conversation(id).filter(|held| held.state != State::Closed) else { return };
        if self.done.len() + self.open.len() >= CONVERSATIONS_MAX {
            self.too_many = true;
            return;
        }
        let at_ms = self.at_ms();
        self.unknowns.arrived += 1;
        self.open.insert(id, Open { at_ms, open: asked(desk, held), accepted_ms: None });
    }

    fn done(&mut self, open: Open, now_ms: u64, ended: bool, gave_up: bool) {
        let waited_ms = open.accepted_ms.unwrap_or(now_ms) - open.at_ms;
        let lasted = |to_its_end: bool, ms| if to_its_end { Lasted::Just(ms) } else { Lasted::LongerThan(ms) };
        let handled = open.accepted_ms.map(|accepted| lasted(ended, now_ms - accepted));
        self.unknowns.gave_up += u64::from(gave_up);
        self.unknowns.never_served += u64::from(!matches!(handled, Some(Lasted::Just(_))));
        let waited = lasted(gave_up, waited_ms);
        self.done.push(KnownCustomer { at_ms: open.at_ms, open: open.open, handled, waited });
    }

    fn look_at(&mut self, desk: &Desk, id: AgentId) {
        let able = desk.agent(id).is_some_and(|agent| agent.is_able(desk.settings()));
        let at_ms = self.at_ms();
        match (able, self.able_since.get(&id)) {
            (true, None) => {
                self.able_since.insert(id, at_ms);
            }
            (false, Some(since)) => {
                let since = *since;
                self.able_since.remove(&id);
                self.worked(id, since, at_ms);
            }
            _ => {}
        }
    }

    fn worked(&mut self, id: AgentId, from: u64, to: u64) {
        let shifts = self.shifts.entry(id).or_default();
        match shifts.last_mut() {
            Some(last) if last.1 + GAP_MS >= from => last.1 = to,
            _ if to > from => shifts.push((from, to)),
            _ => {}
        }
    }

    /// What was recorded, with the desk as it was at the end.
    ///
    /// # Errors
    /// Nobody arrived or worked, or there was too much.
    pub fn end(mut self, desk: &Desk) -> Result<Recorded, NothingRecorded> {
        let length_ms = self.at_ms() + 1;
        for (id, since) in std::mem::take(&mut self.able_since) {
            self.worked(id, since, length_ms);
        }
        for open in std::mem::take(&mut self.open).into_values() {
            self.done(open, length_ms - 1, false, false);
        }
        if self.too_many {
            return Err(NothingRecorded::TooMany);
        }
        if self.done.is_empty() {
            return Err(NothingRecorded::Nobody);
        }
        if self.shifts.is_empty() {
            return Err(NothingRecorded::NoAgents);
        }
        self.done.sort_by_key(|customer| customer.at_ms);
        let answering = Arc::new(self.answering());
        let member = |(id, shifts)| {
            let agent = desk.agent(id)?;
            Some(Member { name: agent.profile.name.clone(), shifts, answering: answering.clone() })
        };
        let crew = std::mem::take(&mut self.shifts).into_iter().filter_map(member).collect();
        let known = Known {
            handling: Survival::of(self.done.iter().filter_map(|customer| customer.handled)),
            patience: Survival::of(self.done.iter().map(|customer| customer.waited)),
            customers: self.done,
        };
        let begins = self.began.unwrap_or_default();
        Ok(Recorded { begins, length_ms, known: Arc::new(known), crew, unknowns: self.unknowns })
    }

    fn answering(&self) -> Answering {
        let answered = (self.unknowns.accepted + self.unknowns.rejected + self.unknowns.expired).max(1) as f64;
        let accept =
            if self.answers_s.is_empty() { Draw::Fixed(0.0) } else { Draw::Values(self.answers_s.as_slice().into()) };
        Answering {
            accept,
            rejected: self.unknowns.rejected as f64 / answered,
            ignored: self.unknowns.expired as f64 / answered,
            ..Answering::default()
        }
    }
}

/// A recording, ready to be lived again.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub begins: WallTime,
    pub length_ms: u64,
    pub known: Arc<Known>,
    pub crew: Vec<Member>,
    pub unknowns: Unknowns,
}

/// What would open such a conversation. What its queue gave it is left out, so that other settings can give it something else.
fn asked(desk: &Desk, held: &Conversation) -> OpenAsk {
    let queue = desk.queue(held.queue).map(|queue| queue.settings.clone());
    let of_queue = |name: &Arc<str>| queue.as_ref().and_then(|queue| queue.skills.get(name)).copied();
    let own = held.skills.iter().filter(|skill| of_queue(&skill.name) != Some(skill.level));
    let channel = desk.settings().channels.get(usize::from(held.channel.0));
    let wished = held.wished_agent().and_then(|wished| {
        let name = desk.agent(wished.agent)?.profile.name.clone();
        Some(AskedAgent { name, required: wished.until.is_none() })
    });
    OpenAsk {
        customer: held.customer,
        key: held.key,
        channel: channel.map(|channel| channel.name.clone()).unwrap_or_default(),
        queue: queue.as_ref().map(|queue| queue.name.clone()).unwrap_or_default(),
        priority: Some(held.priority).filter(|own| queue.as_ref().is_none_or(|queue| queue.priority != *own)),
        skills: own.map(|skill| (skill.name.clone(), skill.level)).collect(),
        preferred_skills: held.wishes.iter().flat_map(|wishes| wishes.skills.iter().cloned()).collect(),
        preferred_agent: wished,
        ..OpenAsk::default()
    }
}

/// The share that goes on after each moment in which something ended by itself; what was broken off counts as long as it was
/// seen (Kaplan and Meier 1958).
#[derive(Clone, PartialEq, Debug, Default)]
struct Survival {
    steps: Vec<(u64, f64)>,
    longest_ms: u64,
}

impl Survival {
    fn of(seen: impl Iterator<Item = Lasted>) -> Self {
        let mut all: Vec<(u64, bool)> = seen
            .map(|lasted| match lasted {
                Lasted::Just(ms) => (ms, true),
                Lasted::LongerThan(ms) => (ms, false),
            })
            .collect();
        all.sort_unstable();
        let (mut left, mut share, mut steps) = (all.len(), 1.0, Vec::new());
        for at in all.chunk_by(|one, other| one.0 == other.0) {
            let ended = at.iter().filter(|(_, ended)| *ended).count();
            if ended > 0 {
                share *= 1.0 - ended as f64 / left as f64;
                steps.push((at[0].0, share));
            }
            left -= at.len();
        }
        Self { steps, longest_ms: all.last().map_or(0, |(ms, _)| *ms) }
    }

    /// How long in all something lasts that was seen to last for longer than this; `None`: longer than any was seen to end.
    fn beyond(&self, ms: u64, of_all: f64) -> Option<u64> {
        let place = self.steps.partition_point(|(at, _)| *at <= ms);
        let now = place.checked_sub(1).map_or(1.0, |before| self.steps[before].1);
        self.steps[place..].iter().find(|(_, left)| *left <= now * of_all).map(|(at, _)| *at)
    }
}

/// The customers of a recording, in order; what is not known of one is drawn by the seed.
pub struct Replayed<'a> {
    known: &'a Known,
    seed: u64,
    nth: usize,
}

impl<'a> Replayed<'a> {
    pub fn new(known: &'a Known, seed: u64) -> Self {
        Self { known, seed, nth: 0 }
    }
}

impl Iterator for Replayed<'_> {
    type Item = Customer;

    fn next(&mut self) -> Option<Customer> {
        let customer = self.known.customers.get(self.nth)?;
        self.nth += 1;
        let mut dice = dice_of(self.seed, [5, self.nth as u64, 0]);
        let (of_handled, of_waited) = (share(&mut dice), share(&mut dice));
        let handling = &self.known.handling;
        let handling_ms = match customer.handled {
            Some(Lasted::Just(ms)) => ms,
            Some(Lasted::LongerThan(ms)) => handling.beyond(ms, of_handled).unwrap_or(handling.longest_ms),
            None => handling.beyond(0, of_handled).unwrap_or(handling.longest_ms),
        };
        let patience_ms = match customer.waited {
            Lasted::Just(ms) => Some(ms),
            Lasted::LongerThan(ms) => self.known.patience.beyond(ms, of_waited),
        };
        Some(Customer {
            at_ms: customer.at_ms,
            open: OpenAsk { customer: CustomerId(self.nth as u128), ..customer.open.clone() },
            handling_ms,
            patience_ms,
            dice: dice.roll(),
        })
    }
}

impl fmt::Display for Unknowns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "What the journal cannot tell:")?;
        writeln!(
            f,
            "- how long the {} of {} who did not give up would have waited: drawn from those who did, by how long each was seen",
            self.arrived - self.gave_up,
            self.arrived
        )?;
        if self.never_served > 0 {
            let count = self.never_served;
            writeln!(
                f,
                "- how long {count} would have been served, who never were to the end: drawn from the others in the same way"
            )?;
        }
        writeln!(
            f,
            "- how agents would answer other offers: as they did, {} accepted, {} rejected and {} run out of {}",
            self.accepted, self.rejected, self.expired, self.offers
        )?;
        writeln!(f, "- whether agents would have come, gone or worked otherwise: they are available as they were")?;
        if self.open_at_the_beginning > 0 {
            let count = self.open_at_the_beginning;
            writeln!(f, "- what became of {count} conversations that were open at the beginning: they are left out")?;
        }
        if self.reopened > 0 {
            writeln!(f, "- {} were reopened: each counts as a customer of its own", self.reopened)?;
        }
        if self.changes_of_settings > 0 {
            let count = self.changes_of_settings;
            writeln!(
                f,
                "- settings and queues were put {count} times on the way: they are taken as they were at the end"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_broken_off_counts_as_long_as_it_was_seen() {
        let seen = [Lasted::Just(10), Lasted::LongerThan(20), Lasted::Just(30), Lasted::LongerThan(40)];
        let survival = Survival::of(seen.into_iter());
        assert_eq!((survival.steps.as_slice(), survival.longest_ms), ([(10, 0.75), (30, 0.375)].as_slice(), 40));
        assert_eq!(survival.beyond(0, 0.8), Some(10));
        assert_eq!(survival.beyond(10, 0.8), Some(30));
        assert_eq!((survival.beyond(10, 0.4), survival.beyond(30, 0.9)), (None, None));
    }
}

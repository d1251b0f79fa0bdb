//! One replication: the desk, and everybody who is at it, moment by moment.
//!
//! What happens is taken from the desk's events alone, so whatever rule ends an offer or a conversation, or turns an agent
//! away, the people here hear of it as they would from a server.

mod hearing;

use super::customer::Customer;
use super::scenario::{Scenario, Source};
use super::series::{Level, Series};
use super::tally::Tally;
use crate::desk::command::{Ask, Closer, Command};
use crate::desk::event::Event;
use crate::desk::ids::{AgentId, ConversationId, OfferId, SessionId};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::desk::{Desk, answer};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::sync::Arc;

/// Why a scenario cannot be lived: something in it was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stranded {
    pub field: String,
    pub refusal: Refusal,
}

impl std::error::Error for Stranded {}

impl fmt::Display for Stranded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A setting's own field goes on where the entry's ends.
        let join = if matches!(self.refusal, Refusal::BadSetting { .. }) { "." } else { ": " };
        write!(f, "{}{join}{}", self.field, self.refusal)
    }
}

/// Something that will happen, unless it no longer can by then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Coming {
    ShiftBegins(u32),
    ShiftEnds(u32),
    BackAgain(u32),
    GoesHome(u32),
    /// The offer is on the agent's screen.
    Shown(AgentId, OfferId),
    Answers(AgentId, OfferId, bool),
    /// Served: by count of accepts, since a conversation may change hands.
    Finishes(ConversationId, u32),
    GivesUp(ConversationId),
}

/// A customer who is here.
struct Here {
    queue: Arc<str>,
    arrived_ms: u64,
    /// Not of the warm-up.
    counts: bool,
    handling_ms: u64,
    dice: u64,
    offers: u32,
    accepts: u32,
}

/// An agent as it was last looked at.
#[derive(Clone, Copy, Default)]
struct Seen {
    staffed: bool,
    busy: bool,
    load: f64,
}

struct Crew {
    /// The place of the member in the scenario.
    member: usize,
    on_shift: bool,
    comes_back: bool,
    seen: Seen,
}

struct Floor<'a> {
    scenario: &'a Scenario,
    desk: Desk,
    now_ms: u64,
    seed: u64,
    coming: BinaryHeap<Reverse<(u64, u64, Coming)>>,
    planned: u64,
    here: BTreeMap<ConversationId, Here>,
    waiting: u64,
    /// By agent, where it is one of the scenario's.
    crew: BTreeMap<AgentId, Crew>,
    agent_of: Vec<AgentId>,
    level: Level,
    events: Vec<Event>,
    tally: Tally,
    statuses: [Arc<str>; 2],
}

/// Desk time before the beginning, so that nothing is at zero.
const BEGAN_MS: u64 = 1_000;

/// Live one replication of a scenario.
///
/// # Errors
/// The first command of the setup, or of an arrival, that the desk refuses for what it names.
pub fn run(scenario: &Scenario, seed: u64) -> Result<Tally, Stranded> {
    let mut floor = Floor::new(scenario, seed)?;
    let mut source = scenario.source(seed);
    floor.live(&mut source)?;
    floor.close();
    Ok(floor.tally)
}

impl<'a> Floor<'a> {
    fn new(scenario: &'a Scenario, seed: u64) -> Result<Self, Stranded> {
        let mut floor = Self {
            scenario,
            desk: Desk::default(),
            now_ms: 0,
            seed,
            coming: BinaryHeap::new(),
            planned: 0,
            here: BTreeMap::new(),
            waiting: 0,
            crew: BTreeMap::new(),
            agent_of: Vec::new(),
            level: Level::default(),
            events: Vec::new(),
            tally: Tally { series: Series::new(scenario.length_ms), ..Tally::default() },
            statuses: ["".into(), "".into()],
        };
        for setup in &scenario.setup {
            let done = floor.ask(setup.lived());
            done.map_err(|refusal| Stranded { field: setup.field.clone(), refusal })?;
        }
        let named = |available: bool| {
            let status = floor.desk.settings().statuses.iter().find(|status| status.available == available);
            status.map(|status| status.name.clone()).unwrap_or_default()
        };
        floor.statuses = [named(false), named(true)];
        for (place, member) in scenario.crew.iter().enumerate() {
            let unknown = || Stranded { field: "staff".into(), refusal: Refusal::NoSuchAgent(member.name.clone()) };
            let id = floor.desk.agent_named(&member.name).ok_or_else(unknown)?;
            floor.crew.insert(id, Crew { member: place, on_shift: false, comes_back: false, seen: Seen::default() });
            floor.agent_of.push(id);
            for (from, to) in &member.shifts {
                floor.plan(*from, Coming::ShiftBegins(place as u32));
                floor.plan(*to, Coming::ShiftEnds(place as u32));
            }
        }
        Ok(floor)
    }

    fn live(&mut self, source: &mut Source) -> Result<(), Stranded> {
        let end = self.scenario.length_ms;
        let mut next = source.next();
        loop {
            let arrival = next.as_ref().map(|customer| customer.at_ms);
            let planned = self.coming.peek().map(|Reverse((at, ..))| *at);
            let deadline = self.desk.next_deadline().map(|at| at.0.saturating_sub(BEGAN_MS));
            // At the same moment: what the desk is due, then what was planned (an agent may become free), then arrivals.
            let Some(at) = [deadline, planned, arrival].into_iter().flatten().min().filter(|at| *at < end) else {
                self.passes(end);
                return Ok(());
            };
            self.passes(at.max(self.now_ms));
            if deadline.is_some_and(|due| due <= self.now_ms) {
                let _ = self.ask(Ask::Tick);
            } else if planned.is_some_and(|due| due <= self.now_ms) {
                let Some(Reverse((_, _, coming))) = self.coming.pop() else { continue };
                self.comes(coming);
            } else if let Some(customer) = next.take() {
                self.arrives(customer)?;
                next = source.next();
            }
        }
    }

    /// The level stood as it was until now.
    fn passes(&mut self, to_ms: u64) {
        if to_ms == self.now_ms {
            return;
        }
        self.tally.series.stood(self.now_ms, to_ms, self.level);
        let counted_ms = to_ms.saturating_sub(self.now_ms.max(self.scenario.warm_up_ms)) as f64;
        let agents = &mut self.tally.agents;
        agents.staffed_ms += self.level.staffed * counted_ms;
        agents.busy_ms += self.level.busy * counted_ms;
        agents.load_ms += self.level.load * counted_ms;
        self.now_ms = to_ms;
    }

    fn plan(&mut self, at_ms: u64, coming: Coming) {
        self.planned += 1;
        self.coming.push(Reverse((at_ms, self.planned, coming)));
    }

    fn comes(&mut self, coming: Coming) {
        match coming {
            Coming::ShiftBegins(member) => self.shift_begins(member),
            Coming::ShiftEnds(member) => self.shift_ends(member),
            Coming::BackAgain(member) => {
                let agent = self.agent_of[member as usize];
                let Some(crew) = self.crew.get_mut(&agent) else { return };
                crew.comes_back = false;
                if crew.on_shift {
                    self.set_status(agent, true);
                }
            }
            Coming::GoesHome(member) => {
                let agent = self.agent_of[member as usize];
                if self.crew.get(&agent).is_some_and(|crew| !crew.on_shift && !crew.seen.busy) {
                    let _ = self.ask(Ask::SignOut { agent });
                }
            }
            Coming::Shown(agent, offer) => {
                if self.desk.offer(offer).is_some() {
                    let _ = self.ask(Ask::ConfirmDelivery { agent, offer });
                }
            }
            Coming::Answers(agent, offer, accepts) => {
                if self.desk.offer(offer).is_none() {
                    return;
                }
                let reason = self.desk.settings().reject_reasons.first().cloned().unwrap_or_default();
                let answer = if accepts { Ask::Accept { agent, offer } } else { Ask::Reject { agent, offer, reason } };
                // A refusal here is a late answer: the offer's end was told by an event.
                let _ = self.ask(answer);
            }
            Coming::Finishes(conversation, accepts) => {
                let still = self.here.get(&conversation).is_some_and(|here| here.accepts == accepts);
                let owner = self.desk.conversation(conversation).and_then(|held| held.state.owner());
                // What its owner would have to label it with is not lived here, so an administrator ends it, who is not asked.
                if let (true, Some(_)) = (still, owner) {
                    let _ = self.ask(Ask::Close { conversation, by: Closer::Admin });
                }
            }
            Coming::GivesUp(conversation) => {
                let Some(here) = self.here.get(&conversation).filter(|here| here.accepts == 0) else { return };
                let Some(held) = self.desk.conversation(conversation) else { return };
                let (queue, counts, waited) = (here.queue.clone(), here.counts, self.now_ms - here.arrived_ms);
                let by = Closer::Customer(held.customer);
                // First, so that the event that follows is not taken for a rule's.
                self.leaves(conversation);
                if counts {
                    let tally = self.tally.queues.entry(queue).or_default();
                    tally.abandoned += 1;
                    tally.patience.add(waited);
                }
                let _ = self.ask(Ask::Close { conversation, by });
            }
        }
    }

    fn shift_begins(&mut self, member: u32) {
        let agent = self.agent_of[member as usize];
        let name = self.scenario.crew[member as usize].name.clone();
        let session = SessionId(u128::from(agent.0) + 1);
        let _ = self.ask(Ask::SessionCame { agent: name, session, title: None });
        if let Some(crew) = self.crew.get_mut(&agent) {
            crew.on_shift = true;
        }
        self.set_status(agent, true);
    }

    /// Nothing new; it goes when the last of what it has is finished.
    fn shift_ends(&mut self, member: u32) {
        let agent = self.agent_of[member as usize];
        let Some(crew) = self.crew.get_mut(&agent) else { return };
        crew.on_shift = false;
        self.set_status(agent, false);
        self.look_at(agent);
    }

    fn set_status(&mut self, agent: AgentId, available: bool) {
        let status = self.statuses[usize::from(available)].clone();
        let _ = self.ask(Ask::SetStatus { agent, status, channels: None });
    }

    fn arrives(&mut self, customer: Customer) -> Result<(), Stranded> {
        let Customer { open, handling_ms, patience_ms, dice, .. } = customer;
        let (arrived_ms, queue) = (self.now_ms, open.queue.clone());
        let counts = arrived_ms >= self.scenario.warm_up_ms;
        self.tally.conversations += 1;
        if counts {
            self.tally(&queue).arrived += 1;
        }
        let id = ConversationId(self.desk.last_conversation().0 + 1);
        self.here
            .insert(id, Here { queue: queue.clone(), arrived_ms, counts, handling_ms, dice, offers: 0, accepts: 0 });
        self.waiting += 1;
        self.level.waiting = self.waiting as f64;
        match self.ask(Ask::Open(Box::new(open))) {
            Ok(_) => {
                let Some(here) = self.here.get(&id) else { return Ok(()) };
                if counts && here.offers == 0 && here.accepts == 0 {
                    self.tally(&queue).delayed += 1;
                }
                if let Some(patience_ms) = patience_ms {
                    self.plan(arrived_ms + patience_ms, Coming::GivesUp(id));
                }
                Ok(())
            }
            // What names something that is not there is a fault of the scenario; any other refusal is the desk's answer.
            Err(
                refusal @ (Refusal::NoSuchQueue(_)
                | Refusal::NoSuchChannel(_)
                | Refusal::NoSuchAgent(_)
                | Refusal::BadSetting { .. }),
            ) => Err(Stranded { field: "arrivals".into(), refusal }),
            Err(_) => {
                self.leaves(id);
                if counts {
                    self.tally(&queue).refused += 1;
                }
                Ok(())
            }
        }
    }

    fn ask(&mut self, ask: Ask) -> Result<answer::Answer, Refusal> {
        let now = Now { desk: DeskTime(BEGAN_MS + self.now_ms), wall: WallTime(self.scenario.begins.0 + self.now_ms) };
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let answer = self.desk.handle(now, &Command::of_server(ask), &Loaded::default(), &mut events);
        for event in &events {
            self.hear(event);
        }
        self.events = events;
        for agent in self.desk.take_touched().agents {
            self.look_at(agent);
        }
        answer
    }
}

//! The desk that follows another system. What that one did is replayed as facts, by the events that it amounts to; what this desk
//! decides on them stays an offer that nobody sees. Its own clocks of offers do not run: nobody is there to answer.

use super::report::{DIFFERENCES_MAX, Difference, ShadowReport, WaitsTold};
use super::told::Told;
use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, AskedAgent, Closer, Command, OpenAsk};
use crate::desk::conversation::State;
use crate::desk::event::{Event, OfferEnd, RequeueCause};
use crate::desk::ids::{AgentId, ConversationId, CustomerId, KeyNumber, OfferId, SessionId};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;
use crate::desk::settings::CoolDowns;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::simulate::staffing::{Setup, Stranded, Waits};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

const OPEN_MAX: usize = 1_000_000;
const NAME_BYTES_MAX: usize = 256;
/// A longer silence is a fault of the times.
const SILENCE_MS_MAX: u64 = 366 * 86_400_000;
/// The longest that an offer may be set to: one that nobody answers stands.
const OFFER_MS: u64 = 3_600_000;
const BEGAN_MS: u64 = 1_000;

/// A line that cannot be followed, and the field at fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {what}")]
pub struct Wrong {
    pub field: &'static str,
    pub what: String,
}

/// A conversation that is open there.
struct Followed {
    /// Absent: it was not let in here.
    id: Option<ConversationId>,
    queue: Arc<str>,
    arrived_at_ms: u64,
    assigned: bool,
    /// Whom it was first offered to here, and when.
    decided: Option<(AgentId, u64)>,
}

pub struct Shadow {
    desk: Desk,
    began_ms: Option<u64>,
    now_ms: u64,
    open: BTreeMap<Arc<str>, Followed>,
    names: BTreeMap<ConversationId, Arc<str>>,
    customers: u128,
    last_offer: OfferId,
    statuses: [Arc<str>; 2],
    report: ShadowReport,
    there: Waits,
    here: Waits,
    differences: BinaryHeap<Reverse<Difference>>,
}

impl Shadow {
    /// A desk as the workspace is set, but that offers stand until the other system acts.
    ///
    /// # Errors
    /// The first part of the setup that the desk refuses.
    pub fn new(setup: &[Setup]) -> Result<Self, Stranded> {
        let mut shadow = Self {
            desk: Desk::default(),
            began_ms: None,
            now_ms: 0,
            open: BTreeMap::new(),
            names: BTreeMap::new(),
            customers: 0,
            last_offer: OfferId(0),
            statuses: ["".into(), "".into()],
            report: ShadowReport::default(),
            there: Waits::default(),
            here: Waits::default(),
            differences: BinaryHeap::new(),
        };
        for part in setup {
            let done = shadow.ask(part.lived());
            done.map_err(|refusal| Stranded { field: part.field.clone(), refusal })?;
        }
        let nobody_answers = |refusal| Stranded { field: "offers that stand".into(), refusal };
        let mut settings = (**shadow.desk.settings()).clone();
        settings.channels.iter_mut().for_each(|channel| channel.offer_ms = OFFER_MS);
        settings.missed_in_a_row_max = u32::MAX;
        settings.undelivered_in_a_row_max = u32::MAX;
        let none =
            CoolDowns { rejected_ms: 0, expired_ms: 0, undelivered_ms: 0, agent_lost_ms: 0, ..settings.cool_downs };
        settings.cool_downs = none;
        let named = |available: bool| {
            let status = settings.statuses.iter().find(|status| status.available == available);
            status.map(|status| status.name.clone()).unwrap_or_default()
        };
        shadow.statuses = [named(false), named(true)];
        shadow.ask(Ask::PutSettings(Box::new(settings))).map_err(nobody_answers)?;
        let queues: Vec<_> = shadow.desk.queues().map(|(_, queue)| (*queue.settings).clone()).collect();
        for mut queue in queues {
            queue.offer_ms = queue.offer_ms.map(|_| OFFER_MS);
            shadow.ask(Ask::PutQueue(Box::new(queue))).map_err(nobody_answers)?;
        }
        Ok(shadow)
    }

    /// One line of the other system's.
    ///
    /// # Errors
    /// The field that cannot be followed; nothing was done.
    pub fn tell(&mut self, told: Told) -> Result<(), Wrong> {
        let at_ms = told.at_ms();
        let began_ms = self.began_ms.unwrap_or(at_ms);
        let last_ms = began_ms + self.now_ms;
        let after = at_ms.checked_sub(last_ms).ok_or_else(|| wrong("at_ms", "earlier than the line before"))?;
        if after > SILENCE_MS_MAX {
            return Err(wrong("at_ms", "more than a year after the line before"));
        }
        self.began_ms = Some(began_ms);
        self.time_passes(at_ms - began_ms);
        match told {
            Told::Agent { agent, .. } => {
                let done = self.ask(Ask::PutAgent(Box::new(agent)));
                done.map(drop).map_err(|refusal| wrong("agent", refusal))
            }
            Told::Presence { agent, available, channels, .. } => self.presence(&agent, available, channels),
            Told::Assigned { conversation, agent, .. } => self.assigned(conversation, &agent),
            Told::Ended { conversation, .. } => self.ended(&conversation),
            Told::Arrived {
                conversation,
                queue,
                channel,
                priority,
                skills,
                preferred_skills,
                preferred_agent,
                at_ms,
            } => {
                self.customers += 1;
                let open = OpenAsk {
                    customer: CustomerId(self.customers),
                    key: KeyNumber(1),
                    channel: channel.unwrap_or_else(|| self.desk.settings().channels[0].name.clone()),
                    queue,
                    priority,
                    skills,
                    preferred_skills,
                    preferred_agent: preferred_agent.map(|name| AskedAgent { name, required: false }),
                    ..OpenAsk::default()
                };
                self.arrived(conversation, open, at_ms)
            }
        }
    }

    fn time_passes(&mut self, to_ms: u64) {
        loop {
            let due = self.desk.next_deadline().map(|at| at.0.saturating_sub(BEGAN_MS)).filter(|at| *at <= to_ms);
            let Some(due) = due else { break };
            self.now_ms = due.max(self.now_ms);
            let _ = self.ask(Ask::Tick);
        }
        self.now_ms = to_ms;
    }

    fn now(&self) -> Now {
        let wall = WallTime(self.began_ms.unwrap_or(0) + self.now_ms);
        Now { desk: DeskTime(BEGAN_MS + self.now_ms), wall }
    }

    fn ask(&mut self, ask: Ask) -> Result<Answer, Refusal> {
        let mut events = Vec::new();
        let answer = self.desk.handle(self.now(), &Command::of_server(ask), &Loaded::default(), &mut events);
        self.desk.take_touched();
        let mut shown = Vec::new();
        for event in &events {
            if let Event::OfferMade { offer, conversation, agent, .. } = event {
                self.last_offer = self.last_offer.max(*offer);
                shown.push((*agent, *offer));
                let at_ms = self.began_ms.unwrap_or(0) + self.now_ms;
                if let Some(followed) = self.names.get(conversation).and_then(|name| self.open.get_mut(name)) {
                    followed.decided.get_or_insert((*agent, at_ms));
                }
            }
        }
        // As if it were on a screen, so that it stands.
        for (agent, offer) in shown {
            if self.desk.offer(offer).is_some() {
                let _ = self.ask(Ask::ConfirmDelivery { agent, offer });
            }
        }
        answer
    }

    fn agent(&self, name: &Arc<str>) -> Result<AgentId, Wrong> {
        let unknown = || wrong("agent", format!("there is no agent {name:?}: declare it, or tell of it first"));
        self.desk.agent_named(name).ok_or_else(unknown)
    }

    fn presence(&mut self, name: &Arc<str>, available: bool, channels: Option<Vec<Arc<str>>>) -> Result<(), Wrong> {
        let agent = self.agent(name)?;
        let offline = self.desk.agent(agent).is_none_or(|held| held.connection == Connection::Offline);
        if offline {
            let session = SessionId(u128::from(agent.0) + 1);
            let came = self.ask(Ask::SessionCame { agent: name.clone(), session, title: None });
            came.map_err(|refusal| wrong("agent", refusal))?;
        }
        let status = self.statuses[usize::from(available)].clone();
        let set = self.ask(Ask::SetStatus { agent, status, channels });
        set.map(drop).map_err(|refusal| wrong("channels", refusal))
    }

    fn arrived(&mut self, name: Arc<str>, open: OpenAsk, at_ms: u64) -> Result<(), Wrong> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(wrong("conversation", format!("1 to {NAME_BYTES_MAX} bytes")));
        }
        if self.open.contains_key(&name) {
            return Err(wrong("conversation", format!("{name:?} arrived before and has not ended")));
        }
        if self.open.len() >= OPEN_MAX {
            return Err(wrong("conversation", format!("more than {OPEN_MAX} are open at once")));
        }
        let (id, queue) = (ConversationId(self.desk.last_conversation().0 + 1), open.queue.clone());
        let followed = Followed { id: Some(id), queue, arrived_at_ms: at_ms, assigned: false, decided: None };
        self.open.insert(name.clone(), followed);
        self.names.insert(id, name.clone());
        let refusal = match self.ask(Ask::Open(Box::new(open))) {
            Ok(_) => {
                self.report.conversations += 1;
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        self.names.remove(&id);
        let field = match refusal {
            Refusal::NoSuchQueue(_) => "queue",
            Refusal::NoSuchChannel(_) => "channel",
            Refusal::BadSetting { .. } => "preferred_skills",
            _ => {
                self.report.conversations += 1;
                self.report.refused += 1;
                self.open.entry(name).and_modify(|followed| followed.id = None);
                return Ok(());
            }
        };
        self.open.remove(&name);
        Err(wrong(field, refusal))
    }

    fn assigned(&mut self, name: Arc<str>, to: &Arc<str>) -> Result<(), Wrong> {
        let agent = self.agent(to)?;
        let not_open = || wrong("conversation", format!("{name:?} has not arrived, or has ended"));
        let followed = self.open.get(&name).ok_or_else(not_open)?;
        let (first, id) = (!followed.assigned, followed.id);
        let Some(held) = id.and_then(|id| self.desk.conversation(id)) else {
            self.report.assigned += u64::from(first);
            self.open.entry(name).and_modify(|followed| followed.assigned = true);
            return Ok(());
        };
        let pending = held.offers.iter().find(|pending| pending.agent == agent).map(|pending| pending.offer);
        let waits = matches!(held.state, State::Waiting | State::Offered { .. });
        let excluded_by = if waits && pending.is_none() {
            self.desk.fits(agent, held).err().map(crate::desk::fits::WhyNot::name)
        } else {
            None
        };
        if first {
            self.compare(&name, agent, excluded_by);
            self.open.entry(name).and_modify(|followed| followed.assigned = true);
        }
        let id = id.expect("it is held");
        match pending {
            Some(offer) => drop(self.ask(Ask::Accept { agent, offer })),
            None => self.is_owned_by(id, agent),
        }
        Ok(())
    }

    /// The fact that the other system made, as the events that it amounts to.
    fn is_owned_by(&mut self, id: ConversationId, agent: AgentId) {
        let Some(held) = self.desk.conversation(id) else { return };
        let (public, waiting_since) = (held.public + 1, held.waiting_since);
        let mut facts = Vec::new();
        match held.state {
            State::Active { owner } if owner == agent => return,
            State::Active { owner: from } => {
                let (conversation, cause, cool_down_until) = (id, RequeueCause::OwnerGone, None);
                facts.push(Event::ConversationRequeued {
                    conversation,
                    from,
                    waiting_since,
                    public,
                    cause,
                    cool_down_until,
                });
            }
            State::WrapUp { .. } | State::Closed => return,
            State::Waiting | State::Offered { .. } => {}
        }
        let ended = |offer, agent, end, public| Event::OfferEnded {
            offer,
            conversation: id,
            agent,
            end,
            reason: None,
            cool_down_until: None,
            public,
            transfer: None,
            queue: None,
        };
        let others = held.offers.iter();
        facts.extend(others.map(|other| ended(other.offer, other.agent, OfferEnd::Withdrawn, None)));
        self.last_offer = OfferId(self.last_offer.0 + 1);
        let (offer, ends_at) = (self.last_offer, self.now().desk.plus_ms(OFFER_MS));
        let (deliver_by, transfer, queue) = (ends_at, None, None);
        facts.push(Event::OfferMade { offer, conversation: id, agent, ends_at, deliver_by, transfer, queue });
        facts.push(ended(offer, agent, OfferEnd::Accepted, Some(public)));
        self.desk.replay(self.now(), &facts, &[]);
        self.desk.take_touched();
        // Whoever that made free, or kept from what waits, is looked at.
        let _ = self.ask(Ask::Tick);
    }

    fn compare(&mut self, name: &Arc<str>, there: AgentId, excluded_by: Option<&'static str>) {
        let at_ms = self.began_ms.unwrap_or(0) + self.now_ms;
        let Some(followed) = self.open.get(name) else { return };
        let wait_there_ms = at_ms - followed.arrived_at_ms;
        let decided = followed.decided.map(|(agent, decided_ms)| (agent, decided_ms - followed.arrived_at_ms));
        let report = &mut self.report;
        report.assigned += 1;
        match decided {
            Some((agent, _)) if agent == there => report.same_agent += 1,
            Some(_) => report.other_agent += 1,
            None => report.nobody_fitted += 1,
        }
        if let Some(rule) = excluded_by {
            *report.excluded_by_rule.entry(rule).or_default() += 1;
        }
        let saved_ms = decided.map_or(0, |(_, wait_ms)| wait_there_ms - wait_ms);
        if let Some((_, wait_ms)) = decided {
            report.saved_ms += saved_ms;
            self.there.add(wait_there_ms);
            self.here.add(wait_ms);
        }
        if excluded_by.is_none() && saved_ms == 0 && decided.is_some_and(|(agent, _)| agent == there) {
            return;
        }
        let named = |agent: AgentId| self.desk.agent(agent).map(|held| held.profile.name.clone()).unwrap_or_default();
        self.differences.push(Reverse(Difference {
            saved_ms,
            conversation: name.clone(),
            queue: followed.queue.clone(),
            arrived_at_ms: followed.arrived_at_ms,
            there: named(there),
            wait_there_ms,
            here: decided.map(|(agent, _)| named(agent)),
            wait_here_ms: decided.map(|(_, wait_ms)| wait_ms),
            excluded_by,
        }));
        if self.differences.len() > DIFFERENCES_MAX {
            self.differences.pop();
        }
    }

    fn ended(&mut self, name: &Arc<str>) -> Result<(), Wrong> {
        let not_open = || wrong("conversation", format!("{name:?} has not arrived, or has ended"));
        let followed = self.open.remove(name).ok_or_else(not_open)?;
        if !followed.assigned {
            self.report.left += 1;
            self.report.left_though_offered += u64::from(followed.decided.is_some());
        }
        if let Some(conversation) = followed.id {
            self.names.remove(&conversation);
            let _ = self.ask(Ask::Close { conversation, by: Closer::Admin });
        }
        Ok(())
    }

    /// What came of it.
    #[must_use]
    pub fn end(mut self) -> ShadowReport {
        self.report.wait_there = WaitsTold::of(&self.there);
        self.report.wait_here = WaitsTold::of(&self.here);
        self.report.differences = self.differences.into_sorted_vec().into_iter().map(|Reverse(held)| held).collect();
        self.report
    }
}

fn wrong(field: &'static str, what: impl ToString) -> Wrong {
    Wrong { field, what: what.to_string() }
}

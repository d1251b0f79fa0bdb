//! Where commands gather while a turn is being committed: bounded in number and bytes, cheap to refuse.
//!
//! One queue for all that belongs to something already here, so that order within a session is kept; what differs is
//! how full it may be for whom. New conversations are refused first, accepts and rejects last, and edges of connections
//! never: there are no more of them than sessions.
//!
//! New conversations wait in a queue of their own, and are taken when the other one is empty or has room left in the turn.
//! In one queue with the rest they took the turns that accepts and closes needed: at three times the load that could be
//! finished, 4,000 a second were begun, and next to none of them ended within a second.

use super::published::{NotDone, Replied};
use super::turn::Asked;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::CommandId;
use crate::desk::labels::LABELS_BYTES_MAX;
use crate::presence::Session;
use metrics::Counter;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{Notify, oneshot};

/// Where the reply to a command goes.
#[derive(Debug)]
pub enum ReplyTo {
    /// A `reply` frame, by the frame's id.
    Session {
        session: Arc<Session>,
        id: CommandId,
    },
    /// The welcome, with the return ticket that the gateway signed; or a close.
    Welcome {
        session: Arc<Session>,
        ticket: Box<str>,
    },
    Caller(oneshot::Sender<Result<Replied, NotDone>>),
    Nobody,
}

/// How late a command may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// New conversations.
    Start,
    Ordinary,
    /// What ends an offer or gives an agent free.
    Answer,
    /// A session came or went, the server began, time passed.
    Edge,
}

/// A new conversation is refused while the first command has waited this long: what is here already comes first.
const START_DELAY_MS_MAX: u64 = 200;
/// The same, while more new conversations wait than a turn takes. A turn takes a few milliseconds, so this keeps some of them full
/// and no more. With 200 ms for these too, three times the load that could be finished came in bursts: thousands were
/// begun at once, and requests and answers behind them were up to a second late. (A few that wait for a slow disk are no flood.)
const FLOOD_DELAY_MS_MAX: u64 = 25;
const FLOOD_STARTS: usize = 64;
/// What a command takes beside its texts.
const COMMAND_BYTES: usize = 256;

#[derive(Debug)]
pub struct Intake {
    state: Mutex<State>,
    notify: Notify,
    limits: Limits,
    /// Counters of what was refused, by class: looked for once, since a flood is refused by the tens of thousands.
    refused: [OnceLock<Counter>; 4],
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub commands_max: usize,
    pub bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    commands: VecDeque<Waiting>,
    /// New conversations. Nobody's order is lost by their waiting longer: whoever starts one waits for its answer.
    starts: VecDeque<Waiting>,
    bytes: usize,
    /// Sessions whose deltas were dropped. One place each.
    snapshots: Vec<Arc<Session>>,
}

#[derive(Debug)]
struct Waiting {
    asked: Asked<ReplyTo>,
    bytes: usize,
    since_ms: u64,
}

impl Intake {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { state: Mutex::default(), notify: Notify::new(), limits, refused: Default::default() }
    }

    /// Whether a new conversation would be taken now: asked before anything is done for it.
    ///
    /// # Errors
    /// As `put`.
    pub fn may_start(&self, now_ms: u64) -> Result<(), NotDone> {
        let state = self.lock();
        let delay_ms = state.delay_ms(now_ms);
        if self.is_full(&state, Class::Start, COMMAND_BYTES) || state.is_late(delay_ms) {
            drop(state);
            return Err(self.refused(Class::Start, delay_ms));
        }
        Ok(())
    }

    /// Counts a start that is refused before it came here.
    #[must_use]
    pub fn refuse_start(&self, retry_after_ms: u64) -> NotDone {
        self.refused(Class::Start, retry_after_ms)
    }

    fn refused(&self, class: Class, delay_ms: u64) -> NotDone {
        let counter = || metrics::counter!("offhook_intake_refused_total", "class" => class.name());
        self.refused[class as usize].get_or_init(counter).increment(1);
        NotDone::Busy { retry_after_ms: delay_ms.clamp(250, 5_000) }
    }

    fn is_full(&self, state: &State, class: Class, bytes: usize) -> bool {
        let tenths = match class {
            Class::Start => 5,
            Class::Ordinary => 8,
            Class::Answer => 10,
            Class::Edge => usize::MAX / self.limits.bytes_max.max(1) / 16,
        };
        state.commands.len() + state.starts.len() >= self.limits.commands_max / 10 * tenths
            || state.bytes + bytes > self.limits.bytes_max / 10 * tenths
    }

    /// # Errors
    /// `Busy`, with a hint that grows with what waits; nothing happened.
    pub fn put(&self, asked: Asked<ReplyTo>, now_ms: u64) -> Result<(), (NotDone, ReplyTo)> {
        let class = class_of(&asked.command.ask);
        let bytes = bytes_of(&asked.command);
        let mut state = self.lock();
        let delay_ms = state.delay_ms(now_ms);
        let late = class == Class::Start && state.is_late(delay_ms);
        if late || self.is_full(&state, class, bytes) {
            drop(state);
            return Err((self.refused(class, delay_ms), asked.reply_to));
        }
        state.bytes += bytes;
        let queue = if class == Class::Start { &mut state.starts } else { &mut state.commands };
        queue.push_back(Waiting { asked, bytes, since_ms: now_ms });
        drop(state);
        self.notify.notify_one();
        Ok(())
    }

    /// This session wants a fresh snapshot of its own state.
    pub fn want_snapshot(&self, session: &Arc<Session>) {
        let mut state = self.lock();
        if !state.snapshots.iter().any(|held| held.id == session.id) {
            state.snapshots.push(session.clone());
        }
        drop(state);
        self.notify.notify_one();
    }

    /// Until something waits.
    pub async fn filled(&self) {
        self.notify.notified().await;
    }

    /// Moves commands over, in order, until there are `commands_max`; then new conversations, but only until there are
    /// `starts_max`: so many are not in the way of what comes while they are decided.
    pub fn take(&self, asked: &mut VecDeque<Asked<ReplyTo>>, commands_max: usize, starts_max: usize) {
        let mut state = self.lock();
        let State { commands, starts, bytes, .. } = &mut *state;
        for (queue, most) in [(&mut *commands, commands_max), (&mut *starts, starts_max)] {
            while asked.len() < most {
                let Some(waiting) = queue.pop_front() else { break };
                *bytes -= waiting.bytes;
                asked.push_back(waiting.asked);
            }
            if queue.is_empty() {
                // A flood's room is given back.
                queue.shrink_to(64);
            }
        }
        if !commands.is_empty() || !starts.is_empty() {
            self.notify.notify_one();
        }
    }

    #[must_use]
    pub fn take_snapshots(&self) -> Vec<Arc<Session>> {
        std::mem::take(&mut self.lock().snapshots)
    }

    /// Commands and bytes that wait.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let state = self.lock();
        (state.commands.len() + state.starts.len(), state.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a new conversation would come too late.
    fn is_late(&self, delay_ms: u64) -> bool {
        delay_ms > START_DELAY_MS_MAX || delay_ms > FLOOD_DELAY_MS_MAX && self.starts.len() >= FLOOD_STARTS
    }

    /// How long the first of those that wait has waited.
    fn delay_ms(&self, now_ms: u64) -> u64 {
        let firsts = [self.commands.front(), self.starts.front()];
        firsts.into_iter().flatten().map(|first| now_ms.saturating_sub(first.since_ms)).max().unwrap_or(0)
    }
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Start => "start",
            Class::Ordinary => "ordinary",
            Class::Answer => "answer",
            Class::Edge => "edge",
        }
    }
}

fn class_of(ask: &Ask) -> Class {
    match ask {
        Ask::Open(_) => Class::Start,
        Ask::Accept { .. }
        | Ask::Reject { .. }
        | Ask::ConfirmDelivery { .. }
        | Ask::Close { .. }
        | Ask::WrapUpDone { .. }
        | Ask::Label(_)
        | Ask::Move(_)
        | Ask::Decide(_)
        | Ask::SignOut { .. } => Class::Answer,
        Ask::SessionCame { .. } | Ask::SessionWent { .. } | Ask::ServerBegan | Ask::Tick => Class::Edge,
        Ask::PutSettings(_)
        | Ask::PutQueue(_)
        | Ask::RemoveQueue { .. }
        | Ask::PutAgent(_)
        | Ask::PutApiKey(_)
        | Ask::RemoveApiKey { .. }
        | Ask::SetStatus { .. }
        | Ask::ExtendWrapUp { .. }
        | Ask::SetNextStatus { .. }
        | Ask::ForceStatus { .. }
        | Ask::AgentIsIdle { .. }
        | Ask::Ready { .. }
        | Ask::ListOwn { .. }
        | Ask::Post { .. }
        | Ask::Read { .. }
        | Ask::Typing { .. }
        | Ask::MergeCustomer { .. }
        | Ask::WhyConversation { .. }
        | Ask::WhyAgent { .. }
        | Ask::Start(_)
        | Ask::Note { .. }
        | Ask::DrainAgent { .. }
        | Ask::DrainQueue { .. }
        | Ask::ListWaiting { .. }
        | Ask::ListDecisions { .. }
        | Ask::SignOutCustomer { .. } => Class::Ordinary,
    }
}

fn bytes_of(command: &Command) -> usize {
    COMMAND_BYTES
        + match &command.ask {
            Ask::Post { text, .. } | Ask::Note { text, .. } => text.len(),
            Ask::Start(start) => {
                start.text.as_ref().map_or(0, |text| text.len()) + start.about.as_ref().map_or(0, |about| about.len())
            }
            Ask::Open(open) => {
                open.text.as_ref().map_or(0, |text| text.len()) + open.about.as_ref().map_or(0, |about| about.len())
            }
            Ask::Label(_) => LABELS_BYTES_MAX,
            Ask::PutSettings(_) => 64 * 1024,
            Ask::ListDecisions { known } => 16 * known.len(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ids::{AgentId, OfferId};

    fn asked(ask: Ask) -> Asked<ReplyTo> {
        Asked { command: Command::of_server(ask), reply_to: ReplyTo::Nobody }
    }

    fn open() -> Ask {
        Ask::Open(Box::new(crate::desk::command::OpenAsk {
            customer: crate::desk::ids::CustomerId(1),
            key: crate::desk::ids::KeyNumber(1),
            channel: "chat".into(),
            queue: "support".into(),
            ..Default::default()
        }))
    }

    fn ready() -> Ask {
        Ask::Ready { agent: AgentId(0) }
    }

    fn accept() -> Ask {
        Ask::Accept { agent: AgentId(0), offer: OfferId(1) }
    }

    #[test]
    fn starts_are_refused_first_and_accepts_last_and_edges_never() {
        let intake = Intake::new(Limits { commands_max: 100, bytes_max: 1 << 20 });
        let fill = |ask: &dyn Fn() -> Ask| (0..200).take_while(|_| intake.put(asked(ask()), 0).is_ok()).count();
        assert_eq!(fill(&open), 50);
        assert_eq!(fill(&ready), 30);
        assert_eq!(fill(&accept), 20);
        assert!(intake.put(asked(accept()), 0).is_err());
        assert!(intake.put(asked(Ask::Tick), 0).is_ok());
        assert_eq!(intake.size().0, 101);
    }

    #[test]
    fn bytes_bound_it_too_and_come_free_again() {
        let intake = Intake::new(Limits { commands_max: 1_000_000, bytes_max: COMMAND_BYTES * 10 });
        let fill = || (0..100).take_while(|_| intake.put(asked(accept()), 0).is_ok()).count();
        let most = fill();
        assert!((9..=10).contains(&most));
        intake.take(&mut VecDeque::new(), 1_000, 1_000);
        assert_eq!(intake.size(), (0, 0));
        assert_eq!(fill(), most);
    }

    #[test]
    fn what_is_here_already_comes_before_what_is_new() {
        let intake = Intake::new(Limits { commands_max: 1_000, bytes_max: 1 << 20 });
        (0..5).for_each(|_| intake.put(asked(open()), 0).unwrap());
        (0..3).for_each(|_| intake.put(asked(accept()), 0).unwrap());
        let mut taken = VecDeque::new();
        intake.take(&mut taken, 10, 4);
        let names: Vec<&str> = taken.iter().map(|asked| asked.command.ask.name()).collect();
        assert_eq!(names, ["accept", "accept", "accept", "open"]);
        (0..20).for_each(|_| intake.put(asked(accept()), 0).unwrap());
        intake.take(&mut taken, 10, 4);
        assert_eq!((taken.len(), intake.size().0), (10, 18));
    }

    #[test]
    fn a_start_is_refused_while_others_wait_too_long() {
        let intake = Intake::new(Limits { commands_max: 1_000, bytes_max: 1 << 20 });
        intake.put(asked(open()), 0).unwrap();
        assert!(intake.may_start(START_DELAY_MS_MAX).is_ok() && intake.may_start(START_DELAY_MS_MAX + 1).is_err());
        let refused = intake.put(asked(open()), START_DELAY_MS_MAX + 1).unwrap_err().0;
        assert!(matches!(refused, NotDone::Busy { retry_after_ms: 250.. }));
        assert!(intake.put(asked(ready()), START_DELAY_MS_MAX + 1).is_ok());
    }

    #[test]
    fn a_flood_of_starts_is_refused_sooner_than_a_few_that_wait_for_a_slow_disk() {
        let intake = Intake::new(Limits { commands_max: 10_000, bytes_max: 1 << 24 });
        (1..FLOOD_STARTS).for_each(|_| intake.put(asked(open()), 0).unwrap());
        assert!(intake.may_start(FLOOD_DELAY_MS_MAX + 1).is_ok());
        intake.put(asked(open()), 0).unwrap();
        assert!(intake.may_start(FLOOD_DELAY_MS_MAX).is_ok() && intake.may_start(FLOOD_DELAY_MS_MAX + 1).is_err());
    }
}

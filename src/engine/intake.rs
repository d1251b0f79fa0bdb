//! Where commands gather while a turn is being committed: bounded in number and bytes, cheap to refuse.
//!
//! What differs is how full it may be for whom. New conversations are refused first, accepts and rejects last, and edges of connections
//! never: there are no more of them than sessions.
//!
//! What ends an offer, and sessions that come and go, overtake the rest: an accept does not stand in line behind other people's
//! messages. A session's own order stays: while anything of it waits in the ordinary queue, what follows goes there too.
//!
//! New conversations wait in a queue of their own, and are taken when the other one is empty or has room left in the turn.
//! In one queue with the rest they took the turns that accepts and closes needed: at three times the load that could be
//! finished, 4,000 a second were begun, and next to none of them ended within a second.

use super::published::{NotDone, Replied};
use super::turn::Asked;
use crate::desk::command::{Ask, Command};
use crate::desk::files;
use crate::desk::ids::{CommandId, SessionId};
use crate::desk::labels::LABELS_BYTES_MAX;
use crate::overload::{Grains, Purpose, Weight, memory};
use crate::presence::Session;
use metrics::Counter;
use std::collections::{HashMap, VecDeque};
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
    /// Another node of the cluster passed it on, to whoever leads by the claim that it knows of. By another claim it is nobody's.
    Node(oneshot::Sender<Result<Replied, NotDone>>),
    Nobody,
}

/// How late a command may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// What was had elsewhere. It waits for nobody, and stands behind everybody.
    Import,
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
/// Imports that wait. One goes with a turn, so that what is decided with it is not much later for it.
const IMPORTS_MAX: usize = 8;
const GRAINS: Grains = Grains { purpose: Purpose::Turns, own_bytes: 4 * 1024, grain_bytes: 16 * 1024 };

#[derive(Debug)]
pub struct Intake {
    state: Mutex<State>,
    notify: Notify,
    limits: Limits,
    /// Counters of what was refused, by class: looked for once, since a flood is refused by the tens of thousands.
    refused: [OnceLock<Counter>; 5],
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub commands_max: usize,
    pub bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    /// What overtakes.
    urgent: VecDeque<Waiting>,
    commands: VecDeque<Waiting>,
    /// How many of a session wait among `commands`.
    behind: HashMap<SessionId, u32>,
    /// Ends of sessions that wait there.
    ends_behind: u32,
    /// New conversations. Nobody's order is lost by their waiting longer: whoever starts one waits for its answer.
    starts: VecDeque<Waiting>,
    imports: VecDeque<Waiting>,
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

    /// The same of an import.
    #[must_use]
    pub fn refuse_import(&self, retry_after_ms: u64) -> NotDone {
        self.refused(Class::Import, retry_after_ms)
    }

    fn refused(&self, class: Class, delay_ms: u64) -> NotDone {
        let counter = || metrics::counter!("offhook_intake_refused_total", "class" => class.name());
        self.refused[class as usize].get_or_init(counter).increment(1);
        NotDone::Busy { retry_after_ms: delay_ms.clamp(250, 5_000) }
    }

    fn is_full(&self, state: &State, class: Class, bytes: usize) -> bool {
        let tenths = match class {
            Class::Import => 3,
            Class::Start => 5,
            Class::Ordinary => 8,
            Class::Answer => 10,
            Class::Edge => usize::MAX / self.limits.bytes_max.max(1) / 16,
        };
        state.len() >= self.limits.commands_max / 10 * tenths
            || state.bytes + bytes > self.limits.bytes_max / 10 * tenths
    }

    /// # Errors
    /// `Busy`, with a hint that grows with what waits; nothing happened.
    pub fn put(&self, asked: Asked<ReplyTo>, now_ms: u64) -> Result<(), (NotDone, ReplyTo)> {
        let class = class_of(&asked.command.ask);
        let bytes = bytes_of(&asked.command);
        let mut state = self.lock();
        let delay_ms = state.delay_ms(now_ms);
        let late = match class {
            Class::Start => state.is_late(delay_ms),
            Class::Import => delay_ms > FLOOD_DELAY_MS_MAX || state.imports.len() >= IMPORTS_MAX,
            Class::Ordinary | Class::Answer | Class::Edge => false,
        };
        let weight = match class {
            Class::Import | Class::Start | Class::Ordinary => Some(Weight::Ordinary),
            Class::Answer | Class::Edge => None,
        };
        let grown = state.bytes + bytes;
        let refuse = late
            || self.is_full(&state, class, bytes)
            || GRAINS.grow(&memory().reserve, state.bytes, grown, weight).is_err();
        if refuse {
            drop(state);
            return Err((self.refused(class, delay_ms), asked.reply_to));
        }
        state.bytes = grown;
        state.queue_for(class, &asked).push_back(Waiting { asked, bytes, since_ms: now_ms });
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

    /// Moves commands over, the urgent ones first, until there are `commands_max`; then new conversations, but only until there are
    /// `starts_max`: so many are not in the way of what comes while they are decided; and one import. Since when the first of them waited.
    pub fn take(&self, asked: &mut VecDeque<Asked<ReplyTo>>, commands_max: usize, starts_max: usize) -> Option<u64> {
        let mut state = self.lock();
        let before = state.bytes;
        let mut since_ms: Option<u64> = None;
        let mut first = |since: u64| since_ms = Some(since_ms.map_or(since, |first| first.min(since)));
        while asked.len() < commands_max {
            let Some(waiting) = state.next() else { break };
            state.bytes -= waiting.bytes;
            first(waiting.since_ms);
            asked.push_back(waiting.asked);
        }
        while asked.len() < starts_max {
            let Some(waiting) = state.starts.pop_front() else { break };
            state.bytes -= waiting.bytes;
            first(waiting.since_ms);
            asked.push_back(waiting.asked);
        }
        let mut imports_left = if commands_max == usize::MAX { IMPORTS_MAX } else { 1 };
        while asked.len() < starts_max && imports_left > 0 {
            let Some(waiting) = state.imports.pop_front() else { break };
            state.bytes -= waiting.bytes;
            first(waiting.since_ms);
            asked.push_back(waiting.asked);
            imports_left -= 1;
        }
        GRAINS.shrink(&memory().reserve, before, state.bytes);
        if state.len() > 0 {
            self.notify.notify_one();
        } else {
            state.give_room_back();
        }
        since_ms
    }

    #[must_use]
    pub fn take_snapshots(&self) -> Vec<Arc<Session>> {
        std::mem::take(&mut self.lock().snapshots)
    }

    /// Commands and bytes that wait.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let state = self.lock();
        (state.len(), state.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it may overtake what others wait for, and whose order it must keep.
fn lane_of(asked: &Asked<ReplyTo>) -> (bool, Option<SessionId>) {
    let urgent = matches!(
        asked.command.ask,
        Ask::Accept { .. }
            | Ask::Reject { .. }
            | Ask::ConfirmDelivery { .. }
            | Ask::SessionCame { .. }
            | Ask::SessionWent { .. }
    );
    let session = match (&asked.reply_to, &asked.command.ask) {
        (_, Ask::SessionWent { session, .. }) => Some(*session),
        (ReplyTo::Session { session, .. }, _) => Some(session.id),
        _ => None,
    };
    (urgent, session)
}

impl State {
    fn len(&self) -> usize {
        self.urgent.len() + self.commands.len() + self.starts.len() + self.imports.len()
    }

    fn queue_for(&mut self, class: Class, asked: &Asked<ReplyTo>) -> &mut VecDeque<Waiting> {
        match class {
            Class::Start => return &mut self.starts,
            Class::Import => return &mut self.imports,
            Class::Ordinary | Class::Answer | Class::Edge => {}
        }
        let (urgent, session) = lane_of(asked);
        let came = matches!(asked.command.ask, Ask::SessionCame { .. });
        // A device that comes must not be counted beside the one that it comes for.
        let waits = session.is_some_and(|session| self.behind.contains_key(&session)) || came && self.ends_behind > 0;
        if urgent && !waits {
            return &mut self.urgent;
        }
        if let Some(session) = session {
            *self.behind.entry(session).or_default() += 1;
        }
        self.ends_behind += u32::from(matches!(asked.command.ask, Ask::SessionWent { .. }));
        &mut self.commands
    }

    /// The next of what belongs to something already here.
    fn next(&mut self) -> Option<Waiting> {
        if let Some(urgent) = self.urgent.pop_front() {
            return Some(urgent);
        }
        let waiting = self.commands.pop_front()?;
        if let (_, Some(session)) = lane_of(&waiting.asked)
            && let Some(count) = self.behind.get_mut(&session)
        {
            *count -= 1;
            if *count == 0 {
                self.behind.remove(&session);
            }
        }
        self.ends_behind -= u32::from(matches!(waiting.asked.command.ask, Ask::SessionWent { .. }));
        Some(waiting)
    }

    /// What a flood took.
    fn give_room_back(&mut self) {
        for queue in [&mut self.urgent, &mut self.commands, &mut self.starts, &mut self.imports] {
            queue.shrink_to(64);
        }
        self.behind.shrink_to(64);
    }

    /// Whether a new conversation would come too late.
    fn is_late(&self, delay_ms: u64) -> bool {
        delay_ms > START_DELAY_MS_MAX || delay_ms > FLOOD_DELAY_MS_MAX && self.starts.len() >= FLOOD_STARTS
    }

    /// How long the first of those that wait has waited; imports may wait.
    fn delay_ms(&self, now_ms: u64) -> u64 {
        let firsts = [self.urgent.front(), self.commands.front(), self.starts.front()];
        firsts.into_iter().flatten().map(|first| now_ms.saturating_sub(first.since_ms)).max().unwrap_or(0)
    }
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Import => "import",
            Class::Start => "start",
            Class::Ordinary => "ordinary",
            Class::Answer => "answer",
            Class::Edge => "edge",
        }
    }
}

fn class_of(ask: &Ask) -> Class {
    match ask {
        Ask::Import(_) => Class::Import,
        Ask::Open(_) => Class::Start,
        Ask::Accept { .. }
        | Ask::Reject { .. }
        | Ask::ConfirmDelivery { .. }
        | Ask::Close { .. }
        | Ask::WrapUpDone { .. }
        | Ask::Label(_)
        | Ask::Move(_)
        | Ask::Decide(_)
        | Ask::SignOut { .. }
        | Ask::SignInEnded { .. } => Class::Answer,
        Ask::SessionCame { .. } | Ask::SessionWent { .. } | Ask::ServerBegan => Class::Edge,
        Ask::LeaderBegan | Ask::NodeGone { .. } | Ask::Tick => Class::Edge,
        Ask::OnlyIf(_)
        | Ask::PutSettings(_)
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
        | Ask::Receive(_)
        | Ask::ReportDelivery(_)
        | Ask::Read { .. }
        | Ask::Typing { .. }
        | Ask::MergeCustomer { .. }
        | Ask::WhyConversation { .. }
        | Ask::WhyAgent { .. }
        | Ask::Start(_)
        | Ask::Note { .. }
        | Ask::Rate(_)
        | Ask::Describe { .. }
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
            Ask::Post { text, files, .. } => text.len() + files::bytes_of(files),
            Ask::Receive(ask) => ask.text.len() + ask.open.about.as_ref().map_or(0, |about| about.len()),
            Ask::Typing { draft, .. } => draft.as_ref().map_or(0, |draft| draft.len()),
            Ask::Note { text, .. } => text.len(),
            Ask::Start(start) => {
                start.text.as_ref().map_or(0, |text| text.len()) + start.about.as_ref().map_or(0, |about| about.len())
            }
            Ask::Open(open) => {
                open.text.as_ref().map_or(0, |text| text.len()) + open.about.as_ref().map_or(0, |about| about.len())
            }
            Ask::Import(ask) => ask.bytes() + LABELS_BYTES_MAX,
            Ask::Label(_) => LABELS_BYTES_MAX,
            Ask::Describe { about, .. } => about.len(),
            Ask::Rate(ask) => ask.comment.as_ref().map_or(0, |comment| comment.len()),
            Ask::PutSettings(_) | Ask::OnlyIf(_) => 64 * 1024,
            Ask::ListDecisions { known } => 16 * known.len(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests;

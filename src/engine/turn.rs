//! One turn of a workspace: commands in, one record out, and everything that may be said once it is committed.
//!
//! No I/O and no clock: the engine drives it with a real journal, the simulation with a faulty one.
//!
//! ```text
//!   decide ──▶ Decided { record } ──append──▶ committed ──▶ committed(): replies, deltas and rows may go out
//!                     │                       not committed ──▶ the keeper is dropped, and loaded again
//!                     └─ no record: nothing changed; the replies rest on the position that is
//! ```

use super::route::{Route, route};
use crate::desk::Desk;
use crate::desk::answer::{Answer, Outcome};
use crate::desk::command::{Ask, Command};
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::files;
use crate::desk::ids::{CommandId, NodeNumber};
use crate::desk::labels::ThenEnd;
use crate::desk::needs::Loaded;
use crate::desk::outside::REASON_BYTES_MAX;
use crate::desk::quota::Allowed;
use crate::desk::refusal::Refusal;
use crate::desk::time::{Now, WallTime};
use crate::desk::touched::Touched;
use crate::journal::record::{self, Head, Lead};
use crate::journal::{NewRecord, Position, RECORD_BYTES_MAX, TurnId};
use crate::telemetry::traces::Trace;
use crate::view::CommittedTurn;
use std::collections::VecDeque;

/// When a turn is closed to further commands: far enough below the record's limit for any one command.
const TURN_BYTES: usize = RECORD_BYTES_MAX / 4;
/// What one event or outcome takes beside the texts in it; measured on real ones, rounded up.
const EVENT_BYTES: usize = 320;
/// What an outcome takes.
const OUTCOME_BYTES: usize = 160;
/// Outcomes that wait for a record at most: with more of them one is written.
const TOLD_MAX: usize = 64;

/// A command and where its reply goes.
#[derive(Debug)]
pub struct Asked<T> {
    pub command: Command,
    pub reply_to: T,
    /// Where it is sampled.
    pub trace: Trace,
}

impl<T> Asked<T> {
    /// By nobody who is traced.
    pub fn untraced(command: Command, reply_to: T) -> Self {
        Self { command, reply_to, trace: None }
    }
}

/// The desk of one workspace and the position it stands at.
#[derive(Clone, Debug)]
pub struct Keeper {
    desk: Desk,
    position: Position,
    /// Outcomes that changed nothing, told, and in no record yet: the next one takes them, so before anything has changed they
    /// are remembered.
    told: Vec<Outcome>,
    /// In a cluster: who leads, as the last record says.
    lead: Option<Lead>,
    /// The clocks of the last record.
    recorded: Now,
    /// Those of the turn that was decided, or followed, last.
    turn: Now,
}

/// A decided turn. Nothing in it may be said before its record is committed.
#[derive(Debug)]
pub struct Decided<T> {
    pub now: Now,
    /// What everything here rests on, once committed.
    pub position: Position,
    /// To be appended; `None` when nothing changed.
    pub record: Option<NewRecord>,
    pub events: Vec<Event>,
    pub outcomes: Vec<Outcome>,
    /// Who is told of which event.
    pub routes: Vec<Route>,
    pub replies: Vec<(T, Result<Answer, Refusal>)>,
    pub touched: Touched,
}

impl Keeper {
    #[must_use]
    pub fn new(desk: Desk, position: Position) -> Self {
        let now = desk.now();
        Self { desk, position, told: Vec::new(), lead: None, recorded: now, turn: now }
    }

    /// After a load: anything may have become possible, so the next command looks at everything.
    pub fn look_at_everything(&mut self) {
        self.desk.look_at_everything();
    }

    /// What the operator allows, from now on.
    pub fn allow(&mut self, allowed: Allowed) {
        self.desk.allow(allowed);
    }

    /// For so long outcomes are remembered, in place of a day.
    pub fn remember_for(&mut self, kept_ms: u64) {
        self.desk.remember_for(kept_ms);
    }

    /// Since when somebody waits whom an agent could take.
    pub fn overlooked(&mut self) -> Option<WallTime> {
        self.desk.overlooked()
    }

    /// What was told and is in no record: for the keeper that is loaded in place of this one.
    pub fn take_told(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.told)
    }

    /// What the keeper before this one had told.
    pub fn go_on_with(&mut self, told: Vec<Outcome>) {
        told.iter().for_each(|outcome| self.desk.remember(outcome));
        self.told = told;
    }

    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The last committed position.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The clocks of the last record. The desk's may be ahead of it.
    #[must_use]
    pub fn recorded(&self) -> Now {
        self.recorded
    }

    /// Who leads in a cluster, as the last record says; on one machine nobody does.
    #[must_use]
    pub fn lead(&self) -> Option<Lead> {
        self.lead
    }

    /// What the record that was lived through last says of who leads.
    pub fn led_by(&mut self, lead: Option<Lead>) {
        self.lead = lead.or(self.lead);
    }

    /// Decide commands in order, until they are all decided or the record is large enough; the rest stays in `asked`.
    ///
    /// The keeper now holds the state after the turn: once the record is committed call [`Keeper::committed`];
    /// if it is not, drop the keeper.
    pub fn decide<T>(&mut self, now: Now, turn: TurnId, asked: &mut VecDeque<Asked<T>>, loaded: &Loaded) -> Decided<T> {
        let mut decided = Decided {
            now,
            position: self.position,
            record: None,
            events: Vec::new(),
            outcomes: Vec::new(),
            routes: Vec::new(),
            replies: Vec::new(),
            touched: Touched::default(),
        };
        self.turn = now;
        let mut told = Vec::new();
        let mut bytes = self.told.len() * OUTCOME_BYTES;
        let mut last_resort = false;
        let mut rests = false;
        while bytes < TURN_BYTES {
            let Some(Asked { command, reply_to, trace: _ }) = asked.pop_front() else { break };
            let before = decided.events.len();
            let mut events = std::mem::take(&mut decided.events);
            let mut fresh = Vec::new();
            let result = self.desk.handle(now, &command, loaded, &mut fresh);
            rests |= !command.ask.is_of_the_servers_own() && (result.is_err() || !command.ask.is_question());
            bytes += fresh.iter().map(bytes_of).sum::<usize>();
            for (place, event) in fresh.iter().enumerate() {
                route(event, before + place, &self.desk, &mut decided.routes);
            }
            // Also one that changes nothing: where its answer has to have a record, that one has room too.
            last_resort |= may_use_the_last_room(&command.ask);
            if !fresh.is_empty() {
                decided.outcomes.extend(outcome_of(&command, &result));
            } else if command.ask.may_matter_later() {
                told.extend(outcome_of(&command, &result));
                bytes += OUTCOME_BYTES;
            }
            events.append(&mut fresh);
            decided.events = events;
            decided.replies.push((reply_to, result));
        }
        // A leader that was replaced must not refuse what it has not heard of: in a cluster whatever is said of the state has a record.
        let rests_on_a_record = self.lead.is_some() && rests;
        if decided.events.is_empty() && !rests_on_a_record && self.told.len() + told.len() <= TOLD_MAX {
            self.told.append(&mut told);
        } else {
            // Those of before stay with this keeper until the record is committed.
            decided.outcomes.extend(self.told.iter().cloned().chain(told));
            decided.position = self.position.next();
            decided.record = Some(self.record(now, turn, &decided, last_resort));
        }
        decided.touched = self.desk.take_touched();
        decided
    }

    /// A record without events: settles what came before it, or writes the clock down. It may use the room that is kept back, as it takes
    /// next to none: were it refused there, nobody's accept would be decided any more.
    #[must_use]
    pub fn barrier(&self, now: Now, turn: TurnId) -> NewRecord {
        self.empty(now, turn, self.lead)
    }

    /// A record without events that finds out whether there is room for everything again.
    #[must_use]
    pub fn probe(&self, now: Now, turn: TurnId) -> NewRecord {
        NewRecord { last_resort: false, ..self.barrier(now, turn) }
    }

    /// In a cluster: a record without events by which this node leads from there on.
    #[must_use]
    pub fn claim(&self, now: Now, turn: TurnId, node: NodeNumber) -> NewRecord {
        self.empty(now, turn, Some(Lead { node: node.0, term: self.position.next() }))
    }

    fn empty(&self, now: Now, turn: TurnId, lead: Option<Lead>) -> NewRecord {
        let head = Head { position: self.position.next(), turn, desk_ms: now.desk.0, wall_ms: now.wall.0, lead };
        let body = record::encode(&head, &[] as &[Event], &[] as &[Outcome]);
        NewRecord { turn, expected: self.position, body, last_resort: true }
    }

    fn record<T>(&self, now: Now, turn: TurnId, decided: &Decided<T>, last_resort: bool) -> NewRecord {
        let lead = self.lead;
        let head = Head { position: decided.position, turn, desk_ms: now.desk.0, wall_ms: now.wall.0, lead };
        let body = record::encode(&head, &decided.events, &decided.outcomes);
        NewRecord { turn, expected: self.position, body, last_resort }
    }

    /// The record that was decided last is in the journal at this position.
    pub fn committed(&mut self, position: Position) {
        assert_eq!(position, self.position.next(), "a workspace has one append in flight");
        self.position = position;
        self.recorded = self.turn;
        self.told.clear();
    }

    /// A record without events is in the journal at this position. It is lived through as a start would, since the view is given the
    /// desk as it stands: with an earlier time of it, a start from the view alone would go back in time.
    pub fn clock_committed(&mut self, position: Position, now: Now) {
        assert_eq!(position, self.position.next(), "a workspace has one append in flight");
        self.replay(position, now, &[], &[]);
    }

    /// Live through a stored record again.
    pub fn replay(&mut self, position: Position, now: Now, events: &[Event], outcomes: &[Outcome]) {
        self.desk.replay(now, events, outcomes);
        self.position = position;
        self.recorded = now;
    }

    /// Live through a record of the leader's, as everybody is told of it who is connected here; once it is told, [`Keeper::committed`].
    pub fn follow<T>(&mut self, turn: &CommittedTurn) -> Decided<T> {
        self.turn = turn.now;
        let mut routes = Vec::new();
        for (place, event) in turn.events.iter().enumerate() {
            self.desk.replay(turn.now, std::slice::from_ref(event), &[]);
            route(event, place, &self.desk, &mut routes);
        }
        self.desk.replay(turn.now, &[], &turn.outcomes);
        Decided {
            now: turn.now,
            position: Position(turn.position),
            record: None,
            events: turn.events.clone(),
            outcomes: turn.outcomes.clone(),
            routes,
            replies: Vec::new(),
            touched: self.desk.take_touched(),
        }
    }

    /// What changed since it was last asked, outside of a turn: while replaying.
    pub fn take_touched(&mut self) -> Touched {
        self.desk.take_touched()
    }
}

fn outcome_of(command: &Command, result: &Result<Answer, Refusal>) -> Option<Outcome> {
    let (id, answer): (CommandId, &Answer) = (command.id?, result.as_ref().ok()?);
    Some(Outcome { by: command.principal, id, fingerprint: command.fingerprint, answer: answer.clone() })
}

/// Accepts, rejects, closes and the edges of connections commit last of all when the disk runs full.
pub(super) fn may_use_the_last_room(ask: &Ask) -> bool {
    match ask {
        Ask::Accept { .. }
        | Ask::Reject { .. }
        | Ask::Close { .. }
        | Ask::WrapUpDone { .. }
        | Ask::SessionCame { .. }
        | Ask::SessionWent { .. }
        | Ask::ServerBegan
        | Ask::LeaderBegan
        | Ask::NodeGone { .. }
        | Ask::Tick => true,
        Ask::Label(ask) => ask.then != ThenEnd::Nothing,
        _ => false,
    }
}

fn bytes_of(event: &Event) -> usize {
    EVENT_BYTES
        + match event {
            Event::MessagePosted { text, files, .. } => text.len() + files::bytes_of(files),
            Event::NotePosted { text, .. } | Event::MessageImported { text, .. } | Event::NoteImported { text, .. } => {
                text.len()
            }
            Event::ConversationImported { held, .. } => bytes_of_whole(held),
            Event::ConversationLabelled { labels, .. } => labels.bytes(),
            Event::ConversationDescribed { about, .. } => about.len(),
            Event::ConversationTransferred { skills, .. } => 64 * skills.len(),
            Event::ConversationOpened { about, .. } => about.as_ref().map_or(0, |about| about.len()),
            Event::ConversationReopened { was: Some(was), .. } => bytes_of_whole(was),
            Event::DeliveryReported { was, .. } => was.as_deref().map_or(0, bytes_of_whole),
            Event::ConversationRated { comment, was, .. } => {
                comment.as_ref().map_or(0, |comment| comment.len()) + was.as_deref().map_or(0, bytes_of_whole)
            }
            Event::SettingsChanged { .. } => TURN_BYTES,
            Event::AgentPut { profile, .. } => 64 * (profile.skills.len() + profile.capacity.len()),
            Event::DecisionEnded { by, .. } => by.as_ref().map_or(0, |by| by.len()),
            Event::QueuePut { settings, .. } => {
                let dispositions = settings.labels.dispositions.iter().flatten();
                64 * settings.skills.len() + dispositions.map(|code| code.len() + 3).sum::<usize>()
            }
            Event::CustomerMerged { conversations, .. } => 8 * conversations.len(),
            Event::NodeGone { reconnecting, .. } => 8 * reconnecting.len(),
            _ => 0,
        }
}

/// What a conversation takes that is carried whole.
fn bytes_of_whole(held: &Conversation) -> usize {
    let labels = held.labels.as_ref().map_or(0, |labels| labels.bytes());
    let comment = held.rating().and_then(|rating| rating.comment.as_ref()).map_or(0, |comment| comment.len());
    let files = 40 * held.files().len();
    let sent = held.line().map_or(0, |line| (48 + REASON_BYTES_MAX) * line.sent.len());
    EVENT_BYTES + held.about.as_ref().map_or(0, |about| about.len()) + labels + comment + files + sent
}

#[cfg(test)]
#[path = "turn_tests.rs"]
mod tests;

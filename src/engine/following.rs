//! A workspace that another node of the cluster leads: what that one commits is lived through here, shown to those who are connected here,
//! and put into this node's own view; what they ask is passed on to it. And how this node comes to lead.
//!
//! Inputs of the loop, and what each does: a record came (it is lived through), answers came (they are told once their position is lived
//! through), the intake filled (a batch is passed on, if none is under way), the roll of nodes changed (this one may have to lead), the
//! view wrote a batch, a second passed, the server stops.

use super::clustered::Clustered;
use super::commit::{PATIENCE_MS, random_turn};
use super::deliver_replies::not_done;
use super::desk_clock::DeskClock;
use super::intake::ReplyTo;
use super::keyed;
use super::load::read;
use super::passing::UnderWay;
use super::passing::shapes::{Passed, Told};
use super::published::NotDone;
use super::run::{Ended, RETRY_AFTER_MS, Serving, changed, stopped};
use super::turn::{Asked, Decided};
use super::workspace::Taking;
use crate::clock;
use crate::cluster::{Roll, should_lead};
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Command};
use crate::desk::event::Event;
use crate::desk::ids::{NodeNumber, SessionId};
use crate::desk::refusal::Refusal;
use crate::desk::time::Now;
use crate::journal::record::Lead;
use crate::journal::{Appended, Position, StoredRecord};
use crate::view::CommittedTurn;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Answers that wait for their record to come here; with so many nothing more is passed on.
const WAITING_MAX: usize = 1_024;
/// Records that are read at once when some were missed.
const READ_RECORDS_MAX: usize = 256;
const READ_BYTES_MAX: usize = 1 << 20;
/// Whoever was replaced lets the other lead for so long: two nodes may see the roll differently for about a lease.
const LET_LEAD_MS: u64 = 1_000;
const NODES_EVERY_MS: u64 = 1_000;
/// After a claim that did not come about, or a journal that could not be read.
const CLAIM_AGAIN_MS: u64 = 100;
/// Nothing may have come because nothing was committed, or because the stream brings nothing: then the journal's end is asked for. The
/// stream finds out by itself, and says so, within 5 to 10 s.
const QUIET_MS: u64 = 10_000;
/// The same while an answer of the leader's is here and its record is not, or when the journal could not be asked.
const OVERDUE_MS: u64 = 500;

/// What a follower holds beside the desk; it outlives a load.
#[derive(Default)]
pub(super) struct Following {
    under_way: Option<UnderWay>,
    /// Of the last batch.
    number: u64,
    /// Answers whose position was not lived through yet.
    waiting: VecDeque<(Position, ReplyTo, Result<Answer, Refusal>)>,
    claim_at_ms: u64,
    /// Since when a record waits for a customer's key.
    keyless_since_ms: Option<u64>,
    heard_at_ms: u64,
    /// Since when something waits and nobody leads whom it could be passed on to.
    leaderless_since_ms: Option<u64>,
    /// While this node leads: the nodes whose sessions were looked at, and when that is done again.
    nodes: Option<Arc<Roll>>,
    nodes_at_ms: u64,
}

impl Following {
    /// Another node took over.
    pub(super) fn let_lead(&mut self) {
        self.claim_at_ms = clock::monotonic_ms() + LET_LEAD_MS;
    }
}

/// Why a record is not lived through.
enum Stops {
    Ended(Ended),
    /// For now: a customer's key has not come.
    Keyless,
}

/// Answers to all of the batch under way; for ever while none is.
async fn answered(under_way: &mut Option<UnderWay>) -> Vec<Passed> {
    match under_way {
        Some(under_way) => under_way.answered().await,
        None => std::future::pending().await,
    }
}

impl Serving<'_> {
    pub(super) async fn follow(&mut self) -> Ended {
        let clustered = self.run.clustered().expect("followed in a cluster only");
        let mut stop = self.run.shared.stop.clone();
        let mut roll = Some(clustered.roll.clone());
        self.run.following.heard_at_ms = clock::monotonic_ms();
        // A load has what a record waited for before it.
        self.run.following.keyless_since_ms = None;
        loop {
            self.learn_who_leads().await;
            if let Some(ended) = self.live_through_what_came().await {
                return ended;
            }
            self.show_hints();
            if self.ought_to_lead(&clustered) && self.claim(&clustered).await {
                return Ended::Leads;
            }
            self.pass_on(&clustered);
            self.look_after();
            self.let_the_view_catch_up().await;
            let wake = Duration::from_millis(self.follower_idle_ms());
            let is_idle = self.run.following.under_way.is_none();
            tokio::select! {
                biased;
                () = self.run.workspace.tail.filled() => {}
                answers = answered(&mut self.run.following.under_way) => self.answers_came(answers),
                () = self.run.workspace.intake.filled(), if is_idle => {}
                written = self.projection.written(clock::monotonic_ms) => {
                    if let Err(failed) = written {
                        tracing::error!(workspace = %self.run.workspace.name(), error = %failed, "the view was not written");
                    }
                }
                () = changed(&mut roll) => {}
                () = tokio::time::sleep(wake) => {}
                () = stopped(&mut stop) => {
                    self.feed_the_view().await;
                    return Ended::Stopped;
                }
            }
        }
    }

    fn follower_idle_ms(&self) -> u64 {
        let mut wake_ms = self.until_readers_ms();
        if !self.run.following.waiting.is_empty() {
            wake_ms = wake_ms.min(OVERDUE_MS);
        }
        let claim_ms = self.run.following.claim_at_ms.saturating_sub(clock::monotonic_ms());
        if claim_ms > 0 { wake_ms.min(claim_ms) } else { wake_ms }
    }

    /// `Some` when this task must load anew.
    async fn live_through_what_came(&mut self) -> Option<Ended> {
        let mut came = self.run.workspace.tail.take();
        let now_ms = clock::monotonic_ms();
        if !came.records.is_empty() {
            self.run.following.heard_at_ms = now_ms;
        }
        for record in came.records {
            if came.missed || record.position > self.keeper.position().next() {
                came.missed = true;
                break;
            }
            if record.position == self.keeper.position().next() {
                match self.live_through(&record).await {
                    Ok(()) => {}
                    Err(Stops::Ended(ended)) => return Some(ended),
                    Err(Stops::Keyless) => {
                        came.missed = true;
                        break;
                    }
                }
            }
        }
        if came.missed || self.is_behind(now_ms).await {
            return self.read_on().await.err();
        }
        self.stand_by();
        None
    }

    /// Whether records are in the journal that did not come: looked at when none came for long.
    async fn is_behind(&mut self, now_ms: u64) -> bool {
        let following = &mut self.run.following;
        let quiet_ms = if following.waiting.is_empty() { QUIET_MS } else { OVERDUE_MS };
        if now_ms.saturating_sub(following.heard_at_ms) < quiet_ms {
            return false;
        }
        following.heard_at_ms = now_ms;
        match self.run.shared.journal.tail(self.run.workspace.name()).await {
            Ok(tail) => tail.is_some_and(|tail| tail.position > self.keeper.position()),
            Err(_) => {
                self.run.following.heard_at_ms = now_ms.saturating_sub(QUIET_MS - OVERDUE_MS);
                false
            }
        }
    }

    /// To the end that can be seen.
    async fn read_on(&mut self) -> Result<(), Ended> {
        let journal = self.run.shared.journal.clone();
        loop {
            let after = self.keeper.position();
            let read = journal.read(self.run.workspace.name(), after, READ_RECORDS_MAX, READ_BYTES_MAX).await;
            let records = match read {
                Ok(records) => records,
                Err(failed) => {
                    tracing::warn!(workspace = %self.run.workspace.name(), error = %failed, "the journal cannot be followed");
                    // It says so to nobody when it can be read again.
                    tokio::time::sleep(Duration::from_millis(CLAIM_AGAIN_MS)).await;
                    self.stays_behind();
                    return Ok(());
                }
            };
            let Some(first) = records.first() else {
                self.stand_by();
                return Ok(());
            };
            if first.position != after.next() {
                return Err(Ended::Reload);
            }
            for record in &records {
                match self.live_through(record).await {
                    Ok(()) => {}
                    Err(Stops::Ended(ended)) => return Err(ended),
                    Err(Stops::Keyless) => {
                        self.stays_behind();
                        return Ok(());
                    }
                }
            }
        }
    }

    /// It is tried again from where this node stands.
    fn stays_behind(&mut self) {
        self.run.workspace.tail.miss();
        let again_ms = clock::monotonic_ms() + CLAIM_AGAIN_MS;
        self.run.following.claim_at_ms = self.run.following.claim_at_ms.max(again_ms);
        self.stand_by();
    }

    async fn live_through(&mut self, record: &StoredRecord) -> Result<(), Stops> {
        let (turn, lead) = read(record).map_err(|failed| {
            tracing::error!(workspace = %self.run.workspace.name(), error = %failed, "a record cannot be lived through");
            Stops::Ended(Ended::Reload)
        })?;
        self.until_keys_are_known(&turn.events).await?;
        let decided: Decided<ReplyTo> = self.keeper.follow(&turn);
        self.keeper.led_by(lead);
        let here_is_gone = self.own_node_is_gone(&decided.events);
        self.committed(&decided, record.body.len());
        self.deliver(decided);
        if here_is_gone {
            // The others gave this node up, and its agents have lost their sessions: they come again.
            self.run.shared.registry.close_of_workspace(self.run.workspace.number());
        }
        let lead = self.keeper.lead();
        if self.run.following.under_way.as_ref().is_some_and(|under_way| Some(under_way.lead()) != lead) {
            self.ask_again();
        }
        self.tell_who_waits();
        Ok(())
    }

    /// Somebody else leads by now: what is under way is void where it is not in the journal, and is asked again, in front of what came since.
    fn ask_again(&mut self) {
        let under_way = self.run.following.under_way.take();
        let asked = under_way.map(UnderWay::into_asked).unwrap_or_default();
        asked.into_iter().rev().for_each(|asked| self.run.asked.push_front(asked));
    }

    async fn until_keys_are_known(&mut self, events: &[Event]) -> Result<(), Stops> {
        let known = keyed::until_known(&self.run.shared.keys, keyed::of_events(events)).await;
        let since_ms = &mut self.run.following.keyless_since_ms;
        let Err(error) = known else {
            *since_ms = None;
            return Ok(());
        };
        if since_ms.is_none() {
            *since_ms = Some(clock::monotonic_ms());
            tracing::warn!(workspace = %self.run.workspace.name(), %error, "a record waits");
        }
        Err(Stops::Keyless)
    }

    /// A view that has everything says nothing of who leads; the last record does.
    async fn learn_who_leads(&mut self) {
        if self.keeper.lead().is_some() || self.keeper.position() == Position::NOTHING {
            return;
        }
        let tail = self.run.shared.journal.tail(self.run.workspace.name()).await;
        // Records behind what is known here are lived through, and say so themselves.
        if let Ok(Some(last)) = tail
            && last.position == self.keeper.position()
            && let Ok((_, lead)) = read(&last)
        {
            self.keeper.led_by(lead);
        }
    }

    fn own_node_is_gone(&self, events: &[Event]) -> bool {
        let own = self.run.clustered().map(|clustered| clustered.own());
        events.iter().any(|event| matches!(event, Event::NodeGone { node, .. } if Some(*node) == own))
    }

    /// Who asked and was answered by the leader hears it, once this node stands where that answer does.
    fn tell_who_waits(&mut self) {
        let position = self.keeper.position();
        let mut gone = Vec::new();
        while self.run.following.waiting.front().is_some_and(|(at, ..)| *at <= position) {
            let (_, reply_to, result) = self.run.following.waiting.pop_front().expect("looked at above");
            self.delivery().reply(reply_to, result, &mut gone);
        }
        self.sessions_are_gone(gone);
    }

    fn answers_came(&mut self, answers: Vec<Passed>) {
        let under_way = self.run.following.under_way.take().expect("it was answered");
        if self.run.following.waiting.is_empty() {
            // Their records are on their way for as long as that.
            self.run.following.heard_at_ms = clock::monotonic_ms();
        }
        for (Asked { command, reply_to, trace: _ }, Passed { position, result }) in
            under_way.into_asked().into_iter().zip(answers)
        {
            match result {
                Told::Done(answer) => self.run.following.waiting.push_back((position, reply_to, Ok(answer))),
                Told::Refused(refusal) => self.run.following.waiting.push_back((position, reply_to, Err(refusal))),
                Told::NotDone(why) if matches!(command.ask, Ask::SessionWent { .. }) => {
                    tracing::debug!(?why, "a session's end is told again");
                    self.run.asked.push_back(Asked::untraced(command, ReplyTo::Nobody));
                }
                Told::NotDone(why) => not_done(reply_to, why),
                Told::Unknown { why } => {
                    tracing::error!(%why, "an answer of a newer release cannot be told");
                    let why = "it was done, in words that this node does not know".into();
                    not_done(reply_to, NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why });
                }
            }
        }
        self.tell_who_waits();
    }

    /// Pass on what waits, if nothing is under way and somebody leads.
    fn pass_on(&mut self, clustered: &Clustered) {
        let following = &self.run.following;
        if following.under_way.is_some() || following.waiting.len() >= WAITING_MAX {
            return;
        }
        let Some(lead) = self.keeper.lead().filter(|lead| NodeNumber(lead.node) != clustered.own()) else { return };
        self.take_what_waits();
        self.run.drop_what_was_passed_on();
        if self.run.asked.is_empty() {
            return;
        }
        self.run.following.number += 1;
        let number = self.run.following.number;
        let workspace = self.run.workspace.name().clone();
        self.run.following.under_way = UnderWay::begin(&clustered.post, &workspace, lead, number, &mut self.run.asked);
        if self.run.following.under_way.is_none()
            && let Some(Asked { command, reply_to, trace: _ }) = self.run.asked.pop_front()
        {
            tracing::error!(command = command.ask.name(), "a command has no room between nodes");
            let why = "it is too large to be passed to the node that leads".into();
            not_done(reply_to, NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why });
        }
    }

    pub(super) fn show_hints(&mut self) {
        for typing in self.run.workspace.hints.take() {
            self.delivery().show_typing(&typing);
        }
    }

    /// Whether commands are taken: yes, unless nobody leads, or nobody has said for long what became of the last ones.
    fn stand_by(&mut self) {
        let now_ms = clock::monotonic_ms();
        let under_way_ms = self.run.following.under_way.as_ref().map_or(0, |under_way| under_way.waits_ms(now_ms));
        let taking = if under_way_ms > PATIENCE_MS {
            Taking::Nothing { why: "the node that leads it cannot be reached" }
        } else if self.run.following.keyless_since_ms.is_some_and(|since_ms| now_ms > since_ms + PATIENCE_MS) {
            Taking::Nothing { why: "customers' keys of other nodes do not come" }
        } else if self.leaderless_ms(now_ms) > PATIENCE_MS {
            Taking::Nothing { why: "no node can lead it now" }
        } else if matches!(self.run.workspace.taking(), Taking::LastResort { .. }) {
            return;
        } else {
            Taking::Everything
        };
        if let Taking::Nothing { why } = taking {
            self.run.refuse_waiting(why);
        }
        self.run.take(taking);
    }

    /// How long what waits has had nobody who could decide it.
    fn leaderless_ms(&mut self, now_ms: u64) -> u64 {
        let own = self.run.clustered().map(|clustered| clustered.own());
        let somebody_else = self.keeper.lead().is_some_and(|lead| Some(NodeNumber(lead.node)) != own);
        let waits = !self.run.asked.is_empty() || self.run.workspace.intake.size().0 > 0;
        let since_ms = &mut self.run.following.leaderless_since_ms;
        if somebody_else || !waits {
            *since_ms = None;
            return 0;
        }
        now_ms.saturating_sub(*since_ms.get_or_insert(now_ms))
    }

    fn ought_to_lead(&self, clustered: &Clustered) -> bool {
        if clock::monotonic_ms() < self.run.following.claim_at_ms {
            return false;
        }
        let roll = clustered.roll();
        if roll.taken_over.is_some() {
            return false;
        }
        match should_lead(&roll, self.run.workspace.name()) {
            Some(node) if node.number == clustered.own() => true,
            // A new workspace is known to whoever is asked for it first.
            _ => {
                self.keeper.position() == Position::NOTHING
                    && (!self.run.asked.is_empty() || self.run.workspace.intake.size().0 > 0)
            }
        }
    }

    /// Rule 5: read to the end, claim, and only then decide.
    async fn claim(&mut self, clustered: &Clustered) -> bool {
        if self.read_on().await.is_err() {
            self.run.workspace.tail.miss();
            return false;
        }
        self.clock = DeskClock::from_record(self.keeper.desk().now(), clock::monotonic_ms());
        let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
        let record = self.keeper.claim(now, random_turn(), clustered.own());
        let bytes = record.body.len();
        match self.run.shared.journal.append(self.run.workspace.name(), record).await {
            Appended::Committed(position) => {
                self.empty_committed(now, bytes);
                let lead = Lead { node: clustered.own().0, term: position };
                self.keeper.led_by(Some(lead));
                self.ask_again();
                // Its senders see the new claim, and ask again.
                self.run.workspace.intake.take(&mut self.run.asked, usize::MAX, usize::MAX);
                self.run.drop_what_was_passed_on();
                self.tell_who_waits();
                self.keeper.look_at_everything();
                tracing::info!(workspace = %self.run.workspace.name(), term = %position, "this node leads the workspace");
                true
            }
            Appended::Refused(_) | Appended::Unknown(_) => {
                self.run.following.claim_at_ms = clock::monotonic_ms() + CLAIM_AGAIN_MS;
                self.run.workspace.tail.miss();
                false
            }
        }
    }

    /// Sessions of nodes that are gone are so too: looked at when the roll changed, and now and then, since what such a node had passed
    /// on may come in behind that, and one event tells of a part of them only.
    pub(super) fn look_which_nodes_are_gone(&mut self, clustered: &Clustered) {
        let (roll, now_ms) = (clustered.roll(), clock::monotonic_ms());
        let following = &mut self.run.following;
        if now_ms < following.nodes_at_ms && following.nodes.as_ref().is_some_and(|known| Arc::ptr_eq(known, &roll)) {
            return;
        }
        following.nodes_at_ms = now_ms + NODES_EVERY_MS;
        following.nodes = Some(roll.clone());
        let on = |session: &SessionId| session.node();
        let nodes: BTreeSet<NodeNumber> =
            self.keeper.desk().agents().flat_map(|(_, held)| held.sessions.iter().map(on)).collect();
        for node in nodes.into_iter().filter(|node| roll.is_gone(*node)) {
            let command = Command::of_server(Ask::NodeGone { node });
            self.run.asked.push_back(Asked::untraced(command, ReplyTo::Nobody));
        }
    }

    /// Whether somebody else leads by now, as the journal's stream says. Only between turns.
    pub(super) fn was_replaced(&mut self) -> bool {
        let came = self.run.workspace.tail.take();
        came.records.iter().any(|record| record.position > self.keeper.position())
    }

    /// A record without events is committed.
    pub(super) fn empty_committed(&mut self, now: Now, bytes: usize) {
        self.keeper.clock_committed(self.keeper.position().next(), now);
        let position = self.keeper.position();
        let turn = CommittedTurn { position: position.0, now, events: Vec::new(), outcomes: Vec::new() };
        self.projection.add(turn, self.keeper.take_touched(), bytes);
        self.run.workspace.position.store(position.0, Ordering::Release);
        self.run.workspace.committed.reach(position);
        self.recorded_at = now.desk;
    }
}

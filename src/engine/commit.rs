//! What becomes of an append: committed, refused, or unknown until it is settled; and the outages that follow a refusal.

use super::deliver_replies::not_done;
use super::intake::ReplyTo;
use super::published::NotDone;
use super::run::{Ended, RETRY_AFTER_MS, Serving, stopped};
use super::settle::{Next, Settling};
use super::turn::{Asked, Decided};
use super::workspace::Taking;
use crate::clock;
use crate::desk::command::{Ask, Command};
use crate::desk::refusal::Refusal;
use crate::journal::{Appended, NewRecord, Position, RefusedAppend, TurnId};
use crate::telemetry::catalogue;
use crate::telemetry::traces::{self, Context, Open};
use std::time::Duration;

/// How often an outage is probed for its end.
pub(super) const PROBE_MS: u64 = 250;

/// How long commands wait for an append whose outcome is unknown: JetStream's own elections take 4 to 8 s.
pub(super) const PATIENCE_MS: u64 = 5_000;

/// What became of an append.
pub(super) enum Fate {
    Committed,
    /// Nothing happened.
    Refused(RefusedAppend),
    Stopped,
}

impl Serving<'_> {
    /// Append a record and find out what became of it, however long that takes; as a part of the turn's span, where there is one.
    pub(super) async fn append(&mut self, record: NewRecord, turn: Option<Context>) -> Fate {
        let stopwatch = clock::stopwatch();
        let settling = Settling::of(record.turn, record.expected);
        let journal = self.run.shared.journal.clone();
        let workspace = self.run.workspace.name().clone();
        let span = turn.map(|turn| Open::child(turn, "journal append".into()));
        // The journal asks for its own part at once.
        let append = || journal.append(&workspace, record);
        let appended = match &span {
            Some(span) => traces::at_once_under(span.context(), append),
            None => append(),
        };
        let appended = appended.await;
        span.into_iter().for_each(Open::end);
        metrics::histogram!("offhook_turn_seconds", "stage" => "commit").record(stopwatch.seconds());
        let word = match &appended {
            Appended::Committed(_) => "committed",
            Appended::Refused(_) => "refused",
            Appended::Unknown(_) => "unknown",
        };
        metrics::counter!("offhook_turns_total", "outcome" => word).increment(1);
        match appended {
            Appended::Committed(_) => Fate::Committed,
            // Of the same append sent twice the second is refused where the first was committed.
            Appended::Refused(RefusedAppend::Fenced { actual }) if self.run.clustered().is_some() => {
                tracing::info!(workspace = %workspace, %actual, "an append was refused: settling it");
                self.settle(settling).await
            }
            Appended::Refused(refused) => Fate::Refused(refused),
            Appended::Unknown(why) => {
                tracing::warn!(workspace = %workspace, %why, "an append has an unknown outcome: settling it");
                self.settle(settling).await
            }
        }
    }

    /// Nobody is answered until it is known whether the turn is in the journal.
    pub(super) async fn settle(&mut self, settling: Settling) -> Fate {
        self.clock.stand();
        let journal = self.run.shared.journal.clone();
        let workspace = self.run.workspace.name().clone();
        let mut stop = self.run.shared.stop.clone();
        let mut next = Next::ReadTail;
        let since_ms = clock::monotonic_ms();
        let fate = loop {
            if clock::monotonic_ms().saturating_sub(since_ms) > PATIENCE_MS {
                // Whoever waits to be decided is told so; whoever was decided hears when it is known.
                let why = "it is not known what became of the last change";
                self.run.take(Taking::Nothing { why });
                self.run.refuse_waiting(why);
            }
            next = match next {
                Next::ReadTail => {
                    journal.tail(&workspace).await.map_or(Next::Wait, |tail| settling.tail_was(tail.as_ref()))
                }
                Next::ReadAt(position) => {
                    let read = journal.read(&workspace, Position(position.0 - 1), 1, 1).await;
                    read.map_or(Next::Wait, |records| settling.tail_was(records.first()))
                }
                Next::AppendBarrier { expected } => {
                    let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
                    debug_assert_eq!(expected, self.keeper.position());
                    let barrier = self.keeper.barrier(now, random_turn());
                    settling.barrier_was(&journal.append(&workspace, barrier).await)
                }
                Next::Happened => break Fate::Committed,
                Next::DidNotHappen if self.run.clustered().is_some() => {
                    break Fate::Refused(RefusedAppend::Fenced { actual: settling.position() });
                }
                Next::DidNotHappen => break Fate::Refused(RefusedAppend::DiskFault),
                Next::Wait => {
                    tokio::select! {
                        // A journal tells nobody that it can be read again.
                        () = tokio::time::sleep(Duration::from_millis(PROBE_MS)) => Next::ReadTail,
                        () = stopped(&mut stop) => break Fate::Stopped,
                    }
                }
            }
        };
        self.clock.go_on(clock::monotonic_ms());
        if matches!(fate, Fate::Committed) {
            self.takes_commands();
        }
        fate
    }

    /// Commands are decided in order, so the first of them are those that were answered.
    pub(super) fn count_commands(
        &self,
        types: &[&'static str],
        decided: &Decided<ReplyTo>,
        word: impl Fn(bool) -> &'static str,
    ) {
        if self.run.workspace.is_probes() {
            return;
        }
        let took_ms = clock::monotonic_ms().saturating_sub(self.run.asked_since_ms);
        for (name, (reply_to, result)) in types.iter().zip(&decided.replies) {
            let outcome = word(result.is_ok());
            if let Err(Refusal::Quota { what, .. }) = result {
                self.run.workspace.quota().refused(what);
            }
            self.run.workspace.experienced(name, reply_to, (outcome != "not_committed").then_some(took_ms));
            metrics::counter!(catalogue::COMMANDS_TOTAL, "type" => *name, "outcome" => outcome).increment(1);
        }
    }

    /// The turn did not happen. Everybody in it is told so, and the state is loaded again.
    pub(super) async fn not_committed(
        &mut self,
        decided: Decided<ReplyTo>,
        refused: RefusedAppend,
        again: Vec<Command>,
    ) -> Option<Ended> {
        if matches!(refused, RefusedAppend::Fenced { .. }) && self.run.clustered().is_some() {
            // Nothing of it happened, and nothing will: whoever leads now is asked, before what came after it.
            for (command, (reply_to, _)) in again.into_iter().zip(decided.replies).rev() {
                if !command.ask.is_of_the_servers_own() || matches!(command.ask, Ask::SessionWent { .. }) {
                    self.run.asked.push_front(Asked::untraced(command, reply_to));
                }
            }
            return self.outage(refused).await;
        }
        let why = sentence(refused);
        for (reply_to, _) in decided.replies {
            not_done(reply_to, NotDone::Unavailable { retry_after_ms: RETRY_AFTER_MS, why: why.into() });
        }
        self.outage(refused).await
    }

    /// Nothing can be committed now. Desk time stands; what waits is refused; it ends when a barrier is taken again.
    pub(super) async fn outage(&mut self, refused: RefusedAppend) -> Option<Ended> {
        let why = sentence(refused);
        tracing::error!(workspace = %self.run.workspace.name(), error = %refused, "nothing can be committed");
        if matches!(refused, RefusedAppend::Fenced { .. }) {
            // In a cluster what was not decided is passed on to whoever leads by then.
            if self.run.clustered().is_none() {
                self.run.refuse_waiting(why);
            }
            self.run.following.let_lead();
            return Some(Ended::Reload);
        }
        let full = matches!(refused, RefusedAppend::Full | RefusedAppend::KeptBack);
        if full && self.run.scarce.is_none() {
            // Accepts and closes may still be taken: they have room kept back for them.
            self.run.scarce = Some(why);
            self.run.take(Taking::LastResort { why });
            self.run.refuse_waiting(why);
            return Some(Ended::Reload);
        }
        self.clock.stand();
        self.run.take(Taking::Nothing { why });
        let mut stop = self.run.shared.stop.clone();
        loop {
            self.run.refuse_waiting(why);
            tokio::select! {
                // Nobody tells that a disk has room again: it is tried.
                () = tokio::time::sleep(Duration::from_millis(PROBE_MS)) => {}
                () = stopped(&mut stop) => return Some(Ended::Stopped),
            }
            // The state that was decided is void; a probe needs only the position that is committed.
            let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
            let probe = self.keeper.probe(now, random_turn());
            match self.run.shared.journal.append(self.run.workspace.name(), probe).await {
                Appended::Committed(_) | Appended::Refused(RefusedAppend::Fenced { .. }) | Appended::Unknown(_) => {
                    self.run.scarce = None;
                    return Some(Ended::Reload);
                }
                Appended::Refused(_) => {}
            }
        }
    }

    /// While the disk is scarce: whether it takes ordinary records again.
    pub(super) async fn probe(&mut self) -> Option<Ended> {
        if self.run.scarce.is_none() || clock::monotonic_ms() < self.probe_at_ms {
            return None;
        }
        self.probe_at_ms = clock::monotonic_ms() + PROBE_MS;
        let now = self.clock.advance(clock::monotonic_ms(), clock::wall_ms());
        let probe = self.keeper.probe(now, random_turn());
        match self.run.shared.journal.append(self.run.workspace.name(), probe).await {
            Appended::Refused(RefusedAppend::Full | RefusedAppend::KeptBack | RefusedAppend::Busy) => None,
            Appended::Committed(_) | Appended::Refused(_) | Appended::Unknown(_) => {
                self.run.scarce = None;
                Some(Ended::Reload)
            }
        }
    }
}

pub(super) fn random_turn() -> TurnId {
    TurnId(random())
}

pub(super) fn random() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    u128::from_le_bytes(bytes)
}

/// For clients: what keeps the server from committing.
fn sentence(refused: RefusedAppend) -> &'static str {
    match refused {
        RefusedAppend::Full | RefusedAppend::KeptBack => "the disk is full",
        RefusedAppend::ReadOnly => "the disk is read-only",
        RefusedAppend::Damaged => "the journal is damaged",
        RefusedAppend::Busy => "the disk is too slow",
        RefusedAppend::DiskFault => "the disk reported a fault",
        RefusedAppend::TooLarge => "the change is too large",
        RefusedAppend::Unreachable => "the journal cannot be reached",
        RefusedAppend::Fenced { .. } | RefusedAppend::Closed => "another server took over",
    }
}

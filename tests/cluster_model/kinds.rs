//! What came about while a model was looked through: how many steps of each kind. A model in which these never come about
//! proves nothing.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! kinds {
    ($($name:ident => $words:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($name,)* }

        pub const KINDS: &[(Kind, &str)] = &[$((Kind::$name, $words),)*];
    };
}

kinds! {
    UnknownHappened => "an unknown append turned out to be committed",
    UnknownSettled => "an unknown append was settled by a barrier: it never happened",
    UnknownOvertaken => "an unknown append did not happen: another's record is in its place",
    BarrierUnknown => "a barrier's own outcome was unknown",
    BarrierAgain => "another barrier was appended behind the same record as one whose outcome was unknown",
    BarrierFenced => "a barrier was refused, since the append that it was to settle is there",
    OwnOldBarrier => "an own barrier that had been given up was found in the turn's place",
    ZombieFenced => "a leader that had been replaced appended a turn and was refused",
    LateRefused => "an append that nobody waited for any more arrived and was refused",
    LateCommitted => "an append that nobody waited for any more arrived and was committed",
    DeadMansTurn => "a turn was committed after its leader had crashed",
    RefusedThoughCommitted => "an append was refused the second time that it arrived, having been committed the first",
    RefusedMeanwhile => "an append was refused with nothing in its place yet, since another one was being committed",
    StaleRead => "a read missed what had been committed",
    ClaimFenced => "a new leader's claim was refused",
    Remembered => "a retry was answered from the remembered outcome",
    RememberedElsewhere => "a retry was answered from the remembered outcome by a later leader than the one that did it",
    RememberedByZombie => "a retry was answered from the remembered outcome by a leader that had been replaced",
    RefusalConfirmed => "a refusal was confirmed by a record and answered",
    RefusalWithheld => "a refusal was decided by a leader that had been replaced, and never said",
    DoneAfterUnavailable => "a command that was answered unavailable was done when it was sent again",
    AnsweredAfterReplaced => "a leader answered what it had committed, after another had begun",
}

#[derive(Debug, Default)]
pub struct CameAbout([AtomicU64; KINDS.len()]);

impl CameAbout {
    pub fn saw(&self, kind: Kind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn count(&self, kind: Kind) -> u64 {
        self.0[kind as usize].load(Ordering::Relaxed)
    }
}

//! Servers tried out: whether the fence lets one writer win, and how long an append takes. In a workspace whose name nobody may choose,
//! and of which nothing is left.

use super::NatsJournal;
use crate::clock;
use crate::journal::{Appended, Journal, JournalFailed, NewRecord, Position, RefusedAppend, TurnId};
use bytes::Bytes;
use futures_util::future::join_all;
use std::sync::Arc;

/// The workspace of a trial. A mark before a number: two who try at once are not in each other's way.
const WORKSPACE: &str = "_trial";
/// About what a turn of a few events takes.
const RECORD_BYTES: usize = 1_024;

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Places for which all writers raced.
    pub races: u32,
    /// Of which more than one won, or nobody.
    pub unfair: u32,
    /// Each append's time in milliseconds, in order of size.
    pub appends_ms: Vec<f64>,
}

impl Trial {
    /// The time that this part of the appends took at most; 0.5 is the median.
    #[must_use]
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let last = self.appends_ms.len().saturating_sub(1);
        self.appends_ms.get((last as f64 * part).round() as usize).copied().unwrap_or(0.0)
    }
}

/// Lets all of them append behind the same record, `races` times; then the first alone, `appends` times. `told` hears how much of it is done.
///
/// # Errors
/// The servers could not be asked; or an append had no answer, or was refused for another reason than that another one was first.
pub async fn attempt(
    writers: &[NatsJournal],
    races: u32,
    appends: u32,
    mut told: impl FnMut(u32),
) -> Result<Trial, JournalFailed> {
    let workspace: Arc<str> = format!("{WORKSPACE}-{:016x}", random()).into();
    let tried = run(writers, &workspace, races, appends, &mut told).await;
    if let Some(first) = writers.first() {
        first.0.forget(&workspace).await?;
    }
    tried
}

async fn run(
    writers: &[NatsJournal],
    workspace: &Arc<str>,
    races: u32,
    appends: u32,
    told: &mut impl FnMut(u32),
) -> Result<Trial, JournalFailed> {
    let mut trial = Trial { races, unfair: 0, appends_ms: Vec::with_capacity(appends as usize) };
    let mut position = Position::NOTHING;
    for race in 0..races {
        let ended = join_all(writers.iter().map(|writer| writer.append(workspace, record(position)))).await;
        let mut won = 0;
        for appended in ended {
            match appended {
                Appended::Committed(_) => won += 1,
                Appended::Refused(RefusedAppend::Fenced { .. }) => {}
                Appended::Refused(refused) => return Err(JournalFailed::Unavailable(refused.to_string())),
                Appended::Unknown(why) => return Err(JournalFailed::Unavailable(why)),
            }
        }
        trial.unfair += u32::from(won != 1);
        let Some(first) = writers.first() else { break };
        position = first.tail(workspace).await?.map_or(Position::NOTHING, |tail| tail.position);
        told(race + 1);
    }
    for append in 0..appends {
        let Some(first) = writers.first() else { break };
        let stopwatch = clock::stopwatch();
        match first.append(workspace, record(position)).await {
            Appended::Committed(committed) => position = committed,
            other => return Err(JournalFailed::Unavailable(format!("{other:?}"))),
        }
        trial.appends_ms.push(stopwatch.seconds() * 1_000.0);
        told(races + append + 1);
    }
    trial.appends_ms.sort_by(f64::total_cmp);
    Ok(trial)
}

fn record(expected: Position) -> NewRecord {
    let body = Bytes::from_static(&[b'.'; RECORD_BYTES]);
    NewRecord { turn: TurnId(random()), expected, body, last_resort: false }
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    u128::from_le_bytes(bytes)
}

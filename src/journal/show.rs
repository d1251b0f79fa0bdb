//! Shows a workspace's records as lines of JSON, the damaged ones with what is wrong with them.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::record;
use super::{Journal, JournalFailed, Position, StoredRecord, TurnId};

const PAGE_RECORDS: usize = 256;
const PAGE_BYTES: usize = 1 << 20;

#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Sound {
        position: Position,
        turn: TurnId,
        desk_ms: u64,
        wall_ms: u64,
        events: &'a [Box<RawValue>],
        outcomes: &'a [Box<RawValue>],
    },
    Damaged {
        position: Position,
        turn: TurnId,
        bytes: usize,
        damaged: String,
    },
}

/// Hands each record from `from` on to `each` as one line of JSON without its end, until `each` says `false`
/// (enough, or a closed pipe) or there are no more. Gives the number of lines.
pub async fn show(
    journal: &dyn Journal,
    workspace: &Arc<str>,
    from: Position,
    mut each: impl FnMut(&str) -> bool,
) -> Result<u64, JournalFailed> {
    let mut after = Position(from.0.saturating_sub(1));
    let mut shown = 0;
    loop {
        let page = journal.read(workspace, after, PAGE_RECORDS, PAGE_BYTES).await?;
        if page.is_empty() {
            return Ok(shown);
        }
        for stored in &page {
            after = stored.position;
            shown += 1;
            if !each(&line(stored)) {
                return Ok(shown);
            }
        }
    }
}

/// One record as one line of JSON.
pub fn line(stored: &StoredRecord) -> String {
    let decoded = record::decode(&stored.body);
    let line = match &decoded {
        Ok(record) => Line::Sound {
            position: record.head.position,
            turn: record.head.turn,
            desk_ms: record.head.desk_ms,
            wall_ms: record.head.wall_ms,
            events: &record.events,
            outcomes: &record.outcomes,
        },
        Err(damage) => Line::Damaged {
            position: stored.position,
            turn: stored.turn,
            bytes: stored.body.len(),
            damaged: damage.to_string(),
        },
    };
    serde_json::to_string(&line).expect("numbers, texts and JSON serialize")
}

//! Remembered outcomes of commands: a message's lives with the message, any other for a day.

use super::failed::{OrFailed, ViewFailed};
use super::keys::{WorkspaceNumber, command_hash, outcome_key, outcome_keys, principal_bytes, principal_of};
use super::sorting::{Recent, Unsorted};
use crate::desk::answer::{Answer, Outcome};
use crate::desk::ids::{CommandId, ConversationId, CustomerId, Principal};
use crate::desk::time::WallTime;
use rusqlite::{Connection, Row, params};

/// How long an outcome is remembered.
pub const OUTCOME_KEPT_MS: u64 = 24 * 3_600_000;
/// A principal that collides with itself on purpose finds only its own latest.
const CANDIDATES_MAX: i64 = 32;

/// Command id, fingerprint and principal of an outcome, and how its message came about, in 26 to 42 bytes.
pub(super) fn remembered_bytes(outcome: &Outcome) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(42);
    bytes.extend(outcome.id.0.to_be_bytes());
    bytes.extend(outcome.fingerprint.to_be_bytes());
    bytes.push(match outcome.answer {
        Answer::Opened { .. } => OPENED,
        Answer::Received { started: false, .. } => RECEIVED,
        Answer::Received { started: true, .. } => RECEIVED_FIRST,
        _ => POSTED,
    });
    bytes.extend(principal_bytes(outcome.by));
    bytes
}

/// How a message came about, beside its command. They never change their meaning.
const POSTED: u8 = 0;
const OPENED: u8 = 1;
const RECEIVED: u8 = 2;
const RECEIVED_FIRST: u8 = 3;

struct Remembered {
    id: CommandId,
    fingerprint: u64,
    how: u8,
    by: Principal,
}

fn remembered_of(bytes: &[u8]) -> Option<Remembered> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let (fingerprint, rest) = rest.split_first_chunk::<8>()?;
    let (how, by) = rest.split_first()?;
    Some(Remembered {
        id: CommandId(u128::from_be_bytes(*id)),
        fingerprint: u64::from_be_bytes(*fingerprint),
        how: *how,
        by: principal_of(by)?,
    })
}

/// The conversation and number of the message that a command of this outcome wrote, if it wrote one.
pub(super) fn message_of(outcome: &Outcome) -> Option<(ConversationId, u32)> {
    match outcome.answer {
        Answer::Posted { conversation, number, .. } => Some((conversation, number)),
        Answer::Received { conversation, number, .. } => Some((conversation, number)),
        Answer::Opened { conversation, .. } => Some((conversation, 1)),
        Answer::Done
        | Answer::Welcome { .. }
        | Answer::Accepted { .. }
        | Answer::TransferOffered { .. }
        | Answer::Taken { .. }
        | Answer::Imported { .. }
        | Answer::Noted { .. }
        | Answer::Decided { .. }
        | Answer::Decisions(_)
        | Answer::Own { .. }
        | Answer::Waiting(_)
        | Answer::QueuePut { .. }
        | Answer::AgentPut { .. }
        | Answer::Merged { .. }
        | Answer::WhyConversation(_)
        | Answer::WhyAgent(_)
        | Answer::Typing { .. } => None,
    }
}

pub(super) fn insert(
    connection: &Connection,
    recent: &mut Recent,
    workspace: WorkspaceNumber,
    at: WallTime,
    outcome: &Outcome,
) -> Result<(), ViewFailed> {
    let doing = "remembering an outcome";
    let answer = serde_json::to_vec(&outcome.answer)
        .map_err(|error| ViewFailed::Sqlite { doing, why: error.to_string().into() })?;
    let key = outcome_key(command_hash(outcome.by, outcome.id), at.0);
    recent.insert(connection, workspace, (key, at.0 as i64), (&remembered_bytes(outcome), &answer))
}

/// Ids of the rows that the outcome of this command may be in before it is sorted in.
pub(super) fn unsorted(held: &Unsorted, wall_ms: u64, by: Principal, id: CommandId) -> Vec<i64> {
    held.find(&outcome_keys(command_hash(by, id), wall_ms))
}

/// What a command that was done answered: by the message it wrote into `conversation`, else by the last day's outcomes, the
/// `unsorted` among them first.
pub(super) fn find(
    connection: &Connection,
    workspace: WorkspaceNumber,
    wall_ms: u64,
    (by, id, conversation): (Principal, CommandId, Option<ConversationId>),
    unsorted: &[i64],
) -> Result<Option<Outcome>, ViewFailed> {
    if let Some(conversation) = conversation
        && let Some(found) = find_message(connection, workspace, (by, id), conversation)?
    {
        return Ok(Some(found));
    }
    let doing = "looking an outcome up";
    let oldest = wall_ms.saturating_sub(OUTCOME_KEPT_MS) as i64;
    let mut one = connection
        .prepare_cached("SELECT remembered, answer FROM outcome_recent WHERE id = ?1 AND workspace = ?2 AND at > ?3")
        .or_failed(doing)?;
    for row in unsorted.iter().take(CANDIDATES_MAX as usize) {
        let mut rows = one.query(params![row, workspace.0, oldest]).or_failed(doing)?;
        if let Some(row) = rows.next().or_failed(doing)?
            && let Some(found) = outcome_in(row, by, id)?
        {
            return Ok(Some(found));
        }
    }
    let [k0, k1, k2, k3, k4] = outcome_keys(command_hash(by, id), wall_ms);
    let mut candidates = connection
        .prepare_cached(
            "SELECT remembered, answer FROM outcome_sorted WHERE key IN (?1, ?2, ?3, ?4, ?5) AND workspace = ?6 AND at > ?7 \
             ORDER BY id DESC LIMIT ?8",
        )
        .or_failed(doing)?;
    let mut rows =
        candidates.query(params![k0, k1, k2, k3, k4, workspace.0, oldest, CANDIDATES_MAX]).or_failed(doing)?;
    while let Some(row) = rows.next().or_failed(doing)? {
        if let Some(found) = outcome_in(row, by, id)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The outcome in a row of `remembered, answer`, if it is this command's and no other's with the same key.
fn outcome_in(row: &Row<'_>, by: Principal, id: CommandId) -> Result<Option<Outcome>, ViewFailed> {
    let doing = "reading an outcome";
    let bytes = row.get_ref(0).or_failed(doing)?;
    let Some(remembered) = bytes.as_blob().ok().and_then(remembered_of) else { return Ok(None) };
    if remembered.by != by || remembered.id != id {
        return Ok(None);
    }
    match serde_json::from_slice(row.get_ref(1).or_failed(doing)?.as_blob().unwrap_or_default()) {
        Ok(answer) => Ok(Some(Outcome { by, id, fingerprint: remembered.fingerprint, answer })),
        Err(error) => {
            metrics::counter!("offhook_view_rows_unreadable_total").increment(1);
            tracing::error!(%error, "a remembered outcome cannot be read");
            Ok(None)
        }
    }
}

fn find_message(
    connection: &Connection,
    workspace: WorkspaceNumber,
    (by, id): (Principal, CommandId),
    conversation: ConversationId,
) -> Result<Option<Outcome>, ViewFailed> {
    let doing = "looking a message's command up";
    let Ok(key) = workspace.conversation(conversation) else { return Ok(None) };
    let mut candidates = connection
        .prepare_cached(
            "SELECT remembered, number, at FROM event WHERE conversation = ?1 AND command = ?2 \
             ORDER BY id DESC LIMIT ?3",
        )
        .or_failed(doing)?;
    let mut rows = candidates.query(params![key, command_hash(by, id) as i64, CANDIDATES_MAX]).or_failed(doing)?;
    while let Some(row) = rows.next().or_failed(doing)? {
        let bytes = row.get_ref(0).or_failed(doing)?;
        let Some(remembered) = bytes.as_blob().ok().and_then(remembered_of) else { continue };
        if remembered.by != by || remembered.id != id {
            continue;
        }
        let at = WallTime(row.get::<_, i64>(2).or_failed(doing)? as u64);
        let number = row.get(1).or_failed(doing)?;
        let answer = match remembered.how {
            OPENED => {
                let Some(customer) = customer_at_start(connection, key)? else { continue };
                Answer::Opened { conversation, customer, at }
            }
            RECEIVED | RECEIVED_FIRST => {
                Answer::Received { conversation, number, at, started: remembered.how == RECEIVED_FIRST }
            }
            _ => Answer::Posted { conversation, number, at },
        };
        return Ok(Some(Outcome { by, id, fingerprint: remembered.fingerprint, answer }));
    }
    Ok(None)
}

/// Who started the conversation; whose it is now may be somebody that they turned out to be.
fn customer_at_start(connection: &Connection, key: i64) -> Result<Option<CustomerId>, ViewFailed> {
    use crate::desk::event::Event;
    let doing = "reading how a conversation began";
    let mut first = connection
        .prepare_cached("SELECT body FROM event WHERE conversation = ?1 ORDER BY place LIMIT 1")
        .or_failed(doing)?;
    let mut rows = first.query([key]).or_failed(doing)?;
    let Some(row) = rows.next().or_failed(doing)? else { return Ok(None) };
    let body: Vec<u8> = row.get(0).or_failed(doing)?;
    Ok(match serde_json::from_slice(&body) {
        Ok(Event::ConversationOpened { customer, .. }) => Some(customer),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ids::AgentId;

    #[test]
    fn what_is_remembered_survives_packing() {
        let outcome = Outcome {
            by: Principal::Agent(AgentId(3)),
            id: CommandId(u128::MAX - 5),
            fingerprint: u64::MAX,
            answer: Answer::Done,
        };
        let remembered = remembered_of(&remembered_bytes(&outcome)).unwrap();
        assert_eq!(
            (remembered.by, remembered.id, remembered.fingerprint, remembered.how),
            (outcome.by, outcome.id, outcome.fingerprint, POSTED)
        );
        assert!(remembered_of(&[0; 25]).is_none());
    }
}

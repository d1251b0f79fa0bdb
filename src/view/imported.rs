//! Conversations that were had elsewhere: found by what their source calls them, and by when they were opened there, since their ids tell
//! when they came here.

use super::failed::{OrFailed, ViewFailed};
use super::keys::{WorkspaceNumber, id_of};
use super::load;
use crate::desk::conversation::Conversation;
use crate::desk::ids::{ConversationId, ImportId};
use crate::desk::imported::FoundImport;
use rusqlite::{Connection, params};

/// Made in every file, also in one of before there were imports. source: half of the import's id; the body tells for certain.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS imported (
  conversation INTEGER PRIMARY KEY,
  workspace INTEGER NOT NULL,
  source INTEGER NOT NULL,
  opened_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS imported_source ON imported (source);
CREATE INDEX IF NOT EXISTS imported_opened ON imported (workspace, opened_at, conversation);
";

pub(super) fn put(
    connection: &Connection,
    workspace: WorkspaceNumber,
    key: i64,
    held: &Conversation,
) -> Result<(), ViewFailed> {
    let Some(imported) = held.imported() else { return Ok(()) };
    let (source, opened_at) = (workspace.import(imported.import), held.opened_at.0 as i64);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO imported (conversation, workspace, source, opened_at) VALUES (?1, ?2, ?3, ?4)",
        )
        .and_then(|mut put| put.execute(params![key, workspace.0, source, opened_at]))
        .or_failed("keeping where a conversation came from")?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, key: i64) -> Result<(), ViewFailed> {
    connection
        .prepare_cached("DELETE FROM imported WHERE conversation = ?1")
        .and_then(|mut delete| delete.execute([key]))
        .or_failed("removing where a conversation came from")?;
    Ok(())
}

/// The conversation that an import became.
pub(super) fn find(
    connection: &Connection,
    workspace: WorkspaceNumber,
    import: ImportId,
) -> Result<Option<FoundImport>, ViewFailed> {
    let doing = "looking an import up";
    let mut select = connection
        .prepare_cached("SELECT conversation FROM imported WHERE source = ?1 AND workspace = ?2")
        .or_failed(doing)?;
    let mut found = select.query([workspace.import(import), workspace.0]).or_failed(doing)?;
    while let Some(row) = found.next().or_failed(doing)? {
        let key: i64 = row.get(0).or_failed(doing)?;
        let held = load::conversation(connection, key)?;
        if let Some(held) = held.filter(|held| held.imported().is_some_and(|imported| imported.import == import)) {
            return Ok(Some((ConversationId(id_of(key)), held)));
        }
    }
    Ok(None)
}

/// From the first to behind the last of those that were opened in that time; `None`: there are none.
pub(super) fn span_opened(
    connection: &Connection,
    workspace: WorkspaceNumber,
    from_ms: i64,
    to_ms: i64,
) -> Result<Option<(i64, i64)>, ViewFailed> {
    let ends: (Option<i64>, Option<i64>) = connection
        .prepare_cached(
            "SELECT min(conversation), max(conversation) FROM imported \
             WHERE workspace = ?1 AND opened_at >= ?2 AND opened_at < ?3",
        )
        .and_then(|mut select| select.query_row([workspace.0, from_ms, to_ms], |row| Ok((row.get(0)?, row.get(1)?))))
        .or_failed("finding a time among what was imported")?;
    Ok(ends.0.zip(ends.1).map(|(first, last)| (first, last + 1)))
}

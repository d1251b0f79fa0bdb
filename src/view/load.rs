//! What the engine reads: everything that it starts from, and what a command names that it no longer holds.

use super::failed::{OrFailed, ViewFailed};
use super::keys::{WorkspaceNumber, id_of};
use super::{imported, outcomes, project};
use crate::desk::answer::Outcome;
use crate::desk::conversation::Conversation;
use crate::desk::ids::{AgentId, CommandId, ConversationId, ImportId, OfferId, Principal};
use crate::desk::imported::FoundImport;
use crate::desk::offer::EndedOffer;
use rusqlite::{Connection, OptionalExtension};

/// A workspace as of `position`: what the desk starts from, before the records that came after.
#[derive(Debug, Default, PartialEq)]
pub struct Stored {
    pub position: u64,
    /// Kind, id, JSON.
    pub rows: Vec<(String, String, Vec<u8>)>,
    /// Those that are not closed, oldest first.
    pub conversations: Vec<(ConversationId, Conversation)>,
}

/// What the engine wants to know before it decides.
#[derive(Debug, Default, Clone)]
pub struct Wanted {
    pub conversations: Vec<ConversationId>,
    pub offers: Vec<OfferId>,
    /// For a command that posts into a conversation: that one too. Its outcome is kept as long as its message.
    pub outcomes: Vec<(Principal, CommandId, Option<ConversationId>)>,
    pub imports: Vec<ImportId>,
}

/// Each list in the order of what was wanted.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// What is found is as of this position; what was committed after it is not seen.
    pub position: u64,
    pub conversations: Vec<Option<Conversation>>,
    /// Only offers that have ended.
    pub offers: Vec<Option<EndedOffer>>,
    pub outcomes: Vec<Option<Outcome>>,
    pub imports: Vec<Option<FoundImport>>,
}

/// Reads a conversation's JSON. One that cannot be read is as good as not there: it stops nobody else's.
pub(super) fn conversation_of(key: i64, body: &[u8]) -> Option<Conversation> {
    match serde_json::from_slice(body) {
        Ok(conversation) => Some(conversation),
        Err(error) => {
            metrics::counter!("offhook_view_rows_unreadable_total").increment(1);
            tracing::error!(conversation = id_of(key), %error, "a conversation in the view cannot be read");
            None
        }
    }
}

pub(super) fn conversation(connection: &Connection, key: i64) -> Result<Option<Conversation>, ViewFailed> {
    let body: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT coalesce(o.body, c.body) FROM conversation c LEFT JOIN open_conversation o ON o.key = c.key \
             WHERE c.key = ?1",
        )
        .and_then(|mut select| select.query_row([key], |row| row.get(0)).optional())
        .or_failed("reading a conversation")?;
    Ok(body.and_then(|body| conversation_of(key, &body)))
}

fn position(connection: &Connection, workspace: WorkspaceNumber) -> Result<u64, ViewFailed> {
    let position: i64 = connection
        .prepare_cached("SELECT position FROM workspace WHERE id = ?1")
        .and_then(|mut select| select.query_row([workspace.0], |row| row.get(0)))
        .or_failed("reading a position")?;
    Ok(position as u64)
}

pub(super) fn load(connection: &Connection, workspace: WorkspaceNumber) -> Result<Stored, ViewFailed> {
    let doing = "loading a workspace";
    let mut stored = Stored { position: position(connection, workspace)?, ..Stored::default() };
    let mut select =
        connection.prepare_cached("SELECT kind, id, body FROM entity WHERE workspace = ?1").or_failed(doing)?;
    let mut rows = select.query([workspace.0]).or_failed(doing)?;
    while let Some(row) = rows.next().or_failed(doing)? {
        stored.rows.push((row.get(0).or_failed(doing)?, row.get(1).or_failed(doing)?, row.get(2).or_failed(doing)?));
    }
    let (first, end) = workspace.span();
    let mut select = connection
        .prepare_cached("SELECT key, body FROM open_conversation WHERE key >= ?1 AND key < ?2 ORDER BY key")
        .or_failed(doing)?;
    let mut rows = select.query([first, end]).or_failed(doing)?;
    while let Some(row) = rows.next().or_failed(doing)? {
        let key: i64 = row.get(0).or_failed(doing)?;
        let body = row.get_ref(1).or_failed(doing)?.as_blob().unwrap_or_default();
        if let Some(conversation) = conversation_of(key, body) {
            stored.conversations.push((ConversationId(id_of(key)), conversation));
        }
    }
    Ok(stored)
}

/// `unsorted`: for each wanted outcome, as `outcomes::unsorted` gave it before the read began.
pub(super) fn look_up(
    connection: &Connection,
    workspace: WorkspaceNumber,
    wall_ms: u64,
    wanted: &Wanted,
    unsorted: &[Vec<i64>],
) -> Result<Found, ViewFailed> {
    let mut found = Found { position: position(connection, workspace)?, ..Found::default() };
    for id in &wanted.conversations {
        found.conversations.push(match workspace.conversation(*id) {
            Ok(key) => conversation(connection, key)?,
            Err(_) => None,
        });
    }
    for id in &wanted.offers {
        found.offers.push(ended_offer(connection, workspace, *id)?);
    }
    for (outcome, unsorted) in wanted.outcomes.iter().zip(unsorted) {
        found.outcomes.push(outcomes::find(connection, workspace, wall_ms, *outcome, unsorted)?);
    }
    for import in &wanted.imports {
        found.imports.push(imported::find(connection, workspace, *import)?);
    }
    Ok(found)
}

fn ended_offer(
    connection: &Connection,
    workspace: WorkspaceNumber,
    id: OfferId,
) -> Result<Option<EndedOffer>, ViewFailed> {
    let Ok(key) = workspace.offer(id) else { return Ok(None) };
    let row: Option<(i64, u32, u8)> = connection
        .prepare_cached("SELECT conversation, agent, ended FROM offer WHERE key = ?1 AND ended IS NOT NULL")
        .and_then(|mut select| select.query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional())
        .or_failed("looking an offer up")?;
    Ok(row.and_then(|(conversation, agent, ended)| {
        Some(EndedOffer {
            conversation: ConversationId(conversation as u64),
            agent: AgentId(agent),
            end: project::end_of(ended)?,
        })
    }))
}

//! The desk's entities as rows: conversations with the columns that people search by, everything else as JSON by
//! kind and id.

use super::failed::{OrFailed, ViewFailed};
use super::keys::WorkspaceNumber;
use super::project::Seen;
use super::{imported, labels};
use crate::desk::conversation::{Conversation, State};
use crate::desk::ids::{AgentId, ConversationId, CustomerId};
use crate::desk::stored::Row;
use rusqlite::{Connection, OptionalExtension, params};

/// The number of a state in the file. It never changes its meaning.
pub(super) fn state_number(name: &str) -> Option<u8> {
    ["waiting", "offered", "active", "wrap_up", "closed"].iter().position(|known| *known == name).map(|at| at as u8)
}

pub(super) fn put_entity(connection: &Connection, workspace: WorkspaceNumber, row: &Row) -> Result<(), ViewFailed> {
    let doing = "keeping an entity";
    match &row.body {
        Some(body) => connection
            .prepare_cached(
                "INSERT INTO entity (workspace, kind, id, body) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO UPDATE SET body = excluded.body",
            )
            .and_then(|mut put| put.execute(params![workspace.0, row.kind, row.id, body]))
            .or_failed(doing)?,
        None => connection
            .prepare_cached("DELETE FROM entity WHERE workspace = ?1 AND kind = ?2 AND id = ?3")
            .and_then(|mut delete| delete.execute(params![workspace.0, row.kind, row.id]))
            .or_failed(doing)?,
    };
    Ok(())
}

/// The columns that indexes rest on. An UPDATE that names them rewrites the indexes even when nothing changes, so
/// they are compared first.
#[derive(PartialEq)]
struct Indexed {
    queue: i64,
    agent: Option<i64>,
    customer: i64,
    closed_at: Option<i64>,
}

/// Writes a conversation as of the end of a batch. `wall_ms`: of the batch's last turn.
pub(super) fn put_conversation(
    connection: &Connection,
    workspace: WorkspaceNumber,
    id: ConversationId,
    conversation: &Conversation,
    seen: &Seen,
    wall_ms: u64,
) -> Result<(), ViewFailed> {
    let doing = "keeping a conversation";
    let (Ok(key), Some(state), Ok(body)) =
        (workspace.conversation(id), state_number(conversation.state.name()), serde_json::to_vec(conversation))
    else {
        metrics::counter!("offhook_view_events_left_out_total").increment(1);
        tracing::error!(conversation = %id, "a conversation is not in the view: it has no row's form");
        return Ok(());
    };
    let before = connection
        .prepare_cached("SELECT queue, agent, customer, closed_at, state FROM conversation WHERE key = ?1")
        .and_then(|mut select| {
            select
                .query_row([key], |row| {
                    let (queue, agent, customer, closed_at) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                    Ok((Indexed { queue, agent, customer, closed_at }, row.get::<_, u8>(4)?))
                })
                .optional()
        })
        .or_failed(doing)?;
    let owner: Option<AgentId> = conversation.state.owner().or_else(|| seen.owners.get(&id).copied());
    let earlier = before.as_ref().map(|(row, _)| row);
    let now = Indexed {
        queue: workspace.queue(conversation.queue),
        agent: owner.map(|agent| workspace.agent(agent)).or(earlier.and_then(|row| row.agent)),
        customer: workspace.customer(conversation.customer),
        closed_at: (conversation.state == State::Closed).then(|| {
            let in_this_batch = seen.closed_at.get(&id).map(|at| *at as i64);
            in_this_batch.or(earlier.and_then(|row| row.closed_at)).unwrap_or(wall_ms as i64)
        }),
    };
    let was_open = earlier.is_some_and(|row| row.closed_at.is_none());
    let is_open = now.closed_at.is_none();
    let own_body: &[u8] = if is_open { &[] } else { &body };
    match &before {
        Some((before, before_state)) if *before == now => {
            if !is_open || *before_state != state {
                connection
                    .prepare_cached("UPDATE conversation SET state = ?2, body = ?3 WHERE key = ?1")
                    .and_then(|mut update| update.execute(params![key, state, own_body]))
                    .or_failed(doing)?;
            }
        }
        Some((before, _)) if before.queue == now.queue && before.customer == now.customer => {
            connection
                .prepare_cached(
                    "UPDATE conversation SET state = ?2, body = ?3, agent = ?4, closed_at = ?5 WHERE key = ?1",
                )
                .and_then(|mut update| update.execute(params![key, state, own_body, now.agent, now.closed_at]))
                .or_failed(doing)?;
        }
        _ => {
            connection
                .prepare_cached(
                    "INSERT INTO conversation (key, state, body, agent, closed_at, queue, customer, opened_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET state = excluded.state, \
                     body = excluded.body, agent = excluded.agent, closed_at = excluded.closed_at, \
                     queue = excluded.queue, customer = excluded.customer",
                )
                .and_then(|mut put| {
                    // In the order of the ids: of one from elsewhere, when it came here.
                    let came_at = conversation.imported().map_or(conversation.opened_at, |imported| imported.at);
                    let opened_at = came_at.0 as i64;
                    let Indexed { queue, agent, customer, closed_at } = now;
                    put.execute(params![key, state, own_body, agent, closed_at, queue, customer, opened_at])
                })
                .or_failed(doing)?;
        }
    }
    if seen.imported.contains(&id) {
        imported::put(connection, workspace, key, conversation)?;
    }
    if seen.labelled.contains(&id) {
        labels::put(connection, key, conversation)?;
    }
    if is_open {
        connection
            .prepare_cached("INSERT OR REPLACE INTO open_conversation (key, body) VALUES (?1, ?2)")
            .and_then(|mut put| put.execute(params![key, body]))
            .or_failed(doing)?;
    } else if was_open {
        connection
            .prepare_cached("DELETE FROM open_conversation WHERE key = ?1")
            .and_then(|mut delete| delete.execute([key]))
            .or_failed(doing)?;
    }
    Ok(())
}

/// Gives a conversation that the desk no longer holds to the customer that its own turned out to be.
pub(super) fn merge_customer(
    connection: &Connection,
    workspace: WorkspaceNumber,
    id: ConversationId,
    into: CustomerId,
) -> Result<(), ViewFailed> {
    let Ok(key) = workspace.conversation(id) else { return Ok(()) };
    let Some(mut conversation) = super::load::conversation(connection, key)? else { return Ok(()) };
    if conversation.customer == into {
        return Ok(());
    }
    conversation.customer = into;
    // Its state is as it was, so only its customer changes.
    put_conversation(connection, workspace, id, &conversation, &Seen::default(), 0)
}

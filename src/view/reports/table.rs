//! The tables of the reports, and how what a transaction counted goes into them.

use super::facts::Facts;
use super::fold::{CellKey, Fold, Kept};
use super::person::{Connection, Person};
use super::sums::Sums;
use super::talk::Talk;
use super::{BUCKET_MS, Cube, bucket_of};
use crate::desk::ids::{AgentId, ConversationId, QueueId};
use crate::desk::settings::ChannelId;
use crate::view::failed::{OrFailed, ViewFailed};
use crate::view::keys::WorkspaceNumber;
use rusqlite::{Connection as Sqlite, OptionalExtension, Transaction, params};

/// Made in every file, also in one of before there were reports. A release that knows nothing of them leaves them as they are.
pub(in crate::view) const TABLES: &str = "
-- How far reports have come, and from when on they are whole: 0 for the first record.
CREATE TABLE IF NOT EXISTS report_progress (
  workspace INTEGER PRIMARY KEY,
  position INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  facts BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS report_talk (
  conversation INTEGER PRIMARY KEY,
  body BLOB NOT NULL
);
-- connection: 0 for one that is offline.
CREATE TABLE IF NOT EXISTS report_person (
  workspace INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  connection INTEGER NOT NULL,
  status INTEGER NOT NULL,
  held INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (workspace, agent)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS report_person_connected ON report_person (workspace) WHERE connection <> 0;
CREATE TABLE IF NOT EXISTS report_cell (
  workspace INTEGER NOT NULL,
  cube INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  queue INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  sums BLOB NOT NULL,
  PRIMARY KEY (workspace, cube, bucket, agent, queue, channel)
) WITHOUT ROWID;
";

/// How far the reports of a workspace have come.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Progress {
    pub position: u64,
    pub wall_ms: u64,
    /// They are whole from then on; 0: from the first record.
    pub since_ms: u64,
    pub facts: Facts,
}

/// As in the file; nothing yet for a workspace whose reports never began.
pub(super) fn progress(connection: &Sqlite, workspace: WorkspaceNumber) -> Result<Progress, ViewFailed> {
    let found = connection
        .prepare_cached("SELECT position, wall_ms, since_ms, facts FROM report_progress WHERE workspace = ?1")
        .and_then(|mut select| {
            let row = |row: &rusqlite::Row<'_>| {
                let facts: Vec<u8> = row.get(3)?;
                let number = |place: usize| row.get::<_, i64>(place).map(|value| value as u64);
                Ok(Progress {
                    position: number(0)?,
                    wall_ms: number(1)?,
                    since_ms: number(2)?,
                    facts: serde_json::from_slice(&facts).unwrap_or_default(),
                })
            };
            select.query_row([workspace.0], row).optional()
        })
        .or_failed("reading how far reports have come")?;
    Ok(found.unwrap_or_default())
}

/// The position up to which the reports of a workspace count.
pub(in crate::view) fn reported(connection: &Sqlite, workspace: WorkspaceNumber) -> Result<u64, ViewFailed> {
    Ok(progress(connection, workspace)?.position)
}

/// A workspace's rows, within the writer's transaction.
pub(super) struct Rows<'a> {
    pub connection: &'a Sqlite,
    pub workspace: WorkspaceNumber,
}

impl Kept for Rows<'_> {
    type Failed = ViewFailed;

    fn talk(&mut self, conversation: ConversationId) -> Result<Option<Talk>, ViewFailed> {
        let Ok(key) = self.workspace.conversation(conversation) else { return Ok(None) };
        self.connection
            .prepare_cached("SELECT body FROM report_talk WHERE conversation = ?1")
            .and_then(|mut select| {
                let read = |row: &rusqlite::Row<'_>| Ok(Talk::of_bytes(row.get_ref(0)?.as_blob().unwrap_or_default()));
                select.query_row([key], read).optional()
            })
            .or_failed("reading what reports know of a conversation")
    }

    fn person(&mut self, agent: AgentId) -> Result<Option<Person>, ViewFailed> {
        self.connection
            .prepare_cached(
                "SELECT connection, status, held, since FROM report_person WHERE workspace = ?1 AND agent = ?2",
            )
            .and_then(|mut select| select.query_row(params![self.workspace.0, agent.0], person_of).optional())
            .or_failed("reading what reports know of an agent")
    }

    fn connected(&mut self) -> Result<Vec<AgentId>, ViewFailed> {
        let doing = "reading which agents are connected";
        let mut select = self
            .connection
            .prepare_cached("SELECT agent FROM report_person WHERE workspace = ?1 AND connection <> 0")
            .or_failed(doing)?;
        let found = select.query_map([self.workspace.0], |row| row.get(0).map(AgentId)).or_failed(doing)?;
        found.collect::<rusqlite::Result<_>>().or_failed(doing)
    }
}

pub(super) fn person_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Person> {
    let connection = match row.get(0)? {
        1u8 => Connection::Online,
        2 => Connection::Reconnecting,
        3 => Connection::Unreachable,
        _ => Connection::Offline,
    };
    let (status, held) = (row.get(1)?, row.get(2)?);
    Ok(Person { connection, status, held, since: row.get::<_, i64>(3)? as u64 })
}

/// In the file. It never changes its meaning.
fn connection_number(connection: Connection) -> u8 {
    match connection {
        Connection::Offline => 0,
        Connection::Online => 1,
        Connection::Reconnecting => 2,
        Connection::Unreachable => 3,
    }
}

impl Rows<'_> {
    /// What was known of agents that are gone meanwhile, before all is written as it stands.
    pub fn forget_standing(&self) -> Result<(), ViewFailed> {
        self.connection
            .prepare_cached("DELETE FROM report_person WHERE workspace = ?1")
            .and_then(|mut delete| delete.execute([self.workspace.0]))
            .or_failed("beginning reports anew")?;
        Ok(())
    }

    /// Writes what was counted up to this position.
    pub fn keep(&self, fold: Fold, position: u64, since_ms: u64) -> Result<(), ViewFailed> {
        let doing = "keeping what reports count";
        let Fold { facts, wall_ms, now: _, talks, persons, cells } = fold;
        // In the order of keys, so that neighbours are written together.
        let mut talks: Vec<_> = talks.into_iter().collect();
        talks.sort_unstable_by_key(|(id, _)| *id);
        for (id, talk) in talks {
            let Ok(key) = self.workspace.conversation(id) else { continue };
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO report_talk (conversation, body) VALUES (?1, ?2)")
                .and_then(|mut put| put.execute(params![key, talk.to_bytes()]))
                .or_failed(doing)?;
        }
        for (agent, person) in persons {
            let Person { connection, status, held, since } = person;
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO report_person (workspace, agent, connection, status, held, since) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )
                .and_then(|mut put| {
                    let connection = connection_number(connection);
                    put.execute(params![self.workspace.0, agent.0, connection, status, held, since as i64])
                })
                .or_failed(doing)?;
        }
        let mut cells: Vec<_> = cells.into_iter().collect();
        cells.sort_unstable_by_key(|(key, _)| *key);
        for (key, sums) in cells {
            self.add_to(key, sums)?;
        }
        let facts = serde_json::to_vec(&facts).expect("facts are plain values");
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO report_progress (workspace, position, wall_ms, since_ms, facts) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut put| {
                let [position, wall_ms, since_ms] = [position, wall_ms, since_ms].map(|number| number as i64);
                put.execute(params![self.workspace.0, position, wall_ms, since_ms, facts])
            })
            .or_failed(doing)?;
        Ok(())
    }

    fn add_to(&self, key: CellKey, sums: Sums) -> Result<(), ViewFailed> {
        let doing = "adding to what reports count";
        let CellKey { cube, bucket, agent: AgentId(agent), queue: QueueId(queue), channel: ChannelId(channel) } = key;
        let at = params![self.workspace.0, cube.number(), bucket, agent, queue, channel];
        let held = self
            .connection
            .prepare_cached(
                "SELECT sums FROM report_cell WHERE workspace = ?1 AND cube = ?2 AND bucket = ?3 AND agent = ?4 \
                 AND queue = ?5 AND channel = ?6",
            )
            .and_then(|mut select| {
                let read = |row: &rusqlite::Row<'_>| Ok(Sums::of_bytes(row.get_ref(0)?.as_blob().unwrap_or_default()));
                select.query_row(at, read).optional()
            })
            .or_failed(doing)?;
        let all = match held {
            Some(mut held) => {
                held.merge(&sums);
                held
            }
            None => sums,
        };
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO report_cell (workspace, cube, bucket, agent, queue, channel, sums) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut put| {
                put.execute(params![self.workspace.0, cube.number(), bucket, agent, queue, channel, all.to_bytes()])
            })
            .or_failed(doing)?;
        Ok(())
    }
}

/// Its conversation is forgotten; what was counted of it stays.
pub(in crate::view) fn remove_talk(connection: &Sqlite, key: i64) -> Result<(), ViewFailed> {
    connection
        .prepare_cached("DELETE FROM report_talk WHERE conversation = ?1")
        .and_then(|mut delete| delete.execute([key]))
        .or_failed("forgetting what reports know of a conversation")?;
    Ok(())
}

/// Removes up to so many cells that are older.
pub(super) fn prune(
    transaction: &Transaction<'_>,
    workspace: WorkspaceNumber,
    before_ms: u64,
    most: i64,
) -> Result<usize, ViewFailed> {
    let before = bucket_of(before_ms / BUCKET_MS * BUCKET_MS);
    let mut removed = 0;
    for cube in [Cube::Queues, Cube::Agents, Cube::Time] {
        removed += transaction
            .prepare_cached(
                "DELETE FROM report_cell WHERE (workspace, cube, bucket, agent, queue, channel) IN ( \
                 SELECT workspace, cube, bucket, agent, queue, channel FROM report_cell \
                 WHERE workspace = ?1 AND cube = ?2 AND bucket < ?3 LIMIT ?4)",
            )
            .and_then(|mut delete| delete.execute(params![workspace.0, cube.number(), before, most - removed as i64]))
            .or_failed("forgetting old reports")?;
    }
    Ok(removed)
}

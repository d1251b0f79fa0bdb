//! Which conversations have a disposition, a tag or a rating: one row for each, in the order of time, so that a search by one of them
//! looks at nothing else.

use super::failed::{OrFailed, ViewFailed};
use crate::desk::conversation::Conversation;
use crate::desk::labels::Labels;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;

/// Made in every file, also in one of before there were labels.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS label (
  word TEXT NOT NULL,
  conversation INTEGER NOT NULL,
  PRIMARY KEY (word, conversation)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS label_conversation ON label (conversation);
";

pub(super) fn disposition(code: &str) -> String {
    format!("disposition {code}")
}

pub(super) fn tag(tag: &str) -> String {
    format!("tag {tag}")
}

pub(super) fn score(score: u8) -> String {
    format!("score {score}")
}

/// Its words are those that it has now.
pub(super) fn put(connection: &Connection, key: i64, held: &Conversation) -> Result<(), ViewFailed> {
    let doing = "keeping the labels of a conversation";
    remove(connection, key)?;
    let of = |labels: &Labels| {
        let code = labels.disposition.iter().map(|code| disposition(code));
        code.chain(labels.tags.iter().map(|word| tag(word))).collect::<BTreeSet<String>>()
    };
    let mut words = held.labels.as_deref().map(of).unwrap_or_default();
    words.extend(held.rating().map(|rating| score(rating.score)));
    for word in words {
        connection
            .prepare_cached("INSERT INTO label (word, conversation) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![word, key]))
            .or_failed(doing)?;
    }
    Ok(())
}

pub(super) fn remove(connection: &Connection, key: i64) -> Result<(), ViewFailed> {
    connection
        .prepare_cached("DELETE FROM label WHERE conversation = ?1")
        .and_then(|mut delete| delete.execute([key]))
        .or_failed("removing the labels of a conversation")?;
    Ok(())
}

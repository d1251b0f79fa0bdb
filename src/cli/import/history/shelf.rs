//! What was read, joined: a file of SQLite's that nobody else sees and that is gone with this process. So a ticket finds its comments and its
//! people in whatever files and order they come, and memory stays small however much there is.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// Rows between two commits: nothing here need last, and a transaction for each row would be slow.
const ROWS_TOGETHER: u32 = 10_000;

/// Somebody there: a customer, or one who answers them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Person {
    /// By which your tokens call it, where the other system knows that.
    pub external: String,
    pub name: String,
    pub email: String,
    pub phone: String,
    /// Answers customers, or did.
    pub is_agent: bool,
}

/// A closed conversation, in the other system's own words and numbers.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Talk {
    /// The number of a person.
    pub customer: String,
    /// What is known of it here, where nothing else is.
    pub known: Person,
    /// The number of a group, or a queue's name.
    pub queue: String,
    /// The number of a person.
    pub owner: String,
    pub channel: String,
    pub subject: String,
    pub tags: Vec<String>,
    /// Unix milliseconds.
    pub opened_at: u64,
    pub closed_at: u64,
    pub rating: Option<(u8, String)>,
}

/// Something that was written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Said {
    pub at: u64,
    pub by: Author,
    pub note: bool,
    pub text: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) enum Author {
    /// By the number of a person, or its name where the other system says that alone.
    Person {
        number: String,
        name: String,
    },
    Customer,
    /// A program or a rule.
    Nobody,
}

pub(super) struct Shelf {
    db: Connection,
    rows: u32,
    /// The first that went wrong; what comes after it is not kept.
    failed: Option<String>,
}

const TABLES: &str = "
CREATE TABLE person (number TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE place (number TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rating (talk TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE talk (id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE said (talk TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (talk, at, id)) WITHOUT ROWID;
BEGIN;
";

impl Shelf {
    pub fn new() -> Result<Self, String> {
        // Without a name SQLite makes a file of its own in the system's place for such, and removes it.
        let make = || {
            let db = Connection::open("")?;
            db.pragma_update(None, "journal_mode", "OFF")?;
            db.pragma_update(None, "synchronous", "OFF")?;
            db.execute_batch(TABLES)?;
            Ok::<_, rusqlite::Error>(db)
        };
        let db = make().map_err(|error| format!("a file to join things in: {error}"))?;
        Ok(Self { db, rows: 0, failed: None })
    }

    fn put(&mut self, sql: &str, values: impl rusqlite::Params) {
        if self.failed.is_some() {
            return;
        }
        let put = self.db.prepare_cached(sql).and_then(|mut insert| insert.execute(values));
        self.rows += 1;
        let committed = match self.rows.is_multiple_of(ROWS_TOGETHER) {
            true => self.db.execute_batch("COMMIT; BEGIN;"),
            false => Ok(()),
        };
        if let Err(error) = put.and(committed.map(|()| 0)) {
            self.failed = Some(format!("a file to join things in: {error}"));
        }
    }

    /// The last that was said of one is so.
    pub fn person(&mut self, number: &str, person: &Person) {
        self.put("INSERT OR REPLACE INTO person VALUES (?1, ?2)", params![number, json(person)]);
    }

    pub fn place(&mut self, number: &str, name: &str) {
        self.put("INSERT OR REPLACE INTO place VALUES (?1, ?2)", params![number, name]);
    }

    pub fn talk(&mut self, id: &str, talk: &Talk) {
        let opened_at = talk.opened_at as i64;
        self.put("INSERT OR REPLACE INTO talk VALUES (?1, ?2, ?3)", params![id, opened_at, json(talk)]);
    }

    /// `id`: the other system's, so that what is in two files is there once.
    pub fn said(&mut self, talk: &str, id: &str, said: &Said) {
        self.put("INSERT OR IGNORE INTO said VALUES (?1, ?2, ?3, ?4)", params![talk, said.at as i64, id, json(said)]);
    }

    /// A rating that comes apart from its conversation.
    pub fn rating(&mut self, talk: &str, score: u8, comment: &str) {
        self.put("INSERT OR REPLACE INTO rating VALUES (?1, ?2)", params![talk, json(&(score, comment))]);
    }

    /// Everything is here.
    pub fn is_whole(&self) -> Result<(), String> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    pub fn talks(&self) -> Result<u64, String> {
        self.one("SELECT count(*) FROM talk", "").map(|count: Option<i64>| count.unwrap_or(0) as u64)
    }

    /// What was said in conversations that are in none of the files, or that are not closed.
    pub fn said_elsewhere(&self) -> Result<u64, String> {
        let sql = "SELECT count(*) FROM said WHERE NOT EXISTS (SELECT 1 FROM talk WHERE talk.id = said.talk)";
        self.one(sql, "").map(|count: Option<i64>| count.unwrap_or(0) as u64)
    }

    /// The next ones in the order in which they were opened, behind that one.
    pub fn next_talks(&self, after: Option<(u64, String)>, limit: usize) -> Result<Vec<(String, Talk)>, String> {
        let (at, id) = after.map_or((-1, String::new()), |(at, id)| (at as i64, id));
        let sql = "SELECT id, body FROM talk WHERE (opened_at, id) > (?1, ?2) ORDER BY opened_at, id LIMIT ?3";
        self.rows(sql, params![at, id, limit as i64], |id, body| Ok((id, read(&body)?)))
    }

    /// Everything that was said in one, in order.
    pub fn said_in(&self, talk: &str) -> Result<Vec<Said>, String> {
        self.rows("SELECT id, body FROM said WHERE talk = ?1 ORDER BY at, length(id), id", [talk], |_, body| {
            read(&body)
        })
    }

    pub fn find_person(&self, number: &str) -> Result<Option<Person>, String> {
        let body: Option<String> = self.one("SELECT body FROM person WHERE number = ?1", number)?;
        body.map(|body| read(&body)).transpose()
    }

    /// One that came apart.
    pub fn find_rating(&self, talk: &str) -> Result<Option<(u8, String)>, String> {
        let body: Option<String> = self.one("SELECT body FROM rating WHERE talk = ?1", talk)?;
        body.map(|body| read(&body)).transpose()
    }

    pub fn find_place(&self, number: &str) -> Result<Option<String>, String> {
        self.one("SELECT name FROM place WHERE number = ?1", number)
    }

    /// In the order in which they are sent, this is looked up once a conversation: an index that the rows do not need while they come.
    pub fn sort(&self) -> Result<(), String> {
        self.db.execute_batch("COMMIT; CREATE INDEX talk_opened ON talk (opened_at, id);").map_err(failed)
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str, value: &str) -> Result<Option<T>, String> {
        let mut select = self.db.prepare_cached(sql).map_err(failed)?;
        let values: &[&dyn rusqlite::ToSql] = if sql.contains("?1") { &[&value] } else { &[] };
        select.query_row(values, |row| row.get(0)).optional().map_err(failed)
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        form: impl Fn(String, String) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut select = self.db.prepare_cached(sql).map_err(failed)?;
        let mut rows = select.query(values).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            found.push(form(row.get(0).map_err(failed)?, row.get(1).map_err(failed)?)?);
        }
        Ok(found)
    }
}

fn failed(error: rusqlite::Error) -> String {
    format!("a file to join things in: {error}")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values of our own")
}

fn read<T: for<'a> Deserialize<'a>>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| format!("a file to join things in: {error}"))
}

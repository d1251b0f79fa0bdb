//! Sign-ins on disk, `signins.db`: which there are, and the roles that were set here. What is not in it is signed out, so a lost file signs
//! everybody out and nobody in.

use super::roll::{By, Signin};
use crate::desk::settings::Role;
use crate::store_file::{OpenFailed, StoreFile};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub const STORE: StoreFile = StoreFile {
    name: "signins.db",
    format: 1,
    tables: "
    CREATE TABLE signin(
        id BLOB PRIMARY KEY, workspace TEXT NOT NULL, agent TEXT NOT NULL, role TEXT NOT NULL,
        issuer TEXT, subject TEXT, sid TEXT, id_token TEXT, began_at_s INTEGER NOT NULL, expires_at_s INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE role(
        workspace TEXT NOT NULL, agent TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY(workspace, agent)
    ) WITHOUT ROWID;
",
    advice: "without it everybody is signed out: move it away if it is damaged",
};

/// It could not be written; the sentence is for the log.
#[derive(Debug, thiserror::Error)]
#[error("sign-ins cannot be written: {0}")]
pub struct NotKept(pub(super) String);

impl From<rusqlite::Error> for NotKept {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

pub(super) struct Store(Mutex<Connection>);

impl Store {
    pub fn open(dir: &Path) -> Result<Self, OpenFailed> {
        Self::of(STORE.open(dir)?).map_err(|source| STORE.failed(dir, source))
    }

    #[cfg(test)]
    pub fn in_memory() -> Self {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(STORE.tables).unwrap();
        Self::of(db).unwrap()
    }

    fn of(db: Connection) -> rusqlite::Result<Self> {
        // Who was told that it is signed out is so after power is lost, too.
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
        Ok(Self(Mutex::new(db)))
    }

    /// All that are good at `now_s`, and the roles that were set; those that are over are forgotten.
    #[allow(clippy::type_complexity, reason = "two lists, as they are stored")]
    pub fn load(&self, now_s: i64) -> Result<(Vec<Signin>, Vec<((String, String), Role)>), NotKept> {
        let db = self.lock();
        db.execute("DELETE FROM signin WHERE expires_at_s <= ?1", [now_s])?;
        let mut select = db
            .prepare("SELECT id, workspace, agent, role, issuer, subject, sid, began_at_s, expires_at_s FROM signin")?;
        let read = |row: &rusqlite::Row<'_>| {
            let id: [u8; 16] = row.get(0)?;
            let text = |at: usize| row.get::<_, String>(at);
            let optional = |at: usize| row.get::<_, Option<String>>(at);
            let by = match (optional(4)?, optional(5)?) {
                (Some(issuer), Some(subject)) => {
                    By::Provider { issuer: issuer.into(), subject: subject.into(), sid: optional(6)?.map(Into::into) }
                }
                _ => By::Token,
            };
            Ok(Signin {
                id: u128::from_be_bytes(id),
                workspace: text(1)?.into(),
                agent: text(2)?.into(),
                role: role_of(&text(3)?),
                by,
                began_at_s: row.get(7)?,
                expires_at_s: row.get(8)?,
            })
        };
        let signins = select.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut select = db.prepare("SELECT workspace, agent, role FROM role")?;
        let roles = select.query_map([], |row| {
            Ok(((row.get::<_, String>(0)?, row.get::<_, String>(1)?), role_of(&row.get::<_, String>(2)?)))
        })?;
        Ok((signins, roles.collect::<rusqlite::Result<Vec<_>>>()?))
    }

    /// Puts one in, gives others their role of now, takes others out: all of it or nothing.
    pub fn begin(
        &self,
        signin: &Signin,
        id_token: Option<&str>,
        roles: &[u128],
        out: &[u128],
        now_s: i64,
    ) -> Result<(), NotKept> {
        let db = self.lock();
        let tx = db.unchecked_transaction()?;
        tx.execute("DELETE FROM signin WHERE expires_at_s <= ?1", [now_s])?;
        for id in out {
            tx.execute("DELETE FROM signin WHERE id = ?1", [id.to_be_bytes()])?;
        }
        for id in roles {
            tx.execute("UPDATE signin SET role = ?2 WHERE id = ?1", params![id.to_be_bytes(), word_of(signin.role)])?;
        }
        let (issuer, subject, sid) = match &signin.by {
            By::Token => (None, None, None),
            By::Provider { issuer, subject, sid } => (Some(&**issuer), Some(&**subject), sid.as_deref()),
        };
        tx.execute(
            "INSERT INTO signin VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                signin.id.to_be_bytes(),
                &*signin.workspace,
                &*signin.agent,
                word_of(signin.role),
                issuer,
                subject,
                sid,
                id_token,
                signin.began_at_s,
                signin.expires_at_s
            ],
        )?;
        Ok(tx.commit()?)
    }

    /// Takes them out; answers the ID token that the first began with.
    pub fn end(&self, ids: &[u128]) -> Result<Option<String>, NotKept> {
        let db = self.lock();
        let tx = db.unchecked_transaction()?;
        let first = ids.first().map(|id| id.to_be_bytes());
        let token = tx
            .query_row("SELECT id_token FROM signin WHERE id = ?1", [first], |row| row.get::<_, Option<String>>(0))
            .optional()?;
        for id in ids {
            tx.execute("DELETE FROM signin WHERE id = ?1", [id.to_be_bytes()])?;
        }
        tx.commit()?;
        Ok(token.flatten())
    }

    pub fn set_role(&self, workspace: &str, agent: &str, role: Option<Role>) -> Result<(), NotKept> {
        let db = self.lock();
        match role {
            Some(role) => db.execute(
                "INSERT INTO role VALUES (?1, ?2, ?3) ON CONFLICT(workspace, agent) DO UPDATE SET role = ?3",
                params![workspace, agent, word_of(role)],
            )?,
            None => db.execute("DELETE FROM role WHERE workspace = ?1 AND agent = ?2", params![workspace, agent])?,
        };
        Ok(())
    }

    /// A connection is whole between statements, so a panic elsewhere taints nothing.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn word_of(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Admin => "admin",
    }
}

/// What is not understood gives the least.
fn role_of(word: &str) -> Role {
    match word {
        "supervisor" => Role::Supervisor,
        "admin" => Role::Admin,
        _ => Role::Agent,
    }
}

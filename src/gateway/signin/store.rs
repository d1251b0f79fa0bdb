//! Sign-ins on disk, `signins.db`: which there are, and the roles that were set here. What is not in it is signed out, so a lost file signs
//! everybody out and nobody in.

use super::of_agent::{Kept, OfAgent};
use super::roll::{By, Signin};
use crate::desk::settings::Role;
use crate::store_file::{OpenFailed, StoreFile};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
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
        // A release before this one goes on with it.
        db.execute("CREATE INDEX IF NOT EXISTS signin_of ON signin(workspace, agent)", [])?;
        Ok(Self(Mutex::new(db)))
    }

    /// All that are good at `now_s`, and the roles that were set, by agents; without ID tokens. Those that are over are forgotten.
    pub fn load(&self, now_s: i64) -> Result<Vec<OfAgent>, NotKept> {
        let db = self.lock();
        db.execute("DELETE FROM signin WHERE expires_at_s <= ?1", [now_s])?;
        let mut all: BTreeMap<(String, String), OfAgent> = BTreeMap::new();
        let mut of = |workspace: String, agent: String, tell: &dyn Fn(&mut OfAgent)| {
            let none = OfAgent::none(&workspace, &agent);
            tell(all.entry((workspace, agent)).or_insert(none));
        };
        let mut select = db.prepare(
            "SELECT id, workspace, agent, role, issuer, subject, sid, began_at_s, expires_at_s, NULL FROM signin",
        )?;
        for kept in select.query_map([], read)? {
            let kept = kept?;
            let Signin { workspace, agent, .. } = &kept.signin;
            of(workspace.to_string(), agent.to_string(), &|of| of.signins.push(kept.clone()));
        }
        let mut select = db.prepare("SELECT workspace, agent, role FROM role")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let role = role_of(&row.get::<_, String>(2)?);
            of(row.get(0)?, row.get(1)?, &|of| of.role = Some(role));
        }
        Ok(all.into_values().collect())
    }

    /// All that is kept of an agent.
    pub fn of_agent(&self, workspace: &str, agent: &str) -> Result<OfAgent, NotKept> {
        Ok(of_agent(&self.lock(), workspace, agent)?)
    }

    /// Keeps what `change` makes of it, where that says that there is something to be kept; and lets `changed` know, before anything
    /// else is changed.
    pub fn change<T: Default>(
        &self,
        workspace: &str,
        agent: &str,
        change: impl FnOnce(&mut OfAgent) -> bool,
        changed: impl FnOnce(&OfAgent) -> T,
    ) -> Result<T, NotKept> {
        let db = self.lock();
        let mut of = of_agent(&db, workspace, agent)?;
        if !change(&mut of) {
            return Ok(T::default());
        }
        put(&db, &of)?;
        Ok(changed(&of))
    }

    /// An agent's are these from now on.
    pub fn put(&self, of: &OfAgent) -> Result<(), NotKept> {
        Ok(put(&self.lock(), of)?)
    }

    /// A connection is whole between statements, so a panic elsewhere taints nothing.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let id: [u8; 16] = row.get(0)?;
    let text = |at: usize| row.get::<_, String>(at);
    let optional = |at: usize| row.get::<_, Option<String>>(at);
    let by = match (optional(4)?, optional(5)?) {
        (Some(issuer), Some(subject)) => {
            By::Provider { issuer: issuer.into(), subject: subject.into(), sid: optional(6)?.map(Into::into) }
        }
        _ => By::Token,
    };
    let signin = Signin {
        id: u128::from_be_bytes(id),
        workspace: text(1)?.into(),
        agent: text(2)?.into(),
        role: role_of(&text(3)?),
        by,
        began_at_s: row.get(7)?,
        expires_at_s: row.get(8)?,
    };
    Ok(Kept { signin, id_token: optional(9)? })
}

fn of_agent(db: &Connection, workspace: &str, agent: &str) -> rusqlite::Result<OfAgent> {
    let mut select = db.prepare_cached(
        "SELECT id, workspace, agent, role, issuer, subject, sid, began_at_s, expires_at_s, id_token FROM signin
         WHERE workspace = ?1 AND agent = ?2 ORDER BY began_at_s, id",
    )?;
    let signins = select.query_map([workspace, agent], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut select = db.prepare_cached("SELECT role FROM role WHERE workspace = ?1 AND agent = ?2")?;
    let role = select.query_row([workspace, agent], |row| row.get::<_, String>(0)).optional()?;
    let role = role.map(|word| role_of(&word));
    Ok(OfAgent { role, signins, ..OfAgent::none(workspace, agent) })
}

/// All of it or nothing.
fn put(db: &Connection, of: &OfAgent) -> rusqlite::Result<()> {
    let tx = db.unchecked_transaction()?;
    let OfAgent { workspace, agent, role, signins } = of;
    tx.execute("DELETE FROM signin WHERE workspace = ?1 AND agent = ?2", params![&**workspace, &**agent])?;
    for Kept { signin, id_token } in signins {
        let (issuer, subject, sid) = match &signin.by {
            By::Token => (None, None, None),
            By::Provider { issuer, subject, sid } => (Some(&**issuer), Some(&**subject), sid.as_deref()),
        };
        tx.execute(
            "INSERT INTO signin VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                signin.id.to_be_bytes(),
                &**workspace,
                &**agent,
                word_of(signin.role),
                issuer,
                subject,
                sid,
                id_token,
                signin.began_at_s,
                signin.expires_at_s
            ],
        )?;
    }
    tx.execute("DELETE FROM role WHERE workspace = ?1 AND agent = ?2", params![&**workspace, &**agent])?;
    if let Some(role) = role {
        tx.execute("INSERT INTO role VALUES (?1, ?2, ?3)", params![&**workspace, &**agent, word_of(*role)])?;
    }
    tx.commit()
}

fn word_of(role: Role) -> &'static str {
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

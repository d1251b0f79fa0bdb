//! What people read, projected from the journal (history, search, the customer's event log), and the desk's entities
//! for a quick start.
//!
//! ```text
//!   engine ──Batch──▶ bounded channel ──▶ writer thread ──one transaction for all that wait──▶ view.db
//!   engine ◀─load, look_up──  its own readers ◀──┐
//!   people ◀─history, search─ their readers   ◀──┴── read transactions, limited in time
//! ```
//!
//! Never decides anything, and never holds what the journal did not say. It may lag: readers wait for a position.

mod batch;
mod directory;
mod entities;
mod failed;
mod health;
mod history;
mod imported;
mod keys;
mod labels;
mod load;
mod outcomes;
mod project;
mod prune;
mod read;
mod reading;
pub mod reports;
mod schema;
mod search;
mod sorting;
#[cfg(test)]
mod tests;
mod write;

pub use batch::{Batch, CommittedTurn};
pub use failed::{Behind, Health, Standing, ViewFailed};
pub use history::{EventRow, MessageRow, NoteRow, PAGE_ROWS_MAX, Page, Public, PublicRow, Rows, Texts, public_of};
pub use load::{Found, Stored, Wanted};
pub use outcomes::OUTCOME_KEPT_MS;
pub use prune::{OUTCOMES_EACH_MAX, Pruned};
pub use schema::{SCHEMA, check_format, reached};
pub use search::{ConversationRow, Filter, Hits};

use crate::slices;
use directory::Directory;
use failed::OrFailed;
use futures_util::future::BoxFuture;
use health::Condition;
use keys::WorkspaceNumber;
use prune::PruneStep;
use read::Readers;
use reports::{Missed, OldReports};
use sorting::{Sorting, Unsorted};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use write::{Answer, Job, Stands, Writer};

/// The file's name in the data directory.
pub const FILE_NAME: &str = "view.db";

#[derive(Clone, Debug)]
pub struct Settings {
    /// The monotonic clock, for time limits and metrics.
    pub monotonic: fn() -> Instant,
    /// Batches that may wait for the writer.
    pub batches_waiting_max: usize,
    /// Connections for people's reads, and apart from them for the engine's.
    pub readers: usize,
    pub engine_readers: usize,
    /// And for reports, which may take longer.
    pub report_readers: usize,
    /// Reads that may wait for a connection, of each of the three.
    pub readers_waiting_max: usize,
    /// How long one may wait for a connection, and how long it may then take.
    pub read_wait: Duration,
    pub read_time: Duration,
    pub report_time: Duration,
    /// How long loading a workspace may take.
    pub load_time: Duration,
    pub writer_cache_kib: i64,
    pub reader_cache_kib: i64,
    /// What view.db may grow to; its write-ahead log comes on top.
    pub bytes_max: Option<u64>,
    /// Outcomes that are sorted into their index together. Keys of twice as many are held in memory at most.
    pub generation_outcomes: usize,
}

impl Settings {
    #[must_use]
    pub fn with_clock(monotonic: fn() -> Instant) -> Self {
        Self {
            monotonic,
            batches_waiting_max: 256,
            readers: 2,
            engine_readers: 2,
            report_readers: 1,
            readers_waiting_max: 256,
            read_wait: Duration::from_secs(2),
            read_time: Duration::from_secs(2),
            report_time: Duration::from_secs(10),
            load_time: Duration::from_secs(60),
            writer_cache_kib: 16 << 10,
            // What is read again soon is in the page cache of the system; and one of whom little is asked comes to its bound in minutes, not hours.
            reader_cache_kib: 512,
            bytes_max: None,
            generation_outcomes: 32_768,
        }
    }
}

/// The view of all workspaces of this data directory. Dropping the last handle waits for the writer's last commit.
pub struct View {
    jobs: Option<SyncSender<Job>>,
    writer: Option<std::thread::JoinHandle<()>>,
    directory: Arc<Directory>,
    condition: Arc<Condition>,
    people: Arc<Readers>,
    engine: Arc<Readers>,
    reporters: Arc<Readers>,
    unsorted: Arc<Unsorted>,
    settings: Settings,
}

impl View {
    /// Opens `view.db` in `dir`, or makes it. A damaged one is put aside and begun anew, but only if
    /// `journal_is_whole` says that the journal still goes back to its first record: else it holds what is nowhere else.
    ///
    /// # Errors
    /// `DamagedForGood`, `Newer`, `Older`: an operator must act. Others: as SQLite has it.
    pub fn open(
        dir: &Path,
        settings: Settings,
        journal_is_whole: impl FnOnce() -> bool,
    ) -> Result<Arc<View>, ViewFailed> {
        let path = dir.join(FILE_NAME);
        let damage_mark = dir.join("view.db.damaged");
        let opened = match std::fs::read_to_string(&damage_mark) {
            Ok(why) => Err(ViewFailed::Damaged { doing: "the last run", why: why.into() }),
            Err(_) => open_and_list(&path, &settings),
        };
        let Opened { connection, workspaces, sorting } = match opened {
            Err(ViewFailed::Damaged { why, .. }) => {
                if !journal_is_whole() {
                    return Err(ViewFailed::DamagedForGood { path, why });
                }
                let aside = put_aside(&path)?;
                tracing::warn!(%why, aside = %aside.display(), "view.db was damaged: it is made anew from the journal");
                remove_mark(&damage_mark)?;
                open_and_list(&path, &settings)?
            }
            other => other?,
        };
        let directory = Arc::new(Directory::default());
        for (name, stand) in &workspaces {
            directory.reached(name, *stand);
        }
        let condition = Condition::new(damage_mark);
        let unsorted = sorting.unsorted();
        let (jobs, waiting) = sync_channel(settings.batches_waiting_max);
        let writer = Writer {
            connection,
            directory: directory.clone(),
            condition: condition.clone(),
            monotonic: settings.monotonic,
            workspaces,
            sweep: prune::Sweep::default(),
            sorting,
        };
        let writer = std::thread::Builder::new()
            .name("view-writer".into())
            .spawn(move || {
                slices::long();
                // It may lag, and new work waits for it where it lags much.
                slices::yields();
                writer.run(waiting);
            })
            .map_err(|error| ViewFailed::File {
                doing: "starting its thread",
                path: path.clone(),
                why: error.to_string().into(),
            })?;
        Ok(Arc::new(View {
            jobs: Some(jobs),
            writer: Some(writer),
            directory,
            condition: condition.clone(),
            people: Readers::new(&path, settings.clone(), condition.clone(), settings.readers),
            reporters: Readers::new(&path, settings.clone(), condition.clone(), settings.report_readers),
            engine: Readers::new(&path, settings.clone(), condition, settings.engine_readers),
            unsorted,
            settings,
        }))
    }

    /// Writes a batch, together with all others that wait. `Ok` when it is committed (not yet synced); what the view
    /// already holds of it is left out.
    ///
    /// # Errors
    /// Nothing was kept. `Busy`: too many batches wait. `Gap`: hand in the records before it first. Others: try again later.
    pub fn apply(&self, batch: Batch) -> BoxFuture<'static, Result<(), ViewFailed>> {
        let waiting = self.submit(|answer| Job::Apply(batch, answer));
        Box::pin(async move { waiting?.await.unwrap_or(Err(ViewFailed::Stopped)) })
    }

    /// The position up to which this workspace is committed to the view; 0 for one that is not known.
    #[must_use]
    pub fn position(&self, workspace: &str) -> u64 {
        self.directory.position(workspace)
    }

    /// # Errors
    /// `Behind` when the position is not reached within `timeout`.
    pub async fn wait_for(&self, workspace: &str, position: u64, timeout: Duration) -> Result<(), Behind> {
        self.directory.wait_for(workspace, position, timeout).await
    }

    /// The names of all workspaces in the view, in order.
    #[must_use]
    pub fn workspaces(&self) -> Vec<Arc<str>> {
        self.directory.names()
    }

    /// As of the last write, or the damage that a read met.
    #[must_use]
    pub fn health(&self) -> Arc<Health> {
        self.condition.now()
    }

    /// Syncs the view, then gives for each workspace the position up to which its journal may be cut.
    ///
    /// # Errors
    /// Nothing may be cut.
    pub async fn sync(&self) -> Result<HashMap<Arc<str>, u64>, ViewFailed> {
        self.submit(Job::Sync)?.await.unwrap_or(Err(ViewFailed::Stopped))
    }

    /// Forgets outcomes older than a day or beyond `OUTCOMES_EACH_MAX`, and conversations closed longer than
    /// `retention_ms` (which must be more than any workspace's `reopen_ms`; `None`: never), in at most `steps_max` short
    /// transactions between which batches are written. `done` is false when more is left for the next call.
    ///
    /// # Errors
    /// What earlier steps removed stays removed.
    pub async fn prune(
        &self,
        now_wall_ms: u64,
        retention_ms: Option<u64>,
        steps_max: u32,
    ) -> Result<Pruned, ViewFailed> {
        let step = PruneStep { now_wall_ms, retention_ms, outcomes_each_max: OUTCOMES_EACH_MAX, only: None };
        self.prune_by(step, steps_max).await
    }

    /// Forgets the conversations of one workspace that were closed longer ago.
    ///
    /// # Errors
    /// As `prune`.
    pub async fn prune_of(
        &self,
        workspace: &str,
        now_wall_ms: u64,
        retention_ms: u64,
        steps_max: u32,
    ) -> Result<Pruned, ViewFailed> {
        let (retention_ms, only) = (Some(retention_ms), Some(Arc::from(workspace)));
        let step = PruneStep { now_wall_ms, retention_ms, outcomes_each_max: OUTCOMES_EACH_MAX, only };
        self.prune_by(step, steps_max).await
    }

    async fn prune_by(&self, step: PruneStep, steps_max: u32) -> Result<Pruned, ViewFailed> {
        let mut pruned = Pruned::default();
        for _ in 0..steps_max {
            let one =
                self.submit(|answer| Job::Prune(step.clone(), answer))?.await.unwrap_or(Err(ViewFailed::Stopped))?;
            pruned = pruned.and(one);
            if pruned.done {
                break;
            }
        }
        Ok(pruned)
    }

    /// How far the reports of a workspace are behind what the view holds: both positions, where they are.
    #[must_use]
    pub fn reports_behind(&self, workspace: &str) -> Option<(u64, u64)> {
        self.directory.reports_behind(workspace)
    }

    /// Counts the records after this position, one after the other, into reports that are behind; gives how far they have come.
    ///
    /// # Errors
    /// Nothing was counted.
    pub async fn catch_up(
        &self,
        workspace: Arc<str>,
        after: u64,
        turns: Vec<CommittedTurn>,
    ) -> Result<u64, ViewFailed> {
        let missed = Missed::Turns { workspace, after, turns };
        self.submit(|answer| Job::CatchUp(missed, answer))?.await.unwrap_or(Err(ViewFailed::Stopped))
    }

    /// The records that reports have missed are gone: they begin anew from how everything stands.
    ///
    /// # Errors
    /// They are as they were.
    pub async fn begin_reports_anew(&self, workspace: Arc<str>) -> Result<u64, ViewFailed> {
        let missed = Missed::Gone { workspace };
        self.submit(|answer| Job::CatchUp(missed, answer))?.await.unwrap_or(Err(ViewFailed::Stopped))
    }

    /// Forgets what reports counted of the time before, of all workspaces or of one; in at most `steps_max` short transactions.
    ///
    /// # Errors
    /// What earlier steps removed stays removed.
    pub async fn prune_reports(
        &self,
        only: Option<&'static str>,
        before_ms: u64,
        steps_max: u32,
    ) -> Result<(), ViewFailed> {
        for _ in 0..steps_max {
            let old = OldReports { before_ms, only };
            let removed = self.submit(|answer| Job::PruneReports(old, answer))?;
            if removed.await.unwrap_or(Err(ViewFailed::Stopped))? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn submit<T>(
        &self,
        job: impl FnOnce(Answer<T>) -> Job,
    ) -> Result<oneshot::Receiver<Result<T, ViewFailed>>, ViewFailed> {
        let (answer, waiting) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(ViewFailed::Stopped)?;
        match jobs.try_send(job(answer)) {
            Ok(()) => Ok(waiting),
            Err(TrySendError::Full(_)) => Err(ViewFailed::Busy),
            Err(TrySendError::Disconnected(_)) => Err(ViewFailed::Stopped),
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the view's writer had ended in a panic");
        }
    }
}

struct Opened {
    connection: rusqlite::Connection,
    workspaces: HashMap<Arc<str>, Stands>,
    sorting: Sorting,
}

fn open_and_list(path: &Path, settings: &Settings) -> Result<Opened, ViewFailed> {
    let doing = "reading which workspaces the view has";
    let connection = schema::open_writer(path, settings)?;
    let mut workspaces: HashMap<Arc<str>, Stands> = HashMap::new();
    let mut select = connection.prepare("SELECT name, id, position, wall_ms FROM workspace").or_failed(doing)?;
    let mut rows = select.query([]).or_failed(doing)?;
    while let Some(row) = rows.next().or_failed(doing)? {
        let name: String = row.get(0).or_failed(doing)?;
        let stand = Stands {
            number: WorkspaceNumber(row.get(1).or_failed(doing)?),
            position: row.get::<_, i64>(2).or_failed(doing)? as u64,
            wall_ms: row.get::<_, i64>(3).or_failed(doing)? as u64,
            reported: 0,
        };
        workspaces.insert(Arc::from(name), stand);
    }
    drop(rows);
    drop(select);
    for stand in workspaces.values_mut() {
        stand.reported = reports::reported(&connection, stand.number)?;
    }
    let sorting = Sorting::open(&connection, settings.generation_outcomes)?;
    Ok(Opened { connection, workspaces, sorting })
}

/// A mark that stayed would put aside the next view too.
fn remove_mark(mark: &Path) -> Result<(), ViewFailed> {
    match std::fs::remove_file(mark) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let why = error.to_string().into();
            Err(ViewFailed::File { doing: "removing the mark of a damaged view", path: mark.into(), why })
        }
        _ => Ok(()),
    }
}

/// Renames a damaged view and what belongs to it to a name that is free.
fn put_aside(path: &Path) -> Result<PathBuf, ViewFailed> {
    let with = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let mut number = 1;
    while with(&format!(".damaged-{number}")).exists() {
        number += 1;
    }
    let aside = with(&format!(".damaged-{number}"));
    for end in ["", "-wal", "-shm"] {
        let (from, to) = (with(end), with(&format!(".damaged-{number}{end}")));
        if let Err(error) = std::fs::rename(&from, to)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            let why = error.to_string().into();
            return Err(ViewFailed::File { doing: "putting a damaged view aside", path: from, why });
        }
    }
    Ok(aside)
}

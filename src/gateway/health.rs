//! Looks twice a second at what users experience, lets the rules judge it, and keeps and shows what came of it.
//!
//! What must not wait for a disk does not: the history is written by a task of its own, which writes the newest when it comes to it.

use super::status::Board;
use crate::clock;
use crate::engine::{Engine, counted};
use crate::health::experience::EXPERIENCE;
use crate::health::history::History;
use crate::health::kept::{Kept, Left};
use crate::health::rules::{Limits, Memory, Observation, Probed, Rules};
use crate::health::{Component, Each};
use crate::overload;
use crate::telemetry::catalogue;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the file says that the server lives: as exactly is known afterwards for how long nobody was served.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// Probes that wait to be judged; there are never more than a few between two looks.
const PROBES_MAX: usize = 64;

/// Probes that have ended and are not judged yet.
#[derive(Debug, Default)]
pub struct Probes(Mutex<Vec<Each<Probed>>>);

impl Probes {
    pub fn ended(&self, probed: Each<Probed>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() < PROBES_MAX {
            held.push(probed);
        }
    }

    fn take(&self) -> Vec<Each<Probed>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What runs.
#[derive(Debug)]
pub struct HealthWatch {
    pub board: Arc<Board>,
    kept: Arc<Kept>,
    changed: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
}

impl HealthWatch {
    /// Reads what the last server left. A file that cannot be read is put aside: no history is a reason not to serve.
    #[must_use]
    pub fn begin(dir: &Path) -> (Self, Option<Left>) {
        let kept = Kept::in_directory(dir);
        let left = kept.read().unwrap_or_else(|error| {
            let aside = kept.put_aside();
            tracing::warn!(%error, put_aside = aside.is_ok(), "the history of health cannot be read, and begins anew");
            None
        });
        let history = left.as_ref().map_or_else(|| History::begin(clock::wall_ms()), |left| left.history.clone());
        let board = Arc::new(Board::new(history));
        (Self { board, kept: Arc::new(kept), changed: Arc::default(), tasks: Vec::new() }, left)
    }

    /// The server serves from now on: the time without one is written down, and the watch begins.
    /// `ended`: when and how the one before it ended, as whoever started this one knows it.
    pub fn run(
        &mut self,
        left: Option<Left>,
        ended: Option<(u64, String)>,
        engine: Arc<Engine>,
        probes: Arc<Probes>,
        limits: Limits,
    ) {
        let now = clock::wall_ms();
        metrics::gauge!(catalogue::START_TIME_SECONDS).set(now as f64 / 1_000.0);
        let mut history = (*self.board.history()).clone();
        if let Some(left) = left {
            // What is known of an earlier end than the last beat is of an earlier server.
            let known = ended.filter(|(at, _)| *at >= left.beat).map(|(_, how)| how);
            let seen = if left.stopped { "stopped in order" } else { "it had ended without being told to" };
            history.restarted(left.beat, now, &known.unwrap_or_else(|| seen.to_owned()));
        }
        self.board.show(history.clone());
        let look = Look { engine, probes, rules: Rules::new(limits), history };
        self.tasks.push(tokio::spawn(look.for_ever(self.board.clone(), self.changed.clone())));
        self.tasks.push(tokio::spawn(keep(self.board.clone(), self.kept.clone(), self.changed.clone())));
        // The file must be there for the first beat.
        self.changed.notify_one();
    }

    /// The server was told to stop, and nobody is served any more.
    pub async fn stop(self) {
        for task in &self.tasks {
            task.abort();
        }
        let (kept, history) = (self.kept, self.board.history());
        let mut history = (*history).clone();
        history.told_at = history.told_at.max(clock::wall_ms());
        let written = tokio::task::spawn_blocking(move || kept.write(&history, true)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "the history of health could not be kept");
        }
    }
}

struct Look {
    engine: Arc<Engine>,
    probes: Arc<Probes>,
    rules: Rules,
    history: History,
}

impl Look {
    async fn for_ever(mut self, board: Arc<Board>, changed: Arc<Notify>) {
        loop {
            self.look(&board, &changed);
            // Shares over time are looked at from time to time.
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn look(&mut self, board: &Board, changed: &Notify) {
        let workspaces = self.engine.all();
        let (agents_online, agents_lost) = counted::connected(&workspaces);
        let memory = overload::memory();
        let seen = Observation {
            answers: EXPERIENCE.take(),
            agents_online,
            agents_lost,
            overlooked_ms: counted::overlooked_ms(&workspaces),
            memory: Some(Memory { used: memory.used_bytes(), budget: memory.budget_bytes() }),
            probes: self.probes.take(),
        };
        metrics::gauge!(catalogue::OVERLOOKED_SECONDS).set(seen.overlooked_ms.unwrap_or(0) as f64 / 1_000.0);
        let now_ms = clock::monotonic_ms();
        self.rules.feed(now_ms, &seen);
        let judged = self.rules.judged(now_ms);
        let is_news = self.history.tell(clock::wall_ms(), &judged);
        for (component, judged) in Component::ALL.into_iter().zip(&judged) {
            metrics::gauge!(catalogue::COMPONENT_STATE, "component" => component.name())
                .set(f64::from(judged.state.number()));
        }
        if is_news {
            for (component, judged) in Component::ALL.into_iter().zip(&judged) {
                let (component, state) = (component.name(), judged.state.name());
                tracing::info!(component, state, why = %judged.why, "how the components stand has changed");
            }
        }
        board.show(self.history.clone());
        if is_news {
            changed.notify_one();
        }
    }
}

/// Writes what changed, and beats in between. What could not be written is tried again with each beat.
async fn keep(board: Arc<Board>, kept: Arc<Kept>, changed: Arc<Notify>) {
    let mut is_written = false;
    loop {
        let news = tokio::time::timeout(BEAT_EVERY, changed.notified()).await.is_ok();
        let write = news || !is_written;
        let (held, history) = (kept.clone(), board.history());
        let done =
            tokio::task::spawn_blocking(
                move || {
                    if write { held.write(&history, false) } else { held.beat(clock::wall_ms()) }
                },
            );
        match done.await {
            Ok(Ok(())) => is_written = true,
            // A bad disk is said by whoever needs it more, and once is enough.
            Ok(Err(error)) if is_written => {
                is_written = false;
                tracing::warn!(%error, "the history of health cannot be kept now");
            }
            Ok(Err(_)) => {}
            Err(_) => return,
        }
    }
}

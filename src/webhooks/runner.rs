//! One endpoint's deliveries: reads the feed on from its place, keeps a few messages under way, and notes how far everything was taken.
//!
//! What can happen, and what is done about it:
//!
//! | what | then |
//! | --- | --- |
//! | more was committed, and there is room | it is read |
//! | a message was taken | the next of its conversation goes |
//! | a message was not | it waits, for longer each time; after `pause_after_ms` of that the endpoint is paused |
//! | 410 | the endpoint is paused |
//! | what comes next is not kept any more | the endpoint is paused, and says so |
//! | it was set, paused, resumed, sent elsewhere | what is under way is given up, and begun anew |
//! | another node of the cluster leads the workspace | what is under way is given up; that node goes on from the place that they share |
//! | the server stops | its place is kept |

use super::Shared;
use super::endpoint::{Endpoint, Held, Paused};
use super::message::{self, Outcome};
use super::schedule::{Delays, Item, Schedule};
use crate::clock;
use crate::engine::Standing;
use crate::feed::{Feed, NotRead, READ_BYTES_MAX, Wanted};
use crate::overload::{Purpose, Taken, Weight, memory};
use crate::telemetry::catalogue::WEBHOOK_DELIVERIES_TOTAL;
use crate::telemetry::traces::{self, Open};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Events of one reading.
const PAGE: usize = 200;
/// Before what could not be read, or found no memory, is tried again.
const AGAIN_MS: u64 = 1_000;
/// Between two readings of a busy workspace.
const GATHER_MS: u64 = 10;
/// How often a place that moved is kept.
const KEEP_EVERY_MS: u64 = 250;

/// Why a run of deliveries ended.
enum Ended {
    Changed,
    Stopped,
    Paused(Paused),
}

pub(super) struct Runner {
    pub endpoint: Arc<Endpoint>,
    pub feed: Feed,
    pub shared: Arc<Shared>,
}

impl Runner {
    /// Until the server stops, or the endpoint is removed.
    pub async fn run(self) {
        let mut changed = self.endpoint.follow();
        let mut standing = self.feed.standing();
        loop {
            changed.borrow_and_update();
            let (begun, held) = self.endpoint.begun();
            let run = held.spec.run;
            let is_due = held.spec.paused.is_none();
            let ended = if is_due && !standing.borrow_and_update().follows {
                self.endpoint.delivers(true);
                let ended = self.deliver(begun, held, &mut changed, &mut standing).await;
                self.endpoint.delivers(false);
                self.shared.moved(&self.endpoint);
                ended
            } else {
                loop {
                    let stands = *standing.borrow_and_update();
                    if stands.over {
                        break Ended::Stopped;
                    }
                    if is_due && !stands.follows {
                        break Ended::Changed;
                    }
                    tokio::select! {
                        set = changed.changed() => break if set.is_ok() { Ended::Changed } else { Ended::Stopped },
                        more = standing.changed() => if more.is_err() { break Ended::Stopped },
                    }
                }
            };
            self.keep_place().await;
            match ended {
                Ended::Changed if self.shared.has(&self.endpoint) => {}
                Ended::Changed | Ended::Stopped => return,
                Ended::Paused(why) => self.pause(begun, run, why).await,
            }
        }
    }

    async fn deliver(
        &self,
        begun: u64,
        held: Held,
        changed: &mut watch::Receiver<u64>,
        standing: &mut watch::Receiver<Standing>,
    ) -> Ended {
        let settings = &self.shared.settings;
        let delays = Delays { first_ms: settings.retry_first_ms, most_ms: settings.retry_most_ms };
        let from = held.cursor;
        let mut schedule = Schedule::new(from, delays, settings.connections_max);
        let wanted = held.spec.wanted();
        let mut flying = FuturesUnordered::new();
        let mut room: Option<Taken> = None;
        let (mut is_last, mut read_at_ms, mut kept_at_ms, mut kept) = (false, 0, 0, held.cursor);
        let mut failing_from_ms = held.failing_ms.map(|ms| clock::monotonic_ms().saturating_sub(ms));
        loop {
            let now_ms = clock::monotonic_ms();
            if !is_last && now_ms >= read_at_ms && schedule.has_room() {
                let stands = *standing.borrow_and_update();
                if stands.over || stands.follows {
                    return if stands.over { Ended::Stopped } else { Ended::Changed };
                }
                read_at_ms = now_ms + GATHER_MS;
                match self.read(&mut schedule, &wanted, &mut room).await {
                    Ok(last) => is_last = last,
                    Err(NotRead::Gone { .. }) => return Ended::Paused(Paused::CursorGone),
                    Err(NotRead::Beyond) => return Ended::Paused(Paused::CursorBeyond),
                    Err(NotRead::Unavailable(why)) => {
                        tracing::warn!(workspace = %self.endpoint.workspace, webhook = %self.endpoint.name, why, "not read on");
                        read_at_ms = now_ms + AGAIN_MS;
                    }
                }
            }
            while let Some(item) = schedule.next(clock::monotonic_ms()) {
                flying.push(self.attempt(item));
            }
            // How it stands, for whoever asks, and for the next start.
            let now_ms = clock::monotonic_ms();
            match schedule.is_failing() {
                true => _ = failing_from_ms.get_or_insert(now_ms),
                false if schedule.cursor() > from || is_last => failing_from_ms = None,
                false => {}
            }
            let failing_ms = failing_from_ms.map(|since_ms| now_ms.saturating_sub(since_ms));
            let cursor = schedule.cursor();
            self.endpoint.note(begun, |held| (held.cursor, held.failing_ms) = (cursor, failing_ms));
            if failing_ms.is_some_and(|ms| ms >= settings.pause_after_ms) {
                return Ended::Paused(Paused::Failing);
            }
            if kept != cursor && now_ms >= kept_at_ms {
                self.keep_place().await;
                self.shared.moved(&self.endpoint);
                (kept, kept_at_ms) = (cursor, now_ms + KEEP_EVERY_MS);
            }
            let reads_at_ms = (!is_last && schedule.has_room()).then_some(read_at_ms);
            let keeps_at_ms = (kept != cursor).then_some(kept_at_ms);
            let gives_up_ms = failing_from_ms.map(|since_ms| since_ms.saturating_add(settings.pause_after_ms));
            let wakes_at_ms =
                [schedule.next_at_ms(), reads_at_ms, keeps_at_ms, gives_up_ms].into_iter().flatten().min();
            tokio::select! {
                biased;
                set = changed.changed() => return if set.is_ok() { Ended::Changed } else { Ended::Stopped },
                Some((item, outcome)) = flying.next() => {
                    if self.landed(begun, &mut schedule, &item, outcome) {
                        return Ended::Paused(Paused::EndpointGone);
                    }
                }
                more = standing.changed() => {
                    if more.is_err() || standing.borrow().over {
                        return Ended::Stopped;
                    }
                    if standing.borrow().follows {
                        return Ended::Changed;
                    }
                    is_last = false;
                }
                () = sleep(Duration::from_millis(wakes_at_ms.map_or(0, |at_ms| at_ms.saturating_sub(now_ms)))),
                    if wakes_at_ms.is_some() => {}
            }
        }
    }

    /// Reads a part into the schedule; whether that was the last by now.
    async fn read(&self, schedule: &mut Schedule, wanted: &Wanted, room: &mut Option<Taken>) -> Result<bool, NotRead> {
        let spent = |_| NotRead::Unavailable("memory is short".to_owned());
        let needed = schedule.bytes() + 2 * READ_BYTES_MAX;
        match room {
            Some(taken) => taken.resize_to(needed).map_err(spent)?,
            None => *room = Some(memory().reserve.guard(Purpose::Pages, Weight::Ordinary, needed).map_err(spent)?),
        }
        let page = self.feed.read(Some(schedule.read_to()), wanted, PAGE).await?;
        for event in &page.events {
            let Ok(place) = event.id.parse() else { continue };
            let lane = event.fact.conversation().unwrap_or_default().into();
            let body = serde_json::to_vec(event).expect("strings and numbers always serialize").into();
            schedule.put(Item { place, lane, body });
        }
        schedule.was_read_to(page.next);
        if schedule.bytes() == 0 {
            *room = None;
        } else if let Some(taken) = room {
            taken.resize_to(schedule.bytes()).map_err(spent)?;
        }
        Ok(page.is_last)
    }

    async fn attempt(&self, item: Item) -> (Item, Outcome) {
        let id = message::id_of(&self.endpoint.workspace, item.place);
        let turn = traces::of_turn(&self.endpoint.workspace, item.place.position.0);
        let span = turn.map(|turn| Open::call(turn, "webhook".into()));
        let trace = span.as_ref().map(Open::context);
        let outcome = message::send(&self.shared.courier, &self.endpoint, &id, item.body.clone(), trace).await;
        if let Some(mut span) = span {
            span.set("offhook.workspace", &*self.endpoint.workspace);
            span.set("offhook.outcome", outcome.word());
            span.end();
        }
        (item, outcome)
    }

    /// Whether it wants no more.
    fn landed(&self, begun: u64, schedule: &mut Schedule, item: &Item, outcome: Outcome) -> bool {
        metrics::counter!(WEBHOOK_DELIVERIES_TOTAL, "outcome" => outcome.word()).increment(1);
        let now_ms = clock::monotonic_ms();
        match outcome {
            Outcome::Taken(_) => {
                schedule.done(&item.lane);
                self.endpoint.note(begun, |held| held.delivered_at = Some(clock::wall_ms()));
                false
            }
            Outcome::Gone => true,
            Outcome::Refused { .. } | Outcome::NotSent(_) => {
                let mut chance = [0; 2];
                getrandom::fill(&mut chance).expect("the system gives randomness");
                schedule.failed(&item.lane, now_ms, outcome.retry_after_ms(), u16::from_ne_bytes(chance));
                self.endpoint.note(begun, |held| {
                    held.failed_at = Some(clock::wall_ms());
                    held.failure = Some(outcome.to_string());
                });
                self.shared.moved(&self.endpoint);
                false
            }
        }
    }

    async fn pause(&self, begun: u64, run: u64, why: Paused) {
        let Endpoint { workspace, name, .. } = &*self.endpoint;
        tracing::error!(%workspace, webhook = %name, why = why.name(), "a webhook is paused: nothing is lost while events are kept; resume it");
        self.shared.pause(&self.endpoint, begun, run, why).await;
    }

    async fn keep_place(&self) {
        self.shared.keep_place(&self.endpoint).await;
    }
}

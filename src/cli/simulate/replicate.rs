//! Replications side by side on the processors that there are. Their order, and so the figures, are those of the seeds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::clock;
use crate::simulate::staffing::{self, Scenario, Stranded, Tally};

const WORKERS_MAX: usize = 16;
/// Nothing is said of what is done sooner.
const QUIET_S: f64 = 2.0;

/// One tally for each replication, by seeds from `seed` on; how far it is goes to standard error.
pub(super) fn replicate(scenario: &Scenario, replications: u32, seed: u64) -> Result<Vec<Tally>, Stranded> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
    let next = AtomicU32::new(0);
    let mut done: Vec<Option<Result<Tally, Stranded>>> = (0..replications).map(|_| None).collect();
    let (tell, told) = sync_channel(workers);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= replications {
                        return;
                    }
                    let lived = staffing::run(scenario, seed.wrapping_add(u64::from(nth)));
                    if lived.is_err() {
                        next.store(replications, Ordering::Relaxed);
                    }
                    if tell.send((nth, lived)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let watch = clock::stopwatch();
        let (mut count, mut said_s) = (0, 0.0);
        loop {
            match told.recv_timeout(Duration::from_millis(500)) {
                Ok((nth, lived)) => {
                    done[nth as usize] = Some(lived);
                    count += 1;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if watch.seconds() > QUIET_S && watch.seconds() - said_s >= 1.0 && count < replications {
                said_s = watch.seconds();
                eprintln!("{count} of {replications} replications after {said_s:.0} s");
            }
        }
    });
    // After a fault the rest was left out: the first of those that were lived says which.
    done.into_iter().flatten().collect()
}

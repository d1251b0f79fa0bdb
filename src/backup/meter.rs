//! How fast it goes, and how far it has come: bytes are counted in one place, which sleeps where they were too many and tells who waits.

use crate::clock;
use std::io::Write;
use std::time::{Duration, Instant};

/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// What may go at once, before a sleep: in time at the rate that is set.
const BURST: Duration = Duration::from_millis(50);

pub struct Meter<'a> {
    /// 0: no limit.
    bytes_per_s: u64,
    out: &'a mut dyn Write,
    stage: &'static str,
    stage_bytes: u64,
    done_bytes: u64,
    began: Instant,
    /// When the bytes that were counted so far were due.
    due: Instant,
    told: Instant,
    /// Of all stages.
    pub bytes: u64,
}

impl<'a> Meter<'a> {
    /// Tells `out`, a line at a time.
    pub fn new(bytes_per_s: u64, out: &'a mut dyn Write) -> Self {
        let now = clock::instant();
        Self { bytes_per_s, out, stage: "", stage_bytes: 0, done_bytes: 0, began: now, due: now, told: now, bytes: 0 }
    }

    /// The next stage begins; `bytes` are to come, as far as that is known.
    pub fn begin(&mut self, stage: &'static str, bytes: u64) {
        let now = clock::instant();
        (self.stage, self.stage_bytes, self.done_bytes) = (stage, bytes, 0);
        (self.began, self.told) = (now, now);
        self.tell();
    }

    /// So many bytes were read or written: returns when the next may go.
    pub(super) fn took(&mut self, bytes: usize) {
        if let Some(early) = self.early(bytes) {
            // The pace that was asked for.
            std::thread::sleep(early);
        }
    }

    /// The same for one who waits by itself: how long, if at all.
    pub fn early(&mut self, bytes: usize) -> Option<Duration> {
        self.saw(bytes);
        if self.bytes_per_s == 0 {
            return None;
        }
        let now = clock::instant();
        let time = Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64);
        self.due = self.due.max(now.checked_sub(BURST).unwrap_or(now)) + time;
        self.due.checked_duration_since(now)
    }

    /// The same where nothing may wait.
    pub fn saw(&mut self, bytes: usize) {
        self.done_bytes += bytes as u64;
        self.bytes += bytes as u64;
        if clock::instant().duration_since(self.told) >= TELL_EVERY {
            self.told = clock::instant();
            self.tell();
        }
    }

    fn tell(&mut self) {
        let seconds = clock::instant().duration_since(self.began).as_secs_f64();
        let line = line(self.stage, self.done_bytes, self.stage_bytes, seconds);
        // Whoever does not listen any more misses it.
        let _ = writeln!(self.out, "{line}");
    }
}

fn line(stage: &str, done: u64, all: u64, seconds: f64) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    if done == 0 || seconds <= 0.0 {
        return match all {
            0 => stage.to_owned(),
            all => format!("{stage}: {:.1} MB", megabytes(all)),
        };
    }
    let rate = done as f64 / seconds;
    if all == 0 {
        return format!("{stage}: {:.1} MB, {:.1} MB/s", megabytes(done), megabytes(rate as u64));
    }
    // What grew meanwhile is no reason to be done twice.
    let all = all.max(done);
    let (percent, left_s) = (100 * done / all, (all - done) as f64 / rate);
    format!(
        "{stage}: {percent} %, {:.1} of {:.1} MB, {:.1} MB/s, {left_s:.0} s left",
        megabytes(done),
        megabytes(all),
        megabytes(rate as u64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_takes() {
        assert_eq!(line("copying the view", 0, 5_000_000, 0.0), "copying the view: 5.0 MB");
        assert_eq!(line("removing", 0, 0, 1.0), "removing");
        assert_eq!(line("comparing", 3_000_000, 0, 2.0), "comparing: 3.0 MB, 1.5 MB/s");
        let half = line("copying the view", 1_000_000, 4_000_000, 0.5);
        assert_eq!(half, "copying the view: 25 %, 1.0 of 4.0 MB, 2.0 MB/s, 2 s left");
        assert_eq!(line("records", 6_000_000, 4_000_000, 2.0), "records: 100 %, 6.0 of 6.0 MB, 3.0 MB/s, 0 s left");
    }

    #[test]
    fn it_goes_no_faster_than_it_may() {
        let mut said = Vec::<u8>::new();
        let mut meter = Meter::new(10_000_000, &mut said);
        let began = clock::instant();
        meter.begin("copying", 3_000_000);
        (0..30).for_each(|_| meter.took(100_000));
        // 0.3 s at that rate, of which the burst may be early.
        assert!(began.elapsed() >= Duration::from_millis(240), "{:?}", began.elapsed());
        assert_eq!(meter.bytes, 3_000_000);
    }
}

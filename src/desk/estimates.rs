//! The estimate of a wait, from what waits there took lately: of one queue, channel and priority. Pure, bounded, and changed by
//! events alone.
//!
//! A wait that ended gives its time for each place: from when it began until an agent had it, over the place in the queue at
//! its beginning. Times are kept by kinds of place (1, 2 to 3, 4 to 7, …), since who is far back waits for the mean of many
//! and who is first for a single one, the 64 last of each kind. Who left before an agent came would have waited longer than
//! that: those times count as *at least* (Kaplan and Meier's way), or the patient would make every queue look quick. With `q(x)` the
//! time per place that the share `x` of waits had ended by, the estimate at place `n` is `n · q(0.5)` and `n · q(0.9 (m+1)/m)` of `m` waits: the
//! last term is what the next of so few is under in nine of ten times.
//!
//! Nothing is said before 20 waits have ended, of which those of the nearest kinds of place are taken, nor when the last of them is four
//! hours old.

use super::time::WallTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Waits of one kind of place that are kept, and how many there must be.
const KEPT_MAX: usize = 64;
pub const ENOUGH: usize = 20;
/// How old the last of them may be.
const FRESH_MS: u64 = 4 * 3_600_000;
/// 1, 2 to 3, 4 to 7, 8 to 15, 16 to 31, and from 32 on.
const KINDS: usize = 6;
/// Estimates that came true, or not, that are kept.
const TOLD_MAX: usize = 100;

/// How long somebody will wait from now on: half of those at this place less than `p50_ms`, nine of ten less than `p90_ms`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    pub p50_ms: u32,
    pub p90_ms: u32,
}

/// An estimate as a conversation keeps it: in whole seconds as its customer read it, and in four bytes, since a million of them may
/// wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Said {
    p50_s: u16,
    /// 0: nothing was said.
    p90_s: u16,
}

impl Said {
    #[must_use]
    pub fn of(estimate: Option<Estimate>) -> Self {
        let in_seconds = |ms: u32| u16::try_from(ms.div_ceil(1_000)).ok();
        let said = estimate.and_then(|told| Some((in_seconds(told.p50_ms)?, in_seconds(told.p90_ms)?.max(1))));
        said.map_or_else(Self::default, |(p50_s, p90_s)| Self { p50_s, p90_s })
    }

    #[must_use]
    pub fn estimate(self) -> Option<Estimate> {
        let ms = |seconds: u16| u32::from(seconds) * 1_000;
        (self.p90_s > 0).then(|| Estimate { p50_ms: ms(self.p50_s), p90_ms: ms(self.p90_s) })
    }

    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.p90_s == 0
    }
}

/// How far off the last estimates were that were given at the beginning of a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct PastError {
    /// So many waits.
    pub of: u32,
    /// Per cent of them that were over by their p50, which should be 50; and by their p90.
    pub under_p50_percent: u32,
    pub under_p90_percent: u32,
    /// Half were off their p50 by no more than this; absent: nobody was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_error_ms: Option<u32>,
}

/// One wait that ended: its time for each place, and whether its customer left before an agent came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
struct PerPlace(u32, bool);

/// In a row: below zero where the customer left, so that it is short.
impl From<PerPlace> for i64 {
    fn from(PerPlace(time, left): PerPlace) -> Self {
        if left { -i64::from(time) - 1 } else { i64::from(time) }
    }
}

impl From<i64> for PerPlace {
    fn from(written: i64) -> Self {
        let (time, left) = if written < 0 { (-1 - written, true) } else { (written, false) };
        Self(u32::try_from(time).unwrap_or(u32::MAX), left)
    }
}

/// An estimate that was given at the beginning of a wait that ended: under its p50, under its p90, and how far off the p50.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Told(bool, bool, Option<u32>);

/// The times of one kind of place.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Kind {
    last: VecDeque<PerPlace>,
    at: WallTime,
    /// The same by their length.
    #[serde(skip)]
    in_order: Vec<PerPlace>,
    /// `q(0.5)` and `q(0.9)`, as of the last.
    #[serde(skip)]
    quantiles: Option<(u32, u32)>,
}

/// Of one queue, channel and priority.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Estimates {
    kinds: [Kind; KINDS],
    told: VecDeque<Told>,
}

impl Kind {
    fn add(&mut self, time: PerPlace, now: WallTime) {
        if self.last.len() >= KEPT_MAX
            && let Some(first) = self.last.pop_front()
            && let Ok(place) = self.in_order.binary_search(&first)
        {
            self.in_order.remove(place);
        }
        self.last.push_back(time);
        let place = self.in_order.partition_point(|held| *held <= time);
        self.in_order.insert(place, time);
        self.at = now;
        self.quantiles = quantiles(&self.in_order);
    }

    fn look(&mut self) {
        self.in_order = self.last.iter().copied().collect();
        self.in_order.sort_unstable();
        self.quantiles = quantiles(&self.in_order);
    }
}

/// `q(0.5)` and `q(0.9)` of times in order, where there are enough and it is known.
fn quantiles(times: &[PerPlace]) -> Option<(u32, u32)> {
    if times.len() < ENOUGH {
        return None;
    }
    let longest = times.last().map_or(0, |PerPlace(time, _)| *time);
    // Where more than half have left nobody knows; that nine of ten had ended by the longest is the best that can be said.
    quantile(times, 0.5).map(|p50| (p50, quantile(times, 0.9 * (1.0 + 1.0 / times.len() as f64)).unwrap_or(longest)))
}

/// By when this share had ended, of times in order, where those who left count as at least theirs; `None` where fewer than this share are
/// known to have ended.
fn quantile(times: &[PerPlace], share: f64) -> Option<u32> {
    let mut waits_on = 1.0;
    for (place, PerPlace(time, left)) in times.iter().enumerate() {
        if !left {
            waits_on *= 1.0 - 1.0 / (times.len() - place) as f64;
        }
        if waits_on <= 1.0 - share + 1e-9 {
            return Some(*time);
        }
    }
    None
}

/// What is known at one moment, of every place.
#[derive(Clone, Copy, Debug)]
pub struct AtEachPlace([Option<(u32, u32)>; KINDS]);

impl AtEachPlace {
    #[must_use]
    pub fn at(&self, place: u32) -> Option<Estimate> {
        Some(estimate_of(self.0[kind_of(place)]?, place))
    }
}

fn estimate_of((p50, p90): (u32, u32), place: u32) -> Estimate {
    Estimate { p50_ms: p50.saturating_mul(place), p90_ms: p90.saturating_mul(place) }
}

fn kind_of(place: u32) -> usize {
    (place.max(1).ilog2() as usize).min(KINDS - 1)
}

impl Estimates {
    /// For somebody at this place, from 1.
    #[must_use]
    pub fn at(&self, place: u32, now: WallTime) -> Option<Estimate> {
        Some(estimate_of(self.of_kind(kind_of(place), now)?, place))
    }

    /// For many at once.
    #[must_use]
    pub fn at_each_place(&self, now: WallTime) -> AtEachPlace {
        AtEachPlace(std::array::from_fn(|kind| self.of_kind(kind, now)))
    }

    /// The quantiles of a kind of place; where it has too few, with the nearest kinds'.
    fn of_kind(&self, kind: usize, now: WallTime) -> Option<(u32, u32)> {
        let own = &self.kinds[kind];
        let is_fresh = |kind: &Kind| now.0.saturating_sub(kind.at.0) < FRESH_MS;
        own.quantiles.filter(|_| is_fresh(own)).or_else(|| {
            let mut nearest: Vec<usize> = (0..KINDS).filter(|kind| is_fresh(&self.kinds[*kind])).collect();
            nearest.sort_by_key(|other| other.abs_diff(kind));
            let mut times = Vec::new();
            for kind in nearest {
                times.extend(self.kinds[kind].last.iter().copied());
                if times.len() >= ENOUGH {
                    break;
                }
            }
            times.sort_unstable();
            quantiles(&times)
        })
    }

    /// A wait has ended that began at this place; `left`: before an agent came. `told` was given at its beginning.
    pub fn ended(&mut self, place: u32, waited_ms: u64, left: bool, told: Option<Estimate>, now: WallTime) {
        let waited_ms = u32::try_from(waited_ms).unwrap_or(u32::MAX);
        self.kinds[kind_of(place)].add(PerPlace(waited_ms / place.max(1), left), now);
        let Some(told) = told else { return };
        let (under_p50, under_p90) = (waited_ms <= told.p50_ms, waited_ms <= told.p90_ms);
        // Who left before its p90 would have come says nothing of it.
        if left && under_p90 {
            return;
        }
        if self.told.len() >= TOLD_MAX {
            self.told.pop_front();
        }
        self.told.push_back(Told(under_p50, under_p90, (!left).then(|| waited_ms.abs_diff(told.p50_ms))));
    }

    /// `None` before any estimate could come true.
    #[must_use]
    pub fn past_error(&self) -> Option<PastError> {
        let of = self.told.len();
        if of == 0 {
            return None;
        }
        let percent = |under: fn(&Told) -> bool| {
            let held = self.told.iter().filter(|told| under(told)).count();
            ((held * 100 + of / 2) / of) as u32
        };
        let mut errors: Vec<u32> = self.told.iter().filter_map(|told| told.2).collect();
        errors.sort_unstable();
        Some(PastError {
            of: of as u32,
            under_p50_percent: percent(|told| told.0),
            under_p90_percent: percent(|told| told.1),
            median_error_ms: errors.get(errors.len() / 2).copied(),
        })
    }

    /// After a load: what follows from the rest.
    pub fn look(&mut self) {
        self.kinds.iter_mut().for_each(Kind::look);
    }

    /// When a wait ended last.
    #[must_use]
    pub fn last_at(&self) -> WallTime {
        self.kinds.iter().map(|kind| kind.at).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime(1_000_000_000);

    #[test]
    fn nothing_is_estimated_before_there_is_enough_nor_from_what_is_old() {
        let mut estimates = Estimates::default();
        for nth in 1..=ENOUGH as u64 {
            assert_eq!(estimates.at(1, NOW), None);
            estimates.ended(1, nth * 1_000, false, None, NOW);
        }
        for place in [1, 2, 5, 40] {
            assert_eq!(estimates.at(place, NOW), estimates.at_each_place(NOW).at(place));
        }
        assert_eq!(estimates.at(1, NOW), Some(Estimate { p50_ms: 10_000, p90_ms: 19_000 }));
        // What is known of the nearest place.
        assert_eq!(estimates.at(5, NOW), Some(Estimate { p50_ms: 50_000, p90_ms: 95_000 }));
        assert_eq!(estimates.at(1, WallTime(NOW.0 + FRESH_MS)), None);
        assert_eq!(estimates.past_error(), None);
    }

    #[test]
    fn who_left_would_have_waited_longer() {
        let (mut all, mut with_leavers) = (Estimates::default(), Estimates::default());
        for nth in 1..=20 {
            all.ended(1, nth * 1_000, false, None, NOW);
            with_leavers.ended(1, nth * 1_000, nth % 2 == 0, None, NOW);
        }
        let (all, with_leavers) = (all.at(1, NOW).unwrap(), with_leavers.at(1, NOW).unwrap());
        assert!(with_leavers.p50_ms > all.p50_ms + 2_000, "{with_leavers:?} {all:?}");
    }

    #[test]
    fn only_the_last_are_kept_and_a_row_brings_them_back() {
        let mut estimates = Estimates::default();
        for nth in 0..500 {
            let told = Some(Estimate { p50_ms: 6_000, p90_ms: 9_000 });
            estimates.ended(1 + nth % 40, u64::from(nth % 10) * 1_000, nth % 7 == 0, told, NOW);
        }
        assert!(estimates.kinds.iter().all(|kind| kind.last.len() <= KEPT_MAX));
        assert_eq!(estimates.told.len(), TOLD_MAX);
        let text = serde_json::to_string(&estimates).unwrap();
        assert!(text.len() < 4_096, "{}", text.len());
        let mut back: Estimates = serde_json::from_str(&text).unwrap();
        back.look();
        assert_eq!(back, estimates);
    }

    /// One agent at nine tenths of what it can take, with exponential times: a queue that grows and shrinks.
    #[test]
    fn half_of_the_waits_are_under_their_p50_and_nine_of_ten_under_their_p90() {
        let mut dice = 7_u64;
        let mut exponential = |mean_ms: f64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let even = ((dice >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
            (-even.ln() * mean_ms) as u64
        };
        let mut estimates = Estimates::default();
        let (mut held, mut all, mut free_at, mut now) = ((0, 0), 0, 0_u64, 0_u64);
        // Those who wait, in order: when each is served, its place, its wait and what it was told.
        let mut waiting: VecDeque<(u64, u32, u64, Option<Estimate>)> = VecDeque::new();
        for _ in 0..20_000 {
            now += exponential(10_000.0);
            while let Some((at, place, waited, told)) = waiting.front().copied().filter(|(at, ..)| *at <= now) {
                waiting.pop_front();
                estimates.ended(place, waited, false, told, WallTime(at));
                if let Some(told) = told {
                    all += 1;
                    held.0 += u32::from(waited <= u64::from(told.p50_ms));
                    held.1 += u32::from(waited <= u64::from(told.p90_ms));
                }
            }
            let begins = free_at.max(now);
            free_at = begins + exponential(9_000.0);
            if begins > now {
                let place = waiting.len() as u32 + 1;
                waiting.push_back((begins, place, begins - now, estimates.at(place, WallTime(now))));
            }
        }
        let share = |held: u32| f64::from(held) / f64::from(all);
        assert!(all > 10_000, "{all}");
        assert!((0.42..0.58).contains(&share(held.0)), "under p50: {}", share(held.0));
        assert!((0.84..0.94).contains(&share(held.1)), "under p90: {}", share(held.1));
    }
}

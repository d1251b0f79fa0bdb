//! How long people waited: count, sum and a histogram that stays small however many there are. Milliseconds.

/// Steps to each doubling: a quantile is told to within 1 %.
const STEPS: u64 = 128;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Waits {
    pub count: u64,
    sum_ms: u64,
    buckets: Vec<u64>,
}

impl Waits {
    pub fn add(&mut self, ms: u64) {
        self.count += 1;
        self.sum_ms += ms;
        let bucket = bucket_of(ms);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
    }

    pub fn merge(&mut self, other: &Waits) {
        self.count += other.count;
        self.sum_ms += other.sum_ms;
        self.buckets.resize(self.buckets.len().max(other.buckets.len()), 0);
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(held, more)| *held += more);
    }

    #[must_use]
    pub fn sum_ms(&self) -> u64 {
        self.sum_ms
    }

    /// `None` where nobody waited.
    #[must_use]
    pub fn mean_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ms as f64 / self.count as f64)
    }

    /// What this share of them did not exceed.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let wanted = ((share * self.count as f64).ceil() as u64).max(1);
        let mut before = 0;
        let place = self.buckets.iter().position(|count| {
            before += count;
            before >= wanted
        });
        place.map(|bucket| middle_of(bucket as u64))
    }
}

fn bucket_of(ms: u64) -> usize {
    if ms < STEPS {
        return ms as usize;
    }
    let doublings = u64::from((ms / STEPS).ilog2());
    (STEPS * (doublings + 1) + (ms >> doublings) - STEPS) as usize
}

fn middle_of(bucket: u64) -> f64 {
    if bucket < STEPS {
        return bucket as f64;
    }
    let doublings = bucket / STEPS - 1;
    let least = (bucket % STEPS + STEPS) << doublings;
    least as f64 + ((1u64 << doublings) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_whatever_the_size() {
        let mut waits = Waits::default();
        (1..=100_000u64).for_each(|ms| waits.add(ms));
        for (share, wanted) in [(0.001, 100.0), (0.5, 50_000.0), (0.9, 90_000.0), (0.99, 99_000.0)] {
            let got: f64 = waits.quantile_ms(share).unwrap();
            assert!((got / wanted - 1.0).abs() < 0.01, "{share}: {got}");
        }
        assert_eq!(waits.mean_ms(), Some(50_000.5));
        assert_eq!((Waits::default().mean_ms(), Waits::default().quantile_ms(0.5)), (None, None));
        let buckets = [0, 127, 128, 129, 255, 256, 257, 258, u64::MAX >> 20].map(bucket_of);
        assert!(buckets.is_sorted(), "{buckets:?}");
        assert!(waits.buckets.len() < 2_000);
    }
}

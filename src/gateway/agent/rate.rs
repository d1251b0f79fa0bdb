//! So many a second and so many at once, in eight bytes: the generic cell rate algorithm (ATM Forum, 1996).

/// When the bucket would be full again; nothing else need be kept. Times are monotonic milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    full_at_us: u64,
}

impl Rate {
    /// Takes one, or says in how many milliseconds there is one.
    pub(super) fn take(&mut self, now_ms: u64, per_s: u32, burst: u32) -> Result<(), u64> {
        let now_us = now_ms.saturating_mul(1_000);
        let each_us = 1_000_000 / u64::from(per_s.max(1));
        let room_us = each_us * u64::from(burst.max(1));
        let full_at_us = self.full_at_us.max(now_us) + each_us;
        if full_at_us > now_us + room_us {
            return Err((full_at_us - now_us - room_us).div_ceil(1_000));
        }
        self.full_at_us = full_at_us;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut rate = Rate::default();
        assert!((0..40).all(|_| rate.take(1_000, 20, 40).is_ok()));
        assert_eq!(rate.take(1_000, 20, 40), Err(50));
        assert_eq!(rate.take(1_020, 20, 40), Err(30));
        assert_eq!(rate.take(1_050, 20, 40), Ok(()));
        assert_eq!(rate.take(1_050, 20, 40), Err(50));
        assert!((0..40).all(|_| rate.take(10_000, 20, 40).is_ok()));
    }

    #[test]
    fn who_is_refused_owes_nothing_for_it() {
        let mut rate = Rate::default();
        assert!((0..5).all(|_| rate.take(0, 1, 5).is_ok()));
        assert!((0..1_000).all(|_| rate.take(0, 1, 5) == Err(1_000)));
        assert_eq!(rate.take(1_000, 1, 5), Ok(()));
    }
}

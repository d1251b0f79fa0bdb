//! Times in bins that grow with them: eight to each doubling, so that what is told lies at most an eighth above what was.

/// Which times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Course {
    Answer,
    FirstReply,
    Handle,
}

/// Numbers of bins, above those of measures. They never change their meaning.
const FROM: u16 = 1_000;
const EACH: u16 = 300;

impl Course {
    pub const ALL: [Course; 3] = [Course::Answer, Course::FirstReply, Course::Handle];

    fn first(self) -> u16 {
        FROM + EACH
            * match self {
                Course::Answer => 0,
                Course::FirstReply => 1,
                Course::Handle => 2,
            }
    }

    pub(super) fn number(self, bin: u16) -> u16 {
        self.first() + bin
    }

    /// `None`: a number of something else.
    pub(super) fn bin(self, number: u16) -> Option<u16> {
        number.checked_sub(self.first()).filter(|bin| *bin < EACH)
    }

    /// The name before `_p50` on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Course::Answer => "answer_ms",
            Course::FirstReply => "first_reply_ms",
            Course::Handle => "handle_ms",
        }
    }
}

/// Eight bins to a doubling, the first eight of 16 ms each; the last one has all that is longer than 93 days.
const BINS: u16 = 216;

pub(super) fn bin_of(ms: u64) -> u16 {
    let doublings = (64 - ms.leading_zeros()).saturating_sub(7);
    let eighth = ms >> shift(doublings) & 7;
    ((doublings * 8) as u16 + eighth as u16).min(BINS - 1)
}

/// The longest time in it.
pub(super) fn upper_ms(bin: u16) -> u64 {
    let (doublings, eighth) = (u32::from(bin / 8), u64::from(bin % 8));
    let first = if doublings == 0 { 0 } else { 8 };
    ((first + eighth + 1) << shift(doublings)) - 1
}

/// How many bits a bin is wide.
fn shift(doublings: u32) -> u32 {
    (doublings + 3).max(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_follow_each_other_without_a_gap_and_each_ends_where_it_says() {
        let mut last = 0;
        for bin in 0..BINS - 1 {
            let upper = upper_ms(bin);
            assert_eq!((bin_of(last), bin_of(upper), bin_of(upper + 1)), (bin, bin, bin + 1), "bin {bin} to {upper}");
            last = upper + 1;
        }
        assert_eq!(bin_of(u64::MAX), BINS - 1);
        assert!(upper_ms(BINS - 2) > 90 * 86_400_000, "90 days have bins of their own");
    }

    #[test]
    fn what_is_told_is_at_most_an_eighth_too_long() {
        for ms in (128..5_000_000).step_by(97) {
            let told = upper_ms(bin_of(ms));
            assert!(told >= ms && told - ms <= ms / 8, "{ms} told as {told}");
        }
    }

    #[test]
    fn courses_share_no_number() {
        for (place, course) in Course::ALL.into_iter().enumerate() {
            for bin in [0, BINS - 1] {
                let number = course.number(bin);
                let of: Vec<usize> = (0..3).filter(|other| Course::ALL[*other].bin(number).is_some()).collect();
                assert_eq!(of, [place]);
            }
        }
    }
}

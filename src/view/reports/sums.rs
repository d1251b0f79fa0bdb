//! What a cell holds: few of many numbers, and how it lies in the file. A measure that was never counted takes no byte.

use super::histogram::{Course, bin_of, upper_ms};
use super::measures::{Join, Measure, join_of};

/// Number of a measure, or of a bin of a histogram, and its value; in the order of numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sums(Vec<(u16, i64)>);

impl Sums {
    /// Nothing was counted.
    pub const EMPTY: Self = Self(Vec::new());

    pub(super) fn add(&mut self, measure: Measure, value: i64) {
        self.put(measure.number, value, measure.join);
    }

    /// Takes a time into a histogram.
    pub(super) fn time(&mut self, course: Course, ms: u64) {
        self.put(course.number(bin_of(ms)), 1, Join::Sum);
    }

    pub(super) fn merge(&mut self, other: &Sums) {
        for (number, value) in &other.0 {
            self.put(*number, *value, join_of(*number));
        }
    }

    fn put(&mut self, number: u16, value: i64, join: Join) {
        match self.0.binary_search_by_key(&number, |(held, _)| *held) {
            Ok(at) => {
                let held = &mut self.0[at].1;
                *held = match join {
                    Join::Sum => held.saturating_add(value),
                    Join::Max => (*held).max(value),
                };
            }
            Err(at) => self.0.insert(at, (number, value)),
        }
    }

    #[must_use]
    pub fn get(&self, measure: Measure) -> i64 {
        self.0.binary_search_by_key(&measure.number, |(held, _)| *held).map_or(0, |at| self.0[at].1)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, value)| *value == 0)
    }

    pub fn numbers(&self) -> impl Iterator<Item = (u16, i64)> {
        self.0.iter().copied()
    }

    /// The time that so many per cent of this course did not exceed: the upper end of the bin in which it lies.
    #[must_use]
    pub fn percentile(&self, course: Course, percent: u64) -> Option<u64> {
        let bins = || self.0.iter().filter_map(|(number, times)| Some((course.bin(*number)?, *times)));
        let all: i64 = bins().map(|(_, times)| times).sum();
        let wanted = (all as u64 * percent).div_ceil(100).max(1);
        let mut seen = 0;
        bins().find_map(|(bin, times)| {
            seen += times as u64;
            (seen >= wanted && all > 0).then(|| upper_ms(bin))
        })
    }

    /// Pairs of how far the number is from the one before, and the value; both of variable length.
    #[must_use]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 3);
        let mut before = 0;
        for (number, value) in self.0.iter().filter(|(_, value)| *value != 0) {
            put_varint(&mut bytes, u64::from(number - before));
            put_varint(&mut bytes, zigzag(*value));
            before = *number;
        }
        bytes
    }

    /// Up to where they can be read.
    #[must_use]
    pub(super) fn of_bytes(mut bytes: &[u8]) -> Self {
        let (mut held, mut number) = (Vec::new(), 0u16);
        while let Some((step, value)) = take_varint(&mut bytes).zip(take_varint(&mut bytes)) {
            let Some(next) = u16::try_from(step).ok().and_then(|step| number.checked_add(step)) else { break };
            number = next;
            held.push((number, unzigzag(value)));
        }
        Self(held)
    }
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub(super) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << (7 * place);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::measures::{ANSWER_MS_MAX, ANSWERED, OPENED, RATED_5};
    use super::*;

    #[test]
    fn what_was_added_is_read_back_from_its_bytes() {
        let mut sums = Sums::default();
        for value in [1, 127, 128, -3, i64::MAX / 4, 1_700_000_000_000] {
            sums.add(OPENED, value);
            sums.add(RATED_5, -1);
            sums.time(Course::Handle, value.unsigned_abs());
            assert_eq!(Sums::of_bytes(&sums.to_bytes()), sums);
        }
        assert_eq!(Sums::of_bytes(&[]), Sums::default());
    }

    #[test]
    fn damaged_bytes_give_what_is_before_the_damage() {
        let mut sums = Sums::default();
        sums.add(OPENED, 5);
        sums.add(ANSWERED, 300);
        let bytes = sums.to_bytes();
        let mut first = Sums::default();
        first.add(OPENED, 5);
        assert_eq!(Sums::of_bytes(&bytes[..bytes.len() - 1]), first);
        assert_eq!(Sums::of_bytes(&[0xff; 30]), Sums::default());
    }

    #[test]
    fn sums_add_up_and_the_longest_stays_the_longest() {
        let (mut all, mut one) = (Sums::default(), Sums::default());
        for (count, longest) in [(2, 70), (3, 50)] {
            one = Sums::default();
            one.add(ANSWERED, count);
            one.add(ANSWER_MS_MAX, longest);
            all.merge(&one);
        }
        assert_eq!((all.get(ANSWERED), all.get(ANSWER_MS_MAX)), (5, 70));
        assert_eq!(one.get(OPENED), 0);
    }

    #[test]
    fn a_count_that_was_taken_back_leaves_nothing() {
        let mut sums = Sums::default();
        sums.add(RATED_5, 1);
        sums.add(RATED_5, -1);
        assert!(sums.is_empty() && sums.to_bytes().is_empty());
    }

    #[test]
    fn a_percentile_is_the_upper_end_of_the_bin_in_which_it_lies() {
        let mut sums = Sums::default();
        assert_eq!(sums.percentile(Course::Answer, 50), None);
        for ms in [100, 100, 100, 5_000] {
            sums.time(Course::Answer, ms);
            sums.time(Course::Handle, ms);
        }
        assert_eq!(sums.percentile(Course::Answer, 50), Some(111));
        assert_eq!(sums.percentile(Course::Answer, 75), Some(111));
        assert_eq!(sums.percentile(Course::Answer, 90), Some(5_119));
        assert_eq!(sums.percentile(Course::FirstReply, 90), None);
    }
}

//! Times of day, as scenario files write them. Pure; all of it UTC.

const DAY_MIN: u64 = 1_440;

/// `09:30` as minutes after midnight; `24:00` is the day's end.
pub(super) fn clock_min(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let plain = |part: &str, digits: usize| -> Option<u64> {
        (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hours, minutes) = (plain(hours, 2)?, plain(minutes, 2)?);
    let at = hours * 60 + minutes;
    (minutes < 60 && at <= DAY_MIN).then_some(at)
}

/// `2026-11-23T08:00` as minutes since 1970.
pub(super) fn unix_min(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut parts = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1970..=9_999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let months = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if day == 0 || day > months[month as usize - 1] {
        return None;
    }
    let before = year - 1;
    let leaps = before / 4 - before / 100 + before / 400 - (1_969 / 4 - 1_969 / 100 + 1_969 / 400);
    let days = (year - 1_970) * 365 + leaps + months[..month as usize - 1].iter().sum::<u64>() + day - 1;
    Some(days * DAY_MIN + clock_min(time)?)
}

/// One shift on every day of the run, as milliseconds from its beginning. One that ends before it begins goes into the next day.
pub(super) fn shifts_of_day(from_min: u64, to_min: u64, begin_min: u64, length_ms: u64) -> Vec<(u64, u64)> {
    let to_min = if to_min <= from_min { to_min + DAY_MIN } else { to_min };
    let midnight = begin_min % DAY_MIN;
    let days = length_ms / (DAY_MIN * 60_000) + 3;
    let ms = |day: u64, min: u64| {
        // The first day looked at is the one before, whose night shift may reach into the run.
        let minutes = (day * DAY_MIN + min) as i64 - (DAY_MIN + midnight) as i64;
        minutes.saturating_mul(60_000).clamp(0, length_ms as i64) as u64
    };
    (0..days).map(|day| (ms(day, from_min), ms(day, to_min))).filter(|(from, to)| from < to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!((clock_min("09:30"), clock_min("24:00")), (Some(570), Some(1_440)));
        for wrong in ["9:30", "24:01", "10:60", "", "ab:cd", "10:3"] {
            assert_eq!(clock_min(wrong), None, "{wrong}");
        }
        assert_eq!(unix_min("1970-01-01T00:00"), Some(0));
        assert_eq!(unix_min("2026-11-23T08:00"), Some(1_795_420_800 / 60));
        assert_eq!(unix_min("2000-02-29T00:00"), Some(951_782_400 / 60));
        for wrong in ["2026-02-29T08:00", "2026-13-01T08:00", "2026-11-23", "2026-11-23 08:00", "23.11.2026T08:00"] {
            assert_eq!(unix_min(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_shift_is_there_on_every_day_and_may_go_into_the_next() {
        let hour = 3_600_000;
        let begins = unix_min("2026-11-23T08:00").unwrap();
        assert_eq!(shifts_of_day(540, 1_020, begins, 10 * hour), [(hour, 9 * hour)]);
        assert_eq!(shifts_of_day(420, 1_020, begins, 10 * hour), [(0, 9 * hour)]);
        let night = shifts_of_day(1_320, 600, begins, 48 * hour);
        assert_eq!(night, [(0, 2 * hour), (14 * hour, 26 * hour), (38 * hour, 48 * hour)]);
    }
}

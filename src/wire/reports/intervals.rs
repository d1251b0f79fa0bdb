//! The intervals of a report in a time zone, whose days have 23 to 25 hours. Time zones come from the database that is built in.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// All borders lie on quarters of an hour: offsets of time zones are multiples of that.
pub const QUARTER_MS: u64 = 900_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Every {
    Quarter,
    Hour,
    Day,
    /// From Monday.
    Week,
    Month,
    /// One interval.
    None,
}

impl std::str::FromStr for Every {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "15m" => Every::Quarter,
            "hour" => Every::Hour,
            "day" => Every::Day,
            "week" => Every::Week,
            "month" => Every::Month,
            "none" => Every::None,
            _ => return Err(()),
        })
    }
}

impl Every {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Every::Quarter => "15m",
            Every::Hour => "hour",
            Every::Day => "day",
            Every::Week => "week",
            Every::Month => "month",
            Every::None => "none",
        }
    }
}

/// The borders between `from` and `to`, both included; `None` for more intervals than `most`.
#[must_use]
pub fn bounds(from: u64, to: u64, every: Every, zone: &TimeZone, most: usize) -> Option<Vec<u64>> {
    let mut bounds = vec![from];
    let mut at = from;
    while at < to {
        if bounds.len() > most {
            return None;
        }
        at = border_after(at, every, zone).unwrap_or(to).min(to);
        bounds.push(at);
    }
    Some(bounds)
}

/// The first border after it; `None`: there is none.
fn border_after(at: u64, every: Every, zone: &TimeZone) -> Option<u64> {
    let quarter = (at / QUARTER_MS + 1) * QUARTER_MS;
    let here = moment(at)?;
    let date = zone.to_datetime(here).date();
    let border = match every {
        Every::None => return None,
        Every::Quarter => return Some(quarter),
        Every::Hour => {
            let offset_ms = i64::from(zone.to_offset(here).seconds()) * 1_000;
            let next = ((at as i64 + offset_ms).div_euclid(3_600_000) + 1) * 3_600_000 - offset_ms;
            u64::try_from(next).ok()?
        }
        Every::Day => midnight(date.tomorrow().ok()?, zone)?,
        Every::Week => {
            let days = 7 - i64::from(date.weekday().to_monday_zero_offset());
            midnight(date.checked_add(jiff::Span::new().days(days)).ok()?, zone)?
        }
        Every::Month => midnight(date.last_of_month().tomorrow().ok()?, zone)?,
    };
    Some((border / QUARTER_MS * QUARTER_MS).max(quarter))
}

fn moment(at: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()
}

/// The first moment of a day.
#[must_use]
pub fn midnight(date: Date, zone: &TimeZone) -> Option<u64> {
    u64::try_from(zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond()).ok()
}

/// The first moment of the day in which this is.
#[must_use]
pub fn midnight_before(at: u64, zone: &TimeZone) -> Option<u64> {
    midnight(zone.to_datetime(moment(at)?).date(), zone)
}

/// `2026-11-27T00:00:00+01:00`.
#[must_use]
pub fn spelled(at: u64, zone: &TimeZone) -> String {
    let Some(here) = moment(at) else { return at.to_string() };
    let seconds = zone.to_offset(here).seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
    format!("{}{sign}{:02}:{:02}", zone.to_datetime(here).strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZoneDatabase;

    fn zone(name: &str) -> TimeZone {
        TimeZoneDatabase::bundled().get(name).unwrap()
    }

    fn at(text: &str) -> u64 {
        text.parse::<Timestamp>().unwrap().as_millisecond() as u64
    }

    fn hours(name: &str, from: &str, to: &str, every: Every) -> Vec<f64> {
        let bounds = bounds(at(from), at(to), every, &zone(name), 5_000).unwrap();
        bounds.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 3_600_000.0).collect()
    }

    #[test]
    fn a_day_on_which_clocks_are_put_forward_or_back_has_23_or_25_hours() {
        let spring = hours("Europe/Berlin", "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", Every::Day);
        assert_eq!(spring, [24.0, 23.0, 24.0]);
        let autumn = hours("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", Every::Day);
        assert_eq!(autumn, [25.0]);
        let all = hours("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", Every::Hour);
        assert_eq!(all, [1.0; 25]);
    }

    #[test]
    fn where_clocks_move_by_half_an_hour_one_interval_is_half_as_long() {
        let hours = hours("Australia/Lord_Howe", "2026-10-02T13:30:00Z", "2026-10-04T13:00:00Z", Every::Hour);
        assert_eq!(hours.iter().filter(|hours| **hours == 0.5).count(), 1, "{hours:?}");
        assert_eq!(hours.iter().sum::<f64>(), 47.5);
    }

    #[test]
    fn zones_with_quarters_of_an_hour_have_their_own_midnight() {
        let from = at("2026-11-25T18:15:00Z");
        let kathmandu = zone("Asia/Kathmandu");
        assert_eq!(midnight_before(from + 60_000, &kathmandu), Some(from));
        assert_eq!(spelled(from, &kathmandu), "2026-11-26T00:00:00+05:45");
        let bounds = bounds(from, from + 86_400_000, Every::Day, &kathmandu, 10).unwrap();
        assert_eq!(bounds, [from, from + 86_400_000]);
    }

    #[test]
    fn a_span_that_begins_in_the_middle_has_a_short_first_and_last_interval() {
        let (from, to) = ("2026-11-26T10:30:00Z", "2026-11-28T01:15:00Z");
        assert_eq!(hours("Etc/UTC", from, to, Every::Day), [13.5, 24.0, 1.25]);
        assert_eq!(hours("Etc/UTC", from, to, Every::None), [38.75]);
        assert_eq!(hours("Etc/UTC", from, "2026-11-26T12:15:00Z", Every::Hour), [0.5, 1.0, 0.25]);
        assert_eq!(hours("Etc/UTC", from, "2026-11-26T11:00:00Z", Every::Quarter), [0.25, 0.25]);
    }

    #[test]
    fn weeks_begin_on_monday_and_months_have_their_own_length() {
        let weeks = hours("Etc/UTC", "2026-11-26T00:00:00Z", "2026-12-14T00:00:00Z", Every::Week);
        assert_eq!(weeks, [4.0 * 24.0, 7.0 * 24.0, 7.0 * 24.0]);
        let months = hours("Etc/UTC", "2026-01-31T00:00:00Z", "2026-04-01T00:00:00Z", Every::Month);
        assert_eq!(months, [24.0, 28.0 * 24.0, 31.0 * 24.0]);
    }

    #[test]
    fn more_intervals_than_may_be_are_none() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        assert_eq!(bounds(from, to, Every::Quarter, &TimeZone::UTC, 96).map(|bounds| bounds.len()), Some(97));
        assert_eq!(bounds(from, to, Every::Quarter, &TimeZone::UTC, 95), None);
        assert_eq!(bounds(from, u64::MAX, Every::Quarter, &TimeZone::UTC, 3_000), None);
    }

    #[test]
    fn words_are_read_as_they_are_spelled() {
        for every in [Every::Quarter, Every::Hour, Every::Day, Every::Week, Every::Month, Every::None] {
            assert_eq!(every.name().parse(), Ok(every));
        }
        assert_eq!("year".parse::<Every>(), Err(()));
    }
}

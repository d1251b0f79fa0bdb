//! From opening hours and the wall's time: whether it is open, and until when. Pure: time zones come from the database that is
//! built in (jiff's bundled one), never from the system, so every machine with this release says the same. What is said goes
//! into an event (`opening.rs`), so a replay asks no time zone.
//!
//! Where clocks are put forward, a time that there is not is the moment at which they are. Where they are put back, an interval
//! begins at the first and ends at the second of the two moments of that name: in doubt it is open.

use super::hours::{Hours, Interval};
use super::time::WallTime;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// How far is looked for the next turn.
const LOOKED_DAYS: usize = 400;

/// What is open for longer than this is looked at again then.
const LONG_MS: i64 = 30 * 86_400_000;

/// Whether it is open, and until when it stays so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    pub open: bool,
    pub until: WallTime,
    /// Nothing turns as far as was looked, which is `until`.
    pub beyond: bool,
}

impl Hours {
    /// `None` for a time zone that there is not.
    #[must_use]
    pub fn zone(&self) -> Option<TimeZone> {
        TimeZoneDatabase::bundled().get(&self.time_zone).ok()
    }

    /// How it stands at this moment. In a zone that this release does not know any more it is open: nobody is stranded.
    #[must_use]
    pub fn at(&self, wall: WallTime) -> Schedule {
        let horizon = WallTime(wall.0.saturating_add(LOOKED_DAYS as u64 * 86_400_000));
        let unknown = Schedule { open: true, until: horizon, beyond: true };
        let now = i64::try_from(wall.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let (Some(zone), Some(now)) = (self.zone(), now) else { return unknown };
        let now_ms = now.as_millisecond();
        let mut period: Option<(i64, i64)> = None;
        // From the day before, whose last interval may go on over midnight.
        let mut day = zone.to_datetime(now).date().yesterday().ok();
        for _ in 0..LOOKED_DAYS + 2 {
            let Some(date) = day else { break };
            for interval in self.on(date) {
                let Some((from, to)) = moments(&zone, date, *interval) else { continue };
                match &mut period {
                    Some((begin, end)) if from <= *end => {
                        *end = (*end).max(to);
                        // Open for so long that nobody needs to know until when.
                        if *begin <= now_ms && *end > now_ms + LONG_MS {
                            return Schedule { open: true, until: WallTime(wall.0 + LONG_MS as u64), beyond: true };
                        }
                    }
                    Some((begin, end)) if *end > now_ms => return turns(now_ms, *begin, *end),
                    _ => period = Some((from, to)),
                }
            }
            day = date.tomorrow().ok();
        }
        match period {
            // Still open where the looking ended, or one last time before.
            Some((begin, end)) if end > now_ms && end < horizon.0 as i64 => turns(now_ms, begin, end),
            Some((begin, end)) if end > now_ms && begin > now_ms => turns(now_ms, begin, end),
            Some((_, end)) => Schedule { open: end > now_ms, until: horizon, beyond: true },
            None => Schedule { open: false, until: horizon, beyond: true },
        }
    }

    /// The intervals that begin on a day.
    fn on(&self, date: Date) -> &[Interval] {
        let special = self.exceptions.iter().chain(&self.holidays).find(|day| day.holds_on(date));
        special.map_or_else(|| self.weekly.on(date.weekday()), |day| &day.intervals)
    }
}

fn turns(now_ms: i64, begin: i64, end: i64) -> Schedule {
    let open = begin <= now_ms;
    Schedule { open, until: WallTime(if open { end } else { begin } as u64), beyond: false }
}

/// When an interval of a day begins and ends; `None` when clocks were put forward over all of it.
fn moments(zone: &TimeZone, date: Date, interval: Interval) -> Option<(i64, i64)> {
    let next = date.tomorrow().ok()?;
    let from = moment(zone, local(date, interval.from)?, false)?;
    let to = match interval.to {
        1_440 => local(next, 0)?,
        to if interval.is_over_midnight() => local(next, to)?,
        to => local(date, to)?,
    };
    let to = moment(zone, to, true)?;
    (from < to).then_some((from, to))
}

fn local(date: Date, minutes: u16) -> Option<DateTime> {
    let (hour, minute) = (minutes / 60, minutes % 60);
    Some(date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0))
}

fn moment(zone: &TimeZone, at: DateTime, ends: bool) -> Option<i64> {
    let moments = zone.to_ambiguous_timestamp(at);
    let moment = match moments.offset() {
        AmbiguousOffset::Unambiguous { .. } => moments.compatible().ok()?,
        AmbiguousOffset::Fold { .. } if ends => moments.later().ok()?,
        AmbiguousOffset::Fold { .. } => moments.earlier().ok()?,
        // Between what the one offset and what the other makes of it, clocks are put forward.
        AmbiguousOffset::Gap { .. } => zone.following(moments.earlier().ok()?).next()?.timestamp(),
    };
    Some(moment.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::hours::{SpecialDay, Weekly};

    fn intervals(list: &[&str]) -> Vec<Interval> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn every_day(time_zone: &str, list: &[&str]) -> Hours {
        let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] = std::array::from_fn(|_| intervals(list));
        let weekly = Weekly { monday, tuesday, wednesday, thursday, friday, saturday, sunday };
        Hours { time_zone: time_zone.into(), weekly, holidays: Vec::new(), exceptions: Vec::new() }
    }

    fn wall(text: &str) -> WallTime {
        WallTime(text.parse::<Timestamp>().unwrap().as_millisecond() as u64)
    }

    /// Each turn from `from` to `to`, in UTC; and that every minute between says the same.
    fn turns_of(hours: &Hours, from: &str, to: &str) -> Vec<String> {
        let (mut at, to) = (wall(from), wall(to));
        let mut turns = Vec::new();
        while at < to {
            let schedule = hours.at(at);
            let mut minute = at.0;
            while minute < schedule.until.0.min(to.0) {
                assert_eq!(hours.at(WallTime(minute)), schedule, "at {minute}");
                minute += 60_000;
            }
            if schedule.until >= to {
                break;
            }
            at = schedule.until;
            let when = Timestamp::from_millisecond(at.0 as i64).unwrap();
            turns.push(format!("{} {when}", if hours.at(at).open { "opens" } else { "closes" }));
        }
        turns
    }

    #[test]
    fn a_day_of_the_week_and_one_over_midnight() {
        let mut hours = every_day("Etc/UTC", &[]);
        hours.weekly.friday = intervals(&["09:00-12:00", "13:00-17:00"]);
        hours.weekly.saturday = intervals(&["22:00-02:00"]);
        assert_eq!(
            turns_of(&hours, "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z"),
            [
                "opens 2026-11-27T09:00:00Z",
                "closes 2026-11-27T12:00:00Z",
                "opens 2026-11-27T13:00:00Z",
                "closes 2026-11-27T17:00:00Z",
                "opens 2026-11-28T22:00:00Z",
                "closes 2026-11-29T02:00:00Z",
            ]
        );
    }

    #[test]
    fn clocks_put_forward_in_berlin() {
        // 02:00 is 03:00 on the 29th of March 2026.
        let turns =
            |list: &[&str]| turns_of(&every_day("Europe/Berlin", list), "2026-03-28T12:00:00Z", "2026-03-29T20:00:00Z");
        assert_eq!(
            turns(&["09:00-17:00"]),
            ["closes 2026-03-28T16:00:00Z", "opens 2026-03-29T07:00:00Z", "closes 2026-03-29T15:00:00Z"]
        );
        // What begins, or ends, at a time that there is not, does so when the clocks are put forward.
        assert_eq!(turns(&["02:30-04:00"]), ["opens 2026-03-29T01:00:00Z", "closes 2026-03-29T02:00:00Z"]);
        assert_eq!(turns(&["01:00-02:30"]), ["opens 2026-03-29T00:00:00Z", "closes 2026-03-29T01:00:00Z"]);
        assert_eq!(turns(&["02:10-02:50"]), Vec::<String>::new(), "an interval that there is not");
    }

    #[test]
    fn clocks_put_back_in_new_york() {
        // 02:00 is 01:00 again on the 1st of November 2026.
        let turns = |list: &[&str]| {
            turns_of(&every_day("America/New_York", list), "2026-11-01T04:10:00Z", "2026-11-01T20:00:00Z")
        };
        // From the first 01:30 to the second.
        assert_eq!(turns(&["01:30-03:00"]), ["opens 2026-11-01T05:30:00Z", "closes 2026-11-01T08:00:00Z"]);
        assert_eq!(turns(&["00:30-01:30"]), ["opens 2026-11-01T04:30:00Z", "closes 2026-11-01T06:30:00Z"]);
        assert_eq!(turns(&["09:00-12:00"]), ["opens 2026-11-01T14:00:00Z", "closes 2026-11-01T17:00:00Z"]);
    }

    #[test]
    fn zones_that_are_not_of_whole_hours() {
        let kathmandu = every_day("Asia/Kathmandu", &["10:00-17:00"]);
        assert_eq!(
            turns_of(&kathmandu, "2026-06-01T00:00:00Z", "2026-06-01T20:00:00Z"),
            ["opens 2026-06-01T04:15:00Z", "closes 2026-06-01T11:15:00Z"]
        );
        // Lord Howe puts its clocks by half an hour: on the 5th of April 2026 back to 01:30, on the 4th of October forward to 02:30.
        let lord_howe = every_day("Australia/Lord_Howe", &["01:45-02:15"]);
        assert_eq!(
            turns_of(&lord_howe, "2026-04-04T12:00:00Z", "2026-04-05T12:00:00Z"),
            ["opens 2026-04-04T14:45:00Z", "closes 2026-04-04T15:45:00Z"]
        );
        assert_eq!(
            turns_of(&lord_howe, "2026-10-03T12:00:00Z", "2026-10-04T12:00:00Z"),
            ["opens 2026-10-03T15:15:00Z", "closes 2026-10-03T15:30:00Z"]
        );
    }

    #[test]
    fn a_holiday_replaces_what_begins_on_it_and_an_exception_goes_before_it() {
        let mut hours = every_day("Europe/Berlin", &["22:00-06:00"]);
        let day = |date: &str, until: Option<&str>, list: &[&str]| SpecialDay {
            name: "".into(),
            date: date.parse().unwrap(),
            until: until.map(|day| day.parse().unwrap()),
            intervals: intervals(list),
        };
        hours.holidays = vec![day("12-24", Some("01-01"), &[]), day("2027-01-02", None, &["08:00-09:00"])];
        hours.exceptions = vec![day("2026-12-28", None, &["10:00-11:00"])];
        assert_eq!(
            turns_of(&hours, "2026-12-23T20:00:00Z", "2027-01-03T20:00:00Z"),
            [
                "opens 2026-12-23T21:00:00Z",
                // Of the evening before.
                "closes 2026-12-24T05:00:00Z",
                "opens 2026-12-28T09:00:00Z",
                "closes 2026-12-28T10:00:00Z",
                "opens 2027-01-02T07:00:00Z",
                "closes 2027-01-02T08:00:00Z",
            ]
        );
    }

    #[test]
    fn what_touches_is_one_and_what_never_turns_is_looked_at_again() {
        let always = every_day("Asia/Kathmandu", &["00:00-24:00"]);
        let now = wall("2026-11-26T05:00:00Z");
        let schedule = always.at(now);
        assert!(schedule.open && schedule.beyond && schedule.until > now, "{schedule:?}");
        let shifts = every_day("Europe/Berlin", &["00:00-08:00", "08:00-16:00", "16:00-00:00"]);
        assert!(shifts.at(now).beyond);
        let never = every_day("Europe/Berlin", &[]);
        assert!(!never.at(now).open && never.at(now).beyond);
        let refused = never.check("hours.office", now).unwrap_err();
        assert_eq!(refused.field(), Some("hours.office.weekly"));
    }

    #[test]
    fn hours_are_read_as_they_are_written_and_checked_member_by_member() {
        let text = r#"{"time_zone":"Europe/Berlin","weekly":{"monday":["09:00-12:30","22:00-02:00"]},"holidays":[{"name":"Christmas","date":"12-24","until":"12-26"},{"date":"2026-05-01","intervals":["10:00-24:00"]}]}"#;
        let hours: Hours = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&hours).unwrap(), text);
        assert_eq!(hours.check("hours.a", WallTime(0)), Ok(()));
        let wrong = [
            (r#"{"time_zone":"Europe/Atlantis","weekly":{"monday":["09:00-12:00"]}}"#, "time_zone"),
            (r#"{"time_zone":"Etc/UTC","weekly":{"monday":["09:00-12:00","11:00-13:00"]}}"#, "weekly.monday"),
            (r#"{"time_zone":"Etc/UTC","weekly":{"friday":["22:00-02:00","23:00-24:00"]}}"#, "weekly.friday"),
            (
                r#"{"time_zone":"Etc/UTC","weekly":{"monday":["09:00-12:00"]},"holidays":[{"date":"2026-05-02","until":"2026-05-01"}]}"#,
                "holidays[0].until",
            ),
            (
                r#"{"time_zone":"Etc/UTC","weekly":{"monday":["09:00-12:00"]},"exceptions":[{"date":"05-02","until":"2026-05-03"}]}"#,
                "exceptions[0].until",
            ),
            (
                r#"{"time_zone":"Etc/UTC","weekly":{"monday":["09:00-12:00"]},"holidays":[{"date":"01-01","until":"12-31"}]}"#,
                "weekly",
            ),
        ];
        for (text, field) in wrong {
            let hours: Hours = serde_json::from_str(text).unwrap();
            let refused = hours.check("h", WallTime(0)).unwrap_err();
            assert_eq!(refused.field(), Some(format!("h.{field}").as_str()), "{text}");
        }
        for interval in
            ["9:00-12:00", "09:00", "09:00-25:00", "09:60-10:00", "24:00-01:00", "08:00-08:00", "+9:00-10:00"]
        {
            assert!(interval.parse::<Interval>().is_err(), "{interval}");
        }
        for day in ["2026-02-29", "2-3", "13-01", "02-30", "26-12-24", "2026-12-24 "] {
            assert!(day.parse::<crate::desk::hours::Day>().is_err(), "{day}");
        }
    }
}

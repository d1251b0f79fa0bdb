//! Opening hours: on which local times queues are open. A time zone, intervals for each day of the week, and days that are
//! otherwise. Plain values, and the checks that keep a queue from being closed for ever; when they open is in `schedule.rs`.

use super::refusal::Refusal;
use super::time::WallTime;
use jiff::civil::{Date, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Hours that one workspace names.
pub const HOURS_MAX: usize = 100;
/// Intervals of one day.
const INTERVALS_MAX: usize = 24;
/// Holidays, and exceptions, of one hours.
const SPECIAL_DAYS_MAX: usize = 400;
const DAY_MIN: u16 = 1_440;

/// When the queues that name it are open. An interval belongs to the day on which it begins: what is said of a day, by an
/// exception, else a holiday, else its day of the week, is all that begins on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// An IANA name, `Europe/Berlin`.
    pub time_zone: Arc<str>,
    pub weekly: Weekly,
    /// Closed, or open otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<SpecialDay>,
    /// The same; they go before holidays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<SpecialDay>,
}

/// Intervals by day of the week; a day that is not named is closed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Weekly {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monday: Vec<Interval>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tuesday: Vec<Interval>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wednesday: Vec<Interval>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thursday: Vec<Interval>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub friday: Vec<Interval>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saturday: Vec<Interval>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sunday: Vec<Interval>,
}

impl Weekly {
    #[must_use]
    pub fn on(&self, day: Weekday) -> &[Interval] {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    fn days(&self) -> [(&'static str, &[Interval]); 7] {
        [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ]
    }
}

/// A day, or days, on which it is otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecialDay {
    /// For people.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub name: Arc<str>,
    pub date: Day,
    /// The last of several days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// None: closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
}

impl SpecialDay {
    #[must_use]
    pub fn holds_on(&self, date: Date) -> bool {
        let of_year = (date.month(), date.day());
        match (self.date, self.until.unwrap_or(self.date)) {
            (Day::Once(from), Day::Once(until)) => (from..=until).contains(&date),
            // Over the turn of the year.
            (Day::Yearly(from), Day::Yearly(until)) if until < from => of_year >= from || of_year <= until,
            (Day::Yearly(from), Day::Yearly(until)) => (from..=until).contains(&of_year),
            (Day::Once(_), Day::Yearly(_)) | (Day::Yearly(_), Day::Once(_)) => false,
        }
    }
}

/// `2026-12-24`, or `12-24` of every year.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"))]
pub enum Day {
    Once(Date),
    /// Month and day.
    Yearly((i8, i8)),
}

/// `09:00-17:00`, local time, in minutes after midnight. One that ends when it begins or earlier ends on the next day; `24:00` is
/// the end of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$"))]
pub struct Interval {
    pub from: u16,
    pub to: u16,
}

impl Interval {
    #[must_use]
    pub fn is_over_midnight(self) -> bool {
        self.to < self.from
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no day: 2026-12-24, or 12-24 for every year");
        let numbers: Option<Vec<i16>> = text.split('-').map(|part| plain(part)?.parse().ok()).collect();
        match (numbers.as_deref(), text.len()) {
            (Some(&[year, month, day]), 10) => {
                Date::new(year, month as i8, day as i8).map(Day::Once).map_err(|_| wrong())
            }
            // In a leap year, so that the 29th of February is one.
            (Some(&[month, day]), 5) => Date::new(2_000, month as i8, day as i8)
                .map(|date| Day::Yearly((date.month(), date.day())))
                .map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Day::Once(date) => write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
            Day::Yearly((month, day)) => write!(f, "{month:02}-{day:02}"),
        }
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no interval: 09:00-17:00");
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minutes(from).ok_or_else(wrong)?, minutes(to).ok_or_else(wrong)?);
        if from == DAY_MIN || from == to {
            return Err(format!("{text:?} is no interval: the whole day is 00:00-24:00"));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// `09:30`, and `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| plain(part).filter(|part| part.len() == 2)?.parse::<u16>().ok();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let at = hours * 60 + minutes;
    (minutes < 60 && at <= DAY_MIN).then_some(at)
}

fn plain(part: &str) -> Option<&str> {
    part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part)
}

macro_rules! as_text {
    ($($kind:ident),*) => { $(
        impl TryFrom<String> for $kind {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
        impl From<$kind> for String {
            fn from(value: $kind) -> String {
                value.to_string()
            }
        }
    )* };
}
as_text!(Day, Interval);

impl Hours {
    /// Refused with the field named, below `field`.
    ///
    /// # Errors
    /// The first field that does not hold; or they would not open any more, so that somebody could wait for ever.
    pub fn check(&self, field: &str, now: WallTime) -> Result<(), Refusal> {
        let refuse = |member: &str, what: String| Err(Refusal::BadSetting { field: format!("{field}.{member}"), what });
        if self.zone().is_none() {
            return refuse("time_zone", format!("there is no time zone {:?}: Europe/Berlin, Etc/UTC", self.time_zone));
        }
        for (day, intervals) in self.weekly.days() {
            in_order(intervals).or_else(|what| refuse(&format!("weekly.{day}"), what))?;
        }
        for (list, days) in [("holidays", &self.holidays), ("exceptions", &self.exceptions)] {
            if days.len() > SPECIAL_DAYS_MAX {
                return refuse(list, format!("at most {SPECIAL_DAYS_MAX}"));
            }
            for (place, day) in days.iter().enumerate() {
                in_order(&day.intervals).or_else(|what| refuse(&format!("{list}[{place}].intervals"), what))?;
                let sound = match (day.date, day.until) {
                    (_, None) | (Day::Yearly(_), Some(Day::Yearly(_))) => true,
                    (Day::Once(from), Some(Day::Once(until))) => from <= until,
                    (Day::Once(_), Some(Day::Yearly(_))) | (Day::Yearly(_), Some(Day::Once(_))) => false,
                };
                if !sound {
                    return refuse(&format!("{list}[{place}].until"), "a day of the same form, not earlier".into());
                }
                if day.name.len() > super::settings::NAME_BYTES_MAX {
                    let most = super::settings::NAME_BYTES_MAX;
                    return refuse(&format!("{list}[{place}].name"), format!("at most {most} bytes"));
                }
            }
        }
        let schedule = self.at(now);
        if !schedule.open && schedule.beyond {
            return refuse("weekly", "never open in the next 400 days: somebody could wait for ever".into());
        }
        Ok(())
    }
}

/// A day's intervals in order and apart; only the last may go on over midnight.
fn in_order(intervals: &[Interval]) -> Result<(), String> {
    if intervals.len() > INTERVALS_MAX {
        return Err(format!("at most {INTERVALS_MAX} intervals"));
    }
    let apart = |pair: &[Interval]| !pair[0].is_over_midnight() && pair[0].to <= pair[1].from;
    match intervals.windows(2).find(|pair| !apart(pair)) {
        Some(pair) => Err(format!("{} is not behind {}", pair[1], pair[0])),
        None => Ok(()),
    }
}

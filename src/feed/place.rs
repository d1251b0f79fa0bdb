//! Where somebody is in the feed: behind an event (`812.3`), or behind all that a record holds (`812`).

use crate::journal::Position;
use std::fmt;
use std::str::FromStr;

/// Ordered as the events are: behind a whole record is behind each of its events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub position: Position,
    /// The last event of that record that was seen; `u32::MAX`: all of them.
    index: u32,
}

impl Place {
    pub const BEGINNING: Place = Place::behind(Position::NOTHING);

    /// Behind a whole record.
    #[must_use]
    pub const fn behind(position: Position) -> Self {
        Self { position, index: u32::MAX }
    }

    /// Behind one event of a record. One that no record has the room for counts as the last that is counted.
    #[must_use]
    pub fn behind_event(position: Position, index: u32) -> Self {
        Self { position, index: index.min(u32::MAX - 1) }
    }

    /// Whether the whole record was seen.
    #[must_use]
    pub fn is_behind_all(self) -> bool {
        self.index == u32::MAX
    }

    /// The last record of which nothing more is wanted.
    #[must_use]
    pub fn read_after(self) -> Position {
        match self.is_behind_all() {
            true => self.position,
            false => Position(self.position.0.saturating_sub(1)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_behind_all() {
            true => self.position.fmt(f),
            false => write!(f, "{}.{}", self.position, self.index),
        }
    }
}

impl FromStr for Place {
    type Err = ();
    /// The forms that `Display` gives; nothing else, so that one place has one spelling.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |digits: &str| -> Result<u64, ()> {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let short = digits == "0" || !digits.starts_with('0');
            // What SQLite could not hold is no position of ours.
            digits.parse().ok().filter(|number| plain && short && *number <= i64::MAX as u64).ok_or(())
        };
        match text.split_once('.') {
            None => Ok(Self::behind(Position(number(text)?))),
            Some((position, index)) => {
                let index = u32::try_from(number(index)?).ok().filter(|index| *index < u32::MAX).ok_or(())?;
                Ok(Self::behind_event(Position(number(position)?), index))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_spelled_and_nothing_else_is() {
        for text in ["0", "812", "812.0", "812.17"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for text in [
            "",
            ".",
            "1.",
            ".1",
            "01",
            "1.01",
            "+1",
            "1.+1",
            "-1",
            "1.2.3",
            "c1",
            "1 ",
            "9999999999999999999",
            "1.4294967295",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }

    #[test]
    fn places_are_in_the_order_of_events() {
        let places: Vec<Place> = ["0", "1.0", "1.2", "1", "2.0"].iter().map(|text| text.parse().unwrap()).collect();
        assert!(places.is_sorted());
        let read_after: Vec<u64> = places.iter().map(|place| place.read_after().0).collect();
        assert_eq!(read_after, [0, 0, 0, 1, 1]);
    }
}

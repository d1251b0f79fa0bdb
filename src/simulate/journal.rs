//! A journal in memory that fails as disks and networks do: appends that are refused, unknown, late, lost or torn.

use super::dice::Dice;
use crate::desk::answer::Outcome;
use crate::desk::event::Event;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::journal::record::{self, Head};
use crate::journal::{NewRecord, Position, RefusedAppend, StoredRecord};

/// What is going to come of an append, as the dice have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Commits,
    Refused(RefusedAppend),
    /// Nobody is told. `lands`: at once, later (perhaps never).
    Unknown {
        lands: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disk {
    Good,
    /// Only what may use the last room fits.
    KeptBack,
    Full,
}

#[derive(Debug, Default)]
pub struct FaultyJournal {
    records: Vec<StoredRecord>,
    /// Sent, unanswered, and perhaps still on their way.
    late: Vec<NewRecord>,
    /// Damaged bytes behind the last record, as a crash leaves them.
    torn: Option<Vec<u8>>,
}

/// A record with its lines understood.
pub struct Lived {
    pub head: Head,
    pub events: Vec<Event>,
    pub outcomes: Vec<Outcome>,
}

impl Lived {
    pub fn now(&self) -> Now {
        Now { desk: DeskTime(self.head.desk_ms), wall: WallTime(self.head.wall_ms) }
    }
}

impl FaultyJournal {
    pub fn last(&self) -> Position {
        Position(self.records.len() as u64)
    }

    pub fn tail(&self) -> Option<&StoredRecord> {
        self.records.last()
    }

    pub fn at(&self, position: Position) -> Option<&StoredRecord> {
        self.records.get((position.0 as usize).checked_sub(1)?)
    }

    /// Put it behind the last record, if it belongs there.
    pub fn land(&mut self, record: &NewRecord) -> Result<Position, RefusedAppend> {
        if record.expected != self.last() {
            return Err(RefusedAppend::Fenced { actual: self.last() });
        }
        let position = record.expected.next();
        self.records.push(StoredRecord { position, turn: record.turn, body: record.body.clone() });
        Ok(position)
    }

    pub fn send_late(&mut self, record: NewRecord) {
        self.late.push(record);
    }

    /// Those on their way arrive now and then, in any order, and are fenced where others came first.
    pub fn late_ones_arrive(&mut self, dice: &mut Dice, per_mille: u64) {
        let mut place = 0;
        while place < self.late.len() {
            if dice.per_mille(per_mille) {
                let record = self.late.remove(place);
                let _fenced = self.land(&record);
            } else if dice.per_mille(50) {
                self.late.remove(place);
            } else {
                place += 1;
            }
        }
    }

    /// The power went while this was being written.
    pub fn tear(&mut self, record: &NewRecord, dice: &mut Dice) {
        let mut bytes = record.body.to_vec();
        if dice.per_mille(500) {
            bytes.truncate(dice.below(bytes.len() as u64) as usize);
        } else {
            let place = dice.below(bytes.len() as u64) as usize;
            bytes[place] ^= 1 << dice.below(8);
        }
        self.torn = Some(bytes);
    }

    /// Open after a crash: a damaged record at the end was acknowledged to nobody, and goes.
    pub fn reopen(&mut self) -> Result<bool, String> {
        match self.torn.take() {
            None => Ok(false),
            Some(bytes) if record::decode(&bytes).is_err() => Ok(true),
            Some(_) => Err("a torn record was taken for a whole one".into()),
        }
    }

    pub fn lose_last(&mut self) {
        self.records.pop();
    }

    pub fn lived(&self, position: Position) -> Result<Lived, String> {
        let stored = self.at(position).ok_or_else(|| format!("record {position} is gone"))?;
        let decoded = record::decode(&stored.body).map_err(|why| format!("record {position}: {why}"))?;
        let (events, outcomes) = (decoded.events.iter(), decoded.outcomes.iter());
        let events: Result<Vec<Event>, _> = events.map(|raw| serde_json::from_str(raw.get())).collect();
        let outcomes: Result<Vec<Outcome>, _> = outcomes.map(|raw| serde_json::from_str(raw.get())).collect();
        let unread = |why: serde_json::Error| format!("record {position}: {why}");
        if (decoded.head.position, decoded.head.turn) != (position, stored.turn) {
            return Err(format!("record {position} says that it is {}", decoded.head.position));
        }
        Ok(Lived { head: decoded.head, events: events.map_err(unread)?, outcomes: outcomes.map_err(unread)? })
    }

    /// Of all bytes: two runs of one seed must give the same.
    pub fn digest(&self) -> u64 {
        self.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    pub fn into_records(self) -> Vec<StoredRecord> {
        self.records
    }

    pub fn bytes(&self) -> impl Iterator<Item = u8> {
        self.records.iter().flat_map(|record| record.body.iter().copied())
    }
}

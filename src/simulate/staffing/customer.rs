//! Customers, drawn: each with what it asks for, how long it takes to serve and how long it waits, whatever happens to it.

use super::draw::dice_of;
use super::scenario::Stream;
use crate::desk::command::OpenAsk;
use crate::desk::ids::{CustomerId, KeyNumber};
use crate::simulate::dice::Dice;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Clone, Debug)]
pub struct Customer {
    pub at_ms: u64,
    pub open: OpenAsk,
    pub handling_ms: u64,
    /// Absent: it waits for ever.
    pub patience_ms: Option<u64>,
    /// What its agents' answers are drawn by.
    pub dice: u64,
}

/// The streams of a scenario as one, in order of time; at most one customer of each is in memory.
pub struct Drawn<'a> {
    streams: &'a [Stream],
    seed: u64,
    end_ms: f64,
    dices: Vec<Dice>,
    next: BinaryHeap<Reverse<Coming>>,
    customers: u128,
}

#[derive(PartialEq)]
struct Coming {
    at_ms: f64,
    stream: usize,
    nth: u64,
}

impl Eq for Coming {}

impl PartialOrd for Coming {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Coming {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at_ms.total_cmp(&other.at_ms).then(self.stream.cmp(&other.stream))
    }
}

/// What a stream's dice are for.
const ARRIVALS: u64 = 1;
const CUSTOMERS: u64 = 2;

impl<'a> Drawn<'a> {
    pub fn new(streams: &'a [Stream], length_ms: u64, seed: u64) -> Self {
        let dices = (0..streams.len()).map(|stream| dice_of(seed, [ARRIVALS, stream as u64, 0])).collect();
        let mut drawn = Self { streams, seed, end_ms: length_ms as f64, dices, next: BinaryHeap::new(), customers: 0 };
        (0..streams.len()).for_each(|stream| drawn.look_ahead(stream, 0, 0.0));
        drawn
    }

    fn look_ahead(&mut self, stream: usize, nth: u64, after_ms: f64) {
        let next = self.streams[stream].rates.next(after_ms, self.end_ms, &mut self.dices[stream]);
        self.next.extend(next.map(|at_ms| Reverse(Coming { at_ms, stream, nth })));
    }
}

impl Iterator for Drawn<'_> {
    type Item = Customer;

    fn next(&mut self) -> Option<Customer> {
        let Reverse(Coming { at_ms, stream, nth }) = self.next.pop()?;
        self.look_ahead(stream, nth + 1, at_ms);
        self.customers += 1;
        let kind = &self.streams[stream];
        let mut dice = dice_of(self.seed, [CUSTOMERS, stream as u64, nth]);
        let open = OpenAsk { customer: CustomerId(self.customers), key: KeyNumber(1), ..kind.open.clone() };
        let handling_ms = kind.handling.ms(&mut dice);
        let patience_ms = kind.patience.as_ref().map(|patience| patience.ms(&mut dice));
        Some(Customer { at_ms: at_ms as u64, open, handling_ms, patience_ms, dice: dice.roll() })
    }
}

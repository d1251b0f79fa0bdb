//! A scenario: what the workspace is set to, who arrives, and who is there. Plain values, checked by whoever made them.

use super::answering::Answering;
use super::draw::Draw;
use super::rates::Rates;
use super::recorded::Known;
use crate::desk::command::{Ask, OpenAsk};
use crate::desk::time::WallTime;
use crate::desk::wrapping::{WrapUp, WrapUpEnds};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Scenario {
    pub setup: Vec<Setup>,
    /// The wall's time at the beginning: for opening hours, and to write beside the picture.
    pub begins: WallTime,
    pub length_ms: u64,
    /// Who arrives before this is served, and counted nowhere.
    pub warm_up_ms: u64,
    /// The service level is the share accepted within this.
    pub accepted_within_ms: u64,
    pub arrivals: Arrivals,
    pub crew: Vec<Member>,
}

/// One command by which the workspace is made, and the place in the file that asks for it.
#[derive(Clone, Debug)]
pub struct Setup {
    pub field: String,
    pub ask: Ask,
}

impl Setup {
    /// As it is lived here, where no agent says that it has wrapped up: what nothing else would end takes its `wrap_up_ms`.
    #[must_use]
    pub fn lived(&self) -> Ask {
        let timed = |wrap_up: &mut WrapUp| {
            wrap_up.ends = wrap_up.ends.map(|_| WrapUpEnds::Timed);
        };
        let mut ask = self.ask.clone();
        match &mut ask {
            Ask::PutSettings(settings) => settings.channels.iter_mut().for_each(|channel| timed(&mut channel.wrap_up)),
            Ask::PutQueue(queue) => timed(&mut queue.wrap_up),
            _ => {}
        }
        ask
    }
}

#[derive(Clone, Debug)]
pub enum Arrivals {
    Drawn(Vec<Stream>),
    /// As a journal has them.
    Recorded(Arc<Known>),
}

/// Customers of one kind.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What each of them asks for; the customer's id is filled in.
    pub open: OpenAsk,
    pub rates: Rates,
    pub handling: Draw,
    /// Absent: they wait for ever.
    pub patience: Option<Draw>,
}

/// An agent of the setup, with its shifts: from and to, in milliseconds from the beginning, in order and apart.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: Arc<str>,
    pub shifts: Vec<(u64, u64)>,
    pub answering: Arc<Answering>,
}

/// Customers one after the other, in the order in which they arrive.
pub enum Source<'a> {
    Drawn(super::customer::Drawn<'a>),
    Recorded(super::recorded::Replayed<'a>),
}

impl Scenario {
    #[must_use]
    pub fn source(&self, seed: u64) -> Source<'_> {
        match &self.arrivals {
            Arrivals::Drawn(streams) => Source::Drawn(super::customer::Drawn::new(streams, self.length_ms, seed)),
            Arrivals::Recorded(known) => Source::Recorded(super::recorded::Replayed::new(known, seed)),
        }
    }
}

impl Iterator for Source<'_> {
    type Item = super::customer::Customer;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Source::Drawn(drawn) => drawn.next(),
            Source::Recorded(replayed) => replayed.next(),
        }
    }
}

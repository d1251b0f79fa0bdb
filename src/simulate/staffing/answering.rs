//! What an agent does with what it is offered.

use super::draw::{Draw, share};
use crate::simulate::dice::Dice;

#[derive(Clone, PartialEq, Debug)]
pub struct Answering {
    /// From the offer to the accept, or to the reject.
    pub accept: Draw,
    /// Of all offers.
    pub rejected: f64,
    /// Of all offers: they run out.
    pub ignored: f64,
    /// An agent who was turned away for missing offers is available again after this.
    pub back: Draw,
}

impl Default for Answering {
    fn default() -> Self {
        Self { accept: Draw::Fixed(0.0), rejected: 0.0, ignored: 0.0, back: Draw::Fixed(60.0) }
    }
}

/// An answer, so many milliseconds after the offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Accepts(u64),
    Rejects(u64),
    Never,
}

impl Answering {
    pub fn of_one(&self, dice: &mut Dice) -> Answer {
        let of_all = share(dice);
        let ms = self.accept.ms(dice);
        if of_all < self.rejected {
            Answer::Rejects(ms)
        } else if of_all < self.rejected + self.ignored {
            Answer::Never
        } else {
            Answer::Accepts(ms)
        }
    }
}

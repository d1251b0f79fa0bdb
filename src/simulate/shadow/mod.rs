//! Beside another system: its facts go in one by one, the shipped desk decides on them, offers nothing to anybody, and it is
//! counted where it would have done otherwise.

mod follow;
mod report;
mod told;

pub use follow::{Shadow, Wrong};
pub use report::{Difference, ShadowReport};
pub use told::Told;

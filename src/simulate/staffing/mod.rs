//! Questions of staffing, answered by the shipped desk in virtual time: customers arrive, lose patience and are served,
//! agents come and go by their shifts and answer what they are offered; the desk decides, by the same `handle` as ever.
//!
//! The same seed gives the same day, and the same customers whatever the settings: so that two settings are compared
//! on the same arrivals, handling times and patience.

mod answering;
mod compared;
mod customer;
mod draw;
mod floor;
mod interval;
mod picture;
mod rates;
mod recorded;
mod report;
mod scenario;
mod series;
mod tally;
mod text;
mod waits;

pub use answering::Answering;
pub use compared::Compared;
pub use draw::{Draw, DrawFault};
pub use floor::{Stranded, run};
pub use interval::{Figure, student_t};
pub use picture::Picture;
pub use rates::Rates;
pub use recorded::{NothingRecorded, Recorded, Recorder, Unknowns};
pub use report::Report;
pub use scenario::{Arrivals, Member, Scenario, Setup, Source, Stream};
pub use tally::Tally;
pub use waits::Waits;

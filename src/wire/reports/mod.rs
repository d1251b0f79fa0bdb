//! Reports as they are answered: what is derived from what was counted, the intervals of a time zone, and CSV.

pub mod columns;
pub mod csv;
pub mod intervals;

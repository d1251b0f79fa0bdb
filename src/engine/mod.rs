//! The one writer of a workspace: turns, and the delivery of what was committed.

pub mod desk_clock;
pub mod route;
pub mod settle;
pub mod turn;

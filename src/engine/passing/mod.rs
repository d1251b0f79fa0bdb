//! Commands that go from the node that heard them to the one that leads their workspace, and what comes back.

pub mod shapes;
mod taking;
#[cfg(test)]
mod tests;
mod under_way;
pub mod views;

pub use taking::Taken;
pub use under_way::UnderWay;

//! Offhook: the roll of which agents are present, and each waiting conversation offered to the right one.

pub mod desk;
pub mod wire;

pub mod journal;
pub mod seal;

pub mod engine;

pub mod simulate;

//! Offhook: the roll of which agents are present, and each waiting conversation offered to the right one.

pub mod cli;
pub mod config;
pub mod desk;
pub mod gateway;
pub mod telemetry;
pub mod wire;

//! Offhook: keeps the roll of present agents and offers each waiting conversation to the right one.

pub mod cli;
pub mod config;
pub mod gateway;
pub mod telemetry;

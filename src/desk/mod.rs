//! Who is offered which conversation. Pure: no I/O, no clock, no async, no randomness of its own.

pub mod agent;
pub mod answer;
pub mod command;
pub mod conversation;
pub mod event;
pub mod ids;
pub mod offer;
pub mod refusal;
pub mod settings;
pub mod time;

//! The sockets and pages: agents, messenger, administration, operators, and who may do what.

pub mod admin;
pub mod auth;
pub mod http;
pub mod messenger;
pub mod operators;

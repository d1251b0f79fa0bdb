//! The sockets and pages: agents, messenger, admin, operators, and who may use them.

pub mod auth;

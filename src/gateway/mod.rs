//! The sockets and pages: agents, messenger, admin, operators, and who may use them. They turn requests into commands and
//! committed facts into bytes, and decide nothing.

pub mod agent;
pub mod auth;
pub mod listen;
pub mod websocket;

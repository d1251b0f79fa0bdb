//! The sockets and pages: what the outside connects to. It turns requests into commands and committed facts into
//! bytes, and decides nothing.

pub mod agent;
pub mod listen;
pub mod websocket;

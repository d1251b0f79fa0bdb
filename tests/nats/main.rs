//! A journal on NATS JetStream, with a real server.

mod check;
mod journal;
mod servers;
#[path = "../support/mod.rs"]
mod support;

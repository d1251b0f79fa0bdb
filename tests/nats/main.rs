//! A journal on NATS JetStream and the leases of nodes there, with a real server.

mod check;
mod journal;
mod lease;
#[path = "../support/mod.rs"]
mod support;

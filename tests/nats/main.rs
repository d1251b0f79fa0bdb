//! What nodes share on NATS JetStream: a journal, leases, and customers' keys, with a real server.

mod check;
mod journal;
mod keys;
mod lease;
#[path = "../support/mod.rs"]
mod support;

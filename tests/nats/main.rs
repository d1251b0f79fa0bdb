//! What nodes share on NATS JetStream: a journal, leases, and customers' keys, with a real server; and how a single server comes there.

mod adopt;
mod check;
mod journal;
mod keys;
mod lease;
mod made;
#[path = "../support/mod.rs"]
mod support;

//! What nodes share on NATS JetStream: a journal, leases, and customers' keys, with a real server.

mod check;
mod cut;
mod journal;
mod keys;
mod lease;
#[path = "../cluster/member.rs"]
mod member;
#[path = "../cluster/proxy.rs"]
mod proxy;
#[path = "../support/mod.rs"]
mod support;

//! What nodes share on NATS JetStream: a journal, leases, and customers' keys, with a real server; and how a single server comes there.

mod adopt;
mod check;
mod cut;
mod journal;
mod keys;
mod lease;
mod made;
#[path = "../cluster/member.rs"]
mod member;
#[path = "../cluster/proxy.rs"]
mod proxy;
#[path = "../support/mod.rs"]
mod support;

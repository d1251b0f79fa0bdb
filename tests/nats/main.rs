//! What nodes share on NATS JetStream: a journal, leases, customers' keys and files, with a real server; and how a single server comes there.

mod adopt;
mod check;
mod cut;
mod files;
mod journal;
mod keys;
mod lease;
mod made;
#[path = "../cluster/member.rs"]
mod member;
#[path = "../cluster/proxy.rs"]
mod proxy;
mod shared_files;
#[path = "../support/mod.rs"]
mod support;

//! What nodes share on NATS JetStream: a journal, leases, customers' keys and files, with a real server.

mod check;
mod files;
mod journal;
mod keys;
mod lease;
#[path = "../cluster/member.rs"]
mod member;
mod shared_files;
#[path = "../support/mod.rs"]
mod support;

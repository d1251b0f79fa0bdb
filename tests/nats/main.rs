//! What nodes share on NATS JetStream: a journal, leases, customers' keys, quotas and webhooks, with a real server.

mod check;
mod journal;
mod keys;
mod lease;
#[path = "../cluster/member.rs"]
mod member;
mod pair;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;

//! What nodes share on NATS JetStream: a journal, leases, customers' keys, files, quotas and webhooks, with a real server; and how a single server
//! comes there.

mod adopt;
mod ahead;
mod check;
mod cut;
mod files;
mod idle;
mod journal;
mod keys;
mod late_keys;
mod leaderless;
mod lease;
mod made;
#[path = "../cluster/member.rs"]
mod member;
mod pair;
#[path = "../cluster/proxy.rs"]
mod proxy;
mod scarce;
mod settings;
mod shared_files;
mod signins;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;

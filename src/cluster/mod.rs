//! The nodes of a cluster: who is there (`members.rs`, pure), who should lead which workspace (`leading.rs`, pure), and the lease by which
//! a node tells the others that it lives and hears of them (`lease.rs`, over a bucket in NATS); how one asks another (`post.rs`); and what is
//! set at one and holds at all (`settings.rs`).
//!
//! It says who should try, and no more: that two never lead rests on the journal's fence alone (docs/cluster-protocol.md).

mod beat;
mod leading;
mod lease;
mod members;
mod post;
mod settings;

pub use leading::should_lead;
pub use lease::{JoinFailed, Lease, LeaseSettings, TakenOver};
pub use members::{Change, Members, NODES_MAX, Node, Roll, WhyGone};
pub use post::{NoAnswer, Post};
pub use settings::{Following, NotShared, Part, Said, SharedSettings};

//! The nodes of a cluster: who is there (`members.rs`, pure), who should lead which workspace (`leading.rs`, pure), and the lease by which
//! a node tells the others that it lives and hears of them (`lease.rs`, over a bucket in NATS; `living.rs` for who is no node); how one asks another
//! (`post.rs`); what is set at one and holds at all (`settings.rs`, `sealed.rs`); and the word in a data directory that it is a node's (`mark.rs`).
//!
//! It says who should try, and no more: that two never lead rests on the journal's fence alone (docs/cluster-protocol.md).

mod beat;
mod leading;
mod lease;
mod living;
mod mark;
mod members;
mod post;
mod sealed;
mod settings;

pub use leading::should_lead;
pub use lease::{JoinFailed, Lease, LeaseSettings, TakenOver};
pub use living::{LivingUnknown, living};
pub use mark::{is_of_node, mark};
pub use members::{Change, Members, NODES_MAX, Node, Roll, WhyGone};
pub use post::{NoAnswer, Post};
pub use sealed::SealedPart;
pub use settings::{Following, NotShared, Part, Said, SharedSettings};

//! Who can be reached, and through which mailbox: the sharded registry. Thrown away at a restart.

pub mod mailbox;
pub mod registry;
pub mod session;
pub mod stream;

pub use mailbox::Out;
pub use registry::{Full, Limits, Registry};
pub use session::{Session, WorkspaceNumber};
pub use stream::{PublicFrame, Stream, StreamOut};

//! The process over the server: holds the listening sockets, runs the server as its child, starts it again however it ends, and answers in its place.
//!
//! | file | what |
//! | --- | --- |
//! | `keeper` | all decisions, as a value |
//! | `run` | the loop that tells the keeper what happens and does what it says |
//! | `child`, `inherited` | starting a server; what it inherits (LISTEN_FDS) |
//! | `notice`, `beat` | what a server says of itself (NOTIFY_SOCKET), and when |
//! | `stand_in`, `page` | what is answered while the server is away |
//! | `control` | the door for `offhook upgrade`, and the preflight of a new binary |
//! | `facts` | what is remembered over restarts, and how the server shows it |
//!
//! A server can also do without it: systemd speaks the same protocols to `offhook serve --no-supervisor`.

mod beat;
mod child;
mod control;
mod facts;
mod inherited;
mod keeper;
mod notice;
mod oom;
mod pace;
mod page;
mod run;
mod stand_in;

pub use beat::{beat, beat_at_start};
pub use control::{Ask, Conversation, Line};
pub use facts::{Facts, Supervised};
pub use inherited::{Inherited, NotInherited};
pub use keeper::Limits;
pub use notice::tell;
pub use run::{Setup, run};
pub use stand_in::TlsFiles;

//! A client of a server of ours, as small as one can be: for the commands that talk to one, and for the server's own probe. And one of
//! servers that are not ours.

mod addresses;
pub mod agent;
pub mod courier;
pub mod http;
pub mod outbound;

pub use agent::AgentSocket;
pub use courier::{Answer, Courier, Kept};
pub use http::{Address, Answered, Call, Client, Unreached, random_id};
pub use outbound::{BadUrl, NotFetched, Outbound, Url};

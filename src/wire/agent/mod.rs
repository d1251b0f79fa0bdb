//! The agents' socket: what comes from a client, what goes to it, and the shapes both speak of.

mod from_client;
mod labels;
mod moves;
mod reply;
pub mod schema;
mod shapes;
mod to_client;
mod watching;

pub use from_client::{AgentFrame, BadFrame, HistoryFrom, Limits, TOKEN_BYTES_MAX, parse};
pub use labels::LabelFrame;
pub use moves::{Drained, StartFrame};
pub use reply::{Done, Outcome, Reply, Rows};
pub use shapes::{
    AgentRowShape, AgentShape, AuthorShape, ChannelHeldShape, ClockShape, ColleagueShape, ComponentShape,
    ConversationShape, DeliveryShape, KeptShape, MessageShape, NoteShape, OfferShape, QueueNameShape, QueueRowShape,
    ServiceShape, SettingsShape, SnapshotShape, StatusShape, TotalShape, TransferShape, WaitingRowShape, WrapUpShape,
};
pub use to_client::{Cause, ServerFrame, render};
pub use watching::{SeenAs, Sheet, SheetOrder, Watched, WatchedPage, WhyOf};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::TEXTS;

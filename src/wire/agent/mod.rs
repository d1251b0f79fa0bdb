//! The agents' socket: what comes from a client, what goes to it, and the shapes both speak of.

mod from_client;
mod labels;
mod moves;
mod reply;
mod shapes;
mod to_client;

pub use from_client::{AgentFrame, BadFrame, HistoryFrom, Limits, TOKEN_BYTES_MAX, Watched, parse};
pub use labels::LabelFrame;
pub use moves::{Drained, StartFrame};
pub use reply::{Done, Outcome, Reply, Rows};
pub use shapes::{
    AgentRowShape, AgentShape, AuthorShape, ClockShape, ColleagueShape, ConversationShape, MessageShape, NoteShape,
    OfferShape, QueueNameShape, QueueRowShape, SettingsShape, SnapshotShape, StatusShape, TransferShape,
    WaitingRowShape, WrapUpShape,
};
pub use to_client::{Cause, ServerFrame, render};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::TEXTS;

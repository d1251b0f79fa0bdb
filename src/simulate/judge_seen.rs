//! What a judge knows of an offer and of a conversation, by the journal alone.

use super::judge_clocks::Clocks;
use super::judge_customers::Rated;
use super::judge_silence::Heard;
use crate::desk::event::OfferEnd;
use crate::desk::ids::{AgentId, ConversationId, CustomerId, OfferId};
use crate::desk::settings::ChannelId;
use crate::desk::time::{DeskTime, WallTime};
use crate::journal::Position;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct SeenOffer {
    pub conversation: ConversationId,
    pub agent: AgentId,
    pub ends_at: DeskTime,
    pub deliver_by: DeskTime,
    pub end: Option<OfferEnd>,
    /// The record that it was made in.
    pub made_in: Position,
    pub transfer: bool,
    /// Delivered, and then accepted by itself.
    pub accepts_at: Option<DeskTime>,
}

#[derive(Default)]
pub(super) struct Talk {
    pub customer: CustomerId,
    pub channel: ChannelId,
    pub merged: bool,
    /// The record that it was opened in.
    pub opened_in: Position,
    pub owner: Option<AgentId>,
    pub joined: Option<AgentId>,
    pub offers: BTreeSet<OfferId>,
    pub last_number: u32,
    pub public: u32,
    pub waiting_since: WallTime,
    pub cool: BTreeMap<AgentId, DeskTime>,
    pub notes: u32,
    pub heard: Heard,
    pub clocks: Clocks,
    pub rated: Rated,
    /// By rules, since it last had an owner.
    pub moves: u8,
    /// Who held it without owning it, offered or joined, and the record in which that was taken back.
    pub stood_down: BTreeMap<AgentId, Position>,
}

impl Talk {
    /// Nobody owns it, and it is offered to nobody.
    pub fn waits(&self) -> Result<(), String> {
        let waits = self.owner.is_none() && self.offers.is_empty();
        if waits { Ok(()) } else { Err(format!("it is {:?}'s, offered as {:?}", self.owner, self.offers)) }
    }
}

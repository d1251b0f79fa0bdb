//! Who is told of an event: decided right after the command, while the desk still stands as the event left it.

use crate::desk::Desk;
use crate::desk::command::Author;
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, ConversationId};

/// One event to be told to somebody; `event` is its place in the turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    pub event: usize,
    pub to: To,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// All devices of this agent.
    Agent(AgentId),
    /// The streams of this conversation's customer.
    Customer(ConversationId),
    /// The same, but only that its state is another now.
    CustomerState(ConversationId),
}

/// Add whom this event is told to.
pub fn route(event: &Event, place: usize, desk: &Desk, routes: &mut Vec<Route>) {
    let mut tell = |to| routes.push(Route { event: place, to });
    let talkers = |id: &ConversationId| desk.conversation(*id).into_iter().flat_map(|held| held.talkers());
    match event {
        Event::StatusChanged { agent, .. }
        | Event::NextStatusSet { agent, .. }
        | Event::AgentUnreachable { agent }
        | Event::AgentReachable { agent }
        | Event::AgentDraining { agent, .. } => tell(To::Agent(*agent)),
        Event::OfferMade { agent, transfer, .. } => {
            tell(To::Agent(*agent));
            transfer.iter().for_each(|transfer| tell(To::Agent(transfer.from)));
        }
        Event::AgentOffline { agent, .. } => {
            tell(To::Agent(*agent));
            tell_customers_of(*agent, desk, tell);
        }
        Event::SessionCame { agent, .. } | Event::AgentReconnecting { agent, .. } => {
            tell_customers_of(*agent, desk, tell);
        }
        Event::NodeGone { reconnecting, .. } => {
            reconnecting.iter().for_each(|agent| tell_customers_of(*agent, desk, &mut tell));
        }
        Event::OfferDelivered { offer, .. } => {
            if let Some(offer) = desk.offer(*offer) {
                tell(To::Agent(offer.agent));
            }
        }
        Event::OfferEnded { agent, conversation, end, transfer, .. } => {
            tell(To::Agent(*agent));
            transfer.iter().for_each(|transfer| tell(To::Agent(transfer.from)));
            if *end == OfferEnd::Accepted {
                tell(To::Customer(*conversation));
                tell(To::CustomerState(*conversation));
            }
        }
        Event::ConversationOpened { conversation, .. } => tell(To::Customer(*conversation)),
        Event::MessagePosted { conversation, .. } => {
            talkers(conversation).for_each(|talker| tell(To::Agent(talker)));
            tell(To::Customer(*conversation));
        }
        Event::MessagesRead { conversation, reader, .. } => {
            talkers(conversation).for_each(|talker| tell(To::Agent(talker)));
            if matches!(reader, Author::Agent(_)) {
                tell(To::Customer(*conversation));
            }
        }
        Event::ConversationEnded { conversation, owner, .. }
        | Event::ConversationReopened { conversation, owner, .. } => {
            owner.iter().for_each(|owner| tell(To::Agent(*owner)));
            tell(To::Customer(*conversation));
            tell(To::CustomerState(*conversation));
        }
        Event::WrapUpExtended { conversation, .. }
        | Event::ConversationPaused { conversation, .. }
        | Event::ConversationWoken { conversation }
        | Event::ClockSet { conversation, .. }
        | Event::ClockBreached { conversation, .. }
        | Event::ClockEnded { conversation, .. } => {
            talkers(conversation).for_each(|owner| tell(To::Agent(owner)));
        }
        Event::OwnerReminded { owner, .. } | Event::WrapUpEnded { owner, .. } => tell(To::Agent(*owner)),
        Event::ConversationRequeued { conversation, from, .. } => {
            tell(To::Agent(*from));
            tell(To::Customer(*conversation));
            tell(To::CustomerState(*conversation));
        }
        Event::ConversationTransferred { conversation, from, .. } => {
            tell(To::Agent(*from));
            tell(To::Customer(*conversation));
            tell(To::CustomerState(*conversation));
        }
        Event::ConversationTaken { conversation, from, to, .. } => {
            tell(To::Agent(*to));
            from.iter().for_each(|from| tell(To::Agent(*from)));
            tell(To::Customer(*conversation));
            tell(To::CustomerState(*conversation));
        }
        Event::ConversationHandedOver { conversation, from, to, .. } => {
            tell(To::Agent(*to));
            tell(To::Agent(*from));
            tell(To::Customer(*conversation));
            tell(To::CustomerState(*conversation));
        }
        Event::ConversationLeft { conversation, agent, .. } => {
            tell(To::Agent(*agent));
            talkers(conversation).filter(|talker| talker != agent).for_each(|talker| tell(To::Agent(talker)));
            tell(To::Customer(*conversation));
        }
        Event::NotePosted { conversation, .. } | Event::ConversationLabelled { conversation, .. } => {
            talkers(conversation).for_each(|talker| tell(To::Agent(talker)));
        }
        Event::ConversationDescribed { conversation, .. } => {
            talkers(conversation).for_each(|talker| tell(To::Agent(talker)));
            let offers = desk.conversation(*conversation).into_iter().flat_map(|held| &held.offers);
            offers.for_each(|pending| tell(To::Agent(pending.agent)));
        }
        Event::DeliveryReported { conversation, was, .. } => {
            let held = was.as_deref().or_else(|| desk.conversation(*conversation));
            held.into_iter().flat_map(|held| held.talkers()).for_each(|talker| tell(To::Agent(talker)));
        }
        Event::ConversationRated { conversation, was, .. } => {
            let held = was.as_deref().or_else(|| desk.conversation(*conversation));
            let owner = held.and_then(|held| held.state.owner().or_else(|| held.last_owner()));
            owner.into_iter().for_each(|owner| tell(To::Agent(owner)));
            tell(To::Customer(*conversation));
        }
        Event::OwnerVanished { conversation, .. } | Event::OwnerReturned { conversation } => {
            tell(To::CustomerState(*conversation))
        }
        Event::ConversationMoved { conversation, .. } => {
            tell(To::Customer(*conversation));
            tell(To::CustomerState(*conversation));
        }
        Event::SettingsChanged { .. }
        | Event::QueuePut { .. }
        | Event::QueueRemoved { .. }
        | Event::AgentPut { .. }
        | Event::ApiKeyPut { .. }
        | Event::ApiKeyRemoved { .. }
        | Event::ServerBegan { .. }
        | Event::SessionWent { .. }
        | Event::RingReached { .. }
        | Event::DecisionWanted { .. }
        | Event::DecisionEnded { .. }
        | Event::HoursTurned { .. }
        | Event::StayedAtClosing { .. }
        | Event::PriorityRaised { .. }
        | Event::ConversationImported { .. }
        | Event::MessageImported { .. }
        | Event::NoteImported { .. }
        | Event::CustomerMerged { .. }
        | Event::CustomerSignedOut { .. } => {}
    }
}

fn tell_customers_of(agent: AgentId, desk: &Desk, mut tell: impl FnMut(To)) {
    for conversation in desk.agent(agent).into_iter().flat_map(|held| &held.conversations) {
        tell(To::CustomerState(*conversation));
    }
}

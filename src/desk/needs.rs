//! What a command rests on that the desk no longer holds: named before it is decided, loaded by the engine, handed in.

use super::Desk;
use super::answer::Outcome;
use super::command::{Ask, Closer, Command};
use super::conversation::Conversation;
use super::ids::{CommandId, ConversationId, CustomerId, ImportId, OfferId, Principal};
use super::imported::{FoundImport, Part};
use super::moves::MoveAsk;
use super::offer::EndedOffer;
use super::remembered::Recall;
use super::time::WallTime;
use std::collections::BTreeMap;

/// One thing to be looked up in the view.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Need {
    Conversation(ConversationId),
    Offer(OfferId),
    /// The outcome of this command; for a message also by the message itself, however old.
    Outcome(Principal, CommandId, Option<ConversationId>),
    /// The ids of this customer's closed conversations.
    OfCustomer(CustomerId),
    /// What another system's conversation became. Of one that just came here the desk remembers the outcome.
    Import(ImportId),
    /// The same, as it stands now.
    ImportToGoOn(ImportId),
}

/// What was found. What was asked for and is not here does not exist.
#[derive(Clone, Default, Debug)]
pub struct Loaded {
    pub conversations: BTreeMap<ConversationId, Conversation>,
    pub offers: BTreeMap<OfferId, EndedOffer>,
    pub outcomes: BTreeMap<(Principal, CommandId), Outcome>,
    pub of_customer: BTreeMap<CustomerId, Vec<ConversationId>>,
    pub imports: BTreeMap<ImportId, FoundImport>,
}

impl Desk {
    /// What must be loaded before this command can be decided; mostly nothing.
    pub fn needs(&self, now: WallTime, command: &Command, needs: &mut Vec<Need>) {
        match &command.ask {
            Ask::ConfirmDelivery { offer, .. } | Ask::Accept { offer, .. } | Ask::Reject { offer, .. } => {
                let here = self.offers.contains_key(offer) || self.ended_offers.contains_key(offer);
                if !here && offer.0 <= self.last_offer {
                    needs.push(Need::Offer(*offer));
                }
            }
            Ask::Label(ask) => {
                if !self.conversations.contains_key(&ask.conversation) && ask.conversation.0 <= self.last_conversation {
                    needs.push(Need::Conversation(ask.conversation));
                }
            }
            Ask::Rate(ask) => {
                if !self.conversations.contains_key(&ask.conversation) && ask.conversation.0 <= self.last_conversation {
                    needs.push(Need::Conversation(ask.conversation));
                }
            }
            Ask::Post { conversation, .. }
            | Ask::Read { conversation, .. }
            | Ask::WrapUpDone { conversation, .. }
            | Ask::ExtendWrapUp { conversation, .. }
            | Ask::Close {
                conversation,
                by: Closer::Agent(_) | Closer::Customer(_) | Closer::Supervisor(_) | Closer::Admin | Closer::System,
            }
            | Ask::WhyConversation { conversation }
            | Ask::Note { conversation, .. }
            | Ask::Describe { conversation, .. }
            | Ask::Move(MoveAsk { conversation, .. })
            | Ask::Typing { conversation, .. } => {
                if !self.conversations.contains_key(conversation) && conversation.0 <= self.last_conversation {
                    needs.push(Need::Conversation(*conversation));
                }
            }
            Ask::ReportDelivery(ask) => {
                if !self.conversations.contains_key(&ask.conversation) && ask.conversation.0 <= self.last_conversation {
                    needs.push(Need::Conversation(ask.conversation));
                }
            }
            Ask::Receive(ask) => {
                let open = self.threads.newest(ask.thread).is_some();
                let closed = ask.found.filter(|id| !open && !self.conversations.contains_key(id));
                needs.extend(closed.map(Need::Conversation));
            }
            Ask::Decide(ask) => {
                let id = ask.conversation;
                let closed = !self.conversations.contains_key(&id) && id.0 <= self.last_conversation;
                if closed && self.ended_decision(ask.decision).is_none() {
                    needs.push(Need::Conversation(id));
                }
            }
            Ask::MergeCustomer { from, .. } => needs.push(Need::OfCustomer(*from)),
            Ask::Import(ask) => needs.push(match ask.part {
                Part::First(_) => Need::Import(ask.import),
                Part::Next(_) => Need::ImportToGoOn(ask.import),
            }),
            Ask::OnlyIf(_)
            | Ask::PutSettings(_)
            | Ask::PutQueue(_)
            | Ask::RemoveQueue { .. }
            | Ask::PutAgent(_)
            | Ask::PutApiKey(_)
            | Ask::RemoveApiKey { .. }
            | Ask::ServerBegan
            | Ask::LeaderBegan
            | Ask::NodeGone { .. }
            | Ask::SessionCame { .. }
            | Ask::SessionWent { .. }
            | Ask::SetStatus { .. }
            | Ask::SetNextStatus { .. }
            | Ask::ForceStatus { .. }
            | Ask::AgentIsIdle { .. }
            | Ask::Ready { .. }
            | Ask::SignOut { .. }
            | Ask::SignInEnded { .. }
            | Ask::ListOwn { .. }
            | Ask::Open(_)
            | Ask::Start(_)
            | Ask::DrainAgent { .. }
            | Ask::DrainQueue { .. }
            | Ask::ListWaiting { .. }
            | Ask::ListDecisions { .. }
            | Ask::SignOutCustomer { .. }
            | Ask::WhyAgent { .. }
            | Ask::Tick => {}
        }
        let Some(id) = command.id else { return };
        let (since, message_of) = self.remembered_since(command, now);
        if self.remembered.recall(command.principal, id, since) == Recall::AskTheView {
            needs.push(Need::Outcome(command.principal, id, message_of));
        }
    }

    /// What is known here of this command's id.
    pub(super) fn recall(&self, command: &Command, id: CommandId) -> Recall<'_> {
        let (since, _) = self.remembered_since(command, self.now.wall);
        self.remembered.recall(command.principal, id, since)
    }

    /// From when on this command's outcome is looked for, and the conversation whose messages know of it.
    fn remembered_since(&self, command: &Command, now: WallTime) -> (WallTime, Option<ConversationId>) {
        let kept_since = WallTime(now.0.saturating_sub(self.remembered.kept_ms()));
        // A message is remembered as long as it is there, so back to when its conversation began.
        let opened_at = |id: ConversationId| self.conversations.get(&id).map_or(WallTime(0), |held| held.opened_at);
        match &command.ask {
            Ask::Post { conversation, .. } => (opened_at(*conversation), Some(*conversation)),
            Ask::Receive(ask) => match self.threads.newest(ask.thread).or(ask.found) {
                Some(id) => (opened_at(id).min(kept_since), Some(id)),
                None => (kept_since, None),
            },
            _ => (kept_since, None),
        }
    }
}

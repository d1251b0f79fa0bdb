//! Delivery of moves, pauses and clocks: what the agents on both sides are told, and pages of what waits.

use super::deliver::Delivery;
use super::shapes::{Seen, about_of, clear_text};
use crate::desk::clocks::Clock;
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, CommandId, ConversationId, OfferId};
use crate::desk::waiting_page::WaitingPage;
use crate::wire::agent::{Cause, DeliveryShape, Done, Reply, ServerFrame, WaitingRowShape, render};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What a page of what waits takes at most: its cursor then goes on from the last row that fits.
const PAGE_BYTES_MAX: usize = 60 * 1024;

impl Delivery<'_> {
    fn name_of(&self, agent: AgentId) -> &str {
        self.desk.agent(agent).map_or("", |held| &held.profile.name)
    }

    fn gone(&self, conversation: ConversationId, cause: Cause) -> Utf8Bytes {
        let position = self.position.0;
        render(&ServerFrame::ConversationGone { position, conversation, cause, wrap_up: None, by: None })
    }

    /// To the owner: it is offered to another.
    pub(super) fn transfer_made(
        &self,
        offer: OfferId,
        conversation: ConversationId,
        agent: AgentId,
        warm: bool,
    ) -> Option<Utf8Bytes> {
        let agent = self.name_of(agent);
        Some(render(&ServerFrame::Transfer { position: self.position.0, conversation, offer, agent, warm }))
    }

    /// To who owned it: the other has answered, or not.
    pub(super) fn transfer_ended(
        &self,
        offer: OfferId,
        conversation: ConversationId,
        agent: AgentId,
        end: OfferEnd,
        reason: Option<&str>,
        warm: bool,
    ) -> Option<Utf8Bytes> {
        if end == OfferEnd::Accepted && !warm {
            return Some(self.gone(conversation, Cause::Transferred));
        }
        let (position, agent, end) = (self.position.0, self.name_of(agent), end.name());
        Some(render(&ServerFrame::TransferEnded { position, conversation, offer, agent, end, reason }))
    }

    /// To the agents who talk in it, of whoever types on the other side, or beside them.
    pub(super) fn typing(&self, conversation: ConversationId, to: &[AgentId], by: Option<AgentId>) {
        let agent = by.map(|by| self.name_of(by));
        for talker in to {
            self.registry.tell(self.number, *talker, || Some(render(&ServerFrame::Typing { conversation, agent })));
        }
    }

    /// The rest of what moves, pauses and clocks say to an agent.
    pub(super) fn moved(&self, to: AgentId, event: &Event, at: u64) -> Option<Utf8Bytes> {
        let position = self.position.0;
        Some(match event {
            Event::ConversationTransferred { conversation, .. } => self.gone(*conversation, Cause::Transferred),
            Event::ConversationTaken { conversation, from, how, .. } if *from == Some(to) => {
                self.gone(*conversation, Cause::from(*how))
            }
            Event::ConversationHandedOver { conversation, from, .. } if *from == to => {
                self.gone(*conversation, Cause::HandedOver)
            }
            Event::ConversationLeft { conversation, agent, .. } if *agent == to => {
                self.gone(*conversation, Cause::Left)
            }
            Event::ConversationLeft { conversation, agent, .. } => {
                render(&ServerFrame::Left { position, conversation: *conversation, agent: self.name_of(*agent) })
            }
            Event::NotePosted { conversation, note, author, text, after } => {
                let text = clear_text(text, self.keys);
                let (conversation, author) = (*conversation, author.map(|author| self.name_of(author)));
                let (note, after, text) = (*note, *after, text.as_str());
                render(&ServerFrame::Note { position, conversation, note, author, after, text, at })
            }
            Event::ConversationPaused { conversation, weight_percent } => render(&ServerFrame::Paused {
                position,
                conversation: *conversation,
                paused: true,
                weight_percent: *weight_percent,
            }),
            Event::ConversationWoken { conversation } => render(&ServerFrame::Paused {
                position,
                conversation: *conversation,
                paused: false,
                weight_percent: 100,
            }),
            Event::ConversationLabelled { conversation, labels, .. } => self.labelled(*conversation, labels),
            Event::ConversationDescribed { conversation, .. } => {
                let about = about_of(self.desk.conversation(*conversation)?, self.keys);
                let (name, metadata) = (about.name.as_deref(), &about.metadata);
                render(&ServerFrame::Described { position, conversation: *conversation, name, metadata })
            }
            Event::DeliveryReported { conversation, number, state, reason, .. } => {
                let (conversation, number) = (*conversation, *number);
                let delivery = DeliveryShape { state: state.name(), reason: reason.as_deref() };
                render(&ServerFrame::Delivery { position, conversation, number, delivery })
            }
            Event::ConversationRated { conversation, score, comment, before, .. } => {
                let comment = comment.as_ref().map(|comment| clear_text(comment, self.keys));
                let (conversation, score, before, comment) = (*conversation, *score, *before, comment.as_deref());
                render(&ServerFrame::Rated { position, conversation, score, before, comment })
            }
            Event::ClockSet { conversation, clock, due, .. } => {
                self.clock(*conversation, *clock, "pending", false, Some(due.0))
            }
            Event::ClockBreached { conversation, clock, .. } => {
                self.clock(*conversation, *clock, "breached", true, None)
            }
            Event::ClockEnded { conversation, clock, end, late, .. } => {
                self.clock(*conversation, *clock, end.name(), *late, None)
            }
            Event::OwnerReminded { conversation, .. } => {
                render(&ServerFrame::Reminder { position, conversation: *conversation })
            }
            Event::AgentDraining { draining, .. } => render(&ServerFrame::Draining { position, draining: *draining }),
            _ => return None,
        })
    }

    fn clock(
        &self,
        conversation: ConversationId,
        clock: Clock,
        state: &'static str,
        late: bool,
        due: Option<u64>,
    ) -> Utf8Bytes {
        let (position, clock) = (self.position.0, clock.name());
        render(&ServerFrame::Clock { position, conversation, clock, state, late, due })
    }

    /// As many rows as fit.
    pub(super) fn waiting_page(&self, id: CommandId, page: &WaitingPage) -> Utf8Bytes {
        let seen: Vec<Seen<'_>> = page
            .rows
            .iter()
            .filter_map(|row| {
                let id = row.key.conversation;
                Some(Seen::new(id, self.desk.conversation(id)?, self.keys))
            })
            .collect();
        let mut bytes = 0;
        let rows: Vec<WaitingRowShape<'_>> = page
            .rows
            .iter()
            .zip(&seen)
            .map(|(row, seen)| WaitingRowShape {
                conversation: seen.shape(self.desk),
                rule: row.rule.map(crate::desk::fits::WhyNot::name),
            })
            .take_while(|row| {
                bytes += serde_json::to_string(row).map_or(usize::MAX, |json| json.len());
                bytes <= PAGE_BYTES_MAX
            })
            .collect();
        let more = page.more || rows.len() < page.rows.len();
        let last = rows.len().checked_sub(1).filter(|_| more).map(|last| page.rows[last].key.to_string());
        let members = Done::Waiting { waiting: &rows, cursor: last.as_deref() };
        render(&ServerFrame::Reply(Reply::done(id, Some(self.position.0), members)))
    }
}

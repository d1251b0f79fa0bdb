//! What an agent holds, in the shapes of the wire: as much as fits into a frame. A program with hundreds of conversations is told
//! the rest page by page, as it asks for it.

use super::deliver::Delivery;
use super::shapes::{Seen, channel_names, offer_shape};
use crate::desk::Desk;
use crate::desk::agent::Agent;
use crate::desk::ids::{AgentId, CommandId, OfferId};
use crate::desk::offer::Offer;
use crate::desk::own::OwnCursor;
use crate::presence::Session;
use crate::seal::KeyRing;
use crate::wire::agent::{ConversationShape, Done, OfferShape, Reply, ServerFrame, SnapshotShape, render};
use serde::Serialize;

/// What a frame may hold besides: a welcome's ticket and settings.
const BESIDES_BYTES: usize = 8 * 1024;

/// Offers and conversations of one page, oldest first.
struct Page<'a> {
    offered: Vec<(OfferId, &'a Offer, Seen<'a>)>,
    owned: Vec<Seen<'a>>,
    /// Where the next one begins.
    next: Option<OwnCursor>,
}

/// Counts what lies in a page. One thing always fits, so that every page goes on from the one before.
struct Room {
    left: usize,
    is_empty: bool,
}

impl Room {
    fn of(frame_bytes_max: usize) -> Self {
        Self { left: frame_bytes_max.saturating_sub(BESIDES_BYTES), is_empty: true }
    }

    fn takes(&mut self, shape: &impl Serialize) -> bool {
        // With the comma before it.
        let bytes = serde_json::to_string(shape).map_or(usize::MAX, |json| json.len() + 1);
        let fits = bytes <= self.left || self.is_empty;
        self.is_empty = false;
        self.left = if fits { self.left.saturating_sub(bytes) } else { 0 };
        fits
    }
}

impl<'a> Page<'a> {
    fn of(desk: &'a Desk, keys: &KeyRing, held: &Agent, after: OwnCursor, frame_bytes_max: usize) -> Self {
        let mut room = Room::of(frame_bytes_max);
        let mut told = after;
        let mut page = Page { offered: Vec::new(), owned: Vec::new(), next: None };
        for id in held.offers.iter().filter(|id| **id > after.offer) {
            let Some(offer) = desk.offer(*id) else { continue };
            let Some(conversation) = desk.conversation(offer.conversation) else { continue };
            let seen = Seen::new(offer.conversation, conversation, keys);
            if !room.takes(&offer_shape(*id, offer, &seen, desk)) {
                page.next = Some(told);
                return page;
            }
            told.offer = *id;
            page.offered.push((*id, offer, seen));
        }
        for id in held.conversations.iter().filter(|id| **id > after.conversation) {
            let Some(conversation) = desk.conversation(*id) else { continue };
            let seen = Seen::new(*id, conversation, keys);
            if !room.takes(&seen.shape(desk)) {
                page.next = Some(told);
                return page;
            }
            told.conversation = *id;
            page.owned.push(seen);
        }
        page
    }

    fn shapes(&'a self, desk: &'a Desk) -> (Vec<OfferShape<'a>>, Vec<ConversationShape<'a>>) {
        let offers = self.offered.iter().map(|(id, offer, seen)| offer_shape(*id, offer, seen, desk)).collect();
        (offers, self.owned.iter().map(|seen| seen.shape(desk)).collect())
    }
}

/// An agent's own state, for whoever writes it into a frame.
pub fn with_snapshot<R>(
    desk: &Desk,
    keys: &KeyRing,
    agent: AgentId,
    frame_bytes_max: usize,
    write: impl FnOnce(SnapshotShape<'_>) -> R,
) -> Option<R> {
    let held = desk.agent(agent)?;
    let settings = desk.settings();
    let status = settings.statuses.get(usize::from(held.status.0))?;
    let page = Page::of(desk, keys, held, OwnCursor::default(), frame_bytes_max);
    let (offers, conversations) = page.shapes(desk);
    let cursor = page.next.map(|next| next.to_string());
    let next_status = held.next_status.and_then(|status| settings.statuses.get(usize::from(status.0)));
    Some(write(SnapshotShape {
        status: &status.name,
        available: status.available,
        channels: &channel_names(settings, held.channels),
        connection: held.connection.name(),
        offers: &offers,
        conversations: &conversations,
        next_status: next_status.map(|status| &*status.name),
        draining: held.draining,
        cursor: cursor.as_deref(),
    }))
}

impl Delivery<'_> {
    /// The page behind a cursor of what an agent holds, as a reply.
    pub(super) fn own_page(&self, session: &Session, id: CommandId, agent: AgentId, after: OwnCursor) {
        let Some(held) = self.desk.agent(agent) else { return };
        let page = Page::of(self.desk, self.keys, held, after, self.limits.frame_bytes_max);
        let (offers, conversations) = page.shapes(self.desk);
        let cursor = page.next.map(|next| next.to_string());
        let members = Done::Own { offers: &offers, conversations: &conversations, cursor: cursor.as_deref() };
        session.reply(render(&ServerFrame::Reply(Reply::done(id, Some(self.position.0), members))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_what_fits_and_always_one() {
        let mut room = Room::of(BESIDES_BYTES + 12);
        assert!(room.takes(&"1234567"), "nine bytes and a comma");
        assert!(!room.takes(&"1"));
        assert!(!room.takes(&""), "what came behind one that did not fit would be passed over");
        assert!(Room::of(0).takes(&"a thing larger than the frame"));
    }
}

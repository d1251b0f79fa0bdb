//! A workspace's entities in the shapes of the wire, unsealed for those who may read them.

use super::deliver_labels::labels_shape;
use crate::desk::Desk;
use crate::desk::command::Author;
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::OfferEnd;
use crate::desk::files::Attached;
use crate::desk::ids::{ConversationId, OfferId};
use crate::desk::offer::{Delivery, Offer};
use crate::desk::settings::Settings;
use crate::desk::wrapping::{OPEN_ENDED, WrapUpEnds};
use crate::seal::{KeyRing, Sealed};
use crate::wire::about::About;
use crate::wire::agent::{ClockShape, ConversationShape, OfferShape, TransferShape, WrapUpShape};
use crate::wire::files::FileShape;
use crate::wire::labels::LabelsShape;

/// The contexts that texts and abouts are sealed for.
pub const TEXT: &[u8] = b"text";
pub const ABOUT: &[u8] = b"about";
pub const FILE_NAME: &[u8] = b"file name";

/// Stands for a text whose customer was erased, or whose key cannot be read now.
const ERASED: &str = "";

/// A conversation with what is known of its customer.
pub struct Seen<'a> {
    id: ConversationId,
    conversation: &'a Conversation,
    about: About,
    labels: Option<LabelsShape>,
}

impl<'a> Seen<'a> {
    #[must_use]
    pub fn new(id: ConversationId, conversation: &'a Conversation, keys: &KeyRing) -> Self {
        let labels = conversation.labels.as_deref().map(|labels| labels_shape(labels, keys));
        Self { id, conversation, about: about_of(conversation, keys), labels }
    }

    #[must_use]
    pub fn shape(&'a self, desk: &'a Desk) -> ConversationShape<'a> {
        let settings = desk.settings();
        let held = self.conversation;
        let wrap_up = wrap_up_shape(desk, held);
        ConversationShape {
            conversation: self.id,
            state: held.state.name(),
            channel: channel_name(settings, held),
            queue: desk.queue(held.queue).map_or("", |queue| &queue.settings.name),
            priority: held.priority,
            skills: &held.skills,
            customer: held.customer,
            known: self.about.known,
            name: self.about.name.as_deref(),
            metadata: &self.about.metadata,
            opened_at: held.opened_at.0,
            waiting_since: held.waiting_since.0,
            last_number: held.last_number,
            read_by_agent: held.read_by_agent,
            read_by_customer: held.read_by_customer,
            owner: held.state.owner().and_then(|owner| desk.agent(owner)).map(|agent| &*agent.profile.name),
            wrap_up_left_ms: wrap_up.map_or(0, |(left_ms, _)| left_ms),
            wrap_up: wrap_up.map(|(_, shape)| shape),
            joined: held.joined().and_then(|agent| desk.agent(agent)).map(|agent| &*agent.profile.name),
            message: held.spell.message,
            paused_weight_percent: held.paused(),
            clocks: held.clocks().iter().map(ClockShape::from).collect(),
            transfer_to: held.transfer().and_then(|_| to_whom(held, desk)),
            labels: self.labels.as_ref(),
        }
    }
}

/// The time that wrap-up has left (0 where no time ends it), and what it is like.
#[must_use]
pub fn wrap_up_shape(desk: &Desk, held: &Conversation) -> Option<(u64, WrapUpShape)> {
    let State::WrapUp { until, blocks, extensions, .. } = held.state else { return None };
    let terms = desk.wrap_up_terms(held);
    let (ends, left_ms) = match until {
        OPEN_ENDED => (WrapUpEnds::WhenDone, 0),
        until => (WrapUpEnds::Timed, until.ms_since(desk.now().desk)),
    };
    let extensions_left = if until == OPEN_ENDED { 0 } else { terms.extensions_max.saturating_sub(extensions) };
    Some((left_ms, WrapUpShape { ends, blocks, extensions_left }))
}

/// To whom its owner is giving it.
fn to_whom<'a>(held: &Conversation, desk: &'a Desk) -> Option<&'a str> {
    let to = held.offers.first()?.agent;
    desk.agent(to).map(|agent| &*agent.profile.name)
}

fn channel_name<'a>(settings: &'a Settings, held: &Conversation) -> &'a str {
    settings.channels.get(usize::from(held.channel.0)).map_or("", |channel| &channel.name)
}

/// What is known of a conversation's customer; nothing when it was erased.
#[must_use]
pub fn about_of(conversation: &Conversation, keys: &KeyRing) -> About {
    let Some(sealed) = &conversation.about else { return About::default() };
    let clear = keys.unseal(ABOUT, &Sealed(sealed.as_ref().into()));
    clear.ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// The text of a message; empty when its customer was erased. What the workspace itself said is in the clear.
#[must_use]
pub fn text_of(author: Author, text: &str, keys: &KeyRing) -> String {
    if !author.is_sealed() {
        return text.to_owned();
    }
    clear_text(text, keys)
}

/// The files of a message; without names when its customer was erased.
#[must_use]
pub fn files_of(files: &[Attached], keys: &KeyRing) -> Vec<FileShape> {
    let name = |file: &Attached| keys.unseal(FILE_NAME, &Sealed(file.name.as_ref().into()));
    let clear = |file: &Attached| name(file).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    files.iter().map(|file| FileShape::of(file, clear(file))).collect()
}

/// A text that was sealed; empty when its customer was erased.
#[must_use]
pub fn clear_text(text: &str, keys: &KeyRing) -> String {
    let clear = keys.unseal(TEXT, &Sealed(text.into()));
    clear.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| ERASED.into())
}

#[must_use]
pub fn offer_shape<'a>(id: OfferId, offer: &Offer, seen: &'a Seen<'a>, desk: &'a Desk) -> OfferShape<'a> {
    let now = desk.now().desk;
    let deliver_left_ms = match offer.delivery {
        Delivery::Awaited { by } => by.ms_since(now),
        Delivery::Stopped { left_ms } => left_ms,
        Delivery::Confirmed { .. } => 0,
    };
    OfferShape {
        offer: id,
        conversation: seen.shape(desk),
        left_ms: offer.ends_at.ms_since(now),
        delivered: offer.is_delivered(),
        deliver_left_ms,
        auto_accept_left_ms: auto_accept_left_ms(offer, desk),
        transfer: seen.conversation.transfer().and_then(|transfer| {
            let from = &desk.agent(transfer.from)?.profile.name;
            Some(TransferShape { from, warm: transfer.warm })
        }),
    }
}

/// How long until it is accepted by itself, where it is.
#[must_use]
pub fn auto_accept_left_ms(offer: &Offer, desk: &Desk) -> Option<u64> {
    let (at, end) = offer.due();
    (end == OfferEnd::Accepted).then(|| at.ms_since(desk.now().desk))
}

/// Names of the channels that an agent has switched on.
#[must_use]
pub fn channel_names(settings: &Settings, bits: u16) -> Vec<&str> {
    let on = settings.channels.iter().enumerate().filter(|(place, _)| bits & 1 << place != 0);
    on.map(|(_, channel)| &*channel.name).collect()
}

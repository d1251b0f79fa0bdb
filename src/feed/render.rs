//! A desk's event as those outside are told it. Every event is here, and by name: a new one must be thought of.

use super::names::Names;
use super::render_conversations::{actor, imported, labelled, message, opened, skills, transfer};
use crate::desk::command::Author as DeskAuthor;
use crate::desk::event::Event;
use crate::desk::time::Now;
use crate::engine::published::{queue_title, title_of};
use crate::wire::feed as said;
use crate::wire::feed::{Fact, Word};
use serde::Serialize;

/// A word of the journal's, which never changes there.
fn word(cause: impl Serialize) -> Word {
    match serde_json::to_value(cause) {
        Ok(serde_json::Value::String(word)) => Word::Owned(word),
        _ => Word::Borrowed("other"),
    }
}

/// As of the record that it is in. `None`: it is told with another.
#[must_use]
pub fn fact(event: Event, now: Now, names: &Names<'_>) -> Option<Fact> {
    Some(match event {
        Event::ConversationImported { conversation, part: 1, held } => imported(conversation, &held, names),
        Event::ConversationImported { .. } | Event::MessageImported { .. } | Event::NoteImported { .. } => return None,
        Event::SettingsChanged { settings: _ } => Fact::SettingsChanged(said::SettingsChanged {}),
        Event::QueuePut { queue, settings } => Fact::QueuePut(said::QueuePut {
            queue: settings.name.clone(),
            queue_id: queue.to_string(),
            title: queue_title(&settings),
        }),
        Event::QueueRemoved { queue, name } => Fact::QueueRemoved(said::QueueRemoved {
            queue: name.unwrap_or_else(|| names.queue(queue)),
            queue_id: queue.to_string(),
        }),
        Event::AgentPut { agent: _, profile } => Fact::AgentPut(said::AgentPut {
            agent: profile.name.clone(),
            title: title_of(&profile),
            program: profile.program,
            active: profile.active,
        }),
        Event::ApiKeyPut { key } => {
            Fact::ApiKeyPut(said::ApiKeyPut { api_key: key.id, name: key.name, scopes: key.scopes })
        }
        Event::ApiKeyRemoved { id } => Fact::ApiKeyRemoved(said::ApiKeyRemoved { api_key: id }),

        Event::ServerBegan { grace_until, offer_grace_until: _ } => {
            Fact::WorkspaceBegan(said::WorkspaceBegan { grace_ms: grace_until.ms_since(now.desk) })
        }
        Event::NodeGone { node: _, reconnecting, grace_until, offer_grace_until: _ } => {
            let agents = reconnecting.into_iter().map(|agent| names.agent(agent)).collect();
            Fact::AgentsReconnecting(said::AgentsReconnecting { agents, grace_ms: grace_until.ms_since(now.desk) })
        }
        Event::SessionCame { agent, session } => {
            Fact::AgentConnected(said::AgentConnected { agent: names.agent(agent), session: session.to_string() })
        }
        Event::SessionWent { agent, session } => {
            Fact::AgentDisconnected(said::AgentDisconnected { agent: names.agent(agent), session: session.to_string() })
        }
        Event::AgentReconnecting { agent, grace_until, offer_grace_until: _ } => {
            let grace_ms = grace_until.ms_since(now.desk);
            Fact::AgentReconnecting(said::AgentReconnecting { agent: names.agent(agent), grace_ms })
        }
        Event::AgentUnreachable { agent } => {
            Fact::AgentUnreachable(said::AgentUnreachable { agent: names.agent(agent) })
        }
        Event::AgentReachable { agent } => Fact::AgentReachable(said::AgentReachable { agent: names.agent(agent) }),
        Event::AgentOffline { agent, status, cause } => Fact::AgentOffline(said::AgentOffline {
            agent: names.agent(agent),
            status: names.status(status).0,
            cause: word(cause),
        }),
        Event::StatusChanged { agent, status, channels, cause, by } => {
            let (status, available) = names.status(status);
            Fact::AgentStatusChanged(said::AgentStatusChanged {
                agent: names.agent(agent),
                status,
                available,
                channels: names.channels(channels),
                cause: cause.name().into(),
                by: by.map(|by| actor(by, names)),
            })
        }
        Event::NextStatusSet { agent, status } => Fact::AgentNextStatusSet(said::AgentNextStatusSet {
            agent: names.agent(agent),
            status: status.map(|status| names.status(status).0),
        }),
        Event::AgentDraining { agent, draining } => {
            Fact::AgentDraining(said::AgentDraining { agent: names.agent(agent), draining })
        }

        Event::OfferMade { offer, conversation, agent, ends_at, deliver_by, transfer: by, queue } => {
            Fact::OfferMade(said::OfferMade {
                offer: offer.to_string(),
                conversation: conversation.to_string(),
                agent: names.agent(agent),
                queue: queue.map(|queue| names.queue(queue)),
                ends_in_ms: ends_at.ms_since(now.desk),
                deliver_in_ms: deliver_by.ms_since(now.desk),
                transfer: by.map(|by| transfer(by, names)),
            })
        }
        Event::OfferDelivered { offer, accepts_at, of } => Fact::OfferDelivered(said::OfferDelivered {
            offer: offer.to_string(),
            conversation: of.map(|of| of.conversation.to_string()),
            agent: of.map(|of| names.agent(of.agent)),
            queue: of.map(|of| names.queue(of.queue)),
            accepts_in_ms: accepts_at.map(|at| at.ms_since(now.desk)),
        }),
        Event::OfferEnded {
            offer,
            conversation,
            agent,
            end,
            reason,
            cool_down_until: _,
            public: _,
            transfer: by,
            queue,
        } => Fact::OfferEnded(said::OfferEnded {
            offer: offer.to_string(),
            conversation: conversation.to_string(),
            agent: names.agent(agent),
            queue: queue.map(|queue| names.queue(queue)),
            end: end.name().into(),
            reason,
            transfer: by.map(|by| transfer(by, names)),
        }),
        Event::DecisionWanted { decision, conversation, agent, until } => Fact::DecisionWanted(said::DecisionWanted {
            decision: decision.to_string(),
            conversation: conversation.to_string(),
            agent: names.agent(agent),
            within_ms: until.ms_since(now.desk),
        }),
        Event::DecisionEnded { decision, conversation, end, agent, by } => Fact::DecisionEnded(said::DecisionEnded {
            decision: decision.to_string(),
            conversation: conversation.to_string(),
            end: end.name().into(),
            agent: agent.map(|agent| names.agent(agent)),
            by,
        }),

        opening @ Event::ConversationOpened { .. } => opened(opening, now, names),
        posted @ Event::MessagePosted { .. } => message(posted, names),
        Event::ConversationLabelled { conversation, by, labels } => labelled(conversation, by, &labels, names),
        Event::MessagesRead { conversation, reader, number } => Fact::MessagesRead(said::MessagesRead {
            conversation: conversation.to_string(),
            reader: author(reader, names),
            number,
        }),
        Event::NotePosted { conversation, note, author, text, after } => Fact::NotePosted(said::NotePosted {
            conversation: conversation.to_string(),
            note,
            author: author.map(|author| names.agent(author)),
            after,
            text: names.text(&text),
        }),
        Event::ConversationRequeued { conversation, from, waiting_since, public: _, cause, cool_down_until: _ } => {
            Fact::ConversationRequeued(said::ConversationRequeued {
                conversation: conversation.to_string(),
                from: names.agent(from),
                waiting_since: waiting_since.0,
                cause: word(cause),
            })
        }
        Event::ConversationTransferred {
            conversation,
            from,
            queue,
            skills: required,
            waiting_since,
            by,
            cool_down_until: _,
            public: _,
        } => Fact::ConversationTransferred(said::ConversationTransferred {
            conversation: conversation.to_string(),
            from: names.agent(from),
            queue: names.queue(queue),
            skills: skills(required),
            waiting_since: waiting_since.0,
            by: actor(by, names),
        }),
        Event::ConversationTaken { conversation, from, to, how, by, forced, public: _ } => {
            Fact::ConversationTaken(said::ConversationTaken {
                conversation: conversation.to_string(),
                from: from.map(|from| names.agent(from)),
                to: names.agent(to),
                how: how.name().into(),
                by: actor(by, names),
                forced,
            })
        }
        Event::ConversationHandedOver { conversation, from, to, public: _ } => {
            Fact::ConversationHandedOver(said::ConversationHandedOver {
                conversation: conversation.to_string(),
                from: names.agent(from),
                to: names.agent(to),
            })
        }
        Event::ConversationLeft { conversation, agent, public: _ } => Fact::ConversationLeft(said::ConversationLeft {
            conversation: conversation.to_string(),
            agent: names.agent(agent),
        }),
        Event::ConversationMoved { conversation, queue, skills: required, moves, public: _, by } => {
            Fact::ConversationMoved(said::ConversationMoved {
                conversation: conversation.to_string(),
                queue: names.queue(queue),
                skills: skills(required),
                moves,
                by: by.map(|by| actor(by, names)),
            })
        }
        Event::PriorityRaised { conversation, priority, raised: _ } => {
            let conversation = conversation.to_string();
            Fact::ConversationPriorityRaised(said::ConversationPriorityRaised { conversation, priority })
        }
        Event::RingReached { conversation, ring } => {
            let conversation = conversation.to_string();
            Fact::ConversationRingReached(said::ConversationRingReached { conversation, ring })
        }
        Event::StayedAtClosing { conversation } => {
            let conversation = conversation.to_string();
            Fact::ConversationStayedAtClosing(said::ConversationStayedAtClosing { conversation })
        }
        Event::ConversationPaused { conversation, weight_percent } => {
            let conversation = conversation.to_string();
            Fact::ConversationPaused(said::ConversationPaused { conversation, weight_percent })
        }
        Event::ConversationWoken { conversation } => {
            Fact::ConversationWoken(said::ConversationWoken { conversation: conversation.to_string() })
        }
        Event::OwnerVanished { conversation, requeue_at } => {
            let requeue_in_ms = requeue_at.map(|at| at.ms_since(now.desk));
            let conversation = conversation.to_string();
            Fact::ConversationOwnerVanished(said::ConversationOwnerVanished { conversation, requeue_in_ms })
        }
        Event::OwnerReturned { conversation } => {
            let conversation = conversation.to_string();
            Fact::ConversationOwnerReturned(said::ConversationOwnerReturned { conversation })
        }
        Event::OwnerReminded { conversation, owner } => {
            let (conversation, owner) = (conversation.to_string(), names.agent(owner));
            Fact::ConversationOwnerReminded(said::ConversationOwnerReminded { conversation, owner })
        }
        Event::ConversationDescribed { conversation, about } => {
            let (conversation, about) = (conversation.to_string(), names.about(Some(&about)));
            Fact::ConversationDescribed(said::ConversationDescribed { conversation, about })
        }
        ended @ Event::ConversationEnded { .. } => super::render_conversations::ended(ended, now, names),
        Event::ConversationReopened { conversation, was: _, queue, owner, waiting_since, public: _, wished: _ } => {
            Fact::ConversationReopened(said::ConversationReopened {
                conversation: conversation.to_string(),
                queue: names.queue(queue),
                owner: owner.map(|owner| names.agent(owner)),
                waiting_since: waiting_since.0,
            })
        }
        Event::WrapUpExtended { conversation, wrap_up_until } => Fact::WrapUpExtended(said::WrapUpExtended {
            conversation: conversation.to_string(),
            ends_in_ms: wrap_up_until.ms_since(now.desk),
        }),
        Event::WrapUpEnded { conversation, owner, cause, by } => Fact::WrapUpEnded(said::WrapUpEnded {
            conversation: conversation.to_string(),
            owner: names.agent(owner),
            cause: word(cause),
            by: by.map(|by| names.agent(by)),
        }),
        Event::DeliveryReported { conversation, number, state, reason, was: _ } => {
            let (conversation, state) = (conversation.to_string(), state.name().into());
            Fact::MessageDelivery(said::MessageDelivery { conversation, number, state, reason })
        }
        Event::ConversationRated { conversation, score, comment, before, was: _ } => {
            Fact::RatingGiven(said::RatingGiven {
                conversation: conversation.to_string(),
                score,
                before,
                comment: comment.and_then(|sealed| names.text(&sealed)),
            })
        }

        Event::ClockSet { conversation, clock, queue, since, due } => Fact::ClockSet(said::ClockSet {
            conversation: conversation.to_string(),
            clock: clock.name().into(),
            queue: names.queue(queue),
            since: since.0,
            due: due.0,
        }),
        Event::ClockBreached { conversation, clock, queue } => Fact::ClockBreached(said::ClockBreached {
            conversation: conversation.to_string(),
            clock: clock.name().into(),
            queue: names.queue(queue),
        }),
        Event::ClockEnded { conversation, clock, queue, end, late, took_ms } => Fact::ClockEnded(said::ClockEnded {
            conversation: conversation.to_string(),
            clock: clock.name().into(),
            queue: names.queue(queue),
            end: end.name().into(),
            late,
            took_ms,
        }),
        Event::HoursTurned { hours, open, until, beyond } => {
            let until = (!beyond).then_some(until.0);
            Fact::HoursTurned(said::HoursTurned { hours, open, until })
        }
        Event::CustomerMerged { from, into, conversations } => Fact::CustomerMerged(said::CustomerMerged {
            from: from.to_string(),
            into: into.to_string(),
            conversations: conversations.iter().map(ToString::to_string).collect(),
        }),
        Event::CustomerSignedOut { customer } => {
            Fact::CustomerSignedOut(said::CustomerSignedOut { customer: customer.to_string() })
        }
    })
}

pub(super) fn author(author: DeskAuthor, names: &Names<'_>) -> said::Author {
    match author {
        DeskAuthor::Agent(agent) => said::Author::Agent(names.agent(agent)),
        DeskAuthor::Customer(customer) => said::Author::Customer(customer.to_string()),
        DeskAuthor::System(notice) => said::Author::System(notice.name().into()),
    }
}

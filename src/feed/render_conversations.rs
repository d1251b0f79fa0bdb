//! What a conversation begins with, what is said in it, how it is labelled and how it ends, as those outside are told.

use super::names::Names;
use super::render::author;
use crate::desk::command::{Author, Closer};
use crate::desk::conversation::Conversation;
use crate::desk::event::{Event, RequiredSkill};
use crate::desk::ids::ConversationId;
use crate::desk::labels::{FieldValue, Labels};
use crate::desk::moves::{Mover, Transfer};
use crate::desk::time::Now;
use crate::desk::wrapping::OPEN_ENDED;
use crate::wire::feed as said;
use crate::wire::feed::Fact;
use serde_json::Value;

/// # Panics
/// For another event: the one caller has matched it.
pub(super) fn opened(event: Event, now: Now, names: &Names<'_>) -> Fact {
    let Event::ConversationOpened {
        conversation,
        customer,
        key: _,
        channel,
        queue,
        priority,
        skills: required,
        about,
        public: _,
        waiting_since,
        wishes: _,
        left,
        message,
        thread: _,
    } = event
    else {
        unreachable!("the caller has matched it")
    };
    Fact::ConversationOpened(said::ConversationOpened {
        conversation: conversation.to_string(),
        customer: customer.to_string(),
        channel: names.channel(channel),
        queue: names.queue(queue),
        priority,
        skills: skills(required),
        waiting_since: waiting_since.unwrap_or(now.wall).0,
        left,
        message,
        about: names.about(about.as_deref()),
    })
}

pub(super) fn imported(conversation: ConversationId, held: &Conversation, names: &Names<'_>) -> Fact {
    Fact::ConversationImported(said::ConversationImported {
        conversation: conversation.to_string(),
        customer: held.customer.to_string(),
        channel: names.channel(held.channel),
        queue: names.queue(held.queue),
        owner: held.last_owner().map(|owner| names.agent(owner)),
        opened_at: held.opened_at.0,
        ended_at: held.ended_at.0,
        about: names.about(held.about.as_deref()),
    })
}

/// # Panics
/// As `opened`.
pub(super) fn message(event: Event, names: &Names<'_>) -> Fact {
    let Event::MessagePosted { conversation, number, author: by, text, public: _, files } = event else {
        unreachable!("the caller has matched it")
    };
    let shown = |file: &crate::desk::files::Attached| said::File {
        file: file.file.to_string(),
        name: names.file_name(&file.name),
        kind: file.kind.clone(),
        bytes: file.bytes,
    };
    Fact::MessagePosted(said::MessagePosted {
        conversation: conversation.to_string(),
        number,
        author: author(by, names),
        text: match by {
            // Of its settings, in the clear, and nobody's personal data.
            Author::System(_) => Some(text.as_ref().to_owned()),
            Author::Agent(_) | Author::Customer(_) => names.text(&text),
        },
        files: files.iter().map(shown).collect(),
    })
}

/// # Panics
/// As `opened`.
pub(super) fn ended(event: Event, now: Now, names: &Names<'_>) -> Fact {
    let Event::ConversationEnded { conversation, by, owner, wrap_up_until, public: _, blocks: _ } = event else {
        unreachable!("the caller has matched it")
    };
    let timed = wrap_up_until.filter(|until| *until != OPEN_ENDED);
    Fact::ConversationEnded(said::ConversationEnded {
        conversation: conversation.to_string(),
        by: match by {
            Closer::Agent(agent) => said::Closer::Agent(names.agent(agent)),
            Closer::Supervisor(agent) => said::Closer::Supervisor(names.agent(agent)),
            Closer::Customer(customer) => said::Closer::Customer(customer.to_string()),
            Closer::Admin => said::Closer::Admin,
            Closer::System => said::Closer::System,
        },
        owner: owner.map(|owner| names.agent(owner)),
        wrap_up: wrap_up_until.is_some(),
        wrap_up_ms: timed.map(|until| until.ms_since(now.desk)),
    })
}

pub(super) fn labelled(conversation: ConversationId, by: Mover, labels: &Labels, names: &Names<'_>) -> Fact {
    let clear = |value: &FieldValue| match value {
        FieldValue::Sealed(sealed) => names.value(sealed),
        plain => {
            let json = plain.plain().map(|(_, plain)| plain.json());
            json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or(Value::Null)
        }
    };
    Fact::ConversationLabelled(said::ConversationLabelled {
        conversation: conversation.to_string(),
        by: actor(by, names),
        disposition: labels.disposition.clone(),
        tags: labels.tags.iter().cloned().collect(),
        fields: labels.fields.iter().map(|(name, value)| (name.clone(), clear(value))).collect(),
    })
}

pub(super) fn actor(mover: Mover, names: &Names<'_>) -> said::Actor {
    match mover {
        Mover::Agent(agent) => said::Actor::Agent(names.agent(agent)),
        Mover::Supervisor(agent) => said::Actor::Supervisor(names.agent(agent)),
        Mover::Admin => said::Actor::Admin,
    }
}

pub(super) fn transfer(transfer: Transfer, names: &Names<'_>) -> said::Transfer {
    said::Transfer { from: names.agent(transfer.from), warm: transfer.warm }
}

pub(super) fn skills(required: Vec<RequiredSkill>) -> Vec<said::Skill> {
    required.into_iter().map(|skill| said::Skill { name: skill.name, level: skill.level }).collect()
}

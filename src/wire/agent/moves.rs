//! Frames by which conversations change hands, and by which agents and queues drain: each read into what the desk is asked.

use super::from_client::{AgentFrame, cursor, limit, put, short};
use crate::desk::conversation::WaitKey;
use crate::desk::ids::CustomerId;
use crate::desk::moves::Deed;
use crate::desk::queue_moves::Draining;
use crate::desk::time::WallTime;
use crate::wire::error::{Code, WireError};
use crate::wire::fields::{Fields, missing};
use std::sync::Arc;

/// Who is to take nothing new.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Drained {
    Agent { agent: Arc<str>, on: bool },
    Queue { queue: Arc<str>, draining: Option<Draining> },
}

/// A conversation that an agent begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartFrame {
    pub customer: CustomerId,
    pub queue: Arc<str>,
    pub channel: Arc<str>,
    pub text: Option<String>,
}

/// The frame of this type, if it is one of moves.
pub(super) fn read(
    name: &str,
    fields: &mut Fields<'_>,
    text_bytes_max: usize,
) -> Result<Option<AgentFrame>, WireError> {
    let deed = match name {
        "transfer" => transfer(fields)?,
        "cancel_transfer" => Deed::CancelTransfer,
        "hand_over" => Deed::HandOver,
        "leave" => Deed::Leave,
        "pick" => Deed::Pick,
        "claim" => assign(fields, None)?,
        "reassign" => {
            let to = short(fields, "agent")?;
            assign(fields, Some(to))?
        }
        "waiting" => {
            let queue = short(fields, "queue")?;
            let after = cursor(fields)?.map(|text| text.parse::<WaitKey>()).transpose();
            let after =
                after.map_err(|()| WireError::new(Code::BadCursor, "the cursor is not one of ours").at("cursor"))?;
            return Ok(Some(AgentFrame::Waiting { queue, after, limit: limit(fields, 50)? }));
        }
        "note" => {
            let conversation = fields.id("conversation")?;
            let text = fields.some_text("text", text_bytes_max)?.into_owned();
            return Ok(Some(AgentFrame::Note { conversation, text }));
        }
        "notes" => {
            let conversation = fields.id("conversation")?;
            let after = fields.number("after")?.unwrap_or(0);
            return Ok(Some(AgentFrame::Notes { conversation, after, limit: limit(fields, 50)? }));
        }
        "start" => {
            let start = StartFrame {
                customer: fields.id("customer")?,
                queue: short(fields, "queue")?,
                channel: optional(fields, "channel")?.unwrap_or_else(|| "chat".into()),
                text: fields.text("text", text_bytes_max)?.map(std::borrow::Cow::into_owned),
            };
            if start.text.as_ref().is_some_and(String::is_empty) {
                return Err(WireError::new(Code::BadField, "text is empty").at("text"));
            }
            return Ok(Some(AgentFrame::Start(Box::new(start))));
        }
        "drain" => return Ok(Some(AgentFrame::Drain(drain(fields)?))),
        _ => return Ok(None),
    };
    Ok(Some(AgentFrame::Move { conversation: fields.id("conversation")?, deed }))
}

fn optional(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Arc<str>>, WireError> {
    let text = fields.text(name, crate::desk::settings::NAME_BYTES_MAX)?;
    Ok(text.map(Arc::from))
}

fn transfer(fields: &mut Fields<'_>) -> Result<Deed, WireError> {
    match (optional(fields, "agent")?, optional(fields, "queue")?) {
        (Some(agent), None) => Ok(Deed::TransferToAgent { agent, warm: fields.flag("warm")?.unwrap_or(false) }),
        (None, Some(queue)) => {
            let waiting_since = fields.milliseconds("waiting_since")?.map(WallTime);
            Ok(Deed::TransferToQueue { queue, waiting_since })
        }
        (None, None) => Err(missing("agent")),
        (Some(_), Some(_)) => Err(WireError::new(Code::BadField, "either agent or queue").at("queue")),
    }
}

fn assign(fields: &mut Fields<'_>, to: Option<Arc<str>>) -> Result<Deed, WireError> {
    let expected_owner = optional(fields, "expected_owner")?;
    Ok(Deed::Assign { to, expected_owner, force: fields.flag("force")?.unwrap_or(false) })
}

fn drain(fields: &mut Fields<'_>) -> Result<Drained, WireError> {
    let on = fields.flag("on")?.ok_or_else(|| missing("on"))?;
    match (optional(fields, "agent")?, optional(fields, "queue")?) {
        (Some(agent), None) => Ok(Drained::Agent { agent, on }),
        (None, Some(queue)) => {
            let to = optional(fields, "to")?;
            Ok(Drained::Queue { queue, draining: on.then_some(Draining { to }) })
        }
        (None, None) => Err(missing("agent")),
        (Some(_), Some(_)) => Err(WireError::new(Code::BadField, "either agent or queue").at("queue")),
    }
}

/// `type` on the wire.
pub(super) fn name_of(deed: &Deed) -> &'static str {
    match deed {
        Deed::TransferToAgent { .. } | Deed::TransferToQueue { .. } => "transfer",
        Deed::CancelTransfer => "cancel_transfer",
        Deed::HandOver => "hand_over",
        Deed::Leave => "leave",
        Deed::Pick => "pick",
        Deed::Assign { to: None, .. } => "claim",
        Deed::Assign { to: Some(_), .. } => "reassign",
    }
}

/// The parts of a fingerprint.
pub(super) fn put_deed(body: &mut Vec<u8>, deed: &Deed) {
    match deed {
        Deed::TransferToAgent { agent, warm } => {
            put(body, b"agent");
            put(body, agent.as_bytes());
            body.push(u8::from(*warm));
        }
        Deed::TransferToQueue { queue, waiting_since } => {
            put(body, b"queue");
            put(body, queue.as_bytes());
            put(body, &waiting_since.map_or(0, |since| since.0).to_be_bytes());
        }
        Deed::CancelTransfer | Deed::HandOver | Deed::Leave | Deed::Pick => {}
        Deed::Assign { to, expected_owner, force } => {
            put(body, to.as_deref().unwrap_or_default().as_bytes());
            put(body, expected_owner.as_deref().unwrap_or_default().as_bytes());
            body.push(u8::from(*force));
        }
    }
}

pub(super) fn put_start(body: &mut Vec<u8>, start: &StartFrame) {
    put(body, &start.customer.0.to_be_bytes());
    put(body, start.queue.as_bytes());
    put(body, start.channel.as_bytes());
    put(body, start.text.as_deref().unwrap_or_default().as_bytes());
}

pub(super) fn put_drained(body: &mut Vec<u8>, drained: &Drained) {
    match drained {
        Drained::Agent { agent, on } => {
            put(body, b"agent");
            put(body, agent.as_bytes());
            body.push(u8::from(*on));
        }
        Drained::Queue { queue, draining } => {
            put(body, b"queue");
            put(body, queue.as_bytes());
            body.push(u8::from(draining.is_some()));
            let to = draining.as_ref().and_then(|draining| draining.to.as_deref());
            put(body, to.unwrap_or_default().as_bytes());
        }
    }
}

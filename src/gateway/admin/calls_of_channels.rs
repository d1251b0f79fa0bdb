//! What a service asks that carries messages for a channel of the workspace's own. Each call with its handler.

use super::asker::Scope;
use super::calls::{AT, of};
use super::{Shared, channel};
use crate::gateway::http::calls::Calls;
use crate::wire::channel_schema;
use crate::wire::error::Code;
use serde_json::json;

pub(super) fn channels(calls: Calls<Shared>) -> Calls<Shared> {
    let at = |rest: &str| format!("{AT}/channel/{{channel}}{rest}");
    let message = json!({"customer": {"id": "zoe@example.org", "name": "Zoë", "email": "zoe@example.org"}, "thread": "invoice 1007", "text": "It is wrong."});
    let received = json!({"conversation": "c17", "number": 1, "at": 1_700_000_000_000_u64, "started": true});
    calls
        .post(
            &at("/messages"),
            channel::receive,
            of(Scope::Channel, "receive_message", "Hands in what a customer wrote elsewhere")
                .says("It goes on in the open conversation of its thread, reopens one, or begins one. `Idempotency-Key` may be the message's own id: 1 to 255 visible characters.")
                .once()
                .takes_as(channel_schema::message, message)
                .gives::<channel::Received>(201, "It is kept", Some(received))
                .may(&[Code::BadField, Code::NoSuchChannel, Code::NoSuchQueue, Code::QueueFull, Code::NobodyThere])
                .may(&[Code::QueueClosed, Code::QueueDraining, Code::Behind, Code::Quota]),
        )
        .post(
            &at("/conversations/{conversation}/messages/{number}/delivery"),
            channel::report,
            of(Scope::Channel, "report_delivery", "Says what became of a message to a customer")
                .says("A state only goes forward: one that says less than is known changes nothing.")
                .takes_as(channel_schema::delivery, json!({"state": "failed", "reason": "no such number"}))
                .gives_nothing(204, "It is known")
                .may(&[Code::NoSuchConversation, Code::NoSuchMessage, Code::DeliveryOver, Code::BadField]),
        )
}

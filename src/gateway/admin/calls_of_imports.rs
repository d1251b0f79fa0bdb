//! History from other systems, over the admin API. Each call with its handler.

use super::asker::Scope;
use super::calls::{AT, of};
use super::{Shared, imports};
use crate::gateway::http::calls::Calls;
use crate::wire::error::Code;
use crate::wire::imported::{ImportBody, PartBody};
use serde_json::json;

pub(super) fn imports(calls: Calls<Shared>) -> Calls<Shared> {
    let at = |rest: &str| format!("{AT}/imports/{{source}}/{{id}}{rest}");
    let conversation = json!({
        "customer": {"id": "zoe@example.org", "name": "Zoë", "email": "zoe@example.org"},
        "channel": "email", "queue": "support", "agent": "ada", "tags": ["billing"],
        "opened_at": 1_600_000_000_000_u64, "closed_at": 1_600_000_600_000_u64,
        "metadata": {"subject": "Invoice 1007"},
        "messages": [
            {"author": "customer", "at": 1_600_000_000_000_u64, "text": "It is wrong."},
            {"author": {"agent": "ada"}, "at": 1_600_000_300_000_u64, "text": "Indeed: here is a new one."},
        ],
    });
    let more = json!({"messages": [{"author": "customer", "at": 1_600_000_500_000_u64, "text": "Thank you."}]});
    let imported = json!({"conversation": "c17", "parts": 1, "was_here": false});
    let is_here = "It is here since before, and nothing was changed";
    let refused = [Code::BadField, Code::CustomerErased, Code::NoSuchAgent, Code::Behind, Code::Quota];
    calls
        .put(
            &at(""),
            imports::begin,
            of(Scope::Admin, "import_conversation", "Writes a conversation that was closed in another system into the history")
                .says("`source` names that system, `id` is its own id of the conversation: by both it is here once, for ever, whoever sends it again. Nobody is offered it, no clock runs for it, and no report counts it. What is larger than 200 messages, or 64 KiB of texts, goes in parts.")
                .takes::<ImportBody>(conversation)
                .gives::<imports::Imported>(201, "It is in the history", Some(imported.clone()))
                .gives::<imports::Imported>(200, is_here, None)
                .may(&refused)
                .may(&[Code::NoSuchQueue, Code::NoSuchChannel, Code::BadSetting, Code::BadLabel, Code::TooOld]),
        )
        .put(
            &at("/parts/{part}"),
            imports::go_on,
            of(Scope::Admin, "import_more", "What follows in a conversation that is larger than one call: parts 2, 3, and so on, in order")
                .says("At most 500. `part_missing` says which comes next.")
                .takes::<PartBody>(more)
                .gives::<imports::Imported>(201, "It is in the history", Some(json!({"conversation": "c17", "parts": 2, "was_here": false})))
                .gives::<imports::Imported>(200, is_here, None)
                .may(&refused)
                .may(&[Code::PartMissing, Code::TooMany]),
        )
}

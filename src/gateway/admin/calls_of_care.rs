//! Care for data, over the admin API: one customer's, and who administered what. Each call with its handler.

use super::asker::Scope;
use super::calls::{AT, of};
use super::{Shared, audit, customers, export};
use crate::gateway::http::calls::Calls;
use crate::wire::error::Code;
use serde_json::{Value, json};

pub(super) fn care(calls: Calls<Shared>) -> Calls<Shared> {
    use Scope::{Admin, Read};
    let at = |rest: &str| format!("{AT}{rest}");
    let external = json!({"type": "string", "minLength": 1, "maxLength": 256});
    let customer = "0f8fad5bd9cb469fa16570867728950e";
    calls
        .get(
            &at("/audit"),
            audit::list,
            of(Admin, "list_acts", "Who administered the workspace, newest first")
                .query("from", unix_ms(), "Then or later: Unix ms")
                .query("to", unix_ms(), "Before: Unix ms")
                .pages(json!({"type": "string", "pattern": "^[0-9]{1,15}$"}))
                .gives::<audit::Page>(200, "Acts, refused ones too", None),
        )
        .get(
            &at("/customers"),
            customers::find,
            of(Read, "find_customer", "Which number the workspace has for the id that your own system has")
                .needs_query("external_id", external, "As it is in the customer's token")
                .gives::<customers::Found>(200, "Its number", Some(json!({"customer": customer, "is_here": true})))
                .may(&[Code::BadField, Code::Behind]),
        )
        .get(
            &at("/customers/{customer}/export"),
            export::export,
            of(Admin, "export_customer", "All that is known of one customer, as lines of JSON")
                .query("notes", json!({"type": "boolean", "default": true}), "With internal notes")
                .gives_other(200, "application/x-ndjson", "A line each; the last is `{\"end\": true}`")
                .may(&[Code::BadField, Code::NoSuchCustomer, Code::Behind]),
        )
        .delete(
            &at("/customers/{customer}"),
            customers::erase,
            of(Admin, "erase_customer", "Erases one customer for good: nothing that it said can be read any more")
                .says("What is open is closed. No restart and no backup brings it back.")
                .once()
                .takes_nothing()
                .gives::<customers::Erased>(
                    200,
                    "It is erased",
                    Some(json!({"customer": customer, "conversations": 3, "closed": 1, "keys": 1})),
                )
                .may(&[Code::NoSuchCustomer, Code::Behind]),
        )
}

fn unix_ms() -> Value {
    json!({"type": "integer", "minimum": 0})
}

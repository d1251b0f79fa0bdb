//! Webhooks, over the admin API. Each call with its handler.

use super::asker::Scope;
use super::calls::{AT, of};
use super::{Shared, webhooks};
use crate::gateway::http::calls::{Call, Calls};
use crate::wire::error::Code;
use crate::wire::webhook::{TestedShape, WebhookShape, WebhooksShape};
use serde_json::json;

pub(super) fn webhooks(calls: Calls<Shared>) -> Calls<Shared> {
    let at = |rest: &str| format!("{AT}/webhooks{rest}");
    let of = |id, summary| of(Scope::Admin, id, summary).says("Needs the scope `events` too.");
    let done = |call: Call| call.gives::<WebhookShape>(200, "How it stands now", None);
    let wished = json!({"url": "https://crm.example.com/offhook", "types": ["conversation.*"]});
    calls
        .get(
            &at(""),
            webhooks::list,
            of("list_webhooks", "The endpoints that events are brought to, and how each stands")
                .gives::<WebhooksShape>(200, "All of them, by name", None),
        )
        .get(
            &at("/{webhook}"),
            webhooks::one,
            of("get_webhook", "One endpoint, and how it stands").gives::<WebhookShape>(200, "As it stands", None),
        )
        .put(
            &at("/{webhook}"),
            webhooks::put,
            done(of("put_webhook", "Makes an endpoint, or changes it").again().takes::<webhooks::Wished>(wished))
                .says("Needs the scope `events` too, and `read` for `texts`. The secret is in the answer to whoever made it.")
                .may(&[Code::BadField, Code::BadCursor, Code::CursorGone, Code::TooMany]),
        )
        .delete(
            &at("/{webhook}"),
            webhooks::remove,
            of("delete_webhook", "Removes an endpoint").again().gives_nothing(204, "It is gone"),
        )
        .post(
            &at("/{webhook}/pause"),
            webhooks::pause,
            done(of("pause_webhook", "Sends nothing until it is resumed: its place is kept").again().takes_nothing()),
        )
        .post(
            &at("/{webhook}/resume"),
            webhooks::resume,
            done(of("resume_webhook", "Goes on where it was, or behind `after`").again().takes::<webhooks::Onward>(json!({})))
                .may(&[Code::BadCursor, Code::CursorGone]),
        )
        .post(
            &at("/{webhook}/replay"),
            webhooks::replay,
            done(
                of("replay_webhook", "Sends what comes after a cursor, again or for the first time")
                    .again()
                    .takes::<webhooks::Onward>(json!({"after": "812.0"})),
            )
            .may(&[Code::BadField, Code::BadCursor, Code::CursorGone]),
        )
        .post(
            &at("/{webhook}/rotate"),
            webhooks::rotate,
            done(of("rotate_webhook", "A new secret; the old one signs beside it for 24 hours").again().takes_nothing()),
        )
        .post(
            &at("/{webhook}/test"),
            webhooks::test,
            of("test_webhook", "Sends one message of the type `webhook.test` now")
                .again()
                .takes_nothing()
                .gives::<TestedShape>(200, "What came of it", None),
        )
}

//! What goes out of a workspace to programs, over the admin API. Each call with its handler.

use super::asker::Scope;
use super::calls::{AT, of};
use super::{Shared, event_stream, events};
use crate::gateway::http::calls::{Calls, Stream};
use crate::wire::error::Code;
use crate::wire::feed::{EventsPage, FeedEvent};
use serde_json::json;

pub(super) fn events(calls: Calls<Shared>) -> Calls<Shared> {
    let cursor = json!({"type": "string", "pattern": "^(latest|[0-9]{1,15}([.][0-9]{1,9})?)$"});
    let stream = [
        Stream::of::<FeedEvent>("message", "Something happened; its `id` is the event's"),
        Stream::of::<event_stream::Gone>("gone", "What comes next is not kept any more: the last event"),
    ];
    calls.get(
        &format!("{AT}/events"),
        events::list,
        of(Scope::Events, "read_events", "Everything that happens in the workspace, in order, from a cursor")
            .says("In pages, or as a stream with `Accept: text/event-stream`. `texts` needs the scope `read` too.")
            .query("after", cursor, "The cursor; absent: from the first event that is kept; `latest`: only what comes")
            .query("types", json!({"type": "string", "examples": ["offer.*,message.posted"]}), "Those that are wanted")
            .query("texts", json!({"type": "boolean", "default": false}), "With what was sealed")
            .query(
                "limit",
                json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 100}),
                "How many, at most; not for streams",
            )
            .query(
                "wait_ms",
                json!({"type": "integer", "minimum": 0, "maximum": 30_000, "default": 0}),
                "How long a page waits for something to happen; not for streams",
            )
            .gives::<EventsPage>(200, "A page, or the stream", None)
            .or_streams(&stream)
            .may(&[Code::BadField, Code::BadCursor, Code::CursorGone]),
    )
}

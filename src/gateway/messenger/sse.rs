//! Server-sent events on the wire: each event as the bytes that a browser's `EventSource` reads.

use crate::gateway::http::desks::PublicFrame;
use bytes::Bytes;

/// Sent first: how soon a browser comes back when the stream ends.
pub(super) const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");
/// Sent last, where the server ends it: when to come back this time.
pub(super) fn retry(after_ms: u32) -> Bytes {
    format!("retry: {after_ms}\n\n").into()
}

/// Sent when nothing else is, so that proxies keep the stream.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// `id` only for what is numbered: an event without one leaves the browser's `Last-Event-ID` as it is.
pub(super) fn event(frame: &PublicFrame) -> Bytes {
    debug_assert!(!frame.data.contains(['\n', '\r']), "JSON is on one line");
    let mut out = String::with_capacity(frame.data.len() + frame.event.len() + 32);
    if let Some(public) = frame.public {
        out.push_str("id: ");
        out.push_str(&public.to_string());
        out.push('\n');
    }
    out.push_str("event: ");
    out.push_str(frame.event);
    out.push_str("\ndata: ");
    out.push_str(&frame.data);
    out.push_str("\n\n");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_events_have_an_id_and_others_have_none() {
        let numbered = PublicFrame { public: Some(7), event: "opened", data: r#"{"at":1}"#.into() };
        assert_eq!(event(&numbered), "id: 7\nevent: opened\ndata: {\"at\":1}\n\n");
        let typing = PublicFrame { public: None, event: "typing", data: "{}".into() };
        assert_eq!(event(&typing), "event: typing\ndata: {}\n\n");
    }
}

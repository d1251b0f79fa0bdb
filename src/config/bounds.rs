//! The one list of what is held in memory for somebody, and how much of it at most. A test holds it against docs/operating.md, both
//! ways, and against the source: whatever queues, gathers or caches is in it.

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Most {
    /// As this setting says.
    Setting(&'static str),
    /// A part of the memory budget, at most.
    Budget(&'static str),
    /// Always this.
    Fixed(&'static str),
}

/// One bound.
#[derive(Debug)]
pub struct Bound {
    pub what: &'static str,
    /// Where it is held, below `src/`.
    pub file: &'static str,
    pub most: Most,
    /// What becomes of what does not fit.
    pub beyond: &'static str,
    /// The metric that shows it, if it has one.
    pub metric: &'static str,
}

const fn bound(
    what: &'static str,
    file: &'static str,
    most: Most,
    beyond: &'static str,
    metric: &'static str,
) -> Bound {
    Bound { what, file, most, beyond, metric }
}

use Most::{Budget, Fixed, Setting};

/// Every bound that Offhook has on what it holds.
pub const BOUNDS: &[Bound] = &[
    bound(
        "connections",
        "gateway/listen.rs",
        Budget("`server.connections_max`; half of the budget, 12 KiB each; the file descriptors"),
        "503 and closed at once",
        "offhook_places",
    ),
    bound(
        "connections whose first request has not come",
        "gateway/listen.rs",
        Setting("server.handshakes_pending_max"),
        "wait in the kernel's queue",
        "offhook_connections",
    ),
    bound(
        "the same of one address",
        "gateway/listen/handshakes.rs",
        Setting("server.handshakes_per_address_max"),
        "503 and closed at once",
        "offhook_connections_turned_away_total",
    ),
    bound(
        "agents' handshakes in line",
        "overload/pace.rs",
        Setting("sessions.handshakes_waiting_max"),
        "told when to come back",
        "offhook_handshakes_waiting",
    ),
    bound(
        "a request's head",
        "gateway/listen.rs",
        Setting("server.header_bytes_max"),
        "431 and closed",
        "offhook_connections",
    ),
    bound(
        "what the kernel keeps for one socket to send",
        "gateway/listen.rs",
        Setting("sessions.send_buffer_bytes"),
        "waits in the mailbox",
        "offhook_memory_bytes",
    ),
    bound(
        "what the kernel keeps that one socket received",
        "gateway/listen.rs",
        Setting("sessions.receive_buffer_bytes"),
        "the peer waits",
        "offhook_memory_bytes",
    ),
    bound(
        "all bursts together",
        "overload/reserve.rs",
        Budget("a quarter of the budget"),
        "`busy`; the ladder is climbed before",
        "offhook_reserve_refused_total",
    ),
    bound(
        "bodies of requests",
        "gateway/http/body.rs",
        Budget("the reserve for bursts; 256 KiB each, twice a text of a visitor"),
        "`busy`, `too_large`",
        "offhook_reserve_bytes",
    ),
    bound(
        "files on their way in",
        "gateway/files/mod.rs",
        Budget("`files.uploads_max`, 3 of one sender; 192 KiB each, of the reserve for bursts"),
        "`busy`, `rate_limited`",
        "offhook_files_uploading",
    ),
    bound(
        "files that are read",
        "gateway/files/mod.rs",
        Budget("64 at once; 192 KiB each, of the reserve for bursts"),
        "`busy`",
        "offhook_reserve_bytes",
    ),
    bound(
        "pages of history over HTTP",
        "gateway/http/pages.rs",
        Budget("the reserve for bursts; 200 rows each"),
        "`busy`",
        "offhook_reserve_bytes",
    ),
    bound(
        "pages of history on agents' sockets",
        "gateway/agent/mod.rs",
        Fixed("64 at once, a frame each"),
        "`busy`",
        "offhook_reserve_bytes",
    ),
    bound(
        "upgrades under way, and sockets that are told why not",
        "gateway/agent/mod.rs",
        Fixed("4,096, and 512"),
        "`busy` over HTTP",
        "offhook_handshakes_total",
    ),
    bound(
        "one agent's frame",
        "gateway/websocket/inbound.rs",
        Setting("sessions.frame_bytes_max"),
        "closed with 1009",
        "offhook_sessions_closed_total",
    ),
    bound(
        "frames that one agent's device has not read",
        "presence/mailbox.rs",
        Setting("sessions.mailbox_bytes_max"),
        "deltas become one snapshot; a reply that does not fit closes with 4201",
        "offhook_mailbox_overflows_total",
    ),
    bound(
        "sessions and streams",
        "presence/registry.rs",
        Fixed("200,000 sessions, 10 streams a conversation"),
        "closed with 4100; `busy`",
        "offhook_sessions",
    ),
    bound(
        "customers' streams",
        "gateway/messenger/slots.rs",
        Setting("messenger.streams_max"),
        "`busy`",
        "offhook_messenger_streams",
    ),
    bound(
        "events that one stream has not read",
        "presence/stream.rs",
        Setting("messenger.stream_bytes_max"),
        "dropped; read again from the view",
        "offhook_reserve_bytes",
    ),
    bound(
        "rows that one stream is being sent",
        "gateway/messenger/stream.rs",
        Budget("the reserve for bursts; 16 rows each"),
        "tried again after a second",
        "offhook_reserve_bytes",
    ),
    bound(
        "a transcript that is sent",
        "gateway/messenger/transcript.rs",
        Budget("the reserve for bursts; 16 rows at a time"),
        "broken off",
        "offhook_reserve_bytes",
    ),
    bound(
        "people who are signed in with a browser",
        "gateway/signin/roll.rs",
        Fixed("50,000, 10 browsers an agent; and 50,000 roles that were set"),
        "`busy`; an agent's oldest is signed out; `too_many`",
        "offhook_signins",
    ),
    bound(
        "sign-ins that wait for a provider",
        "gateway/signin/mod.rs",
        Fixed("64 codes at once; an answer of 256 KiB, within `signin.provider_timeout_ms`"),
        "`busy`; `provider_failed`",
        "offhook_provider_requests_total",
    ),
    bound(
        "senders whose rates are remembered",
        "gateway/http/buckets.rs",
        Fixed("65,536 for each limit, 16 bytes each"),
        "the one heard longest ago is forgotten",
        "offhook_rate_limited_total",
    ),
    bound(
        "messages whose delivery is awaited, of each conversation that is carried",
        "desk/outside.rs",
        Fixed("100, with a reason of 64 bytes each"),
        "of older ones no report is taken: `delivery_over`",
        "offhook_deliveries_total",
    ),
    bound(
        "commands that wait to be decided, for each workspace",
        "engine/intake.rs",
        Setting("engine.intake_bytes_max"),
        "`busy`: new conversations at half of it, accepts last",
        "offhook_intake_bytes",
    ),
    bound(
        "commands in a turn",
        "engine/run.rs",
        Fixed("256, of which 64 new conversations"),
        "wait for the next turn",
        "offhook_intake_commands",
    ),
    bound(
        "a turn's record",
        "engine/turn.rs",
        Fixed("256 KiB"),
        "the rest waits for the next turn",
        "offhook_turns_total",
    ),
    bound(
        "pages that supervisors watch",
        "engine/watch.rs",
        Fixed("one of each kind a session, 200 rows"),
        "replaces the one before",
        "offhook_sessions",
    ),
    bound(
        "who follows decisions, for each workspace",
        "engine/followers.rs",
        Fixed("8"),
        "`busy`",
        "offhook_decision_followers",
    ),
    bound(
        "who follows events from outside, for all workspaces",
        "feed/mod.rs",
        Budget("256 streams and pages that wait; 512 KiB each while it is sent, of the reserve for bursts"),
        "`busy`",
        "offhook_feed_followers",
    ),
    bound(
        "reads of the journal for events",
        "feed/mod.rs",
        Fixed("2 at once, 256 KiB each"),
        "wait",
        "offhook_feed_followers",
    ),
    bound("webhooks", "webhooks/mod.rs", Fixed("20 a workspace, 1,000 in all"), "`too_many`", "offhook_webhooks"),
    bound(
        "messages under way to one webhook",
        "webhooks/runner.rs",
        Setting("webhooks.connections_max"),
        "wait",
        "offhook_webhook_deliveries_total",
    ),
    bound(
        "events that one webhook has not taken",
        "webhooks/schedule.rs",
        Budget("1,000, 1 MiB, of the reserve for bursts"),
        "wait in the journal",
        "offhook_reserve_bytes",
    ),
    bound("the webhooks' pages in memory", "webhooks/store.rs", Fixed("256 KiB"), "read again", "offhook_memory_bytes"),
    bound(
        "service levels of queues, for each workspace",
        "engine/levels.rs",
        Fixed("1,024 queues, 288 parts of a day of 16 bytes each"),
        "a further queue is told without its level; parts older than a day are forgotten",
        "offhook_service_clocks_total",
    ),
    bound(
        "turns that the view does not have yet, for each workspace",
        "engine/project.rs",
        Setting("engine.view_lag_bytes_max"),
        "no new conversations from half of it on, then only accepts and closes; at most a sixteenth of the budget",
        "offhook_view_lag_records",
    ),
    bound("workspaces", "engine/mod.rs", Fixed("10,000"), "`unavailable`", "offhook_workspace_state"),
    bound(
        "records that wait for the journal",
        "journal/sqlite/inbox.rs",
        Budget("a sixteenth of the budget; 64 MiB, 16,384 records"),
        "`unavailable`",
        "offhook_journal_appends_total",
    ),
    bound(
        "what the journal knows of workspaces' ends",
        "journal/sqlite/writer.rs",
        Fixed("65,536"),
        "read again",
        "offhook_journal_appends_total",
    ),
    bound(
        "the journal's pages in memory",
        "journal/sqlite/schema.rs",
        Fixed("8 MiB for writing, 2 MiB for each of 4 readers, 512 KiB for checkpoints"),
        "read again",
        "offhook_memory_bytes",
    ),
    bound(
        "reads of the journal at once",
        "journal/sqlite/readers.rs",
        Fixed("4, 65,536 rows each"),
        "wait",
        "offhook_journal_state",
    ),
    bound(
        "batches that wait for the view",
        "view/mod.rs",
        Fixed("256"),
        "the engine waits",
        "offhook_view_lag_records",
    ),
    bound(
        "reads of the view at once",
        "view/read.rs",
        Fixed("2 for people, 2 for the engine and 1 for reports; 256 wait for each"),
        "`unavailable`",
        "offhook_http_requests_total",
    ),
    bound(
        "the view's pages in memory",
        "view/schema.rs",
        Fixed("16 MiB for writing, 2 MiB for each reader"),
        "read again",
        "offhook_memory_bytes",
    ),
    bound(
        "customers' keys in memory",
        "seal/cache.rs",
        Fixed("16,384, at most 1.7 MB"),
        "read again",
        "offhook_memory_bytes",
    ),
    bound(
        "customers' keys made ahead",
        "seal/ring.rs",
        Fixed("a few blocks"),
        "a start waits for the disk",
        "offhook_memory_bytes",
    ),
    bound(
        "conversations that wait in a queue",
        "desk/settings.rs",
        Fixed("the queue's `waiting_max`; 10,000"),
        "`queue_full`, or as the queue says",
        "offhook_waiting",
    ),
    bound(
        "agents, and queues, of a workspace",
        "desk/settings.rs",
        Fixed("200,000, and 1,000"),
        "`too_many`",
        "offhook_agents",
    ),
    bound(
        "outcomes remembered in memory, for each workspace",
        "desk/remembered.rs",
        Fixed("131,072; older ones are in the view"),
        "asked of the view",
        "offhook_memory_bytes",
    ),
    bound(
        "command ids that are known to be new, for each workspace",
        "desk/forgotten.rs",
        Fixed("four million, 8 MiB"),
        "asked of the view",
        "offhook_memory_bytes",
    ),
    bound(
        "customers whose older tokens are void, as they signed out, for each workspace",
        "desk/mod.rs",
        Fixed("100,000, twice"),
        "the one who did so longest ago is forgotten",
        "offhook_memory_bytes",
    ),
    bound(
        "customers who left while they waited and keep their place, for each workspace",
        "desk/left_waiting.rs",
        Fixed("10,000"),
        "the one whose time is over first is forgotten",
        "offhook_memory_bytes",
    ),
    bound(
        "offers that ended, for each workspace",
        "desk/mod.rs",
        Fixed("4,096"),
        "asked of the view",
        "offhook_memory_bytes",
    ),
    bound(
        "what the rules of health look back on",
        "health/rules.rs",
        Setting("health.window_ms"),
        "forgotten",
        "offhook_component_state",
    ),
    bound(
        "the history of health, in memory and in `status.json`",
        "health/history.rs",
        Fixed("100 incidents of 20 lines, 90 days; 64 KiB in the file"),
        "the oldest is forgotten",
        "offhook_component_state",
    ),
    bound("probes that are not judged yet", "gateway/health.rs", Fixed("64"), "forgotten", "offhook_probes_total"),
    bound(
        "names as labels of metrics",
        "telemetry/labels.rs",
        Fixed("100 of each kind"),
        "share `other`",
        "offhook_waiting",
    ),
    bound(
        "spans of traces that are not sent yet",
        "telemetry/traces/export.rs",
        Fixed("4,096, each with 256 links"),
        "dropped",
        "offhook_trace_spans_waiting",
    ),
    bound(
        "connections that the supervisor answers",
        "supervisor/stand_in.rs",
        Fixed("256, each for 5 s, with a head of 16 KiB and a body of 256 KiB"),
        "503 and closed at once",
        "offhook_stood_in_total",
    ),
    bound(
        "commands that talk to the supervisor",
        "supervisor/control.rs",
        Fixed("8, each with 32 lines of progress"),
        "wait; miss lines",
        "offhook_upgrades_total",
    ),
    bound(
        "upgrades that passed their preflight",
        "supervisor/run.rs",
        Fixed("one"),
        "are refused",
        "offhook_upgrades_total",
    ),
];

#[cfg(test)]
#[path = "bounds_tests.rs"]
mod tests;

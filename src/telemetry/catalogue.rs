//! The one list of metrics. Tests hold it against docs/operating.md and against every name used in the source.
//!
//! No label may hold an id of an agent, a conversation or a customer: a series for each of those is what makes a scrape take
//! seconds. Names of workspaces and queues go through [`super::labels::BoundedLabels`].

use metrics::Unit;

/// What a metric counts like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

impl MetricKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: MetricKind,
    pub unit: Unit,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

macro_rules! catalogue {
    ($($constant:ident = $name:literal $kind:ident $unit:ident [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// Every metric that Offhook has.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: MetricKind::$kind,
            unit: Unit::$unit,
            labels: &[$($label),*],
            help: $help,
        },)*];
    };
}

catalogue! {
    CONNECTIONS = "offhook_connections" Gauge Count [] "Open connections, on both ports.";
    CONNECTIONS_MAX = "offhook_connections_max" Gauge Count [] "Connections that there is room for on the public port: by its setting, the process's file descriptors, or its memory budget.";
    CONNECTIONS_TURNED_AWAY_TOTAL = "offhook_connections_turned_away_total" Counter Count ["why"] "Connections answered 503 before their request was read, by why: full, address (it has all that it may have under way).";
    ACCEPT_ERRORS_TOTAL = "offhook_accept_errors_total" Counter Count ["error"] "Connections that the system would not hand over, by error: descriptors, memory, aborted (the client was gone), other.";
    CONNECTIONS_STUCK_TOTAL = "offhook_connections_stuck_total" Counter Count [] "Connections over HTTP that were ended because their client did not read for server.write_timeout_ms.";
    CONNECTIONS_MOVED_TOTAL = "offhook_connections_moved_total" Counter Count ["to"] "Connections over HTTP that were taken to other threads, by where to: back (refused for how often or as whom it asks, or a stranger for whom there is no room), front (then a request with credentials was done).";
    TLS_HANDSHAKES_TOTAL = "offhook_tls_handshakes_total" Counter Count ["outcome"] "TLS handshakes by outcome: full, resumed (by a ticket), failed, late.";
    TLS_CERTIFICATE_EXPIRES_AT_SECONDS = "offhook_tls_certificate_expires_at_seconds" Gauge Seconds [] "When the certificate that is shown ends, in Unix time.";
    TLS_RELOADS_REFUSED_TOTAL = "offhook_tls_reloads_refused_total" Counter Count [] "Times that a changed certificate or key could not be taken, so that the old one stayed.";
    GATEWAY_LAG_SECONDS = "offhook_gateway_lag_seconds" Gauge Seconds ["lane"] "How late the threads are that read requests, by lane: front, back (where the refused go on); beyond 4 ms for a tenth of a second, its new conversations are refused.";
    AGENTS = "offhook_agents" Gauge Count ["connection"] "Agents by connection: online, reconnecting, unreachable.";
    SESSIONS = "offhook_sessions" Gauge Count [] "Agents' sessions that are open.";
    STREAMS = "offhook_streams" Gauge Count [] "Messenger event streams that are open.";
    CONVERSATIONS = "offhook_conversations" Gauge Count ["state"] "Conversations that are not closed, by state.";
    PAUSED = "offhook_paused" Gauge Count [] "Active conversations that are paused, as their customers are silent.";
    WAITING = "offhook_waiting" Gauge Count ["workspace", "queue"] "Conversations that wait in a queue.";
    QUEUE_OPEN = "offhook_queue_open" Gauge Count ["workspace", "queue"] "1 while a queue is within its hours, or has none; 0 while it is closed.";
    OUT_OF_HOURS_TOTAL = "offhook_out_of_hours_total" Counter Count ["what"] "What became of conversations that met a closed queue: left, told, stayed.";
    ESTIMATES_TOTAL = "offhook_estimates_total" Counter Count ["held"] "Accepted waits that had an estimate at their beginning, by how it held: under_p50, under_p90, over_p90.";
    ESTIMATE_ERROR_SECONDS = "offhook_estimate_error_seconds" Histogram Seconds [] "How far off its p50 an accepted wait was.";
    OFFERS_TOTAL = "offhook_offers_total" Counter Count ["end"] "Offers that ended, by how they ended.";
    OFFER_TIME_SECONDS = "offhook_offer_time_seconds" Histogram Seconds ["end"] "From an offer to its end.";
    TIME_TO_OFFER_SECONDS = "offhook_time_to_offer_seconds" Histogram Seconds [] "From when a conversation began to wait to the committed offer.";
    OFFERED_OFTEN_TOTAL = "offhook_offered_often_total" Counter Count [] "Conversations that were offered 10 times while they waited, and not accepted.";
    SILENCES_TOTAL = "offhook_silences_total" Counter Count ["action"] "What rules of silence did: customer_reminded, customer_closed, owner_reminded, owner_lost.";
    SERVICE_CLOCKS_TOTAL = "offhook_service_clocks_total" Counter Count ["workspace", "queue", "clock", "outcome"] "Clocks of service by how they came out: achieved, breached or voided; what was breached is achieved_late or voided_late in the end.";
    DECISIONS_TOTAL = "offhook_decisions_total" Counter Count ["end"] "Decisions that were wanted from outside and ended, by end: decided, left, silent, withdrawn, crowded.";
    DECISION_TIME_SECONDS = "offhook_decision_time_seconds" Histogram Seconds ["end"] "From when a decision was wanted from outside to its end.";
    DECISIONS_PENDING = "offhook_decisions_pending" Gauge Count [] "Decisions that are wanted from outside now.";
    DECISION_FOLLOWERS = "offhook_decision_followers" Gauge Count [] "Streams by which decisions are followed.";
    FEED_FOLLOWERS = "offhook_feed_followers" Gauge Count [] "Streams and waiting pages of events that are open.";
    FEED_EVENTS_TOTAL = "offhook_feed_events_total" Counter Count [] "Events that were told to those who follow them.";
    WEBHOOKS = "offhook_webhooks" Gauge Count ["state"] "Webhooks by how they stand: active, failing (something was not taken and is tried again), paused.";
    WEBHOOK_OLDEST_SECONDS = "offhook_webhook_oldest_seconds" Gauge Seconds [] "For how long the webhook that has failed for longest has.";
    WEBHOOK_DELIVERIES_TOTAL = "offhook_webhook_deliveries_total" Counter Count ["outcome"] "Attempts to deliver to webhooks by outcome: taken, refused (by its status), gone (410), late, unreachable, not_allowed (its address is of this machine or of one's own network).";
    WEBHOOK_SECONDS = "offhook_webhook_seconds" Histogram Seconds [] "Time of one attempt to deliver to a webhook.";
    LEFT_MESSAGES_TOTAL = "offhook_left_messages_total" Counter Count [] "Messages that customers left since a conversation could not be begun.";
    DELIVERIES_TOTAL = "offhook_deliveries_total" Counter Count ["state"] "What became of messages that a channel of the workspace's own carries, as reported, by state: sent, failed, delivered, read.";
    RATINGS_TOTAL = "offhook_ratings_total" Counter Count ["score", "changed"] "Ratings committed, by score (1 to 5) and whether one was there before: yes, no.";
    MESSAGES_TOTAL = "offhook_messages_total" Counter Count ["by"] "Messages committed, by who wrote: agent, customer, system.";
    MOVES_TOTAL = "offhook_moves_total" Counter Count ["kind"] "Conversations that changed hands or queues, by kind: transferred (to an agent), joined, handed_over, queued (to a queue), picked, claimed, reassigned, started, requeued (their owner stayed away), moved (by a rule of waiting).";
    STATUS_CHANGES_TOTAL = "offhook_status_changes_total" Counter Count ["cause"] "Changes of agents' statuses, by cause: chosen, missed, next (chosen for after their work), forced (by a supervisor), idle.";
    COMMANDS_TOTAL = "offhook_commands_total" Counter Count ["type", "outcome"] "Commands answered, by type and outcome: done, refused, not_committed.";
    REFUSALS_TOTAL = "offhook_refusals_total" Counter Count ["code"] "Commands refused, by the code that the client was given.";
    INTAKE_COMMANDS = "offhook_intake_commands" Gauge Count [] "Commands that wait to be decided.";
    INTAKE_BYTES = "offhook_intake_bytes" Gauge Bytes [] "Bytes of commands that wait to be decided.";
    QUOTA_MOST = "offhook_quota_most" Gauge Count ["workspace", "what"] "What a workspace may have, of quotas that are set; 0 where one was lifted.";
    QUOTA_USED = "offhook_quota_used" Gauge Count ["workspace", "what"] "What it has of them: agents, open_conversations, storage_bytes, connections.";
    QUOTA_REFUSED_TOTAL = "offhook_quota_refused_total" Counter Count ["workspace", "what"] "What was refused since a quota was used up: agents, open_conversations, messages_per_s, starts_per_s, storage_bytes, connections.";
    INTAKE_REFUSED_TOTAL = "offhook_intake_refused_total" Counter Count ["class"] "Commands that found the intake full, by class of the ladder.";
    TURNS_TOTAL = "offhook_turns_total" Counter Count ["outcome"] "Turns by outcome: committed, refused, unknown.";
    TURN_SECONDS = "offhook_turn_seconds" Histogram Seconds ["stage"] "Time of a turn by stage: decide, commit, deliver.";
    JOURNAL_COMMIT_SECONDS = "offhook_journal_commit_seconds" Histogram Seconds [] "Time of one commit of the journal, with its sync.";
    JOURNAL_BATCH_RECORDS = "offhook_journal_batch_records" Histogram Count [] "Records that one commit took together.";
    JOURNAL_APPENDS_TOTAL = "offhook_journal_appends_total" Counter Count ["outcome"] "Appends by outcome: committed, refused, unknown.";
    JOURNAL_STATE = "offhook_journal_state" Gauge Count ["state"] "1 for the state that the journal is in: healthy, full, kept_back, read_only, failing, damaged, closed.";
    JOURNAL_BYTES = "offhook_journal_bytes" Gauge Bytes [] "Size of the journal on disk.";
    JOURNAL_CUT_RECORDS_TOTAL = "offhook_journal_cut_records_total" Counter Count [] "Records that the retention took out of the journal; in a cluster, of workspaces that this node led.";
    CLUSTER_NODES = "offhook_cluster_nodes" Gauge Count [] "Nodes of the cluster that live, as this one sees it.";
    CLUSTER_NODES_GONE_TOTAL = "offhook_cluster_nodes_gone_total" Counter Count ["why"] "Nodes that this one saw go, by why: silent (nothing was heard of it for its lease), left, replaced (started anew).";
    CLUSTER_LEADS = "offhook_cluster_leads" Gauge Count [] "Workspaces that this node leads; 0 without a cluster.";
    CLUSTER_LEASE_HELD = "offhook_cluster_lease_held" Gauge Count [] "1 while this node's own heartbeats come back to it; 0 when none did for a lease, so that the others may take it for gone.";
    CLUSTER_HEARTBEATS_TOTAL = "offhook_cluster_heartbeats_total" Counter Count ["outcome"] "This node's heartbeats by outcome: put, late (no answer within half a lease), failed.";
    CLUSTER_HEARTBEAT_SECONDS = "offhook_cluster_heartbeat_seconds" Histogram Seconds [] "From when this node put a heartbeat to when it heard it.";
    CLUSTER_WATCHES_RENEWED_TOTAL = "offhook_cluster_watches_renewed_total" Counter Count [] "Times that this node began anew to watch the others, as nothing of its own came through for a lease.";
    CLUSTER_STREAMS_TOTAL = "offhook_cluster_streams_total" Counter Count [] "Times that this node began to follow what the cluster commits.";
    CLUSTER_HINTS_DROPPED_TOTAL = "offhook_cluster_hints_dropped_total" Counter Count [] "Signs that somebody types that had no room on their way to or from other nodes.";
    CLUSTER_UNHEARD_TOTAL = "offhook_cluster_unheard_total" Counter Count ["why"] "Heartbeats of others that were passed over, by why: too_many (there are 64 nodes), unreadable.";
    CLUSTER_CUTS_HELD_TOTAL = "offhook_cluster_cuts_held_total" Counter Count ["why"] "Times that a workspace's old records stayed for another 15 s, by why: silent (a node does not say how far its view is), behind (the view of a node does not have them on its disk), failed (the servers did not take them away).";
    CLUSTER_STREAM_BYTES = "offhook_cluster_stream_bytes" Gauge Bytes [] "What the stream of the cluster's journal holds, looked at every 15 s.";
    CLUSTER_STREAM_BYTES_MAX = "offhook_cluster_stream_bytes_max" Gauge Bytes [] "What that stream may hold; 0 where only the servers' disks say so.";
    CLUSTER_SETTINGS_FOLLOWED = "offhook_cluster_settings_followed" Gauge Count ["part"] "1 while this node of a cluster hears of what is set at the others, by part: quota, webhooks, signins; 0 while it cannot.";
    SHARED_KEYS_FOLLOWED = "offhook_shared_keys_followed" Gauge Count [] "1 while this node of a cluster follows the customers' keys of the others, 0 while it cannot.";
    SHARED_KEYS_UNFINISHED = "offhook_shared_keys_unfinished" Gauge Count [] "Blocks, erasures and older revisions that this node of a cluster has still to put right in the bucket of customers' keys.";
    VIEW_LAG_RECORDS = "offhook_view_lag_records" Gauge Count [] "Records by which the view is behind the journal.";
    REPORTS_LAG_RECORDS = "offhook_reports_lag_records" Gauge Count [] "Records that the reports of a workspace have not counted although the view holds them; only after a release without reports wrote it.";
    VIEW_OUTCOMES_UNSORTED = "offhook_view_outcomes_unsorted" Gauge Count [] "Remembered outcomes that the view holds in memory by key, since they are not in its index yet; 65,536 at most.";
    VIEW_ROWS_UNREADABLE_TOTAL = "offhook_view_rows_unreadable_total" Counter Count [] "Rows of the view that could not be read and were passed over.";
    VIEW_EVENTS_LEFT_OUT_TOTAL = "offhook_view_events_left_out_total" Counter Count [] "Events that the view could not keep and left out.";
    VIEW_COMMIT_SECONDS = "offhook_view_commit_seconds" Histogram Seconds [] "Time of one commit of the view.";
    MAILBOX_OVERFLOWS_TOTAL = "offhook_mailbox_overflows_total" Counter Count [] "Mailboxes that were full, so that their client was due a snapshot.";
    SNAPSHOTS_TOTAL = "offhook_snapshots_total" Counter Count ["why"] "Snapshots sent in place of deltas, by why: overflow.";
    SESSIONS_CLOSED_TOTAL = "offhook_sessions_closed_total" Counter Count ["code"] "Agents' sessions closed, by close code.";
    DEAD_PEERS_TOTAL = "offhook_dead_peers_total" Counter Count [] "Sessions closed because their client fell silent.";
    HANDSHAKES_TOTAL = "offhook_handshakes_total" Counter Count ["outcome"] "Handshakes by outcome: accepted, refused.";
    HANDSHAKES_WAITING = "offhook_handshakes_waiting" Gauge Count [] "Agents' handshakes that wait for their turn.";
    HANDSHAKES_PACED_TOTAL = "offhook_handshakes_paced_total" Counter Count ["comer"] "Agents' handshakes that found no room in the line and were told when to come back, by who came: returning (with a return ticket), new.";
    HTTP_REQUESTS_TOTAL = "offhook_http_requests_total" Counter Count ["route", "status"] "HTTP requests by route (its pattern) and status.";
    MESSENGER_STREAMS = "offhook_messenger_streams" Gauge Count [] "Customers' event streams that are open.";
    BAD_INPUT_TOTAL = "offhook_bad_input_total" Counter Count ["code"] "Inputs refused for their form, by the code that the client was given.";
    WORKSPACE_STATE = "offhook_workspace_state" Gauge Count ["state"] "Workspaces by state: serving, scarce, unavailable.";
    COMPONENT_STATE = "offhook_component_state" Gauge Count ["component"] "How a component stands: 0 operational, 1 degraded, 2 partial outage, 3 major outage.";
    COMPONENT_ANSWERS_TOTAL = "offhook_component_answers_total" Counter Count ["component", "outcome"] "Answers to clients by component, and whether they came well, slow, or failed by our own fault.";
    OVERLOOKED_SECONDS = "offhook_overlooked_seconds" Gauge Seconds [] "The age of the oldest conversation that waits though an agent could take it; 0 when there is none.";
    PROBES_TOTAL = "offhook_probes_total" Counter Count ["outcome"] "Probes of the whole job, by outcome: done, or the first step that failed.";
    PROBE_SECONDS = "offhook_probe_seconds" Histogram Seconds [] "Time of one probe that did the whole job.";
    START_TIME_SECONDS = "offhook_start_time_seconds" Gauge Seconds [] "When this process was ready, in seconds since 1970: it changes with each restart.";
    MEMORY_BYTES = "offhook_memory_bytes" Gauge Bytes ["kind"] "Memory by kind: rss_anon, allocated, active, resident, retained, databases (SQLite's own, beside what is allocated), sockets (the kernel's buffers), used (what counts), budget.";
    LADDER_RUNG = "offhook_ladder_rung" Gauge Count ["rung"] "1 while this is shed, as memory is short: observers, typing, history, starts, newcomers.";
    SHED_TOTAL = "offhook_shed_total" Counter Count ["rung"] "What was shed as memory was short, by rung of the ladder.";
    RESERVE_BYTES = "offhook_reserve_bytes" Gauge Bytes ["purpose"] "Bytes taken from the reserve for bursts, by purpose: mailboxes, streams, bodies, pages, turns, files.";
    RESERVE_REFUSED_TOTAL = "offhook_reserve_refused_total" Counter Count ["purpose"] "What found the reserve for bursts used up, by purpose.";
    PLACES = "offhook_places" Gauge Count ["kind"] "Places for connections by kind: open, kept (for agents within their grace), most (the budget's).";
    DISK_BYTES = "offhook_disk_bytes" Gauge Bytes ["kind"] "The data directory's disk by kind: used (by the directory), free, most (the budget, or what there is).";
    DISK_FILL = "offhook_disk_fill" Gauge Count ["mark"] "1 while the disk is filled to this mark: low, critical.";
    DISK_SHED_TOTAL = "offhook_disk_shed_total" Counter Count [] "New conversations of anonymous visitors, and files, that were refused as the disk was nearly full.";
    FILES_BYTES = "offhook_files_bytes" Gauge Bytes [] "What files of messages take on the disk, with those under way.";
    FILES_UPLOADING = "offhook_files_uploading" Gauge Count [] "Files on their way in.";
    FILES_UPLOADS_TOTAL = "offhook_files_uploads_total" Counter Count ["result"] "Uploads by result: stored, or the error's code.";
    FILES_SCANNED_TOTAL = "offhook_files_scanned_total" Counter Count ["result"] "Files that were shown to files.scan_url, by result: clean, refused, unknown (no answer that says one or the other).";
    FILES_REMOVED_TOTAL = "offhook_files_removed_total" Counter Count ["cause"] "Files that were removed, by cause: unnamed (no message named it in time), forgotten (its conversation is), erased (its customer is), broken_off (what a crash left of an upload), made_room (in a cluster, a copy that can be fetched again).";
    FILES_FETCHING = "offhook_files_fetching" Gauge Count [] "Files that this node of a cluster is fetching; 8 at most.";
    FILES_SHARED_TOTAL = "offhook_files_shared_total" Counter Count ["what"] "What this node did with the cluster's files: put, there (it had been put before), fetched, put_failed, fetch_failed, full (there is no room for more).";
    FILES_SHARED_BYTES_TOTAL = "offhook_files_shared_bytes_total" Counter Bytes ["way"] "Bytes of the cluster's files by way: put, fetched.";
    FILES_SHARED_REMOVED_TOTAL = "offhook_files_shared_removed_total" Counter Count ["cause"] "The cluster's files that this node removed for all, as it leads their workspace, by cause: unnamed (no message named it in time), forgotten (its conversation is), erased (its customer is), broken_off (never put whole).";
    RATE_LIMITED_TOTAL = "offhook_rate_limited_total" Counter Count ["scope"] "Requests refused for their rate, by scope: agent, program, connects (an agent's), bad_tokens (an address's), visitor, address, workspace, starts, streams (an address's), api_key, signin (an address's), files (calls, and uploads at once), file_bytes (a visitor's).";
    SIGNINS = "offhook_signins" Gauge Count [] "People who are signed in with a browser.";
    SIGNINS_TOTAL = "offhook_signins_total" Counter Count ["outcome"] "Sign-ins by outcome: signed_in, refused, provider_failed; and by how they ended: signed_out, provider_out (it said so), ended (by an administrator), deactivated, made_room, ended_elsewhere (in a cluster, at another node).";
    PROVIDER_REQUESTS_TOTAL = "offhook_provider_requests_total" Counter Count ["what", "outcome"] "Requests to OpenID providers by what was asked (discovery, keys, token, userinfo) and outcome: ok, status, unreachable, late, too_large.";
    PROVIDER_SECONDS = "offhook_provider_seconds" Histogram Seconds [] "Time of one request to an OpenID provider.";
    RESTARTS_TOTAL = "offhook_restarts_total" Counter Count ["cause"] "Times that the supervisor started the server again, by why: exited, signal, killed, hung, unready, upgraded, rolled_back.";
    UPGRADES_TOTAL = "offhook_upgrades_total" Counter Count ["outcome"] "Upgrades by outcome: done, rolled_back, refused, interrupted.";
    STOOD_IN_TOTAL = "offhook_stood_in_total" Counter Count ["answer"] "Connections that the supervisor took in its server's place: answered, or turned_away for want of room.";
    LOG_LINES_LEFT_OUT_TOTAL = "offhook_log_lines_left_out_total" Counter Count [] "Lines that were not written, as nobody read the log and a write would have had to wait.";
    TRACE_SPANS_TOTAL = "offhook_trace_spans_total" Counter Count ["outcome"] "Spans of traces by outcome: sent, dropped (too many waited), refused (by the collector), failed (the server stopped).";
    TRACE_SPANS_WAITING = "offhook_trace_spans_waiting" Gauge Count [] "Spans that wait to be sent to the collector; 4,096 at most.";
    BUILD_INFO = "offhook_build_info" Gauge Count ["version", "commit"] "Always 1; the labels say which version runs, and which commit it was built from.";
    BACKUP_LAST_SUCCESS_TIMESTAMP_SECONDS = "offhook_backup_last_success_timestamp_seconds" Gauge Seconds [] "When the last backup was taken, in Unix time; 0 before the first.";
    BACKUP_LAST_FAILURE_TIMESTAMP_SECONDS = "offhook_backup_last_failure_timestamp_seconds" Gauge Seconds [] "When a backup failed last, in Unix time; 0 if none did.";
    BACKUP_LAST_BYTES = "offhook_backup_last_bytes" Gauge Bytes [] "What the last backup read.";
    BACKUP_LAST_DURATION_SECONDS = "offhook_backup_last_duration_seconds" Gauge Seconds [] "How long the last backup took.";
}

/// Registers kind, unit and help of every metric with the installed recorder.
pub fn describe_all() {
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => {
                metrics::describe_counter!(metric.name, metric.unit, metric.help)
            }
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            MetricKind::Histogram => {
                metrics::describe_histogram!(metric.name, metric.unit, metric.help)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    const DOCUMENT: &str = include_str!("../../docs/operating.md");

    fn row(metric: &Metric) -> String {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {} | {} | {} |", metric.name, metric.kind.word(), labels.join(", "), metric.help)
    }

    #[test]
    fn the_catalogue_and_the_document_say_the_same_in_both_directions() {
        let documented: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with("| `offhook_")).collect();
        let listed: Vec<String> = METRICS.iter().map(row).collect();
        assert_eq!(documented, listed);
    }

    #[test]
    fn names_follow_the_rules_of_prometheus() {
        let mut seen = BTreeSet::new();
        for Metric { name, kind, unit, help, .. } in METRICS {
            assert!(seen.insert(name), "{name} twice");
            assert!(name.starts_with("offhook_") && help.ends_with('.'), "{name}");
            assert_eq!(*kind == MetricKind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(*unit == Unit::Seconds, name.ends_with("_seconds"), "{name}");
        }
    }

    #[test]
    fn every_name_in_the_source_is_in_the_catalogue() {
        let known: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
        let mut unknown = Vec::new();
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
            for (at, _) in text.match_indices("\"offhook_") {
                let name = text[at + 1..].split('"').next().unwrap_or("");
                let whole = name.len() > "offhook_".len()
                    && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
                if whole && !known.contains(name) {
                    unknown.push(format!("{}: {name}", path.display()));
                }
            }
        });
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    fn walk(directory: &Path, visit: &mut impl FnMut(&Path, &str)) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, visit);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                visit(&path, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}

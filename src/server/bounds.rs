//! Settings in the shapes of those who hold to them: memory, disk, the audit trail, health, presence, the engine.

use crate::audit;
use crate::config::{HealthSettings, QuotasSettings, Sections, TracesSettings};
use crate::engine::{EngineSettings, FrameLimits, Quota, intake};
use crate::gateway::probe::ProbeSettings;
use crate::health::rules::Limits;
use crate::overload::{self, DiskMarks, Marks};
use crate::presence;
use crate::telemetry::traces;
use std::time::Duration;

const SESSIONS_MAX: usize = 200_000;
/// Streams of one conversation: its customer's tabs.
const STREAMS_OF_CONVERSATION_MAX: usize = 10;
/// How far below a mark of the disk's it is left again, in thousandths.
const DISK_GAP: u32 = 20;

pub fn audit_limits(set: &Sections) -> audit::Limits {
    let kept_ms = (set.audit.keep_days > 0).then(|| set.audit.keep_days * 86_400_000);
    audit::Limits { kept_ms, acts_max: set.audit.acts_max }
}

pub fn marks(set: &Sections) -> Marks {
    let memory = &set.memory;
    let percents = [
        memory.shed_observers_percent,
        memory.shed_typing_percent,
        memory.shed_history_percent,
        memory.shed_starts_percent,
        memory.shed_newcomers_percent,
    ];
    Marks { begin: percents.map(|percent| percent * 10), gap: memory.shed_gap_percent * 10 }
}

pub fn disk_marks(set: &Sections) -> DiskMarks {
    let (low, critical) = (set.journal.disk_low_percent * 10, set.journal.disk_critical_percent * 10);
    DiskMarks { low, critical, gap: DISK_GAP }
}

pub fn health_limits(set: &Sections) -> Limits {
    let HealthSettings { window_ms, recover_after_ms, overlooked_after_ms, memory_full_within_ms, .. } = set.health;
    Limits { window_ms, recover_after_ms, overlooked_after_ms, memory_full_within_ms }
}

pub fn probe_settings(set: &Sections) -> ProbeSettings {
    let ms = Duration::from_millis;
    let HealthSettings { probe_every_ms, probe_within_ms, slow_ms, .. } = set.health;
    ProbeSettings { every: ms(probe_every_ms), within: ms(probe_within_ms), slow_ms }
}

/// What each workspace may have for which nothing else is set.
pub fn quota(set: &Sections) -> Quota {
    let QuotasSettings { agents, open_conversations, messages_per_s, starts_per_s, storage_bytes, connections } =
        set.quotas;
    Quota { agents, open_conversations, messages_per_s, starts_per_s, storage_bytes, connections }
}

/// Where traces go, if they are wanted.
pub fn traces_settings(set: &Sections) -> Option<traces::Settings> {
    let TracesSettings { otlp_endpoint: endpoint, sample_ratio, headers_file } = set.traces.clone();
    (!endpoint.is_empty()).then_some(traces::Settings { endpoint, sample_ratio, headers_file })
}

pub fn presence_limits(set: &Sections) -> presence::Limits {
    presence::Limits {
        sessions_max: SESSIONS_MAX,
        streams_max: set.messenger.streams_max,
        streams_of_conversation_max: STREAMS_OF_CONVERSATION_MAX,
        stream_bytes_max: set.messenger.stream_bytes_max,
        ping_every_ms: set.sessions.ping_every_ms,
        dead_after_ms: set.sessions.dead_after_ms,
        token_leeway_s: set.identity.token_leeway_s,
    }
}

/// What waits in memory for a disk that is slow may take a sixteenth of the budget, for the journal and for the view each.
pub fn waiting_bytes_max() -> u64 {
    overload::memory().budget_bytes() / 16
}

pub fn engine_settings(set: &Sections) -> EngineSettings {
    EngineSettings {
        intake: intake::Limits { commands_max: set.engine.intake_commands_max, bytes_max: set.engine.intake_bytes_max },
        frames: FrameLimits {
            text_bytes_max: set.messenger.text_bytes_max,
            frame_bytes_max: set.sessions.frame_bytes_max,
        },
        tick_record_every_ms: set.engine.tick_record_every_ms,
        view_lag_bytes_max: set.engine.view_lag_bytes_max.min(waiting_bytes_max()) as usize,
        retention_days: set.journal.retention_days,
        reports_days: set.journal.reports_days,
    }
}

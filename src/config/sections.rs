//! Every setting there is: one struct a section, each field declared once with its kind and bounds.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::error::ConfigError;
use super::kind::{FromPlain, Kind, Plain};
use super::layers::Layers;
use crate::gateway::auth::client_address::ForwardedHeader;
use crate::gateway::auth::keys::KeySettings;
use crate::gateway::signin::ProviderSettings;
use crate::telemetry::logging::LogFormat;
use crate::telemetry::turned::Addresses;

/// One setting that the code knows.
#[derive(Debug)]
pub struct Setting {
    /// `section.key`
    pub path: &'static str,
    pub kind: Kind,
}

impl Setting {
    /// The part before the dot.
    pub fn section(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(section, _)| section)
    }
}

macro_rules! sections {
    ($($(#[$doc:meta])* $section:ident: $name:ident { $($field:ident: $ty:ty = $kind:expr,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name { $(pub $field: $ty,)* }

            impl $name {
                const SETTINGS: &'static [Setting] = &[$(
                    Setting { path: concat!(stringify!($section), ".", stringify!($field)), kind: $kind },
                )*];

                fn read(layers: &Layers) -> Result<Self, ConfigError> {
                    let mut settings = Self::SETTINGS.iter();
                    Ok(Self { $($field: next::<$ty>(&mut settings, layers)?,)* })
                }
            }
        )*

        /// All settings, typed; each value is in its range, but they are not yet checked against each other.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Sections { $($(#[$doc])* pub $section: $name,)* }

        impl Sections {
            pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
                Ok(Self { $($section: $name::read(layers)?,)* })
            }
        }

        /// Every setting that the code knows.
        pub fn all() -> impl Iterator<Item = &'static Setting> {
            [$($name::SETTINGS,)*].into_iter().flatten()
        }
    };
}

const fn count(min: u64, max: u64) -> Kind {
    Kind::Count { min, max }
}
const fn bytes(min: u64, max: u64) -> Kind {
    Kind::Bytes { min, max }
}
const fn ms(min: u64, max: u64) -> Kind {
    Kind::Count { min, max }
}
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const HOUR_MS: u64 = 3_600_000;

sections! {
    /// The ports, what stands before them, and what a request may take.
    server: ServerSettings {
        listen: SocketAddr = Kind::Address,
        operators_listen: SocketAddr = Kind::Address,
        data_dir: PathBuf = Kind::Text { bytes_max: 1024 },
        trusted_proxies: Vec<String> = Kind::Texts { entries_max: 1000 },
        forwarded_header: ForwardedHeader = Kind::Choice(&["x-forwarded-for", "forwarded", "none"]),
        header_bytes_max: usize = bytes(8 * KIB, MIB),
        header_timeout_ms: u64 = ms(100, 120_000),
        write_timeout_ms: u64 = ms(100, HOUR_MS),
        handshakes_pending_max: usize = count(1, 1_000_000),
        handshakes_per_address_max: usize = count(1, 1_000_000),
        connections_max: usize = count(0, 10_000_000),
        drain_ms: u64 = ms(500, HOUR_MS),
        stop_grace_ms: u64 = ms(2_500, 2 * HOUR_MS),
    }
    /// TLS in this process, where there is no proxy before it.
    tls: TlsSettings {
        certificate: PathBuf = Kind::Text { bytes_max: 1024 },
        key: PathBuf = Kind::Text { bytes_max: 1024 },
    }
    /// Agents' sockets: liveness, grace, and what each may take.
    sessions: SessionsSettings {
        ping_every_ms: u64 = ms(100, HOUR_MS),
        dead_after_ms: u64 = ms(200, 2 * HOUR_MS),
        mailbox_bytes_max: usize = bytes(64 * KIB, 64 * MIB),
        frame_bytes_max: usize = bytes(4 * KIB, 16 * MIB),
        send_buffer_bytes: usize = bytes(4 * KIB, 16 * MIB),
        receive_buffer_bytes: usize = bytes(4 * KIB, 16 * MIB),
        commands_per_s: u32 = count(1, 100_000),
        commands_burst: u32 = count(1, 1_000_000),
        program_commands_per_s: u32 = count(1, 100_000),
        program_commands_burst: u32 = count(1, 1_000_000),
        handshakes_at_once: usize = count(1, 100_000),
        handshakes_waiting_max: usize = count(0, 100_000),
        connects_per_min: u32 = count(1, 1_000_000),
        bad_tokens_per_min: u32 = count(1, 1_000_000),
    }
    /// Visitors and customers: sizes, rates, tokens, streams.
    messenger: MessengerSettings {
        text_bytes_max: usize = bytes(256, MIB),
        metadata_bytes_max: usize = bytes(256, MIB),
        visitor_messages_per_s: u32 = count(1, 10_000),
        visitor_burst: u32 = count(1, 100_000),
        address_messages_per_s: u32 = count(1, 1_000_000),
        address_burst: u32 = count(1, 10_000_000),
        workspace_messages_per_s: u32 = count(1, 1_000_000),
        workspace_burst: u32 = count(1, 10_000_000),
        starts_per_10_min: u32 = count(1, 1_000_000),
        stream_bytes_max: usize = bytes(4 * KIB, 16 * MIB),
        anonymous_token_days: u64 = count(1, 3650),
        stream_ticket_hours: u64 = count(1, 8760),
        streams_max: usize = count(1, 10_000_000),
        streams_per_address_max: u32 = count(1, 10_000_000),
        sample_page: bool = Kind::Flag,
    }
    /// Files that are added to messages.
    files: FilesSettings {
        uploads_max: usize = count(1, 256),
        visitor_bytes_per_h: u64 = bytes(MIB, TIB),
        workspace_bytes_max: u64 = bytes(MIB, 1024 * TIB),
        upload_bytes_per_s_min: u64 = bytes(1, GIB),
        unnamed_kept_ms: u64 = ms(1000, 24 * HOUR_MS),
        scan_url: String = Kind::Text { bytes_max: 2048 },
        scan_timeout_ms: u64 = ms(100, 600_000),
    }
    /// How much may wait to be decided.
    engine: EngineSettings {
        intake_commands_max: usize = count(16, 10_000_000),
        intake_bytes_max: usize = bytes(64 * KIB, 16 * GIB),
        tick_record_every_ms: u64 = ms(100, 5000),
        view_lag_bytes_max: u64 = bytes(MIB, TIB),
    }
    /// What each workspace may have, unless something else is set for it.
    quotas: QuotasSettings {
        agents: u64 = count(0, 200_000),
        open_conversations: u64 = count(0, 1_000_000_000),
        messages_per_s: u64 = count(0, 1_000_000),
        starts_per_s: u64 = count(0, 1_000_000),
        storage_bytes: u64 = bytes(0, 1024 * TIB),
        connections: u64 = count(0, 10_000_000),
    }
    /// How much memory may be used, and from which use on what is shed.
    memory: MemorySettings {
        budget_bytes: u64 = bytes(0, 1024 * TIB),
        shed_observers_percent: u32 = count(1, 1000),
        shed_typing_percent: u32 = count(1, 1000),
        shed_history_percent: u32 = count(1, 1000),
        shed_starts_percent: u32 = count(1, 1000),
        shed_newcomers_percent: u32 = count(1, 1000),
        shed_gap_percent: u32 = count(0, 100),
    }
    /// The journal's durability and its room on disk.
    journal: JournalSettings {
        synchronous: Synchronous = Kind::Choice(&["full", "normal", "off"]),
        retention_days: u64 = count(0, 36_500),
        reports_days: u64 = count(0, 36_500),
        kept_back_bytes: u64 = bytes(MIB, TIB),
        disk_budget_bytes: u64 = bytes(0, 1024 * TIB),
        disk_low_percent: u32 = count(1, 100),
        disk_critical_percent: u32 = count(1, 100),
    }
    /// Nodes that share the work, and the NATS servers between them.
    cluster: ClusterSettings {
        node: String = Kind::Text { bytes_max: 1024 },
        servers: Vec<String> = Kind::Texts { entries_max: 64 },
        name: String = Kind::Text { bytes_max: 1024 },
        credentials: PathBuf = Kind::Text { bytes_max: 1024 },
        ca: PathBuf = Kind::Text { bytes_max: 1024 },
        replicas: usize = count(1, 5),
        lease_ms: u64 = ms(500, 60_000),
        answer_within_ms: u64 = ms(100, 60_000),
        bytes_max: u64 = bytes(0, 1024 * TIB),
        files_bytes_max: u64 = bytes(0, 1024 * TIB),
    }
    /// Who administered what, and how long that is kept.
    audit: AuditSettings {
        keep_days: u64 = count(0, 36_500),
        acts_max: u64 = count(100, 100_000_000),
    }
    /// Who may come in.
    identity: IdentitySettings {
        agent_keys: Vec<KeySettings> = Kind::Keys { entries_max: 1000 },
        customer_keys: Vec<KeySettings> = Kind::Keys { entries_max: 1000 },
        origins: Vec<String> = Kind::Texts { entries_max: 1000 },
        token_leeway_s: i64 = count(0, 600),
        api_key_requests_per_s: u32 = count(1, 1_000_000),
    }
    /// How people sign in with a browser.
    signin: SigninSettings {
        url: String = Kind::Text { bytes_max: 1024 },
        providers: Vec<ProviderSettings> = Kind::Providers { entries_max: 1000 },
        session_hours: i64 = count(1, 720),
        token_s: i64 = count(30, 3600),
        provider_timeout_ms: u64 = ms(100, 60_000),
        authorities: PathBuf = Kind::Text { bytes_max: 1024 },
    }
    /// What is brought to endpoints that others named.
    webhooks: WebhookSettings {
        private_addresses: bool = Kind::Flag,
        plain_http: bool = Kind::Flag,
        timeout_ms: u64 = ms(100, 60_000),
        connections_max: usize = count(1, 64),
        retry_first_ms: u64 = ms(10, HOUR_MS),
        retry_most_ms: u64 = ms(10, 24 * HOUR_MS),
        pause_after_ms: u64 = ms(100, 30 * 24 * HOUR_MS),
        authorities: PathBuf = Kind::Text { bytes_max: 1024 },
    }
    /// What is called an outage, and the probe that looks for one.
    health: HealthSettings {
        probe_every_ms: u64 = ms(0, HOUR_MS),
        probe_within_ms: u64 = ms(100, 60_000),
        slow_ms: u64 = ms(1, 60_000),
        window_ms: u64 = ms(1000, 60_000),
        recover_after_ms: u64 = ms(0, HOUR_MS),
        overlooked_after_ms: u64 = ms(1000, HOUR_MS),
        memory_full_within_ms: u64 = ms(0, 24 * HOUR_MS),
        public_status: bool = Kind::Flag,
    }
    /// The process over the server.
    supervisor: SupervisorSettings {
        hang_ms: u64 = ms(3_000, HOUR_MS),
        start_ms: u64 = ms(1_000, 24 * HOUR_MS),
        delay_ms_max: u64 = ms(100, HOUR_MS),
        upgrade_ready_ms: u64 = ms(500, 24 * HOUR_MS),
        probation_ms: u64 = ms(500, 24 * HOUR_MS),
    }
    /// OpenTelemetry traces.
    traces: TracesSettings {
        otlp_endpoint: String = Kind::Text { bytes_max: 2048 },
        sample_ratio: u32 = Kind::Ratio,
        headers_file: PathBuf = Kind::Text { bytes_max: 1024 },
    }
    /// What is written to standard error.
    log: LogSettings {
        format: LogFormat = Kind::Choice(&["text", "json"]),
        addresses: Addresses = Kind::Choice(&["none", "network", "whole"]),
        level: String = Kind::Text { bytes_max: 1024 },
    }
}

/// Whether a commit is on disk before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    Full,
    /// For tests only: power loss loses what was acknowledged since the last checkpoint.
    Normal,
    /// For tests only: the same, and the file may be left damaged.
    Off,
}

impl FromPlain for Synchronous {
    fn from_plain(plain: Plain) -> Option<Self> {
        match plain {
            Plain::Text(word) if word == "full" => Some(Self::Full),
            Plain::Text(word) if word == "normal" => Some(Self::Normal),
            Plain::Text(word) if word == "off" => Some(Self::Off),
            _ => None,
        }
    }
}

impl FromPlain for ForwardedHeader {
    fn from_plain(plain: Plain) -> Option<Self> {
        match plain {
            Plain::Text(word) => Self::from_word(&word),
            _ => None,
        }
    }
}

impl FromPlain for Addresses {
    fn from_plain(plain: Plain) -> Option<Self> {
        match plain {
            Plain::Text(word) => Self::from_word(&word),
            _ => None,
        }
    }
}

impl FromPlain for LogFormat {
    fn from_plain(plain: Plain) -> Option<Self> {
        match plain {
            Plain::Text(word) => Self::from_word(&word),
            _ => None,
        }
    }
}

/// Reads the next declared setting. The macro declares fields and settings from the same list, so they keep step.
fn next<T: FromPlain>(settings: &mut std::slice::Iter<'static, Setting>, layers: &Layers) -> Result<T, ConfigError> {
    let setting = settings.next().expect("as many settings as fields: one list makes both");
    let entry = layers.entry(setting.path).expect("every setting has a default: a test holds it");
    setting.kind.read(&entry.value).and_then(T::from_plain).ok_or_else(|| ConfigError::Wrong {
        field: setting.path.to_owned(),
        found: entry.value.to_string(),
        origin: entry.origin.clone(),
        allowed: setting.kind.allowed(),
        mend: format!("Change it there, or leave {} out to have the default.", setting.path),
    })
}

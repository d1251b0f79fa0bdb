//! The whole server, put together in the order in which its parts need each other, and taken apart in reverse.

mod bounds;
mod cluster;
mod files;
mod identities;
mod readiness;
mod signin;
mod view;
mod webhooks;

use crate::audit::Trail;
use crate::backup;
use crate::client::Address;
use crate::clock;
use crate::cluster::{Lease, SealedPart, mark};
use crate::config::{Config, Sections, Synchronous};
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::engine::{Engine, Quotas, Threads};
use crate::feed::Feeds;
use crate::files::Files;
use crate::gateway::agent::{self, AgentDesks, AgentLimits, CommandRate};
use crate::gateway::auth::agent_token::AgentKeys;
use crate::gateway::auth::client_address::TrustedProxies;
use crate::gateway::auth::origin::OriginRules;
use crate::gateway::auth::probe_keys::ProbeKeys;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::gateway::desk_pages;
use crate::gateway::embed;
use crate::gateway::health::{HealthWatch, Probes};
use crate::gateway::http::Door;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::real::RealDesks;
use crate::gateway::lag::{self, Lag};
use crate::gateway::listen::{self, ListenLimits, Listening};
use crate::gateway::messenger::{self, MessengerBounds};
use crate::gateway::operators::{self, Operators};
use crate::gateway::probe::Probe;
use crate::gateway::signin::Endings;
use crate::gateway::spec;
use crate::gateway::status;
use crate::gateway::tls::Tls;
use crate::gateway::{self, admin};
use crate::health::experience::EXPERIENCE;
use crate::journal::elsewhere::{is_here, is_in_cluster};
use crate::journal::lock::DataLock;
use crate::journal::sqlite::{self, SqliteJournal};
use crate::journal::{Journal, local_disk};
use crate::overload::descriptors::{self, Descriptors};
use crate::overload::pace::PaceLimits;
use crate::overload::{self, Budget, DiskMeter};
use crate::presence::Registry;
use crate::seal::KeyRing;
use crate::supervisor::{self, Inherited, Supervised};
use crate::telemetry::catalogue;
use crate::telemetry::exporter::Exporter;
use crate::telemetry::traces::{self, Exporting};
use crate::webhooks::{Cluster, Webhooks};
use crate::wire::error::Code;
use crate::wire::{agent as agent_wire, messenger as messenger_wire};
use axum::Router;
use bounds::{
    audit_limits, disk_marks, engine_settings, health_limits, marks, presence_limits, probe_settings, quota,
    traces_settings, waiting_bytes_max,
};
pub use cluster::MustEnd;
use files::{files_bounds, files_settings, scan};
use identities::{agents_keys, identities};
use readiness::ProcessHealth;
pub use signin::signin_providers;
use signin::{Signings, hearing};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The workspace of a first start on one's own machine.
pub const FIRST_WORKSPACE: &str = "demo";
/// Of the time for a stop in order, what is kept for the engine's last turns and the journal.
const LAST_QUARTER: u32 = 4;
/// Of the operators' port: scrapes and probes. Its file descriptors are among those that are kept back.
const OPERATORS_MAX: usize = 64;
/// However many descriptors there are.
const CONNECTIONS_MOST: usize = 1_000_000;

/// Why the server did not start; the sentence says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct StartFailed {
    doing: &'static str,
    why: String,
}

fn failed<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> StartFailed {
    move |why| StartFailed { doing, why: why.to_string() }
}

/// A running server.
pub struct Server {
    /// Where agents, messengers and administrators connect.
    pub address: SocketAddr,
    pub operators_address: SocketAddr,
    engine: Arc<Engine>,
    webhooks: Arc<Webhooks>,
    health: HealthWatch,
    traces: Option<Exporting>,
    probe: Option<JoinHandle<()>>,
    agent_keys: Arc<AgentKeys>,
    tls: Option<Arc<Tls>>,
    door: Door,
    readiness: Arc<ProcessHealth>,
    lease: Option<Lease>,
    drain: Duration,
    public: Listening,
    own_door: Option<Listening>,
    operators: Listening,
    /// Of the agents' sockets, and of requests of those who were refused.
    _agents: Threads,
    _back: Threads,
    /// Last, so that the directory stays ours until everything else is gone.
    _lock: DataLock,
}

impl Server {
    /// Start everything, and serve: on the sockets that were handed in, or on those that the settings name.
    ///
    /// # Errors
    /// What could not be started, and why.
    pub async fn start(
        config: &Config,
        exporter: Arc<Exporter>,
        mut inherited: Inherited,
    ) -> Result<Self, StartFailed> {
        let set = &config.sections;
        let supervised = Arc::new(Supervised::of(&mut inherited));
        // Whoever handed a socket in chose its address, and nothing in the settings says which.
        let handed_in = inherited.public.as_ref().map(TcpListener::local_addr).transpose();
        let listen =
            handed_in.map_err(failed("looking at the socket that was handed in"))?.unwrap_or(set.server.listen);
        let dir = set.server.data_dir.as_path();
        std::fs::create_dir_all(dir).map_err(failed("making the data directory"))?;
        backup::is_finished(dir).map_err(failed("looking at the data directory"))?;
        local_disk::require(dir).map_err(failed("looking at the data directory"))?;
        let lock = DataLock::take(dir).map_err(failed("locking the data directory"))?;
        let elsewhere = if set.cluster.node.is_empty() { is_here(dir) } else { is_in_cluster(dir).await };
        elsewhere.map_err(failed("looking for the journal"))?;
        mark(dir, &set.cluster.node).map_err(failed("marking the data directory"))?;
        let budget = Budget::find(set.memory.budget_bytes, Path::new("/"));
        tracing::info!(%budget, "the memory budget");
        let disk = DiskMeter::new(dir.to_owned(), set.journal.disk_budget_bytes, disk_marks(set));
        overload::start(&budget, marks(set), disk).map_err(failed("starting the meter"))?;

        let traces = traces_settings(set).map(|traces| traces::start(&traces)).transpose();
        let traces = traces.map_err(failed("preparing traces"))?;
        let server_keys = Arc::new(ServerKeys::load_or_make(dir).map_err(failed("reading server.key"))?);
        let probe_keys = (set.health.probe_every_ms > 0).then(|| ProbeKeys::of(&server_keys));
        let signins = Signings::open(dir, &server_keys)?;
        let (agent_keys, admin_key) = agents_keys(set, listen, dir, probe_keys.as_ref(), &signins)?;
        let (mut health, left) = HealthWatch::begin(dir);
        let way = cluster::Way::open(set).await?;
        // Before the keys: a node that may not go on makes none.
        let shared_journal = match &way {
            Some(way) => Some(way.journal().await?),
            None => None,
        };
        let keys = match &way {
            Some(way) => way.keys(dir, &server_keys).await?,
            None => KeyRing::open(dir).map_err(failed("opening customers' keys"))?,
        };
        let keys = Arc::new(keys);
        let journal: Arc<dyn Journal> = match &shared_journal {
            Some(shared) => Arc::new(shared.clone()),
            None => {
                let opened = SqliteJournal::open(dir, journal_settings(set));
                Arc::new(opened.map_err(failed("opening the journal"))?)
            }
        };
        let view = view::open_view(dir, &journal, way.is_some()).await?;
        let registry = Arc::new(Registry::new(presence_limits(set)));
        let threads = Threads::start("engine").map_err(failed("starting threads"))?;
        let shared_files = match &way {
            Some(way) => Some(way.files().await?),
            None => None,
        };
        let files = Files::new(dir, keys.clone(), files_settings(set), shared_files);
        let quotas = Quotas::open(dir, quota(set)).map_err(failed("reading the quotas"))?;
        let (kept, settings) = (journal.clone(), (engine_settings(set), quotas));
        let (lease, cluster) = match way.zip(shared_journal) {
            Some((way, shared)) => {
                let (lease, cluster) = way.join(shared, listen).await?;
                (Some(lease), Some(cluster))
            }
            None => (None, None),
        };
        let shared = cluster.as_ref().map(|(clustered, _)| clustered.settings.clone());
        let sealed = |word, key| shared.as_ref().map(|shared| SealedPart::new(shared.part(word), key));
        let shared_hooks = sealed("webhooks", server_keys.webhooks()).map(Cluster::new);
        let shared_signins = sealed("signins", server_keys.signins());
        let engine = Engine::start(kept, view.clone(), keys, files.clone(), registry, settings, (threads, cluster))
            .await
            .map_err(failed("reading which workspaces there are"))?;
        if engine.names().is_empty() && set.identity.agent_keys.is_empty() {
            // Trying it out takes no preparation. What cannot be made now is made by `offhook apply`.
            if let Err(not_done) = engine.create_workspace(FIRST_WORKSPACE).await {
                tracing::warn!(?not_done, "the first workspace could not be made");
            }
        }
        for workspace in engine.all() {
            engine.until_loaded(&workspace).await;
        }

        let lag = Arc::new(Lag::default());
        let back = Threads::start_yielding("back", lag::serves_the_back).map_err(failed("starting threads"))?;
        for threads in [&Handle::current(), back.handle()] {
            let lag = lag.clone();
            threads.spawn(async move { lag.watch().await });
        }
        let feeds = Feeds::new(engine.clone());
        let hooks = webhooks::webhooks(set, dir, feeds.clone(), shared_hooks)?;
        let door = Door {
            desks: Arc::new(RealDesks::new(engine.clone(), lag, feeds)),
            identities: Arc::new(identities(
                set,
                agent_keys.clone(),
                server_keys.clone(),
                admin_key,
                probe_keys.as_ref(),
            )?),
            now: Arc::new(|| Now { desk: DeskTime(clock::monotonic_ms()), wall: WallTime(clock::wall_ms()) }),
        };
        let gate = messenger::gate(door.clone());
        let agents = Threads::start("agents").map_err(failed("starting threads"))?;
        let endings = signins.endings(&door, shared_signins).await?;
        let (frames, mailboxes) = (set.sessions.frame_bytes_max, set.sessions.mailbox_bytes_max);
        let (board, live) = (health.board.clone(), endings.signins.clone());
        let desks = AgentDesks::new(engine.clone(), board, live, server_keys.clone(), mailboxes, frames);
        let trail = Trail::open(dir, audit_limits(set)).map_err(failed("opening the audit trail"))?;
        let mut router =
            public_router(set, desks, &door, agent_keys.clone(), &agents, &endings, (hooks.clone(), trail))?;
        router = router.merge(signins.router(config, &door, endings, agent_keys.clone(), server_keys)?);
        router = router.merge(gateway::files::router(door.clone(), files, scan(set)?, files_bounds(set)));
        router = router.merge(spec::router());
        router = router.merge(embed::router(door.clone(), set.messenger.sample_page));
        let by_provider = set.signin.providers.iter().map(|provider| provider.workspace.clone()).collect();
        router = router.merge(desk_pages::router(door.clone(), by_provider));
        if set.health.public_status {
            router = router.merge(status::router(health.board.clone(), None));
        }
        if lease.is_some() {
            router = hearing(router, agent_keys.clone());
        }
        let readiness = Arc::new(ProcessHealth::new(engine.clone(), journal, view, supervised.clone()));
        let operators_router = operators::router(Operators {
            door: door.clone(),
            metrics: Arc::new({
                let (supervised, hooks) = (supervised.clone(), hooks.clone());
                let data_dir = dir.to_owned();
                move || {
                    hooks.gauge();
                    supervised.iter().for_each(Supervised::count);
                    backup::show(&data_dir);
                    exporter.render()
                }
            }),
            health: readiness.clone(),
            board: health.board.clone(),
        });
        let tls = tls(set, dir)?;
        let descriptors = descriptors::raise().map_err(failed("asking how many files may be open"))?;
        let limits = ListenLimits { tls: tls.clone(), ..listen_limits(set, descriptors)? };
        let open = |given: Option<TcpListener>, address, router, gate, limits: &ListenLimits| {
            let socket = given.map_or_else(|| listen::bind(address, limits), Ok).map_err(failed("listening"))?;
            listen::listen(socket, router, gate, Some(back.handle().clone()), limits).map_err(failed("listening"))
        };
        let few =
            ListenLimits { connections_max: OPERATORS_MAX, handshakes_max: OPERATORS_MAX, tls: None, ..limits.clone() };
        let operators = open(inherited.operators, set.server.operators_listen, operators_router, None, &few)?;
        // The probe has no certificate to believe: where the public port speaks TLS it has a door of its own to the same rooms.
        let own_door = (tls.is_some() && probe_keys.is_some())
            .then(|| open(None, (Ipv4Addr::LOCALHOST, 0).into(), router.clone(), Some(gate.clone()), &few))
            .transpose()?;
        let public = open(inherited.public, set.server.listen, router, Some(gate), &limits)?;
        hooks.start();
        EXPERIENCE.set_slow_after_ms(set.health.slow_ms);
        let probes = Arc::new(Probes::default());
        health.run(left, readiness.last_end(), engine.clone(), probes.clone(), health_limits(set));
        let probe = probe_keys.map(|keys| {
            let (engine, address) = (engine.clone(), Address::of(own_door.as_ref().unwrap_or(&public).address));
            tokio::spawn(Probe { engine, keys, address, probes, settings: probe_settings(set) }.run())
        });
        Ok(Self {
            address: public.address,
            operators_address: operators.address,
            engine,
            webhooks: hooks,
            health,
            traces,
            probe,
            agent_keys,
            tls,
            door,
            readiness,
            lease,
            drain: Duration::from_millis(set.server.drain_ms),
            public,
            own_door,
            operators,
            _agents: agents,
            _back: back,
            _lock: lock,
        })
    }

    /// How the public port is spoken to.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Read agents' keys and the certificate again; the old ones stay live if that fails.
    pub fn reload(&self) {
        if let Some(tls) = &self.tls {
            tls.reload();
        }
        match self.agent_keys.reload() {
            Ok(keys) => tracing::info!(keys, "agents' keys were read again"),
            Err(error) => tracing::error!(%error, "agents' keys could not be read again; the old ones stay live"),
        }
    }

    /// Ends when this node of a cluster must.
    pub async fn must_end(&self) -> MustEnd {
        let Some(lease) = &self.lease else { return std::future::pending().await };
        tokio::select! {
            over = lease.taken_over() => over.into(),
            left_behind = self.engine.left_behind() => left_behind.into(),
        }
    }

    /// What speaks for this server's life: its beat.
    pub fn beat(&self) -> impl Future<Output = ()> + use<> {
        supervisor::beat(self.door.clone(), self.readiness.clone())
    }

    /// In order, and within `server.drain_ms`: it is not ready any more, everybody is told when to come back, requests under way are answered,
    /// what was decided is committed and delivered.
    pub async fn stop(self) {
        // Before everything is refused, or its last probe would tell of an outage.
        if let Some(probe) = &self.probe {
            probe.abort();
        }
        supervisor::tell("STOPPING=1");
        self.readiness.stops();
        let end = tokio::time::Instant::from_std(clock::instant()) + self.drain;
        if let Some(lease) = self.lease {
            // Other nodes lead from now on; what is still asked here is passed on to them.
            lease.leave().await;
        }
        self.engine.registry().close_all();
        self.engine.all().iter().for_each(|workspace| workspace.end_followers());
        if tokio::time::timeout_at(end, self.webhooks.stop()).await.is_err() {
            tracing::warn!("not every webhook kept its place: what was sent last may be sent again");
        }
        if let Some(own_door) = self.own_door {
            let _ = tokio::time::timeout_at(end - self.drain / LAST_QUARTER, own_door.stop()).await;
        }
        let in_time = tokio::time::timeout_at(end - self.drain / LAST_QUARTER, self.public.stop()).await;
        if in_time.is_err() {
            tracing::warn!("not all connections ended in time: they are cut off");
        }
        if tokio::time::timeout_at(end, self.engine.stop()).await.is_err() {
            tracing::error!("not everything was committed in time");
        }
        if let Some(traces) = self.traces {
            let _ = tokio::time::timeout_at(end, traces.stop()).await;
        }
        let _ = tokio::time::timeout_at(end, self.operators.stop()).await;
        self.health.stop().await;
    }
}

fn public_router(
    set: &Sections,
    desks: AgentDesks,
    door: &Door,
    agent_keys: Arc<AgentKeys>,
    threads: &Threads,
    endings: &Endings,
    (webhooks, trail): (Arc<Webhooks>, Arc<Trail>),
) -> Result<Router, StartFailed> {
    let origins = OriginRules::parse(&set.identity.origins).map_err(failed("reading identity.origins"))?;
    let limits = AgentLimits {
        frame_bytes_max: set.sessions.frame_bytes_max,
        frame: agent_wire::Limits { text_bytes_max: set.messenger.text_bytes_max },
        commands: CommandRate { per_s: set.sessions.commands_per_s, burst: set.sessions.commands_burst },
        program_commands: CommandRate {
            per_s: set.sessions.program_commands_per_s,
            burst: set.sessions.program_commands_burst,
        },
        pace: PaceLimits { at_once: set.sessions.handshakes_at_once, waiting_max: set.sessions.handshakes_waiting_max },
        connects_per_min: set.sessions.connects_per_min,
        bad_tokens_per_min: set.sessions.bad_tokens_per_min,
        ..AgentLimits::default()
    };
    let threads = threads.handle().clone();
    let entrance = agent::Door::new(desks, agent_keys, origins, proxies(set)?, limits, threads);
    let agents = agent::routes(Arc::new(entrance));
    let bounds = MessengerBounds {
        limits: messenger_wire::Limits {
            text_bytes_max: set.messenger.text_bytes_max,
            metadata_bytes_max: set.messenger.metadata_bytes_max,
        },
        streams_max: set.messenger.streams_max,
        messages_per_s: set.messenger.visitor_messages_per_s,
        messages_burst: set.messenger.visitor_burst,
        address_messages_per_s: set.messenger.address_messages_per_s,
        address_burst: set.messenger.address_burst,
        workspace_messages_per_s: set.messenger.workspace_messages_per_s,
        workspace_burst: set.messenger.workspace_burst,
        starts_per_10_min: set.messenger.starts_per_10_min,
        streams_max_per_address: set.messenger.streams_per_address_max,
        ..MessengerBounds::default()
    };
    Ok(agents
        .merge(messenger::router(door.clone(), bounds))
        .merge(admin::router(door.clone(), endings.clone(), Some(webhooks), trail, set.identity.api_key_requests_per_s))
        .fallback(|| async { Problem::new(Code::NotFound, "there is nothing at this address") }))
}

fn journal_settings(set: &Sections) -> sqlite::Settings {
    let usual = sqlite::Settings::default();
    sqlite::Settings {
        synchronous: match set.journal.synchronous {
            Synchronous::Full => sqlite::Synchronous::Full,
            Synchronous::Normal => sqlite::Synchronous::Normal,
            Synchronous::Off => sqlite::Synchronous::Off,
        },
        kept_back_bytes: set.journal.kept_back_bytes,
        disk_budget_bytes: (set.journal.disk_budget_bytes > 0).then_some(set.journal.disk_budget_bytes),
        inbox_bytes_max: usual.inbox_bytes_max.min(waiting_bytes_max() as usize),
        ..usual
    }
}

fn listen_limits(set: &Sections, descriptors: Descriptors) -> Result<ListenLimits, StartFailed> {
    let places = overload::memory().places.most();
    let there_is = descriptors.connections.min(places);
    let connections_max = match set.server.connections_max {
        0 => there_is.min(CONNECTIONS_MOST),
        set => set.min(there_is),
    };
    if set.server.connections_max > connections_max {
        tracing::warn!(
            connections_max,
            places,
            "server.connections_max is more than the {} file descriptors of this process, or its memory budget, allow",
            descriptors.limit
        );
    }
    metrics::gauge!(catalogue::CONNECTIONS_MAX).set(connections_max as f64);
    Ok(ListenLimits {
        connections_max,
        handshakes_of_address_max: set.server.handshakes_per_address_max,
        proxies: proxies(set)?,
        handshakes_max: set.server.handshakes_pending_max,
        header_bytes_max: set.server.header_bytes_max,
        header_read_ms: set.server.header_timeout_ms,
        write_ms: set.server.write_timeout_ms,
        send_buffer_bytes: set.sessions.send_buffer_bytes,
        receive_buffer_bytes: set.sessions.receive_buffer_bytes,
        ..ListenLimits::default()
    })
}

fn tls(set: &Sections, dir: &Path) -> Result<Option<Arc<Tls>>, StartFailed> {
    if set.tls.certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let tls = Tls::load(&set.tls.certificate, &set.tls.key, dir).map_err(failed("preparing TLS"))?;
    tokio::spawn(tls.clone().watch());
    Ok(Some(tls))
}

fn proxies(set: &Sections) -> Result<TrustedProxies, StartFailed> {
    TrustedProxies::parse(&set.server.trusted_proxies, set.server.forwarded_header)
        .map_err(failed("reading server.trusted_proxies"))
}

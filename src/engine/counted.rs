//! What metrics are told: each committed event once, and once a second how much there is of everything.

use super::workspace::Workspace;
use crate::desk::Desk;
use crate::desk::clocks::ClockEnd;
use crate::desk::command::{Author, Notice};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::{Event, OfferEnd, RequeueCause};
use crate::desk::ids::{DecisionId, OfferId};
use crate::desk::time::{DeskTime, WallTime};
use crate::desk::waiting_rules::OFFERS_ALERT;
use crate::overload::memory;
use crate::telemetry::catalogue;
use crate::telemetry::labels::BoundedLabels;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much there is of everything in one workspace, as of its last look.
#[derive(Debug, Clone, Default)]
pub struct Amounts {
    /// online, reconnecting, unreachable
    pub agents: [u64; 3],
    /// That are not deactivated.
    pub agents_active: u64,
    /// waiting, offered, active, wrap_up
    pub conversations: [u64; 4],
    /// Of the active ones.
    pub paused: u64,
    /// By queue: how many wait, and whether it is open.
    pub waiting: Vec<(Arc<str>, u32, bool)>,
    pub decisions_pending: u64,
    pub view_lag_records: u64,
    /// The age of the oldest that waits though an agent could take it.
    pub overlooked_ms: Option<u64>,
}

const CONNECTION_WORDS: [&str; 3] = ["online", "reconnecting", "unreachable"];
/// The place of those within their grace.
const RECONNECTING: usize = 1;
const STATES: [&str; 4] = ["waiting", "offered", "active", "wrap_up"];

impl Amounts {
    #[must_use]
    pub fn of(desk: &Desk, view_lag_records: usize, overlooked_ms: Option<u64>) -> Self {
        let mut amounts = Self { view_lag_records: view_lag_records as u64, overlooked_ms, ..Self::default() };
        for (_, agent) in desk.agents() {
            let name = agent.connection.name();
            if let Some(place) = CONNECTION_WORDS.iter().position(|word| *word == name) {
                amounts.agents[place] += 1;
            }
        }
        amounts.agents_active = desk.active_agents();
        amounts.decisions_pending = desk.decisions().count() as u64;
        for (id, queue) in desk.queues() {
            amounts.paused += u64::from(queue.paused);
            let counts = [queue.waiting, queue.offered, queue.active, queue.wrap_up];
            for (sum, count) in amounts.conversations.iter_mut().zip(counts) {
                *sum += u64::from(count);
            }
            amounts.waiting.push((queue.settings.name.clone(), queue.waiting, desk.is_open(id)));
        }
        amounts
    }
}

/// Agents whose connection is open, and those who have lost theirs and have their grace; of all workspaces of people.
#[must_use]
pub fn connected(workspaces: &[Arc<Workspace>]) -> (u64, u64) {
    let of_people = workspaces.iter().filter(|workspace| !workspace.is_probes());
    of_people.map(|workspace| workspace.amounts().agents).fold((0, 0), |(online, lost), agents| {
        let [now_online, reconnecting, unreachable] = agents;
        (online + now_online + unreachable, lost + reconnecting)
    })
}

/// The age of the oldest conversation that waits though an agent could take it.
#[must_use]
pub fn overlooked_ms(workspaces: &[Arc<Workspace>]) -> Option<u64> {
    workspaces.iter().filter_map(|workspace| workspace.amounts().overlooked_ms).max()
}

/// Set the gauges to the sums over all workspaces of people.
pub fn gauge_all(workspaces: &[Arc<Workspace>], labels: &BoundedLabels) {
    let mut agents = [0; 3];
    let mut conversations = [0; 4];
    let (mut paused, mut lag, mut commands, mut bytes) = (0, 0, 0, 0);
    let (mut decisions, mut followers, mut leads) = (0, 0, 0_u32);
    let mut states = [("serving", 0_u32), ("scarce", 0), ("unavailable", 0)];
    for workspace in workspaces.iter().filter(|workspace| !workspace.is_probes()) {
        let amounts = workspace.amounts();
        agents.iter_mut().zip(amounts.agents).for_each(|(sum, count)| *sum += count);
        conversations.iter_mut().zip(amounts.conversations).for_each(|(sum, count)| *sum += count);
        paused += amounts.paused;
        lag += amounts.view_lag_records;
        decisions += amounts.decisions_pending;
        followers += workspace.followers().count();
        leads += u32::from(workspace.leads().is_some());
        workspace.quota().tell(&amounts, || labels.label(workspace.name()).to_string());
        for (queue, waiting, open) in &amounts.waiting {
            let (workspace, queue) = (labels.label(workspace.name()), labels.label(queue));
            metrics::gauge!(catalogue::WAITING, "workspace" => workspace.to_string(), "queue" => queue.to_string())
                .set(f64::from(*waiting));
            metrics::gauge!(catalogue::QUEUE_OPEN, "workspace" => workspace.to_string(), "queue" => queue.to_string())
                .set(f64::from(*open));
        }
        let size = workspace.intake_size();
        commands += size.0;
        bytes += size.1;
        let word = workspace.taking().word();
        states.iter_mut().filter(|(state, _)| *state == word).for_each(|(_, count)| *count += 1);
    }
    // Of those who dropped and are within their grace.
    memory().places.keep(agents[RECONNECTING] as usize);
    for (word, count) in CONNECTION_WORDS.into_iter().zip(agents) {
        metrics::gauge!(catalogue::AGENTS, "connection" => word).set(count as f64);
    }
    for (word, count) in STATES.into_iter().zip(conversations) {
        metrics::gauge!(catalogue::CONVERSATIONS, "state" => word).set(count as f64);
    }
    for (word, count) in states {
        metrics::gauge!(catalogue::WORKSPACE_STATE, "state" => word).set(f64::from(count));
    }
    metrics::gauge!(catalogue::CLUSTER_LEADS).set(f64::from(leads));
    metrics::gauge!(catalogue::PAUSED).set(paused as f64);
    metrics::gauge!(catalogue::VIEW_LAG_RECORDS).set(lag as f64);
    metrics::gauge!(catalogue::DECISIONS_PENDING).set(decisions as f64);
    metrics::gauge!(catalogue::DECISION_FOLLOWERS).set(followers as f64);
    metrics::gauge!(catalogue::INTAKE_COMMANDS).set(commands as f64);
    metrics::gauge!(catalogue::INTAKE_BYTES).set(bytes as f64);
}

/// What an estimate was worth, of a wait that is over now.
fn estimate_held(held: &Conversation, now: WallTime) {
    let Some(told) = held.spell.said.estimate().filter(|_| held.spell.place > 0) else { return };
    let waited_ms = now.0.saturating_sub(held.spell.from.0);
    let word = if waited_ms <= u64::from(told.p50_ms) {
        "under_p50"
    } else if waited_ms <= u64::from(told.p90_ms) {
        "under_p90"
    } else {
        "over_p90"
    };
    metrics::counter!(catalogue::ESTIMATES_TOTAL, "held" => word).increment(1);
    let off_ms = waited_ms.abs_diff(u64::from(told.p50_ms));
    metrics::histogram!(catalogue::ESTIMATE_ERROR_SECONDS).record(off_ms as f64 / 1_000.0);
}

fn out_of_hours(what: &'static str) {
    metrics::counter!(catalogue::OUT_OF_HOURS_TOTAL, "what" => what).increment(1);
}

/// Counts committed events. Holds when each pending offer was made, for how long it took.
#[derive(Debug, Default)]
pub struct Counter {
    made_at: BTreeMap<OfferId, DeskTime>,
    /// The same of decisions. Those from before a load are not timed.
    wanted_at: BTreeMap<DecisionId, DeskTime>,
}

impl Counter {
    #[must_use]
    pub fn of(desk: &Desk) -> Self {
        let made_at = desk.offers().map(|(id, offer)| (id, offer.made_at)).collect();
        Self { made_at, wanted_at: BTreeMap::new() }
    }

    pub fn count(&mut self, events: &[Event], desk: &Desk) {
        let now = desk.now();
        for event in events {
            if let Some(action) = of_silence(event) {
                metrics::counter!(catalogue::SILENCES_TOTAL, "action" => action).increment(1);
            }
            if let Some(kind) = kind_of_move(event) {
                metrics::counter!(catalogue::MOVES_TOTAL, "kind" => kind).increment(1);
            }
            match event {
                Event::OfferEnded { offer, conversation, end, .. } => {
                    let held = desk.conversation(*conversation).filter(|held| held.state == State::Waiting);
                    if held.is_some_and(|held| held.offers_made - held.spell.offers_before == OFFERS_ALERT) {
                        metrics::counter!(catalogue::OFFERED_OFTEN_TOTAL).increment(1);
                    }
                    metrics::counter!(catalogue::OFFERS_TOTAL, "end" => end.name()).increment(1);
                    if *end == OfferEnd::Accepted {
                        desk.conversation(*conversation).inspect(|held| estimate_held(held, now.wall));
                    }
                    if let Some(made_at) = self.made_at.remove(offer) {
                        let seconds = now.desk.ms_since(made_at) as f64 / 1_000.0;
                        metrics::histogram!(catalogue::OFFER_TIME_SECONDS, "end" => end.name()).record(seconds);
                    }
                }
                Event::DecisionWanted { decision, .. } => {
                    self.wanted_at.insert(*decision, now.desk);
                }
                Event::DecisionEnded { decision, end, .. } => {
                    metrics::counter!(catalogue::DECISIONS_TOTAL, "end" => end.name()).increment(1);
                    if let Some(wanted_at) = self.wanted_at.remove(decision) {
                        let seconds = now.desk.ms_since(wanted_at) as f64 / 1_000.0;
                        metrics::histogram!(catalogue::DECISION_TIME_SECONDS, "end" => end.name()).record(seconds);
                    }
                }
                Event::StatusChanged { cause, .. } => {
                    metrics::counter!(catalogue::STATUS_CHANGES_TOTAL, "cause" => cause.name()).increment(1);
                }
                Event::MessagePosted { author, .. } => {
                    let by = match author {
                        Author::Agent(_) => "agent",
                        Author::Customer(_) => "customer",
                        Author::System(_) => "system",
                    };
                    metrics::counter!(catalogue::MESSAGES_TOTAL, "by" => by).increment(1);
                    if *author == Author::System(Notice::OutOfHours) {
                        out_of_hours("told");
                    }
                }
                Event::DeliveryReported { state, .. } => {
                    metrics::counter!(catalogue::DELIVERIES_TOTAL, "state" => state.name()).increment(1);
                }
                Event::ConversationRated { score, before, .. } => {
                    let changed = if before.is_some() { "yes" } else { "no" };
                    metrics::counter!(catalogue::RATINGS_TOTAL, "score" => score.to_string(), "changed" => changed)
                        .increment(1);
                }
                Event::ConversationOpened { message: true, .. } => {
                    metrics::counter!(catalogue::LEFT_MESSAGES_TOTAL).increment(1);
                }
                Event::ConversationOpened { left: true, .. } => out_of_hours("left"),
                Event::StayedAtClosing { .. } => out_of_hours("stayed"),
                Event::OfferMade { offer, conversation, .. } => {
                    self.made_at.insert(*offer, now.desk);
                    // As customers feel it: from when it began to wait, once for each of several offers at once.
                    if let Some(held) = desk.conversation(*conversation)
                        && held.offers.first().is_some_and(|pending| pending.offer == *offer)
                    {
                        let waited_ms = now.wall.0.saturating_sub(held.waiting_since.0);
                        metrics::histogram!(catalogue::TIME_TO_OFFER_SECONDS).record(waited_ms as f64 / 1_000.0);
                    }
                }
                _ => {}
            }
        }
    }
}

/// What rules of silence did.
fn of_silence(event: &Event) -> Option<&'static str> {
    match event {
        Event::MessagePosted { author: Author::System(Notice::Reminder), .. } => Some("customer_reminded"),
        Event::MessagePosted { author: Author::System(Notice::CustomerSilent), .. } => Some("customer_closed"),
        Event::OwnerReminded { .. } => Some("owner_reminded"),
        Event::ConversationRequeued { cause: RequeueCause::OwnerSilent, .. } => Some("owner_lost"),
        _ => None,
    }
}

/// Clocks of service, by how they came out: each is `achieved`, `breached` or `voided` once, and what was breached is `achieved_late` or
/// `voided_late` in the end.
pub fn count_clocks(events: &[Event], desk: &Desk, workspace: &str, labels: &BoundedLabels) {
    for event in events {
        let (clock, queue, outcome) = match event {
            Event::ClockBreached { clock, queue, .. } => (clock, queue, "breached"),
            Event::ClockEnded { clock, queue, end: ClockEnd::Achieved, late: false, .. } => (clock, queue, "achieved"),
            Event::ClockEnded { clock, queue, end: ClockEnd::Achieved, .. } => (clock, queue, "achieved_late"),
            Event::ClockEnded { clock, queue, end: ClockEnd::Voided, late: false, .. } => (clock, queue, "voided"),
            Event::ClockEnded { clock, queue, end: ClockEnd::Voided, .. } => (clock, queue, "voided_late"),
            _ => continue,
        };
        let queue = desk.queue(*queue).map_or("", |queue| &queue.settings.name);
        metrics::counter!(
            catalogue::SERVICE_CLOCKS_TOTAL,
            "workspace" => labels.label(workspace).to_string(),
            "queue" => labels.label(queue).to_string(),
            "clock" => clock.name(),
            "outcome" => outcome
        )
        .increment(1);
    }
}

/// How a conversation changed hands or queues by this event.
fn kind_of_move(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::OfferEnded { end: OfferEnd::Accepted, transfer: Some(transfer), .. } => {
            if transfer.warm {
                "joined"
            } else {
                "transferred"
            }
        }
        Event::ConversationTransferred { .. } => "queued",
        Event::ConversationTaken { how, .. } => how.name(),
        Event::ConversationHandedOver { .. } => "handed_over",
        Event::ConversationRequeued { .. } => "requeued",
        Event::ConversationMoved { .. } => "moved",
        _ => return None,
    })
}

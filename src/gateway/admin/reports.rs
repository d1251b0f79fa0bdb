//! Reports (docs/reports.md): what is asked for, in a time zone, and the answer as JSON or CSV. What counts and how is the view's; this
//! spells ids and keeps within bounds.

use super::Shared;
use super::asker::Scope;
use super::report_rows::{Report, Table};
use crate::desk::ids::{AgentId, QueueId};
use crate::desk::refusal::Refusal;
use crate::desk::settings::ChannelId;
use crate::gateway::http::VIEW_WAIT_MOST;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::desks::{Cube, Desk, NotDone, Position, ReportWanted};
use crate::gateway::http::pages::Room;
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::wire::error::Code;
use crate::wire::reports::intervals::{Every, QUARTER_MS, bounds, midnight, midnight_before};
use axum::extract::State as Held;
use axum::response::Response;
use http::header;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Intervals of one report, and rows of one page of it.
const INTERVALS_MAX: usize = 3_000;
const ROWS_MAX: usize = 2_000;
const STARTING_RETRY_MS: u64 = 1_000;
/// Ten years.
const SPAN_MS_MAX: u64 = 3_660 * 86_400_000;
const KNOWN: [&str; 11] =
    ["from", "to", "interval", "time_zone", "queue", "agent", "channel", "by", "format", "cursor", "limit"];

pub(super) async fn conversations(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    show(&admin, &workspace, &asked, Table::Conversations).await
}

pub(super) async fn agents(
    Held(admin): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    show(&admin, &workspace, &asked, Table::Agents).await
}

async fn show(admin: &Shared, workspace: &str, asked: &Asked, table: Table) -> Result<Response, Problem> {
    let asker = admin.asker(workspace, asked, Scope::Read)?;
    let query = Query::parse(asked.query.as_deref(), &KNOWN)?;
    let desk = &*asker.desk;
    let as_csv = wants_csv(&query, asked)?;
    let span = Span::of(&query, (admin.door.now)().wall.0)?;
    let mut wanted = wanted(desk, &query, table, &span)?;
    wanted.now_ms = (admin.door.now)().wall.0;
    let room = Room::for_rows(wanted.rows_max)?;
    let position = desk.position();
    if position == Position(0) {
        // It is being loaded: the view may be empty still, and names are not known.
        let why = "the workspace is starting".into();
        return Err(NotDone::Unavailable { retry_after_ms: STARTING_RETRY_MS, why }.into());
    }
    desk.history().wait_for(position, VIEW_WAIT_MOST).await?;
    let found = desk.history().report(wanted.clone()).await?;
    if found.next == Some(0) {
        let most = wanted.rows_max;
        let message = format!("one interval alone has more than {most} rows: ask for one queue, agent or channel");
        return Err(Problem::new(Code::TooManyRows, message).at("by"));
    }
    let report = Report::new(desk, table, &span, &wanted, &found);
    if as_csv { room.csv(report.csv(), report.next().as_deref()) } else { room.ok(&report.json()) }
}

fn wants_csv(query: &Query, asked: &Asked) -> Result<bool, Problem> {
    match query.text("format") {
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => Err(Problem::bad_field("format", "must be json or csv")),
        None => {
            let accepted = asked.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let kinds = || accepted.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
            Ok(kinds().any(|kind| kind == "text/csv") && kinds().all(|kind| kind != "application/json"))
        }
    }
}

/// The time that a report is of.
pub(super) struct Span {
    pub from: u64,
    pub to: u64,
    pub every: Every,
    pub zone: TimeZone,
    pub zone_name: String,
    /// Borders of the intervals of this page and those after it.
    pub bounds: Vec<u64>,
}

impl Span {
    fn of(query: &Query, now: u64) -> Result<Self, Problem> {
        let zone_name = query.text("time_zone").unwrap_or("Etc/UTC").to_owned();
        let zone = TimeZoneDatabase::bundled().get(&zone_name);
        let zone = zone.map_err(|_| Problem::bad_field("time_zone", "must be a name such as Europe/Berlin"))?;
        let from = moment(query, "from", &zone)?.or_else(|| midnight_before(now, &zone)).unwrap_or_default();
        let to = moment(query, "to", &zone)?.unwrap_or((now / QUARTER_MS + 1) * QUARTER_MS);
        if to <= from {
            return Err(Problem::bad_field("to", "must be after from"));
        }
        if to - from > SPAN_MS_MAX {
            return Err(Problem::bad_field("to", "must be at most ten years after from"));
        }
        let word = "must be 15m, hour, day, week, month or none";
        let every = query.parsed::<Every>("interval", word)?.unwrap_or(Every::None);
        let first = query.cursor::<u64>("cursor")?;
        let Some(mut bounds) = bounds(from, to, every, &zone, INTERVALS_MAX) else {
            let what = format!("would give more than {INTERVALS_MAX} intervals: take a longer one, or a shorter time");
            return Err(Problem::bad_field("interval", &what));
        };
        if let Some(first) = first {
            let place = bounds.binary_search(&first).map_err(|_| Problem::bad_cursor("cursor"))?;
            if place + 1 >= bounds.len() {
                return Err(Problem::bad_cursor("cursor"));
            }
            bounds.drain(..place);
        }
        Ok(Self { from, to, every, zone, zone_name, bounds })
    }

    /// Whether this is the first page.
    pub fn is_first(&self) -> bool {
        self.bounds.first() == Some(&self.from)
    }
}

/// Unix milliseconds, or a day, which is its first moment.
fn moment(query: &Query, name: &'static str, zone: &TimeZone) -> Result<Option<u64>, Problem> {
    let wrong = || {
        let what =
            "must be a day (2026-11-27), or Unix milliseconds that are a multiple of 900000 (a quarter of an hour)";
        Problem::bad_field(name, what)
    };
    let Some(text) = query.text(name) else { return Ok(None) };
    if let Ok(ms) = text.parse::<u64>() {
        let is_quarter = ms % QUARTER_MS == 0 && ms <= i64::MAX as u64 / 2;
        return if is_quarter { Ok(Some(ms)) } else { Err(wrong()) };
    }
    let is_day = text.len() == 10;
    let date: Date = text.parse().ok().filter(|_| is_day).ok_or_else(wrong)?;
    // Before 1972 there were offsets of other than quarters of an hour.
    midnight(date, zone).filter(|at| at % QUARTER_MS == 0).map(Some).ok_or_else(wrong)
}

fn wanted(desk: &dyn Desk, query: &Query, table: Table, span: &Span) -> Result<ReportWanted, Problem> {
    let (agent, queue, channel) = (agent(desk, query)?, queue(desk, query)?, channel(desk, query)?);
    let (mut by_agent, mut by_queue, mut by_channel) = (false, false, false);
    for word in query.text("by").into_iter().flat_map(|by| by.split(',')) {
        match word {
            "agent" => by_agent = true,
            "queue" => by_queue = true,
            "channel" => by_channel = true,
            _ => return Err(Problem::bad_field("by", "must be agent, queue, channel, or some of them with commas")),
        }
    }
    if table == Table::Agents {
        let field = match (by_queue || by_channel, queue, channel) {
            (true, ..) => Some("by"),
            (_, Some(_), _) => Some("queue"),
            (_, _, Some(_)) => Some("channel"),
            _ => None,
        };
        if let Some(field) = field {
            return Err(Problem::bad_field(field, "cannot be asked of agents' time: it is of an agent as a whole"));
        }
    }
    let cube = match table {
        Table::Agents => Cube::Time,
        Table::Conversations if by_agent || agent.is_some() => Cube::Agents,
        Table::Conversations => Cube::Queues,
    };
    let intervals = span.bounds.len().saturating_sub(1);
    let alone = !(by_agent || by_queue || by_channel);
    let rows_max = match query.parsed::<usize>("limit", "must be 1 to 2000")? {
        Some(0) => return Err(Problem::bad_field("limit", "must be 1 to 2000")),
        Some(limit) if limit > ROWS_MAX => return Err(Problem::bad_field("limit", "must be 1 to 2000")),
        Some(limit) => limit,
        None if alone => intervals,
        None => ROWS_MAX,
    };
    let bounds = span.bounds.clone();
    Ok(ReportWanted { cube, bounds, agent, queue, channel, by_agent, by_queue, by_channel, now_ms: 0, rows_max })
}

fn agent(desk: &dyn Desk, query: &Query) -> Result<Option<AgentId>, Problem> {
    let found = |name: &str| desk.agent_row(name).map(|row| row.id).ok_or_else(|| Refusal::NoSuchAgent(name.into()));
    Ok(query.text("agent").map(found).transpose()?)
}

fn queue(desk: &dyn Desk, query: &Query) -> Result<Option<QueueId>, Problem> {
    let published = desk.published();
    let found = |name: &str| {
        let id = published.queues.get(name).map(|(id, _)| *id);
        // One that was removed is spelled by its number.
        id.or_else(|| name.parse().ok()).ok_or_else(|| Refusal::NoSuchQueue(name.into()))
    };
    Ok(query.text("queue").map(found).transpose()?)
}

fn channel(desk: &dyn Desk, query: &Query) -> Result<Option<ChannelId>, Problem> {
    let published = desk.published();
    let found = |name: &str| {
        let place = published.settings.channels.iter().position(|channel| *channel.name == *name);
        place.map(|place| ChannelId(place as u8)).ok_or_else(|| Refusal::NoSuchChannel(name.into()))
    };
    Ok(query.text("channel").map(found).transpose()?)
}

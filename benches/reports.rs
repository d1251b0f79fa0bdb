//! What reports cost: a month of a large workspace is projected, then asked about by queue, by agent and by day.
//!
//! `cargo bench --bench reports -- [--quick] [--conversations N] [--agents N] [--queues N] [--runs N]`
//!
//! The month goes into the view by the code that the server itself uses, batch by batch; each report is read as the admin API reads it, up
//! to the rows of a page, without HTTP and JSON around it.

mod load;

use load::arguments::Arguments;
use load::figures::{figure, median};
use offhook::desk::command::{Author, Closer};
use offhook::desk::event::{Event, OfferEnd, StatusCause};
use offhook::desk::ids::{AgentId, ConversationId, CustomerId, KeyNumber, OfferId, QueueId, SessionId};
use offhook::desk::settings::{ChannelId, Settings, StatusId};
use offhook::desk::time::{DeskTime, Now, WallTime};
use offhook::desk::wrapping::Blocks;
use offhook::view::reports::{Cube, Wanted};
use offhook::view::{Batch, CommittedTurn, Settings as ViewSettings, View};
use std::sync::Arc;
use std::time::Instant;

const WORKSPACE: &str = "month";
const DAY_MS: u64 = 86_400_000;
const START_MS: u64 = 20_454 * DAY_MS;
const DAYS: u64 = 30;
/// Of each day people work.
const WORK_MS: u64 = 10 * 3_600_000;
/// Conversations of one batch.
const TOGETHER: u64 = 500;

fn main() {
    let arguments = Arguments::read(&["conversations", "agents", "queues", "runs"]);
    load::runtime().block_on(run(&arguments));
}

async fn run(arguments: &Arguments) {
    let conversations = arguments.size("conversations", 1_000_000_u64, 10_000);
    let agents = arguments.size("agents", 500_u32, 50);
    let queues = arguments.size("queues", 20_u32, 5);
    let runs = arguments.size("runs", 5, 2);
    let directory = tempfile::tempdir().expect("a directory can be made");
    let settings = ViewSettings::with_clock(Instant::now);
    let view = View::open(directory.path(), settings, || true).expect("a view can be made");
    let mut month = Month { view: view.clone(), position: 0, agents, queues };
    let began = Instant::now();
    month.begin().await;
    let mut made = 0;
    while made < conversations {
        let together = TOGETHER.min(conversations - made);
        month.live(made, together, conversations).await;
        made += together;
        if made % (TOGETHER * 100) == 0 {
            eprintln!("  {made} conversations, {:.0}/s", made as f64 / began.elapsed().as_secs_f64());
        }
    }
    figure("report_projected_per_s", conversations as f64 / began.elapsed().as_secs_f64(), "1/s");
    view.sync().await.expect("the view can be synced");

    let days: Vec<u64> = (0..=DAYS).map(|day| START_MS + day * DAY_MS).collect();
    let whole = vec![START_MS, START_MS + DAYS * DAY_MS];
    for (name, cube, bounds, by_agent, by_queue) in [
        ("by_queue_and_day", Cube::Queues, &days, false, true),
        ("by_agent", Cube::Agents, &whole, true, false),
        ("by_agent_and_day", Cube::Agents, &days, true, false),
        ("of_time_by_agent", Cube::Time, &whole, true, false),
    ] {
        let mut times = Vec::new();
        for _ in 0..runs {
            let wanted = Wanted {
                cube,
                bounds: bounds.clone(),
                agent: None,
                queue: None,
                channel: None,
                by_agent,
                by_queue,
                by_channel: false,
                now_ms: START_MS,
                rows_max: 2_000,
            };
            let began = Instant::now();
            let found = view.report(WORKSPACE, wanted).await.expect("a report").expect("a workspace");
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            assert!(!found.rows.is_empty());
        }
        figure(&format!("report_month_{name}_ms"), median(times), "ms");
    }
    drop((month, view));
    let file = rusqlite::Connection::open(directory.path().join("view.db")).expect("the view can be read");
    let sum = "SELECT count(*), sum(length(sums)) FROM report_cell";
    let (cells, bytes): (i64, i64) =
        file.query_row(sum, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("cells can be counted");
    figure("report_cells", cells as f64, "cells");
    figure("report_cell_bytes", bytes as f64 / cells as f64, "B");
    let known: i64 =
        file.query_row("SELECT sum(length(body)) FROM report_talk", [], |row| row.get(0)).expect("rows can be counted");
    figure("report_bytes_per_conversation", known as f64 / conversations as f64, "B");
}

struct Month {
    view: Arc<View>,
    position: u64,
    agents: u32,
    queues: u32,
}

impl Month {
    /// Everybody is there from the first morning on.
    async fn begin(&mut self) {
        let mut events = vec![Event::SettingsChanged { settings: Box::new(Settings::default()) }];
        for agent in (0..self.agents).map(AgentId) {
            events.push(Event::SessionCame { agent, session: SessionId(u128::from(agent.0)) });
            let (status, channels, cause) = (StatusId(1), u16::MAX, StatusCause::Chosen);
            events.push(Event::StatusChanged { agent, status, channels, cause, by: None });
        }
        self.apply(vec![(START_MS, events)]).await;
    }

    /// A few conversations, each from its start to its end, at their time of the month.
    async fn live(&mut self, from: u64, many: u64, of_all: u64) {
        let mut turns: Vec<(u64, Vec<Event>)> = Vec::new();
        for number in from..from + many {
            let worked = u128::from(number) * u128::from(DAYS * WORK_MS) / u128::from(of_all);
            let (day, after) = (worked as u64 / WORK_MS, worked as u64 % WORK_MS);
            let at = START_MS + day * DAY_MS + 8 * 3_600_000 + after;
            let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let agent = AgentId((scattered % u64::from(self.agents)) as u32);
            let queue = QueueId((scattered % u64::from(self.queues)) as u32 + 1);
            turns.extend(conversation(number + 1, agent, queue, at));
        }
        turns.sort_by_key(|(at, _)| *at);
        self.apply(turns).await;
    }

    async fn apply(&mut self, turns: Vec<(u64, Vec<Event>)>) {
        let after = self.position;
        let turns = turns.into_iter().map(|(at, events)| {
            self.position += 1;
            let now = Now { desk: DeskTime(at - START_MS), wall: WallTime(at) };
            Arc::new(CommittedTurn { position: self.position, now, events, outcomes: Vec::new() })
        });
        let turns: Vec<_> = turns.collect();
        let (rows, conversations) = (Vec::new(), Vec::new());
        let batch = Batch { workspace: WORKSPACE.into(), after, turns, to: self.position, rows, conversations };
        self.view.apply(batch).await.expect("the view takes a batch");
    }
}

/// Opened, offered, accepted, replied to, closed.
fn conversation(id: u64, agent: AgentId, queue: QueueId, at: u64) -> [(u64, Vec<Event>); 4] {
    let (conversation, offer) = (ConversationId(id), OfferId(id));
    let opened = Event::ConversationOpened {
        conversation,
        customer: CustomerId(u128::from(id)),
        key: KeyNumber(1),
        channel: ChannelId(0),
        queue,
        priority: 0,
        skills: Vec::new(),
        about: None,
        public: 1,
        waiting_since: None,
        wishes: None,
        left: false,
        message: false,
        thread: None,
    };
    let (ends_at, deliver_by) = (DeskTime(0), DeskTime(0));
    let transfer = None;
    let offered = Event::OfferMade { offer, conversation, agent, ends_at, deliver_by, transfer, queue: None };
    let accepted = Event::OfferEnded {
        offer,
        conversation,
        agent,
        end: OfferEnd::Accepted,
        reason: None,
        cool_down_until: None,
        public: Some(2),
        transfer: None,
        queue: None,
    };
    let (text, files) = ("Let me look".into(), Default::default());
    let replied =
        Event::MessagePosted { conversation, number: 1, author: Author::Agent(agent), text, public: 3, files };
    let (by, owner, blocks) = (Closer::Agent(agent), Some(agent), Blocks::default());
    let closed = Event::ConversationEnded { conversation, by, owner, wrap_up_until: None, public: 4, blocks };
    [
        (at, vec![opened, offered]),
        (at + 2_000 + id % 30_000, vec![accepted]),
        (at + 40_000 + id % 20_000, vec![replied]),
        (at + 300_000 + id % 200_000, vec![closed]),
    ]
}

//! The desk alone: how many commands a second it decides with many agents, skills and conversations that wait, all rules on;
//! how that grows with the agents; what one conversation that waits costs; what one *why* costs; and how fast a day of staffing is
//! simulated.
//! No journal, no sockets: pure calls of `handle`, on one processor.
//!
//! `cargo bench --bench desk -- [--quick] [--agents N] [--few N] [--waiting N] [--skills N] [--queues N] [--seconds S]
//! [--simulated N] [--candidates N]`
//!
//! A second is one of the processor's, in the figures that end in `_cpu`: on a machine that does other things as well, those are
//! what can be compared.

#[path = "load/arguments.rs"]
#[allow(dead_code, reason = "this bench uses its own part of it")]
mod arguments;
#[path = "load/figures.rs"]
#[allow(dead_code, reason = "this bench uses its own part of it")]
mod figures;

use arguments::Arguments;
use figures::figure;
use offhook::desk::Desk;
use offhook::desk::command::{AgentAsk, Ask, AskedAgent, Closer, Command, OpenAsk};
use offhook::desk::event::{Event, OfferEnd};
use offhook::desk::ids::{AgentId, ConversationId, CustomerId, KeyNumber, OfferId, SessionId};
use offhook::desk::needs::Loaded;
use offhook::desk::offering::{AcrossQueues, AgentsBy, Offering, Ring};
use offhook::desk::settings::{QueueSettings, Settings};
use offhook::desk::time::{DeskTime, Now, WallTime};
use offhook::simulate::staffing::{self, Answering, Arrivals, Draw, Member, Rates, Scenario, Setup, Stream};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As the server's own (src/main.rs).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

struct Sizes {
    agents: u32,
    waiting: u32,
    skills: u64,
    queues: u64,
    seconds: f64,
}

fn main() {
    let arguments =
        Arguments::read(&["agents", "few", "waiting", "skills", "queues", "seconds", "simulated", "candidates"]);
    let sizes = |agents| Sizes {
        agents,
        waiting: arguments.size("waiting", 1_000_000, 20_000),
        skills: arguments.size("skills", 200, 50),
        queues: arguments.size("queues", 100, 10),
        seconds: arguments.size("seconds", 5.0, 0.5),
    };
    let few = measure(&sizes(arguments.size("few", 1_000, 100)), false);
    let many = measure(&sizes(arguments.size("agents", 100_000, 2_000)), true);
    figure("why_us", explain(arguments.size("agents", 100_000, 2_000), arguments.size("candidates", 1_000, 100)), "us");
    figure("decisions_per_s", many.per_s, "1/s");
    figure("decisions_per_s_cpu", many.per_cpu_s, "1/s");
    figure("decisions_per_s_few_agents", few.per_s, "1/s");
    figure("decisions_per_s_few_agents_cpu", few.per_cpu_s, "1/s");
    figure("growth_ratio", few.per_cpu_s / many.per_cpu_s, "x");
    let simulated = simulate(arguments.size("simulated", 200_000.0, 5_000.0));
    figure("simulated_conversations_per_s", simulated.per_s, "1/s");
    figure("simulated_conversations_per_s_cpu", simulated.per_cpu_s, "1/s");
}

/// How often something was done, in a second of the wall and of this processor.
struct Speed {
    per_s: f64,
    per_cpu_s: f64,
}

struct Watch {
    began: Instant,
    cpu_began: Duration,
}

impl Watch {
    fn start() -> Self {
        Self { began: Instant::now(), cpu_began: cpu_time() }
    }

    fn speed_of(&self, count: f64) -> Speed {
        let cpu = cpu_time() - self.cpu_began;
        Speed { per_s: count / self.began.elapsed().as_secs_f64(), per_cpu_s: count / cpu.as_secs_f64() }
    }
}

/// What this thread has had of a processor.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a live timespec, which the call fills.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "the kernel counts this thread's time");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// One replication of a day with so many customers: chats of five minutes, 90 % of what a hundred agents can take.
fn simulate(customers: f64) -> Speed {
    let mut setup = vec![Ask::PutQueue(Box::new(QueueSettings::named("support")))];
    let names: Vec<Arc<str>> = (0..100).map(|agent| format!("agent{agent}").into()).collect();
    setup.extend(names.iter().map(|name| {
        let queues = Some(vec!["support".into()]);
        Ask::PutAgent(Box::new(AgentAsk { name: name.clone(), queues, ..AgentAsk::default() }))
    }));
    let per_hour = 0.9 * 300.0 * 12.0;
    let length_ms = (customers / per_hour * 3_600_000.0) as u64;
    let answering = Arc::new(Answering { accept: Draw::Fixed(3.0), ..Answering::default() });
    let member = |name: &Arc<str>| {
        let shifts = vec![(0, length_ms)];
        Member { name: name.clone(), shifts, answering: answering.clone() }
    };
    let scenario = Scenario {
        setup: setup.into_iter().map(|ask| Setup { field: "setup".into(), ask }).collect(),
        begins: WallTime(1_000_000_000_000),
        length_ms,
        warm_up_ms: 0,
        accepted_within_ms: 30_000,
        arrivals: Arrivals::Drawn(vec![Stream {
            open: OpenAsk { channel: "chat".into(), queue: "support".into(), ..OpenAsk::default() },
            rates: Rates { per_hour: vec![per_hour], poisson: true },
            handling: Draw::Exponential(297.0),
            patience: Some(Draw::Exponential(120.0)),
        }]),
        crew: names.iter().map(member).collect(),
    };
    let watch = Watch::start();
    let tally = staffing::run(&scenario, 1).unwrap_or_else(|stranded| panic!("{stranded}"));
    eprintln!("{} conversations simulated", tally.conversations);
    watch.speed_of(tally.conversations as f64)
}

fn measure(sizes: &Sizes, memory: bool) -> Speed {
    let mut floor = Floor::new(sizes);
    floor.fill();
    let held = floor.active.iter().map(VecDeque::len).sum::<usize>();
    let before = allocated_bytes();
    floor.let_wait(sizes.waiting);
    let bytes = allocated_bytes().saturating_sub(before) as f64 / f64::from(sizes.waiting);
    if memory {
        figure("bytes_per_waiting", bytes, "B");
    }
    let load = held as f64 / (f64::from(sizes.agents) * f64::from(CHATS_MAX));
    eprintln!("{} agents at {:.0} % of their chats, {} wait", sizes.agents, load * 100.0, floor.waiting());
    let length = Duration::from_secs_f64(sizes.seconds);
    floor.run(length / 5);
    let watch = Watch::start();
    let (decisions, offers, took) = floor.run(length);
    let speed = watch.speed_of(decisions as f64);
    eprintln!("{decisions} decisions, {offers} offers in {took:?}: {:.0}/s; {} wait", speed.per_s, floor.waiting());
    speed
}

/// How long one *why* takes of a conversation that so many could take, in a workspace of so many agents: microseconds of the
/// processor.
fn explain(agents: u32, candidates: u32) -> f64 {
    let sizes = Sizes { agents, waiting: 0, skills: 200, queues: 100, seconds: 0.0 };
    let mut floor = Floor::new(&sizes);
    let mut put = QueueSettings::named("explained");
    put.skills = [("skill1".into(), 5)].into();
    floor.ask(Ask::PutQueue(Box::new(put)));
    for nth in 0..candidates {
        let (name, agent): (Arc<str>, _) = (format!("candidate{nth}").into(), AgentId(agents + nth));
        let (queues, skills) = (Some(vec!["explained".into()]), Some([("skill1".into(), 8)].into()));
        floor.ask(Ask::PutAgent(Box::new(AgentAsk { name: name.clone(), queues, skills, ..AgentAsk::default() })));
        floor.ask(Ask::SessionCame { agent: name, session: SessionId(u128::from(agent.0)), title: None });
        floor.ask(Ask::SetStatus { agent, status: "available".into(), channels: None });
    }
    let open = OpenAsk { channel: "chat".into(), queue: "explained".into(), ..OpenAsk::default() };
    floor.ask(Ask::Open(Box::new(open)));
    let conversation = floor.desk.last_conversation();
    let asked = 200;
    let watch = Watch::start();
    for _ in 0..asked {
        floor.ask(Ask::WhyConversation { conversation });
    }
    1_000_000.0 / watch.speed_of(f64::from(asked)).per_cpu_s
}

const CHATS_MAX: u32 = 3;

/// A desk and who is at it. Queues of even number are busy: more waits there than their agents can take. In the others
/// some of each agent's chats are free.
struct Floor {
    desk: Desk,
    now_ms: u64,
    dice: u64,
    sizes: (u64, u64, u32),
    /// Active conversations with their owners, of busy queues and of calm ones.
    active: [VecDeque<(ConversationId, AgentId)>; 2],
    names: Vec<Arc<str>>,
    next_customer: u128,
    events: Vec<Event>,
    offers: u64,
    reason: Arc<str>,
}

impl Floor {
    fn new(sizes: &Sizes) -> Self {
        let mut floor = Self {
            desk: Desk::default(),
            now_ms: 1_000_000,
            dice: 0x9e37_79b9_7f4a_7c15,
            sizes: (sizes.queues, sizes.skills, sizes.agents),
            active: Default::default(),
            names: (0..sizes.skills).map(|skill| format!("skill{skill}").into()).collect(),
            next_customer: 1,
            events: Vec::new(),
            offers: 0,
            reason: "busy".into(),
        };
        let settings = Settings { across_queues: AcrossQueues::ByWeight, ..Settings::default() };
        floor.ask(Ask::PutSettings(Box::new(settings)));
        for queue in 0..sizes.queues {
            let by = [AgentsBy::LongestIdle, AgentsBy::LeastLoaded, AgentsBy::RoundRobin, AgentsBy::MostSkilled];
            let mut put = QueueSettings::named(&format!("queue{queue}"));
            put.waiting_max = 1_000_000;
            put.offering = Offering {
                agents_by: by[(queue / 2 % 4) as usize],
                tiers_up_to: Some(2),
                accept_within_ms: queue.is_multiple_of(3).then_some(60_000),
                weight: 1 + queue as u32 % 5,
                // Far off: what is measured is deciding, not one event for each of a million that grow older.
                rings: vec![Ring { after_ms: 86_400_000, tiers_up_to: Some(100), ..Ring::default() }],
                ..Offering::default()
            };
            floor.ask(Ask::PutQueue(Box::new(put)));
        }
        for agent in 0..sizes.agents {
            floor.sign_in(agent);
        }
        floor
    }

    fn sign_in(&mut self, agent: u32) {
        let name: Arc<str> = format!("agent{agent}").into();
        // Two queues, both busy or both calm; ten skills of all.
        let kind = u64::from(agent) % 2;
        let queues = (0..2).map(|_| self.queue(kind)).collect::<Vec<_>>();
        let skills = (0..10).map(|_| (self.skill(), self.below(10) as u8 + 1)).collect();
        let tiers = [(queues[0].clone(), self.below(3) as u8 + 1)].into();
        let put = AgentAsk {
            name: name.clone(),
            queues: Some(queues),
            skills: Some(skills),
            tiers: Some(tiers),
            ..AgentAsk::default()
        };
        self.ask(Ask::PutAgent(Box::new(put)));
        self.ask(Ask::SessionCame { agent: name, session: SessionId(u128::from(agent)), title: None });
        self.ask(Ask::SetStatus { agent: AgentId(agent), status: "available".into(), channels: None });
    }

    /// Until the busy queues' agents are full, and the calm ones' at nine of ten.
    fn fill(&mut self) {
        for (kind, share) in [(0, 1.0), (1, 0.9)] {
            let wanted = (f64::from(self.sizes.2) / 2.0 * f64::from(CHATS_MAX) * share) as usize;
            let mut without = 0;
            while self.active[kind].len() < wanted && without < 2_000 {
                let before = self.active[kind].len();
                self.open(kind as u64, false);
                without = if self.active[kind].len() == before { without + 1 } else { 0 };
            }
        }
    }

    fn let_wait(&mut self, waiting: u32) {
        while self.waiting() < waiting {
            self.open(0, true);
        }
    }

    fn waiting(&self) -> u32 {
        self.desk.queues().map(|(_, queue)| queue.waiting).sum()
    }

    /// Closes what is oldest, and opens as much; whatever is offered is answered. Gives decisions and offers.
    fn run(&mut self, length: Duration) -> (u64, u64, Duration) {
        let (mut decisions, offers) = (0, self.offers);
        let began = Instant::now();
        while began.elapsed() < length {
            for _ in 0..64 {
                let kind = self.below(2) as usize;
                let Some((conversation, _)) = self.active[kind].pop_front() else { continue };
                self.now_ms += 1;
                self.ask(Ask::Close { conversation, by: Closer::Admin });
                decisions += 1 + self.accept_all(kind);
                decisions += 1 + self.open(kind as u64, true);
            }
        }
        (decisions, self.offers - offers, began.elapsed())
    }

    /// Gives how many offers were answered.
    fn open(&mut self, kind: u64, wishes: bool) -> u64 {
        let mut open = OpenAsk {
            customer: CustomerId(self.next_customer),
            key: KeyNumber(1),
            channel: "chat".into(),
            queue: self.queue(kind),
            priority: Some(self.below(3) as i32),
            ..OpenAsk::default()
        };
        self.next_customer += 1;
        for _ in 0..self.below(3) {
            open.skills.insert(self.skill(), self.below(4) as u8 + 1);
        }
        if wishes && self.below(10) == 0 {
            open.preferred_skills = vec![self.skill()];
        }
        if wishes && self.below(10) == 0 {
            let agent = self.below(u64::from(self.sizes.2));
            open.preferred_agent = Some(AskedAgent { name: format!("agent{agent}").into(), required: false });
        }
        self.ask(Ask::Open(Box::new(open)));
        self.accept_all(kind as usize)
    }

    /// Answers all offers: one in fifty with a no, after which it goes on to the next. Gives how many were answered.
    fn accept_all(&mut self, kind: usize) -> u64 {
        let mut made = self.made();
        let mut answered = 0;
        while let Some((offer, agent)) = made.pop() {
            answered += 1;
            let ask = match self.below(50) {
                0 => Ask::Reject { agent, offer, reason: self.reason.clone() },
                _ => Ask::Accept { agent, offer },
            };
            self.ask(ask);
            for event in &self.events {
                if let Event::OfferEnded { conversation, agent, end: OfferEnd::Accepted, .. } = event {
                    self.active[kind].push_back((*conversation, *agent));
                }
            }
            made.extend(self.made());
        }
        self.offers += answered;
        answered
    }

    /// The offers of the last command.
    fn made(&self) -> Vec<(OfferId, AgentId)> {
        let made = self.events.iter().filter_map(|event| match event {
            Event::OfferMade { offer, agent, .. } => Some((*offer, *agent)),
            _ => None,
        });
        made.collect()
    }

    fn ask(&mut self, ask: Ask) {
        self.events.clear();
        let now = Now { desk: DeskTime(self.now_ms), wall: WallTime(self.now_ms) };
        let command = Command::of_server(ask);
        let answer = self.desk.handle(now, &command, &Loaded::default(), &mut self.events);
        answer.unwrap_or_else(|refusal| panic!("{:?}: {refusal}", command.ask));
        // As after each turn; what it holds is the projection's.
        self.desk.take_touched();
    }

    fn queue(&mut self, kind: u64) -> Arc<str> {
        let half = self.below((self.sizes.0 / 2).max(1));
        format!("queue{}", half * 2 + kind).into()
    }

    fn skill(&mut self) -> Arc<str> {
        let skill = self.below(self.sizes.1) as usize;
        self.names[skill].clone()
    }

    /// SplitMix64: the same run each time.
    fn below(&mut self, most: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % most
    }
}

/// What jemalloc counts as allocated.
fn allocated_bytes() -> usize {
    let _ = tikv_jemalloc_ctl::epoch::advance();
    tikv_jemalloc_ctl::stats::allocated::read().unwrap_or(0)
}

//! The simulation of staffing, held against queues whose answers are known: what it says of delay, waits, abandonment and
//! occupancy lies within its own intervals, over a grid of loads and sizes.
//!
//! `OFFHOOK_CUSTOMERS=n` lives n customers in each replication of each point (`just loads`).

mod theory;

use offhook::desk::command::{AgentAsk, Ask, OpenAsk};
use offhook::desk::settings::{QueueSettings, Settings};
use offhook::desk::time::WallTime;
use offhook::simulate::staffing::{
    Answering, Arrivals, Draw, Figure, Member, Rates, Report, Scenario, Setup, Stream, Tally, run, student_t,
};
use std::sync::Arc;
use theory::{Known, erlang_a, erlang_c};

const HANDLING_S: f64 = 100.0;
const REPLICATIONS: u64 = 20;

fn customers() -> f64 {
    std::env::var("OFFHOOK_CUSTOMERS").map_or(1_000.0, |text| text.parse().expect("OFFHOOK_CUSTOMERS is a number"))
}

/// One queue, agents who take one call at a time and accept at once: an agent is a server.
fn scenario(per_s: f64, agents: u32, patience_s: Option<f64>) -> Scenario {
    let mut settings = Settings::default();
    settings.channels.iter_mut().for_each(|channel| channel.wrap_up_ms = 0);
    let queue = QueueSettings { waiting_max: 1_000_000, ..QueueSettings::named("calls") };
    let mut asks = vec![Ask::PutSettings(Box::new(settings)), Ask::PutQueue(Box::new(queue))];
    let names: Vec<Arc<str>> = (0..agents).map(|agent| format!("agent{agent}").into()).collect();
    for name in &names {
        let agent = AgentAsk { name: name.clone(), queues: Some(vec!["calls".into()]), ..AgentAsk::default() };
        asks.push(Ask::PutAgent(Box::new(agent)));
    }
    // A fifth more to warm up.
    let length_ms = (customers() / per_s * 1.2 * 1_000.0) as u64;
    let answering = Arc::new(Answering::default());
    Scenario {
        setup: asks.into_iter().map(|ask| Setup { field: "setup".into(), ask }).collect(),
        begins: WallTime(1_795_420_800_000),
        length_ms,
        warm_up_ms: length_ms / 6,
        accepted_within_ms: 20_000,
        arrivals: Arrivals::Drawn(vec![Stream {
            open: OpenAsk { channel: "voice".into(), queue: "calls".into(), ..OpenAsk::default() },
            rates: Rates { per_hour: vec![per_s * 3_600.0], poisson: true },
            handling: Draw::Exponential(HANDLING_S),
            patience: patience_s.map(Draw::Exponential),
        }]),
        crew: names
            .into_iter()
            .map(|name| Member { name, shifts: vec![(0, length_ms)], answering: answering.clone() })
            .collect(),
    }
}

/// How often a figure lay in its own 95 % interval, and whether all lay in intervals that hold all together.
#[derive(Default)]
struct Held {
    checks: u32,
    within: u32,
    far: Vec<String>,
}

impl Held {
    fn check(&mut self, what: &str, figure: &Figure, known: f64) {
        self.checks += 1;
        self.within += u32::from(figure.holds(known));
        // All 63 figures together are to be within in 99 of 100 grids (Bonferroni).
        let freedom = REPLICATIONS as u32 - 1;
        let wider = figure.plus_minus.unwrap_or(0.0) * student_t(0.01 / 63.0, freedom) / student_t(0.05, freedom);
        if (figure.mean - known).abs() > wider {
            self.far.push(format!("{what}: {} ± {wider}, not {known}", figure.mean));
        }
    }

    fn point(&mut self, name: &str, scenario: &Scenario, known: Known) {
        // Each point has days of its own, so that one lucky seed does not speak for all.
        let first = u64::from(self.checks) * 1_000;
        let seeds = first..first + REPLICATIONS;
        let tallies: Vec<Tally> = seeds.map(|seed| run(scenario, seed).expect("it is lived")).collect();
        let report = Report::of(&tallies);
        let figure = |measure: &str| report.customers.get(measure).or(report.agents.get(measure)).expect("a figure");
        let checks = [
            ("delayed", known.delayed),
            ("wait_all_mean_ms", known.wait_mean_s * 1_000.0),
            ("abandoned", known.abandoned),
            ("occupancy", known.occupancy),
        ];
        for (measure, known) in checks {
            if known == 0.0 {
                assert_eq!(figure(measure).mean, 0.0, "{name}: {measure}");
                continue;
            }
            println!("{name} {measure}: {:?}, theory {known:.4}", figure(measure));
            self.check(&format!("{name}, {measure}"), figure(measure), known);
        }
    }

    fn judge(&self) {
        println!("{} of {} in their 95 % intervals", self.within, self.checks);
        assert!(self.far.is_empty(), "{:#?}", self.far);
        assert!(f64::from(self.within) >= 0.85 * f64::from(self.checks), "{} of {}", self.within, self.checks);
    }
}

#[test]
fn delay_and_waits_are_those_of_erlang_c() {
    let mut held = Held::default();
    for agents in [1, 5, 25] {
        for load in [0.5, 0.7, 0.85] {
            let per_s = load * f64::from(agents) / HANDLING_S;
            let known = erlang_c(per_s, 1.0 / HANDLING_S, agents);
            held.point(&format!("{agents} agents at {load}"), &scenario(per_s, agents, None), known);
        }
    }
    held.judge();
}

#[test]
fn delay_waits_and_abandonment_are_those_of_erlang_a() {
    let mut held = Held::default();
    for agents in [1, 5, 25] {
        for load in [0.7, 1.0, 1.4] {
            let per_s = load * f64::from(agents) / HANDLING_S;
            let patience_s = 150.0;
            let known = erlang_a(per_s, 1.0 / HANDLING_S, 1.0 / patience_s, agents);
            held.point(&format!("{agents} agents at {load}"), &scenario(per_s, agents, Some(patience_s)), known);
        }
    }
    held.judge();
}

#[test]
fn the_same_seed_is_the_same_day_and_another_is_another() {
    let of = |seed| run(&scenario(0.05, 5, Some(60.0)), seed).unwrap();
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

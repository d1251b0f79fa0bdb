//! Many rounds of trouble under load, judged afterwards.
//!
//! `OFFHOOK_CLUSTER_ROUNDS` makes it long (`each`: all kinds for each of the six, and for every two), `OFFHOOK_SEED` repeats a run's choices.

use crate::clients::feed;
use crate::history::{Book, History, Line, What};
use crate::judge::judge;
use crate::nodes::Nodes;
use crate::patient::{Places, Progress};
use crate::patient_agents::{Held, PatientAgent};
use crate::patient_customers::PatientCustomer;
use crate::scenes::patient;
use crate::support::Options;
use crate::support::random::Random;
use crate::support::scene::{DEMO, eventually};
use crate::support::{PATIENCE, within};
use crate::troubles::{self, Round, Victim};
use offhook::gateway::auth::agent_token::Role;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

const CUSTOMERS: usize = 8;
const AGENTS: usize = 6;
/// Of a channel's conversations at once, as the settings have it.
const CAPACITY: usize = 3;
/// After so many rounds a run is judged, and the next one has a cluster of its own.
const ROUNDS_A_RUN: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_nodes_and_servers_there_is_one_desk() {
    let mut random = Random::new();
    let rounds: Vec<Round> = match std::env::var("OFFHOOK_CLUSTER_ROUNDS").as_deref() {
        Ok("each") => troubles::each(),
        long => (0..long.map_or(4, |text| text.parse().expect("a number, or `each`")))
            .map(|_| troubles::any(&mut random))
            .collect(),
    };
    let mut left = rounds.len();
    for rounds in rounds.chunks(ROUNDS_A_RUN) {
        left -= rounds.len();
        let sums = live_through(rounds, &mut random).await;
        println!("{} rounds, and {left} to come: {sums:?}", rounds.len());
        let enough = ["accepts", "messages", "offers"].iter().all(|what| sums.get(what) > Some(&0));
        assert!(enough, "a load that does nothing proves nothing: {sums:?}");
    }
}

/// A cluster, clients, and so many rounds of trouble.
async fn live_through(rounds: &[Round], random: &mut Random) -> BTreeMap<&'static str, usize> {
    let (book, mut nodes) = (Book::open(), Nodes::start(&Options::default().without_rate_limits()).await);
    let settings = |settings: &mut serde_json::Value| {
        patient(settings);
        settings["devices_max"] = 1_000.into();
    };
    nodes.server(0).change_settings(DEMO, settings).await;
    let places = Places::new((0..3).map(|node| nodes.server(node).address).collect());
    let progress = Progress::of(CUSTOMERS + AGENTS);
    let (end_customers, customers_end) = watch::channel(false);
    let (end_agents, agents_end) = watch::channel(false);
    let (mut customers, mut agents) = (JoinSet::new(), JoinSet::new());
    for number in 0..CUSTOMERS {
        let (random, places, book) = (random.fork(), places.clone(), book.clone());
        let (progress, ends) = (progress.clone(), customers_end.clone());
        customers.spawn(PatientCustomer { number, random, places, book, progress, ends }.live());
    }
    for number in 0..AGENTS {
        let name = format!("agent-{number}");
        let token = nodes.server(0).agent_token(DEMO, &name, Role::Agent);
        let (random, places, book) = (random.fork(), places.clone(), book.clone());
        let (number, progress, ends) = (CUSTOMERS + number, progress.clone(), agents_end.clone());
        let desk = Held::default();
        agents.spawn(PatientAgent { number, name, token, random, places, book, progress, ends, desk }.live());
    }
    let mut without_quorum = Vec::new();
    all_get_on(&nodes, &progress, &mut [&mut customers, &mut agents]).await;
    for (round, trouble) in rounds.iter().enumerate() {
        println!("{:?}, round {}: {trouble:?}", book.age(), round + 1);
        let is_at = |nodes: &Nodes, victim| {
            if let Victim::Node(node) = victim {
                places.is_at(node, nodes.server(node).address);
            }
        };
        let all_of_it = nodes.suffer(trouble, &book, is_at).await;
        if troubles::is_without_quorum(trouble) {
            without_quorum.push(all_of_it);
        }
        nodes.well().await;
        all_get_on(&nodes, &progress, &mut [&mut customers, &mut agents]).await;
    }
    end_customers.send_replace(true);
    all_go_home(&nodes, &mut customers).await;
    end_agents.send_replace(true);
    all_go_home(&nodes, &mut agents).await;
    is_good(&nodes, &book, &without_quorum).await
}

/// Until every client got something done. Whoever cannot says so.
async fn all_get_on(nodes: &Nodes, progress: &Progress, clients: &mut [&mut JoinSet<()>]) {
    let on = timeout(PATIENCE, progress.of_all()).await;
    for clients in clients {
        while let Some(ended) = clients.try_join_next() {
            ended.unwrap_or_else(|error| panic!("{error}\n{}", nodes.logs()));
        }
    }
    assert!(on.is_ok(), "not all get on: {:?}\n{}", progress.counts(), nodes.logs());
}

async fn all_go_home(nodes: &Nodes, clients: &mut JoinSet<()>) {
    within("the end of all clients' work", async {
        while let Some(ended) = clients.join_next().await {
            ended.unwrap_or_else(|error| panic!("{error}\n{}", nodes.logs()));
        }
    })
    .await;
}

/// What all saw, held against the feeds of all; and how much of it there was.
async fn is_good(nodes: &Nodes, book: &Book, without_quorum: &[Range<Duration>]) -> BTreeMap<&'static str, usize> {
    let mut history = History { lines: book.lines(), is_settled: true, ..History::default() };
    history.capacity = (0..AGENTS).map(|number| (format!("agent-{number}"), CAPACITY)).collect();
    let feeds = async || {
        let mut feeds = BTreeMap::new();
        for (name, server) in nodes.servers() {
            feeds.insert(name.to_owned(), feed(server).await);
        }
        feeds
    };
    // A node that follows may be a moment behind.
    let as_long = |feeds: &BTreeMap<String, Vec<_>>| feeds.values().map(Vec::len).collect::<BTreeSet<_>>().len() == 1;
    history.feeds = eventually("three feeds of one length", feeds, as_long).await;
    let mut broken: Vec<String> = judge(&history).iter().map(|broken| format!("{broken:?}")).collect();
    broken.extend(without_quorum.iter().flat_map(|time| acknowledged_within(&history.lines, time)));
    assert!(broken.is_empty(), "{broken:#?}\n{}", nodes.logs());
    summed(&history.lines)
}

/// Messages that were begun and acknowledged while nothing could be committed. (What was committed before may be acknowledged then.)
fn acknowledged_within(lines: &[Line], time: &Range<Duration>) -> Vec<String> {
    let mut begun = BTreeSet::new();
    let mut wrong = Vec::new();
    let (mut known, within) = (BTreeSet::new(), |line: &&Line| time.contains(&line.at));
    for line in lines {
        match &line.what {
            What::Sends { text } if known.insert(text) && within(&line) => drop(begun.insert(text)),
            What::Sent { text, .. } if within(&line) && begun.contains(text) => {
                wrong.push(format!("no quorum: {line:?}"))
            }
            _ => {}
        }
    }
    wrong
}

fn summed(lines: &[Line]) -> BTreeMap<&'static str, usize> {
    let mut sums = BTreeMap::new();
    for line in lines {
        let what = match line.what {
            What::Position(_) => continue,
            What::Sends { .. } => "sendings",
            What::Sent { .. } => "messages",
            What::NotSent { .. } => "given up",
            What::Saw { .. } => "seen",
            What::Offered { .. } => "offers",
            What::Accepted { .. } => "accepts",
            What::Ended { .. } => "ends",
        };
        *sums.entry(what).or_default() += 1;
    }
    sums
}

//! How much later a message is seen at the nodes that follow than at the one that leads.

use crate::load::desk::starts_in;
use crate::load::figures::percentiles;
use crate::load::pace::Pace;
use crate::load::post::Poster;
use crate::load::scan::{tagged_id, text_of};
use crate::load::support::PATIENCE;
use crate::load::support::scene::DEMO;
use crate::load::support::sse::Events;
use crate::nodes::Nodes;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

const WRITE: u16 = 4;
/// HTTP connections that messages share.
const POSTERS: usize = 30;

/// When each message was seen, by node and by its number.
type Seen = Rc<RefCell<Vec<Vec<Option<Instant>>>>>;

/// Customers who write, spread over the nodes, each with a stream at every node; `rate` messages a second for this long. They are left
/// waiting: agents who come later take them for a start that nobody counts, by its number.
pub async fn measure(nodes: &Nodes, customers: u32, rate: f64, seconds: f64) {
    let leader = nodes.leader().await;
    let servers = nodes.all();
    let count = (rate * seconds) as u32;
    let seen: Seen = Rc::new(RefCell::new(vec![vec![None; count as usize]; servers.len()]));
    let (mut writers, mut streams, mut early) = (Vec::new(), Vec::new(), 0);
    for number in 0..customers {
        let home = servers[number as usize % servers.len()].address;
        let mut poster = Poster::connect(home).await.expect("the node listens");
        let body = format!("{{\"text\":\"hello\",\"name\":\"{}\"}}", u32::MAX);
        let (status, answer) =
            poster.post(&starts_in(DEMO), &tagged_id(0, number), number, None, &body).await.expect("an answer");
        assert_eq!(status, 201, "{answer}");
        let field = |name| text_of(answer, name).expect("a start says so").to_owned();
        let (conversation, token, events) = (field("conversation"), field("token"), field("events"));
        writers.push((home, format!("{}/{conversation}/messages", starts_in(DEMO)), token));
        for (node, server) in servers.iter().enumerate() {
            let stream = open(server.address, &events, &mut early).await;
            streams.push(tokio::task::spawn_local(follow(stream, node, seen.clone())));
        }
    }
    eprintln!("{early} streams were asked for at nodes that did not know of their conversations yet");
    let (pace, writers) = (Pace::begin(rate, count), Rc::new(writers));
    let mut tasks = Vec::new();
    for place in 0..POSTERS {
        let (pace, writers) = (pace.clone(), writers.clone());
        tasks.push(tokio::task::spawn_local(async move {
            // As many of one node as of another: each stays with the customers of its own.
            let home = writers[place % writers.len()].0;
            let mut poster = Poster::connect(home).await.expect("the node listens");
            let own: Vec<_> = writers.iter().filter(|(address, ..)| *address == home).collect();
            while let Some(number) = pace.next().await {
                let (_, path, token) = own[number as usize % own.len()];
                let body = format!("{{\"text\":\"m{number:08}\"}}");
                let (id, from) = (tagged_id(WRITE, number), number % customers);
                let (status, answer) = poster.post(path, &id, from, Some(token), &body).await.expect("an answer");
                assert_eq!(status, 201, "{answer}");
            }
        }));
    }
    for task in tasks {
        task.await.expect("a writer ends");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    streams.iter().for_each(tokio::task::JoinHandle::abort);
    let seen = seen.borrow();
    let mut late_us = Vec::new();
    for (_, at_node) in seen.iter().enumerate().filter(|(node, _)| *node != leader) {
        let both = seen[leader].iter().zip(at_node).filter_map(|(led, followed)| led.zip(*followed));
        late_us.extend(both.map(|(led, followed)| followed.saturating_duration_since(led).as_micros() as u32));
    }
    eprintln!("follow lag: {} of {} messages seen at both", late_us.len(), 2 * count);
    percentiles("follow_lag", late_us);
}

/// A node that is behind knows of no such conversation.
async fn open(address: SocketAddr, path: &str, early: &mut u32) -> Events {
    let until = Instant::now() + PATIENCE;
    loop {
        match Events::open(address, path, None).await.expect("an answer") {
            Ok(stream) => return stream,
            Err(status) => {
                assert!(status == 404 && Instant::now() < until, "no stream: {status}");
                *early += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

async fn follow(mut stream: Events, node: usize, seen: Seen) {
    while let Ok(Some(event)) = stream.next().await {
        let number = text_of(&event.data, "text").and_then(|text| text.strip_prefix('m')?.parse::<usize>().ok());
        if let Some(number) = number
            && let Some(at) = seen.borrow_mut()[node].get_mut(number)
        {
            at.get_or_insert_with(Instant::now);
        }
    }
}

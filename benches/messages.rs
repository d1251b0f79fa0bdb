//! A message to the other side, durable: from customers over HTTP to agents' sockets, and from agents to customers' streams.
//!
//! `cargo bench --bench messages -- [--quick] [--pairs N] [--rate R] [--seconds S]`

mod load;

use load::arguments::Arguments;
use load::desk::{WORKSPACE, connect, options, serve, set_available};
use load::disk::fsync_times_us;
use load::figures::{figure, percentiles};
use load::pace::Pace;
use load::post::Poster;
use load::relay::{Baseline, be_a_baseline_if_asked};
use load::scan::{kind_of, tagged_id, text_of};
use load::support::Server;
use load::support::socket::{Heard, Socket, Writer};
use load::support::sse::Events;
use offhook::gateway::auth::agent_token::Role;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;

const ACCEPT: u16 = 2;
const WRITE: u16 = 4;
/// HTTP connections that customers' messages share.
const POSTERS: usize = 100;

fn main() {
    be_a_baseline_if_asked();
    let arguments = Arguments::read(&["pairs", "rate", "seconds"]);
    let local = tokio::task::LocalSet::new();
    local.block_on(&load::runtime(), run(&arguments));
}

async fn run(arguments: &Arguments) {
    let pairs = arguments.size("pairs", 1_000_u32, 50);
    let rate = arguments.size("rate", 1_000.0, 100.0);
    let seconds = arguments.size("seconds", 20.0, 2.0);
    let server = serve(&options(), 1).await;
    load::go_first();
    let pair = Rc::new(Pairs::connect(&server, pairs).await);
    eprintln!("{pairs} pairs, {rate} messages/s for {seconds} s");

    // Warm: keys in their caches, code in its.
    talk(&server, &pair, rate, seconds / 4.0).await;
    let probe = Duration::from_secs_f64((seconds / 10.0).min(2.0));
    let mut fsync = fsync_times_us(server.data_dir(), probe);
    let cpu = server.cpu_ms();
    let (to_agents, to_customers) = talk(&server, &pair, rate, seconds).await;
    eprintln!("the server took {:.2} cores", (server.cpu_ms() - cpu) as f64 / 1_000.0 / seconds);
    fsync.extend(fsync_times_us(server.data_dir(), probe));
    let due = (rate * seconds) as usize;
    eprintln!("{} of {due} arrived", to_agents.len() + to_customers.len());
    percentiles("message_to_agent", to_agents.clone());
    percentiles("message_to_customer", to_customers.clone());
    let (message_p50, _) = percentiles("message", [to_agents, to_customers].concat());
    let (fsync_p50, _) = percentiles("fsync", fsync);
    let (echo_p50, _) = percentiles("echo", relay(pairs, rate, seconds / 2.0).await);
    figure("message_p50_over_goal", message_p50 / (1.5 * echo_p50 + fsync_p50), "ratio");
}

/// When each message arrived, by its number: microseconds from when it was due.
type Arrivals = Rc<RefCell<Vec<Option<u32>>>>;

struct Pairs {
    writers: Vec<Writer>,
    /// Of the customers: the path to post to, and the token.
    customers: Vec<(String, String)>,
    /// The messages' numbers as they arrive.
    heard: Rc<RefCell<Box<dyn FnMut(u32)>>>,
}

impl Pairs {
    /// Agents with room for one conversation each, and as many customers, each followed by a stream.
    async fn connect(server: &Server, pairs: u32) -> Self {
        let heard: Rc<RefCell<Box<dyn FnMut(u32)>>> = Rc::new(RefCell::new(Box::new(|_| {})));
        let tokens = server.tokens();
        let mut poster = Poster::connect(server.address).await.expect("the server listens");
        let (mut writers, mut customers) = (Vec::new(), Vec::new());
        for number in 0..pairs {
            let token = tokens.of(WORKSPACE, &format!("agent{number}"), Role::Agent);
            let mut socket = connect(server, &token).await;
            set_available(&mut socket).await;
            let path = format!("/v1/messenger/{WORKSPACE}/conversations");
            let id = tagged_id(0, number);
            let answer = poster.post(&path, &id, number, None, "{\"text\":\"hello\"}").await.expect("an answer");
            assert_eq!(answer.0, 201, "{}", answer.1);
            let field = |name| text_of(answer.1, name).expect("a start says so").to_owned();
            let (conversation, token, events) = (field("conversation"), field("token"), field("events"));
            accept(&mut socket).await;
            writers.push(socket.writer.clone());
            customers.push((format!("{path}/{conversation}/messages"), token));
            let stream = Events::open(server.address, &events, None).await.expect("an answer").expect("a stream");
            tokio::task::spawn_local(follow(stream, heard.clone()));
            tokio::task::spawn_local(listen(socket, heard.clone()));
        }
        Self { writers, customers, heard }
    }
}

async fn accept(socket: &mut Socket) {
    loop {
        let Heard::Text(text) = socket.next().await else { panic!("the connection ended") };
        match kind_of(&text) {
            "offer" => {
                let offer = text_of(&text, "offer").expect("an offer has an id");
                let id = tagged_id(ACCEPT, 0);
                let accept = format!("{{\"type\":\"accept\",\"offer\":\"{offer}\",\"id\":\"{id}\"}}");
                socket.writer.text(&accept).await.expect("the connection takes a frame");
            }
            "reply" => return,
            _ => {}
        }
    }
}

/// An agent's side: messages of the customer, not its own.
async fn listen(mut socket: Socket, heard: Rc<RefCell<Box<dyn FnMut(u32)>>>) {
    while let Heard::Text(text) = socket.next().await {
        if kind_of(&text) == "message" && text.contains("\"author\":{\"customer\"") {
            number_in(&text).into_iter().for_each(|number| heard.borrow_mut()(number));
        }
    }
}

async fn follow(mut stream: Events, heard: Rc<RefCell<Box<dyn FnMut(u32)>>>) {
    while let Ok(Some(event)) = stream.next().await {
        if event.name == "message" && event.data.contains("\"author\":\"agent\"") {
            number_in(&event.data).into_iter().for_each(|number| heard.borrow_mut()(number));
        }
    }
}

/// A text of about 200 bytes that says which message it is.
fn text(number: u32) -> String {
    format!("m{number:08}{}", ".".repeat(190))
}

fn number_in(json: &str) -> Option<u32> {
    text_of(json, "text")?.strip_prefix('m')?.get(..8)?.parse().ok()
}

/// Messages at a steady rate, every other one from an agent: times to agents, and to customers.
async fn talk(server: &Server, pairs: &Rc<Pairs>, rate: f64, seconds: f64) -> (Vec<u32>, Vec<u32>) {
    let count = (rate * seconds) as u32;
    let pace = Pace::begin(rate, count);
    let arrivals: Arrivals = Rc::new(RefCell::new(vec![None; count as usize]));
    {
        let (pace, arrivals) = (pace.clone(), arrivals.clone());
        *pairs.heard.borrow_mut() = Box::new(move |number| {
            if let Some(arrival) = arrivals.borrow_mut().get_mut(number as usize) {
                *arrival = Some(pace.late_us(number));
            }
        });
    }
    let mut tasks = Vec::new();
    for _ in 0..POSTERS {
        let mut poster = Poster::connect(server.address).await.expect("the server listens");
        let (pace, pairs) = (pace.clone(), pairs.clone());
        tasks.push(tokio::task::spawn_local(async move {
            while let Some(number) = pace.next().await {
                let pair = (number / 2) as usize % pairs.writers.len();
                if number % 2 == 0 {
                    write(&pairs, pair, number).await
                } else {
                    post(&mut poster, &pairs, pair, number).await
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("a worker ends");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let arrivals = arrivals.borrow();
    let of = |side: usize| arrivals.iter().skip(side).step_by(2).flatten().copied().collect();
    (of(1), of(0))
}

async fn write(pairs: &Pairs, pair: usize, number: u32) {
    let conversation = pairs.customers[pair].0.split('/').nth_back(1).expect("a path with its conversation");
    let (id, text) = (tagged_id(WRITE, number), text(number));
    let frame =
        format!("{{\"type\":\"send\",\"conversation\":\"{conversation}\",\"text\":\"{text}\",\"id\":\"{id}\"}}");
    pairs.writers[pair].text(&frame).await.expect("the connection takes a frame");
}

async fn post(poster: &mut Poster, pairs: &Pairs, pair: usize, number: u32) {
    let (path, token) = &pairs.customers[pair];
    let body = format!("{{\"text\":\"{}\"}}", text(number));
    let (status, answer) =
        poster.post(path, &tagged_id(WRITE, number), pair as u32, Some(token), &body).await.expect("an answer");
    assert_eq!(status, 201, "{answer}");
}

/// The same between pairs of bare sockets.
async fn relay(pairs: u32, rate: f64, seconds: f64) -> Vec<u32> {
    let relay = Baseline::start("relay");
    let count = (rate * seconds) as u32;
    let arrivals: Arrivals = Rc::new(RefCell::new(vec![None; count as usize]));
    let pace: Rc<RefCell<Option<Pace>>> = Rc::default();
    let mut writers = Vec::new();
    for number in 0..2 * pairs {
        let stream = TcpStream::connect(relay.address).await.expect("the baseline listens");
        let upgraded = Socket::upgrade(stream, relay.address, "/", &[]).await.expect("an answer");
        let mut socket = upgraded.expect("an upgrade");
        socket.writer.text(&format!("{}/{}", number / 2, number % 2)).await.expect("the connection takes a frame");
        assert_eq!(socket.next().await, Heard::Text("joined".to_owned()));
        writers.push(socket.writer.clone());
        let (arrivals, pace) = (arrivals.clone(), pace.clone());
        tokio::task::spawn_local(async move {
            while let Heard::Text(text) = socket.next().await {
                let number = number_in(&text).expect("a message has a number");
                let late_us = pace.borrow().as_ref().map(|pace| pace.late_us(number));
                arrivals.borrow_mut()[number as usize] = late_us;
            }
        });
    }
    let begun = Pace::begin(rate, count);
    *pace.borrow_mut() = Some(begun.clone());
    while let Some(number) = begun.next().await {
        let message = format!("{{\"text\":\"{}\"}}", text(number));
        writers[number as usize % writers.len()].text(&message).await.expect("the connection takes a frame");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    arrivals.borrow().iter().flatten().copied().collect()
}

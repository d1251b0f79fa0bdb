//! How late those hear who follow: from an event's own time (its turn's, before the commit) until a consumer has it, over a stream and by a
//! webhook, each alone, at so many events a second.
//!
//! `cargo bench --bench feed -- [--quick] [--seconds S] [--agents N] [--rate R]`

mod load;

use load::arguments::Arguments;
use load::desk::{WORKSPACE, options, serve};
use load::figures::percentiles;
use load::pace::Pace;
use load::scan::tagged_id;
use load::support::process::cpu_ms;
use load::support::socket::{Heard, Writer};
use load::support::sse::Events;
use load::support::{Agent, Customer, Server};
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KIND: &str = "message.posted";

/// Microseconds that each event took.
type Late = Rc<RefCell<Vec<u32>>>;

fn main() {
    let arguments = Arguments::read(&["seconds", "agents", "rate"]);
    let seconds: u32 = arguments.size("seconds", 20, 3);
    let agents: u32 = arguments.size("agents", 200, 20);
    let rate: f64 = arguments.size("rate", 1_000.0, 200.0);
    for how in ["feed", "webhook"] {
        tokio::task::LocalSet::new().block_on(&load::runtime(), measure(how, seconds, agents, rate));
    }
}

async fn measure(how: &str, seconds: u32, agents: u32, rate: f64) {
    let options = options().set("webhooks.private_addresses=true").set("webhooks.plain_http=true");
    let server = serve(&options, 1).await;
    let mut talks = Vec::new();
    for number in 0..agents {
        talks.push(talk(&server, &format!("agent{number:05}")).await);
    }
    let late = Late::default();
    if how == "feed" {
        follow(&server, late.clone()).await
    } else {
        hook(&server, late.clone()).await
    }
    let before_ms = cpu_ms(server.pid());
    let all = (rate * f64::from(seconds)) as u32;
    write(&talks, rate, all).await;
    while (late.borrow().len() as u32) < all {
        // Consumers note when they had each by themselves: only the last is waited for.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took_ms = cpu_ms(server.pid()) - before_ms;
    eprintln!("{how}: {all} events, {took_ms} ms of the server's processor time in {seconds} s");
    percentiles(&format!("{how}_lag"), late.take());
}

/// A conversation, and where its agent writes.
struct Talk {
    conversation: String,
    writer: Writer,
}

/// The next agent, who is the only one with room, takes a new conversation.
async fn talk(server: &Server, name: &str) -> Talk {
    let mut agent = Agent::available(server, WORKSPACE, name).await;
    let customer = Customer::start_when_there_is_room(server.address, WORKSPACE, "hello").await;
    let offer = agent.wait_for("offer").await["offer"]["offer"].clone();
    agent.must(json!({"type": "accept", "offer": offer})).await;
    let (writer, mut socket) = (agent.socket.writer.clone(), agent.socket);
    tokio::task::spawn_local(async move { while matches!(socket.next().await, Heard::Text(_)) {} });
    Talk { conversation: customer.conversation, writer }
}

/// Messages of the agents, one event each.
async fn write(talks: &[Talk], rate: f64, all: u32) {
    let pace = Pace::begin(rate, all);
    while let Some(number) = pace.next().await {
        let (Talk { conversation, writer }, id) = (&talks[number as usize % talks.len()], tagged_id(1, number));
        let text = "As long as most are: a line, or two.";
        let frame =
            format!("{{\"type\":\"send\",\"conversation\":\"{conversation}\",\"text\":\"{text}\",\"id\":\"{id}\"}}");
        writer.text(&frame).await.expect("the connection takes a frame");
    }
}

/// Since the time that an event says.
fn note(late: &Late, event: &str) {
    let at = event.split_once("\"at\":").and_then(|(_, rest)| rest.split_once(',')).and_then(|(at, _)| at.parse().ok());
    let at = Duration::from_millis(at.expect("every event says when"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    late.borrow_mut().push(now.saturating_sub(at).as_micros() as u32);
}

async fn follow(server: &Server, late: Late) {
    let headers = format!("Authorization: Bearer {}\r\n", server.admin_key());
    let path = format!("/v1/workspaces/{WORKSPACE}/events?types={KIND}&after=latest");
    let opened = Events::open_with(server.address, &path, &headers).await.expect("an answer");
    let mut events = opened.expect("a stream");
    tokio::task::spawn_local(async move {
        while let Ok(Some(event)) = events.next().await {
            note(&late, &event.data);
        }
    });
}

async fn hook(server: &Server, late: Late) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(receive(stream, late.clone()));
        }
    });
    let body = json!({"url": url, "types": [KIND]});
    let set = server.admin("PUT", &format!("/v1/workspaces/{WORKSPACE}/webhooks/bench"), Some(&body)).await;
    assert!(set.is_success(), "{}", set.text());
}

/// One connection's messages, each taken at once.
async fn receive(mut stream: TcpStream, late: Late) {
    stream.set_nodelay(true).expect("a connection");
    let mut read = Vec::new();
    loop {
        let (head, length) = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
                let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.split("\r\n").next());
                break (end + 4, length.and_then(|length| length.parse::<usize>().ok()).expect("a length"));
            }
            if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
                return;
            }
        };
        while read.len() < head + length {
            if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
                return;
            }
        }
        note(&late, std::str::from_utf8(&read[head..head + length]).expect("JSON"));
        read.drain(..head + length);
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

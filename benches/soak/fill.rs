//! Before anything is measured: what has a bound is filled to it, by use.

use crate::load::account::until_projected;
use crate::load::desk::{Crew, WORKSPACE, connect};
use crate::load::post::Poster;
use crate::load::scan::text_of;
use crate::load::support::socket::{Heard, Socket, frame};
use crate::load::support::{Server, command_id};
use offhook::gateway::auth::agent_token::Role;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// What the view remembers of one principal.
const IDS_EACH: u64 = 10_000;
/// Commands that one agent has under way.
const AT_ONCE: usize = 200;
const AGENTS_AT_ONCE: u64 = 64;

/// Conversations from beginning to end: offers that ended, pages of journal and view.
pub async fn conversations(server: &Server, count: u64) {
    let crew = Crew::connect(server, 50).await;
    while crew.board.closed.get() < count {
        let rate = crew.closed_loop(server, 128, if count < 1_000 { 1.0 } else { 4.0 }).await;
        eprintln!("filling: {} of {count} conversations, {rate:.0}/s", crew.board.closed.get());
    }
    crew.leave();
}

/// Visitors who start, write once and leave: senders whose rates are remembered.
pub async fn visitors(server: &Server, count: u32) {
    const WORKERS: u32 = 32;
    let done = Rc::new(Cell::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..WORKERS.min(count) {
        let mut poster = Poster::connect(server.address).await.expect("the server listens");
        let done = done.clone();
        tasks.spawn_local(async move {
            for from in (worker..count).step_by(WORKERS as usize) {
                visit_once(&mut poster, from).await;
                done.set(done.get() + 1);
                if done.get() % 10_000 == 0 {
                    eprintln!("filling: {} of {count} visitors", done.get());
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("it ends");
    }
}

async fn visit_once(poster: &mut Poster, from: u32) {
    let starts = format!("/v1/messenger/{WORKSPACE}/conversations");
    let started = post(poster, &starts, from, None, "{\"text\":\"hello\"}").await;
    let field = |name| text_of(&started, name).expect("a start says so").to_owned();
    let (own, token) = (format!("{starts}/{}", field("conversation")), field("token"));
    post(poster, &format!("{own}/messages"), from, Some(&token), "{\"text\":\"are you there?\"}").await;
    post(poster, &format!("{own}/leave"), from, Some(&token), "{}").await;
}

/// Told to wait, it waits.
async fn post(poster: &mut Poster, path: &str, from: u32, token: Option<&str>, body: &str) -> String {
    let id = command_id();
    loop {
        let (status, answer) = poster.post(path, &id, from, token, body).await.expect("an answer");
        match status {
            200..300 => return answer.to_owned(),
            503 => tokio::time::sleep(Duration::from_millis(500)).await,
            _ => panic!("{path}: {status} {answer}"),
        }
    }
}

/// Agents who were here once, so that the desk knows all that will ever come.
pub async fn agents(server: &Server, numbers: std::ops::Range<u32>) {
    let tokens = server.tokens();
    for number in numbers {
        let token = tokens.of(WORKSPACE, &format!("agent{number}"), Role::Agent);
        sign_out(connect(server, &token).await).await;
    }
}

/// Command ids that were used: a choice that changes nothing is the cheapest command that is remembered.
pub async fn ids(server: &Server, count: u64) {
    let (tokens, used) = (server.tokens(), Rc::new(Cell::new(0_u64)));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count.div_ceil(IDS_EACH) {
        if number >= AGENTS_AT_ONCE {
            tasks.join_next().await.expect("there are some").expect("it ends");
        }
        if number % AGENTS_AT_ONCE == 0 {
            eprintln!("filling: {} of {count} command ids", used.get());
        }
        let token = tokens.of(WORKSPACE, &format!("filler{number}"), Role::Agent);
        let socket = connect(server, &token).await;
        tasks.spawn_local(use_ids(socket, count.min(IDS_EACH), used.clone()));
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("it ends");
    }
    until_projected(server).await;
}

async fn use_ids(mut socket: Socket, count: u64, used: Rc<Cell<u64>>) {
    let mut done = 0;
    while done < count {
        let mut out = Vec::new();
        for _ in 0..AT_ONCE {
            let id = command_id();
            let text = format!("{{\"type\":\"set_status\",\"status\":\"away\",\"id\":\"{id}\"}}");
            out.extend_from_slice(&frame(1, text.as_bytes()));
        }
        socket.writer.raw(&out).await.expect("the connection takes frames");
        let (mut replies, mut refused) = (0, 0);
        while replies + refused < AT_ONCE {
            match socket.next().await {
                Heard::Text(text) if text.contains("\"ok\":true") => replies += 1,
                Heard::Text(text) if text.contains("\"retry_after_ms\":") => refused += 1,
                Heard::Text(_) => {}
                other => panic!("an agent heard {other:?}"),
            }
        }
        done += replies as u64;
        used.set(used.get() + replies as u64);
        if refused > 0 {
            // As it was told, or about.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    sign_out(socket).await;
}

async fn sign_out(mut socket: Socket) {
    let text = format!("{{\"type\":\"sign_out\",\"id\":\"{}\"}}", command_id());
    socket.writer.text(&text).await.expect("the connection takes a frame");
    while let Heard::Text(_) = socket.next().await {}
}

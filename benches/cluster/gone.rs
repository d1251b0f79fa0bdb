//! A node is killed while the servers of NATS are well: until offers are made again, and until its agents are welcomed by others.

use crate::load::come::{Come, Road, come, spread, ticket_of, told};
use crate::load::desk::{Crew, set_available, start, starts_in};
use crate::load::figures::figure;
use crate::load::post::Poster;
use crate::load::support::scene::DEMO;
use crate::load::support::socket::Heard;
use crate::nodes::Nodes;
use offhook::gateway::auth::agent_token::Role;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long anything may take before the bench gives up.
const GIVE_UP: Duration = Duration::from_secs(120);
/// Starts of a round are known by their numbers: what an earlier one left over is offered once more.
const STARTS_MAX: u32 = 100_000;
/// Who was refused tries again after so long.
const AGAIN_MS: u64 = 10;
/// Addresses that agents come from.
const ADDRESSES: u32 = 64;

/// Seconds from the kill of the node that leads to the first offer of a conversation that was started after it, at an agent's socket.
/// Agents are at all nodes, and at each of those that are left one customer after the other starts.
pub async fn failover(nodes: &mut Nodes, agents: u32, round: u32) -> f64 {
    let leader = nodes.before_it_goes().await;
    let crew = Crew::connect_at(&nodes.all(), DEMO, agents).await;
    crew.closed_loop_at(&nodes.all(), agents, 1.0).await;
    let first = round * STARTS_MAX;
    crew.reset(first + STARTS_MAX);
    crew.board.may_break.set(true);

    let killed_us = crew.now_us();
    nodes.kill(leader);
    let (next, going) = (Rc::new(Cell::new(first)), Rc::new(Cell::new(true)));
    let mut tasks = Vec::new();
    for server in nodes.but(leader) {
        let (next, going, address) = (next.clone(), going.clone(), server.address);
        tasks.push(tokio::task::spawn_local(customers(address, next, going)));
    }
    let offered = || crew.board.offered_us.borrow()[first as usize..].iter().copied().filter(|at| *at > 0).min();
    let began = Instant::now();
    let offered_us = loop {
        if let Some(offered_us) = offered() {
            break offered_us;
        }
        assert!(began.elapsed() < GIVE_UP, "no offer after {} starts\n{}", next.get() - first, nodes.logs());
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    going.set(false);
    for task in tasks {
        task.await.expect("a customer ends");
    }
    let failover_s = f64::from(offered_us - killed_us) / 1e6;
    eprintln!("failover {round}: {failover_s:.3} s, after {} starts", next.get() - first);
    crew.leave();
    nodes.start_again(leader);
    failover_s
}

async fn customers(address: SocketAddr, next: Rc<Cell<u32>>, going: Rc<Cell<bool>>) {
    let mut poster = Poster::connect(address).await.expect("the node listens");
    while going.get() {
        let number = next.replace(next.get() + 1);
        if start(&mut poster, &starts_in(DEMO), number, number).await != 201 {
            tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await;
        }
    }
}

/// All agents are at the node that leads, and it is killed: from then to the welcome of 99 % and of all at the other two.
pub async fn resume(nodes: &mut Nodes, agents: u32) {
    let leader = nodes.before_it_goes().await;
    let tokens = nodes.all()[leader].tokens();
    let board = Rc::new(Board { doors: RefCell::new(vec![nodes.all()[leader].address]), ..Board::default() });
    let tasks: Vec<_> = (0..agents)
        .map(|number| {
            let token = tokens.of(DEMO, &format!("returning{number}"), Role::Agent);
            tokio::task::spawn_local(agent(number, token, board.clone()))
        })
        .collect();
    until("everybody to be available", || board.available.get() >= agents, nodes).await;
    board.welcomed.borrow_mut().clear();
    board.put_off.set(0);
    *board.doors.borrow_mut() = nodes.but(leader).iter().map(|server| server.address).collect();

    let killed = Instant::now();
    nodes.kill(leader);
    until("everybody to be welcomed", || board.welcomed.borrow().len() >= agents as usize, nodes).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let mut times: Vec<Duration> = board.welcomed.borrow().iter().map(|at| at.duration_since(killed)).collect();
    times.sort_unstable();
    let at = |part: f64| times[((agents as f64 * part).ceil() as usize).clamp(1, agents as usize) - 1].as_secs_f64();
    eprintln!(
        "resume: {agents} welcomed, p50 {:.3} s; told to come later {} times; were not as they had been {} times",
        at(0.5),
        board.put_off.get(),
        board.flaps.get()
    );
    figure("resume_99_s", at(0.99), "s");
    figure("resume_s", at(1.0), "s");
}

#[derive(Default)]
struct Board {
    /// Where agents are let in.
    doors: RefCell<Vec<SocketAddr>>,
    welcomed: RefCell<Vec<Instant>>,
    available: Cell<u32>,
    put_off: Cell<u32>,
    flaps: Cell<u32>,
}

/// One agent, for ever, as docs/wire.md says; each time at another door.
async fn agent(number: u32, token: String, board: Rc<Board>) {
    let from: SocketAddr = format!("127.0.1.{}:0", 1 + number % ADDRESSES).parse().expect("an address");
    let (mut ticket, mut is_available): (Option<String>, bool) = (None, false);
    let (mut failures, mut door) = (0_u32, number as usize);
    loop {
        let server = {
            let doors = board.doors.borrow();
            doors[door % doors.len()]
        };
        door += 1;
        let wait = match come(&Road { server, from, tls: None }, &token, ticket.as_deref()).await {
            Come::Welcomed(mut socket, welcome) => {
                failures = 0;
                board.welcomed.borrow_mut().push(Instant::now());
                ticket = ticket_of(&welcome);
                if !is_available {
                    set_available(&mut socket).await;
                    is_available = true;
                    board.available.set(board.available.get() + 1);
                } else if !welcome.contains("\"status\":\"available\",\"available\":true") {
                    board.flaps.set(board.flaps.get() + 1);
                }
                drop(welcome);
                loop {
                    match socket.next().await {
                        Heard::Text(_) => {}
                        Heard::Close { reason, .. } => break told(&reason).unwrap_or_else(|| spread(1_000)),
                        Heard::Gone => break spread(1_000),
                    }
                }
            }
            Come::Later(wait) => {
                board.put_off.set(board.put_off.get() + 1);
                wait
            }
            Come::Nobody => {
                failures += 1;
                spread((1_000 << failures.min(5).saturating_sub(1)).min(30_000))
            }
        };
        tokio::time::sleep(wait).await;
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool, nodes: &Nodes) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < GIVE_UP, "waited for {what} in vain\n{}", nodes.logs());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

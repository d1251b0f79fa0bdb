//! What becomes of nodes and of servers of NATS: which of them, what, and for how long, from a seed.

use crate::history::Book;
use crate::nodes::Nodes;
use crate::support::random::Random;
use std::ops::Range;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Node(usize),
    Nats(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// `kill -9`, and started again.
    Killed,
    /// It stands still, and goes on: of a node after more than its lease that is a zombie.
    Paused,
    /// It runs, and nothing comes through to it.
    CutOff,
    /// In order, and started again.
    Stopped,
}

/// One of both, or of one kind both.
pub type Round = Vec<(Victim, Trouble, Duration)>;

/// In one round of so many two servers of NATS stand still, so that nothing can be committed.
const WITHOUT_QUORUM: u64 = 10;

pub fn any(random: &mut Random) -> Round {
    if random.below(WITHOUT_QUORUM) == 0 {
        let spared = random.below(3) as usize;
        let two = (0..3).filter(|server| *server != spared);
        return two.map(|server| (Victim::Nats(server), Trouble::Paused, Duration::from_secs(6))).collect();
    }
    let first = match random.below(6) as usize {
        number @ 0..3 => Victim::Node(number),
        number => Victim::Nats(number - 3),
    };
    let mut victims = vec![first];
    if random.below(2) == 0 {
        // Never two servers of NATS.
        victims.push(match first {
            Victim::Node(node) => match random.below(5) as usize {
                more @ 0..2 => Victim::Node((node + 1 + more) % 3),
                number => Victim::Nats(number - 2),
            },
            Victim::Nats(_) => Victim::Node(random.below(3) as usize),
        });
    }
    let trouble = |victim| {
        let (trouble, least_ms, most_ms) = match random.below(4) {
            0 => (Trouble::Killed, 0, 2_000),
            1 => (Trouble::Paused, 1_000, 6_000),
            2 => (Trouble::CutOff, 1_000, 6_000),
            _ => (Trouble::Stopped, 0, 2_000),
        };
        (victim, trouble, Duration::from_millis(least_ms + random.below(most_ms - least_ms)))
    };
    victims.into_iter().map(trouble).collect()
}

/// Each of the six killed, standing still for ten seconds and cut off for as long, and then every two of them at once.
pub fn each() -> Vec<Round> {
    let all: Vec<Victim> = (0..3).map(Victim::Node).chain((0..3).map(Victim::Nats)).collect();
    let mut victims: Vec<Vec<Victim>> = all.iter().map(|one| vec![*one]).collect();
    for (at, one) in all.iter().enumerate() {
        victims.extend(all[at + 1..].iter().map(|other| vec![*one, *other]));
    }
    let kinds = [(Trouble::Killed, 1), (Trouble::Paused, 10), (Trouble::CutOff, 10)];
    let rounds = victims.iter().flat_map(|victims| {
        kinds.map(|(trouble, s)| victims.iter().map(|one| (*one, trouble, Duration::from_secs(s))).collect())
    });
    rounds.collect()
}

/// Whether nobody can commit anything meanwhile. Servers that no node reaches are with the third one still.
pub fn is_without_quorum(round: &Round) -> bool {
    let is_out = |victim, trouble| matches!(victim, Victim::Nats(_)) && trouble != Trouble::CutOff;
    round.iter().filter(|(victim, trouble, _)| is_out(*victim, *trouble)).count() > 1
}

impl Nodes {
    pub fn begin(&mut self, victim: Victim, trouble: Trouble) {
        match (victim, trouble) {
            (Victim::Node(node), Trouble::Killed) => self.kill(node),
            (Victim::Node(node), Trouble::Paused) => self.pause(node),
            (Victim::Node(node), Trouble::CutOff) => self.cut_off(node),
            (Victim::Node(node), Trouble::Stopped) => self.stop(node),
            (Victim::Nats(server), Trouble::Killed) => self.trio.kill(server),
            (Victim::Nats(server), Trouble::Paused) => self.trio.pause(server),
            (Victim::Nats(server), Trouble::CutOff) => self.cut_off_nats(server),
            (Victim::Nats(server), Trouble::Stopped) => self.trio.stop(server),
        }
    }

    pub fn end(&mut self, victim: Victim, trouble: Trouble) {
        match (victim, trouble) {
            (Victim::Node(node), Trouble::Killed | Trouble::Stopped) => self.start_again(node),
            (Victim::Node(node), Trouble::Paused) => self.go_on(node),
            (Victim::Node(node), Trouble::CutOff) => self.let_through(node),
            (Victim::Nats(server), Trouble::Killed | Trouble::Stopped) => self.trio.start_again(server),
            (Victim::Nats(server), Trouble::Paused) => self.trio.go_on(server),
            (Victim::Nats(server), Trouble::CutOff) => self.let_through_nats(server),
        }
    }

    /// All of it, each for its time. From when to when all of it was so, by the book's clock.
    pub async fn suffer(
        &mut self,
        round: &Round,
        book: &Book,
        mut ended: impl FnMut(&Self, Victim),
    ) -> Range<Duration> {
        for (victim, trouble, _) in round {
            self.begin(*victim, *trouble);
        }
        let (began, from) = (Instant::now(), book.age());
        let mut by_end = round.clone();
        by_end.sort_by_key(|(.., time)| *time);
        let mut to = None;
        for (victim, trouble, time) in by_end {
            // The length of the trouble.
            sleep_until(began + time).await;
            to.get_or_insert_with(|| book.age());
            self.end(victim, trouble);
            ended(self, victim);
        }
        from..to.unwrap_or(from)
    }
}

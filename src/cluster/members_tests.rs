//! Who is live and who is gone: case by case, and over seeds in a small world of nodes, a bucket that stops, and a watch that lags.

use super::*;
use crate::simulate::dice::Dice;

const LEASE_MS: u64 = 2_000;

fn node(name: &str, number: u64) -> Node {
    Node::new(name, NodeNumber(number), "here")
}

/// What node `a` with number 10 hears, revision by revision.
struct Hearing {
    members: Members,
    revision: u64,
    gone: Vec<(u64, WhyGone)>,
    roll: Option<Roll>,
}

impl Hearing {
    fn new() -> Self {
        Self { members: Members::new(node("a", 10), LEASE_MS), revision: 10, gone: Vec::new(), roll: None }
    }

    fn heard(&mut self, name: &str, number: u64, now_ms: u64) {
        self.revision += 1;
        self.members.heard(node(name, number), LEASE_MS, self.revision, now_ms);
        self.look();
    }

    fn left(&mut self, name: &str) {
        self.revision += 1;
        self.members.left(name, self.revision);
        self.look();
    }

    fn own(&mut self, put_ms: u64, now_ms: u64) {
        self.revision += 1;
        self.members.own_heard(put_ms, self.revision, now_ms);
        self.look();
    }

    /// Own heartbeats four times a lease, each back at once.
    fn beats(&mut self, from_ms: u64, to_ms: u64) {
        for now_ms in (from_ms..=to_ms).step_by(LEASE_MS as usize / 4) {
            self.own(now_ms, now_ms);
        }
    }

    fn look(&mut self) {
        let Some((roll, changes)) = self.members.caught_up() else { return };
        for change in changes {
            if let Change::Gone(node, why) = change {
                self.gone.push((node.number.0, why));
            }
        }
        self.roll = Some(roll);
    }

    fn live(&self) -> Vec<(&str, u64)> {
        let nodes = self.roll.iter().flat_map(|roll| &roll.nodes);
        nodes.map(|node| (&*node.name, node.number.0)).collect()
    }
}

#[test]
fn nothing_is_told_before_an_own_heartbeat_came_back() {
    let mut a = Hearing::new();
    a.heard("c", 5, 0);
    a.heard("b", 7, 0);
    assert!(a.roll.is_none());
    a.own(0, 1);
    assert_eq!(a.live(), [("a", 10), ("b", 7), ("c", 5)]);
    assert!(a.members.caught_up().is_none(), "it was told");
}

#[test]
fn who_is_silent_for_its_lease_is_gone_and_not_before() {
    let mut a = Hearing::new();
    a.own(0, 0);
    a.heard("b", 11, 100);
    a.beats(500, 2_000);
    assert_eq!(a.live(), [("a", 10), ("b", 11)]);
    // Put before its lease was over, whenever it came.
    a.own(2_099, 2_600);
    assert!(a.gone.is_empty());
    a.own(2_100, 2_700);
    assert_eq!((a.gone.as_slice(), a.live()), (&[(11, WhyGone::Silent)][..], vec![("a", 10)]));
    let roll = a.roll.clone().unwrap();
    assert!(roll.is_gone(NodeNumber(11)) && roll.gone == [NodeNumber(11)]);
    // It was not dead.
    a.heard("b", 11, 2_800);
    let roll = a.roll.clone().unwrap();
    assert!(!roll.is_gone(NodeNumber(11)) && roll.gone.is_empty());
}

#[test]
fn each_node_is_silent_for_as_long_as_its_own_lease() {
    let mut a = Hearing::new();
    a.own(0, 0);
    a.revision += 1;
    a.members.heard(node("slow", 11), 3 * LEASE_MS, a.revision, 0);
    a.beats(500, 3 * LEASE_MS - 500);
    assert!(a.gone.is_empty());
    a.beats(3 * LEASE_MS, 3 * LEASE_MS);
    assert_eq!(a.gone, [(11, WhyGone::Silent)]);
}

#[test]
fn while_no_own_heartbeat_comes_back_nobody_is_given_up_and_afterwards_all_have_a_whole_lease() {
    let mut a = Hearing::new();
    a.own(0, 0);
    a.heard("b", 11, 0);
    // The bucket stood still for six seconds. What was put meanwhile comes: ours first, and those of b a little later.
    for (put_ms, now_ms) in [(500, 6_000), (2_000, 6_001), (5_900, 6_002), (6_400, 6_450)] {
        a.own(put_ms, now_ms);
    }
    a.heard("b", 11, 6_460);
    a.beats(6_900, 8_400);
    assert!(a.gone.is_empty());
    a.beats(8_500, 8_500);
    assert_eq!(a.gone, [(11, WhyGone::Silent)], "its lease is over, and the bucket worked all along");
}

#[test]
fn a_clock_that_stands_still_gives_nobody_up() {
    let mut a = Hearing::new();
    a.heard("b", 11, 7);
    for _ in 0..1_000 {
        a.own(7, 7);
    }
    assert_eq!(a.live(), [("a", 10), ("b", 11)]);
}

#[test]
fn who_leaves_is_gone_at_once_and_what_was_under_way_of_it_is_nothing() {
    let mut a = Hearing::new();
    a.own(0, 0);
    a.heard("b", 11, 0);
    a.left("b");
    assert_eq!((a.gone.as_slice(), a.live()), (&[(11, WhyGone::Left)][..], vec![("a", 10)]));
    a.heard("b", 11, 1);
    assert_eq!(a.live(), [("a", 10)]);
    a.heard("b", 20, 2);
    assert_eq!(a.live(), [("a", 10), ("b", 20)]);
}

#[test]
fn a_node_that_is_started_anew_is_another_one_at_once() {
    let mut a = Hearing::new();
    a.own(0, 0);
    a.heard("b", 11, 0);
    a.heard("b", 15, 1);
    assert_eq!((a.gone.as_slice(), a.live()), (&[(11, WhyGone::Replaced)][..], vec![("a", 10), ("b", 15)]));
    // Late, or a process that does not know yet.
    a.heard("b", 11, 2);
    a.left("b");
    a.heard("b", 11, 3);
    assert_eq!((a.gone.len(), a.live()), (2, vec![("a", 10)]));
}

#[test]
fn numbers_from_before_are_gone_and_those_not_heard_of_yet_are_not() {
    let mut a = Hearing::new();
    a.heard("b", 8, 0);
    a.own(0, 0);
    let roll = a.roll.clone().unwrap();
    let gone: Vec<u64> = (5..15).filter(|number| roll.is_gone(NodeNumber(*number))).collect();
    assert_eq!(gone, [5, 6, 7, 9, 11, 12], "revisions that were heard, and no live node");
    // It came and went while nothing was heard.
    a.revision = 40;
    a.left("c");
    assert!(a.roll.clone().unwrap().is_gone(NodeNumber(39)));
}

#[test]
fn what_is_told_again_is_not_heard_again() {
    let mut a = Hearing::new();
    a.own(0, 0);
    a.heard("b", 11, 0);
    a.beats(500, 2_000);
    assert_eq!(a.gone, [(11, WhyGone::Silent)]);
    let (revision, now_ms) = (12, 2_001);
    a.members.heard(node("b", 11), LEASE_MS, revision, now_ms);
    a.members.own_heard(9_000, revision, now_ms);
    a.members.left("b", revision);
    assert!(a.members.caught_up().is_none());
}

#[test]
fn whose_name_a_newer_process_has_is_no_member_any_more() {
    let mut a = Hearing::new();
    a.own(0, 0);
    a.heard("b", 11, 0);
    a.heard("a", 9, 1);
    assert_eq!(a.roll.as_ref().unwrap().taken_over, None, "an older one's heartbeat was late");
    a.heard("a", 14, 2);
    assert_eq!(a.roll.as_ref().unwrap().taken_over, Some(NodeNumber(14)));
    assert_eq!(a.live(), [("b", 11)]);
}

#[test]
fn beyond_sixty_four_nodes_one_is_turned_away_until_there_is_room() {
    let mut a = Hearing::new();
    a.own(0, 0);
    for number in 0..NODES_MAX as u64 - 1 {
        a.heard(&format!("n{number}"), 100 + number, 0);
    }
    assert_eq!(a.live().len(), NODES_MAX);
    a.revision += 1;
    a.members.heard(node("late", 900), LEASE_MS, a.revision, 1);
    let (_, changes) = a.members.caught_up().unwrap();
    assert_eq!(changes, [Change::TurnedAway(node("late", 900))]);
    a.left("n3");
    a.heard("late", 900, 2);
    assert_eq!(a.live().len(), NODES_MAX);
    assert!(a.live().contains(&("late", 900)));
}

#[test]
fn numbers_that_are_gone_are_remembered_up_to_a_bound() {
    let mut a = Hearing::new();
    a.own(0, 0);
    for number in 0..GONE_MAX as u64 + 10 {
        a.heard("b", 100 + number, 0);
    }
    let gone = a.roll.clone().unwrap().gone;
    assert_eq!((gone.len(), gone[0], gone[GONE_MAX - 1]), (GONE_MAX, NodeNumber(109), NodeNumber(364)));
}

/// A heartbeat on its way into the bucket.
struct Put {
    arrives_ms: u64,
    from: usize,
    put_ms: u64,
}

/// Nodes that put heartbeats, a bucket that now and then stands still, and the first node's watch, which lags and sometimes hears nothing
/// for long and then all at once. One of the nodes is killed.
fn a_bad_hour(seed: u64) {
    const NODES: usize = 4;
    const KILLED: usize = 2;
    const STEP_MS: u64 = 10;
    let mut dice = Dice::new(seed);
    let end_ms = 60_000;
    let killed_ms = dice.between(5_000, 40_000);
    let mut members = Members::new(node("0", 1), LEASE_MS);
    let mut next_beat = [0; NODES];
    let mut on_the_way: Vec<Put> = Vec::new();
    let mut watched: VecDeque<(u64, usize, u64)> = VecDeque::new();
    let (mut stands_until, mut deaf_until, mut heard_at) = (0, 0, 0);
    // What waited before a bucket that stood still comes connection by connection.
    let mut later_ms = [0; NODES];
    let (mut revision, mut last_stored) = (10, 0);
    let mut gone = None;
    for now_ms in (0..end_ms).step_by(STEP_MS as usize) {
        let quiet = now_ms + 4 * LEASE_MS > end_ms;
        if !quiet && dice.per_mille(2) {
            stands_until = stands_until.max(now_ms + dice.below(3 * LEASE_MS));
            later_ms = std::array::from_fn(|_| dice.below(100));
        }
        if !quiet && dice.per_mille(1) {
            deaf_until = deaf_until.max(now_ms + dice.below(3 * LEASE_MS));
        }
        for (from, next) in next_beat.iter_mut().enumerate() {
            if *next <= now_ms && !(from == KILLED && now_ms >= killed_ms) {
                on_the_way.push(Put { arrives_ms: now_ms + dice.below(100), from, put_ms: now_ms });
                *next = now_ms + LEASE_MS / 4 + dice.below(100);
            }
        }
        if now_ms >= stands_until {
            let is_there = |put: &mut Put| put.arrives_ms.max(stands_until + later_ms[put.from]) <= now_ms;
            let arrived: Vec<Put> = on_the_way.extract_if(.., is_there).collect();
            for Put { from, put_ms, .. } in arrived {
                revision += 1;
                if from == KILLED {
                    last_stored = now_ms;
                }
                watched.push_back((revision, from, put_ms));
            }
        }
        if now_ms < deaf_until || now_ms < heard_at {
            continue;
        }
        heard_at = now_ms + dice.below(100);
        while let Some((revision, from, put_ms)) = watched.pop_front() {
            if from == 0 {
                members.own_heard(put_ms, revision, now_ms);
            } else {
                members.heard(node(&from.to_string(), 1 + from as u64), LEASE_MS, revision, now_ms);
            }
            let told = watched.is_empty().then(|| members.caught_up()).flatten();
            for change in told.into_iter().flat_map(|(_, changes)| changes) {
                if let Change::Gone(node, why) = change {
                    assert_eq!((node.number.0, why), (1 + KILLED as u64, WhyGone::Silent), "seed {seed} at {now_ms}");
                    assert!(
                        now_ms >= last_stored + LEASE_MS,
                        "seed {seed}: heard of at {last_stored}, gone at {now_ms}"
                    );
                    assert!(gone.is_none(), "seed {seed}: once");
                    gone = Some(now_ms);
                }
            }
        }
    }
    assert!(gone.is_some(), "seed {seed}: killed at {killed_ms}, and nobody found out");
}

#[test]
fn in_bad_hours_only_the_dead_are_given_up_and_always() {
    for seed in 0..300 {
        a_bad_hour(seed);
    }
}

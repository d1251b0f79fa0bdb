//! The protocol of a cluster, looked through step by step: every order in which appends arrive, answers are lost, nodes crash, stand
//! still and take each other for dead, within the bounds. docs/cluster-protocol.md has the rules in words.
//!
//! Each rule is also left out, one at a time, and then the checker must find what goes wrong: or it would prove nothing.
//! `OFFHOOK_MODEL=large` widens the bounds; minutes then, not seconds.

mod bounds;
mod desk;
mod journal;
mod kinds;
mod properties;
mod state;
mod steps;

use bounds::{Bounds, Fault};
use desk::Command;
use kinds::{CameAbout, KINDS, Kind};
use properties::{FRESH, KEPT, MEMORY, NOTHING, ONCE, ONE_OWNER, REIGN, SAME};
use stateright::{Checker, HasDiscoveries, Model};
use std::sync::Arc;
use steps::Cluster;

/// Two agents accept one offer.
const RACE: &[Command] = &[Command::Accept(0), Command::Accept(1)];
/// An agent accepts, and a message is written that needs it to have done so.
const TALK: &[Command] = &[Command::Accept(0), Command::Post];
const BOTH: &[Command] = &[Command::Accept(0), Command::Accept(1), Command::Post];

/// Two nodes, each of which may follow the other.
const BOUNDS: Bounds = Bounds {
    nodes: 2,
    records: 4,
    claims: 3,
    commands: RACE,
    attempts: 2,
    barriers: 1,
    stale_reads: true,
    late_appends: true,
    sent_twice: true,
};
/// Enough for most of what goes wrong.
const SMALL: Bounds = Bounds { claims: 2, ..BOUNDS };

fn large() -> bool {
    std::env::var("OFFHOOK_MODEL").is_ok_and(|size| size == "large")
}

/// Looks through all that can happen within the bounds; every property must hold everywhere.
fn holds(bounds: Bounds, came_about: &Arc<CameAbout>) {
    let checker = Cluster { bounds, faults: &[], came_about: came_about.clone() }.checker().spawn_bfs().join();
    let bounds = &checker.model().bounds;
    println!("{bounds:?}: {} states, at most {} steps", checker.unique_state_count(), checker.max_depth());
    if let Some((name, path)) = checker.discoveries().into_iter().next() {
        panic!("not so: {name}\n{:#?}", path.into_actions());
    }
}

/// Leaves rules out, and expects that this no longer holds.
#[track_caller]
fn breaks(faults: &'static [Fault], bounds: Bounds, property: &'static str) {
    let cluster = Cluster { bounds, faults, came_about: Arc::default() };
    let wanted = HasDiscoveries::AllOf([property].into());
    let checker = cluster.checker().finish_when(wanted).spawn_bfs().join();
    let path = checker.discovery(property);
    let path = path.unwrap_or_else(|| panic!("{faults:?} went unnoticed in {} states", checker.unique_state_count()));
    let steps = path.into_actions();
    println!("{faults:?} breaks, in {} steps: {property}", steps.len());
    steps.iter().for_each(|step| println!("    {step:?}"));
}

#[test]
fn two_agents_who_accept_one_offer_are_never_both_its_owner() {
    let came_about = Arc::default();
    holds(if large() { Bounds { records: 6, claims: 4, ..BOUNDS } } else { BOUNDS }, &came_about);
    holds(Bounds { barriers: 3, ..if large() { BOUNDS } else { SMALL } }, &came_about);
    for (kind, words) in KINDS {
        println!("{:>10} {words}", came_about.count(*kind));
    }
    let never: Vec<_> = KINDS.iter().filter(|(kind, _)| came_about.count(*kind) == 0).collect();
    assert!(never.is_empty(), "never came about: {never:?}");
}

#[test]
fn a_message_that_rests_on_an_accept_is_written_once_and_never_refused_for_want_of_news() {
    let came_about = Arc::default();
    holds(Bounds { commands: TALK, records: if large() { 5 } else { 4 }, ..BOUNDS }, &came_about);
    assert!(came_about.count(Kind::RefusalWithheld) > 0);
}

#[test]
fn a_third_node_changes_nothing() {
    let small = Bounds { nodes: 3, attempts: 1, ..BOUNDS };
    holds(if large() { Bounds { records: 5, attempts: 2, ..small } } else { small }, &Arc::default());
}

#[test]
fn all_commands_at_once() {
    let bounds = Bounds { commands: BOTH, ..SMALL };
    holds(if large() { bounds } else { Bounds { attempts: 1, records: 5, ..bounds } }, &Arc::default());
}

#[test]
fn without_the_fence_an_offer_has_two_owners() {
    breaks(&[Fault::NoFence], BOUNDS, ONE_OWNER);
}

#[test]
fn without_the_fence_a_replaced_leader_goes_on_writing() {
    breaks(&[Fault::NoFence], BOUNDS, REIGN);
}

#[test]
fn without_a_claim_a_replaced_leader_goes_on_writing() {
    breaks(&[Fault::NoClaim], BOUNDS, REIGN);
}

/// The claim is for the journal's sake and the nodes'; what clients hear rests on the other rules.
#[test]
fn without_a_claim_every_answer_still_rests_on_a_record() {
    let bounds = Bounds { commands: TALK, ..SMALL };
    let cluster = Cluster { bounds, faults: &[Fault::NoClaim], came_about: Arc::default() };
    let checker = cluster.checker().finish_when(HasDiscoveries::All).spawn_bfs().join();
    let broken: Vec<_> = checker.discoveries().into_keys().collect();
    assert_eq!(broken, [REIGN]);
}

/// For two reasons, each of which is enough: a read that finds nothing says nothing of what is on its way, ...
#[test]
fn without_a_barrier_what_was_unavailable_is_done_later() {
    breaks(&[Fault::NoBarrier], Bounds { stale_reads: false, ..SMALL }, NOTHING);
}

/// ... nor of what is there, where it may have been answered by a replica that is behind, or by a leader of servers that is none any more.
#[test]
fn without_a_barrier_a_read_that_is_behind_takes_what_was_done_for_unavailable() {
    let in_time = Bounds { late_appends: false, sent_twice: false, ..SMALL };
    breaks(&[Fault::NoBarrier], in_time.clone(), NOTHING);
    let fresh = Bounds { stale_reads: false, ..in_time };
    let cluster = Cluster { bounds: fresh, faults: &[Fault::NoBarrier], came_about: Arc::default() };
    let checker = cluster.checker().spawn_bfs().join();
    assert!(checker.discoveries().is_empty(), "with neither, no barrier is needed");
}

#[test]
fn unknown_is_not_refused() {
    breaks(&[Fault::UnknownIsRefused], BOUNDS, NOTHING);
}

#[test]
fn an_unknown_barrier_settles_nothing() {
    breaks(&[Fault::BarrierIsAssumed], BOUNDS, NOTHING);
}

#[test]
fn a_refused_barrier_does_not_say_that_the_turn_is_there() {
    breaks(&[Fault::RefusedBarrierIsProof], BOUNDS, KEPT);
}

#[test]
fn unknown_is_not_committed() {
    breaks(&[Fault::UnknownIsCommitted], BOUNDS, KEPT);
    breaks(&[Fault::UnknownIsCommitted], BOUNDS, MEMORY);
}

#[test]
fn a_record_in_the_place_of_ones_own_is_not_ones_own() {
    breaks(&[Fault::AnyRecordIsMine], BOUNDS, KEPT);
}

#[test]
fn a_refusal_says_nothing_of_the_same_append_that_came_before() {
    breaks(&[Fault::RefusalIsBelieved], BOUNDS, NOTHING);
}

#[test]
fn the_end_that_a_refusal_names_is_no_leave_to_append_there() {
    breaks(&[Fault::RefusalIsFollowed], BOUNDS, ONE_OWNER);
}

#[test]
fn without_ids_a_retry_is_done_twice() {
    let bounds = Bounds { commands: TALK, ..BOUNDS };
    breaks(&[Fault::NoIds], bounds.clone(), ONCE);
    breaks(&[Fault::NoIds], bounds, SAME);
}

#[test]
fn ids_that_are_in_no_record_are_forgotten_with_their_leader() {
    breaks(&[Fault::IdsInMemory], Bounds { commands: TALK, records: 5, ..SMALL }, ONCE);
}

#[test]
fn without_a_record_a_replaced_leader_refuses_what_it_has_not_heard_of() {
    breaks(&[Fault::NoConfirmation], Bounds { commands: TALK, ..BOUNDS }, FRESH);
}

#[test]
fn one_sending_that_was_unavailable_says_nothing_of_another() {
    breaks(&[Fault::OneSendingSpeaks], BOUNDS, NOTHING);
}

#[test]
fn the_page_names_each_of_these_tests() {
    let page = include_str!("../../docs/cluster-protocol.md");
    let tests = include_str!("main.rs").split("#[test]\nfn ").skip(1).filter_map(|test| test.split('(').next());
    let unnamed: Vec<_> = tests.filter(|test| !page.contains(&format!("`{test}`"))).collect();
    assert_eq!(unnamed, ["the_page_names_each_of_these_tests"]);
}

//! What strangers send, and what a disk may give back, changed at random from a seed: whoever reads it never panics, and never
//! takes what it should refuse. Short here and in CI; `just fuzz SECONDS` for each target for so long.
//!
//! There is no instrument in the compiled code. What is kept as a new beginning is what was answered in a way that
//! no input was before: parsers that name the field at fault tell almost as much as a branch counter.

mod mutate;
mod targets;

use mutate::Mutator;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use targets::Target;

/// Without a time, so many inputs: the same ones each time.
const INPUTS: u32 = 50_000;
/// Beginnings that are kept.
const KEPT_MAX: usize = 2_000;

fn seconds() -> Option<Duration> {
    std::env::var("OFFHOOK_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).map(Duration::from_secs)
}

fn fuzz(target: &Target) {
    let limit = seconds();
    let seed = if limit.is_some() { rand_seed() } else { 1 };
    let mut mutator = Mutator::new(seed);
    let mut kept = target.seeds.clone();
    let mut seen = BTreeSet::new();
    for (number, input) in kept.iter().enumerate() {
        let answer = (target.read)(input);
        assert!(
            target.every_seed_is_good.is_none_or(|good| answer == good),
            "{}: seed {number}: {answer}",
            target.name
        );
        seen.insert(answer);
    }
    let (began, mut done) = (Instant::now(), 0_u32);
    while limit.map_or(done < INPUTS, |limit| began.elapsed() < limit) {
        let input = mutator.next(&kept, target.bytes_max);
        let answer = catch_unwind(AssertUnwindSafe(|| (target.read)(&input)));
        let answer =
            answer.unwrap_or_else(|_| panic!("{}: seed {seed}, input {done}:\n{}", target.name, input.escape_ascii()));
        // Both are bounded: a long run meets millions of fields that nobody knows.
        if kept.len() < KEPT_MAX && seen.insert(answer) {
            kept.push(input);
        }
        done += 1;
    }
    println!("{}: {done} inputs in {:.1} s, {} answers", target.name, began.elapsed().as_secs_f64(), seen.len());
    assert!(seen.len() >= target.answers_min, "{}: {} answers: {seen:?}", target.name, seen.len());
}

fn rand_seed() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    u64::from_le_bytes(bytes) | 1
}

#[test]
fn frames_of_agents() {
    fuzz(&targets::frames());
}

#[test]
fn bytes_of_a_websocket() {
    fuzz(&targets::websocket());
}

#[test]
fn bodies_over_http() {
    fuzz(&targets::bodies());
}

#[test]
fn settings_over_http() {
    fuzz(&targets::settings());
}

#[test]
fn tokens_of_agents() {
    fuzz(&targets::agent_tokens());
}

#[test]
fn tokens_of_customers() {
    fuzz(&targets::customer_tokens());
}

#[test]
fn tokens_of_our_own() {
    fuzz(&targets::own_tokens());
}

#[test]
fn keys_of_a_provider() {
    fuzz(&targets::provider_keys());
}

#[test]
fn headers_of_proxies_and_origins() {
    fuzz(&targets::headers());
}

#[test]
fn records_of_the_journal() {
    fuzz(&targets::records());
}

#[test]
fn what_nodes_pass_to_each_other() {
    fuzz(&targets::passed());
}

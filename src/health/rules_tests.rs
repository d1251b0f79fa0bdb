//! Scripts: seconds, what was seen, and what is said then of each component that is not operational.

use super::*;

/// `SECONDS WORD=VALUE… | COMPONENT STATE, …`; `probe=-` tried nothing, `probe=messenger:failed,api:slow` the rest went well.
fn check(limits: Limits, script: &str) {
    let mut rules = Rules::new(limits);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (seen, expected) = line.split_once('|').expect("a bar");
        let mut words = seen.split_whitespace();
        let seconds: f64 = words.next().expect("seconds").parse().expect("seconds");
        let now_ms = (seconds * 1_000.0) as u64;
        rules.feed(now_ms, &observed(words));
        let judged = rules.judged(now_ms);
        let said: Vec<String> = Component::ALL
            .into_iter()
            .zip(&judged)
            .filter(|(_, judged)| judged.state != Operational)
            .map(|(component, judged)| format!("{} {}", component.name(), judged.state.name()))
            .collect();
        assert_eq!(said.join(", "), expected.trim(), "at {line}\n{judged:?}");
        assert!(judged.iter().all(|judged| (judged.state == Operational) == judged.why.is_empty()), "{judged:?}");
    }
}

fn observed<'a>(words: impl Iterator<Item = &'a str>) -> Observation {
    let mut seen = Observation::default();
    for word in words {
        let (name, value) = word.split_once('=').expect("a word with a value");
        let number = || value.parse::<u64>().expect("a number");
        match name {
            "online" => seen.agents_online = number(),
            "lost" => seen.agents_lost = number(),
            "overlooked" => seen.overlooked_ms = Some(number()),
            "memory" => seen.memory = Some(Memory { used: number(), budget: 1_000 }),
            "probe" => seen.probes.push(probed(value)),
            component => {
                let counts: Vec<u64> = value.split('/').map(|count| count.parse().expect("a count")).collect();
                seen.answers[named(component).place()] =
                    Answers { well: counts[0], slow: counts[1], failed: counts[2] };
            }
        }
    }
    seen
}

fn named(word: &str) -> Component {
    Component::ALL.into_iter().find(|component| component.name() == word).expect("a component")
}

fn probed(value: &str) -> Each<Probed> {
    if value == "-" {
        return Each::default();
    }
    let mut all = [const { Probed::Well }; 4];
    for (component, how) in value.split(',').filter_map(|one| one.split_once(':')) {
        all[named(component).place()] =
            if how == "slow" { Probed::Slow } else { Probed::Failed("no answer in time".into()) };
    }
    all
}

const LIMITS: Limits =
    Limits { window_ms: 20_000, recover_after_ms: 15_000, overlooked_after_ms: 5_000, memory_full_within_ms: 600_000 };

#[test]
fn nothing_seen_is_nothing_wrong() {
    check(LIMITS, "0 |\n 5 probe=- |\n 10 online=3 |");
}

#[test]
fn answers_that_fail_are_an_outage_by_their_share() {
    check(
        LIMITS,
        "
        0  messenger=100/0/1  |
        1  messenger=0/0/1    |
        2  messenger=0/0/2    | messenger degraded
        3  messenger=0/0/30   | messenger partial_outage
        4  messenger=0/0/900  | messenger major_outage
        5  api=2/0/2          | messenger major_outage
        6  api=0/0/1          | messenger major_outage, api partial_outage
        ",
    );
}

#[test]
fn slow_answers_degrade() {
    check(LIMITS, "0 api=9/2/0 |\n 1 api=1/1/0 | api degraded");
}

#[test]
fn worse_at_once_and_better_only_after_a_while() {
    check(
        LIMITS,
        "
        0   messenger=0/0/50   | messenger major_outage
        1   messenger=50/0/0   | messenger major_outage
        15  messenger=50/0/0   | messenger major_outage
        17  messenger=50/0/0   | messenger partial_outage
        20  messenger=50/0/0   | messenger partial_outage
        21  messenger=50/0/0   | messenger partial_outage
        35  messenger=50/0/0   | messenger partial_outage
        36  messenger=50/0/0   |
        ",
    );
}

#[test]
fn one_probe_that_failed_is_an_accident_and_two_are_not() {
    check(
        LIMITS,
        "
        0   probe=messenger:failed,conversation_offers:failed |
        5   probe=ok                                          |
        10  probe=messenger:failed,conversation_offers:failed |
        15  probe=messenger:failed,conversation_offers:failed | conversation_offers major_outage, messenger major_outage
        20  probe=ok                                          | conversation_offers major_outage, messenger major_outage
        30  probe=ok                                          | conversation_offers major_outage, messenger major_outage
        31  probe=ok                                          |
        ",
    );
}

#[test]
fn a_probe_that_fails_beside_clients_that_are_served_is_no_major_outage() {
    check(
        LIMITS,
        "
        0  probe=messenger:failed messenger=100/0/0 |
        5  probe=messenger:failed messenger=100/0/0 | messenger degraded
        6  messenger=0/0/20                         | messenger partial_outage
        ",
    );
}

#[test]
fn what_a_probe_did_not_try_is_not_held_against_it() {
    check(LIMITS, "0 probe=api:failed |\n 5 probe=- |\n 10 probe=- |\n 15 probe=api:failed | api major_outage");
}

#[test]
fn a_probe_that_stays_slow_degrades() {
    check(LIMITS, "0 probe=messenger:slow |\n 5 probe=messenger:slow |\n 9 probe=messenger:slow | messenger degraded");
}

#[test]
fn a_drop_of_many_agents_that_lasts_is_an_outage_and_a_short_one_is_none() {
    check(
        LIMITS,
        "
        0   online=100 lost=0   |
        1   online=5   lost=95  |
        2   online=100 lost=0   |
        3   online=50  lost=50  |
        5   online=50  lost=50  |
        6   online=50  lost=50  | agent_interface partial_outage
        7   online=10  lost=90  | agent_interface major_outage
        8   online=90  lost=10  | agent_interface major_outage
        22  online=100          | agent_interface major_outage
        23  online=100          |
        ",
    );
}

#[test]
fn one_closed_laptop_is_no_outage() {
    check(LIMITS, "0 online=1 lost=3 |\n 60 online=1 lost=3 |");
}

#[test]
fn who_waits_though_an_agent_could_take_it_is_an_outage_of_offers() {
    check(
        LIMITS,
        "
        0   overlooked=9000 |
        1                   |
        2   overlooked=1000 |
        7   overlooked=6000 | conversation_offers partial_outage
        32  overlooked=9000 | conversation_offers major_outage
        ",
    );
}

#[test]
fn memory_that_will_be_used_up_is_seen_before_it_is() {
    check(
        LIMITS,
        "
        0   memory=300 |
        30  memory=450 |
        60  memory=600 | agent_interface degraded, messenger degraded
        76  memory=600 | agent_interface degraded, messenger degraded
        120 memory=600 |
        ",
    );
    // A tenth of the budget in a minute, far below half of it; and a slope that lasts for hours.
    check(LIMITS, "0 memory=100 |\n 60 memory=200 |");
    check(LIMITS, "0 memory=700 |\n 60 memory=702 |\n 61 memory=950 | agent_interface degraded, messenger degraded");
}

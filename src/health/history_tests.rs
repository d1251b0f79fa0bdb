//! Incidents and days, told in minutes.

use super::*;
use ComponentState::{Degraded, MajorOutage, Operational, PartialOutage};

const MINUTE: u64 = 60_000;
const NOON: u64 = 20_000 * DAY_MS + DAY_MS / 2;

fn all(state: ComponentState) -> Each<Judged> {
    let why = if state == Operational { "" } else { "the disk is full" };
    Component::ALL.map(|_| Judged { state, why: why.into() })
}

fn only(component: Component, state: ComponentState) -> Each<Judged> {
    let mut judged = all(Operational);
    judged[component.place()] = Judged { state, why: "7 of 9 answers failed".into() };
    judged
}

fn texts(incident: &Incident) -> Vec<&str> {
    incident.lines.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn an_incident_goes_from_the_first_that_is_not_well_until_all_is() {
    let mut history = History::begin(NOON);
    assert!(!history.tell(NOON, &all(Operational)));
    assert!(history.tell(NOON + MINUTE, &only(Component::Messenger, Degraded)));
    assert!(!history.tell(NOON + 2 * MINUTE, &only(Component::Messenger, Degraded)));
    assert!(history.tell(NOON + 3 * MINUTE, &only(Component::Messenger, MajorOutage)));
    assert!(history.tell(NOON + 4 * MINUTE, &all(Operational)));
    assert!(history.tell(NOON + 9 * MINUTE, &only(Component::Api, PartialOutage)));
    assert_eq!(history.incidents.len(), 2);
    let first = &history.incidents[0];
    assert_eq!((first.began_at, first.ended_at), (NOON + MINUTE, Some(NOON + 4 * MINUTE)));
    assert_eq!((first.worst, &first.components[..]), (MajorOutage, &[Component::Messenger][..]));
    let lines =
        ["Messenger: degraded.", "Messenger: major outage.", "Messenger: operational.", "Everything is operational."];
    assert_eq!(texts(first), lines);
    assert_eq!(first.lines[1].why, "7 of 9 answers failed");
    assert_eq!(history.incidents[1].ended_at, None);
    let day = &history.days[0];
    assert_eq!(day.bad_ms[Component::Messenger.place()], [2 * MINUTE, 0, MINUTE]);
    assert_eq!((day.worst(Component::Messenger), day.worst(Component::Api)), (MajorOutage, Operational));
}

#[test]
fn a_restart_is_an_outage_of_everything_for_as_long_as_it_took() {
    let mut history = History::begin(NOON);
    history.tell(NOON + MINUTE, &only(Component::Messenger, PartialOutage));
    let mut history: History = serde_json::from_str(&serde_json::to_string(&history).unwrap()).unwrap();
    history.restarted(NOON + 2 * MINUTE, NOON + 2 * MINUTE + 2_100, "killed by signal 9");
    assert!(history.tell(NOON + 3 * MINUTE, &all(Operational)));
    assert_eq!(history.incidents.len(), 1, "one that was under way goes on");
    let incident = &history.incidents[0];
    assert_eq!(incident.lines[1].text, "Restarted; no service for 2.1 s.");
    assert_eq!(incident.lines[1].why, "killed by signal 9");
    assert_eq!((incident.worst, incident.components.len()), (MajorOutage, 4));
    assert_eq!(incident.ended_at, Some(NOON + 3 * MINUTE));
    assert_eq!(history.days[0].bad_ms[Component::Api.place()], [0, 0, 2_100]);
    assert_eq!(history.days[0].worst(Component::Api), Degraded, "a blink is no day of major outage");
}

#[test]
fn time_without_service_is_charged_to_each_day_and_ninety_are_kept() {
    let mut history = History::begin(NOON);
    history.restarted(NOON + MINUTE, NOON + 200 * DAY_MS, "stopped in order");
    assert_eq!(history.days.len(), 90);
    let day = &history.days[50];
    assert_eq!(day.bad_ms[Component::Api.place()], [0, 0, DAY_MS]);
    assert_eq!(history.uptime(Component::Api, NOON + 200 * DAY_MS), 0);
}

#[test]
fn uptime_is_of_what_is_known_and_never_rounded_up() {
    let mut history = History::begin(NOON);
    assert_eq!(history.uptime(Component::Api, NOON), 10_000);
    history.restarted(NOON + DAY_MS - 1, NOON + DAY_MS, "");
    assert_eq!(history.uptime(Component::Api, NOON + DAY_MS), 9_999);
    assert_eq!(history.uptime(Component::Api, NOON + 95 * DAY_MS), 10_000, "five days ago it fell out");
}

#[test]
fn a_clock_that_is_set_back_charges_nothing() {
    let mut history = History::begin(NOON);
    history.tell(NOON + MINUTE, &all(MajorOutage));
    history.tell(NOON, &all(MajorOutage));
    history.tell(NOON + 2 * MINUTE, &all(Operational));
    assert_eq!(history.days[0].bad_ms[0], [0, 0, MINUTE]);
}

#[test]
fn everything_is_bounded() {
    let mut history = History::begin(NOON);
    for minute in 0..1_000 {
        history.tell(NOON + minute * MINUTE, &all(if minute % 2 == 0 { MajorOutage } else { Degraded }));
    }
    assert_eq!(history.incidents.back().unwrap().lines.len(), LINES_MAX);
    for minute in 1_000..2_000 {
        history.tell(NOON + minute * MINUTE, &all(if minute % 2 == 0 { MajorOutage } else { Operational }));
    }
    assert_eq!(history.incidents.len(), INCIDENTS_MAX);
    assert_eq!(short(&"ä".repeat(200)).len(), TEXT_BYTES_MAX);
}

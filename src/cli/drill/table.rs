//! The timeline of that day beside today's, for people.

use super::load::DEVICES;
use super::outcome::{Outcome, seconds};
use std::fmt::Write;

const THEN_WIDTH: usize = 38;
const NOW_WIDTH: usize = 66;

/// A line of the timeline: when, what happened then, what happened today.
type Row = (&'static str, &'static str, String);

pub(super) fn table(outcome: &Outcome) -> String {
    let mut out = String::new();
    let then_day = "25 August 2023, at Dixa";
    // Writing to a string does not fail.
    let _ = writeln!(out, "       {then_day:THEN_WIDTH$}  today, {}", people(outcome));
    for (time, then, now) in timeline(outcome) {
        line(&mut out, time, then, &now);
    }
    out.push('\n');
    for (what, then, now) in totals(outcome) {
        let _ = writeln!(out, "{what:16} {then:28}  {now}");
    }
    out.push('\n');
    if outcome.broken.is_empty() {
        let _ = writeln!(out, "every promise was kept, in {:.0} s", outcome.seconds);
    }
    for broken in &outcome.broken {
        let _ = writeln!(out, "BROKEN: {broken}");
    }
    for fault in &outcome.faults {
        let _ = writeln!(out, "odd: {fault}");
    }
    out
}

fn people(outcome: &Outcome) -> String {
    let cap = &outcome.cap;
    let how = if cap.is_hard {
        format!("under a hard cap of {} MiB", cap.mib)
    } else {
        format!("with a budget for {} MiB, and no cap: no memory cgroup can be made here", cap.mib)
    };
    format!("{} agents, {} customers, {how}", outcome.agents, outcome.customers)
}

fn timeline(outcome: &Outcome) -> Vec<Row> {
    let (memory, drop, update) = (&outcome.memory, &outcome.drop, &outcome.update);
    let cap = &outcome.cap;
    let held = match (cap.held_mib, cap.oom_kills) {
        (Some(held), Some(0)) => format!("never killed: it held {held} of {} MiB at most", cap.mib),
        (Some(held), Some(kills)) => format!("{kills} killed for memory, with {held} of {} MiB held at most", cap.mib),
        _ => "what it held was not measured".to_owned(),
    };
    let whole = if cap.supervisor_inside { "; the cap holds server and supervisor" } else { "" };
    let shed = match memory.shed.values().sum::<u64>() {
        0 => "Nothing had to be shed".to_owned(),
        shed => format!("Shed {shed} times ({})", counts(&memory.shed)),
    };
    let load = format!(
        "{held}{whole}. For {:.0} s {} MiB were written to {} readers with {DEVICES} devices each that did not read, and {} of them were taken; {} visitors came. {shed}; {} starts were refused",
        memory.load_s,
        memory.written_mib,
        memory.readers_stopped,
        memory.unread_mib,
        memory.starts,
        memory.starts_refused
    );
    let restarts: u64 = outcome.restarts.values().sum();
    let asked = restarts.saturating_sub(outcome.restarts_unasked());
    vec![
        ("10:52", "services behind the agent interface ran out of memory, and nothing restarted them", load),
        (
            "11:00",
            "agents' connections dropped, and all stormed back",
            format!(
                "kill -9: {} dropped; 99 % were back after {}, all after {}; {} handshakes were told when to come",
                drop.dropped,
                seconds(drop.back_99_s),
                seconds(drop.back_all_s),
                drop.told_to_wait
            ),
        ),
        (
            "",
            "offers could not be accepted",
            format!(
                "under the load {} accepts, {} put off, the slowest {} ms; of {} offers that waited through the kill {} were accepted after it",
                memory.accepts.done,
                memory.accepts.busy,
                memory.accepts.slowest_ms,
                drop.offers_held,
                drop.offers_held - drop.offers_held_lost
            ),
        ),
        (
            "",
            "messengers were blank",
            format!(
                "{} messages in {} conversations were acknowledged, and read back: {} missing, {} twice, {} could not be read",
                outcome.messages.acknowledged,
                outcome.messages.conversations,
                outcome.messages.lost,
                outcome.messages.twice,
                outcome.messages.unread
            ),
        ),
        (
            "11:18",
            "customers noticed",
            format!(
                "the status page said so: memory after {} ({}); drop after {} ({}); update after {} ({})",
                seconds(memory.trouble.noticed_after_s),
                memory.trouble.page_said,
                seconds(drop.trouble.noticed_after_s),
                drop.trouble.page_said,
                seconds(update.trouble.noticed_after_s),
                update.trouble.page_said
            ),
        ),
        (
            "11:26",
            "an incident was opened by hand",
            format!(
                "{} incidents opened by themselves; of {} looks at the page {} were answered by the supervisor, {} by nobody",
                outcome.status_page.incidents,
                outcome.status_page.looks,
                outcome.status_page.by_supervisor,
                outcome.status_page.unanswered
            ),
        ),
        (
            "11:30",
            "services were restarted by hand",
            format!(
                "{asked} restarts by itself, for the kill and the update ({}); {} for anything else",
                counts(&outcome.restarts),
                outcome.restarts_unasked()
            ),
        ),
        (
            "11:35",
            "an update was rolled back by hand",
            format!("{}; served again after {}", update.said, seconds(update.served_again_s)),
        ),
        (
            "12:00",
            "it was over",
            format!(
                "all operational again: {} after the load ended, {} after the drop, {} after the update began",
                seconds(memory.trouble.recovered_after_s),
                seconds(drop.trouble.recovered_after_s),
                seconds(update.trouble.recovered_after_s)
            ),
        ),
    ]
}

fn totals(outcome: &Outcome) -> Vec<(&'static str, &'static str, String)> {
    let unknown = "not told";
    vec![
        ("noticed after", "26 min, by customers", format!("{} at most, by itself", seconds(outcome.noticed_after_s))),
        ("recovered after", "68 min, by hand", format!("{} at most, by itself", seconds(outcome.recovered_after_s))),
        ("offers lost", unknown, format!("{} of {}", outcome.offers.lost_in_all(), outcome.offers.made)),
        ("messages lost", unknown, format!("{} of {}", outcome.messages.lost, outcome.messages.acknowledged)),
        ("status flaps", unknown, format!("{} of {} agents", outcome.status_flaps, outcome.agents)),
    ]
}

fn counts(of: &std::collections::BTreeMap<String, u64>) -> String {
    let counts: Vec<String> =
        of.iter().filter(|(_, count)| **count > 0).map(|(word, count)| format!("{word} {count}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

fn line(out: &mut String, time: &str, then: &str, now: &str) {
    let (then, now) = (wrapped(then, THEN_WIDTH), wrapped(now, NOW_WIDTH));
    for at in 0..then.len().max(now.len()) {
        let part = |of: &[String]| of.get(at).cloned().unwrap_or_default();
        let time = if at == 0 { time } else { "" };
        let text = format!("{time:5}  {:THEN_WIDTH$}  {}", part(&then), part(&now));
        let _ = writeln!(out, "{}", text.trim_end());
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let is_full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + 1 + word.len() > width);
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::outcome::tests::good;
    use super::*;

    #[test]
    fn that_day_stands_beside_today_and_a_broken_promise_below() {
        let kept = table(&good().judged());
        for wanted in ["10:52  services behind", "11:18  customers noticed", "12:00  it was over", "noticed after"] {
            assert!(kept.contains(wanted), "{wanted}: {kept}");
        }
        assert!(kept.contains("every promise was kept") && !kept.contains("BROKEN"), "{kept}");
        let mut bad = good();
        bad.messages.lost = 3;
        let told = table(&bad.judged());
        assert!(told.contains("BROKEN: no message is lost: 3 were") && !told.contains("every promise"), "{told}");
    }

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensibilities x", 5), ["incomprehensibilities", "x"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}

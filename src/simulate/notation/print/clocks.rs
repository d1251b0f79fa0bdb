//! Clocks of service to the one line that they are written as.

use super::add;
use crate::desk::event::Event;

/// `c1 clock accept set q1 due=30s`, `c1 clock accept breached q1`, `c1 clock accept achieved q1 took=4s late`.
pub(super) fn event(event: &Event) -> String {
    let seconds = |ms: u64| format!("{}s", ms as f64 / 1_000.0);
    match event {
        Event::ClockSet { conversation, clock, queue, since: _, due } => {
            let mut line = format!("{conversation} clock {} set {queue}", clock.name());
            add(&mut line, "due", Some(seconds(due.0)));
            line
        }
        Event::ClockBreached { conversation, clock, queue } => {
            format!("{conversation} clock {} breached {queue}", clock.name())
        }
        Event::ClockEnded { conversation, clock, queue, end, late, took_ms } => {
            let mut line = format!("{conversation} clock {} {} {queue}", clock.name(), end.name());
            add(&mut line, "took", Some(seconds(*took_ms)));
            line.push_str(if *late { " late" } else { "" });
            line
        }
        _ => unreachable!("only clocks are given here"),
    }
}

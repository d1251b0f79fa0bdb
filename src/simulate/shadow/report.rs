//! Where the desk would have done otherwise than the other system did.

use crate::simulate::staffing::Waits;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Differences that are told one by one: those that cost the most waiting.
pub const DIFFERENCES_MAX: usize = 1_000;

#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct ShadowReport {
    pub conversations: u64,
    /// Assigned to somebody there.
    pub assigned: u64,
    /// The same agent was offered it here.
    pub same_agent: u64,
    /// Another one was.
    pub other_agent: u64,
    /// Nobody fitted here by the time it was assigned there.
    pub nobody_fitted: u64,
    /// Assigned there to an agent whom a rule excludes here, by the rule.
    pub excluded_by_rule: BTreeMap<&'static str, u64>,
    /// Ended there without anybody.
    pub left: u64,
    /// Of those, how many somebody would have been offered before.
    pub left_though_offered: u64,
    /// Not let in here: the queue was full, or closed.
    pub refused: u64,
    /// Of the assigned that somebody was offered here: how long they waited there, and would have waited for the offer here.
    pub wait_there: WaitsTold,
    pub wait_here: WaitsTold,
    /// Waiting there less waiting here, of all of them.
    pub saved_ms: u64,
    /// The largest first, at most 1,000.
    pub differences: Vec<Difference>,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct WaitsTold {
    pub count: u64,
    pub mean_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p90_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

impl WaitsTold {
    #[must_use]
    pub fn of(waits: &Waits) -> Self {
        Self {
            count: waits.count,
            mean_ms: waits.mean_ms(),
            p50_ms: waits.quantile_ms(0.5),
            p90_ms: waits.quantile_ms(0.9),
            p99_ms: waits.quantile_ms(0.99),
        }
    }
}

/// One conversation that another agent would have been offered, or earlier, or that a rule here would not have let go there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Difference {
    pub saved_ms: u64,
    pub conversation: Arc<str>,
    pub queue: Arc<str>,
    pub arrived_at_ms: u64,
    pub there: Arc<str>,
    pub wait_there_ms: u64,
    /// Absent: nobody fitted.
    pub here: Option<Arc<str>>,
    pub wait_here_ms: Option<u64>,
    /// The rule by which it would not have been offered to the agent who had it there.
    pub excluded_by: Option<&'static str>,
}

impl fmt::Display for ShadowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 };
        let row = |f: &mut fmt::Formatter<'_>, title: &str, count: u64, all: u64| {
            writeln!(f, "{title:46}{count:>9}{:>8.1} %", of(count, all))
        };
        writeln!(f, "{:46}{:>9}", "conversations", self.conversations)?;
        row(f, "assigned there", self.assigned, self.conversations)?;
        row(f, "  offered to the same agent here", self.same_agent, self.assigned)?;
        row(f, "  offered to another one", self.other_agent, self.assigned)?;
        row(f, "  nobody fitted here by then", self.nobody_fitted, self.assigned)?;
        for (rule, count) in &self.excluded_by_rule {
            row(f, &format!("  there to an agent excluded here: {rule}"), *count, self.assigned)?;
        }
        row(f, "left without anybody there", self.left, self.conversations)?;
        row(f, "  though offered to somebody here before", self.left_though_offered, self.left)?;
        row(f, "not let in here", self.refused, self.conversations)?;
        writeln!(f, "\n{:28}{:>12}{:>12}{:>12}{:>12}", "wait, of those offered here", "mean", "half", "90 %", "99 %")?;
        for (title, waits) in [("there, to the assignment", &self.wait_there), ("here, to the offer", &self.wait_here)]
        {
            let s = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{:.1} s", ms / 1_000.0));
            let cells = [waits.mean_ms, waits.p50_ms, waits.p90_ms, waits.p99_ms].map(s);
            writeln!(f, "{title:28}{:>12}{:>12}{:>12}{:>12}", cells[0], cells[1], cells[2], cells[3])?;
        }
        writeln!(f, "waiting saved in all: {:.1} min", self.saved_ms as f64 / 60_000.0)?;
        if self.differences.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n{:20}{:16}{:>10}  {:16}{:>10}{:>10}  excluded there by",
            "conversation", "there", "after", "here", "after", "saved"
        )?;
        for held in self.differences.iter().take(20) {
            let s = |ms: u64| format!("{:.1} s", ms as f64 / 1_000.0);
            writeln!(
                f,
                "{:20}{:16}{:>10}  {:16}{:>10}{:>10}  {}",
                held.conversation,
                held.there,
                s(held.wait_there_ms),
                held.here.as_deref().unwrap_or("nobody"),
                held.wait_here_ms.map_or("-".to_owned(), s),
                s(held.saved_ms),
                held.excluded_by.unwrap_or("-")
            )?;
        }
        let more = self.differences.len().saturating_sub(20);
        if more > 0 {
            writeln!(f, "and {more} more: --json names them")?;
        }
        Ok(())
    }
}

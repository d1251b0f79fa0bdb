//! What has no place here, counted by its kind: nothing is left out without a word.

use std::collections::BTreeMap;

/// Kinds that are told apart at most.
const KINDS_MAX: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Left(BTreeMap<String, u64>);

impl Left {
    pub fn one(&mut self, what: &str) {
        self.many(what, 1);
    }

    pub fn many(&mut self, what: &str, count: u64) {
        let known = self.0.contains_key(what) || self.0.len() < KINDS_MAX;
        let what = if known { what } else { "things of further kinds" };
        if count > 0 {
            *self.0.entry(what.to_owned()).or_default() += count;
        }
    }

    /// A line each.
    pub fn report(&self) -> Vec<String> {
        self.0.iter().map(|(what, count)| format!("left: {count} {what}")).collect()
    }
}

//! Names from outside as labels, up to a bound: the first so many keep their name, all later ones share "other".

use std::collections::HashSet;
use std::sync::{Arc, RwLock};

/// How many names a label may take.
pub const LABEL_VALUES_MAX: usize = 100;
const OTHER: &str = "other";

/// The values that one label has taken so far. Keep one for workspaces and one for pairs of workspace and queue.
#[derive(Default)]
pub struct BoundedLabels {
    seen: RwLock<HashSet<Arc<str>>>,
    other: std::sync::OnceLock<Arc<str>>,
}

impl BoundedLabels {
    pub fn new() -> Self {
        Self::default()
    }

    /// The label for this name: itself if it is among the first [`LABEL_VALUES_MAX`], else "other". Names are not given
    /// back, or a churn of names would make as many series as no bound at all.
    pub fn label(&self, name: &str) -> Arc<str> {
        // A poisoned set is still a set: the worst is a name that was not added.
        if let Some(known) = self.seen.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(name) {
            return known.clone();
        }
        let mut seen = self.seen.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(known) = seen.get(name) {
            return known.clone();
        }
        if seen.len() >= LABEL_VALUES_MAX {
            return self.other.get_or_init(|| OTHER.into()).clone();
        }
        let label: Arc<str> = name.into();
        seen.insert(label.clone());
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hundred_names_keep_theirs_and_the_rest_are_other() {
        let labels = BoundedLabels::new();
        for number in 0..LABEL_VALUES_MAX {
            assert_eq!(&*labels.label(&format!("w{number}")), format!("w{number}"));
        }
        assert_eq!(&*labels.label("late"), "other");
        assert_eq!(&*labels.label("w0"), "w0");
    }
}

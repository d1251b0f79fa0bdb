//! The sum of a line: over the sum of the one before it, so that none can be changed, taken out or put in without all that follow.

use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256; of nothing: zeros, before the first line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum(pub [u8; 32]);

impl Sum {
    #[must_use]
    pub fn after(self, workspace: &str, number: u64, line: &str) -> Self {
        let head = format!("{workspace} {number} ");
        let hash = Sha256::new().chain_update(self.0).chain_update(head).chain_update(line).finalize();
        Self(hash.into())
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_depends_on_everything_before_it() {
        let first = Sum::default().after("demo", 1, "a");
        assert_eq!(first.to_string().len(), 64);
        let second = first.after("demo", 2, "b");
        for other in [
            first.after("demo", 2, "c"),
            first.after("demo", 3, "b"),
            first.after("other", 2, "b"),
            Sum::default().after("demo", 2, "b"),
        ] {
            assert_ne!(second, other);
        }
    }
}

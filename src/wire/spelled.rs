//! Ids as they are spelled on the wire (`c17`), apart from the bare numbers that the journal keeps.

use serde::{Serialize, Serializer};
use std::fmt::Display;

/// For `#[serde(serialize_with = "spelled")]`.
///
/// # Errors
/// Those of the serializer.
pub fn spelled<T: Display, S: Serializer>(id: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// An id as a value of its own, where a field attribute does not reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spelled<T>(pub T);

impl<T: Display> Serialize for Spelled<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

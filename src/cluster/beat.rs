//! A heartbeat as it lies in the bucket, under its node's name: one JSON object. Members that are not known are passed over, since nodes of
//! two versions stand side by side. Pure.

use super::members::Node;
use crate::desk::ids::NodeNumber;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What a node may have set as its lease.
const LEASE_MS: RangeInclusive<u64> = 500..=60_000;
/// The largest heartbeat.
pub(super) const BEAT_BYTES_MAX: i32 = 4 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beat {
    /// Of the process that puts it; 0 in its first, whose revision is the number.
    pub number: u64,
    /// Random, the same as long as a process lives: by it the first one is found again, if its answer was lost.
    pub start: u64,
    /// Where the node says that it is.
    pub address: String,
    /// How long nothing may be heard of it until it is given up.
    pub lease_ms: u64,
    /// When it was put, by the clock of who put it: nobody else's business.
    pub put_ms: u64,
}

impl Beat {
    /// One of another's that lies in the bucket.
    ///
    /// # Errors
    /// A sentence: it is not one.
    pub(super) fn read(value: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(value).map_err(|error| error.to_string())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain members are written")
    }

    /// Whose it is, where it was read at this revision, and how long that one may be silent.
    pub(super) fn node(&self, name: &str, revision: u64) -> (Node, u64) {
        let number = if self.number == 0 { revision } else { self.number };
        let lease_ms = self.lease_ms.clamp(*LEASE_MS.start(), *LEASE_MS.end());
        (Node::new(name, NodeNumber(number), &self.address), lease_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_goes_there_and_back_and_the_first_ones_number_is_its_revision() {
        let beat = Beat { number: 7, start: u64::MAX, address: "10.0.0.1:7788".into(), lease_ms: 2_000, put_ms: 5 };
        assert_eq!(Beat::read(&beat.bytes()), Ok(beat.clone()));
        assert_eq!(beat.node("a", 90), (Node::new("a", NodeNumber(7), "10.0.0.1:7788"), 2_000));
        let first = Beat { number: 0, lease_ms: 1, ..beat };
        assert_eq!(first.node("a", 90), (Node::new("a", NodeNumber(90), "10.0.0.1:7788"), 500));
    }

    #[test]
    fn what_a_newer_version_says_more_is_passed_over_and_what_is_no_heartbeat_is_said() {
        let newer = br#"{"number":7,"start":1,"address":"x","lease_ms":2000,"put_ms":5,"colour":"red"}"#;
        assert!(Beat::read(newer).is_ok());
        for other in
            [&b""[..], b"{}", b"7", b"\xff", br#"{"number":-1,"start":1,"address":"","lease_ms":1,"put_ms":1}"#]
        {
            assert!(Beat::read(other).is_err(), "{other:?}");
        }
    }
}

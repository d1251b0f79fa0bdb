//! How far views are on the disks of their nodes, as bytes between two nodes: whoever leads a workspace asks before it cuts. No I/O and no
//! clock.
//!
//! ```text
//! "v" | JSON
//! ```
//!
//! A node of a release that does not know the question takes it for a batch that it cannot read, and says so: no answer to this.

use super::shapes::BYTES_MAX;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const MARK: u8 = b'v';
/// Workspaces of one question.
pub const WORKSPACES_MAX: usize = 256;

/// Asked of each other node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ViewsAsked {
    /// At most `WORKSPACES_MAX`.
    pub workspaces: Vec<Arc<str>>,
}

/// What a node says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ViewsTold {
    /// Up to which position its view has each of them on the disk, in the order in which they were asked for; 0: nothing of it.
    pub on_disk: Vec<u64>,
}

impl ViewsAsked {
    #[must_use]
    pub fn encode(&self) -> Bytes {
        encode(self)
    }

    /// `None` where the bytes are another question, or one that cannot be read.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes).filter(|asked: &Self| asked.workspaces.len() <= WORKSPACES_MAX)
    }
}

impl ViewsTold {
    #[must_use]
    pub fn encode(&self) -> Bytes {
        encode(self)
    }

    /// `None` where it is no answer to a question of so many workspaces.
    #[must_use]
    pub fn decode(bytes: &[u8], many: usize) -> Option<Self> {
        decode(bytes).filter(|told: &Self| told.on_disk.len() == many)
    }
}

fn encode(value: &impl Serialize) -> Bytes {
    let mut out = vec![MARK];
    serde_json::to_writer(&mut out, value).expect("names and numbers");
    out.into()
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let (&mark, text) = bytes.split_first()?;
    (mark == MARK && bytes.len() <= BYTES_MAX).then(|| serde_json::from_slice(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::super::shapes::{Batch, BatchAnswer};
    use super::*;

    #[test]
    fn questions_and_answers_go_there_and_back() {
        let asked = ViewsAsked { workspaces: vec!["acme".into(), "demo".into()] };
        assert_eq!(ViewsAsked::decode(&asked.encode()), Some(asked));
        let told = ViewsTold { on_disk: vec![7, 0] };
        assert_eq!(ViewsTold::decode(&told.encode(), 2), Some(told.clone()));
        assert_eq!(ViewsTold::decode(&told.encode(), 3), None, "of other workspaces than were asked for");
        let many = ViewsAsked { workspaces: vec!["acme".into(); WORKSPACES_MAX + 1] };
        assert_eq!(ViewsAsked::decode(&many.encode()), None);
        for other in [&b""[..], b"v", b"v{}", b"v[]", b"{}", b"\x01{}"] {
            assert_eq!(ViewsAsked::decode(other), None, "{other:?}");
            assert_eq!(ViewsTold::decode(other, 0), None, "{other:?}");
        }
    }

    #[test]
    fn a_release_that_does_not_know_the_question_says_nothing_that_is_taken_for_an_answer() {
        let asked = ViewsAsked { workspaces: vec!["acme".into()] }.encode();
        let malformed = Batch::decode(&asked).expect_err("it is no batch");
        let answer = BatchAnswer::from(&malformed).encode().expect("it has room");
        assert_eq!(ViewsTold::decode(&answer, 1), None);
    }
}

//! Customers' personal data, sealed with a key for each customer: erasing the key erases the customer.
//!
//! ```text
//! master.key (32 bytes, its own backup) ──wraps──▶ keys.db (one row a customer) ──seals──▶ text anywhere
//! ```
//!
//! Keys are made ahead in blocks and fsynced before they are handed out, so a key is always on disk before the
//! record that needs it, and handing one out costs no fsync. The nodes of a cluster share their keys (`shared/`).

mod cache;
mod chunks;
mod erasures;
mod held_key;
mod master;
mod ring;
mod sealed;
mod shared;
mod store;

pub use chunks::{CHUNK_MORE_BYTES, Chunks, STREAM_BYTES};
pub use erasures::{ERASURES_FILE_NAME, Erasure, add_erasures, read_erasures};
pub use held_key::HeldKey;
pub use master::{MASTER_FILE_NAME, MasterKeyFailed};
pub use ring::KeyRing;
pub use sealed::Sealed;
pub use shared::SharedKeys;
pub use store::{FORMAT, KEYS_FILE_NAME, OpenFailed, STORE, check_wrapping};

use std::fmt;

use serde::{Deserialize, Serialize};

/// A customer's key, by number. Never used twice, not even after it was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyNumber(pub u64);

impl fmt::Display for KeyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why nothing could be sealed, or no key handed out, or not every key erased.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SealFailed {
    #[error("no key is ready, and none could be made in time: {0}")]
    KeysRunOut(String),
    #[error("the key has been erased")]
    Erased,
    #[error("the key store could not be used: {0}")]
    Unavailable(String),
    #[error("the key store is damaged: {0}; restore keys.db from its backup")]
    Damaged(String),
    #[error("{bytes} bytes are too many to seal")]
    TooLarge { bytes: usize },
}

/// Why sealed text stays sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    #[error("it was erased")]
    Erased,
    #[error("it is damaged, or was sealed for another place")]
    Damaged,
    #[error("the key store could not be used: {0}")]
    Unavailable(String),
}

#[cfg(test)]
mod tests;

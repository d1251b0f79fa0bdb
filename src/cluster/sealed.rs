//! What nodes share and nobody else is to read: entries of a part, each sealed with a key that all nodes derive, and bound to its name.

use super::settings::{Following, NotShared, Part};
use crate::seal::HeldKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::sync::Arc;

pub struct SealedPart {
    part: Arc<Part>,
    key: HeldKey,
}

impl SealedPart {
    /// `key` is the same on all nodes.
    #[must_use]
    pub fn new(part: Arc<Part>, key: [u8; 32]) -> Self {
        Self { part, key: HeldKey::new(key) }
    }

    #[must_use]
    pub fn follow(&self) -> Following {
        self.part.follow()
    }

    /// As [`Part::until_heard`].
    ///
    /// # Errors
    /// The same.
    pub async fn until_heard(&self, revision: u64) -> Result<(), NotShared> {
        self.part.until_heard(revision).await
    }

    /// An entry as the servers' leader has it, with its revision.
    ///
    /// # Errors
    /// The servers did not answer, or it cannot be read.
    pub async fn read<T: DeserializeOwned>(&self, entry: &str) -> Result<Option<(T, u64)>, NotShared> {
        let Some((sealed, revision)) = self.part.read(entry).await? else { return Ok(None) };
        Ok(Some((self.open(entry, &sealed)?, revision)))
    }

    /// What an entry says.
    ///
    /// # Errors
    /// It was sealed with another key or for another name, or is of a newer release.
    pub fn open<T: DeserializeOwned>(&self, entry: &str, sealed: &[u8]) -> Result<T, NotShared> {
        let unreadable = |why: &dyn Display| NotShared::of(format!("{entry} cannot be read: {why}"));
        let clear = self.key.open(entry.as_bytes(), sealed);
        let clear = clear.ok_or_else(|| unreadable(&"it is sealed with another key"))?;
        serde_json::from_slice(&clear).map_err(|error| unreadable(&error))
    }

    /// Puts what `change` makes of an entry, where it says that there is something to be put.
    ///
    /// # Errors
    /// As [`Part::change`], and where it cannot be read.
    pub async fn change<T: Default + Serialize + DeserializeOwned, E: From<NotShared>>(
        &self,
        entry: &str,
        mut change: impl FnMut(&mut T) -> Result<bool, E>,
    ) -> Result<u64, E> {
        let sealed = |there: Option<&[u8]>| {
            let mut whole = there.map_or_else(|| Ok(T::default()), |sealed| self.open(entry, sealed))?;
            if !change(&mut whole)? {
                return Ok(None);
            }
            let clear = serde_json::to_vec(&whole).expect("strings and numbers always serialize");
            let sealed = self.key.seal(entry.as_bytes(), &clear);
            Ok(Some(sealed.map_err(NotShared::of)?))
        };
        self.part.change(entry, sealed).await
    }
}

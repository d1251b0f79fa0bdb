//! Files of a cluster, seen from one node: what it takes is shared before it is acknowledged, what it reads is fetched where it is not here, and
//! what is here are copies, of which those that have been here for longest make room for others.

use super::format::{HEAD_BYTES, read_head, stored_bytes};
use super::part::Part;
use super::shared::{Entry, PART_BYTES, Put, memory_for_one, parts_of};
use super::sweep::{removed, touched_at};
use super::{About, Files, NotOpened, NotShared, NotTaken, Place, SharedFiles, Stored, Whole};
use crate::seal::Unsealed;
use crate::telemetry::catalogue::{FILES_FETCHING, FILES_SHARED_BYTES_TOTAL, FILES_SHARED_TOTAL};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// However large it is, with the time in which others are fetched.
const FETCH_WITHIN: Duration = Duration::from_secs(60);
/// Copies that make room at once.
const GOING_MAX: usize = 4_096;
/// Room is made for more than is asked for, so that not each file looks through all.
const MORE_PARTS: u64 = 16;

impl Files {
    /// In a cluster: where the files of all nodes are.
    #[must_use]
    pub fn shared(&self) -> Option<&SharedFiles> {
        self.shared.as_ref()
    }

    /// In a cluster, puts it where all nodes find it, before it is kept here. The same file there already is as good; another is not.
    ///
    /// # Errors
    /// Another is there, or it cannot be shared.
    pub async fn share(&self, whole: &Whole) -> Result<(), NotTaken> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let path = whole.path().to_owned();
        let file = blocking(move || File::open(path)).await.map_err(NotTaken::Failed)??;
        let Put::There(entry) = self.put_for_all(shared, whole.place(), file, whole.about.bytes).await? else {
            return Ok(());
        };
        match self.about(whole.place(), &entry).await {
            Ok(there) if whole.is(&there) => Ok(()),
            Ok(_) => Err(NotTaken::Differs),
            Err(why) => Err(NotTaken::Failed(io::Error::other(why))),
        }
    }

    /// Puts a file that has so many bytes in the clear.
    pub(super) async fn put_for_all(
        &self,
        shared: &SharedFiles,
        place: &Place,
        file: File,
        bytes: u64,
    ) -> Result<Put, NotTaken> {
        let bytes = stored_bytes(bytes);
        let put = shared.put(place, Arc::new(file), bytes).await;
        match put.inspect_err(|why| count(if matches!(why, NotShared::Full(_)) { "full" } else { "put_failed" }))? {
            Put::Stored => {
                count("put");
                metrics::counter!(FILES_SHARED_BYTES_TOTAL, "way" => "put").increment(bytes);
                Ok(Put::Stored)
            }
            there => {
                count("there");
                Ok(there)
            }
        }
    }

    /// In a cluster, fetches a file that is not here.
    ///
    /// # Errors
    /// There is none, or it cannot be had now.
    pub async fn at_hand(self: &Arc<Self>, place: &Place) -> Result<(), NotOpened> {
        let Some(shared) = &self.shared else { return Ok(()) };
        if self.is_here(place).await? {
            return Ok(());
        }
        let turn = shared.turn(place);
        let fetch = async {
            let _turn = turn.lock().await;
            if self.is_here(place).await? {
                return Ok(());
            }
            let _permit = shared.fetches().acquire().await;
            let _shown = Shown::new();
            self.fetch(shared, place).await
        };
        let late =
            |_| Err(NotShared::Unreachable(format!("it did not come within {} s", FETCH_WITHIN.as_secs())).into());
        let fetched = tokio::time::timeout(FETCH_WITHIN, fetch).await.unwrap_or_else(late);
        match &fetched {
            Ok(()) | Err(NotOpened::None | NotOpened::Sealed(Unsealed::Erased)) => {}
            Err(_) => count("fetch_failed"),
        }
        fetched
    }

    async fn is_here(&self, place: &Place) -> Result<bool, NotOpened> {
        let path = self.path_of(place);
        Ok(blocking(move || path.exists()).await?)
    }

    async fn fetch(self: &Arc<Self>, shared: &SharedFiles, place: &Place) -> Result<(), NotOpened> {
        let entry = shared.entry(place).await?.ok_or(NotOpened::None)?;
        let about = self.about(place, &entry).await?;
        let bytes = stored_bytes(about.bytes);
        let behind = bytes - HEAD_BYTES as u64;
        if entry.parts != parts_of(behind) {
            return Err(NotShared::Damaged.into());
        }
        let _taken = memory_for_one()?;
        let (files, here) = (self.clone(), place.clone());
        let head = entry.head.clone();
        let mut copy = blocking(move || files.begin_copy(&here, bytes, &head)).await??;
        for number in 0..entry.parts {
            let part = shared.part(place, &entry, number).await?;
            if part.len() as u64 != (behind - number * PART_BYTES as u64).min(PART_BYTES as u64) {
                return Err(NotShared::Damaged.into());
            }
            let written = blocking(move || copy.file.write_all(&part).map(|()| copy));
            copy = written.await?.map_err(NotOpened::Failed)?;
        }
        let (files, here) = (self.clone(), place.clone());
        blocking(move || files.keep_copy(copy, &here)).await??;
        count("fetched");
        metrics::counter!(FILES_SHARED_BYTES_TOTAL, "way" => "fetched").increment(bytes);
        Ok(())
    }

    fn begin_copy(self: &Arc<Self>, place: &Place, bytes: u64, head: &[u8; HEAD_BYTES]) -> Result<Part, NotOpened> {
        let room = self.room(&place.workspace, bytes).map_err(|_| NotOpened::NoRoom)?;
        let mut copy = self.open_part(place, room).map_err(|not_taken| match not_taken {
            NotTaken::Failed(error) => NotOpened::Failed(error),
            other => NotOpened::Failed(io::Error::other(other)),
        })?;
        copy.file.write_all(head).map_err(NotOpened::Failed)?;
        Ok(copy)
    }

    /// Every chunk is looked at before it is kept: what is here is not looked for in the store again.
    fn keep_copy(&self, mut copy: Part, place: &Place) -> Result<(), NotOpened> {
        copy.file.sync_all().map_err(NotOpened::Failed)?;
        let mut stored = Stored::open(&self.keys, &copy.path, place)?;
        while stored.next_chunk()?.is_some() {}
        copy.keep(place).map(drop).map_err(NotOpened::Failed)
    }

    /// What a file of the store is, as its sealed head says.
    async fn about(&self, place: &Place, entry: &Entry) -> Result<About, NotOpened> {
        let (keys, place, head) = (self.keys.clone(), place.clone(), entry.head.clone());
        let read = blocking(move || read_head(&keys, &place, &head)).await?;
        Ok(read.map(|(_, _, about)| about)?)
    }

    /// What a file is that a message is going to name: it is kept from now on as if it had just come.
    ///
    /// # Errors
    /// There is none, or that cannot be told now.
    pub async fn to_be_named(self: &Arc<Self>, place: &Place) -> Result<About, NotOpened> {
        let Some(shared) = &self.shared else {
            let (files, place) = (self.clone(), place.clone());
            return blocking(move || files.touch(&place)).await?;
        };
        let entry = shared.entry(place).await?.ok_or(NotOpened::None)?;
        let about = self.about(place, &entry).await?;
        if shared.keep(place, &entry, self.settings.unnamed_kept_ms).await? { Ok(about) } else { Err(NotOpened::None) }
    }

    /// The copies that have been here for longest go, until there is room for so many bytes and some more. Blocks on the disk.
    pub(super) fn make_room(&self, workspace: &Arc<str>, bytes: u64) {
        let _making = self.making_room.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.settings.workspace_bytes_max;
        let wanted = bytes.saturating_add(most / MORE_PARTS).min(most);
        let too_many = || (self.rooms.of(workspace) + wanted).saturating_sub(most);
        if self.rooms.of(workspace) + bytes <= most {
            return;
        }
        let mut oldest = BinaryHeap::new();
        let mut listing = self.conversations(workspace);
        loop {
            let few = listing.next_few();
            if few.is_empty() {
                break;
            }
            for place in few.iter().flat_map(|conversation| self.places(workspace, *conversation)) {
                let path = self.path_of(&place);
                let Ok(metadata) = std::fs::metadata(&path) else { continue };
                oldest.push((touched_at(&metadata), metadata.len(), path));
                if oldest.len() > GOING_MAX {
                    oldest.pop();
                }
            }
        }
        let mut in_order: BinaryHeap<_> = oldest.into_iter().map(Reverse).collect();
        while too_many() > 0
            && let Some(Reverse((_, bytes, path))) = in_order.pop()
        {
            if std::fs::remove_file(path).is_ok() {
                self.rooms.give(workspace, bytes);
                removed("made_room");
            }
        }
    }
}

/// How many are being fetched, for the gauge.
struct Shown;

impl Shown {
    fn new() -> Self {
        metrics::gauge!(FILES_FETCHING).increment(1.0);
        Self
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        metrics::gauge!(FILES_FETCHING).decrement(1.0);
    }
}

fn count(what: &'static str) {
    metrics::counter!(FILES_SHARED_TOTAL, "what" => what).increment(1);
}

/// Runs `on` where it may block.
pub(super) async fn blocking<T: Send + 'static>(on: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(on).await.map_err(|_| io::Error::other("a thread ended"))
}

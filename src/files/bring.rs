//! Files that were on a node's disk before its cluster had them: of a server that became a node, or from before the store was made anew. They are put
//! there once, and until then no copy makes room, since it may be the only one.

use super::copies::blocking;
use super::{Files, NotOpened, NotTaken, Place, SharedFiles};
use crate::seal::Unsealed;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Beside their directory: of which store it is known that it has them all.
const BROUGHT_FILE_NAME: &str = "files-shared";

impl Files {
    /// In a cluster, puts there whatever is here and not there; once, and nothing where that was done before.
    ///
    /// # Errors
    /// Not all of it could be put: it is to be done again.
    pub async fn bring(self: &Arc<Self>) -> Result<(), NotTaken> {
        let Some(shared) = self.shared() else { return Ok(()) };
        if self.is_brought() {
            return Ok(());
        }
        let (mark, made) = (self.brought_path(), shared.made());
        let of = mark.clone();
        if blocking(move || std::fs::read_to_string(of)).await?.is_ok_and(|of| of == made) {
            self.brought.store(true, Relaxed);
            return Ok(());
        }
        let files = self.clone();
        for workspace in blocking(move || files.workspaces()).await? {
            let mut listing = self.conversations(&workspace);
            loop {
                let (files, of) = (self.clone(), workspace.clone());
                let (back, few) = blocking(move || {
                    let few = listing.next_few();
                    let found: Vec<Place> = few.iter().flat_map(|id| files.places(&of, *id)).collect();
                    (listing, (!few.is_empty()).then_some(found))
                })
                .await?;
                listing = back;
                let Some(few) = few else { break };
                for place in few {
                    self.bring_one(shared, place).await?;
                }
            }
        }
        blocking(move || mark_brought(mark, &made)).await??;
        self.brought.store(true, Relaxed);
        Ok(())
    }

    async fn bring_one(self: &Arc<Self>, shared: &SharedFiles, place: Place) -> Result<(), NotTaken> {
        if shared.entry(&place).await?.is_some() {
            return Ok(());
        }
        let (files, here) = (self.clone(), place.clone());
        let opened = blocking(move || {
            let stored = files.open(&here)?;
            Ok::<_, NotOpened>((File::open(files.path_of(&here))?, stored.about.bytes))
        });
        match opened.await? {
            Ok((file, bytes)) => self.put_for_all(shared, &place, file, bytes).await.map(drop),
            // It goes, or went, with a sweep.
            Err(NotOpened::None | NotOpened::Sealed(Unsealed::Erased)) => Ok(()),
            Err(NotOpened::Sealed(Unsealed::Damaged)) => {
                tracing::error!(file = %place.file, conversation = %place.conversation, "a file is damaged: no other node gets it");
                Ok(())
            }
            Err(other) => Err(NotTaken::Failed(io::Error::other(other))),
        }
    }

    /// Whether it is known that the store has whatever is here.
    pub(super) fn is_brought(&self) -> bool {
        self.brought.load(Relaxed)
    }

    fn brought_path(&self) -> PathBuf {
        self.dir.with_file_name(BROUGHT_FILE_NAME)
    }
}

fn mark_brought(path: PathBuf, made: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(made.as_bytes())?;
    file.sync_all()
}

//! Files that a message is going to name: looked up on the disk, with what the message will keep of them.

use super::shapes::FILE_NAME;
use crate::desk::files::{Attached, Attachments, FileId};
use crate::desk::ids::{ConversationId, KeyNumber};
use crate::files::{Files, NotOpened, Place};
use crate::seal::{self, KeyRing, Unsealed};
use crate::wire::error::WireError;
use crate::wire::files::no_such_file;
use std::sync::Arc;

/// When files that cannot be read now may be named again.
const RETRY_MS: u64 = 1_000;

/// The files of this conversation, in this order.
///
/// # Errors
/// `no_such_file` where one is not there; `unavailable` where that cannot be told.
pub async fn attached(
    files: &Arc<Files>,
    keys: &Arc<KeyRing>,
    workspace: &Arc<str>,
    conversation: ConversationId,
    key: KeyNumber,
    ids: &[FileId],
) -> Result<Attachments, WireError> {
    if ids.is_empty() {
        return Ok(Attachments::default());
    }
    let (files, keys) = (files.clone(), keys.clone());
    let places: Vec<Place> =
        ids.iter().map(|file| Place { workspace: workspace.clone(), conversation, file: *file }).collect();
    let looked_up = tokio::task::spawn_blocking(move || {
        places.iter().map(|place| one(&files, &keys, key, place)).collect::<Result<Attachments, _>>()
    });
    looked_up.await.unwrap_or_else(|_| Err(WireError::internal()))
}

fn one(files: &Files, keys: &KeyRing, KeyNumber(key): KeyNumber, place: &Place) -> Result<Attached, WireError> {
    let unavailable = || WireError::unavailable(RETRY_MS, "the files cannot be read");
    let about = files.to_be_named(place).map_err(|not_opened| match not_opened {
        NotOpened::None | NotOpened::Sealed(Unsealed::Erased) => no_such_file(),
        other => {
            tracing::error!(error = %other, file = %place.file, "a file cannot be read");
            unavailable()
        }
    })?;
    let name = keys.seal(seal::KeyNumber(key), FILE_NAME, about.name.as_bytes()).map_err(|error| {
        tracing::error!(%error, "a file's name could not be sealed");
        unavailable()
    })?;
    Ok(Attached {
        file: place.file,
        name: Arc::from(name.0),
        kind: about.kind.into(),
        bytes: about.bytes,
        width: about.width,
        height: about.height,
    })
}

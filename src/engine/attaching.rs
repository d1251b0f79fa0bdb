//! Files that a message is going to name: looked up where they are, with what the message will keep of them.

use super::shapes::FILE_NAME;
use crate::desk::files::{Attached, Attachments, FileId};
use crate::desk::ids::{ConversationId, KeyNumber};
use crate::files::{About, Files, NotOpened, Place};
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
    let mut found = Vec::with_capacity(ids.len());
    for file in ids {
        let place = Place { workspace: workspace.clone(), conversation, file: *file };
        found.push((*file, files.to_be_named(&place).await.map_err(|not_opened| not_found(not_opened, *file))?));
    }
    let keys = keys.clone();
    let named = tokio::task::spawn_blocking(move || {
        found.into_iter().map(|(file, about)| named(&keys, key, file, about)).collect::<Result<Attachments, _>>()
    });
    named.await.unwrap_or_else(|_| Err(WireError::internal()))
}

fn unavailable() -> WireError {
    WireError::unavailable(RETRY_MS, "the files cannot be read")
}

fn not_found(why: NotOpened, file: FileId) -> WireError {
    match why {
        NotOpened::None | NotOpened::Sealed(Unsealed::Erased) => no_such_file(),
        other => {
            tracing::error!(error = %other, %file, "a file cannot be read");
            unavailable()
        }
    }
}

fn named(keys: &KeyRing, KeyNumber(key): KeyNumber, file: FileId, about: About) -> Result<Attached, WireError> {
    let name = keys.seal(seal::KeyNumber(key), FILE_NAME, about.name.as_bytes()).map_err(|error| {
        tracing::error!(%error, "a file's name could not be sealed");
        unavailable()
    })?;
    Ok(Attached {
        file,
        name: Arc::from(name.0),
        kind: about.kind.into(),
        bytes: about.bytes,
        width: about.width,
        height: about.height,
    })
}

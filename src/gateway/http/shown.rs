//! What several calls show in the same way.

use super::desks::Seals;
use crate::desk::files::Attached;
use crate::engine::shapes::FILE_NAME;
use crate::wire::files::FileShape;

/// A message's files; without names when their customer was erased.
#[must_use]
pub fn files_shown(seals: &dyn Seals, files: &[Attached]) -> Vec<FileShape> {
    let name = |file: &Attached| seals.unseal(FILE_NAME, &file.name).ok();
    let clear = |file: &Attached| name(file).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    files.iter().map(|file| FileShape::of(file, clear(file))).collect()
}

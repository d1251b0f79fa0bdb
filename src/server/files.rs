//! What the settings say of files of messages.

use super::{StartFailed, failed};
use crate::config::Sections;
use crate::files::FilesSettings;
use crate::gateway::files::{FilesBounds, Scan};
use std::time::Duration;

pub(super) fn files_settings(set: &Sections) -> FilesSettings {
    let files = &set.files;
    FilesSettings { workspace_bytes_max: files.workspace_bytes_max, unnamed_kept_ms: files.unnamed_kept_ms }
}

pub(super) fn files_bounds(set: &Sections) -> FilesBounds {
    FilesBounds {
        uploads_max: set.files.uploads_max,
        visitor_bytes_per_h: set.files.visitor_bytes_per_h,
        bytes_per_s_min: set.files.upload_bytes_per_s_min,
        ..FilesBounds::default()
    }
}

/// # Errors
/// The address is none that may be asked.
pub(super) fn scan(set: &Sections) -> Result<Option<Scan>, StartFailed> {
    if set.files.scan_url.is_empty() {
        return Ok(None);
    }
    let within = Duration::from_millis(set.files.scan_timeout_ms);
    Scan::new(&set.files.scan_url, within).map(Some).map_err(failed("preparing the scan of files"))
}

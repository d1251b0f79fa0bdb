//! What can be wrong with the settings: each error names the field, what is allowed, and what to do.

use super::layers::Origin;

/// The one way in which starting with bad settings fails.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value of the wrong type, or out of its range.
    #[error("{field} = {found} ({origin}): not allowed. Allowed is {allowed}. {mend}")]
    Wrong { field: String, found: String, origin: Origin, allowed: String, mend: String },
    /// A key that no part of Offhook reads: most often a misspelling, which must not pass in silence.
    #[error("{field} ({origin}): there is no such setting. {mend}")]
    Unknown { field: String, origin: Origin, mend: String },
    /// Two settings that cannot both hold.
    #[error("{field} = {found} contradicts {other} = {other_found}: allowed is {allowed}. {mend}")]
    Contradiction {
        field: &'static str,
        found: String,
        other: &'static str,
        other_found: String,
        allowed: &'static str,
        mend: String,
    },
    #[error("the settings file {path} cannot be read: {source}. Give a file that exists and that this user may read.")]
    Unreadable { path: String, source: std::io::Error },
    #[error("the settings file {path}, line {line}, is not TOML: {message}. Mend that line.")]
    Syntax { path: String, line: usize, message: String },
    /// A `--set` that is not `section.key=value`.
    #[error("--set {given}: allowed is section.key=value, for example --set server.listen=127.0.0.1:7788.")]
    BadFlag { given: String },
}

impl ConfigError {
    /// The path of the field at fault, where one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Wrong { field, .. } | Self::Unknown { field, .. } => Some(field),
            Self::Contradiction { field, .. } => Some(field),
            Self::Unreadable { .. } | Self::Syntax { .. } | Self::BadFlag { .. } => None,
        }
    }
}

//! Settings: gathered from defaults, file, environment and command line, checked, and typed.

#![allow(clippy::result_large_err, reason = "read once at start: a plain error is worth more than a small one")]

mod bound;
pub mod bounds;
mod bounds_of_cluster;
mod cluster;
mod contradictions;
mod error;
mod kind;
mod layers;
mod sections;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use error::ConfigError;
pub use kind::Kind;
pub use layers::{DEFAULTS, Entry, Layers, Origin};
pub use sections::{
    ClusterSettings, EngineSettings, HealthSettings, IdentitySettings, JournalSettings, LogSettings, MessengerSettings,
    QuotasSettings, Sections, ServerSettings, SessionsSettings, Setting, SigninSettings, SupervisorSettings,
    Synchronous, TlsSettings, TracesSettings, all,
};

/// The settings that are in force, and where each came from.
#[derive(Debug, Clone)]
pub struct Config {
    pub sections: Sections,
    pub layers: Layers,
}

impl Config {
    /// Reads the file (if one is named), this process's environment and the `--set` flags over the defaults.
    ///
    /// Errors: the first thing that is wrong, as a [`ConfigError`] that names its field.
    pub fn load(file: Option<&Path>, flags: &[String]) -> Result<Self, ConfigError> {
        let text = match file {
            None => None,
            Some(path) => {
                let shown = path.display().to_string();
                match std::fs::read_to_string(path) {
                    Ok(text) => Some((shown, text)),
                    Err(source) => {
                        return Err(ConfigError::Unreadable { path: shown, source });
                    }
                }
            }
        };
        // Variables that are not UTF-8 cannot be settings of ours; std::env::vars would panic on them.
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let file = text.as_ref().map(|(path, text)| (path.as_str(), text.as_str()));
        Self::from_sources(file, environment, flags)
    }

    /// The same from values in hand: `file` is (path, text). No I/O.
    pub fn from_sources(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, ConfigError> {
        let layers = Layers::gather(file, environment, flags)?;
        let sections = Sections::read(&layers)?;
        contradictions::check(&sections, &layers)?;
        Ok(Self { sections, layers })
    }
}

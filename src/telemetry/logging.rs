//! The log: text for people or JSON for machines, to standard error.
//!
//! The rule: no token, key, message text, name, address of a person or metadata is ever logged, at any level, nor any error
//! that quotes one; but for the address of a connection that was refused or dropped, where the settings say so (`turned.rs`). Log ids and codes.

use super::log_writer::WaitsForNobody;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogFormat {
    /// Reads the setting's word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("log.level is not understood: {0}")]
    Level(String),
    #[error("a log is installed already: {0}")]
    Installed(#[from] TryInitError),
}

/// Whether this is a level or a list of directives; the error says what is not understood.
pub fn check_level(level: &str) -> Result<(), String> {
    filter(level).map(|_| ())
}

/// Installs the log for this process. Once.
pub fn install(format: LogFormat, level: &str) -> Result<(), LoggingError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = filter(level).map_err(LoggingError::Level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(WaitsForNobody);
    match format {
        LogFormat::Text => builder.with_ansi(false).finish().try_init()?,
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, String> {
    // A lone word that is no level would be taken for the name of a module, and all else would fall silent.
    for directive in level.split(',').map(str::trim) {
        let is_level = directive.parse::<tracing::level_filters::LevelFilter>().is_ok();
        if directive.is_empty() || (!directive.contains('=') && !is_level) {
            return Err(format!("{directive:?} is not a level"));
        }
    }
    EnvFilter::builder().parse(level).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives_are_understood_and_misspellings_are_not() {
        for good in ["info", "warn,offhook::engine=debug", "off"] {
            assert_eq!(check_level(good), Ok(()), "{good}");
        }
        for bad in ["inof", "", "info,offhook=chatty", "offhook"] {
            assert!(check_level(bad).is_err(), "{bad}");
        }
    }
}

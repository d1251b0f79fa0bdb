//! Which server a command talks to, and with which key.

use super::CommandError;
use crate::client::Address;
use crate::config::Config;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Reach {
    /// The server; without it, this machine's, at server.listen.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The file with the API key; without it OFFHOOK_API_KEY, or <data_dir>/admin.key.
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
}

impl Reach {
    /// The server's address and the key. The settings are loaded only for what was not given.
    pub fn find(
        &self,
        config: impl FnOnce() -> Result<Config, CommandError>,
    ) -> Result<(Address, String), CommandError> {
        let given = std::env::var("OFFHOOK_API_KEY").ok().filter(|key| !key.is_empty() && self.key_file.is_none());
        let needs_config = self.server.is_none() || (self.key_file.is_none() && given.is_none());
        let config = if needs_config { Some(config()?) } else { None };
        let address = match (&self.server, &config) {
            (Some(url), _) => Address::parse(url).map_err(|error| CommandError(format!("--server: {error}")))?,
            (None, Some(config)) => Address::of(config.sections.server.listen),
            (None, None) => return Err(CommandError("--server is needed".to_owned())),
        };
        if let Some(key) = given {
            return Ok((address, key));
        }
        let local = config.map(|config| config.sections.server.data_dir.join("admin.key"));
        let Some(file) = self.key_file.clone().or(local) else {
            return Err(CommandError("--key-file or OFFHOOK_API_KEY is needed".to_owned()));
        };
        let key = std::fs::read_to_string(&file)
            .map_err(|error| CommandError(format!("the API key, {}: {error}", file.display())))?;
        Ok((address, key.trim().to_owned()))
    }
}

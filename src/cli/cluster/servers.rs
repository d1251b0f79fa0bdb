//! Which servers of NATS are meant, and what the cluster is called there: by flags that lie over the settings.

use crate::cli::CommandError;
use crate::journal::nats::{NatsSettings, is_token};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Servers {
    /// A server: nats://HOST:PORT or tls://HOST:PORT. May be repeated. Without one, those of cluster.servers.
    #[arg(long = "server", value_name = "URL")]
    servers: Vec<String>,
    /// The file with a JWT and a seed.
    #[arg(long, value_name = "PATH")]
    credentials: Option<PathBuf>,
    /// Certificates that the servers' own are signed by, where the system does not know them.
    #[arg(long, value_name = "PATH")]
    ca: Option<PathBuf>,
    /// The first word of subjects and, in capitals, of the stream's name.
    #[arg(long, value_name = "NAME", value_parser = token)]
    name: Option<String>,
    /// On how many servers each record is.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: Option<u8>,
}

/// A word of a subject.
pub(super) fn token(text: &str) -> Result<String, String> {
    if is_token(text) {
        Ok(text.to_owned())
    } else {
        Err("must be of 1 to 32 letters, digits, hyphens and underscores".to_owned())
    }
}

impl Servers {
    /// `set` is what the settings say.
    ///
    /// # Errors
    /// No server is named.
    pub(super) fn over(&self, set: &NatsSettings) -> Result<NatsSettings, CommandError> {
        let set = set.clone();
        let all = NatsSettings {
            servers: if self.servers.is_empty() { set.servers } else { self.servers.clone() },
            credentials: self.credentials.clone().or(set.credentials),
            ca: self.ca.clone().or(set.ca),
            name: self.name.clone().unwrap_or(set.name),
            replicas: self.replicas.map_or(set.replicas, usize::from),
            ..set
        };
        if all.servers.is_empty() {
            let how = "cluster.servers is empty: name the NATS servers there, or each with --server";
            return Err(CommandError(how.to_owned()));
        }
        Ok(all)
    }
}

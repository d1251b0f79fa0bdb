//! `offhook asyncapi`: what is said on sockets and streams, as the server of this binary serves it.

use super::CommandError;
use crate::gateway::spec;
use clap::Args;
use std::io::Write;

/// Prints what is said on the agents' socket and on event streams, as AsyncAPI 3.0: the document that a server of this binary has at /asyncapi.json.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook asyncapi >asyncapi.json

No settings are read, and no server is asked. What may be called over HTTP: offhook openapi.")]
pub struct AsyncApi {}

impl AsyncApi {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), CommandError> {
        out.write_all(spec::printed(&spec::asyncapi()).as_bytes()).map_err(CommandError::of)
    }
}

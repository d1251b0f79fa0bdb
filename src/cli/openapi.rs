//! `offhook openapi`: what may be called, as the server of this binary serves it.

use super::CommandError;
use crate::gateway::spec;
use clap::Args;
use std::io::Write;

/// Prints what may be called over HTTP, as OpenAPI 3.1: the document that a server of this binary has at /openapi.json.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook openapi >openapi.json

No settings are read, and no server is asked. What is said on sockets and streams: offhook asyncapi.")]
pub struct OpenApi {}

impl OpenApi {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), CommandError> {
        out.write_all(spec::printed(&spec::openapi()).as_bytes()).map_err(CommandError::of)
    }
}

//! `offhook import … --history`: closed conversations of another system, sent to a running server.
//!
//! ```text
//! files ──▶ zendesk, chatwoot, csv: records ──▶ shelf: joined, on the disk ──▶ compose: as the server takes them ──▶ send
//! ```
//!
//! What is there already is known by the other system's own number, so it may be broken off and run again at any time.

mod chatwoot;
mod compose;
mod csv;
mod left;
mod send;
mod shelf;
#[cfg(test)]
mod tests;
mod zendesk;

use super::{From, Import, read};
use crate::cli::CommandError;
use crate::client::Address;
use compose::Composer;
use left::Left;
use send::{Sender, Standing};
use shelf::Shelf;
use std::io::Write;
use std::process::ExitCode;

impl From {
    /// How the server knows where a conversation came from.
    fn source(self) -> &'static str {
        match self {
            From::Csv => "csv",
            From::Zendesk => "zendesk",
            From::Chatwoot => "chatwoot",
        }
    }
}

/// Reads everything, joins it, and sends it.
pub(super) fn run(
    import: &Import,
    (address, key): (Address, String),
    out: &mut impl Write,
) -> Result<ExitCode, CommandError> {
    let Some(workspace) = import.workspace.clone() else {
        return Err(CommandError("--workspace is needed: whose history it is".to_owned()));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::of)?;
    let source = import.source.clone().unwrap_or_else(|| import.from.source().to_owned());
    let sender = Sender::new(address, key, &workspace, &source);
    // First, so that a wrong key or name is known before gigabytes are read.
    let standing: Standing = runtime.block_on(sender.standing(import.queue.as_deref()))?;
    let (shelf, mut left) = gather(import).map_err(CommandError)?;
    let talks = shelf.talks().map_err(CommandError)?;
    eprintln!("{talks} closed conversations");
    let composer = Composer::new(&shelf, standing, source);
    let sent = runtime.block_on(sender.send(composer, talks, &mut left))?;
    for line in left.report() {
        eprintln!("{line}");
    }
    writeln!(out, "workspace {workspace}: {sent}").map_err(CommandError::of)?;
    Ok(if sent.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn gather(import: &Import) -> Result<(Shelf, Left), String> {
    let (mut shelf, mut left) = (Shelf::new()?, Left::default());
    for file in &import.files {
        eprintln!("reading {}", file.display());
        match import.from {
            From::Csv => csv::read(file, &mut shelf, &mut left)?,
            From::Zendesk => {
                let ticket = zendesk::ticket_of(file);
                read::each(file, |record| zendesk::take(record, ticket.as_deref(), &mut shelf, &mut left))?;
            }
            From::Chatwoot => read::each(file, |record| chatwoot::take(record, &mut shelf, &mut left))?,
        }
        shelf.is_whole()?;
    }
    left.many("messages of conversations that are open, or in none of the files", shelf.said_elsewhere()?);
    shelf.sort()?;
    Ok((shelf, left))
}

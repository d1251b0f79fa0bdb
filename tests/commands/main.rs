//! The commands, through the real binary: what README.md, config/workspace.toml and `--help` say is tried as it is written.

mod apply;
mod demo;
mod health;
mod import;
mod server;
mod simulate;
mod walk;

//! The words on the sockets: JSON shapes, codes, and their translation. Pure: no I/O, no clock. docs/wire.md is the
//! contract that this follows, and tests hold the two together.

pub mod about;
pub mod agent;
pub mod channel;
pub mod channel_schema;
pub mod close;
pub mod error;
pub mod error_schema;
pub mod feed;
pub mod fields;
pub mod files;
pub mod imported;
pub mod labels;
pub mod messenger;
pub mod percent;
pub mod reports;
pub mod shown;
pub mod spelled;
pub mod transcript;
pub mod webhook;

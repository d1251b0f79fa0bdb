//! What operators see: the catalogue of metrics, their exporter, the log, the process's memory, and what it was built from.

pub mod build;
pub mod catalogue;
pub mod exporter;
pub mod labels;
pub mod log_writer;
pub mod logging;
pub mod memory;
pub mod traces;
pub mod turned;

//! What operators see: the catalogue of metrics, their exporter, the log, and the process's memory.

pub mod catalogue;
pub mod exporter;
pub mod labels;
pub mod log_writer;
pub mod logging;
pub mod memory;

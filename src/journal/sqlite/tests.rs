//! The journal's promises, tried on real files.
mod append;
mod reading;
mod trouble;

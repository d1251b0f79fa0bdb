//! Offhook
pub mod journal;
pub mod seal;

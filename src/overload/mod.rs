//! What keeps the server up when more comes than it can take.

pub mod descriptors;
pub mod pace;

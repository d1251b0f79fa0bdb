//! Offhook: the roll of which agents are present, and each waiting conversation offered to the right one.

// In the order in which an offer travels: a module imports only from those above it.
pub mod desk;

pub mod clock;

pub mod slices;

pub mod store_file;

pub mod wire;

pub mod client;

pub mod telemetry;

pub mod health;

pub mod overload;

pub mod journal;

pub mod cluster;

pub mod seal;

pub mod audit;

pub mod files;

pub mod view;

pub mod presence;

pub mod engine;

pub mod feed;

pub mod webhooks;

pub mod gateway;

pub mod backup;

pub mod simulate;

pub mod supervisor;

pub mod config;

pub mod server;

pub mod cli;

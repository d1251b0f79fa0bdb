//! Three nodes over three servers of NATS: one desk to all who work there, whatever becomes of one of them.

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod history;
mod judge;
mod judge_tests;
mod member;
mod nodes;
mod proxy;
mod replayed;
mod scenes;
mod trio;

//! Three nodes over three servers of NATS: one desk to all who work there, whatever becomes of one of them.

#[path = "../support/mod.rs"]
mod support;

mod chaos;
mod clients;
mod elsewhere;
mod history;
mod judge;
mod judge_tests;
mod member;
mod nodes;
mod patient;
mod patient_agents;
mod patient_customers;
mod proxy;
mod replayed;
mod rolling;
mod scenes;
mod trio;
mod troubles;

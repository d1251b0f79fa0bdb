//! The sockets and pages: agents, messenger, admin, operators, and who may use them. They turn requests into commands and
//! committed facts into bytes, and decide nothing.

pub mod admin;
pub mod agent;
pub mod auth;
pub mod carrier;
pub mod desk_pages;
pub mod embed;
pub mod files;
pub mod health;
pub mod http;
pub mod lag;
pub mod listen;
pub mod messenger;
pub mod operators;
pub mod probe;
pub mod signin;
pub mod spec;
pub mod status;
pub mod tls;
pub mod websocket;

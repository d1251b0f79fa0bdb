//! The desk's rules as scripts: commands in, events and replies out, in the simulation's notation.

mod conversations;
mod limits;
mod offers;
mod pairing;
mod presence;
mod script;
mod settings;

//! The desk's rules as scripts: commands in, events and replies out, in the simulation's notation.

mod conversations;
mod late_answers;
mod limits;
mod misses;
mod offers;
mod pairing;
mod presence;
mod reopening;
mod script;
mod settings;

//! The desk's rules as scripts: commands in, events and replies out, in the simulation's notation.

mod conversations;
mod decisions;
mod drains;
mod forms;
mod hands;
mod hours;
mod labels;
mod late_answers;
mod limits;
mod misses;
mod offered_at_once;
mod offers;
mod others_faults;
mod pairing;
mod preferred_agents;
mod presence;
mod programs;
mod reopening;
mod rings;
mod script;
mod settings;
mod transfers;
mod waits;
mod who_comes_first;
mod why;
mod wrap_up;

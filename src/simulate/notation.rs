//! Commands and events on one line each: what the simulation traces in and the desk's scripts are written in, so that
//! a failing run can be cut down and pasted as a test.
//!
//! ```text
//! #7 u1 opens chat in support priority=2 skills=french:3 text=hello
//! a0 comes s1            a0 sets available chat,email    a0 accepts o1      a0 rejects o1 busy
//! u1 posts c1 hello      a0 closes c1                    supervisor a1 closes c1
//! admin queue support max=2 offer_ms=10000               admin settings {"agent_grace_ms":1000}
//! a0 transfers c1 to a1 warm      a0 queues c1 in sales      supervisor a1 assigns c1 from=a0 force=yes
//! router decides c1 d1 to=a0     router leaves c1 d1     router lists d1,d2
//! server began           server tick
//! ```
//! An agent's outside name is its id, so that a line means the same whoever reads it.

mod labels;
mod parse;
mod print;

pub use parse::{NotALine, command, fingerprint, principal};
pub use print::{answer, ask, event, result};

#[cfg(test)]
mod tests {
    #[test]
    fn a_printed_command_reads_back_as_itself() {
        for line in [
            "#7 u1 opens chat in support priority=2 skills=french:3,german:1 text=hello there",
            "u1 opens chat in support",
            "u1 opens chat in support or_message=yes text=call me",
            "#8 u1 posts c1 hello there",
            "a0 posts c1 hello",
            "u1 reads c1 3",
            "a0 types c1",
            "u1 closes c1",
            "a0 closes c1",
            "supervisor a1 closes c1",
            "admin closes c1",
            "u1 becomes u2",
            "u1 signs_out",
            "u1 describes c1 somebody else",
            "u1 rates c1 4",
            "u1 rates c1 1 far too slow",
            "a0 comes s1",
            "a0 goes s1",
            "a0 sets available",
            "a0 sets away chat,email",
            "a0 sets away -",
            "a0 ready",
            "a0 signs_out",
            "a0 looks o1.c2",
            "a0 next away",
            "a0 next -",
            "supervisor a1 forces a0 away",
            "admin forces a0 available",
            "server idle a0",
            "a0 delivered o1",
            "a0 accepts o1",
            "#255 a0 rejects o1 busy",
            "a0 done c1",
            "admin queue support max=2 priority=1 offer_ms=5000 wrap_up_ms=0 skills=french:3",
            "admin remove_queue support",
            "admin agent a0 active=no queues=support,sales skills=french:5 capacity=chat:2",
            "admin agent a0 queues=-",
            "admin key k1",
            "admin remove_key k1",
            "admin why c1",
            "admin why a0",
            "u1 opens chat in support since=12.5s prefers=french,german for=a1 text=hello",
            "u1 opens chat in support only=a1",
            "admin agent a0 tiers=support:2",
            "admin agent a0 program=yes total=400",
            "admin agent a0 offer_percent=250",
            "admin agent a0 auto=\"never\"",
            "admin agent a0 auto={\"after_ms\":3000}",
            "admin queue support offering={\"agents_by\":\"least_loaded\",\"tiers_up_to\":null,\"offer_to_at_most\":1,\"accept_within_ms\":null,\"weight\":1,\"programs_first\":false,\"rings\":[],\"preferred_agent\":{\"preferred_ms\":60000,\"when_offline\":\"skip\",\"when_away\":\"wait\",\"when_busy\":\"wait\"}}",
            "a0 transfers c1 to a1",
            "supervisor a2 transfers c1 to a1 warm",
            "admin queues c1 in support since=12.5s",
            "a0 queues c1 in support",
            "a0 cancels c1",
            "a0 hands_over c1",
            "a0 leaves c1",
            "#9 a0 picks c1",
            "supervisor a0 assigns c1",
            "admin assigns c1 to=a1 from=a0 force=yes",
            "a0 notes c1 she called before",
            "supervisor a0 notes c1 careful",
            "a0 starts u1 chat in support text=good morning",
            "a0 lists support 20",
            "a0 labels c1 {\"disposition\":\"solved\",\"tags\":[\"vip\"],\"fields\":{\"count\":{\"number\":\"7\"},\"story\":null}}",
            "supervisor a1 labels_and_closes c1 {}",
            "a0 labels_and_ends c1 {\"disposition\":\"\"}",
            "admin drains a0 yes",
            "admin drains_queue support to=-",
            "admin drains_queue support to=sales",
            "admin drains_queue support no",
            "router decides c1 d2 to=a0",
            "#3 router decides c1 d2 to=a0 from=a1",
            "router leaves c1 d2",
            "router lists d1,d2",
            "router lists -",
            "server began",
            "server tick",
        ] {
            let command = super::command(line).unwrap_or_else(|why| panic!("{line}: {why}"));
            let id = command.id.map_or(String::new(), |id| format!("#{} ", id.0));
            assert_eq!(format!("{id}{}", super::ask(&command.ask)), line);
        }
    }

    #[test]
    fn what_is_not_a_line_is_said_to_be_none() {
        for line in ["", "a0", "a0 flies", "u1 posts", "a0 accepts c1", "admin queue", "x1 comes s1", "#z a0 ready"] {
            assert!(super::command(line).is_err(), "{line}");
        }
    }
}

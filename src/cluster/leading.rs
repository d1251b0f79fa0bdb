//! Who should lead a workspace: the live node whose hash with it is the highest (rendezvous hashing). Pure.
//!
//! A node that goes moves only what it led, and one that comes takes its share from each. Nothing is stored and nothing is agreed upon:
//! whoever has the same roll says the same.

use super::members::{Node, Roll};
use sha2::{Digest, Sha256};

/// Names of workspaces that nobody may choose begin with it.
const OWN: char = '_';

/// The node of this roll that should lead. A workspace of the server's own, like that of its probe, each node leads itself; `None` where
/// there is no node at all.
#[must_use]
pub fn should_lead<'a>(roll: &'a Roll, workspace: &str) -> Option<&'a Node> {
    if workspace.starts_with(OWN) {
        return roll.node(roll.own);
    }
    // Of two equal hashes, which nobody will see, the later name wins.
    roll.nodes.iter().max_by_key(|node| (hash(workspace, &node.name), &node.name))
}

/// The first eight bytes of SHA-256, so that it is the same in every version, on every machine and in any language: nodes of two versions
/// must agree. It is as even as can be, and at some 0.2 µs it is asked for when the roll changes and not for each command. Neither name
/// has a zero byte in it, so that no two pairs are one text.
fn hash(workspace: &str, node: &str) -> u64 {
    let digest = Sha256::new().chain_update(workspace).chain_update([0]).chain_update(node).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ids::NodeNumber;
    use std::collections::BTreeMap;

    const WORKSPACES: usize = 1_000;

    fn roll(names: &[&str]) -> Roll {
        let node = |(name, number): (&&str, u64)| Node::new(name, NodeNumber(number), "");
        Roll::of(NodeNumber(1), names.iter().zip(1..).map(node).collect())
    }

    fn leaders(roll: &Roll) -> Vec<String> {
        let workspaces = (0..WORKSPACES).map(|number| format!("workspace-{number}"));
        workspaces.map(|workspace| should_lead(roll, &workspace).unwrap().name.to_string()).collect()
    }

    /// These never change: a node of another version would lead what this one leads.
    #[test]
    fn the_hash_is_that_of_every_version() {
        assert_eq!(hash("demo", "a"), 0x08d0_c19e_442d_c9dc);
        assert_eq!(hash("acme", "node-1"), 0x23b7_4565_8ced_ffd6);
        assert_ne!(hash("ab", "c"), hash("a", "bc"));
    }

    #[test]
    fn a_node_that_goes_moves_only_what_it_led_and_one_that_comes_takes_only_for_itself() {
        let four = leaders(&roll(&["a", "b", "c", "d"]));
        let three = leaders(&roll(&["a", "b", "d"]));
        for (before, after) in four.iter().zip(&three) {
            assert!(before == after || before == "c", "{before} led, and {after} does without c");
            assert_ne!(after, "c");
        }
    }

    #[test]
    fn each_of_some_nodes_has_about_its_part() {
        for names in [&["a", "b"][..], &["a", "b", "c"], &["node-1", "node-2", "node-3", "node-4", "node-5"]] {
            let mut led: BTreeMap<String, usize> = BTreeMap::new();
            for leader in leaders(&roll(names)) {
                *led.entry(leader).or_default() += 1;
            }
            let part = WORKSPACES / names.len();
            // Five standard deviations of chance.
            let off = (5.0 * (part as f64).sqrt()) as usize;
            let even = names.iter().all(|name| led.get(*name).is_some_and(|many| many.abs_diff(part) < off));
            assert!(even, "{led:?}");
        }
    }

    #[test]
    fn the_order_and_the_numbers_of_nodes_are_nothing_to_it() {
        let mut turned = roll(&["c", "a", "b"]);
        turned.own = NodeNumber(2);
        assert_eq!(leaders(&roll(&["a", "b", "c"])), leaders(&turned));
    }

    #[test]
    fn what_is_the_servers_own_each_node_leads_itself() {
        for own in 1..=3 {
            let mut roll = roll(&["a", "b", "c"]);
            roll.own = NodeNumber(own);
            assert_eq!(should_lead(&roll, "_probe").map(|node| node.number), Some(NodeNumber(own)));
        }
    }
}

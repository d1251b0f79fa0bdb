//! The bounds of a node of a cluster, beside those that every server has.

use super::bound::Most::{Budget, Fixed};
use super::bound::{Bound, bound};

pub(super) const OF_CLUSTER: &[Bound] = &[
    bound(
        "records of other nodes that wait for a workspace",
        "engine/tail.rs",
        Fixed("512 KiB for each workspace, and one"),
        "read from the journal",
        "offhook_cluster_streams_total",
    ),
    bound(
        "signs that somebody types, on their way to other nodes",
        "server/cluster.rs",
        Fixed("1,024, and 64 for a workspace"),
        "dropped",
        "offhook_cluster_hints_dropped_total",
    ),
    bound(
        "commands that are passed on to the node that leads",
        "engine/passing/under_way.rs",
        Fixed("256 in 768 KiB for each workspace; the rest waits in the intake"),
        "wait; after 5 s without an answer new ones are `unavailable`",
        "offhook_intake_commands",
    ),
    bound(
        "batches of other nodes that are decided here",
        "engine/incoming.rs",
        Fixed("4,096"),
        "passed over: asked again",
        "offhook_intake_commands",
    ),
    bound(
        "answers of the last batch of each other node",
        "engine/passing/taking.rs",
        Fixed("128 of 768 KiB for each workspace that is led, and until it is led no more"),
        "the oldest is forgotten: its batch is decided anew, each command once",
        "offhook_cluster_leads",
    ),
    bound(
        "what one cut takes from the cluster's journal",
        "engine/cutting.rs",
        Fixed(
            "of each of 256 workspaces that the node leads, what is oldest within 262,144 records of the stream, every 15 s",
        ),
        "goes with the next",
        "offhook_journal_cut_records_total",
    ),
    bound(
        "workspaces in a question how far a node's view is",
        "engine/passing/views.rs",
        Fixed("256; the answer within `cluster.answer_within_ms`"),
        "nothing is cut then",
        "offhook_cluster_cuts_held_total",
    ),
    bound(
        "nodes of a cluster, and their numbers that are gone",
        "cluster/members.rs",
        Fixed("64, and 256"),
        "taken no notice of; the oldest is forgotten",
        "offhook_cluster_nodes",
    ),
    bound(
        "entries of the cluster's bucket of keys that are taken in at once",
        "seal/shared/bucket.rs",
        Fixed("16, of 320 KiB each"),
        "wait at the servers",
        "offhook_shared_keys_followed",
    ),
    bound(
        "questions to that bucket",
        "seal/shared/mod.rs",
        Fixed("2 s each, 6 s for all that one block or one erasure needs"),
        "tried again twice a second; an erasure is refused and does nothing",
        "offhook_shared_keys_followed",
    ),
    bound(
        "the wait of a node that starts for more of that bucket",
        "seal/shared/mod.rs",
        Fixed("30 s"),
        "the start refuses",
        "offhook_shared_keys_followed",
    ),
    bound(
        "the wait for a key that another node made",
        "seal/shared/mod.rs",
        Fixed("2 s"),
        "`unavailable`",
        "offhook_shared_keys_followed",
    ),
    bound(
        "what a node has to put right in that bucket",
        "seal/shared/follow.rs",
        Fixed("as much as its ledger of erasures has; 16 of each in two seconds"),
        "waits",
        "offhook_shared_keys_unfinished",
    ),
    bound(
        "files that are fetched from the cluster's store",
        "files/shared/mod.rs",
        Budget("8 at once; 512 KiB each, of the reserve for bursts; 5 s without an answer, 60 s for each file"),
        "wait; then `unavailable`, `busy`",
        "offhook_files_fetching",
    ),
    bound(
        "files on their way into it",
        "files/shared/put.rs",
        Budget(
            "`files.uploads_max`; 512 KiB more each, of the reserve for bursts; 5 s without an answer, 60 s for each file",
        ),
        "`unavailable`, `busy`",
        "offhook_files_shared_total",
    ),
    bound(
        "files of the store that a sweep looks at in one step",
        "files/shared/walk.rs",
        Fixed("1,024 names of one workspace; it removes 10,000 files of each at most"),
        "looked at in the next step; removed by the next sweep",
        "offhook_files_shared_removed_total",
    ),
    bound(
        "copies of files that make room at once",
        "files/copies.rs",
        Fixed("4,096 names"),
        "asked again for the next file",
        "offhook_files_removed_total",
    ),
];

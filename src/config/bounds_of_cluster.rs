//! The bounds of a node of a cluster, beside those that every server has.

use super::bound::Most::Fixed;
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
        "an entry of the cluster's bucket of settings",
        "cluster/settings.rs",
        Fixed("256 KiB, one for each workspace and kind"),
        "is not set",
        "offhook_cluster_settings_followed",
    ),
    bound(
        "entries of that bucket that are taken in at once",
        "cluster/settings.rs",
        Fixed("64"),
        "wait at the servers",
        "offhook_cluster_settings_followed",
    ),
    bound(
        "places of webhooks of which the other nodes are not told yet",
        "webhooks/shared.rs",
        Fixed("one for each webhook; told four times a second"),
        "told with the next",
        "offhook_cluster_settings_followed",
    ),
    bound(
        "questions to that bucket, and the wait until what was set holds here",
        "cluster/settings.rs",
        Fixed("`cluster.answer_within_ms` each; 50 tries where others change it too"),
        "`unavailable`",
        "offhook_cluster_settings_followed",
    ),
];

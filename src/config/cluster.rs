//! The section of a cluster: what its names and addresses may be, and how NATS is reached by it.

use super::error::ConfigError;
use super::layers::{Layers, Origin};
use super::sections::ClusterSettings;
use crate::journal::nats::{NatsSettings, is_address, is_token};
use std::path::PathBuf;
use std::time::Duration;

impl ClusterSettings {
    /// How the NATS servers are reached, and what is asked of them.
    #[must_use]
    pub fn nats(&self) -> NatsSettings {
        let file = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
        NatsSettings {
            servers: self.servers.clone(),
            credentials: file(&self.credentials),
            ca: file(&self.ca),
            name: self.name.clone(),
            replicas: self.replicas,
            bytes_max: (self.bytes_max > 0).then_some(self.bytes_max),
            answer_within: Duration::from_millis(self.answer_within_ms),
        }
    }
}

/// Names and addresses one by one.
pub(super) fn check(cluster: &ClusterSettings, layers: &Layers) -> Result<(), ConfigError> {
    let wrong = |field: &str, found: &str, allowed: &str, mend: &str| ConfigError::Wrong {
        field: field.to_owned(),
        found: format!("{found:?}"),
        origin: layers.entry(field).map_or(Origin::Default, |entry| entry.origin.clone()),
        allowed: allowed.to_owned(),
        mend: mend.to_owned(),
    };
    let token = "1 to 32 letters, digits, - and _";
    if !cluster.node.is_empty() && !is_token(&cluster.node) {
        let mend = "Give each node a short name that it keeps, like \"a\" or \"node-1\".";
        return Err(wrong("cluster.node", &cluster.node, token, mend));
    }
    if !is_token(&cluster.name) {
        let mend = "It is a part of names that NATS has: leave it out to have \"offhook\".";
        return Err(wrong("cluster.name", &cluster.name, token, mend));
    }
    match cluster.servers.iter().find(|server| !is_address(server)) {
        None => Ok(()),
        Some(server) => {
            let mend = "Write each server as in \"nats://10.0.0.1:4222\"; who you are there is in cluster.credentials.";
            Err(wrong("cluster.servers", server, "nats://HOST:PORT or tls://HOST:PORT", mend))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn with(flags: &[&str]) -> Result<ClusterSettings, ConfigError> {
        let flags: Vec<String> = flags.iter().map(|flag| format!("cluster.{flag}")).collect();
        Config::from_sources(None, [], &flags).map(|config| config.sections.cluster)
    }

    #[test]
    fn without_a_node_there_is_no_cluster_and_three_replicas_are_what_it_would_have() {
        let alone = with(&[]).unwrap();
        assert_eq!((alone.node.as_str(), alone.name.as_str(), alone.lease_ms), ("", "offhook", 2_000));
        let nats = alone.nats();
        assert_eq!((nats.replicas, nats.bytes_max, nats.credentials, nats.ca), (3, None, None, None));
    }

    #[test]
    fn nats_is_reached_as_the_section_says() {
        let settings = with(&[
            "node=a",
            "servers=nats://10.0.0.1:4222, tls://nats-2.example.com",
            "name=desk_2",
            "credentials=/etc/offhook/nats.creds",
            "replicas=1",
            "bytes_max=64 MiB",
            "answer_within_ms=300",
        ]);
        let nats = settings.unwrap().nats();
        assert_eq!(nats.servers, ["nats://10.0.0.1:4222", "tls://nats-2.example.com"]);
        assert_eq!((nats.name.as_str(), nats.replicas, nats.bytes_max), ("desk_2", 1, Some(64 << 20)));
        assert_eq!(nats.credentials, Some(PathBuf::from("/etc/offhook/nats.creds")));
        assert_eq!(nats.answer_within, Duration::from_millis(300));
    }

    #[test]
    fn what_is_no_name_no_address_or_out_of_range_is_refused_by_its_field() {
        let long = format!("node={}", "n".repeat(33));
        for (flags, field) in [
            (&["node=a"][..], "cluster.servers"),
            (&["node=a.b", "servers=nats://h"], "cluster.node"),
            (&[&long, "servers=nats://h"], "cluster.node"),
            (&["name="], "cluster.name"),
            (&["name=off hook"], "cluster.name"),
            (&["servers=10.0.0.1:4222"], "cluster.servers"),
            (&["servers=http://10.0.0.1:4222"], "cluster.servers"),
            (&["servers=nats://"], "cluster.servers"),
            (&["servers=nats://me:secret@10.0.0.1"], "cluster.servers"),
            (&["replicas=0"], "cluster.replicas"),
            (&["lease_ms=499"], "cluster.lease_ms"),
            (&["lease_ms=60001"], "cluster.lease_ms"),
            (&["answer_within_ms=0"], "cluster.answer_within_ms"),
        ] {
            let error = with(flags).unwrap_err();
            assert_eq!(error.field(), Some(field), "{flags:?}: {error}");
        }
    }
}

//! Settings checked against each other, and lists checked entry by entry: each is fine alone. Pure.

use super::cluster;
use super::error::ConfigError;
use super::layers::Layers;
use super::sections::Sections;
use crate::client::Url;
use crate::gateway::auth::client_address::{ForwardedHeader, Network};
use crate::gateway::auth::origin::OriginRules;
use crate::telemetry::logging;

/// Between the end of a drain and the moment when whoever stops us kills: to end what does not end, and to reap it.
const END_MS: u64 = 2_000;

struct Rule {
    holds: bool,
    field: &'static str,
    other: &'static str,
    allowed: &'static str,
}

/// Refuses what cannot both hold, naming both fields.
pub(super) fn check(sections: &Sections, layers: &Layers) -> Result<(), ConfigError> {
    for rule in rules(sections) {
        if !rule.holds {
            let shown = |path| layers.entry(path).map_or(String::new(), |entry| entry.value.to_string());
            return Err(ConfigError::Contradiction {
                field: rule.field,
                found: shown(rule.field),
                other: rule.other,
                other_found: shown(rule.other),
                allowed: rule.allowed,
                mend: format!("Change {} or {}.", rule.field, rule.other),
            });
        }
    }
    check_entries(sections, layers)?;
    cluster::check(&sections.cluster, layers)?;
    check_signin(sections, layers)?;
    check_keys_for_reach(sections)
}

fn rules(sections: &Sections) -> Vec<Rule> {
    let Sections { server, tls, sessions, messenger, engine, memory, journal, cluster, .. } = sections;
    let rule = |holds, field, other, allowed| Rule { holds, field, other, allowed };
    vec![
        rule(
            server.listen != server.operators_listen || server.listen.port() == 0,
            "server.operators_listen",
            "server.listen",
            "an address of its own: operators' pages must not be on the public port",
        ),
        rule(
            server.trusted_proxies.is_empty() || server.forwarded_header != ForwardedHeader::None,
            "server.forwarded_header",
            "server.trusted_proxies",
            "\"x-forwarded-for\" or \"forwarded\" when proxies are trusted",
        ),
        rule(
            tls.certificate.as_os_str().is_empty() == tls.key.as_os_str().is_empty(),
            "tls.certificate",
            "tls.key",
            "both, or neither",
        ),
        rule(
            server.drain_ms + END_MS <= server.stop_grace_ms,
            "server.drain_ms",
            "server.stop_grace_ms",
            "shorter by two seconds, or what is under way is killed",
        ),
        rule(
            sessions.dead_after_ms > sessions.ping_every_ms,
            "sessions.dead_after_ms",
            "sessions.ping_every_ms",
            "longer than the time between pings, or every quiet agent counts as dead",
        ),
        rule(
            sessions.mailbox_bytes_max >= sessions.frame_bytes_max,
            "sessions.mailbox_bytes_max",
            "sessions.frame_bytes_max",
            "at least one frame",
        ),
        rule(
            sessions.commands_burst >= sessions.commands_per_s,
            "sessions.commands_burst",
            "sessions.commands_per_s",
            "at least what comes in one second",
        ),
        rule(
            sessions.program_commands_burst >= sessions.program_commands_per_s,
            "sessions.program_commands_burst",
            "sessions.program_commands_per_s",
            "at least what comes in one second",
        ),
        // Twice: JSON may write a character of the text as an escape. Frames full of \u0000 are refused by size.
        rule(
            sessions.frame_bytes_max >= 2 * messenger.text_bytes_max,
            "sessions.frame_bytes_max",
            "messenger.text_bytes_max",
            "at least twice the largest text, so that a text with its escapes fits in a frame",
        ),
        rule(
            messenger.stream_bytes_max >= 2 * messenger.text_bytes_max,
            "messenger.stream_bytes_max",
            "messenger.text_bytes_max",
            "at least twice the largest text, or no stream could carry it",
        ),
        rule(
            messenger.visitor_burst >= messenger.visitor_messages_per_s,
            "messenger.visitor_burst",
            "messenger.visitor_messages_per_s",
            "at least what comes in one second",
        ),
        rule(
            messenger.address_burst >= messenger.address_messages_per_s,
            "messenger.address_burst",
            "messenger.address_messages_per_s",
            "at least what comes in one second",
        ),
        rule(
            messenger.workspace_burst >= messenger.workspace_messages_per_s,
            "messenger.workspace_burst",
            "messenger.workspace_messages_per_s",
            "at least what comes in one second",
        ),
        rule(
            messenger.stream_ticket_hours <= messenger.anonymous_token_days * 24,
            "messenger.stream_ticket_hours",
            "messenger.anonymous_token_days",
            "at most the life of the visitor's own token",
        ),
        rule(
            engine.intake_bytes_max >= sessions.frame_bytes_max,
            "engine.intake_bytes_max",
            "sessions.frame_bytes_max",
            "at least the largest frame",
        ),
        rule(
            memory.budget_bytes == 0 || memory.budget_bytes >= 6 * engine.intake_bytes_max as u64,
            "memory.budget_bytes",
            "engine.intake_bytes_max",
            "0, or at least six times what may wait to be decided",
        ),
        rule(
            memory.shed_typing_percent >= memory.shed_observers_percent,
            "memory.shed_typing_percent",
            "memory.shed_observers_percent",
            "at least as much: observers are shed first",
        ),
        rule(
            memory.shed_history_percent >= memory.shed_typing_percent,
            "memory.shed_history_percent",
            "memory.shed_typing_percent",
            "at least as much: typing is shed before history",
        ),
        rule(
            memory.shed_starts_percent >= memory.shed_history_percent,
            "memory.shed_starts_percent",
            "memory.shed_history_percent",
            "at least as much: history is shed before new conversations",
        ),
        rule(
            memory.shed_newcomers_percent >= memory.shed_starts_percent,
            "memory.shed_newcomers_percent",
            "memory.shed_starts_percent",
            "at least as much: agents who were not here before are shed last",
        ),
        rule(
            memory.shed_gap_percent < memory.shed_observers_percent,
            "memory.shed_gap_percent",
            "memory.shed_observers_percent",
            "less, or what was shed never comes back",
        ),
        rule(
            journal.disk_budget_bytes == 0 || journal.disk_budget_bytes >= 4 * journal.kept_back_bytes,
            "journal.disk_budget_bytes",
            "journal.kept_back_bytes",
            "0, or at least four times what is kept back",
        ),
        rule(
            journal.disk_critical_percent > journal.disk_low_percent,
            "journal.disk_critical_percent",
            "journal.disk_low_percent",
            "more, so that what is shed first is shed first",
        ),
        rule(
            cluster.node.is_empty() || !cluster.servers.is_empty(),
            "cluster.servers",
            "cluster.node",
            "the addresses of NATS servers, where this server is a node of a cluster",
        ),
    ]
}

fn check_entries(sections: &Sections, layers: &Layers) -> Result<(), ConfigError> {
    let wrong = |field: &str, found: String, allowed: String, mend: &str| ConfigError::Wrong {
        field: field.to_owned(),
        found,
        origin: layers.entry(field).map_or(super::layers::Origin::Default, |entry| entry.origin.clone()),
        allowed,
        mend: mend.to_owned(),
    };
    for network in &sections.server.trusted_proxies {
        if Network::parse(network).is_none() {
            return Err(wrong(
                "server.trusted_proxies",
                format!("{network:?}"),
                "an address or a network, like \"10.0.0.0/8\"".to_owned(),
                "Write each proxy as an IP address, with /bits for a whole network.",
            ));
        }
    }
    if let Err(error) = OriginRules::parse(&sections.identity.origins) {
        return Err(wrong(
            "identity.origins",
            format!("{:?}", error.found),
            "\"https://host\", \"https://host:port\" or \"https://*.example.com\"".to_owned(),
            "Write origins as browsers do: scheme and host, without a path or a slash at the end.",
        ));
    }
    if let Err(reason) = logging::check_level(&sections.log.level) {
        return Err(wrong(
            "log.level",
            format!("{:?}", sections.log.level),
            "a level (error, warn, info, debug, trace) or directives like \"info,offhook::engine=debug\"".to_owned(),
            &format!("The reader of it says: {reason}."),
        ));
    }
    let mut kids = std::collections::HashSet::new();
    for key in &sections.identity.agent_keys {
        if let Err(error) = key.check() {
            let mend = "Mend that entry of the list.";
            return Err(wrong("identity.agent_keys", format!("{:?}", key.kid), error.to_string(), mend));
        }
        if !kids.insert(key.kid.as_str()) {
            return Err(wrong(
                "identity.agent_keys",
                format!("{:?} twice", key.kid),
                "each kid once".to_owned(),
                "Give each key a kid of its own: tokens name their key by it.",
            ));
        }
    }
    Ok(())
}

/// Providers one by one, and where browsers come back to.
fn check_signin(sections: &Sections, layers: &Layers) -> Result<(), ConfigError> {
    let wrong = |field: &str, found: String, allowed: String, mend: &str| ConfigError::Wrong {
        field: field.to_owned(),
        found,
        origin: layers.entry(field).map_or(super::layers::Origin::Default, |entry| entry.origin.clone()),
        allowed,
        mend: mend.to_owned(),
    };
    let signin = &sections.signin;
    let is_origin = |url: &str| Url::parse(url).is_ok() && url.matches('/').count() == 2 && !url.contains('?');
    if !signin.url.is_empty() && !is_origin(&signin.url) {
        return Err(wrong(
            "signin.url",
            format!("{:?}", signin.url),
            "\"https://host\" or \"https://host:port\", or http:// of this machine".to_owned(),
            "Write it as browsers show it, without a path or a slash at the end.",
        ));
    }
    let mut workspaces = std::collections::HashSet::new();
    for provider in &signin.providers {
        let found = format!("the entry of {:?}", provider.workspace);
        if let Err(error) = provider.check() {
            let allowed = format!("an entry whose {} {}", error.member, error.what);
            return Err(wrong("signin.providers", found, allowed, "Mend that entry of the list."));
        }
        if !workspaces.insert(provider.workspace.as_str()) {
            let allowed = "one provider for each workspace".to_owned();
            return Err(wrong("signin.providers", format!("{found} twice"), allowed, "Take one of them out."));
        }
    }
    let listen = sections.server.listen;
    if signin.providers.is_empty() || !signin.url.is_empty() || listen.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(ConfigError::Contradiction {
        field: "signin.url",
        found: "\"\"".to_owned(),
        other: "signin.providers",
        other_found: format!("{} of them", signin.providers.len()),
        allowed: "how browsers call this server, which providers send them back to",
        mend: "Set signin.url, for example \"https://desk.example.com\".".to_owned(),
    })
}

/// The keys made at first start lie readable beside the journal of a trial on one machine. They must never be what guards
/// a port that others can reach.
fn check_keys_for_reach(sections: &Sections) -> Result<(), ConfigError> {
    let listen = sections.server.listen;
    if listen.ip().to_canonical().is_loopback() || !sections.identity.agent_keys.is_empty() {
        return Ok(());
    }
    Err(ConfigError::Contradiction {
        field: "server.listen",
        found: format!("\"{listen}\""),
        other: "identity.agent_keys",
        other_found: "[]".to_owned(),
        allowed: "a loopback address (127.0.0.1) while no keys for agents' tokens are configured",
        mend: "Add a [[identity.agent_keys]] entry with kid, algorithm and file, or listen on 127.0.0.1.".to_owned(),
    })
}

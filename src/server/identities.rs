//! Who is known by what: agents' and customers' keys, the keys of the data directory, origins.

use super::{Signings, StartFailed, failed, proxies};
use crate::config::Sections;
use crate::engine::workspace::PROBES;
use crate::gateway::auth::agent_token::AgentKeys;
use crate::gateway::auth::customer_token::{CustomerKeySettings, CustomerKeys};
use crate::gateway::auth::keys::read_key_file;
use crate::gateway::auth::origin::OriginRules;
use crate::gateway::auth::probe_keys::ProbeKeys;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::gateway::auth::{api_key, first_key};
use crate::gateway::http::tokens::Tokens;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// # Errors
/// A key cannot be read, or made.
pub(super) fn agents_keys(
    set: &Sections,
    listen: SocketAddr,
    dir: &Path,
    probe_keys: Option<&ProbeKeys>,
    signins: &Signings,
) -> Result<(Arc<AgentKeys>, Option<api_key::ApiKey>), StartFailed> {
    let leeway_s = set.identity.token_leeway_s;
    let configured = &set.identity.agent_keys;
    let (settings, admin_key) = if configured.is_empty() {
        let made = first_key::read_or_make(dir, listen).map_err(failed("making the first keys"))?;
        (vec![made.agent_key], Some(made.admin_key))
    } else {
        // The key of the data directory opens this machine's own door; it is made whoever signs agents' tokens.
        let admin_key = first_key::read_or_make_admin(dir).map_err(failed("making admin.key"))?;
        (configured.clone(), Some(admin_key))
    };
    let mut keys = AgentKeys::load(&settings, leeway_s).map_err(failed("reading agents' keys"))?;
    if let Some(probe_keys) = probe_keys {
        keys = keys.with_probe(probe_keys).map_err(failed("making the probe's key"))?;
    }
    Ok((Arc::new(signins.known_to(keys)?), admin_key))
}

/// # Errors
/// A customer's key cannot be read, or names no workspace; an origin or a proxy is none.
pub(super) fn identities(
    set: &Sections,
    agents: Arc<AgentKeys>,
    server_keys: Arc<ServerKeys>,
    admin_key: Option<api_key::ApiKey>,
    probe_keys: Option<&ProbeKeys>,
) -> Result<Tokens, StartFailed> {
    let mut of_workspace: BTreeMap<String, Vec<CustomerKeySettings>> = BTreeMap::new();
    for key in &set.identity.customer_keys {
        let doing = "reading customers' keys";
        let workspace = key.workspace.clone().ok_or_else(|| StartFailed {
            doing,
            why: format!("identity.customer_keys: the key {:?} names no workspace", key.kid),
        })?;
        let text = read_key_file(&key.file).map_err(failed(doing))?;
        let text = String::from_utf8(text).map_err(failed(doing))?;
        let setting = CustomerKeySettings { kid: key.kid.clone(), algorithm: key.algorithm, key: text };
        of_workspace.entry(workspace).or_default().push(setting);
    }
    let mut customer_keys = HashMap::new();
    for (workspace, keys) in of_workspace {
        let keys = CustomerKeys::from_list(&keys).map_err(failed("reading customers' keys"))?;
        customer_keys.insert(workspace, keys);
    }
    if let Some(probe_keys) = probe_keys {
        let keys = probe_keys.of_customers().map_err(failed("making the probe's key"))?;
        customer_keys.insert(PROBES.to_owned(), keys);
    }
    Ok(Tokens {
        server_keys,
        agent_keys: agents,
        customer_keys,
        api_keys: admin_key.into_iter().collect(),
        origins: OriginRules::parse(&set.identity.origins).map_err(failed("reading identity.origins"))?,
        proxies: proxies(set)?,
        leeway_s: set.identity.token_leeway_s,
        visitor_life_s: set.messenger.anonymous_token_days as i64 * 86_400,
        ticket_life_s: set.messenger.stream_ticket_hours as i64 * 3_600,
    })
}

//! What the settings say of webhooks.

use super::{StartFailed, failed};
use crate::client::Courier;
use crate::config::Sections;
use crate::feed::Feeds;
use crate::webhooks::{Cluster, Settings, Webhooks};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// # Errors
/// The store cannot be read.
pub(super) fn webhooks(
    set: &Sections,
    dir: &Path,
    feeds: Feeds,
    cluster: Option<Cluster>,
) -> Result<Arc<Webhooks>, StartFailed> {
    let set = &set.webhooks;
    let roots = (!set.authorities.as_os_str().is_empty()).then(|| set.authorities.clone());
    let courier = Courier::new(roots, Duration::from_millis(set.timeout_ms), set.private_addresses, set.plain_http);
    let settings = Settings {
        connections_max: set.connections_max,
        retry_first_ms: set.retry_first_ms,
        retry_most_ms: set.retry_most_ms,
        pause_after_ms: set.pause_after_ms,
    };
    Webhooks::open(dir, feeds, courier, settings, cluster).map(Arc::new).map_err(failed("opening the webhooks"))
}

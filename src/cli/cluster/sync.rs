//! When a server has on its disk what it acknowledged: said by its monitoring address alone.

use crate::client::{Address, Call, Client};
use serde::Deserialize;

/// What a server says of its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    /// Before it answers.
    Always,
    /// At the latest so many seconds after.
    Within { seconds: u64 },
}

#[derive(Deserialize)]
struct Varz {
    server_name: String,
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Deserialize, Default)]
struct JetStream {
    #[serde(default)]
    config: Config,
}

#[derive(Deserialize, Default)]
struct Config {
    #[serde(default)]
    sync_always: bool,
    /// In nanoseconds; absent from servers before they said it.
    sync_interval: Option<u64>,
}

/// NATS's own, where a server does not say it.
const USUAL_S: u64 = 120;

/// The server's name, and what it says.
///
/// # Errors
/// A sentence: it could not be asked, or its answer is no server's.
pub(super) async fn of(monitor: &str) -> Result<(String, Sync), String> {
    let address = Address::parse(monitor).map_err(|error| error.to_string())?;
    let answered = Client::new(address).ask(&Call::anonymous("/varz")).await.map_err(|error| error.to_string())?;
    let varz: Varz =
        serde_json::from_value(answered.body).map_err(|error| format!("its /varz cannot be read: {error}"))?;
    let Config { sync_always, sync_interval } = varz.jetstream.config;
    let seconds = sync_interval.map_or(USUAL_S, |nanoseconds| nanoseconds.div_ceil(1_000_000_000));
    Ok((varz.server_name, if sync_always { Sync::Always } else { Sync::Within { seconds } }))
}

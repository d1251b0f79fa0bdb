//! The keys of a first start on one's own machine, so that trying Offhook takes no preparation.

use std::net::SocketAddr;
use std::path::Path;

use super::api_key::{ApiKey, ApiKeyGrant, Scopes};
use super::keys::{Algorithm, KeySettings};
use super::secret_file::{self, SecretFileError};

/// The kid of the key that is made at first start.
pub const LOCAL_KID: &str = "local";

/// What the first start made, or found from an earlier one.
#[derive(Debug)]
pub struct FirstKeys {
    /// `<data_dir>/agent.key`: an HS256 secret.
    pub agent_key: KeySettings,
    /// `<data_dir>/admin.key`: an API key with every scope in every workspace.
    pub admin_key: ApiKey,
}

#[derive(Debug, thiserror::Error)]
pub enum FirstKeyError {
    #[error("{listen} can be reached from other machines: configure identity.agent_keys, or listen on 127.0.0.1")]
    NotLoopback { listen: SocketAddr },
    #[error(transparent)]
    File(#[from] SecretFileError),
}

/// Reads both keys, making those that are not there. Only for a server that listens on this machine alone.
pub fn read_or_make(data_dir: &Path, listen: SocketAddr) -> Result<FirstKeys, FirstKeyError> {
    if !listen.ip().to_canonical().is_loopback() {
        return Err(FirstKeyError::NotLoopback { listen });
    }
    let file = data_dir.join("agent.key");
    secret_file::read_or_make(&file, secret_file::random_hex)?;
    let admin_key = read_or_make_admin(data_dir)?;
    let agent_key = KeySettings { kid: LOCAL_KID.to_owned(), algorithm: Algorithm::Hs256, file, workspace: None };
    Ok(FirstKeys { agent_key, admin_key })
}

/// Reads `<data_dir>/admin.key`, or makes it: who can read the data directory administers the server.
pub fn read_or_make_admin(data_dir: &Path) -> Result<ApiKey, SecretFileError> {
    let path = data_dir.join("admin.key");
    let key = secret_file::read_or_make(&path, || {
        let (_, key) = ApiKey::draw(grant()).map_err(SecretFileError::Random)?;
        Ok(key)
    })?;
    ApiKey::of_text(&key, grant()).ok_or(SecretFileError::Damaged { path })
}

fn grant() -> ApiKeyGrant {
    ApiKeyGrant { scopes: Scopes::all(), workspace: None, name: "admin.key".to_owned(), created_at_s: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::auth::agent_token::AgentKeys;

    #[test]
    fn the_first_start_makes_both_keys_and_the_next_finds_them() {
        let dir = tempfile::tempdir().unwrap();
        let listen = "127.0.0.1:7788".parse().unwrap();
        let first = read_or_make(dir.path(), listen).unwrap();
        let again = read_or_make(dir.path(), listen).unwrap();
        assert_eq!(first.admin_key, again.admin_key);
        let key = secret_file::read(&dir.path().join("admin.key")).unwrap();
        assert!(again.admin_key.is(&key) && again.admin_key.reaches("any"));
        AgentKeys::load(&[again.agent_key], 30).unwrap();
    }

    #[test]
    fn on_an_address_that_others_reach_no_key_is_made() {
        let dir = tempfile::tempdir().unwrap();
        for listen in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1"] {
            let error = read_or_make(dir.path(), listen.parse().unwrap()).unwrap_err();
            assert!(matches!(error, FirstKeyError::NotLoopback { .. }));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

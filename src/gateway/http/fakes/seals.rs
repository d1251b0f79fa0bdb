//! Seals that show in a test what was sealed under which key, and still are not the clear text.

use crate::desk::ids::{CustomerId, KeyNumber};
use crate::gateway::http::desks::{NotSealed, Seals, Soon, Unread};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub(crate) struct FakeSeals {
    assigned: AtomicU64,
    pub erased: Mutex<BTreeSet<KeyNumber>>,
}

impl Seals for FakeSeals {
    fn assign(&self) -> Soon<'_, Result<KeyNumber, NotSealed>> {
        let key = KeyNumber(1 + self.assigned.fetch_add(1, Ordering::Relaxed));
        Box::pin(std::future::ready(Ok(key)))
    }
    fn seal(&self, key: KeyNumber, context: &[u8], clear: &[u8]) -> Result<Arc<str>, NotSealed> {
        let hex: String = clear.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{key}:{}:{hex}", String::from_utf8_lossy(context)).into())
    }
    fn unseal(&self, context: &[u8], sealed: &str) -> Result<Vec<u8>, Unread> {
        let mut parts = sealed.split(':');
        let (Some(key), Some(own), Some(hex)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Unread::Damaged);
        };
        if self.erased.lock().unwrap().contains(&key.parse().map_err(|_| Unread::Damaged)?) {
            return Err(Unread::Erased);
        }
        if own.as_bytes() != context {
            return Err(Unread::Damaged);
        }
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| Unread::Damaged);
        (0..hex.len()).step_by(2).map(byte).collect()
    }
    fn erase(&self, _: &str, _: CustomerId, keys: Vec<KeyNumber>) -> Soon<'_, Result<(), NotSealed>> {
        self.erased.lock().unwrap().extend(keys);
        Box::pin(std::future::ready(Ok(())))
    }
    fn is_erased(&self, key: KeyNumber) -> Result<bool, NotSealed> {
        Ok(self.erased.lock().unwrap().contains(&key))
    }
    fn keyed_hash(&self, domain: &str, bytes: &[u8]) -> [u8; 16] {
        let digest = Sha256::new().chain_update(domain).chain_update([0]).chain_update(bytes).finalize();
        std::array::from_fn(|place| digest[place])
    }
}

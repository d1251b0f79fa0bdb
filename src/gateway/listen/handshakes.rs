//! Connections whose first request has not come yet: bounded in all, and for each address, so that one who connects and says
//! nothing does not take the places of everybody. A trusted proxy speaks for many, and is bounded by the whole alone.

use crate::gateway::auth::client_address::{TrustedProxies, prefix};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Handshakes {
    places: Arc<Semaphore>,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    of_address_max: usize,
    proxies: TrustedProxies,
}

/// One that is under way; dropped with the first request, or with the connection.
#[derive(Debug)]
pub(super) struct Handshake {
    _place: OwnedSemaphorePermit,
    of: Option<(Arc<Handshakes>, IpAddr)>,
}

impl Handshakes {
    pub(super) fn new(most: usize, of_address_max: usize, proxies: TrustedProxies) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(most));
        Arc::new(Self { places, by_address: Mutex::default(), of_address_max, proxies })
    }

    /// Waits for a place; `None` when there will be none any more.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
    }

    /// `None`: its address has all that it may have.
    pub(super) fn begin(self: &Arc<Self>, place: OwnedSemaphorePermit, peer: IpAddr) -> Option<Handshake> {
        if self.proxies.trusts(peer) {
            return Some(Handshake { _place: place, of: None });
        }
        let address = prefix(peer);
        let mut by_address = self.lock();
        let own = by_address.entry(address).or_default();
        if *own >= self.of_address_max {
            return None;
        }
        *own += 1;
        drop(by_address);
        Some(Handshake { _place: place, of: Some((self.clone(), address)) })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let Some((handshakes, address)) = &self.of else { return };
        let mut by_address = handshakes.lock();
        if let Some(own) = by_address.get_mut(address) {
            *own -= 1;
            if *own == 0 {
                by_address.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::auth::client_address::ForwardedHeader;

    #[tokio::test]
    async fn one_address_takes_its_share_and_a_proxy_the_rest() {
        let proxies = TrustedProxies::parse(&["10.0.0.1".to_owned()], ForwardedHeader::None).unwrap();
        let handshakes = Handshakes::new(5, 2, proxies);
        let begin = async |address: &str| {
            let place = handshakes.place().await.unwrap();
            handshakes.begin(place, address.parse().unwrap())
        };
        let first = begin("192.0.2.1").await.unwrap();
        let _second = begin("192.0.2.1").await.unwrap();
        assert!(begin("192.0.2.1").await.is_none());
        let _other = begin("192.0.2.2").await.unwrap();
        let proxied = (begin("10.0.0.1").await, begin("10.0.0.1").await);
        assert!(proxied.0.is_some() && proxied.1.is_some());
        drop(first);
        assert!(begin("192.0.2.1").await.is_some());
        drop((proxied, _second, _other));
        assert!(handshakes.lock().is_empty());
    }
}

//! Why a connection was refused or dropped: one line in the log for each cause, as many as somebody can read. A flood is one cause again
//! and again, so of each there is a line every ten seconds at most, which says how many were like it and were not told.
//!
//! Whose it was is told by an address only where the settings say so, and how much of it: it is a person's.

use crate::clock;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Lines of one cause are so far apart at least.
const APART_MS: u64 = 10_000;

/// How much of an address the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    None,
    /// Its network: /24, or /48 of an IPv6 address.
    Network,
    Whole,
}

impl Addresses {
    /// Reads the setting's word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "network" => Some(Self::Network),
            "whole" => Some(Self::Whole),
            _ => None,
        }
    }

    fn of(self, address: IpAddr) -> Option<String> {
        let network = match address.to_canonical() {
            address if self == Self::Whole => return Some(address.to_string()),
            IpAddr::V4(v4) => format!("{}/24", std::net::Ipv4Addr::from_bits(v4.to_bits() >> 8 << 8)),
            IpAddr::V6(v6) => format!("{}/48", std::net::Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80)),
        };
        (self == Self::Network).then_some(network)
    }
}

static TOLD: AtomicU8 = AtomicU8::new(Addresses::None as u8);
static CAUSES: Mutex<BTreeMap<&'static str, Cause>> = Mutex::new(BTreeMap::new());

/// For this process, from now on.
pub fn tell_addresses(addresses: Addresses) {
    TOLD.store(addresses as u8, Relaxed);
}

fn told(address: IpAddr) -> Option<String> {
    let addresses = [Addresses::None, Addresses::Network, Addresses::Whole][usize::from(TOLD.load(Relaxed))];
    addresses.of(address)
}

/// A connection was not let in. `why` is of the list in docs/operating.md, never what a client sent.
pub fn refused(why: &'static str, address: IpAddr) {
    if let Some(suppressed) = due(why) {
        let address = told(address);
        tracing::info!(why, address, suppressed, "a connection was refused");
    }
}

/// One that was let in was ended by this side.
pub fn dropped(why: &'static str, address: IpAddr) {
    if let Some(suppressed) = due(why) {
        let address = told(address);
        tracing::info!(why, address, suppressed, "a connection was dropped");
    }
}

/// The same of an agent's session, which knows no address.
pub fn session_dropped(why: &'static str, session: impl std::fmt::Display) {
    if let Some(suppressed) = due(why) {
        tracing::info!(why, %session, suppressed, "a connection was dropped");
    }
}

/// How many of its kind were not told since the last line, where another one is due.
fn due(why: &'static str) -> Option<u64> {
    let mut causes = CAUSES.lock().unwrap_or_else(PoisonError::into_inner);
    causes.entry(why).or_default().came(clock::monotonic_ms())
}

#[derive(Debug, Default)]
struct Cause {
    again_at_ms: u64,
    suppressed: u64,
}

impl Cause {
    fn came(&mut self, now_ms: u64) -> Option<u64> {
        if now_ms < self.again_at_ms {
            self.suppressed += 1;
            return None;
        }
        self.again_at_ms = now_ms + APART_MS;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_in_ten_seconds_that_says_how_many_there_were() {
        let mut cause = Cause::default();
        assert_eq!(cause.came(0), Some(0));
        let told: Vec<_> = (1..25_000).filter_map(|ms| cause.came(ms)).collect();
        assert_eq!(told, [9_999, 9_999]);
        assert_eq!(cause.came(90_000), Some(4_999));
    }

    #[test]
    fn an_address_is_told_as_far_as_the_setting_says() {
        let (four, six): (IpAddr, IpAddr) = ("192.0.2.77".parse().unwrap(), "2001:db8:1:2:3::4".parse().unwrap());
        let told = |word: &str| Addresses::from_word(word).map(|much| (much.of(four), much.of(six))).unwrap();
        assert_eq!(told("none"), (None, None));
        assert_eq!(told("network"), (Some("192.0.2.0/24".into()), Some("2001:db8:1::/48".into())));
        assert_eq!(told("whole"), (Some("192.0.2.77".into()), Some("2001:db8:1:2:3::4".into())));
        assert_eq!(Addresses::from_word("some"), None);
    }
}

//! The address of who is asking, seen through proxies that are trusted by name and nobody else. Pure.
//!
//! Each proxy adds at the right what it saw. So the list is read from the right, past the trusted ones; what stands further
//! left was written by the client and is never looked at.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// Longer chains than this are not proxies but somebody's attempt.
const HOPS_MAX: usize = 32;

/// Which header the trusted proxies write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedHeader {
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
    None,
}

impl ForwardedHeader {
    /// Reads the setting's word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "x-forwarded-for" => Some(Self::XForwardedFor),
            "forwarded" => Some(Self::Forwarded),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// A network, as `address/bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) if !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= width).then_some(Self { address, bits })
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u32::from(own) ^ u32::from(other);
                differ.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = u128::from(own) ^ u128::from(other);
                differ.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The proxies that are believed, and where they write.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
}

impl TrustedProxies {
    /// Nobody is believed.
    #[must_use]
    pub fn none() -> Self {
        Self { networks: Vec::new(), header: ForwardedHeader::None }
    }

    /// The error is the entry that is no network.
    pub fn parse(list: &[String], header: ForwardedHeader) -> Result<Self, String> {
        let networks: Result<Vec<_>, _> =
            list.iter().map(|text| Network::parse(text).ok_or_else(|| text.clone())).collect();
        Ok(Self { networks: networks?, header })
    }

    /// Who is asking: the nearest address that is no trusted proxy. What cannot be read counts as not written: then it is
    /// the peer.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => "forwarded",
            ForwardedHeader::None => return peer,
        };
        let mut furthest = peer;
        let mut hops = 0;
        // Several lines are one list in their order (RFC 9110, 5.3).
        for line in headers.get_all(name).iter().rev() {
            let Ok(line) = line.to_str() else { return peer };
            for entry in split_outside_quotes(line, b',').into_iter().rev() {
                hops += 1;
                let address = match self.header {
                    ForwardedHeader::Forwarded => forwarded_for(entry),
                    _ => address_of(entry.trim()),
                };
                let Some(address) = address.filter(|_| hops <= HOPS_MAX) else {
                    return peer;
                };
                if !self.trusts(address) {
                    return address;
                }
                furthest = address;
            }
        }
        furthest
    }

    /// Whether this is a proxy that is believed.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// Who is counted as one: an IPv4 address, or the /64 that an IPv6 subscriber has all to itself.
#[must_use]
pub fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

/// The `for=` of one element of a Forwarded header.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let value = split_outside_quotes(element, b';').into_iter().find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    })?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    address_of(value)
}

/// Reads an address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).map(|address| address.to_canonical())
}

fn split_outside_quotes(text: &str, separator: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(header: ForwardedHeader, peer: &str, lines: &[&str]) -> String {
        let list = ["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()];
        let name = if header == ForwardedHeader::Forwarded { "forwarded" } else { "x-forwarded-for" };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().unwrap());
        }
        let proxies = TrustedProxies::parse(&list, header).unwrap();
        proxies.client_address(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_rightmost_address_that_is_no_trusted_proxy_is_the_client() {
        for (peer, lines, expected) in [
            ("10.0.0.1", &["203.0.113.7"][..], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.7, 10.2.3.4"], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.7, 10.2.3.4"], "203.0.113.7"),
            ("10.0.0.1", &["rubbish, 203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
            ("fd00::1", &["[2001:db8::1]:80"], "2001:db8::1"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            assert_eq!(client(ForwardedHeader::XForwardedFor, peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_header_from_a_peer_that_is_not_trusted_is_not_believed() {
        assert_eq!(client(ForwardedHeader::XForwardedFor, "203.0.113.9", &["1.1.1.1"]), "203.0.113.9");
        assert_eq!(client(ForwardedHeader::None, "10.0.0.1", &["1.1.1.1"]), "10.0.0.1");
    }

    #[test]
    fn what_cannot_be_read_leaves_the_peer() {
        let many = "10.1.1.1,".repeat(HOPS_MAX) + "10.1.1.1";
        for line in ["rubbish", "1.1.1.1, unknown", "", ",", &many] {
            assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &[line]), "10.0.0.1", "{line}");
        }
    }

    #[test]
    fn the_standard_header_is_read_with_its_quotes() {
        for (line, expected) in [
            ("for=203.0.113.7", "203.0.113.7"),
            ("For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.2", "2001:db8::1"),
            ("for=1.1.1.1, for=203.0.113.7;host=\"a,b;c\", for=10.2.2.2", "203.0.113.7"),
            ("for=unknown", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"),
            ("for=\"203.0.113.7", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(client(ForwardedHeader::Forwarded, "10.0.0.1", &[line]), expected, "{line}");
        }
    }

    #[test]
    fn networks_hold_what_their_bits_say() {
        let holds = |network: &str, address: &str| Network::parse(network).unwrap().contains(address.parse().unwrap());
        assert!(holds("0.0.0.0/0", "9.9.9.9") && holds("::/0", "2001:db8::1"));
        assert!(holds("192.168.1.7", "192.168.1.7") && !holds("192.168.1.7", "192.168.1.8"));
        assert!(holds("172.16.0.0/12", "172.31.255.255") && !holds("172.16.0.0/12", "172.32.0.0"));
        assert!(!holds("::/0", "9.9.9.9"));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/+8", "a/8"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}

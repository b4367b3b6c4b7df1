//! Where a request comes from: the other end of its connection, or, behind a proxy that we were told to believe, whom that
//! proxy names.

use app::{Error, Result};
use axum::http::HeaderMap;
use domain::say::Quoted;
use domain::{Code, say};
use std::net::IpAddr;

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<Network>);

/// A network in CIDR notation.
#[derive(Debug, Clone, Copy)]
struct Network {
    base: u128,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let ip = base.trim().parse::<IpAddr>().ok()?;
        let width = if ip.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        (bits <= width).then(|| Self {
            base: number(ip),
            // An IPv4 network lies in the mapped part of IPv6's numbers.
            bits: bits + (128 - width),
        })
    }

    fn contains(self, ip: IpAddr) -> bool {
        let shift = 128 - self.bits;
        self.base.checked_shr(shift) == number(ip).checked_shr(shift)
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_ipv6_mapped()),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

impl Proxies {
    /// Reads `server.trusted_proxies`.
    pub(crate) fn parse(texts: &[String]) -> Result<Self> {
        let network = |text: &String| {
            Network::parse(text).ok_or_else(|| {
                Error::invalid(
                    Code::ConfigInvalid,
                    say!("`server.trusted_proxies` has ", name Quoted(text), ", which is no address and no network"),
                )
                .hint("write `10.0.0.7` or `10.0.0.0/8`")
            })
        };
        Ok(Self(texts.iter().map(network).collect::<Result<_>>()?))
    }

    /// Returns whether there is one.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(ip))
    }

    /// Returns who sends a request: from right to left, the first address that is not a proxy of ours. What stands further
    /// left was written by anybody.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let values: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .map(|value| value.to_str().unwrap_or_default())
            .collect();
        let named = values.iter().rev().flat_map(|text| text.rsplit(','));
        for text in named {
            if !self.is_trusted(client) {
                break;
            }
            let Ok(ip) = text.trim().parse::<IpAddr>() else {
                break;
            };
            client = ip.to_canonical();
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let trusted = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"].map(str::to_owned);
        let proxies = Proxies::parse(&trusted).expect("networks");
        let check = |peer: &str, forwarded: &'static str, expect: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
            let client = proxies.client(peer.parse().expect("an address"), &headers);
            assert_eq!(client.to_string(), expect, "{peer} {forwarded}");
        };
        check("203.0.113.9", "192.0.2.1", "203.0.113.9");
        check("127.0.0.1", "192.0.2.1", "192.0.2.1");
        check("::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1");
        check(
            "127.0.0.1",
            "198.51.100.1, 192.0.2.1, 10.1.2.3",
            "192.0.2.1",
        );
        check("127.0.0.1", "nonsense", "127.0.0.1");
        check("127.0.0.1", "192.0.2.1, nonsense", "127.0.0.1");
        check("2001:db8::7", "192.0.2.1", "192.0.2.1");
        check("10.0.0.1", "10.0.0.2", "10.0.0.2");
        let none = Proxies::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        let peer = "127.0.0.1".parse().expect("an address");
        assert_eq!(none.client(peer, &headers), peer);
        for wrong in ["10.0.0.0/33", "x", "10.0.0.0/x", "::/129"] {
            assert!(Proxies::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}

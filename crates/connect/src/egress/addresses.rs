//! Which addresses are private, and which may never be contacted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// On the internet.
    Public,
    /// Inside a machine or a private network: only where it is listed.
    Private,
    /// Link-local, metadata services, multicast, reserved: never.
    Never,
}

/// Metadata services outside the link-local range: Oracle, Alibaba, Azure's wire server.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
/// AWS' metadata service on IPv6, inside the unique local range.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// Returns what kind of address `address` is; an IPv4 address inside an IPv6 one counts as that IPv4 address.
pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => reach_v4(inner),
            None => reach_v6(address),
        },
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    if METADATA_V4.contains(&address) {
        return Reach::Never;
    }
    match (a, b, c) {
        (0 | 224..=255, ..) | (169, 254, _) => Reach::Never,
        // RFC 6598, RFC 6890, RFC 2544 and the documentation ranges of RFC 5737 are routed nowhere public.
        (100, 64..=127, _)
        | (192, 0, 0 | 2)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113) => Reach::Private,
        _ if address.is_loopback() || address.is_private() => Reach::Private,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let [first, second, ..] = address.segments();
    if address == METADATA_V6 || address.is_unspecified() || address.is_multicast() {
        return Reach::Never;
    }
    match first {
        0xfe80..=0xfebf => Reach::Never,
        // Unique local, and the site-local range that RFC 3879 withdrew.
        0xfc00..=0xfdff | 0xfec0..=0xfeff => Reach::Private,
        0x2001 if second == 0x0db8 => Reach::Private,
        _ if address.is_loopback() => Reach::Private,
        // Only 2000::/3 is global unicast (RFC 4291 §2.4); the rest is unassigned.
        0x2000..=0x3fff => Reach::Public,
        _ => Reach::Never,
    }
}

/// Returns the IPv4 address inside `address`: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sorted_into_public_private_and_never() {
        let check = |text: &str, expect: Reach| {
            assert_eq!(reach(text.parse().expect("an address")), expect, "{text}");
        };
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            check(public, Reach::Public);
        }
        for private in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "198.18.0.1",
            "fec0::1",
        ] {
            check(private, Reach::Private);
        }
        for never in [
            "0.0.0.0",
            "169.254.169.254",
            "169.254.0.1",
            "::ffff:169.254.169.254",
            "fe80::1",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "ff02::1",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "4000::1",
        ] {
            check(never, Reach::Never);
        }
    }
}

//! Failures of people who have shown nothing: beyond a few per address and minute they are counted, not written one by one,
//! so that a guesser cannot fill the disk or hide in the log.

use crate::events::Event;
use domain::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};

/// Rows of one address in one minute.
pub const ROWS_MAX: u32 = 20;
/// How long an address is watched.
const WINDOW_MICROS: i64 = 60_000_000;
/// Addresses that are watched at once: beyond, new ones share one window, so that memory has a limit.
const ADDRESSES_MAX: usize = 10_000;

/// Whether a failure gets a row of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Write,
    /// It is counted, and part of the row of its minute.
    Counted,
}

/// What one address did in one minute beyond the rows it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flood {
    /// The network it came from; empty when it is not known, or for those who share a window.
    pub address: Option<IpAddr>,
    pub from: Timestamp,
    pub events: BTreeMap<&'static str, u64>,
}

impl Flood {
    /// Returns how many failures it was.
    pub fn count(&self) -> u64 {
        self.events.values().sum()
    }
}

/// A minute of one address.
struct Window {
    from: Timestamp,
    rows: u32,
    counted: BTreeMap<&'static str, u64>,
}

impl Window {
    const fn has_ended(&self, at: Timestamp) -> bool {
        let age = at.micros_since(self.from);
        age < 0 || age >= WINDOW_MICROS
    }
}

/// The addresses that failed in the last minute.
#[derive(Default)]
pub struct Floods {
    windows: HashMap<Option<IpAddr>, Window>,
    ended: Vec<Flood>,
}

impl Floods {
    /// Decides about a failure of `address` at `at`.
    pub fn note(&mut self, address: Option<IpAddr>, event: Event, at: Timestamp) -> Verdict {
        // It comes once in many failures, and whoever wonders why he cannot sign in looks for it.
        if event == Event::AccountLocked {
            return Verdict::Write;
        }
        let mut address = address.map(network);
        if !self.windows.contains_key(&address) && self.windows.len() >= ADDRESSES_MAX {
            self.end(Some(at));
            if self.windows.len() >= ADDRESSES_MAX {
                address = None;
            }
        }
        if self
            .windows
            .get(&address)
            .is_some_and(|window| window.has_ended(at))
            && let Some(window) = self.windows.remove(&address)
        {
            self.keep(address, window);
        }
        let window = self.windows.entry(address).or_insert_with(|| Window {
            from: at,
            rows: 0,
            counted: BTreeMap::new(),
        });
        if window.rows < ROWS_MAX {
            window.rows += 1;
            return Verdict::Write;
        }
        *window.counted.entry(event.as_str()).or_default() += 1;
        Verdict::Counted
    }

    /// Returns what was counted in minutes that have ended by `at`, or in all of them without it. It is told once.
    pub fn take(&mut self, at: Option<Timestamp>) -> Vec<Flood> {
        self.end(at);
        std::mem::take(&mut self.ended)
    }

    fn end(&mut self, at: Option<Timestamp>) {
        let ended = |window: &mut Window| at.is_none_or(|at| window.has_ended(at));
        let over: Vec<_> = self.windows.extract_if(|_, window| ended(window)).collect();
        for (address, window) in over {
            self.keep(address, window);
        }
        self.ended.sort_by_key(|flood| (flood.from, flood.address));
    }

    fn keep(&mut self, address: Option<IpAddr>, window: Window) {
        if !window.counted.is_empty() {
            self.ended.push(Flood {
                address,
                from: window.from,
                events: window.counted,
            });
        }
    }
}

/// Who has one address of version 6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_micros(1_763_795_000_000_000);

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// Notes `count` failures; returns how many got a row.
    fn rows(floods: &mut Floods, from: &str, count: u32, at: Timestamp) -> usize {
        (0..count)
            .filter(|_| floods.note(Some(address(from)), Event::LoginFailure, at) == Verdict::Write)
            .count()
    }

    #[test]
    fn beyond_twenty_a_minute_failures_of_an_address_are_counted() {
        let mut floods = Floods::default();
        assert_eq!(rows(&mut floods, "192.0.2.1", 50, NOON), 20);
        assert_eq!(rows(&mut floods, "192.0.2.2", 5, NOON), 5);
        assert_eq!(floods.take(Some(NOON.plus_seconds(59))), []);
        let later = NOON.plus_seconds(60);
        assert_eq!(rows(&mut floods, "192.0.2.1", 3, later), 3);
        let told = floods.take(Some(later));
        let [flood] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert_eq!(
            (flood.address, flood.count(), flood.from),
            (Some(address("192.0.2.1")), 30, NOON)
        );
        assert_eq!(flood.events.get("login_failure"), Some(&30));
        assert_eq!(floods.take(None), [], "it is told once");
    }

    #[test]
    fn a_network_of_version_6_is_one_address_and_one_of_version_4_keeps_its_own() {
        let mut floods = Floods::default();
        let written: usize = ["2001:db8::1", "2001:db8::2", "2001:db8::3"]
            .iter()
            .map(|from| rows(&mut floods, from, 10, NOON))
            .sum();
        assert_eq!(written, 20);
        assert_eq!(rows(&mut floods, "2001:db8:0:1::1", 20, NOON), 20);
        assert_eq!(rows(&mut floods, "192.0.2.1", 15, NOON), 15);
        assert_eq!(rows(&mut floods, "::ffff:192.0.2.1", 15, NOON), 5);
    }

    #[test]
    fn memory_has_a_limit_and_the_end_tells_everything() {
        let mut floods = Floods::default();
        for number in 0..u32::try_from(ADDRESSES_MAX).expect("small") + 100 {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(number));
            floods.note(Some(address), Event::LoginFailure, NOON);
        }
        assert!(floods.windows.len() <= ADDRESSES_MAX + 1);
        let told = floods.take(None);
        assert_eq!(told.iter().map(Flood::count).sum::<u64>(), 80);
    }

    #[test]
    fn a_clock_that_was_set_back_ends_the_minute() {
        let mut floods = Floods::default();
        assert_eq!(rows(&mut floods, "192.0.2.1", 30, NOON), 20);
        assert_eq!(
            rows(&mut floods, "192.0.2.1", 30, NOON.plus_seconds(-5)),
            20
        );
        assert_eq!(floods.take(None).len(), 2);
    }
}

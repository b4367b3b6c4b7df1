//! The egress guard: every outgoing connection of a source asks here for its addresses, and connects to those alone.
//!
//! Name, check and connection are one step: whoever resolves again after the check can be told another address the second
//! time (DNS rebinding), so [`Egress::check`] hands out the addresses themselves.

mod addresses;

use crate::failure::{Failure, FailureKind};
use addresses::Reach;
use domain::say;
use domain::say::Quoted;
use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A name server that has not answered by then will not.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(15);

/// The future of a [`Resolver`].
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Turns a host name into addresses; a parameter, so that tests need no name server.
pub trait Resolver: Send + Sync {
    /// Returns the addresses of `host`, with `port`.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// The operating system's resolver.
struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move {
            let found =
                tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((host, port)));
            Ok(found
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??
                .collect())
        })
    }
}

/// Decides which addresses may be contacted.
#[derive(Clone)]
pub struct Egress {
    allow_private: BTreeSet<String>,
    resolver: Arc<dyn Resolver>,
}

impl Egress {
    /// Returns a guard that lets through public addresses, and loopback and private ones of the hosts in `allow_private`
    /// (names or addresses).
    pub fn new(allow_private: impl IntoIterator<Item = String>) -> Self {
        Self::with_resolver(allow_private, Arc::new(SystemResolver))
    }

    /// Returns such a guard that asks `resolver`.
    pub fn with_resolver(
        allow_private: impl IntoIterator<Item = String>,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let allow_private = allow_private
            .into_iter()
            .map(|host| canonical(&host))
            .collect();
        Self {
            allow_private,
            resolver,
        }
    }

    /// Also lets through the loopback and private addresses of `host`.
    pub fn permit(&mut self, host: &str) {
        self.allow_private.insert(canonical(host));
    }

    /// Returns whether private addresses of `host` are let through.
    pub fn is_permitted(&self, host: &str) -> bool {
        self.allow_private.contains(&canonical(host))
    }

    /// Returns the addresses of `host` that may be contacted; at least one. Connect to these, never to the name.
    pub async fn check(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let host = canonical(host);
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self.resolver.resolve(&host, port).await.map_err(|error| {
                Failure::new(
                    FailureKind::Unreachable,
                    say!("the address of host ", name Quoted(&host), " cannot be found"),
                )
                .hint("check the host's name and this machine's network and name server")
                .caused_by(error)
            })?,
        };
        let mut worst = Reach::Public;
        let mut allowed = Vec::with_capacity(found.len());
        for address in found {
            match addresses::reach(address.ip()) {
                Reach::Public => allowed.push(address),
                Reach::Private if self.allows(&host, address.ip()) => allowed.push(address),
                other => worst = other,
            }
        }
        if allowed.is_empty() {
            Err(denied(&host, worst))
        } else {
            Ok(allowed)
        }
    }

    fn allows(&self, host: &str, address: IpAddr) -> bool {
        self.allow_private.contains(host)
            || self
                .allow_private
                .contains(&address.to_canonical().to_string())
    }
}

/// Returns `host` in the one form in which hosts are compared.
fn canonical(host: &str) -> String {
    let host = host.trim().trim_end_matches('.');
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => bare.to_ascii_lowercase(),
    }
}

fn denied(host: &str, worst: Reach) -> Failure {
    let host = Quoted(host);
    match worst {
        Reach::Never => Failure::new(
            FailureKind::EgressDenied,
            say!("host ", name host, " has a link-local, metadata or reserved address, which is never contacted"),
        ),
        Reach::Private => Failure::new(
            FailureKind::EgressDenied,
            say!("host ", name host, " has a private address, and private addresses are only contacted where they are allowed"),
        )
        .hint(say!("if that is meant, add ", name host, " to `egress.allow_private` in .dango/project.yml")),
        Reach::Public => Failure::new(FailureKind::Unreachable, say!("host ", name host, " has no address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table(Vec<(&'static str, Vec<&'static str>)>);

    impl Resolver for Table {
        fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
            Box::pin(async move {
                let row = self.0.iter().find(|(name, _)| *name == host);
                let found = row.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
                Ok(found
                    .1
                    .iter()
                    .map(|a| SocketAddr::new(a.parse().expect("address"), port))
                    .collect())
            })
        }
    }

    fn guard(allow: &[&str]) -> Egress {
        let table = Table(vec![
            ("api.example.com", vec!["93.184.216.34"]),
            ("inside.example.com", vec!["10.0.0.7"]),
            ("mixed.example.com", vec!["10.0.0.7", "93.184.216.34"]),
            ("metadata.example.com", vec!["169.254.169.254"]),
            ("mapped.example.com", vec!["::ffff:127.0.0.1"]),
            ("empty.example.com", vec![]),
        ]);
        Egress::with_resolver(allow.iter().map(ToString::to_string), Arc::new(table))
    }

    #[tokio::test]
    async fn private_addresses_are_contacted_only_where_allowed() {
        let check = async |allow: &[&str], host: &str, expect: Result<&str, FailureKind>| {
            let got = guard(allow).check(host, 443).await;
            let got = got.map(|a| {
                a.iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" ")
            });
            assert_eq!(
                got.map_err(|f| f.kind),
                expect.map(str::to_owned),
                "{allow:?} {host}"
            );
        };
        let denied = Err(FailureKind::EgressDenied);
        check(&[], "api.example.com", Ok("93.184.216.34:443")).await;
        check(&[], "API.example.com.", Ok("93.184.216.34:443")).await;
        check(&[], "inside.example.com", denied).await;
        check(
            &["Inside.Example.com"],
            "inside.example.com",
            Ok("10.0.0.7:443"),
        )
        .await;
        check(&["10.0.0.7"], "inside.example.com", Ok("10.0.0.7:443")).await;
        check(&["other.example.com"], "inside.example.com", denied).await;
        check(&[], "mixed.example.com", Ok("93.184.216.34:443")).await;
        check(
            &["metadata.example.com", "169.254.169.254"],
            "metadata.example.com",
            denied,
        )
        .await;
        check(&[], "mapped.example.com", denied).await;
        check(
            &["127.0.0.1"],
            "mapped.example.com",
            Ok("[::ffff:127.0.0.1]:443"),
        )
        .await;
        check(&[], "127.0.0.1", denied).await;
        check(&["::1"], "[::1]", Ok("[::1]:443")).await;
        check(&["127.0.0.1"], "127.0.0.1", Ok("127.0.0.1:443")).await;
        check(&[], "empty.example.com", Err(FailureKind::Unreachable)).await;
        check(&[], "unknown.example.com", Err(FailureKind::Unreachable)).await;
    }

    #[tokio::test]
    async fn a_denial_names_the_host_and_the_setting() {
        let failure = guard(&[])
            .check("inside.example.com", 443)
            .await
            .expect_err("private");
        assert!(
            failure.say.as_str().contains("`inside.example.com`"),
            "{failure}"
        );
        assert!(
            failure.hint.as_str().contains("egress.allow_private"),
            "{}",
            failure.hint
        );
    }
}

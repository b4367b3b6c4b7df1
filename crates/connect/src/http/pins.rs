//! Addresses that passed the egress guard: the only ones the HTTP client ever connects to.
//!
//! A host is checked once for all its ports, so what is handed out has none: the client takes the port of the URL.

use crate::egress::Egress;
use crate::failure::Failure;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The addresses of each host, as checked.
pub(super) struct Pins {
    egress: Egress,
    addresses: Mutex<HashMap<String, Vec<IpAddr>>>,
}

impl Pins {
    pub(super) fn new(egress: Egress) -> Self {
        Self {
            egress,
            addresses: Mutex::default(),
        }
    }

    /// Makes sure that `host` was checked.
    pub(super) async fn pin(&self, host: &str, port: u16) -> Result<(), Failure> {
        if self.lock().contains_key(host) {
            return Ok(());
        }
        let checked = self.egress.check(host, port).await?;
        let addresses = checked.iter().map(SocketAddr::ip).collect();
        self.lock().insert(host.to_owned(), addresses);
        Ok(())
    }

    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<IpAddr>>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolve for Pins {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lock().get(name.as_str()).cloned();
        Box::pin(async move {
            // The client asks only for hosts that were pinned just before; anything else is refused, not resolved.
            let found = found.ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))?;
            // Port 0 stands for the port of the URL; any other would be taken instead of it.
            let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

//! Addresses that passed the egress guard: the only ones the HTTP client ever connects to.

use crate::egress::Egress;
use crate::failure::Failure;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The addresses of each host, as checked.
pub(super) struct Pins {
    egress: Egress,
    addresses: Mutex<HashMap<String, Vec<SocketAddr>>>,
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
        self.lock().insert(host.to_owned(), checked);
        Ok(())
    }

    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<SocketAddr>>> {
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
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

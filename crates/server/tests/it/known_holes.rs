//! Holes that others had: each is tried here. `docs/KNOWN-HOLES.md` says of each where it is tried, or why it does not exist here.

mod dap;
mod getdango;
mod others;
mod seen;

use crate::project::{Answer, Served, Shows};
use server::{Door, Reach, table};
use std::net::IpAddr;

/// Nobody limits these.
const FREE: &str = "auth: {rate_limit: {enabled: false}}";
const CANARY: &str = "canary-s3cr3t-value-77";

impl Served {
    /// Signs in from an address.
    async fn login_from(&self, ip: [u8; 4], email: &str, password: &str) -> Answer {
        let body = serde_json::json!({"email": email, "password": password}).to_string();
        let request = Self::request("POST", "/api/auth/login", &Shows::Nothing, &body);
        self.send_from(Door::Web, IpAddr::from(ip), request).await
    }

    /// Returns the newest events of the audit log, by Dango's names.
    async fn events(&self, admin: &Shows) -> Vec<String> {
        let listed = self.get("/api/audit/events?limit=200", admin).await.json();
        let items = listed["items"].as_array().expect("items");
        let name = |item: &serde_json::Value| item["event"].as_str().expect("a name").to_owned();
        items.iter().map(name).collect()
    }
}

/// Returns every path that can be read at the browser's port and needs nothing filled in.
fn readable() -> Vec<String> {
    let table = table();
    let paths = table.routes().filter(|route| {
        route.method == "GET" && route.reach == Reach::Everywhere && !route.path.contains('{')
    });
    paths.map(|route| format!("/api{}", route.path)).collect()
}

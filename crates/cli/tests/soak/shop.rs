//! The data that is synced: the same for every kind of source, in two states, so that a first load and a later one are
//! both interrupted.

use serde_json::{Value, json};

/// Orders in the first state.
pub(crate) const ORDERS: u64 = 6_000;
/// Orders that the second state adds.
pub(crate) const ADDED: u64 = 500;

/// What the source holds: before, or after somebody worked on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    First,
    /// More orders, and every seventh changed.
    Second,
}

/// One order.
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) customer: String,
    pub(crate) cents: u64,
    /// Seconds since 2024-01-01T00:00:00Z; what the cursor follows.
    pub(crate) updated: u64,
}

impl Order {
    /// Returns `12.34`.
    pub(crate) fn total(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }

    /// Returns the change time as `2024-01-01 00:00:00`, day and second only, which is enough for an order.
    pub(crate) fn updated_at(&self) -> String {
        let (day, second) = (self.updated / 86_400, self.updated % 86_400);
        format!(
            "2024-{:02}-{:02} {:02}:{:02}:{:02}",
            1 + day / 28,
            1 + day % 28,
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    /// Returns the order as an API gives it, with a nested list.
    pub(crate) fn to_json(&self) -> Value {
        let lines: Vec<_> = (0..self.id % 3)
            .map(|line| json!({"sku": format!("s{line}"), "quantity": line + 1}))
            .collect();
        json!({
            "id": self.id,
            "customer": {"name": self.customer},
            "total": self.total(),
            "updated_at": self.updated_at().replace(' ', "T") + "Z",
            "lines": lines,
        })
    }
}

/// Returns the orders of a state, ordered by id.
pub(crate) fn orders(state: State) -> Vec<Order> {
    let last = ORDERS + if state == State::Second { ADDED } else { 0 };
    (1..=last)
        .map(|id| {
            let changed = state == State::Second && (id % 7 == 0 || id > ORDERS);
            Order {
                id,
                customer: format!("customer {}", id % 97),
                cents: id * 37 % 100_000 + u64::from(changed),
                updated: id * 60 + if changed { 10_000_000 } else { 0 },
            }
        })
        .collect()
}

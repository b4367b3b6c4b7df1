//! The shop's data, made from a seed: every demo has the same customers, orders, events and reviews.

use chrono::{Duration, NaiveDate, NaiveDateTime};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

/// Changing it changes every demo, and the numbers in the tests.
const SEED: u64 = 0x6461_6e67_6f21;
const CUSTOMERS: u32 = 1_000;
const ORDERS: u32 = 12_000;
const EVENTS: u32 = 6_000;
const REVIEWS: u32 = 750;

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Bjørn", "Chloé", "Dmitri", "Esra", "Fatou", "Grace", "Hiroshi", "Inês", "Jürgen",
    "Kofi", "Lucía", "Mei", "Noor", "Olu", "Zoë",
];
const LAST_NAMES: [&str; 14] = [
    "Andersen", "Bauer", "Costa", "D'Angelo", "Eze", "Fischer", "García", "Haddad", "Ivanova",
    "Kim", "Müller", "O'Brien", "Šimić", "Tanaka",
];
const COUNTRIES: [&str; 8] = ["DE", "FR", "GB", "IT", "JP", "NO", "PT", "US"];
const STATUSES: [&str; 6] = [
    "delivered",
    "delivered",
    "delivered",
    "shipped",
    "cancelled",
    "returned",
];
const EVENT_KINDS: [&str; 4] = ["page_view", "search", "add_to_cart", "checkout"];
const SYSTEMS: [&str; 4] = ["android", "ios", "linux", "windows"];
/// Name, category, price in cents.
const PRODUCTS: [(&str, &str, u32); 16] = [
    ("Mango, dried", "food", 495),
    ("Mango chutney", "food", 620),
    ("Mango tea", "drinks", 750),
    ("Mango lassi", "drinks", 350),
    ("Knife \"No. 5\"", "kitchen", 4_990),
    ("Cutting board", "kitchen", 2_450),
    ("Apron", "kitchen", 1_895),
    ("Tea pot, 1 l", "kitchen", 3_200),
    ("Tea towel", "kitchen", 1_075),
    ("Notebook A5", "paper", 890),
    ("Pencil, soft", "paper", 195),
    ("Poster", "paper", 1_500),
    ("Sun hat", "garden", 2_290),
    ("Watering can", "garden", 2_875),
    ("Mango tree, 1 m", "garden", 5_900),
    ("Gift card", "other", 2_500),
];

/// A customer, as a row of `customers.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Customer {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) country: &'static str,
    pub(crate) signed_up_on: NaiveDate,
}

/// A product, as a row of `products.parquet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// With leading zeros: it must stay text.
    pub(crate) sku: String,
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    pub(crate) price_cents: u32,
}

/// An order line, as a row of `orders.csv.gz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: u32,
    pub(crate) customer: u32,
    pub(crate) sku: String,
    pub(crate) quantity: u32,
    pub(crate) amount_cents: u32,
    pub(crate) status: &'static str,
    pub(crate) ordered_at: NaiveDateTime,
}

/// Everything the shop has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shop {
    pub(crate) customers: Vec<Customer>,
    pub(crate) products: Vec<Product>,
    pub(crate) orders: Vec<Order>,
    /// Nested records, a line each of `events.jsonl`.
    pub(crate) events: Vec<Value>,
    /// What the API serves.
    pub(crate) reviews: Vec<Value>,
}

/// Opens the shop.
pub(crate) fn open() -> Shop {
    let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(SEED));
    let products = products();
    let customers = (1..=CUSTOMERS).map(|id| customer(&mut dice, id)).collect();
    let orders = (1..=ORDERS)
        .map(|id| order(&mut dice, id, &products))
        .collect();
    let events = (1..=EVENTS)
        .map(|id| event(&mut dice, id, &products))
        .collect();
    let reviews = (1..=REVIEWS)
        .map(|id| review(&mut dice, id, &products))
        .collect();
    Shop {
        customers,
        products,
        orders,
        events,
        reviews,
    }
}

struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// Returns a number from `low` to `high`, both included.
    fn roll(&mut self, low: u32, high: u32) -> u32 {
        self.0.random_range(low..=high)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let index = self.0.random_range(0..from.len().max(1));
        from.get(index).copied()
    }

    fn word(&mut self, from: &[&'static str]) -> &'static str {
        self.pick(from).unwrap_or_default()
    }

    fn product<'a>(&mut self, products: &'a [Product]) -> (&'a str, u32) {
        let index = self.0.random_range(0..products.len().max(1));
        products.get(index).map_or(("", 0), |product| {
            (product.sku.as_str(), product.price_cents)
        })
    }

    /// Returns a moment of 2025 or 2026.
    fn moment(&mut self) -> NaiveDateTime {
        let minutes = self.roll(0, 660 * 24 * 60 - 1);
        let seconds = self.roll(0, 59);
        let start = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default();
        start.and_time(chrono::NaiveTime::MIN)
            + Duration::minutes(i64::from(minutes))
            + Duration::seconds(i64::from(seconds))
    }
}

fn products() -> Vec<Product> {
    let numbered = (1_u32..).zip(PRODUCTS);
    numbered
        .map(|(number, (name, category, price_cents))| Product {
            sku: format!("{:05}", number * 7),
            name,
            category,
            price_cents,
        })
        .collect()
}

fn customer(dice: &mut Dice, id: u32) -> Customer {
    let (first, last) = (dice.word(&FIRST_NAMES), dice.word(&LAST_NAMES));
    Customer {
        id,
        name: format!("{first} {last}"),
        email: format!("customer{id}@shop.example"),
        country: dice.word(&COUNTRIES),
        signed_up_on: dice.moment().date(),
    }
}

fn order(dice: &mut Dice, id: u32, products: &[Product]) -> Order {
    let (sku, price) = dice.product(products);
    let quantity = dice.roll(1, 4);
    Order {
        id,
        customer: dice.roll(1, CUSTOMERS),
        sku: sku.to_owned(),
        quantity,
        amount_cents: price * quantity,
        status: dice.word(&STATUSES),
        ordered_at: dice.moment(),
    }
}

fn event(dice: &mut Dice, id: u32, products: &[Product]) -> Value {
    let kind = dice.word(&EVENT_KINDS);
    let mut event = json!({
        "event_id": id,
        "customer_id": dice.roll(1, CUSTOMERS),
        "kind": kind,
        "at": stamp(dice.moment()),
        "device": {"os": dice.word(&SYSTEMS), "screen": {"width": dice.roll(320, 3_840)}},
    });
    if kind == "checkout" {
        let items = (0..dice.roll(1, 3)).map(|_| {
            let (sku, _) = dice.product(products);
            json!({"sku": sku, "quantity": dice.roll(1, 4)})
        });
        let items: Vec<_> = items.collect();
        if let Some(fields) = event.as_object_mut() {
            fields.insert("items".into(), items.into());
        }
    }
    event
}

fn review(dice: &mut Dice, id: u32, products: &[Product]) -> Value {
    let (sku, _) = dice.product(products);
    let stars = dice.roll(1, 5).max(dice.roll(1, 5));
    json!({
        "id": id,
        "sku": sku,
        "customer_id": dice.roll(1, CUSTOMERS),
        "stars": stars,
        "created_at": stamp(dice.moment()),
        "author": {"verified": dice.roll(0, 3) > 0},
    })
}

/// Returns a moment as RFC 3339 in UTC.
pub(crate) fn stamp(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns cents as a decimal with two places.
pub(crate) fn money(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demo_has_the_same_shop() {
        let shop = open();
        assert_eq!(shop, open());
        assert_eq!((shop.customers.len(), shop.orders.len()), (1_000, 12_000));
        assert_eq!(
            (shop.events.len(), shop.reviews.len(), shop.products.len()),
            (6_000, 750, 16)
        );
        assert!(
            shop.orders
                .iter()
                .all(|order| (1..=CUSTOMERS).contains(&order.customer))
        );
        assert!(
            shop.products
                .iter()
                .all(|product| product.sku.starts_with("00"))
        );
        let revenue: u32 = shop.orders.iter().map(|order| order.amount_cents).sum();
        assert!(revenue > 10_000_000, "{revenue}");
    }

    #[test]
    fn money_has_two_places() {
        assert_eq!(
            (money(1_075), money(5), money(100)),
            ("10.75".into(), "0.05".into(), "1.00".into())
        );
    }
}

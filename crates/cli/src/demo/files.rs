//! The shop's data as files: a CSV, a compressed one, and lines of nested JSON. The Parquet file is written by the warehouse.

use super::shop::{Shop, money, stamp};
use flate2::Compression;
use flate2::write::GzEncoder;
use fs_err as fs;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes the files below `folder`, which need not exist. Written again, they are the same to the byte.
pub(crate) fn write(shop: &Shop, folder: &Path) -> io::Result<()> {
    for part in ["shop", "events", "products"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(folder.join("shop/customers.csv"), customers(shop))?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(orders(shop).as_bytes())?;
    fs::write(folder.join("shop/orders.csv.gz"), gzip.finish()?)?;
    fs::write(folder.join("events/events.jsonl"), events(shop))
}

/// Returns a SELECT whose rows are the products: what the Parquet file is exported from.
pub(crate) fn products_query(shop: &Shop) -> String {
    let literal = domain::names::quote_literal;
    let rows: Vec<_> = shop
        .products
        .iter()
        .map(|product| {
            let (sku, name, category) = (&product.sku, product.name, product.category);
            let price = money(product.price_cents);
            format!(
                "({}, {}, {}, {price}::DECIMAL(10,2))",
                literal(sku),
                literal(name),
                literal(category)
            )
        })
        .collect();
    format!(
        "SELECT * FROM (VALUES {}) AS products(sku, name, category, price)",
        rows.join(", ")
    )
}

fn customers(shop: &Shop) -> String {
    let mut text = String::from("customer_id,name,email,country,signed_up_on\n");
    for customer in &shop.customers {
        // Writing into a String cannot fail. No name has a comma or a double quote.
        let _ = writeln!(
            text,
            "{},{},{},{},{}",
            customer.id, customer.name, customer.email, customer.country, customer.signed_up_on
        );
    }
    text
}

fn orders(shop: &Shop) -> String {
    let mut text = String::from("order_id,customer_id,sku,quantity,amount,status,ordered_at\n");
    for order in &shop.orders {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{}",
            order.id,
            order.customer,
            order.sku,
            order.quantity,
            money(order.amount_cents),
            order.status,
            stamp(order.ordered_at)
        );
    }
    text
}

fn events(shop: &Shop) -> String {
    let mut text = String::new();
    for event in &shop.events {
        let _ = writeln!(text, "{event}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::shop;
    use super::*;

    #[test]
    fn the_files_are_the_same_every_time() {
        let (shop, folder) = (shop::open(), tempfile::tempdir().expect("a folder"));
        let read = || {
            write(&shop, folder.path()).expect("written");
            [
                "shop/customers.csv",
                "shop/orders.csv.gz",
                "events/events.jsonl",
            ]
            .map(|name| fs::read(folder.path().join(name)).expect("read"))
        };
        let first = read();
        assert_eq!(first, read());
        assert!(first[0].starts_with(b"customer_id,name,"));
        assert!(first[1].starts_with(&[0x1f, 0x8b]));
    }

    #[test]
    fn product_names_are_quoted() {
        let query = products_query(&shop::open());
        assert!(
            query.contains("('00007', 'Mango, dried', 'food', 4.95::DECIMAL(10,2))"),
            "{query}"
        );
    }
}

//! The kinds of sources, each with the shop's data in it.

use crate::shop::{Order, State, orders};
use serde_json::json;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use testkit::servers::{DATABASE, Mariadb, PASSWORD, Postgres, USER};

/// Every kind of source that a campaign is played on.
pub(crate) const KINDS: [&str; 4] = ["files", "postgres", "mysql", "rest"];
/// Records of one page of the API.
const PAGE: usize = 500;

/// Where the data comes from.
pub(crate) enum Origin {
    Files(TempDir),
    Postgres(&'static Postgres),
    Mysql(&'static Mariadb),
    Rest { port: u16, state: Arc<Mutex<State>> },
}

impl Origin {
    /// Starts a source of a kind.
    pub(crate) fn start(kind: &str) -> Self {
        let origin = match kind {
            "files" => Self::Files(TempDir::new().expect("a temporary folder")),
            "postgres" => Self::Postgres(Postgres::shared()),
            "mysql" => Self::Mysql(Mariadb::shared()),
            "rest" => {
                let state = Arc::new(Mutex::new(State::First));
                Self::Rest {
                    port: serve(Arc::clone(&state)),
                    state,
                }
            }
            other => panic!("there is no kind of source called {other}; there are {KINDS:?}"),
        };
        origin.set(State::First);
        origin
    }

    /// Brings the source into a state.
    pub(crate) fn set(&self, state: State) {
        match self {
            Self::Files(folder) => write_files(folder.path(), state),
            Self::Postgres(server) => {
                for statements in script(state) {
                    server.sql(DATABASE, &statements);
                }
            }
            Self::Mysql(server) => {
                for statements in script(state) {
                    server.sql(DATABASE, &statements);
                }
            }
            Self::Rest { state: current, .. } => *current.lock().expect("not poisoned") = state,
        }
    }

    /// Returns the tables that a sync fills.
    pub(crate) fn tables(&self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Files(_) => &[
                "raw_shop.orders",
                "raw_shop.events",
                "raw_shop.events__lines",
            ],
            Self::Postgres(_) | Self::Mysql(_) => &["raw_shop.orders", "raw_shop.customers"],
            Self::Rest { .. } => &["raw_shop.orders", "raw_shop.orders__lines"],
        };
        names.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn sources_yml(&self) -> String {
        let block = match self {
            Self::Files(folder) => format!(
                "type: local_files\n    local_files:\n      directory: {}\n      tables:\n        \
                 - {{name: orders, pattern: 'orders-*.csv'}}\n        - {{name: events, pattern: '*.jsonl'}}\n",
                folder.path().display()
            ),
            Self::Postgres(server) => database("postgres", server.port()),
            Self::Mysql(server) => database("mysql", server.port()),
            Self::Rest { port, .. } => format!(
                "type: rest_api\n    rest_api:\n      base_url: http://127.0.0.1:{port}/\n      auth_type: none\n      endpoints:\n        \
                 - name: orders\n          path: orders\n          data_selector: data\n          primary_key: id\n          \
                 params: {{limit: {PAGE}}}\n          \
                 paginator: {{type: cursor, cursor_path: next, cursor_param: after}}\n"
            ),
        };
        format!("version: \"1.0\"\nsources:\n  - name: shop\n    {block}")
    }

    pub(crate) fn secrets_toml(&self) -> String {
        match self {
            Self::Postgres(_) | Self::Mysql(_) => {
                format!("[sources.shop]\npassword = \"{PASSWORD}\"\n")
            }
            Self::Files(_) | Self::Rest { .. } => String::new(),
        }
    }
}

/// Orders can be resumed (a key and a cursor), customers are read whole.
fn database(kind: &str, port: u16) -> String {
    format!(
        "type: {kind}\n    {kind}:\n      host: 127.0.0.1\n      port: {port}\n      database: {DATABASE}\n      username: {USER}\n      \
         tables:\n        - {{name: orders, cursor: updated_at, primary_key: [id]}}\n        - {{name: customers}}\n"
    )
}

/// Returns the SQL, for both databases, that brings the tables into a state, in parts that fit a command line.
fn script(state: State) -> Vec<String> {
    let mut parts = vec![
        "DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS customers; \
         CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR(50), total DECIMAL(12,2), updated_at TIMESTAMP NULL); \
         CREATE TABLE customers (id BIGINT PRIMARY KEY, name VARCHAR(50));"
            .to_owned(),
    ];
    for some in orders(state).chunks(1_000) {
        let row = |order: &Order| {
            format!(
                "({}, '{}', {}, '{}')",
                order.id,
                order.customer,
                order.total(),
                order.updated_at()
            )
        };
        let rows: Vec<_> = some.iter().map(row).collect();
        parts.push(format!("INSERT INTO orders VALUES {};", rows.join(", ")));
    }
    let last = if state == State::First { 800 } else { 900 };
    let rows: Vec<_> = (1..=last)
        .map(|id| format!("({id}, 'customer {id}')"))
        .collect();
    parts.push(format!("INSERT INTO customers VALUES {};", rows.join(", ")));
    parts
}

fn write_files(folder: &Path, state: State) {
    let all = orders(state);
    for (number, part) in all.chunks(2_000).enumerate() {
        let mut text = String::from("id,customer,total,updated_at\n");
        for order in part {
            writeln!(
                text,
                "{},{},{},{}",
                order.id,
                order.customer,
                order.total(),
                order.updated_at()
            )
            .expect("a string");
        }
        std::fs::write(folder.join(format!("orders-{number}.csv")), text).expect("written");
    }
    let keep = all.chunks(2_000).count();
    for number in keep..keep + 4 {
        // A file of another state; most are not there.
        let _ = std::fs::remove_file(folder.join(format!("orders-{number}.csv")));
    }
    let lines: Vec<_> = all
        .iter()
        .take(1_500)
        .map(|order| order.to_json().to_string())
        .collect();
    std::fs::write(folder.join("events.jsonl"), lines.join("\n") + "\n").expect("written");
}

/// Serves `GET /orders?limit=…&after=…` on a free port, as long as the process lives.
fn serve(state: Arc<Mutex<State>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let records = [State::First, State::Second]
        .map(|state| orders(state).iter().map(Order::to_json).collect::<Vec<_>>());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let current = *state.lock().expect("not poisoned");
            let records = &records[usize::from(current == State::Second)];
            // A client that was killed in the middle is what this is for.
            let _ = answer(&connection, records);
        }
    });
    port
}

fn answer(connection: &TcpStream, records: &[serde_json::Value]) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let after = request
        .split(['?', '&', ' '])
        .find_map(|part| part.strip_prefix("after="))
        .and_then(|after| after.parse::<usize>().ok())
        .unwrap_or(0);
    let page = &records[after.min(records.len())..(after + PAGE).min(records.len())];
    let next = (after + PAGE < records.len()).then_some((after + PAGE).to_string());
    let body = json!({ "data": page, "next": next }).to_string();
    let mut writer = connection;
    write!(
        writer,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

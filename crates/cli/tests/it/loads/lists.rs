//! An HTTP API on the loopback address whose lists a test sets, and which it cuts off where it likes.

use crate::project::Project;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct State {
    lists: BTreeMap<String, Vec<Value>>,
    /// Requests for the list from this record on are answered with 500.
    cut: Option<(String, usize)>,
    /// The next request from this record on is answered with 404.
    forgotten: Option<usize>,
}

/// The running API: `GET /<list>?after=N&since=S&until=U` in pages, the bounds being those of the field `at`.
pub(super) struct Lists {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Lists {
    pub(super) fn start(page: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // A client that has heard enough hangs up.
                    let _ = answer(&stream, &shared, page);
                });
            }
        });
        Self { port, state }
    }

    pub(super) fn set(&self, list: &str, records: Vec<Value>) {
        let mut state = self.state.lock().expect("not poisoned");
        state.lists.insert(list.to_owned(), records);
    }

    /// Breaks the list off from its `record`-th record on; `None` heals it.
    pub(super) fn cut(&self, at: Option<(&str, usize)>) {
        let at = at.map(|(list, record)| (list.to_owned(), record));
        self.state.lock().expect("not poisoned").cut = at;
    }

    /// Lets the API not know, once, what it is asked for when it is to go on at `record`.
    pub(super) fn forget(&self, record: usize) {
        self.state.lock().expect("not poisoned").forgotten = Some(record);
    }

    /// Makes a project whose one source `pay` is this API; `endpoints` are YAML flow maps.
    pub(super) fn project(&self, endpoints: &[&str]) -> Project {
        let project = Project::new();
        self.describe(&project, endpoints, "");
        project
    }

    /// Writes the source's description; `more` are further keys of the source.
    pub(super) fn describe(&self, project: &Project, endpoints: &[&str], more: &str) {
        let mut text = format!(
            "version: \"1.0\"\nsources:\n  - name: pay\n    type: rest_api\n    shrink_limit_percent: 100\n{more}    \
             rest_api:\n      base_url: http://127.0.0.1:{}\n      retries_max: 0\n      data_selector: data\n      \
             paginator: {{type: cursor, cursor_path: next, cursor_param: after}}\n      endpoints:\n",
            self.port
        );
        for endpoint in endpoints {
            writeln!(text, "        - {{{endpoint}}}").expect("a string");
        }
        project.write(".dango/sources.yml", &text);
    }
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>, page: usize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let list = target.split('?').next().unwrap_or_default();
    let list = list.trim_start_matches('/');
    let number = |name: &str| -> Option<i64> {
        let found = target
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix(name));
        found.and_then(|number| number.parse().ok())
    };
    let after = number("after=").map_or(0, |after| usize::try_from(after).unwrap_or(0));
    let (status, body) = {
        let mut state = state.lock().expect("not poisoned");
        let is_cut = |(name, record): &(String, usize)| name == list && after >= *record;
        if state.forgotten == Some(after) {
            state.forgotten = None;
            ("404 Not Found", "{}".to_owned())
        } else if state.cut.as_ref().is_some_and(is_cut) {
            ("500 Internal Server Error", "{}".to_owned())
        } else {
            let empty = Vec::new();
            let within = |record: &&Value| {
                let at = record["at"].as_i64();
                number("since=").is_none_or(|since| at >= Some(since))
                    && number("until=").is_none_or(|until| at <= Some(until))
            };
            let records = state.lists.get(list).unwrap_or(&empty).iter();
            let wanted: Vec<&Value> = records.filter(within).collect();
            let next = (after + page < wanted.len()).then_some((after + page).to_string());
            let records: Vec<_> = wanted.into_iter().skip(after).take(page).collect();
            ("200 OK", json!({"data": records, "next": next}).to_string())
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

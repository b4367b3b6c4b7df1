//! Canaries: secrets of every kind in every place, every command over them, and then a search of every byte that came out or
//! was written down.

mod secret;
mod server;

use crate::project::{Project, Ran};
use secret::{Canary, Search};
use server::CarelessApi;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use testkit::servers::{DATABASE, Mariadb, Postgres, USER};

/// Where users put secrets themselves; everything else is searched.
const WRITTEN_BY_USERS: [&str; 7] = [
    ".dlt/secrets.toml",
    ".env",
    ".dango/sources.yml",
    "connectors/pay.yml",
    "key.txt",
    "keys.txt",
    "broken.yml",
];

/// Everything that came out of the commands so far.
struct Sweep {
    project: Project,
    canaries: Vec<Canary>,
    search: Search,
    variables: Vec<(String, String)>,
    leaks: Vec<String>,
}

impl Sweep {
    fn new() -> Self {
        Self {
            project: Project::new(),
            canaries: Vec::new(),
            search: Search::default(),
            variables: Vec::new(),
            leaks: Vec::new(),
        }
    }

    /// Makes the canary `name`; what a letter or digit is not, is there to be encoded.
    fn canary(&mut self, name: &'static str, shape: &str) -> String {
        let number = self.canaries.len() as u64 + 1;
        let canary = Canary::new(name, number, shape);
        let value = canary.value.clone();
        self.search.add(&canary);
        self.canaries.push(canary);
        value
    }

    /// Makes a canary and returns it as it is and as a URL holds it.
    fn url_canary(&mut self, name: &'static str, shape: &str) -> (String, String) {
        let value = self.canary(name, shape);
        let percent = self.canaries.last().map(Canary::percent);
        (value, percent.unwrap_or_default())
    }

    fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    fn run(&mut self, words: &[&str]) -> Ran {
        self.run_with(words, "")
    }

    /// Runs a command with all there is to log and searches what it says.
    fn run_with(&mut self, words: &[&str], stdin: &str) -> Ran {
        let mut variables: Vec<_> = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        // Also what libraries log, whether or not it is meant to be read.
        variables.push(("DANGO_LOG", "trace"));
        let ran = self.project.run_with(words, stdin, &variables);
        let said = [("stdout", &ran.stdout), ("stderr", &ran.stderr)];
        for (place, text) in said {
            self.search(&format!("{place} of {words:?}"), text.as_bytes());
        }
        assert!(
            ran.code.is_some_and(|code| code != 70 && code < 100),
            "{words:?}: {ran:#?}"
        );
        ran
    }

    fn search(&mut self, place: &str, bytes: &[u8]) {
        for trace in self.search.traces(bytes) {
            self.leaks.push(format!(
                "{place}: {} as {}: …{}…",
                trace.canary, trace.form, trace.near
            ));
        }
    }

    /// Searches every file below the project that the user did not write himself.
    fn search_files(&mut self) {
        let root = self.project.path("");
        let mut folders = vec![root.clone()];
        let mut count = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path
                    .strip_prefix(&root)
                    .expect("below the project")
                    .to_path_buf();
                if path.is_symlink() {
                    // What it leads to is searched in its own place.
                } else if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() && !is_users(&name) {
                    let bytes = fs_err::read(&path).expect("a file");
                    count += 1;
                    self.search(&name.display().to_string(), &bytes);
                }
            }
        }
        assert!(
            count > 4,
            "the log, the store and the warehouse are among the files"
        );
    }

    fn finish(mut self) {
        self.search_files();
        let count = self.leaks.len();
        self.leaks.truncate(200);
        assert!(count == 0, "{count} leaks:\n{}", self.leaks.join("\n---\n"));
    }
}

fn is_users(name: &Path) -> bool {
    WRITTEN_BY_USERS
        .iter()
        .any(|users| name == Path::new(users))
}

fn toml(text: &str) -> String {
    format!("'''{text}'''")
}

/// Adds the sources of the databases; every one has its own user and password.
fn databases(sweep: &mut Sweep, sources: &mut String, secrets: &mut BTreeMap<String, String>) {
    let postgres = Postgres::shared();
    let mariadb = Mariadb::shared();
    postgres.sql(DATABASE, "CREATE SCHEMA IF NOT EXISTS canaries; CREATE TABLE IF NOT EXISTS canaries.t AS SELECT 1 AS id; GRANT USAGE ON SCHEMA canaries TO PUBLIC; GRANT SELECT ON canaries.t TO PUBLIC");
    mariadb.sql(
        DATABASE,
        "CREATE TABLE IF NOT EXISTS canaries (id INT); INSERT INTO canaries VALUES (1)",
    );
    let role = |name: &str, password: &str| {
        let quoted = password.replace('\'', "''");
        postgres.sql(
            DATABASE,
            &format!("CREATE ROLE u_{name} LOGIN PASSWORD '{quoted}'"),
        );
    };
    let user = |name: &str, password: &str| {
        let quoted = password.replace('\\', "\\\\").replace('\'', "''");
        mariadb.sql(DATABASE, &format!("CREATE USER u_{name}@'%' IDENTIFIED BY '{quoted}'; GRANT SELECT ON {DATABASE}.* TO u_{name}@'%'"));
    };
    let (pg, my) = (postgres.port(), mariadb.port());
    let block = |kind: &str, name: &str, port: u16, schema: &str, more: &str| {
        format!(
            "  - name: {name}\n    type: {kind}\n    {kind}:\n      host: 127.0.0.1\n      port: {port}\n      database: {DATABASE}\n      username: u_{name}\n      {schema}\n{more}"
        )
    };
    let pg_block =
        |name: &str, more: &str| block("postgres", name, pg, "schemas: [canaries]", more);
    let my_block = |name: &str, more: &str| block("mysql", name, my, "tables: [canaries]", more);

    // .dlt/secrets.toml, in each of its forms.
    let value = sweep.canary(
        "postgres password in [sources.x.credentials]",
        "p\"'{}\\ü@/:%41",
    );
    role("pg_table", &value);
    sources.push_str(&pg_block("pg_table", ""));
    secrets.insert(
        "sources.pg_table.credentials".into(),
        format!("password = {}", toml(&value)),
    );
    let (value, percent) = sweep.url_canary(
        "postgres password in a URL in secrets.toml",
        "u@:/?#{}[ß]%'\"+ ~",
    );
    role("pg_url", &value);
    write!(
        sources,
        "  - name: pg_url\n    type: postgres\n    postgres: {{schemas: [canaries]}}\n"
    )
    .expect("a string");
    secrets.insert(
        "sources.pg_url".into(),
        format!("credentials = \"postgresql://u_pg_url:{percent}@127.0.0.1:{pg}/{DATABASE}\""),
    );
    let value = sweep.canary("mysql password by type", "m{}$y'\"ü");
    user("my_type", &value);
    sources.push_str(&my_block("my_type", ""));
    secrets.insert(
        "sources.mysql".into(),
        format!("password = {}", toml(&value)),
    );
    let (value, percent) = sweep.url_canary("mysql password in a URL", "{}@%&= é");
    user("my_url", &value);
    write!(
        sources,
        "  - name: my_url\n    type: mysql\n    mysql: {{tables: [canaries]}}\n"
    )
    .expect("a string");
    secrets.insert(
        "sources.my_url".into(),
        format!("credentials = \"mysql://u_my_url:{percent}@127.0.0.1:{my}/{DATABASE}\""),
    );

    // The environment and .env.
    let value = sweep.canary("SOURCES__X__PASSWORD", "env {}!");
    role("pg_env", &value);
    sources.push_str(&pg_block("pg_env", ""));
    sweep.variable("SOURCES__PG_ENV__PASSWORD", &value);
    let value = sweep.canary("a password in .env", "dot{}env#x");
    role("pg_dotenv", &value);
    sources.push_str(&pg_block("pg_dotenv", ""));
    sweep.project.write(
        ".env",
        &format!("SOURCES__PG_DOTENV__CREDENTIALS__PASSWORD='{value}'\n"),
    );
    let (value, percent) = sweep.url_canary(
        "the connector's variable POSTGRES_CREDENTIALS",
        "am{}bient/é",
    );
    role("pg_ambient", &value);
    write!(
        sources,
        "  - name: pg_ambient\n    type: postgres\n    postgres: {{schemas: [canaries]}}\n"
    )
    .expect("a string");
    sweep.variable(
        "POSTGRES_CREDENTIALS",
        &format!("postgres://u_pg_ambient:{percent}@127.0.0.1:{pg}/{DATABASE}"),
    );
    let value = sweep.canary("a JSON object in a variable", "js\\\"{}on");
    role("pg_json", &value);
    write!(
        sources,
        "  - name: pg_json\n    type: postgres\n    postgres: {{schemas: [canaries]}}\n"
    )
    .expect("a string");
    let json = serde_json::json!({"host": "127.0.0.1", "port": pg, "database": DATABASE, "username": "u_pg_json", "password": value});
    sweep.variable("SOURCES__PG_JSON__CREDENTIALS", &json.to_string());

    // In sources.yml by mistake.
    let value = sweep.canary("a password in sources.yml", "yml{}'x");
    role("pg_yml", &value);
    sources.push_str(&pg_block(
        "pg_yml",
        &format!("      password: \"{value}\"\n"),
    ));
    let (value, percent) = sweep.url_canary("a URL in sources.yml", "url{}/x");
    role("pg_yml_url", &value);
    write!(sources, "  - name: pg_yml_url\n    type: postgres\n    postgres:\n      schemas: [canaries]\n      credentials: \"postgresql://u_pg_yml_url:{percent}@127.0.0.1:{pg}/{DATABASE}\"\n").expect("a string");
    let (_, percent) = sweep.url_canary("a URL as the host", "host{}/x");
    write!(sources, "  - name: pg_host\n    type: postgres\n    postgres: {{host: \"postgresql://u:{percent}@127.0.0.1:{pg}/{DATABASE}\", database: x, username: u, schemas: [canaries]}}\n").expect("a string");

    // Refused, and not even reached.
    for (name, kind, port) in [
        ("pg_wrong", "postgres", pg),
        ("my_wrong", "mysql", my),
        ("pg_down", "postgres", 9),
        ("my_down", "mysql", 9),
    ] {
        let value = sweep.canary(name, "wr\"ong{}ü%");
        let database = if name == "pg_wrong" {
            "tls_only"
        } else {
            DATABASE
        };
        write!(sources, "  - name: {name}\n    type: {kind}\n    {kind}: {{host: 127.0.0.1, port: {port}, database: {database}, username: {USER}}}\n").expect("a string");
        secrets.insert(
            format!("sources.{name}"),
            format!("password = {}", toml(&value)),
        );
    }
    for (name, kind) in [("pg_badurl", "postgres"), ("my_badurl", "mysql")] {
        let value = sweep.canary(name, "bad{}/x");
        write!(
            sources,
            "  - name: {name}\n    type: {kind}\n    {kind}: {{}}\n"
        )
        .expect("a string");
        secrets.insert(
            format!("sources.{name}"),
            format!("credentials = \"{kind}://u:{value}@127.0.0.1:notaport/x?sslmode={value}\""),
        );
    }
}

/// Adds the sources of the careless API: each way of signing in, with each way of failing.
fn apis(sweep: &mut Sweep, sources: &mut String, secrets: &mut BTreeMap<String, String>) {
    let api = CarelessApi::start();
    let base = format!("http://127.0.0.1:{}", api.port);
    let mut add = |name: &str, auth: &str, paths: &[&str]| {
        let names: Vec<_> = paths
            .iter()
            .enumerate()
            .map(|(index, path)| (format!("{name}_{index}"), (*path).to_owned()))
            .collect();
        for (name, path) in &names {
            write!(sources, "  - name: {name}\n    type: rest_api\n    rest_api:\n      base_url: {base}\n      retries_max: 0\n{auth}      endpoints:\n        - {{name: t, path: '{path}', data_selector: data, paginator: {{type: json_link, next_url_path: next}}}}\n").expect("a string");
        }
        names.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let failing = ["401", "raw", "garbage", "loop"];
    let value = sweep.canary("a bearer token", "tok\"{}~+/=");
    for name in add(
        "bearer",
        "      auth: {type: bearer}\n",
        &[
            &failing[..],
            &[
                "404", "400", "away", "pages", "cut268", "cut276", "cut284", "cut291",
            ],
        ]
        .concat(),
    ) {
        secrets.insert(
            format!("sources.{name}"),
            format!("auth_token = {}", toml(&value)),
        );
    }
    let value = sweep.canary("an API key in a header", "k ey'{}");
    for name in add(
        "key",
        "      auth: {type: api_key, name: X-Shop-Auth}\n",
        &failing,
    ) {
        secrets.insert(
            format!("sources.{name}"),
            format!("api_key = {}", toml(&value)),
        );
    }
    let value = sweep.canary("an API key in the query", "q~ {}'*ü&=");
    for name in add(
        "query",
        "      auth: {type: api_key, name: shop_auth, location: query}\n",
        &[&failing[..], &["pages", "away"]].concat(),
    ) {
        secrets.insert(
            format!("sources.{name}"),
            format!("auth_token = {}", toml(&value)),
        );
    }
    let value = sweep.canary("a password for Basic", "b\"{}ü:");
    for name in add(
        "basic",
        "      auth: {type: basic}\n",
        &[&failing[..], &["cut260"]].concat(),
    ) {
        secrets.insert(
            format!("sources.{name}"),
            format!("basic_username = \"u\"\nbasic_password = {}", toml(&value)),
        );
    }
    let value = sweep.canary("an OAuth client secret", "o~ {}'*ü&=");
    for token in ["token", "token_garbage", "away"] {
        let auth =
            format!("      auth: {{type: oauth2_client_credentials, token_url: {base}/{token}}}\n");
        for name in add(&format!("oauth_{token}"), &auth, &["401"]) {
            secrets.insert(
                format!("sources.{name}"),
                format!("client_id = \"me\"\nclient_secret = {}", toml(&value)),
            );
        }
    }
    let value = sweep.canary("a header from a variable whose name says so", "h\"{}");
    sweep.variable("SHOP_TOKEN", &value);
    add(
        "headtok",
        "      headers: {X-Auth: \"Shop ${SHOP_TOKEN}\"}\n",
        &failing,
    );
    let value = sweep.canary("a header from a variable whose name says nothing", "n\"{}");
    sweep.variable("SHOP_LOGIN", &value);
    add(
        "headvar",
        "      headers: {X-Auth: \"Shop ${SHOP_LOGIN}\"}\n",
        &failing,
    );
    let value = sweep.canary("a header as it stands in sources.yml", "lit{}");
    add(
        "headlit",
        &format!("      headers: {{X-Auth: \"{value}\"}}\n"),
        &failing,
    );
    let value = sweep.canary("a parameter whose name says so", "par{}");
    sweep.variable("SHOP_SIGN", &value);
    add(
        "param",
        "      params: {access_token: \"${SHOP_SIGN}\"}\n",
        &failing,
    );
    let value = sweep.canary("a token in auth in sources.yml", "inl{}");
    add(
        "inline",
        &format!("      auth: {{type: bearer, token: \"{value}\"}}\n"),
        &failing,
    );
    let value = sweep.canary(
        "a private key of several lines",
        "-----BEGIN KEY-----\nab{}\ncd{}ef\n-----END KEY-----\n",
    );
    for name in add("pem", "      auth: {type: bearer}\n", &["401"]) {
        secrets.insert(
            format!("sources.{name}"),
            format!("auth_token = \"\"\"{value}\"\"\""),
        );
    }
    let value = sweep.canary("a key of the project's own connector", "sk_live_{}");
    sweep.variable("PAY_KEY", &value);
    sweep.project.write("connectors/pay.yml", &format!("summary: x\nhosts: [127.0.0.1]\nbase_url: {base}\nfields:\n  - {{name: api_key, secret: true, required: true, env: PAY_KEY, help: x}}\nauth: {{type: custom_header, name: X-Pay, value: \"Pay {{api_key}}\"}}\nparams: {{k: \"{{api_key}}\"}}\nendpoints:\n  - {{path: \"401\"}}\n"));
    sources.push_str("  - name: pay\n    type: pay\n    pay: {}\n");
    let user = sweep.canary("user info in base_url", "ui{}");
    let query = sweep.canary("a key in base_url's query", "bq{}");
    let host = base.trim_start_matches("http://");
    write!(sources, "  - name: based\n    type: rest_api\n    rest_api: {{base_url: \"http://me:{user}@{host}/x?api_key={query}\", endpoints: ['401']}}\n").expect("a string");
}

fn names(sources: &str) -> Vec<String> {
    let lines = sources
        .lines()
        .filter_map(|line| line.strip_prefix("  - name: "));
    lines.map(str::to_owned).collect()
}

#[test]
fn no_secret_comes_out_of_any_command() {
    let mut sweep = Sweep::new();
    let mut sources = String::from("version: \"1.0\"\nsources:\n");
    let mut secrets = BTreeMap::new();
    databases(&mut sweep, &mut sources, &mut secrets);
    apis(&mut sweep, &mut sources, &mut secrets);
    let stripe = sweep.canary("a Stripe key", "sk_live_{}");
    sources.push_str("  - name: money\n    type: stripe\n    enabled: false\n    stripe: {}\n");
    secrets.insert("sources.stripe".into(), format!("api_key = \"{stripe}\""));
    sweep.project.write(".dango/sources.yml", &sources);
    let text = secrets
        .iter()
        .fold(String::new(), |mut text, (table, lines)| {
            write!(text, "[{table}]\n{lines}\n\n").expect("a string");
            text
        });
    sweep.project.write(".dlt/secrets.toml", &text);
    assert!(sweep.canaries.len() >= 20);

    let ran = sweep.run(&["sync"]);
    for name in [
        "pg_table",
        "pg_url",
        "my_type",
        "my_url",
        "pg_env",
        "pg_dotenv",
        "pg_ambient",
        "pg_json",
        "pg_yml",
        "pg_yml_url",
        "bearer_7",
        "query_4",
    ] {
        let line = ran
            .stdout
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        assert!(
            line.is_some_and(|line| line.contains("synced")),
            "{name}: {ran:#?}"
        );
    }
    for words in [
        &["sync", "-vv"][..],
        &["sync", "--json"],
        &["sync", "--dry-run"],
        &["sync", "--full-refresh", "-v"],
    ] {
        sweep.run(words);
    }
    // Alone, a process knows the secrets of one source and no more.
    for (index, name) in names(&sources).iter().enumerate() {
        let shown = ["source", "show", name, "--json"];
        sweep.run(if index % 2 == 0 { &shown } else { &shown[..3] });
        if name != "money" {
            sweep.run(&["source", "test", name, "-vv"]);
        }
        if name.starts_with(|c: char| "pm".contains(c)) {
            sweep.run(&["sync", name]);
        }
    }
    others(&mut sweep);
    sweep.finish();
}

/// The commands that connect to nothing.
fn others(sweep: &mut Sweep) {
    let given = sweep.canary("given by --secret-stdin", "si'{}\"");
    let filed = sweep.canary("given by --secret-file", "fi{}");
    let together = sweep.canary("given by --secrets-file", "to{}");
    sweep.project.write("key.txt", &format!("{filed}\n"));
    sweep
        .project
        .write("keys.txt", &format!("password = {together}\n"));
    let add = [
        "source",
        "add",
        "postgres",
        "--set",
        "host=127.0.0.1",
        "--set",
        "port=9",
        "--set",
        "database=x",
        "--set",
        "username=y",
    ];
    for (name, flags, stdin) in [
        ("by_stdin", ["--secret-stdin", "password"], given.as_str()),
        ("by_file", ["--secret-file", "password=key.txt"], ""),
        ("by_files", ["--secrets-file", "keys.txt"], ""),
    ] {
        let words = [&add[..], &["--name", name], &flags].concat();
        sweep.run_with(&words, stdin);
        sweep.run_with(&[&words[..], &["--no-test", "-vv"]].concat(), stdin);
        sweep.run(&["source", "show", name, "--json"]);
        sweep.run(&["source", "edit", name, "--set", "host=127.0.0.2"]);
        sweep.run(&["source", "test", name]);
    }
    let set = sweep.canary("stored by secrets set", "set{}");
    sweep.run_with(&["secrets", "set", "by_file.other", "--stdin"], &set);
    sweep.run(&["secrets", "set", "by_file.third", "--file", "key.txt"]);
    for words in [
        &["secrets", "list"][..],
        &["secrets", "list", "--json", "-vv"],
        &["secrets", "unset", "by_file.other", "--yes"],
        &["config", "show", "--origin"],
        &["config", "show", "--json"],
        &["config", "validate"],
        &["config", "validate", "--json"],
        &["doctor", "-vv"],
        &["doctor", "--json"],
        &["db", "status", "-vv"],
        &["db", "compact", "--yes"],
        &["source", "list", "-vv"],
        &["source", "list", "--json"],
        &["query", "SELECT * FROM raw_pg_url.t", "-vv"],
        &["query", "SELECT * FROM nowhere", "--json"],
        &[
            "query",
            "SELECT * FROM raw_pg_url._dlt_loads",
            "--format",
            "csv",
        ],
        &["query", "SELECT * FROM raw_bearer_7._dlt_pipeline_state"],
        &["source", "remove", "by_file", "--yes"],
        &["source", "remove", "pg_url", "--yes", "-vv"],
    ] {
        sweep.run(words);
    }
}

#[test]
fn a_secret_where_none_belongs_is_not_repeated() {
    let mut sweep = Sweep::new();
    let value = sweep.canary("typed in the wrong place", "sk_live_{}");
    let url = format!("postgresql://u:{value}@127.0.0.1:9/x");
    let assigned = format!("password={value}");
    let shop = ["--name", "shop"];
    let postgres = ["source", "add", "postgres", "--name", "shop"];
    let host = format!("host={url}");
    for words in [
        &["source", "add", &url][..],
        &["source", "add", "postgres", "--name", &url],
        &[&postgres[..], &["--set", &format!("credentials={url}")]].concat(),
        &[&postgres[..], &["--set", &host]].concat(),
        &[
            &postgres[..],
            &[
                "--set",
                &host,
                "--set",
                "database=x",
                "--set",
                "username=u",
                "--secret-env",
                "password=PW",
            ],
        ]
        .concat(),
        &[&postgres[..], &["--set", &assigned]].concat(),
        &[&postgres[..], &["--secret-file", &assigned]].concat(),
        &[&postgres[..], &["--secret-env", &assigned]].concat(),
        &[&postgres[..], &["--secret-stdin", &assigned]].concat(),
        &[&postgres[..], &["--secrets-file", &value]].concat(),
        &[
            &["source", "add", "rest_api"],
            &shop[..],
            &["--set", &format!("base_url=https://u:{value}@127.0.0.1:9/")],
        ]
        .concat(),
        &[
            &["source", "add", "rest_api"],
            &shop[..],
            &[
                "--set",
                &format!("base_url=https://127.0.0.1:9/?api_key={value}"),
            ],
        ]
        .concat(),
        &["source", "edit", "shop", "--set", &assigned],
        &["source", "edit", "shop", "--unset", &value],
        &["source", "test", &url],
        &["source", "show", &value],
        &["sync", &url],
        &["sync", "--source", &url],
        &["sync", "--since", &value],
        &["sync", "--limit", &value],
        &["secrets", "set", &assigned],
        &["secrets", "set", &format!("shop.{value}="), "--stdin"],
        &["secrets", "set", "shop.password", &value],
        &["secrets", "unset", &url, "--yes"],
        &["config", "show", &value],
        &["explain", &value],
        &[&url],
        &["--password", &value],
        &[&format!("--password={value}")],
    ] {
        sweep.run_with(words, "");
    }
    for text in [
        format!("sources:\n  - name: x\n    type: postgres\n    password: {value}: {value}\n"),
        format!("sources:\n  - name: x\n    type: postgres\n    postgres: {{password: {value}\n"),
        format!("sources: {value}\n"),
        format!("sources:\n  - {value}\n"),
        format!("sources:\n  - name: x\n    type: {url}\n"),
        format!("sources:\n  - name: x\n    type: postgres\n    enabled: {value}\n"),
        format!("sources:\n  - name: x\n    type: postgres\n    postgres: {url}\n"),
        format!(
            "sources:\n  - name: x\n    type: postgres\n    postgres: {{host: h, port: {value}}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: postgres\n    postgres: {{credentials: *{value}}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: '{url}', endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', auth: '{value}', endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', auth: {{type: '{value}'}}, endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', auth: {{type: bearer, token: [\"{value}\"]}}, endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', headers: \"X-Api-Key: {value}\", endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', headers: {{\"X-Api-Key: {value}\": x}}, endpoints: [a]}}\n"
        ),
    ] {
        sweep.project.write(".dango/sources.yml", &text);
        for words in [
            &["config", "validate"][..],
            &["sync"],
            &["source", "list"],
            &["source", "show", "x"],
            &["source", "test", "x", "--json"],
            &["doctor"],
        ] {
            sweep.run(words);
        }
    }
    sweep.project.write(".dango/sources.yml", "sources:\n  - name: x\n    type: rest_api\n    rest_api: {base_url: 'https://127.0.0.1:9', endpoints: [a]}\n");
    for text in [
        format!("{value}\n"),
        format!("[sources.x]\nauth_token = {value}\n"),
        format!("[sources.x]\nauth_token = \"{value}\n"),
        format!("[sources.x]\nauth_token = [\"{value}\"]\n"),
        format!("[sources.x]\nauth_token = \"${{{value}\"\n"),
        format!("[sources.x]\nauth_token = \"{value}\"\nauth_token = \"{value}\"\n"),
        format!("[sources.x]\n\"{value}\" = 1\nauth_token = 1979-05-27\n"),
    ] {
        sweep.project.write(".dlt/secrets.toml", &text);
        for words in [
            &["config", "validate"][..],
            &["sync"],
            &["secrets", "set", "x.y", "--stdin"],
            &["source", "show", "x"],
            &["source", "test", "x"],
            &["doctor"],
        ] {
            sweep.run_with(words, "abcdefgh");
        }
    }
    sweep.finish();
}

#[test]
fn the_project_s_own_folders_are_no_data() {
    let mut sweep = Sweep::new();
    let value = sweep.canary("in a folder that was named as data", "{}");
    sweep.project.write(
        ".dlt/secrets.toml",
        &format!("[sources.x]\npassword = \"{value}\"\nother = \"{value}\"\n"),
    );
    std::os::unix::fs::symlink(".dlt", sweep.project.path("link")).expect("linked");
    for (directory, pattern, code) in [
        (".dlt", "*", "config_invalid"),
        ("./data/../.dlt/", "secrets.toml", "config_invalid"),
        ("link", "*", "config_invalid"),
        (".dango", "*.yml", "config_invalid"),
        (".dango/logs", "*", "config_invalid"),
        ("data", "../.dlt/*", "config_invalid"),
    ] {
        sweep.project.write(
            ".dango/sources.yml",
            &format!("sources:\n  - name: x\n    type: local_files\n    local_files:\n      directory: {directory}\n      tables:\n        - {{name: t, pattern: '{pattern}', format: csv}}\n"),
        );
        sweep.project.write("data/x.csv", "a\n1\n");
        sweep.run(&["sync"]).failed(1, code);
    }
    // Hidden files and folders match no pattern.
    sweep
        .project
        .write(".env", &format!("A={value}\nB={value}\n"));
    sweep.project.write(
        ".dango/sources.yml",
        "sources:\n  - name: x\n    type: local_files\n    local_files:\n      directory: .\n      tables:\n        - {name: t, pattern: '**/*', format: csv}\n        - {name: u, pattern: '.env', format: csv}\n        - {name: v, pattern: '.dlt/*', format: csv}\n",
    );
    sweep.run(&["sync"]);
    sweep.finish();
}

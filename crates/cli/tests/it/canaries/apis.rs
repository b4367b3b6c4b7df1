//! The careless API, with each way of signing in and each way of failing.

use super::server::CarelessApi;
use super::{Sweep, toml};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Adds the sources of the careless API: each way of signing in, with each way of failing.
pub(super) fn add(sweep: &mut Sweep, sources: &mut String, secrets: &mut BTreeMap<String, String>) {
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
    let failing = ["401", "500", "raw", "garbage", "loop"];
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

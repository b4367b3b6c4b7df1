//! APIs that refuse, lie, stall or never end.

use super::{Bench, Case, api};
use std::net::TcpListener;

/// Returns a case that reads `path` of the misbehaving API; with further keys of the block and of the endpoint.
fn ask(port: u16, path: &'static str, block: &str, endpoint: &str) -> Case {
    let block = if block.is_empty() {
        "timeout_seconds: 20, retries_max: 0,"
    } else {
        block
    };
    let source = format!(
        "type: rest_api, rest_api: {{base_url: 'http://127.0.0.1:{port}/', {block} \
         endpoints: [{{name: items, path: '{path}', {endpoint}}}]}}"
    );
    Case::sync(path, &source)
}

#[test]
fn an_api_that_answers_with_an_error_is_told_apart() {
    let port = api::start();
    let status = |path| ask(port, path, "", "");
    Bench::new().check(vec![
        status("status/400").fails(1, "config_invalid", &["127.0.0.1/status/400", "400", "told you so", "`params`"]),
        status("status/401").fails(1, "source_unauthorized", &["127.0.0.1/status/401", "401", "dango secrets set"]),
        status("status/403").fails(1, "source_forbidden", &["127.0.0.1/status/403", "403"]),
        status("status/404").fails(4, "source_missing", &["127.0.0.1/status/404", "404"]),
        status("status/429").fails(75, "source_rate_limited", &["127.0.0.1/status/429", "429", "rate_limit"]),
        ask(port, "later", "retries_max: 1,", "").fails(75, "source_rate_limited", &["86400"]),
        status("status/500").fails(75, "source_failed", &["127.0.0.1/status/500", "500"]),
        ask(port, "status/502", "retries_max: 1,", "").fails(75, "source_failed", &["502"]),
        Case::sync(
            "no credential",
            "type: rest_api, rest_api: {base_url: 'http://127.0.0.1:1/', auth_type: bearer, endpoints: [a]}",
        )
        .fails(1, "credential_missing", &["`bad`", "dango secrets set sources.bad."]),
        Case::sync("no credential of a connector", "type: stripe")
            .fails(1, "credential_missing", &["`bad`", "dango secrets set sources.bad."]),
        status("status/503").fails(75, "source_failed", &["503"]),
    ]);
}

#[test]
fn an_api_that_answers_nonsense_is_told_so() {
    let port = api::start();
    let plain = |path| ask(port, path, "", "");
    let paged = |path| {
        ask(
            port,
            path,
            "retries_max: 0, pages_max: 20,",
            "data_selector: data, paginator: {type: cursor, cursor_path: next, cursor_param: after}",
        )
    };
    let protocol = "source_protocol";
    Bench::new().check(vec![
        plain("malformed").fails(1, protocol, &["127.0.0.1/malformed", "JSON"]),
        plain("html").fails(1, protocol, &["127.0.0.1/html", "JSON"]),
        plain("latin1").fails(1, protocol, &["127.0.0.1/latin1"]),
        plain("deep").fails(1, protocol, &["127.0.0.1/deep"]),
        plain("numbers").fails(1, protocol, &["items"]),
        ask(port, "elsewhere", "", "data_selector: data.items").fails(
            1,
            protocol,
            &["127.0.0.1/elsewhere", "`data.items`", "data_selector"],
        ),
        paged("same-cursor").fails(1, protocol, &["`items`", "never end", "paginator"]),
        paged("ever-more").fails(1, protocol, &["`items`", "20 pages", "pages_max"]),
        plain("redirect").fails(1, protocol, &["elsewhere.invalid"]),
        plain("metadata").fails(1, protocol, &["169.254.169.254"]),
        plain("circle").fails(1, protocol, &["127.0.0.1", "circle"]),
        plain("announced").fails(1, protocol, &["127.0.0.1", "67108864"]),
        plain("huge").fails(1, protocol, &["127.0.0.1", "67108864"]),
        plain("bomb").fails(1, protocol, &["127.0.0.1", "67108864"]),
    ]);
}

#[test]
fn an_api_that_does_not_answer_is_not_waited_for() {
    let port = api::start();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = listener.local_addr().expect("bound").port();
    drop(listener);
    let unreachable = "source_unreachable";
    Bench::new().check(vec![
        ask(port, "cut", "", "").fails(75, unreachable, &["127.0.0.1", "closed the connection"]),
        ask(port, "garbage", "", "").fails(75, unreachable, &["127.0.0.1"]),
        ask(port, "never", "timeout_seconds: 1, retries_max: 0,", "").fails(75, unreachable, &["127.0.0.1", "in time", "timeout_seconds"]),
        ask(closed, "refused", "", "").fails(75, unreachable, &["127.0.0.1", "cannot be connected to"]),
        Case::sync("no such host", "type: rest_api, rest_api: {base_url: 'http://nowhere.invalid/', retries_max: 0, endpoints: [a]}")
            .fails(75, unreachable, &["nowhere.invalid"]),
        Case::sync("a metadata service", "type: rest_api, rest_api: {base_url: 'http://169.254.169.254/', endpoints: [a]}")
            .fails(3, "egress_denied", &["169.254.169.254"]),
    ]);
}

#[test]
fn records_without_a_field_are_no_error() {
    let bench = Bench::new();
    let case = ask(api::start(), "hollow", "", "disposition: replace");
    for (path, content) in &case.files {
        bench.put(path, Some(content));
    }
    bench.project.run(&["sync", "bad"]).succeeded();
    bench.project.run(&["sync", "bad"]).succeeded();
}

//! Every kind of paginator, decided from one answer. Everything is written as JSON, steps included, because that is how
//! descriptions and resume keys look.

use super::*;
use reqwest::header::{HeaderValue, LINK};
use serde::de::DeserializeOwned;

const URL: &str = "https://a.example/x?page=1";
const FIRST: &str = r#""first""#;

fn parse<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("JSON")
}

fn decide(paginator: &str, step: &str, body: &str, records: usize, headers: &HeaderMap) -> String {
    let (url, body) = (Url::parse(URL).expect("a URL"), parse(body));
    let records = vec![parse(r#"{"id": "r1"}"#); records];
    let seen = Seen {
        body: &body,
        records: &records,
        headers,
        url: &url,
    };
    match next(&parse(paginator), &parse(step), &seen) {
        Ok(Some(step)) => serde_json::to_string(&step).expect("JSON"),
        Ok(None) => "end".into(),
        Err(_) => "failure".into(),
    }
}

fn check(paginator: &str, step: &str, body: &str, records: usize, expect: &str) {
    let got = decide(paginator, step, body, records, &HeaderMap::new());
    assert_eq!(got, expect, "{paginator} {step} {body}");
}

#[test]
fn page_numbers_go_on_until_an_empty_page_or_the_total() {
    let plain = r#"{"type": "page_number"}"#;
    assert_eq!(first(&parse(plain)), Step::Page(0));
    assert_eq!(
        first(&parse(r#"{"type": "page_number", "base_page": 1}"#)),
        Step::Page(1)
    );
    check(plain, r#"{"page": 1}"#, "{}", 2, r#"{"page":2}"#);
    check(plain, r#"{"page": 2}"#, "{}", 0, "end");
    let total = r#"{"type": "page", "first_page": 1, "total_path": "meta.pages"}"#;
    check(
        total,
        r#"{"page": 2}"#,
        r#"{"meta": {"pages": 3}}"#,
        2,
        r#"{"page":3}"#,
    );
    check(
        total,
        r#"{"page": 3}"#,
        r#"{"meta": {"pages": "3"}}"#,
        2,
        "end",
    );
    let from_zero = r#"{"type": "page_number", "first_page": 0, "total_path": "n"}"#;
    check(from_zero, r#"{"page": 2}"#, r#"{"n": 3}"#, 2, "end");
    let at_most = r#"{"type": "page_number", "maximum_page": 2}"#;
    check(at_most, r#"{"page": 2}"#, "{}", 2, "end");
    let has_more = r#"{"type": "page_number", "has_more_path": "more"}"#;
    check(has_more, r#"{"page": 2}"#, r#"{"more": false}"#, 2, "end");
}

#[test]
fn offsets_grow_by_what_came() {
    let plain = r#"{"type": "offset", "limit": 100}"#;
    check(plain, r#"{"offset": 0}"#, "{}", 60, r#"{"offset":60}"#);
    check(plain, r#"{"offset": 60}"#, "{}", 0, "end");
    let total = r#"{"type": "offset", "total_path": "total"}"#;
    check(total, r#"{"offset": 60}"#, r#"{"total": 100}"#, 40, "end");
    check(
        r#"{"type": "offset", "maximum_offset": 50}"#,
        r#"{"offset": 0}"#,
        "{}",
        50,
        "end",
    );
    let named = r#"{"type": "offset", "limit": 9, "limit_param": "n", "offset_param": "from"}"#;
    let expect = [("from".into(), 5.into()), ("n".into(), 9.into())];
    assert_eq!(params(&parse(named), &Step::Offset(5)), expect);
}

#[test]
fn cursors_end_when_there_is_none() {
    let plain = r#"{"type": "cursor", "cursor_path": "meta.next", "cursor_param": "after"}"#;
    let after = |value: &str| format!(r#"{{"cursor":{{"param":"after","value":"{value}"}}}}"#);
    check(
        plain,
        FIRST,
        r#"{"meta": {"next": "abc"}}"#,
        2,
        &after("abc"),
    );
    // A number stays one, and a text that looks like one stays a text.
    let number = r#"{"cursor":{"param":"after","value":7}}"#;
    check(plain, FIRST, r#"{"meta": {"next": 7}}"#, 0, number);
    check(plain, FIRST, r#"{"meta": {"next": "7"}}"#, 0, &after("7"));
    for end in [
        r#"{"meta": {"next": null}}"#,
        r#"{"meta": {"next": ""}}"#,
        r#"{"meta": {}}"#,
        "[]",
    ] {
        check(plain, FIRST, end, 2, "end");
    }
    let last = r#"{"type": "last_record", "cursor_param": "after", "has_more_path": "has_more"}"#;
    check(last, FIRST, r#"{"has_more": true}"#, 2, &after("r1"));
    check(last, FIRST, r#"{"has_more": false}"#, 2, "end");
    check(last, FIRST, r#"{"has_more": true}"#, 0, "end");
    check(
        r#"{"type": "last_record", "record_field": "key"}"#,
        FIRST,
        "{}",
        1,
        "failure",
    );
}

#[test]
fn links_are_followed_from_header_and_body() {
    let nested = r#"{"type": "json_link", "next_url_path": "links.next"}"#;
    let page = r#"{"url":"https://a.example/x?page=2"}"#;
    check(nested, FIRST, r#"{"links": {"next": "?page=2"}}"#, 1, page);
    check(
        nested,
        FIRST,
        r#"{"links": {"next": "https://"}}"#,
        1,
        "failure",
    );
    check(
        r#"{"type": "json_link"}"#,
        FIRST,
        r#"{"next": null}"#,
        1,
        "end",
    );
    let mut headers = HeaderMap::new();
    headers.insert(LINK, HeaderValue::from_static("</y?p=2>; rel=\"next\""));
    headers.insert("x-next", HeaderValue::from_static("c9"));
    for kind in ["header_link", "link_header", "auto"] {
        let got = decide(
            &format!(r#"{{"type": "{kind}"}}"#),
            FIRST,
            "[]",
            0,
            &headers,
        );
        assert_eq!(got, r#"{"url":"https://a.example/y?p=2"}"#, "{kind}");
    }
    let by_header = r#"{"type": "header_cursor", "cursor_key": "X-Next", "cursor_param": "c"}"#;
    let got = decide(by_header, FIRST, "[]", 0, &headers);
    assert_eq!(got, r#"{"cursor":{"param":"c","value":"c9"}}"#);
}

#[test]
fn without_a_paginator_the_usual_places_are_looked_at() {
    let auto = r#"{"type": "auto"}"#;
    let page = r#"{"url":"https://a.example/x?page=2"}"#;
    check(
        auto,
        FIRST,
        r#"{"next": "https://a.example/x?page=2"}"#,
        1,
        page,
    );
    check(auto, FIRST, r#"{"@odata.nextLink": "/x?page=2"}"#, 1, page);
    check(auto, FIRST, r#"{"next": 2}"#, 1, "failure");
    check(auto, FIRST, r#"{"next": "two"}"#, 1, "failure");
    check(auto, FIRST, r#"{"next": null, "last": true}"#, 1, "end");
    check(auto, FIRST, r#"{"links": {"next": null}}"#, 1, "end");
    check(
        auto,
        FIRST,
        r#"{"_links": {"next": {"href": null}}}"#,
        1,
        "end",
    );
    check(
        auto,
        FIRST,
        r#"{"_links": {"next": {"href": "x?page=2"}}}"#,
        1,
        "failure",
    );
    check(
        auto,
        FIRST,
        r#"{"paging": {"next": {"after": "x"}}}"#,
        1,
        "failure",
    );
    check(auto, FIRST, r#"{"next_page": 2}"#, 1, r#"{"page":2}"#);
    check(auto, FIRST, r#"{"meta": {"next_page": 0}}"#, 1, "failure");
    let uri = r#"{"next_page": {"offset": "x", "uri": "/x?page=2"}}"#;
    check(auto, FIRST, uri, 1, page);
    check(auto, FIRST, r#"{"has_more": true}"#, 1, "failure");
    check(auto, FIRST, r#"{"has_more": "false", "more": 0}"#, 1, "end");
    check(auto, r#"{"page": 2}"#, r#"{"hasMore": true}"#, 1, "failure");
    check(auto, FIRST, r#"{"last_page": 3}"#, 1, "failure");
    // The last of several pages that links led to.
    let last = r#"{"last_page": 3, "next_page_url": null}"#;
    check(auto, page, last, 1, "end");
    let cursor = r#"{"cursor":{"param":"cursor","value":"abc"}}"#;
    check(auto, FIRST, r#"{"next_cursor": "abc"}"#, 1, cursor);
    let token = r#"{"cursor":{"param":"pageToken","value":"t"}}"#;
    check(auto, FIRST, r#"{"nextPageToken": "t"}"#, 1, token);
    check(auto, FIRST, r#"{"data": []}"#, 1, "end");
    check(
        r#"{"type": "single_page"}"#,
        FIRST,
        r#"{"next": "https://a.example/x"}"#,
        1,
        "end",
    );
}

//! A description that does not hold is refused before anything is asked, with the place and what was meant.

use super::*;

#[test]
fn descriptions_are_refused_with_the_place() {
    let check = |block: Value, parts: &[&str]| {
        let failure = open(&block, &[("auth_token", "hunter2")])
            .err()
            .expect("refused");
        let said = format!("{failure} / {}", failure.hint);
        assert_eq!(failure.kind, FailureKind::ConfigInvalid, "{said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    };
    let with = |endpoint: Value| json!({"base_url": "https://a.example", "endpoints": [endpoint]});
    check(json!(null), &["source `shop`"]);
    check(json!({"endpoints": ["a"]}), &["`base_url` is missing"]);
    check(
        json!({"base_url": "https://a.example"}),
        &["`endpoints` is missing or empty"],
    );
    check(
        json!({"base_url": "a.example", "endpoints": ["a"]}),
        &["must be a URL"],
    );
    check(
        json!({"base_url": "ftp://a.example", "endpoints": ["a"]}),
        &["must be a URL"],
    );
    check(
        json!({"base_url": "https://u:hunter2@a.example", "endpoints": ["a"]}),
        &["must not hold a password"],
    );
    check(
        json!({"base_urll": "x", "endpoints": ["a"]}),
        &["unknown key `base_urll`", "did you mean `base_url`?"],
    );
    check(
        json!({"base_url": "https://a.example", "auth_type": "barer", "endpoints": ["a"]}),
        &["unknown word `barer`", "`bearer`"],
    );
    check(
        json!({"base_url": ["hunter2"], "endpoints": ["a"]}),
        &["source `shop`: invalid type"],
    );
    check(
        json!({"base_url": "https://a.example", "endpoints": {"a": 1}}),
        &["`endpoints` must be a list"],
    );
    check(
        json!({"base_url": "https://a.example", "hosts": ["b"], "endpoints": ["a"]}),
        &["belong into a connector file"],
    );
    check(
        with(json!({"path": "a", "paginater": "auto"})),
        &["endpoint `a`: unknown key `paginater`", "`paginator`"],
    );
    check(
        with(json!({"path": "a", "paginator": "ofset"})),
        &["endpoint `a`: unknown word `ofset`", "`offset`"],
    );
    check(
        with(json!({"path": "a", "paginator": {"type": "offset", "limt": 5}})),
        &["unknown key `limt`", "`limit`"],
    );
    check(
        with(
            json!({"path": "a", "paginator": {"type": "page_number", "stop_after_empty_page": false}}),
        ),
        &["would never end"],
    );
    check(with(json!({"name": "x"})), &["endpoint `x`", "path"]);
    check(
        with(json!({"path": "a", "params": {"x": {"y": 1}}})),
        &["the parameter `x`"],
    );
    check(
        with(json!({"path": "a", "params": {"x": "{nope}"}})),
        &["there is no field `nope`"],
    );
    check(
        with(json!({"path": "a/{b.id}/c"})),
        &["`b.id` names no other endpoint"],
    );
    check(
        with(json!({"path": "a", "include_from_parent": ["id"]})),
        &["include_from_parent"],
    );
    check(
        with(json!({"path": "a", "incremental": {"cursor": "at"}, "disposition": "append"})),
        &["`incremental` needs `disposition: merge`"],
    );
    check(
        with(json!({"path": "a", "incremental": {"cursor": "at", "lookback": "soon"}})),
        &["`lookback` must be"],
    );
    check(
        with(json!({"path": "a", "disposition": "merge", "primary_key": []})),
        &["`disposition: merge` needs a `primary_key`"],
    );
    check(
        json!({"base_url": "https://a.example", "rate_limit": "fast", "endpoints": ["a"]}),
        &["`rate_limit` must be"],
    );
    check(
        json!({"base_url": "https://a.example", "endpoints": ["a", "/v1/A"]}),
        &["two endpoints have the table `a`"],
    );
    check(
        json!({"base_url": "https://a.example", "headers": {"a b": "x"}, "endpoints": ["a"]}),
        &["cannot be a header's name"],
    );
    let offset =
        json!({"type": "offset", "limit": 5, "stop_after_empty_page": false, "total_path": "n"});
    check(
        with(json!({"path": "a", "paginator": offset})),
        &["`stop_after_empty_page: false`", "`page_number`"],
    );
    check(
        with(json!({"path": "{auth_token}/a", "paginator": "json_link", "resumable": true})),
        &["`resumable`", "secret"],
    );
    check(
        with(
            json!({"path": "a", "incremental": {"cursor": "at", "format": "number", "initial": "3daysAgo"}}),
        ),
        &["`start_date` must be"],
    );
    check(
        with(json!({"path": "a", "embedded_lists": ["lines"]})),
        &["`embedded_lists`", "`data_selector`", "`has_more_path`"],
    );
}

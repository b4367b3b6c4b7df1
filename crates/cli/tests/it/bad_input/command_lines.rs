//! Commands that ask for what is not there, may not be, or takes too long.

use super::{Bench, Case, Stdout};
use crate::project::Project;

#[test]
fn a_query_that_cannot_be_run_is_told_so() {
    let orders = "FROM raw_shop.orders";
    let query = |name, sql| Case::run(name, &["query", sql]);
    Bench::new().check(vec![
        query("syntax", "SELEC 1").fails(1, "query_invalid", &["SELEC", "LINE 1"]),
        query("unknown table", "FROM raw_shop.ordrs").fails(
            1,
            "query_invalid",
            &["ordrs", "raw_shop.orders"],
        ),
        query("unknown column", "SELECT ammount FROM raw_shop.orders").fails(
            1,
            "query_invalid",
            &["ammount", "amount"],
        ),
        query("a failing cast", "SELECT sku::DATE FROM raw_shop.orders").fails(
            1,
            "query_invalid",
            &["\"00", "date"],
        ),
        query("nothing", " ").fails(1, "query_refused", &[]),
        query("two statements", "SELECT 1; SELECT 2").fails(1, "query_refused", &["one"]),
        query("a write", "DELETE FROM raw_shop.orders").fails(1, "query_refused", &["DELETE"]),
        query("a file", "FROM 'data/uploads/orders-1.csv'").fails(1, "query_refused", &[]),
        Case::run(
            "too slow",
            &[
                "query",
                "--timeout",
                "1",
                "SELECT count(*) FROM range(9999999) a, range(9999999) b",
            ],
        )
        .fails(1, "query_timeout", &["--timeout"]),
        Case::run(
            "too much memory",
            &["query", "SELECT list(i) FROM range(500000000) t(i)"],
        )
        .fails(1, "query_memory", &["memory_limit_mb"]),
        Case::run("output exists", &["query", orders, "--output", "there.csv"])
            .with("there.csv", "mine")
            .fails(5, "output_exists", &["there.csv", "--force"]),
        Case::run(
            "output into nowhere",
            &["query", orders, "--output", "no/where/x.csv"],
        )
        .fails(1, "output_failed", &["no/where"]),
        Case::run(
            "output over a folder",
            &[
                "query", orders, "--output", "data", "--format", "csv", "--force",
            ],
        )
        .fails(1, "output_failed", &["data"]),
        Case::run("an unknown format", &["query", orders, "--format", "xml"]).fails(
            2,
            "usage_invalid",
            &["xml", "parquet"],
        ),
    ]);
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    Bench::new().check(vec![
        Case::run("unknown source", &["sync", "shpo"]).fails(
            4,
            "source_not_found",
            &["`shpo`", "did you mean `shop`?"],
        ),
        Case::run(
            "remove",
            &["source", "remove", "shpo", "--drop-data", "--yes"],
        )
        .fails(4, "source_not_found", &["`shpo`", "did you mean `shop`?"]),
        Case::run("show", &["source", "show", "../shop"]).fails(
            2,
            "usage_invalid",
            &["`../shop`", "'.'"],
        ),
        Case::run("edit", &["source", "edit", "shop", "--set", "direcory=x"]).fails(
            2,
            "usage_invalid",
            &["`direcory`", "did you mean `directory`?"],
        ),
        Case::run("secret", &["secrets", "unset", "shop.password"]).fails(
            4,
            "secret_not_found",
            &["shop.password", "dango secrets list"],
        ),
        Case::run("command", &["snyc"]).fails(2, "usage_invalid", &["snyc", "sync"]),
        Case::run("flag", &["sync", "--ful-refresh"]).fails(
            2,
            "usage_invalid",
            &["--ful-refresh", "--full-refresh"],
        ),
        Case::run("moment", &["sync", "--since", "yesterday"]).fails(
            2,
            "usage_invalid",
            &["yesterday"],
        ),
        Case::run("number", &["sync", "--limit", "-1"]).fails(2, "usage_invalid", &["-1"]),
        Case::run("code", &["explain", "sync_faild"]).fails(
            4,
            "code_unknown",
            &["sync_faild", "sync_failed"],
        ),
        Case::run("project", &["sync", "--project", "data/nowhere"]).fails(
            4,
            "project_not_found",
            &["data/nowhere"],
        ),
        Case::run(
            "add without a terminal",
            &["source", "add", "postgres", "--name", "db"],
        )
        .fails(1, "credential_missing", &["`db`", "`host`", "--set host="])
        .stdout(Stdout::Nothing),
    ]);
    let nowhere = Project::empty();
    let ran = nowhere.run(&["sync"]).failed(4, "project_not_found");
    assert!(
        ran.stderr.contains("dango init") && ran.stdout.is_empty(),
        "{ran:#?}"
    );
}

//! Changes at a source that would take rows or columns away.

use super::{Bench, Case, Stdout};
use crate::project::{Project, SHOP};

const HEADER: &str = "order_id,sku,amount\n";

#[test]
fn what_would_take_rows_or_columns_away_is_refused() {
    let shop = |name| {
        let mut case = Case::run(name, &["sync", "shop"]);
        case.stdout = Stdout::SyncTable;
        case
    };
    let frozen = SHOP.replace("description: orders", "contract: freeze");
    Bench::new().check(vec![
        shop("emptied")
            .with("data/uploads/orders-1.csv", HEADER)
            .with("data/uploads/orders-2.csv", HEADER)
            .fails(
                5,
                "replace_empty",
                &["`raw_shop.orders`", "5 rows", "--allow-empty-replace"],
            ),
        shop("shrunk")
            .with("data/uploads/orders-1.csv", HEADER)
            .with("data/uploads/orders-2.csv", format!("{HEADER}4,009,1.5\n"))
            .fails(
                5,
                "replace_shrinks",
                &[
                    "`raw_shop.orders`",
                    "1 rows",
                    "50 %",
                    "shrink_limit_percent",
                ],
            ),
        shop("frozen, and a column more")
            .sources(&frozen)
            .with(
                "data/uploads/orders-2.csv",
                "order_id,sku,amount,note\n4,009,1.5,x\n5,007,2,y\n",
            )
            .fails(
                5,
                "schema_frozen",
                &["`raw_shop.orders`", "note", "--accept-schema"],
            ),
        shop("frozen, and another type")
            .sources(&frozen)
            .with(
                "data/uploads/orders-2.csv",
                format!("{HEADER}4,009,much\n5,007,2\n"),
            )
            .fails(
                5,
                "schema_frozen",
                &["`raw_shop.orders`", "amount", "--accept-schema"],
            ),
    ]);
}

#[test]
fn the_files_of_a_table_may_not_just_be_gone() {
    let project = Project::synced_shop();
    for file in ["data/uploads/orders-1.csv", "data/uploads/orders-2.csv"] {
        fs_err::remove_file(project.path(file)).expect("removed");
    }
    let ran = project.run(&["sync"]);
    let gone = project
        .run(&[
            "query",
            "SELECT count(*) AS n FROM raw_shop.orders",
            "--format",
            "csv",
        ])
        .succeeded();
    assert_eq!(gone.stdout.replace('\r', ""), "n\n5\n", "{ran:#?}");
    ran.failed(5, "replace_empty");
}

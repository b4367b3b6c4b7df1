//! Names and data in other scripts pass through unharmed.

use crate::project::Project;
use serde_json::json;

#[test]
fn unicode_and_blanks_in_names_and_data_survive() {
    let project = Project::new();
    project.write(
        "data/uploads/Ö o'b.csv",
        "größe,naïve name\n1,日本\n2,\"a\"\"b\"\n",
    );
    project
        .run(&[
            "source",
            "add",
            "csv",
            "--name",
            "x",
            "--set",
            "directory=data/uploads",
            "--table",
            "t=Ö o'b.csv",
        ])
        .succeeded();
    project.run(&["sync"]).succeeded();
    let rows = project
        .run(&[
            "query",
            "SELECT * EXCLUDE (_dlt_load_id) FROM raw_x.t ORDER BY 1",
            "--json",
        ])
        .succeeded()
        .json();
    assert_eq!(rows[0]["na_ve_name"], json!("日本"), "{rows}");
    assert_eq!(rows[1]["na_ve_name"], json!("a\"b"), "{rows}");
}

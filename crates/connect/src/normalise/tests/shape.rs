//! Which tables and columns records are taken apart into, and what identifies their rows.

use super::*;

#[test]
fn objects_are_flattened_and_lists_become_child_tables() {
    let record = json!({
        "id": 1, "Ship To": {"cityName": "Oslo", "geo": {"lat": 59.9}}, "tags": ["a", null, "b"],
        "lines": [{"sku": "x", "taxes": [{"rate": 1}]}, {"sku": "y"}], "grid": [[1, 2], [3]], "none": [], "gone": null,
    });
    let batches = run(&mut fresh(&[]).in_schema("raw_shop"), &[record]);
    let order: Vec<_> = batches
        .iter()
        .map(|b| b.table.schema.table.to_string())
        .collect();
    assert_eq!(
        order,
        [
            "raw_shop.t",
            "raw_shop.t__tags",
            "raw_shop.t__lines",
            "raw_shop.t__lines__taxes",
            "raw_shop.t__grid",
            "raw_shop.t__grid__list",
        ]
    );
    let tables = read(&batches);
    let root = &tables["t"][0];
    assert_eq!(
        root.keys().collect::<Vec<_>>(),
        ["_dlt_id", "id", "ship_to__city_name", "ship_to__geo__lat"]
    );
    let indexes: Vec<_> = tables["t__tags"]
        .iter()
        .map(|r| {
            (
                r["_dlt_list_idx"].as_str(),
                r.get("value").map(String::as_str),
            )
        })
        .collect();
    assert_eq!(indexes, [("0", Some("a")), ("1", None), ("2", Some("b"))]);
    assert!(
        tables["t__lines"]
            .iter()
            .all(|row| row["_dlt_parent_id"] == root["_dlt_id"])
    );
    assert_eq!(
        tables["t__lines__taxes"][0]["_dlt_parent_id"],
        tables["t__lines"][0]["_dlt_id"]
    );
    assert_eq!(tables["t__grid__list"].len(), 3);
    assert_eq!(batches[3].table.parent.as_deref(), Some("t__lines"));
}

#[test]
fn ids_stand_only_where_something_points_at_them() {
    let flat = run(&mut fresh(&[]), &[json!({"id": 1, "a": 2})]);
    assert!(!types(&flat, "t").contains_key("_dlt_id"));
    let had_children = known(&[("id", ColumnType::BigInt), ("_dlt_id", ColumnType::Text)]);
    let with_children = run(&mut fresh(&had_children), &[json!({"id": 1})]);
    assert!(types(&with_children, "t").contains_key("_dlt_id"));
}

#[test]
fn the_same_row_has_the_same_id_in_every_load() {
    let id = |record: Value| {
        read(&run(&mut fresh(&[]), &[json!({"id": 0}), record]))["t"][1]["_dlt_id"].clone()
    };
    assert_eq!(
        id(json!({"id": 7, "l": [1]})),
        id(json!({"l": [2, 3], "x": 1, "id": 7}))
    );
    assert_ne!(
        id(json!({"id": 7, "l": [1]})),
        id(json!({"id": 8, "l": [1]}))
    );
    let keyless = |position: &str| {
        let mut normaliser = Normaliser::new("t", &[], &[], IdSeed::new("s"));
        normaliser.set_position(position);
        read(&run(&mut normaliser, &[json!({"l": [1]})]))["t"][0]["_dlt_id"].clone()
    };
    assert_eq!(keyless("page 1"), keyless("page 1"));
    assert_ne!(keyless("page 1"), keyless("page 2"));
}

#[test]
fn keys_with_one_snake_case_name_are_kept_apart() {
    let mut normaliser = fresh(&[]);
    let batches = run(
        &mut normaliser,
        &[json!({"orderId": 1, "order_id": "b", "_dlt_id": "mine", "": 3, "\u{0}": 4})],
    );
    let row = &read(&batches)["t"][0];
    assert_eq!(row.len(), 5, "{row:?}");
    assert_eq!(row["order_id"], "1");
    let other = row
        .iter()
        .find(|(name, _)| name.starts_with("order_id_"))
        .expect("tagged")
        .0
        .clone();
    assert_eq!(row[&other], "b");
    assert_eq!(normaliser.warnings().len(), 3);
    // In the next load the other spelling comes first and still keeps its column.
    let mut next = fresh(&known(&[
        ("order_id", ColumnType::BigInt),
        (&other, ColumnType::Text),
    ]));
    let row = &read(&run(&mut next, &[json!({"order_id": "c", "orderId": 2})]))["t"][0];
    assert_eq!((row[&other].as_str(), row["order_id"].as_str()), ("c", "2"));
    assert!(next.warnings().is_empty());
}

#[test]
fn an_object_and_a_scalar_and_a_list_under_one_key_coexist() {
    let batches = run(
        &mut fresh(&[]),
        &[
            json!({"a": 1}),
            json!({"a": {"b": 2}}),
            json!({"a": [{"b": 3}]}),
            json!({"a": {"b": [4]}}),
        ],
    );
    let tables = read(&batches);
    assert_eq!(tables["t"][0]["a"], "1");
    assert_eq!(tables["t"][1]["a__b"], "2");
    assert_eq!(tables["t__a"][0]["b"], "3");
    assert_eq!(tables["t__a__b"][0]["value"], "4");
}

//! No value is ever lost: what goes in as JSON comes out of the tables, whatever mixture of types and keys it is.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// One form for a value before and after: numbers and timestamps by what they say, not how they are written.
fn canonical(text: &str) -> String {
    if text.starts_with('@') {
        return text.to_owned();
    }
    if let Some(instant) = domain::calendar::parse_timestamp(text.as_bytes()) {
        return format!("@{}", instant.micros);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Number(_)) => canonical_number(text.trim()),
        _ => text.to_owned(),
    }
}

/// The digits of a number without zeros around them, and the power of ten of the last.
fn canonical_number(text: &str) -> String {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let (whole, fraction) = mantissa
        .trim_start_matches('-')
        .split_once('.')
        .unwrap_or((mantissa.trim_start_matches('-'), ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_end_matches('0');
    let dropped = i64::try_from(all.len() - digits.len()).expect("short");
    let last = exponent.parse::<i64>().expect("a number")
        - i64::try_from(fraction.len()).expect("short")
        + dropped;
    match digits.trim_start_matches('0') {
        "" => "0".into(),
        digits => format!("{sign}{digits}e{last}"),
    }
}

fn leaves(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(entries) => entries.values().for_each(|value| leaves(value, out)),
        Value::Array(items) => items.iter().for_each(|value| leaves(value, out)),
        Value::String(text) => out.push(canonical(text)),
        other => out.push(canonical(&other.to_string())),
    }
}

fn values_of(tables: &Tables, table: &str, row: &BTreeMap<String, String>, out: &mut Vec<String>) {
    let ours = ["_dlt_id", "_dlt_parent_id", "_dlt_list_idx"];
    let own = row
        .iter()
        .filter(|(name, _)| !ours.contains(&name.as_str()));
    out.extend(own.map(|(_, text)| canonical(text)));
    let Some(id) = row.get("_dlt_id") else { return };
    for (child, rows) in tables.iter().filter(|(name, _)| *name != table) {
        for row in rows
            .iter()
            .filter(|row| row.get("_dlt_parent_id") == Some(id))
        {
            values_of(tables, child, row, out);
        }
    }
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-20_i64..20).prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        "-?[1-9][0-9]{0,45}".prop_map(|text| serde_json::from_str(&text).expect("a number")),
        "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,25}"
            .prop_map(|text| serde_json::from_str(&text).expect("a number")),
        "[a-z ]{0,6}".prop_map(Value::from),
        "20[0-9]{2}-0[1-9]-1[0-9]T1[0-9]:00:00(Z|\\+02:00|)".prop_map(Value::from),
    ]
}

fn records() -> impl Strategy<Value = Value> {
    let inner = scalars().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("(a|b|A|aB|a_b|value|list|é)", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    });
    proptest::collection::vec(("(a|b|A|aB|a_b|a__v_text|_dlt_id)", inner), 0..5)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default()
    })]
    #[test]
    fn no_value_is_lost_and_none_appears(
        records in proptest::collection::vec(records(), 1..12),
        cut in 0_usize..12,
    ) {
        let mut normaliser = Normaliser::new("t", &[], &[], IdSeed::new("s"));
        let cut = cut.min(records.len());
        // With a child table from the start every row has its id, so that rows can be found again.
        normaliser.push(&json!({"zz": [0]})).expect("taken");
        let mut batches = run(&mut normaliser, &records[..cut]);
        batches.extend(run(&mut normaliser, &records[cut..]));
        let tables = read(&batches);
        prop_assert_eq!(tables["t"].len(), records.len() + 1);
        for (record, row) in records.iter().zip(&tables["t"][1..]) {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            leaves(record, &mut before);
            values_of(&tables, "t", row, &mut after);
            before.sort();
            after.sort();
            prop_assert_eq!(before, after, "{}", record);
        }
    }
}

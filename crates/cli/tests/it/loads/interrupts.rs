//! Ctrl-C at every moment of a sync's end: what history says and what the warehouse holds are the same.

use super::lists::Lists;
use super::rows;
use crate::project::Project;
use serde_json::json;

/// Moments before the end of a sync that are tried: the last transaction is among them.
const MOMENTS: i64 = 12;

fn count_effects(project: &Project) -> i64 {
    let counted = [("DANGO_FAULT_COUNT", "1")];
    let ran = project.run_with(&["sync"], "", &counted).succeeded();
    let line = |line: &str| line.strip_prefix("fault points: ")?.trim().parse().ok();
    let count = ran.stderr.lines().find_map(line);
    count.expect("a test's binary has fault points")
}

#[test]
fn history_and_warehouse_agree_whenever_a_sync_is_stopped() {
    let api = Lists::start(10);
    api.set("orders", vec![json!({"id": 1, "lines": [{"n": 1}]})]);
    let project = api.project(&["path: orders, primary_key: id"]);
    count_effects(&project);
    let effects = count_effects(&project);
    let loads = || {
        let found = rows(
            &project,
            "SELECT count(*)::INT AS n FROM raw_pay._dlt_loads",
        );
        found[0]["n"].as_i64().expect("a number")
    };
    let mut before = loads();
    let mut stopped = 0;
    // One early enough that the signal surely finds something to stop.
    for at in [3].into_iter().chain(effects - MOMENTS..=effects) {
        let variables = [("DANGO_FAULT_INTERRUPT", at.to_string())];
        let variables = variables
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let ran = project.run_with(&["sync"], "", &variables);
        let shown = project
            .run(&["source", "show", "pay", "--json"])
            .succeeded()
            .json();
        let after = loads();
        let is_committed = after > before;
        let expect = if is_committed {
            "succeeded"
        } else {
            "cancelled"
        };
        assert_eq!(
            shown["history"][0]["state"], expect,
            "effect {at} of {effects}: {ran:#?}"
        );
        assert_eq!(
            ran.code == Some(0),
            is_committed,
            "effect {at} of {effects}: {ran:#?}"
        );
        stopped += i64::from(!is_committed);
        before = after;
    }
    assert!(
        (1..MOMENTS).contains(&stopped),
        "{stopped} of {MOMENTS} were stopped"
    );
}

//! Numbers without declared digits: their type is decided by all values that will be read, inside the snapshot, so that
//! none is ever rounded.

use super::super::passes::Pass;
use super::super::place::Place;
use super::super::plan::{Plan, TableColumn};
use super::super::select::{filter, relation};
use super::Session;
use super::rows::fetch;
use super::types::Wire;
use crate::failure::Failure;
use domain::column::DECIMAL_PRECISION_MAX;
use domain::{ColumnType, Disposition, SourceName, TableSchema};
use std::sync::Arc;

/// Digits before the point that are given at least: those of a 64-bit number, so that growing values widen no column.
const WHOLE_DIGITS_MIN: u32 = 19;

/// What the values of one column need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) struct Need {
    whole_digits: u32,
    scale: u32,
}

/// Looks at the open columns of a table that is read whole, so that its schema is known before it is read. Where only
/// changed rows are read, only those are looked at, when it is known which they are.
pub(super) async fn measure_whole(
    session: &mut Session,
    source: &SourceName,
    plan: &mut Plan<Wire>,
) -> Result<(), Failure> {
    if is_open(plan) && plan.stream.disposition == Disposition::Replace {
        measure(session, plan, "").await?;
        let mut settled = plan.clone();
        settle(&mut settled, None);
        plan.stream.schema = Some(Arc::new(settled.schema(source)));
    }
    Ok(())
}

/// Decides the open columns for the rows of `passes`. A type that the warehouse has already and that holds all of them stays.
pub(super) async fn decide(
    session: &mut Session,
    plan: &mut Plan<Wire>,
    passes: &[Pass],
    known: Option<&TableSchema>,
) -> Result<(), Failure> {
    if plan
        .table
        .columns
        .iter()
        .any(|column| column.wire == Wire::Open(None))
    {
        let filter = match passes {
            [one] => filter::<Session>(plan, one),
            // Two passes complete each other.
            _ => String::new(),
        };
        measure(session, plan, &filter).await?;
    }
    settle(plan, known);
    Ok(())
}

fn is_open(plan: &Plan<Wire>) -> bool {
    plan.table.columns.iter().any(|column| column.is_open)
}

async fn measure(
    session: &mut Session,
    plan: &mut Plan<Wire>,
    filter: &str,
) -> Result<(), Failure> {
    let at = Place::table(&plan.table.found.origin());
    let question = |column: &TableColumn<Wire>| {
        let value = &column.expression;
        // Only NaN and the infinities have no scale; the latter cannot be written in versions before 14.
        format!(
            "pg_catalog.max(pg_catalog.scale({value}))::pg_catalog.text,
            pg_catalog.length(pg_catalog.trunc(pg_catalog.max(pg_catalog.abs({value}))
                FILTER (WHERE pg_catalog.scale({value}) IS NOT NULL))::pg_catalog.text)::pg_catalog.text"
        )
    };
    let open = plan
        .table
        .columns
        .iter_mut()
        .filter(|column| column.is_open);
    let open: Vec<&mut TableColumn<Wire>> = open.collect();
    let questions: Vec<String> = open.iter().map(|column| question(column)).collect();
    let relation = relation::<Session>(&plan.table.found);
    let sql = format!("SELECT {} FROM {relation}{filter}", questions.join(", "));
    let answer = fetch(session, sql, &at).await?;
    let number = |index: usize| {
        let text = answer.first().and_then(|row| row.get(index));
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    };
    for (index, column) in open.into_iter().enumerate() {
        let need = Need {
            scale: number(index * 2),
            whole_digits: number(index * 2 + 1),
        };
        column.wire = Wire::Open(Some(need));
    }
    Ok(())
}

/// Gives the open columns the types that their values need.
fn settle(plan: &mut Plan<Wire>, known: Option<&TableSchema>) {
    let names: Vec<String> = plan.names().to_vec();
    for (column, name) in plan.table.columns.iter_mut().zip(names) {
        let Wire::Open(need) = column.wire else {
            continue;
        };
        let known = known
            .and_then(|schema| schema.column(&name))
            .map(|column| column.kind);
        column.kind = need.map_or(ColumnType::Text, |need| decide_kind(need, known));
        if let ColumnType::Decimal { precision, scale } = column.kind {
            column.wire = Wire::Numeric { precision, scale };
        } else {
            column.wire = Wire::Text;
            column.expression = format!("{}::pg_catalog.text", column.expression);
        }
    }
}

/// Returns the type for values that need `need`, where the warehouse has `known`.
fn decide_kind(need: Need, known: Option<ColumnType>) -> ColumnType {
    let max = u32::from(DECIMAL_PRECISION_MAX);
    let decimal = |whole: u32, scale: u32| {
        let (precision, scale) = (u8::try_from(whole + scale).ok()?, u8::try_from(scale).ok()?);
        ColumnType::decimal(precision, scale)
    };
    let decided = if need.scale > max || need.whole_digits > max {
        ColumnType::Text
    } else {
        decimal(need.whole_digits.max(WHOLE_DIGITS_MIN), need.scale)
            .or_else(|| decimal((max - need.scale).max(need.whole_digits), need.scale))
            .unwrap_or(ColumnType::Text)
    };
    match known {
        None => decided,
        Some(ColumnType::Decimal { precision, scale })
            if u32::from(scale) >= need.scale
                && u32::from(precision - scale) >= need.whole_digits =>
        {
            ColumnType::Decimal { precision, scale }
        }
        // Whatever else the warehouse has there, a decimal is not it.
        Some(known) => match known.widen(decided) {
            widened @ ColumnType::Decimal { .. } => widened,
            _ => ColumnType::Text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_decided_by_what_the_values_need() {
        let check = |whole_digits, scale, known: Option<&str>, expect: &str| {
            let known = known.and_then(ColumnType::from_sql);
            let kind = decide_kind(
                Need {
                    whole_digits,
                    scale,
                },
                known,
            );
            assert_eq!(kind.to_sql(), expect, "{whole_digits}.{scale} {known:?}");
        };
        check(1, 0, None, "DECIMAL(19,0)");
        check(5, 2, None, "DECIMAL(21,2)");
        check(20, 18, None, "DECIMAL(38,18)");
        check(1, 20, None, "DECIMAL(38,20)");
        check(1, 37, None, "DECIMAL(38,37)");
        check(2, 37, None, "VARCHAR");
        check(39, 0, None, "VARCHAR");
        check(100_000, 16_383, None, "VARCHAR");
        check(5, 2, Some("DECIMAL(30,4)"), "DECIMAL(30,4)");
        check(5, 6, Some("DECIMAL(21,2)"), "DECIMAL(25,6)");
        check(5, 2, Some("VARCHAR"), "VARCHAR");
        check(30, 2, Some("DECIMAL(38,20)"), "VARCHAR");
    }
}

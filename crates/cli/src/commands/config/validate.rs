//! `dango config validate`: every finding at once, so that one run mends them all.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::Output;
use crate::output::style::Style;
use app::config::{Finding, Severity};
use app::error::Kind;
use clap::Args;
use domain::Code;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// `dango config validate` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Checks the files; a finding that is an error makes the command fail.
pub(crate) fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let findings = app::check_config(&context.options("config validate")?)?;
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    if output.json {
        let findings: Vec<_> = findings.iter().map(to_json).collect();
        output.print_json(&json!({ "valid": errors == 0, "findings": findings }))?;
    } else {
        let mut text: Vec<_> = findings
            .iter()
            .map(|finding| line(finding, output))
            .collect();
        if errors == 0 {
            text.push(
                output
                    .data_palette()
                    .paint(Style::Good, "the configuration is valid"),
            );
        }
        output.print(&text.join("\n"))?;
    }
    if errors == 0 {
        Ok(())
    } else {
        Err(Stop::Told(Kind::Invalid, Code::ConfigInvalid))
    }
}

fn line(finding: &Finding, output: Output) -> String {
    let palette = output.data_palette();
    let style = match finding.severity {
        Severity::Error => Style::Error,
        Severity::Warning => Style::Warning,
        Severity::Notice => Style::Dim,
    };
    let severity = palette.paint(style, &format!("{}:", finding.severity.as_str()));
    let mut text = format!("{severity} {}", finding.located());
    if !finding.hint.is_empty() {
        let _ = write!(
            text,
            "\n{} {}",
            palette.paint(Style::Hint, "hint:"),
            finding.hint
        );
    }
    text
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.as_str(),
        "code": finding.code.as_str(),
        "file": finding.file,
        "line": finding.place.map(|place| place.line),
        "column": finding.place.map(|place| place.column),
        "source": finding.source,
        "message": finding.say.as_str(),
        "hint": (!finding.hint.is_empty()).then(|| finding.hint.as_str()),
    })
}

//! `dango doctor`: what this machine and this project are like, and how to mend what is wrong.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::Output;
use crate::output::style::Style;
use app::doctor::{Finding, State};
use app::error::Kind;
use clap::Args;
use domain::Code;
use serde_json::json;
use std::fmt::Write as _;

/// `dango doctor` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Checks everything; a problem (not a warning) makes the command fail.
pub(crate) async fn run(context: &Context, _: Arguments) -> Result<(), Stop> {
    let output = context.output;
    let checked = async { Ok(app::doctor::check(context.options("doctor")?).await) };
    let findings = context.interrupts.or_drop(Box::pin(checked)).await?;
    let problems = findings
        .iter()
        .filter(|finding| finding.state == State::Problem)
        .count();
    if output.json {
        output.print_json(&json!({ "healthy": problems == 0, "findings": findings }))?;
    } else {
        let text: Vec<_> = findings
            .iter()
            .map(|finding| line(finding, output))
            .collect();
        output.print(&text.join("\n"))?;
    }
    if problems == 0 {
        Ok(())
    } else {
        Err(Stop::Told(Kind::Invalid, Code::DoctorFound))
    }
}

fn line(finding: &Finding, output: Output) -> String {
    let palette = output.data_palette();
    let state = match finding.state {
        State::Ok => palette.paint(Style::Good, "ok      "),
        State::Warning => palette.paint(Style::Warning, "warning "),
        State::Problem => palette.paint(Style::Error, "problem "),
    };
    let mut text = format!("{state} {}: {}", finding.area, finding.say);
    if !finding.fix.is_empty() {
        let _ = write!(
            text,
            "\n         {} {}",
            palette.paint(Style::Hint, "fix:"),
            finding.fix
        );
    }
    text
}

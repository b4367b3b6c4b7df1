//! What is wrong with this machine and this project, each with its fix.

use crate::config::{self, Severity};
use crate::credentials::hygiene;
use crate::{App, OpenOptions};
use domain::say::Quoted;
use domain::{Say, say};
use security::permissions::{ConfigView, HealthView};
use serde::Serialize;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    /// It works, and could be better.
    Warning,
    /// Something does not work until it is mended.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    pub area: &'static str,
    pub state: State,
    pub say: String,
    /// Empty when there is nothing to do.
    pub fix: String,
}

impl Finding {
    fn new(area: &'static str, state: State, say: impl Into<Say>, fix: impl Into<Say>) -> Self {
        Self {
            area,
            state,
            say: say.into().to_string(),
            fix: fix.into().to_string(),
        }
    }
}

/// Looks at everything. What cannot be opened is a finding, not an error.
pub async fn check(options: OpenOptions) -> Vec<Finding> {
    let mut findings = machine();
    let app = match App::open(options, &mut |_| {}).await {
        Ok(app) => app,
        Err(error) => {
            findings.push(Finding::new(
                "project",
                State::Problem,
                error.say,
                error.hint,
            ));
            return findings;
        }
    };
    findings.push(Finding::new(
        "project",
        State::Ok,
        say!("", name app.project.root()),
        "",
    ));
    findings.extend(configuration(&app).await);
    findings.extend(secrets(&app).await);
    findings.push(warehouse(&app).await);
    findings.extend(around_the_warehouse(&app));
    app.close().await;
    findings
}

fn machine() -> Vec<Finding> {
    let level = sandbox::level();
    let mut findings: Vec<_> = level
        .missing
        .iter()
        .map(|missing| {
            Finding::new(
                "cage",
                State::Warning,
                say!("", Quoted(&missing.part), ": ", Quoted(&missing.why)),
                say!("", Quoted(&missing.fix)),
            )
        })
        .collect();
    if findings.is_empty() {
        let abi = level.landlock_abi;
        findings.push(Finding::new(
            "cage",
            State::Ok,
            say!("Landlock ABI ", abi, " and seccomp"),
            "",
        ));
    }
    findings
}

async fn configuration(app: &App) -> Vec<Finding> {
    let checked = app
        .allow::<ConfigView>()
        .await
        .and_then(|allow| config::validate(&allow, &app.project, &app.environment, &app.catalog));
    let mut findings: Vec<_> = match checked {
        Err(error) => vec![Finding::new(
            "configuration",
            State::Problem,
            error.say,
            error.hint,
        )],
        Ok(found) => found
            .into_iter()
            .map(|finding| {
                let state = match finding.severity {
                    Severity::Error => State::Problem,
                    _ => State::Warning,
                };
                Finding::new("configuration", state, finding.located(), finding.hint)
            })
            .collect(),
    };
    for failure in &app.catalog_failures {
        findings.push(Finding::new(
            "connectors",
            State::Problem,
            failure.say.clone(),
            failure.hint.clone(),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::new(
            "configuration",
            State::Ok,
            "nothing to say",
            "",
        ));
    }
    findings
}

async fn secrets(app: &App) -> Vec<Finding> {
    let warnings = hygiene::check(&app.project).await;
    if warnings.is_empty() {
        return vec![Finding::new(
            "secrets",
            State::Ok,
            "private, and not in git",
            "",
        )];
    }
    warnings
        .into_iter()
        .map(|warning| Finding::new("secrets", State::Problem, warning.say, warning.hint))
        .collect()
}

async fn warehouse(app: &App) -> Finding {
    if !app.settings.platform.warehouse_file.exists() {
        return Finding::new("warehouse", State::Ok, "none yet", "`dango sync` makes it");
    }
    let opened = async {
        let allow = app.allow::<HealthView>().await?;
        Ok::<_, crate::Error>(app.warehouse.status(&allow).await?)
    };
    match opened.await {
        Err(error) => Finding::new("warehouse", State::Problem, error.say, error.hint),
        Ok(status) if status.free_bytes * 2 > status.file_bytes => Finding::new(
            "warehouse",
            State::Warning,
            say!(
                "",
                status.free_bytes >> 20,
                " of ",
                status.file_bytes >> 20,
                " MB hold nothing"
            ),
            "return them with `dango db compact`",
        ),
        Ok(status) => {
            let path = app.project.shown(&app.settings.platform.warehouse_file);
            let shown = path.to_string_lossy();
            Finding::new(
                "warehouse",
                State::Ok,
                say!("", name Quoted(&shown), ", ", status.file_bytes >> 20, " MB"),
                "",
            )
        }
    }
}

/// Looks at who else can reach the warehouse.
fn around_the_warehouse(app: &App) -> Vec<Finding> {
    let exposed = hygiene::wide_warehouse(&app.project, &app.settings.platform.warehouse_file);
    // A folder that is open, with a file in it that is not, gives nothing away but names.
    let state = if exposed.len() > 1 {
        State::Problem
    } else {
        State::Warning
    };
    exposed
        .into_iter()
        .map(|exposure| Finding::new("warehouse", state, exposure.say, exposure.hint))
        .collect()
}

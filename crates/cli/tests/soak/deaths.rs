//! Killing, resuming, comparing.

use crate::dice::Dice;
use crate::project::{Death, Project};
use crate::shop::State;
use crate::sources::Origin;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// The campaign of one kind of source.
pub(crate) struct Campaign<'a> {
    pub(crate) kind: &'a str,
    pub(crate) seed: u64,
    pub(crate) kills: u32,
    pub(crate) share: u32,
}

/// How it went.
pub(crate) struct Report {
    kind: String,
    fault_points: u64,
    fault_points_tried: u64,
    kills_main: u32,
    kills_worker: u32,
    /// Kills that found the sync already done: they prove nothing, and are not counted as deaths.
    kills_late: u32,
    pub(crate) failures: Vec<String>,
}

impl Report {
    pub(crate) fn deaths(&self) -> u64 {
        self.fault_points_tried + u64::from(self.kills_main + self.kills_worker)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "kind": self.kind,
            "fault_points": self.fault_points,
            "fault_points_tried": self.fault_points_tried,
            "kills_main": self.kills_main,
            "kills_worker": self.kills_worker,
            "kills_too_late": self.kills_late,
            "failures": self.failures,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {} of {} fault points, {} kills of the main process, {} of the worker, {} too late, {} failures",
            self.kind,
            self.fault_points_tried,
            self.fault_points,
            self.kills_main,
            self.kills_worker,
            self.kills_late,
            self.failures.len()
        )
    }
}

/// What an undisturbed project holds after each state.
struct Expected {
    first: Value,
    second: Value,
}

impl Campaign<'_> {
    /// Plays the campaign.
    pub(crate) fn run(&self) -> Report {
        let origin = Origin::start(self.kind);
        let (expected, durations) = undisturbed(&origin);
        let mut report = Report {
            kind: self.kind.to_owned(),
            fault_points: 0,
            fault_points_tried: 0,
            kills_main: 0,
            kills_worker: 0,
            kills_late: 0,
            failures: Vec::new(),
        };
        for state in [State::First, State::Second] {
            self.sweep_fault_points(&origin, &expected, state, &mut report);
        }
        let mut dice = Dice::new(self.seed);
        let mut deaths = 0;
        let mut attempts = 0;
        while deaths < self.kills && attempts < self.kills * 6 {
            attempts += 1;
            let state = if dice.throw(2) == 0 {
                State::First
            } else {
                State::Second
            };
            let whole = if state == State::First {
                durations.0
            } else {
                durations.1
            };
            let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX).max(1);
            let after = Duration::from_micros(dice.throw(micros));
            let death = if attempts % 2 == 0 {
                Death::Worker(after)
            } else {
                Death::Main(after)
            };
            let name = format!("{state:?} {death:?}");
            match die(&origin, &expected, state, &death) {
                Ok(true) => {
                    deaths += 1;
                    match death {
                        Death::Worker(_) => report.kills_worker += 1,
                        _ => report.kills_main += 1,
                    }
                }
                Ok(false) => report.kills_late += 1,
                Err(failure) => {
                    deaths += 1;
                    report.failures.push(format!("{name}: {failure}"));
                }
            }
        }
        report
    }

    /// Aborts at each fault point in turn, or at a share of them spread evenly.
    fn sweep_fault_points(
        &self,
        origin: &Origin,
        expected: &Expected,
        state: State,
        report: &mut Report,
    ) {
        let points = count_fault_points(origin, state);
        report.fault_points += points;
        let tried = (points * u64::from(self.share) / 100).clamp(points.min(5), points);
        for index in 0..tried {
            // A share starts elsewhere every day.
            let n = (index * points / tried + self.seed) % points + 1;
            report.fault_points_tried += 1;
            // The number of points varies a little with the size of pages; the last may not be reached, which is fine.
            if let Err(failure) = die(origin, expected, state, &Death::FaultPoint(n)) {
                report
                    .failures
                    .push(format!("{state:?} fault point {n}: {failure}"));
            }
        }
    }
}

/// Lets one sync die, resumes it and compares; answers whether it died before it was done.
fn die(origin: &Origin, expected: &Expected, state: State, death: &Death) -> Result<bool, String> {
    let project = Project::new(origin);
    origin.set(State::First);
    if state == State::Second {
        project.sync()?;
        origin.set(State::Second);
    }
    let died = project.sync_and_die(death)?;
    project.sync()?;
    let expect = if state == State::First {
        &expected.first
    } else {
        &expected.second
    };
    let found = project.contents()?;
    if found != *expect {
        return Err(format!("the warehouse holds {found} instead of {expect}"));
    }
    Ok(died)
}

fn undisturbed(origin: &Origin) -> (Expected, (Duration, Duration)) {
    let project = Project::new(origin);
    origin.set(State::First);
    let first_took = project.sync().expect("an undisturbed sync succeeds");
    let first = project.contents().expect("the warehouse can be read");
    origin.set(State::Second);
    let second_took = project.sync().expect("an undisturbed sync succeeds");
    let second = project.contents().expect("the warehouse can be read");
    assert_ne!(first, second, "the second state changes something");
    (Expected { first, second }, (first_took, second_took))
}

fn count_fault_points(origin: &Origin, state: State) -> u64 {
    let project = Project::new(origin);
    origin.set(State::First);
    if state == State::Second {
        project.sync().expect("an undisturbed sync succeeds");
        origin.set(State::Second);
    }
    project.count_fault_points()
}

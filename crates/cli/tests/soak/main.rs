//! The crash campaigns: every kind of source is synced while the process, or the warehouse's worker, is killed; then it is
//! synced again and compared with a sync that nobody disturbed. And a server is killed while people use it (`identity`).
//!
//! `cargo test -p dango --test soak -- [--share PERCENT] [--seed N] [--kind KIND] [--report FILE]`
//!
//! Two kinds of deaths: an abort at each fault point in turn (the test kit's build ends itself at the n-th effect), and
//! SIGKILL at seeded moments, to the main process and to the worker alternately. At 100 percent each kind of source sees
//! every fault point and 200 kills.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a campaign that goes wrong stops, and it measures time, reads files and prints as any program does"
)]

mod deaths;
mod dice;
mod identity;
mod project;
mod shop;
mod sources;

use deaths::Campaign;
use serde_json::Value;
use std::process::ExitCode;

/// SIGKILLs of one kind of source in a full campaign.
const KILLS: u32 = 200;
/// SIGKILLs below which a share of the campaign says nothing.
const KILLS_MIN: u32 = 20;

struct Options {
    share: u32,
    seed: u64,
    kinds: Vec<String>,
    report: Option<String>,
}

fn options() -> Options {
    let mut options = Options {
        share: 5,
        seed: day_seed(),
        kinds: [&sources::KINDS[..], &identity::KINDS[..]]
            .concat()
            .iter()
            .map(ToString::to_string)
            .collect(),
        report: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("an option has a value");
        match argument.as_str() {
            "--share" => options.share = value().parse().expect("a percentage"),
            "--seed" => options.seed = value().parse().expect("a number"),
            "--kind" => options.kinds = vec![value()],
            "--report" => options.report = Some(value()),
            // What `cargo test` passes to every test binary is not for us.
            _ => {}
        }
    }
    options
}

/// The seed of a day, so that a year of CI runs sees many.
fn day_seed() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    since.as_secs() / 86_400
}

/// Plays the campaign of one kind; returns what to tell, its failures, its deaths and its report.
fn play(kind: &str, options: &Options) -> (String, Vec<String>, u64, Value) {
    let (seed, share) = (options.seed, options.share);
    if identity::KINDS.contains(&kind) {
        // A server on Postgres is the same server: a tenth shows that the database is.
        let of_kind = if kind == identity::KINDS[0] { 1 } else { 10 };
        let kills = (KILLS * share / 100 / of_kind).max(KILLS_MIN / of_kind + 3);
        let report = identity::Campaign { kind, seed, kills }.run();
        let (deaths, json) = (report.deaths(), report.to_json());
        return (report.to_string(), report.failures, deaths, json);
    }
    let kills = (KILLS * share / 100).max(KILLS_MIN);
    let report = Campaign {
        kind,
        seed,
        kills,
        share,
    }
    .run();
    let (deaths, json) = (report.deaths(), report.to_json());
    (report.to_string(), report.failures, deaths, json)
}

fn main() -> ExitCode {
    let options = options();
    let (mut passed, mut failed) = (0, 0);
    let mut reports = Vec::new();
    println!("seed {}, {} percent", options.seed, options.share);
    for kind in &options.kinds {
        let (told, failures, deaths, json) = play(kind, &options);
        println!("{told}");
        for failure in &failures {
            println!("  {failure}");
        }
        passed += deaths;
        failed += failures.len();
        reports.push(json);
    }
    if let Some(path) = &options.report {
        let document = serde_json::json!({ "seed": options.seed, "share_percent": options.share, "kinds": reports });
        let text = serde_json::to_string_pretty(&document).expect("JSON");
        std::fs::write(path, text + "\n").expect("the report is written");
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

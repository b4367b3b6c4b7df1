//! The crash campaign of people: a server with several clients dies while they sign in, make tokens, change roles and are
//! refused; it starts again on the same folder, and what is there is compared with what the clients know.

mod acts;
mod metadata;
mod state;
mod team;

use crate::dice::Dice;
use acts::{Act, Client, Journal, Kind};
use metadata::Metadata;
use serde_json::{Map, Value, json};
use state::State;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};
use team::{Server, Team};
use testkit::http::Connection;
use testkit::servers::{DATABASE, Postgres};

/// Kinds of campaigns: where the metadata is.
pub(crate) const KINDS: [&str; 2] = ["identity", "identity-postgres"];

/// Deaths of one project: its log grows with each, and every look at it takes longer.
const DEATHS_OF_A_PROJECT: u32 = 20;
/// A SIGKILL comes within this time.
const WINDOW_MICROS: u64 = 600_000;
/// Around the end of a sign-in, where it becomes a session: most of it is the password's hash, which changes nothing.
const AIM_MICROS: u64 = 30_000;
/// Of so many effects of a run, one is its last; some thousand are there while clients are at work.
const FAULT_POINTS: u64 = 400;
/// A server that did not reach its fault point is killed.
const FAULT_TIMEOUT: Duration = Duration::from_secs(4);
/// Fewer acts may lack a kind.
const ACTS_OF_A_LIFE_MIN: usize = 200;
/// A proof of who somebody is is good for five minutes.
const COOKIES_LAST: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_micros(500);

/// The campaign.
pub(crate) struct Campaign<'a> {
    pub(crate) kind: &'a str,
    pub(crate) seed: u64,
    pub(crate) kills: u32,
}

/// How it went.
pub(crate) struct Report {
    kind: String,
    kills: u32,
    /// Fault points at which the process ended itself, while it started or while it served.
    fault_points: u32,
    /// Deaths at which at least one act of a kind was under way, by SIGKILL alone.
    under_way: [u32; Kind::COUNTED.len()],
    answered: usize,
    unanswered_done: usize,
    unanswered_absent: usize,
    records: u64,
    took: Duration,
    pub(crate) failures: Vec<String>,
}

impl Report {
    pub(crate) fn deaths(&self) -> u64 {
        u64::from(self.kills + self.fault_points)
    }

    pub(crate) fn to_json(&self) -> Value {
        let counted = Kind::COUNTED.iter().zip(self.under_way);
        let under_way: Map<_, _> = counted
            .map(|((_, name), count)| ((*name).to_owned(), count.into()))
            .collect();
        json!({
            "kind": self.kind,
            "kills": self.kills,
            "kills_with_act_under_way": under_way,
            "deaths_at_fault_points": self.fault_points,
            "acts_answered": self.answered,
            "acts_unanswered_and_done": self.unanswered_done,
            "acts_unanswered_and_absent": self.unanswered_absent,
            "records_verified": self.records,
            "seconds": self.took.as_secs(),
            "failures": self.failures,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} kills (", self.kind, self.kills)?;
        for ((_, name), count) in Kind::COUNTED.iter().zip(self.under_way) {
            write!(out, "{name} {count}, ")?;
        }
        write!(
            out,
            "under way), {} deaths at fault points, {} acts answered, {} not: {} done, {} absent; {} records, {} s, {} failures",
            self.fault_points,
            self.answered,
            self.unanswered_done + self.unanswered_absent,
            self.unanswered_done,
            self.unanswered_absent,
            self.records,
            self.took.as_secs(),
            self.failures.len()
        )
    }
}

/// A project while it dies again and again.
struct Life {
    team: Team,
    before: State,
    acts: Vec<Act>,
    cookies: Option<Cookies>,
    server: Option<Server>,
}

#[derive(Clone)]
struct Cookies {
    admin: String,
    minter: String,
    viewer: String,
    since: Instant,
}

impl Campaign<'_> {
    /// Plays the campaign: until each kind was under way at enough kills, and a quarter as many deaths at fault points.
    pub(crate) fn run(&self) -> Report {
        let began = Instant::now();
        let metadata = match self.kind {
            "identity-postgres" => Metadata::Postgres(Postgres::shared(), DATABASE.to_owned()),
            _ => Metadata::Sqlite,
        };
        let template = Team::new(metadata);
        let mut report = Report {
            kind: self.kind.to_owned(),
            kills: 0,
            fault_points: 0,
            under_way: [0; Kind::COUNTED.len()],
            answered: 0,
            unanswered_done: 0,
            unanswered_absent: 0,
            records: 0,
            took: Duration::ZERO,
            failures: Vec::new(),
        };
        let mut dice = Dice::new(self.seed);
        let mut number = 0;
        while !self.is_done(&report) {
            number += 1;
            if let Err(failure) = self.live(&template, number, &mut dice, &mut report) {
                report.failures.push(format!("project {number}: {failure}"));
            }
        }
        report.took = began.elapsed();
        report
    }

    fn is_done(&self, report: &Report) -> bool {
        let least = report.under_way.iter().min().copied().unwrap_or(0);
        let enough = least >= self.kills && report.fault_points >= self.kills / 4;
        // What never comes must not be waited for for ever.
        let too_many = report.kills >= self.kills * 3 || report.failures.len() >= 20;
        enough || too_many
    }

    /// Lets one project die so many times, and looks at it after each.
    fn live(
        &self,
        template: &Team,
        number: usize,
        dice: &mut Dice,
        report: &mut Report,
    ) -> Result<(), String> {
        let team = template.copied(number);
        let mut life = Life {
            before: State::read(&team)?,
            team,
            acts: Vec::new(),
            cookies: None,
            server: None,
        };
        for _ in 0..DEATHS_OF_A_PROJECT {
            if self.is_done(report) {
                break;
            }
            let at_fault_point = dice.throw(5) == 0;
            if at_fault_point {
                let point = 1 + dice.throw(FAULT_POINTS);
                life.die_at_fault_point(point, dice, report)?;
            } else {
                life.be_killed(dice, report)?;
            }
            life.server = Some(life.team.serve(None)?);
            let found = life.team.verify()?;
            report.records = report
                .records
                .max(found["database"]["records"].as_u64().unwrap_or(0));
            let (wrong, _) = State::read(&life.team)?.compare(&life.before, &life.acts);
            if !wrong.is_empty() {
                return Err(wrong.join("; "));
            }
        }
        life.end(report)
    }
}

impl Life {
    /// SIGKILL at a moment: any, or around the end of a sign-in.
    fn be_killed(&mut self, dice: &mut Dice, report: &mut Report) -> Result<(), String> {
        let server = match self.server.take() {
            Some(server) => server,
            None => self.team.serve(None)?,
        };
        let after = Duration::from_micros(dice.throw(WINDOW_MICROS));
        let aim = (dice.throw(3) > 0).then(|| Duration::from_micros(dice.throw(AIM_MICROS)));
        let (acts, killed_at) = self.work(server, dice, report, |server, journal| {
            thread::sleep(after);
            if let Some(aim) = aim {
                wait_for_sign_in(journal, aim);
            }
            let now = Instant::now();
            server.kill();
            now
        });
        report.kills += 1;
        for (slot, (kind, _)) in report.under_way.iter_mut().zip(Kind::COUNTED) {
            let mut of_kind = acts.iter().filter(|act| act.kind == kind);
            *slot += u32::from(of_kind.any(|act| act.answer.is_none() && act.sent_at < killed_at));
        }
        self.acts.extend(acts);
        Ok(())
    }

    /// The process aborts at its n-th effect, which may be one of its start.
    fn die_at_fault_point(
        &mut self,
        point: u64,
        dice: &mut Dice,
        report: &mut Report,
    ) -> Result<(), String> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        let Ok(server) = self.team.serve(Some(point)) else {
            report.fault_points += 1;
            return Ok(());
        };
        let mut aborted = true;
        let (acts, _) = self.work(server, dice, report, |server, _| {
            let began = Instant::now();
            while !server.has_ended() {
                if began.elapsed() > FAULT_TIMEOUT {
                    aborted = false;
                    server.kill();
                }
                thread::sleep(POLL);
            }
            began
        });
        report.fault_points += u32::from(aborted);
        self.acts.extend(acts);
        Ok(())
    }

    /// Lets clients work until the server is dead; returns what they know.
    fn work<T>(
        &mut self,
        mut server: Server,
        dice: &mut Dice,
        report: &mut Report,
        death: impl FnOnce(&mut Server, &Journal) -> T,
    ) -> (Vec<Act>, T) {
        let journal = Journal::default();
        // A server that dies at a fault point may not live that long.
        let cookies = self.cookies(server.port, &journal);
        let mark = self.acts.len() + usize::try_from(dice.throw(1 << 20)).unwrap_or(0);
        let seeds = [dice.throw(u64::MAX), dice.throw(u64::MAX)];
        let (team, port) = (&self.team, server.port);
        let ended = thread::scope(|scope| {
            let journal = &journal;
            let client = move || -> std::io::Result<Client<'_>> {
                Ok(Client {
                    connection: Connection::open(port)?,
                    journal,
                })
            };
            if let Some(cookies) = &cookies {
                // Every one of them ends with an error: the server's death.
                scope.spawn(
                    move || loop {
                        client()?.sign_in(&team.entrant)?;
                    } as std::io::Result<()>,
                );
                for part in 0..2 {
                    let name = format!("{mark}-{part}");
                    scope.spawn(move || client()?.mint(&team.minter, &cookies.minter, &name));
                }
                scope.spawn(move || {
                    client()?.change_roles(&team.subjects, &cookies.admin, Dice::new(seeds[0]))
                });
                scope.spawn(move || client()?.be_denied(&team.viewer, &cookies.viewer));
                scope.spawn(move || client()?.be_rejected(Dice::new(seeds[1])));
            }
            death(&mut server, journal)
        });
        server.wait();
        self.cookies = cookies;
        report.failures.extend(journal.take_surprises());
        (journal.acts(), ended)
    }

    /// Returns sessions to work with, fresh enough for whatever is done.
    fn cookies(&self, port: u16, journal: &Journal) -> Option<Cookies> {
        if let Some(cookies) = &self.cookies
            && cookies.since.elapsed() < COOKIES_LAST
        {
            return Some(cookies.clone());
        }
        let mut client = Client {
            connection: Connection::open(port).ok()?,
            journal,
        };
        Some(Cookies {
            admin: client.sign_in(&self.team.admin).ok()?,
            minter: client.sign_in(&self.team.minter).ok()?,
            viewer: client.sign_in(&self.team.viewer).ok()?,
            since: Instant::now(),
        })
    }

    /// Stops the server in good order and looks at the whole once more, the log's file too.
    fn end(mut self, report: &mut Report) -> Result<(), String> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        let found = self.team.verify()?;
        let (database, file) = (&found["database"], &found["file"]);
        if database["last"] != file["last"] || database["last"] != database["records"] {
            return Err(format!("the log and its file differ: {found}"));
        }
        let state = State::read(&self.team)?;
        let (wrong, unanswered) = state.compare(&self.before, &self.acts);
        // A comparison that sees nothing proves nothing.
        if self.acts.len() > ACTS_OF_A_LIFE_MIN {
            for (what, damaged) in state.damaged(&self.acts) {
                if damaged.compare(&self.before, &self.acts).0.is_empty() {
                    return Err(format!("the comparison does not see that {what}"));
                }
            }
        }
        report.answered += self.acts.iter().filter(|act| act.answer.is_some()).count();
        report.unanswered_done += unanswered.done;
        report.unanswered_absent += unanswered.absent;
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    }
}

/// Waits until shortly before a sign-in usually ends, and `aim` from there.
fn wait_for_sign_in(journal: &Journal, aim: Duration) {
    let began = Instant::now();
    while began.elapsed() < FAULT_TIMEOUT {
        if let Some((sent_at, took)) = journal.sign_in() {
            let moment = sent_at + took.saturating_sub(Duration::from_micros(AIM_MICROS / 2)) + aim;
            if Instant::now() <= moment {
                thread::sleep(moment - Instant::now());
                return;
            }
        }
        thread::sleep(POLL);
    }
}

//! Audit append without a change: many callers at once, beside one fsync per event. `bench/audit.sh` runs it.
//!
//! The peer is the least that a durable log could do: one line appended to a file and flushed to the disk, by one process that
//! does nothing else.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement prints, and reads the clock of the machine"
)]

use domain::{Clock, Timestamp};
use security::permissions::QueryExecute;
use security::{Actor, Allow, Entropy, Event, RequestId, authorize};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use store::jobs::Owner;
use store::{Act, Ids, Process, Store};

const EVENTS: usize = 20_000;
const ROUNDS: usize = 5;
const CALLERS: [usize; 4] = [1, 16, 64, 256];

struct Machine;

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since.unwrap_or_default().as_micros();
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(0))
    }
}

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn allow() -> Allow<QueryExecute> {
    let os_user = "bench".to_owned();
    let request = RequestId::new(Ids::seeded(1).next(Machine.now()));
    authorize(&Actor::Operator { os_user }, request).expect("the operator has it")
}

fn act(number: usize) -> Act {
    Act::new(Event::QueryExecuted)
        .target("orders")
        .detail("row_count", number)
}

async fn open(folder: &Path, name: &str) -> Store {
    let process = Process {
        clock: Arc::new(Machine),
        ids: Ids::seeded(7),
        owner: Owner::of_this_process().expect("procfs"),
    };
    let opened = Store::open(&folder.join(name), process).await;
    opened.expect("it opens")
}

/// Returns events a second of one append and fsync each.
fn one_fsync_each(folder: &Path, count: usize) -> f64 {
    let path = folder.join("naive.jsonl");
    let mut file = fs_err::File::create(path).expect("created");
    let line = [b'x'; 320];
    let begun = Instant::now();
    for _ in 0..count {
        file.write_all(&line).expect("written");
        file.sync_data().expect("flushed");
    }
    rate(count, begun)
}

/// Returns events a second of `callers` that each wait for their answer before the next event.
async fn recorded(store: &Store, callers: usize, count: usize) -> f64 {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let allow = allow();
                for number in 0..count / callers {
                    store.record(&allow, act(number)).await.expect("it commits");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    rate(count, begun)
}

#[expect(clippy::cast_precision_loss, reason = "a rate is no exact number")]
fn rate(count: usize, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

#[tokio::main]
async fn main() {
    // On the disk that a project would be on; a temporary folder may be memory.
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let store = open(folder.path(), "metadata.db").await;
    let (mut naive, mut ours) = (Vec::new(), vec![Vec::new(); CALLERS.len()]);
    // In turns, so that a slow moment hits all alike.
    for _ in 0..ROUNDS {
        naive.push(one_fsync_each(folder.path(), EVENTS / 20));
        for (rates, callers) in ours.iter_mut().zip(CALLERS) {
            rates.push(recorded(&store, callers, EVENTS.min(callers * 500)).await);
        }
    }
    let naive = median(naive);
    println!("| who | events/s | ratio |\n|---|---|---|");
    println!("| one append and fsync each | {naive:.0} | 1 |");
    for (rates, callers) in ours.into_iter().zip(CALLERS) {
        let rate = median(rates);
        println!(
            "| `Store::record`, {callers} callers | {rate:.0} | {:.1} |",
            rate / naive
        );
    }
    let begun = Instant::now();
    let count = store.sequence(&Zeros).await.expect("it commits");
    let rate = rate(usize::try_from(count).unwrap_or(0), begun);
    println!("| sequencing and hashing {count} records | {rate:.0} | |");
    store.close().await.expect("closed");
}

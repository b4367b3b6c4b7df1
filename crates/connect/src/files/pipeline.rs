//! Taking the chunks of a file apart on several threads and joining the results in order.
//!
//! A chunk that turned out to end inside quotes leaves its last record over; the next chunk's result is then thrown away,
//! and both are taken apart again as one. So the result is the same as reading from front to back, whatever the threads do.

use super::chunks::{Chunk, Chunks, RECORD_BYTES_MAX};
use super::faults::{Fault, Wrong, count_lines};
use super::place::Place;
use crate::failure::{Failure, FailureKind};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What is done with each chunk.
pub(crate) trait Work: Sync {
    type Output: Send;

    /// Takes `bytes` apart from `from` on, where a record must start.
    fn take_apart(&self, bytes: &[u8], from: usize) -> Taken<Self::Output>;
}

/// A chunk that was taken apart.
pub(crate) struct Taken<T> {
    pub(crate) result: Result<T, Fault>,
    /// Where the record starts that the chunk does not end, and where its open quote stands.
    pub(crate) open: Option<(usize, usize)>,
}

/// Chunks that each thread has at hand: one in work, one waiting, so that no thread waits for the disk.
const CHUNKS_AT_HAND: usize = 2;

/// Takes `first` and all following chunks apart and hands the results to `each`, in the order of the file.
pub(crate) fn run<W: Work>(
    chunks: &mut Chunks,
    first: Chunk,
    work: &W,
    threads: usize,
    each: impl FnMut(W::Output) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let done = run_threads(chunks, first, work, threads, each);
    done.map_err(|failure| chunks.explain(failure))
}

fn run_threads<W: Work>(
    chunks: &mut Chunks,
    first: Chunk,
    work: &W,
    threads: usize,
    each: impl FnMut(W::Output) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let place = &chunks.place().clone();
    let mut join = Join {
        place,
        work,
        each,
        carry: Vec::new(),
        carry_line: 0,
        line: 1,
    };
    if first.last || threads < 2 {
        let mut next = Some(first);
        while let Some(chunk) = next {
            let taken = work.take_apart(&chunk.bytes, chunk.from);
            join.accept(&chunk, taken)?;
            chunks.recycle(chunk);
            next = chunks.next()?;
        }
        return Ok(());
    }
    std::thread::scope(|scope| {
        let mut idle: VecDeque<Worker<W::Output>> = VecDeque::new();
        for _ in 0..threads {
            let (give, given) = sync_channel::<Chunk>(CHUNKS_AT_HAND);
            let (answer, answered) = sync_channel(CHUNKS_AT_HAND);
            scope.spawn(move || {
                for chunk in given {
                    let taken = work.take_apart(&chunk.bytes, chunk.from);
                    if answer.send((chunk, taken)).is_err() {
                        return;
                    }
                }
            });
            idle.push_back(Worker { give, answered });
        }
        feed(chunks, first, idle, |chunk, taken| {
            join.accept(chunk, taken)
        })
    })
}

struct Worker<T> {
    give: SyncSender<Chunk>,
    answered: Receiver<(Chunk, Taken<T>)>,
}

/// Gives the chunks to the workers in turn and collects the answers in the same turn.
fn feed<T>(
    chunks: &mut Chunks,
    first: Chunk,
    mut turn: VecDeque<Worker<T>>,
    mut accept: impl FnMut(&Chunk, Taken<T>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let at_hand_max = turn.len() * CHUNKS_AT_HAND;
    let (mut next, mut given, mut taken) = (Some(first), 0_usize, 0_usize);
    let workers: Vec<_> = turn.drain(..).collect();
    let of = |number: usize| workers.get(number % workers.len().max(1)).ok_or_else(lost);
    while next.is_some() || taken < given {
        if given - taken < at_hand_max
            && let Some(chunk) = next.take()
        {
            of(given)?.give.send(chunk).map_err(|_| lost())?;
            given += 1;
            next = chunks.next()?;
            continue;
        }
        let (chunk, answer) = of(taken)?.answered.recv().map_err(|_| lost())?;
        taken += 1;
        accept(&chunk, answer)?;
        chunks.recycle(chunk);
    }
    Ok(())
}

fn lost() -> Failure {
    Failure::new(
        FailureKind::Failed,
        "a thread that reads the file ended early",
    )
}

/// Joins results in order.
struct Join<'a, W, F> {
    place: &'a Place,
    work: &'a W,
    each: F,
    /// A record that the chunks so far do not end, and the line it starts in.
    carry: Vec<u8>,
    carry_line: u64,
    /// The line that the next chunk starts with.
    line: u64,
}

impl<W: Work, F: FnMut(W::Output) -> Result<(), Failure>> Join<'_, W, F> {
    fn accept(&mut self, chunk: &Chunk, taken: Taken<W::Output>) -> Result<(), Failure> {
        let line = self.line;
        self.line += count_lines(&chunk.bytes);
        if self.carry.is_empty() {
            return self.settle(&chunk.bytes, line, chunk.last, taken);
        }
        let (mut bytes, line) = (std::mem::take(&mut self.carry), self.carry_line);
        bytes.extend_from_slice(&chunk.bytes);
        let taken = self.work.take_apart(&bytes, 0);
        self.settle(&bytes, line, chunk.last, taken)
    }

    fn settle(
        &mut self,
        bytes: &[u8],
        line: u64,
        last: bool,
        taken: Taken<W::Output>,
    ) -> Result<(), Failure> {
        let output = taken
            .result
            .map_err(|fault| fault.to_failure(self.place, bytes, line))?;
        if let Some((start, quote)) = taken.open {
            let rest = bytes.get(start..).unwrap_or_default();
            let what = if last {
                Wrong::OpenQuote
            } else {
                Wrong::RecordTooLarge
            };
            if last || rest.len() > RECORD_BYTES_MAX {
                return Err(Fault { at: quote, what }.to_failure(self.place, bytes, line));
            }
            self.carry = rest.to_vec();
            self.carry_line = line + count_lines(bytes.get(..start).unwrap_or_default());
        }
        (self.each)(output)
    }
}

//! A running worker: its process, and the requests that wait for its answers.

use super::pending::{Pending, Waiting};
use super::unexpected;
use crate::error::WarehouseError;
use crate::settings::Settings;
use crate::wire::{Act, Open, Outcome, Reply, Request, VERSION};
use sandbox::{Cage, Child, Launcher, Policy, Profile};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// The role's name on the child's command line.
pub const WORKER_ROLE: &str = "worker";
/// How long a worker may take to move the WAL into the file; afterwards it is killed, and the WAL is replayed next time.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a child may take beyond DuckDB's memory limit, which does not count everything: the text that one `repeat` makes,
/// stacks, batches on their way. Beyond it the child fails, and not the machine.
const MEMORY_HEADROOM: u64 = 2 << 30;

/// A running worker. Dropping it kills the worker.
pub(crate) struct Link {
    child: Child,
    waiting: Arc<Waiting>,
    next_id: AtomicU64,
}

/// A request that could not be sent.
pub(super) struct Unsent {
    pub error: WarehouseError,
    pub act: Act,
    pub fds: Vec<OwnedFd>,
}

impl Link {
    /// Starts a worker and lets it open the file. Blocks.
    pub(super) fn start(
        settings: &Settings,
        launcher: &Launcher,
    ) -> Result<Arc<Self>, WarehouseError> {
        let data_dir = data_dir(&settings.path);
        for dir in [data_dir, &settings.temp_dir] {
            fs_err::create_dir_all(dir).map_err(|error| WarehouseError::Io(error.to_string()))?;
        }
        let cage = cage(
            settings,
            WORKER_ROLE,
            vec![data_dir.to_owned(), settings.temp_dir.clone()],
        );
        let child = launcher.spawn(&cage)?;
        open(&child, settings)?;
        let waiting = Arc::<Waiting>::default();
        let (channel, of_thread) = (child.channel.clone(), Arc::clone(&waiting));
        thread::Builder::new()
            .name("warehouse".into())
            .spawn(move || of_thread.receive(&channel))
            .map_err(|error| WarehouseError::Io(error.to_string()))?;
        Ok(Arc::new(Self {
            child,
            waiting,
            next_id: AtomicU64::new(1),
        }))
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.waiting.is_dead() && self.child.try_wait().is_none()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Returns how many requests there were.
    pub(super) fn requests(&self) -> u64 {
        self.next_id.load(Ordering::Relaxed)
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request.
    pub(super) async fn send(
        self: &Arc<Self>,
        act: Act,
        fds: Vec<OwnedFd>,
    ) -> Result<Pending, Box<Unsent>> {
        let id = self.next_id();
        let answers = self.waiting.enter(id);
        let link = Arc::clone(self);
        let sending = tokio::task::spawn_blocking(move || link.send_now(id, act, fds)).await;
        match sending {
            Ok(Ok(())) => {
                // The receiving thread may have ended before the request was entered.
                if !self.is_alive() {
                    self.waiting.forget(id);
                }
                Ok(Pending::new(Arc::clone(self), id, answers))
            }
            Ok(Err(unsent)) => {
                self.waiting.forget(id);
                Err(unsent)
            }
            Err(error) => {
                let error = WarehouseError::Bug(error.to_string());
                Err(Box::new(Unsent {
                    error,
                    act: Act::Status,
                    fds: Vec::new(),
                }))
            }
        }
    }

    /// Sends a request that nobody waits for, from where nothing can be awaited. The frame is small, and the worker always reads.
    pub(super) fn tell(&self, act: Act) {
        let request = Request {
            version: VERSION,
            id: self.next_id(),
            act,
        };
        // A worker that is gone needs no telling.
        let _ = self.child.channel.send(&request, &[]);
    }

    /// Kills the worker: it does not even answer.
    pub(super) fn kill(&self) {
        self.child.kill();
    }

    /// Lets the worker close the file and end.
    pub(super) async fn close(self: &Arc<Self>) -> Result<(), WarehouseError> {
        let closed = match self.send(Act::Close, Vec::new()).await {
            Ok(pending) => tokio::time::timeout(CLOSE_TIMEOUT, pending.done()).await,
            Err(unsent) => return Err(unsent.error),
        };
        let link = Arc::clone(self);
        super::blocking(move || {
            if link.child.wait_timeout(Duration::from_secs(2)).is_none() {
                link.kill();
                link.child.wait();
            }
            Ok(())
        })
        .await?;
        closed.map_or(Ok(()), |outcome| outcome.map(drop))
    }

    fn send_now(&self, id: u64, act: Act, fds: Vec<OwnedFd>) -> Result<(), Box<Unsent>> {
        let request = Request {
            version: VERSION,
            id,
            act,
        };
        let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        let sent = self.child.channel.send(&request, &borrowed);
        drop(borrowed);
        sent.map_err(|error| {
            Box::new(Unsent {
                error: error.into(),
                act: request.act,
                fds,
            })
        })
    }

    pub(super) fn death(&self) -> WarehouseError {
        let exit = self.child.wait_timeout(Duration::from_secs(1));
        let detail = exit.map_or_else(|| "no answer".to_owned(), |exit| exit.to_string());
        WarehouseError::WorkerDied { detail }
    }
}

/// Opens the file in the child, before anything else is asked of it.
fn open(child: &Child, settings: &Settings) -> Result<(), WarehouseError> {
    let act = Act::Open(Open {
        path: settings.path.clone(),
        temp_dir: settings.temp_dir.clone(),
        memory_mb: settings.memory_mb,
        threads: settings.threads,
    });
    child.channel.send(
        &Request {
            version: VERSION,
            id: 0,
            act,
        },
        &[],
    )?;
    match child.channel.recv::<Reply>()? {
        Some((
            Reply {
                outcome: Outcome::Done { .. },
                ..
            },
            _,
        )) => Ok(()),
        Some((
            Reply {
                outcome: Outcome::Failed(fault),
                ..
            },
            _,
        )) => Err(fault.into()),
        Some((Reply { outcome, .. }, _)) => Err(unexpected(&outcome)),
        None => {
            child.kill();
            let (exit, stderr) = (child.wait(), child.stderr_tail());
            tracing::error!(%exit, stderr, "the warehouse's worker died while it opened the file");
            Err(WarehouseError::WorkerDied {
                detail: exit.to_string(),
            })
        }
    }
}

/// Returns the directory that DuckDB keeps its file and the WAL in.
pub(super) fn data_dir(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Gives `new`, which takes the place of `old`, its mode and, where we may, its owner.
pub(super) fn keep_owner_and_mode(
    new: &std::fs::File,
    old: &std::fs::Metadata,
) -> std::io::Result<()> {
    // Only root gives files away; for others the file becomes theirs, as with any program that replaces files.
    let _ = std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid()));
    // After the owner, whose change takes bits away.
    new.set_permissions(old.permissions())
}

/// Returns the cage of one of the warehouse's children. What `write` names may be written and read; beside it the machine's
/// own figures (memory, processors) may be read, and nothing else.
pub(super) fn cage(settings: &Settings, role: &str, write: Vec<PathBuf>) -> Cage {
    let mut cage = Cage::new(role, Profile::Engine);
    cage.write = write;
    cage.policy = if settings.cage {
        Policy::WherePossible
    } else {
        Policy::Off
    };
    cage.limits.memory_bytes = Some((settings.memory_mb << 20) + MEMORY_HEADROOM);
    cage
}

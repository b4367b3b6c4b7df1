//! The one thread that forks, and what happens between fork and exec.
//!
//! The kernel's "kill me when my parent dies" means the *thread* that forked. A thread of a pool ends when it is idle, and
//! would take the warehouse worker with it; this one ends only with the process.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};

struct Order {
    command: Command,
    done: SyncSender<io::Result<Child>>,
}

/// Starts the command from the forking thread.
pub(super) fn fork(command: Command) -> io::Result<Child> {
    static ORDERS: OnceLock<SyncSender<Order>> = OnceLock::new();
    let orders = if let Some(orders) = ORDERS.get() {
        orders
    } else {
        let started = start_thread()?;
        // When two threads come here at once the loser's forking thread ends unused.
        ORDERS.get_or_init(|| started)
    };
    let (done, result) = sync_channel(1);
    orders.send(Order { command, done }).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

fn start_thread() -> io::Result<SyncSender<Order>> {
    let (sender, orders) = sync_channel::<Order>(1);
    std::thread::Builder::new()
        .name("child-forker".into())
        .spawn(move || {
            for mut order in orders {
                let child = order.command.spawn();
                // Closes our copy of the child's end of its channel before anyone waits for the child.
                drop(order.command);
                // The caller waits for it, so it is there.
                let _ = order.done.send(child);
            }
        })?;
    Ok(sender)
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts children ended")
}

/// Arranges that the child dies with this process and inherits nothing.
#[cfg(target_os = "linux")]
pub(super) fn prepare(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let parent = rustix::process::getpid();
    #[expect(
        unsafe_code,
        reason = "the death signal must be set between fork and exec"
    )]
    // SAFETY: the closure runs in the forked child, where only async-signal-safe calls are sound. It makes three system calls
    // without libc wrappers that could lock, allocates nothing, and its errors carry a bare error number.
    unsafe {
        command.pre_exec(move || {
            use rustix::process::{Signal, getppid, set_parent_process_death_signal};
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died before the line above; then nobody would ever send the signal.
            if getppid() != Some(parent) {
                return Err(rustix::io::Errno::SRCH.into());
            }
            close_others_on_exec();
            Ok(())
        });
    }
}

/// On other systems the child notices that its channel closed.
#[cfg(not(target_os = "linux"))]
pub(super) fn prepare(_command: &mut Command) {}

/// Marks every descriptor but the first three close-on-exec. Ours all are; one that this process inherited, or that a library
/// opened without the flag, may not be.
#[cfg(target_os = "linux")]
fn close_others_on_exec() {
    #[expect(unsafe_code, reason = "close_range has no safe binding")]
    // SAFETY: three integers; marking a descriptor changes nothing before exec. Kernels older than 5.11 refuse, and have no
    // Landlock either: their level says that children are not caged.
    let _ = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3_u32,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
}

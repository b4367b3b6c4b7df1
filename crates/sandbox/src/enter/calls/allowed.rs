//! The list. Each group says what it is for; a call without a reason is not here.
//!
//! Deliberately absent, beside everything nobody thought of: `socket`, `socketpair`, `connect`, `bind`, `accept` (no network,
//! not even local), `fork`, `vfork`, `execve` (one process, one program), `ptrace`, `process_vm_*`, `pidfd_*`, `kill`
//! (no other process), `memfd_create`, `mmap` and `mprotect` with execute (no new code), `io_uring_*`, `bpf`, `userfaultfd`,
//! `perf_event_open`, `keyctl` (the kernel's richest attack surface), `unshare`, `setns`, `mount`, `chroot` (no other view
//! of the system), `chmod`, `chown`, `link`, `symlink`, `mknod`, `utime*`, `setxattr` (files only as data), `ioctl`.

use super::{Rules, bits, equals, pattern};
use crate::cage::Profile;
use libc::c_long;
use seccompiler::{Error, SeccompCmpArgLen, SeccompCmpOp, SeccompRule};

/// Moving bytes over descriptors that are already open: files of the cage, the channel, and the streams passed over it.
/// `shutdown` ends a stream; `poll` waits for one.
const BYTES: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_shutdown,
    libc::SYS_ppoll,
    libc::SYS_lseek,
    libc::SYS_close,
];

/// Looking at files. Which can be opened is Landlock's business; whether a path exists is not hidden.
const LOOK: &[c_long] = &[
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_fadvise64,
];

/// Changing the database's and the output files, within what Landlock grants: durable writes, spill files that grow, shrink
/// and go, replacing a file by a rename, the lock on the database.
const CHANGE: &[c_long] = &[
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync_file_range,
    libc::SYS_flock,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
];

/// Memory, apart from `mmap` and `mprotect`, whose arguments are judged below.
const MEMORY: &[c_long] = &[
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
];

/// Threads that run, wait for each other and end; how many processors there are.
const THREADS: &[c_long] = &[
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Time. Mostly answered without the kernel, but not on every virtual machine.
const TIME: &[c_long] = &[
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_restart_syscall,
];

/// The process's own signal handlers (stack overflow, abort). Sending is judged below.
const SIGNALS: &[c_long] = &[
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
];

/// Who and where it is, and randomness: hash seeds, temporary names, memory limits derived from the machine.
const SELF: &[c_long] = &[
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrandom,
];

/// Older spellings of the above that only x86-64 has, and that libduckdb and the C library still use there.
#[cfg(target_arch = "x86_64")]
const OLD: &[c_long] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_poll,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[c_long] = &[];

/// Opening files, and which argument has the flags.
const OPEN: &[(c_long, u8)] = &[
    (libc::SYS_openat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1),
];

/// Commands of `fcntl`: flags, file locks (the engine's, on the database file), a second descriptor. None that makes signals,
/// leases or notifications.
const FCNTL: [i32; 10] = [
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_GETLK,
    libc::F_SETLK,
    libc::F_SETLKW,
    libc::F_OFD_SETLK,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GET_SEALS,
];

/// Options of a stream that its reader or writer may set: how long to wait, how much to hold.
const SOCKET_OPTIONS: [i32; 4] = [
    libc::SO_RCVTIMEO,
    libc::SO_SNDTIMEO,
    libc::SO_RCVBUF,
    libc::SO_SNDBUF,
];

/// Names of threads and of anonymous memory, which help whoever looks at a process from outside.
const PRCTL: [i32; 3] = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];

/// A new thread shares everything with this process and makes no namespace.
const CLONE_JUDGED: i32 = libc::CLONE_THREAD
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Returns the rules of a profile for the process `pid`.
pub(super) fn rules(profile: Profile, pid: u32) -> Result<Rules, Error> {
    let groups = [
        BYTES, LOOK, CHANGE, MEMORY, THREADS, TIME, SIGNALS, SELF, OLD,
    ];
    let mut rules: Rules = groups
        .into_iter()
        .flatten()
        .map(|call| (*call, Vec::new()))
        .collect();
    rules.extend(judged(pid)?);
    // Judged by the filter beside this one.
    rules.insert(libc::SYS_clone3, Vec::new());
    match profile {
        Profile::Engine => {
            let thread = bits(0, flags(CLONE_JUDGED), flags(libc::CLONE_THREAD))?;
            rules.insert(libc::SYS_clone, vec![thread]);
        }
        Profile::Plain => {}
    }
    Ok(rules)
}

/// Calls that are allowed only with certain arguments.
fn judged(pid: u32) -> Result<Rules, Error> {
    let no_execute = |argument| bits(argument, flags(libc::PROT_EXEC), 0);
    let mut rules = Rules::from([
        (libc::SYS_fcntl, any_of(1, &FCNTL)?),
        (libc::SYS_setsockopt, socket_options()?),
        (libc::SYS_prctl, any_of(0, &PRCTL)?),
        // Memory that can be written can never be executed, nor the other way round: all code is there already.
        (libc::SYS_mmap, vec![no_execute(2)?]),
        (libc::SYS_mprotect, vec![no_execute(2)?]),
        // abort() signals its own process.
        (libc::SYS_tgkill, vec![equals(0, u64::from(pid))?]),
        (libc::SYS_prlimit64, vec![own_limits()?]),
    ]);
    for (call, argument) in OPEN {
        rules.insert(*call, opening(*argument)?);
    }
    Ok(rules)
}

/// Opening a file. Truncating one through a descriptor that is only for reading is refused: kernels before 6.2 would let it
/// pass Landlock.
fn opening(argument: u8) -> Result<Vec<SeccompRule>, Error> {
    Ok(vec![
        bits(argument, flags(libc::O_TRUNC), 0)?,
        bits(argument, flags(libc::O_ACCMODE), flags(libc::O_WRONLY))?,
        bits(argument, flags(libc::O_ACCMODE), flags(libc::O_RDWR))?,
    ])
}

/// Asking for the process's own limits, not setting them: the process is "this one" and the new limit is null.
fn own_limits() -> Result<SeccompRule, Error> {
    pattern(&[
        (0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0),
        (2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0),
    ])
}

fn socket_options() -> Result<Vec<SeccompRule>, Error> {
    SOCKET_OPTIONS
        .iter()
        .map(|option| {
            pattern(&[
                (
                    1,
                    SeccompCmpArgLen::Dword,
                    SeccompCmpOp::Eq,
                    flags(libc::SOL_SOCKET),
                ),
                (2, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, flags(*option)),
            ])
        })
        .collect()
}

fn any_of(argument: u8, values: &[i32]) -> Result<Vec<SeccompRule>, Error> {
    values
        .iter()
        .map(|value| equals(argument, flags(*value)))
        .collect()
}

/// The constant as the kernel sees it in a 32-bit argument.
fn flags(constant: i32) -> u64 {
    u64::from(constant.cast_unsigned())
}

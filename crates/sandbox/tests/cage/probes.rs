//! What a child must not be able to do, whoever it runs as: one line each.

use crate::child::{Reply, Task};
use crate::{ask, cage, spawn};
use rustix::net::{AddressFamily, SocketType};
use sandbox::{Policy, Profile};
use std::io::{self, Error};

type Probe = (&'static str, fn() -> io::Result<()>);

/// Each of them works for an ordinary process, or is refused for another reason than a cage.
pub(crate) const PROBES: &[Probe] = &[
    ("socket inet", || {
        socket(AddressFamily::INET, SocketType::STREAM)
    }),
    ("socket inet datagram", || {
        socket(AddressFamily::INET, SocketType::DGRAM)
    }),
    ("socket inet6", || {
        socket(AddressFamily::INET6, SocketType::STREAM)
    }),
    ("socket unix", || {
        socket(AddressFamily::UNIX, SocketType::STREAM)
    }),
    ("socket netlink", || {
        socket(AddressFamily::NETLINK, SocketType::RAW)
    }),
    ("socketpair", || {
        std::os::unix::net::UnixStream::pair().map(drop)
    }),
    ("connect", || raw_probe::call(libc::SYS_connect, [0, 0, 0])),
    ("bind", || raw_probe::call(libc::SYS_bind, [0, 0, 0])),
    ("accept4", || raw_probe::call(libc::SYS_accept4, [0, 0, 0])),
    ("fork", raw_probe::fork),
    ("clone without thread", || {
        raw_probe::call(libc::SYS_clone, [libc::SIGCHLD.into(), 0, 0])
    }),
    ("spawn a program", || {
        std::process::Command::new("/bin/true").spawn().map(drop)
    }),
    ("execve", raw_probe::execve),
    ("ptrace", || {
        raw_probe::call(libc::SYS_ptrace, [libc::PTRACE_ATTACH.into(), parent(), 0])
    }),
    ("process_vm_readv", || {
        raw_probe::call(libc::SYS_process_vm_readv, [parent(), 0, 0])
    }),
    ("pidfd_open", || {
        raw_probe::call(libc::SYS_pidfd_open, [parent(), 0, 0])
    }),
    ("kill parent", || {
        raw_probe::call(libc::SYS_kill, [parent(), 0, 0])
    }),
    ("kill itself", || {
        raw_probe::call(libc::SYS_kill, [own(), 0, 0])
    }),
    ("tkill parent", || {
        raw_probe::call(libc::SYS_tkill, [parent(), 0, 0])
    }),
    ("tgkill parent", || {
        raw_probe::call(libc::SYS_tgkill, [parent(), parent(), 0])
    }),
    ("rt_sigqueueinfo", || {
        raw_probe::call(libc::SYS_rt_sigqueueinfo, [parent(), 0, 0])
    }),
    ("limits of the parent", || {
        raw_probe::call(libc::SYS_prlimit64, [parent(), 7, 0])
    }),
    ("chmod", || raw_probe::path_call(libc::SYS_fchmodat, 0o777)),
    ("chown", || raw_probe::path_call(libc::SYS_fchownat, 0)),
    ("mknod", || {
        raw_probe::path_call(libc::SYS_mknodat, 0o100_600)
    }),
    ("symlink", || {
        rustix::fs::symlink("/etc/passwd", "link").map_err(Error::from)
    }),
    ("link", || {
        rustix::fs::link("/etc/passwd", "link").map_err(Error::from)
    }),
    ("memfd_create", || {
        rustix::fs::memfd_create("code", rustix::fs::MemfdFlags::empty())
            .map(drop)
            .map_err(Error::from)
    }),
    ("executable memory", || {
        raw_probe::map(libc::PROT_READ | libc::PROT_EXEC)
    }),
    ("writable code", || {
        raw_probe::map(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC)
    }),
    ("mprotect to code", raw_probe::make_code),
    ("io_uring_setup", || {
        raw_probe::call(libc::SYS_io_uring_setup, [1, 0, 0])
    }),
    ("bpf", || raw_probe::call(libc::SYS_bpf, [0, 0, 0])),
    ("userfaultfd", || {
        raw_probe::call(libc::SYS_userfaultfd, [0, 0, 0])
    }),
    ("perf_event_open", || {
        raw_probe::call(libc::SYS_perf_event_open, [0, 0, 0])
    }),
    ("keyctl", || raw_probe::call(libc::SYS_keyctl, [0, 0, 0])),
    ("unshare", || {
        raw_probe::call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0])
    }),
    ("setns", || raw_probe::call(libc::SYS_setns, [0, 0, 0])),
    ("mount", || raw_probe::call(libc::SYS_mount, [0, 0, 0])),
    ("chroot", || raw_probe::call(libc::SYS_chroot, [0, 0, 0])),
    ("setuid", || raw_probe::call(libc::SYS_setuid, [0, 0, 0])),
    ("setpgid", || raw_probe::call(libc::SYS_setpgid, [0, 0, 0])),
    ("prctl dumpable", || {
        raw_probe::call(libc::SYS_prctl, [libc::PR_SET_DUMPABLE.into(), 1, 0])
    }),
    ("prctl death signal", || {
        raw_probe::call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG.into(), 0, 0])
    }),
    ("fcntl set owner", || {
        raw_probe::call(libc::SYS_fcntl, [0, libc::F_SETOWN.into(), own()])
    }),
    ("terminal input", || {
        raw_probe::call(libc::SYS_ioctl, [0, 0x5412, 0])
    }),
    ("raise a limit", || {
        let most = rustix::process::Rlimit {
            current: Some(9),
            maximum: Some(9),
        };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, most).map_err(Error::from)
    }),
];

#[test]
fn a_caged_child_can_do_none_of_what_it_must_not() {
    let child = spawn(&cage());
    assert!(child.level().is_caged(), "{:?}", child.level());
    let done: Vec<_> = PROBES
        .iter()
        .map(|(name, _)| (name, ask(&child, &Task::Probe((*name).to_owned()))))
        .filter(|(_, reply)| *reply != Reply::Denied("EPERM".to_owned()))
        .collect();
    assert!(done.is_empty(), "{done:?}");
}

#[test]
fn the_probes_are_refused_by_the_cage_and_not_by_chance() {
    let mut open = cage();
    open.policy = Policy::Off;
    let child = spawn(&open);
    assert_eq!(child.level().to_string(), "none");
    for name in [
        "socket inet",
        "socketpair",
        "fork",
        "spawn a program",
        "kill itself",
        "memfd_create",
        "executable memory",
    ] {
        assert_eq!(
            ask(&child, &Task::Probe(name.to_owned())),
            Reply::Done,
            "{name}"
        );
    }
}

#[test]
fn only_an_engine_may_start_threads() {
    let check = |profile, expect| {
        let mut cage = cage();
        cage.profile = profile;
        assert_eq!(ask(&spawn(&cage), &Task::Thread), expect);
    };
    check(Profile::Engine, Reply::Number(55));
    check(Profile::Plain, Reply::Denied("EPERM".to_owned()));
}

fn socket(family: AddressFamily, kind: SocketType) -> io::Result<()> {
    rustix::net::socket(family, kind, None)
        .map(drop)
        .map_err(Error::from)
}

fn own() -> i64 {
    std::process::id().into()
}

fn parent() -> i64 {
    rustix::process::getppid()
        .unwrap()
        .as_raw_nonzero()
        .get()
        .into()
}

/// Calls that no safe binding offers.
pub(crate) mod raw_probe {
    #![expect(
        unsafe_code,
        reason = "the probes ask for what safe bindings do not offer"
    )]

    use std::ffi::CString;
    use std::io::{self, Error};
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::ptr;

    fn result(returned: i64) -> io::Result<()> {
        if returned < 0 {
            Err(Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// A system call with three numbers, all harmless: null pointers, or descriptors and processes that may be there.
    pub(crate) fn call(number: i64, arguments: [i64; 3]) -> io::Result<()> {
        let [one, two, three] = arguments;
        // SAFETY: see above; the kernel answers null pointers with an error.
        result(unsafe { libc::syscall(number, one, two, three, 0_i64, 0_i64, 0_i64) })
    }

    /// A call of the `…at` family on a file that is not there.
    pub(crate) fn path_call(number: i64, argument: i64) -> io::Result<()> {
        // SAFETY: the path is a constant string with its NUL.
        result(unsafe {
            libc::syscall(
                number,
                libc::AT_FDCWD,
                c"absent".as_ptr(),
                argument,
                0_i64,
                0_i64,
            )
        })
    }

    pub(crate) fn fork() -> io::Result<()> {
        // SAFETY: a child, should there be one, only ends.
        unsafe {
            let pid = libc::fork();
            if pid == 0 {
                libc::_exit(0);
            }
            result(pid.into())
        }
    }

    pub(crate) fn execve() -> io::Result<()> {
        let program = c"/bin/true".as_ptr();
        // SAFETY: both lists end with a null pointer.
        result(
            unsafe {
                libc::execve(
                    program,
                    [program, ptr::null()].as_ptr(),
                    [ptr::null()].as_ptr(),
                )
            }
            .into(),
        )
    }

    pub(crate) fn map(protection: i32) -> io::Result<()> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping, wherever the kernel likes.
        let address = unsafe { libc::mmap(ptr::null_mut(), 4096, protection, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            Err(Error::last_os_error())
        } else {
            Ok(())
        }
    }

    pub(crate) fn make_code() -> io::Result<()> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: the page is new and nobody else's.
        unsafe {
            let page = libc::mmap(
                ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            );
            assert_ne!(page, libc::MAP_FAILED);
            result(libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_EXEC).into())
        }
    }

    pub(crate) fn truncate(path: &Path) -> io::Result<()> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: the path lives until the call returns.
        result(unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_TRUNC) }.into())
    }

    pub(crate) fn is_dumpable() -> bool {
        // SAFETY: asks for a number.
        unsafe { libc::prctl(libc::PR_GET_DUMPABLE) != 0 }
    }

    /// Uses up the stack, as hostile input may.
    pub(crate) fn overflow() {
        #[expect(unconditional_recursion, reason = "it is what is wanted")]
        fn deeper(above: &[u8]) -> u8 {
            let here = [above.len().to_le_bytes()[0]; 4096];
            std::hint::black_box(deeper(std::hint::black_box(&here)))
        }
        deeper(&[]);
    }
}

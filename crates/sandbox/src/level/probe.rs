//! Questions to the kernel that change nothing.

use super::Missing;
use std::io;

/// The first version of Landlock that knows TCP ports. Warehouse processes do without, as their filter denies every socket;
/// processes that run foreign programs will not.
pub(super) const LANDLOCK_NET_ABI: u32 = 4;

const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;

/// Returns the version of Landlock, or why there is none.
pub(super) fn landlock_abi() -> Result<u32, Missing> {
    #[expect(
        unsafe_code,
        reason = "landlock_create_ruleset has no safe binding that tells the error"
    )]
    // SAFETY: with this flag the kernel reads no memory and only returns its version.
    let abi = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(abi).map_err(|_| {
        let (why, fix) = match io::Error::last_os_error().raw_os_error() {
            Some(libc::ENOSYS) => (
                "the kernel was built without it",
                "use Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK",
            ),
            Some(libc::EOPNOTSUPP) => (
                "it was switched off when the kernel started",
                "add `landlock` to the kernel's `lsm=` start parameter",
            ),
            _ => (
                "a container's or service's system call filter forbids it",
                "allow the landlock_* system calls in that filter, as current container engines do",
            ),
        };
        Missing::new("landlock", why, fix)
    })
}

/// Describes a Landlock that is too old for processes that run foreign programs.
pub(super) fn landlock_old(abi: u32) -> Missing {
    Missing::new(
        "landlock network rules",
        &format!(
            "the kernel's Landlock has version {abi}, network rules came with {LANDLOCK_NET_ABI}"
        ),
        "use Linux 6.7 or newer; the warehouse does not need them",
    )
}

/// Returns why system calls cannot be filtered, if they cannot.
pub(super) fn seccomp() -> Result<(), Missing> {
    let action = libc::SECCOMP_RET_ERRNO;
    #[expect(unsafe_code, reason = "seccomp has no safe binding")]
    // SAFETY: the kernel reads one u32 behind the pointer, which lives until the call returns, and installs nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0_u32,
            &raw const action,
        )
    };
    if result == 0 {
        return Ok(());
    }
    let why = "the kernel was built without it, or a container's filter forbids it";
    Err(Missing::new(
        "seccomp",
        why,
        "use a kernel with CONFIG_SECCOMP_FILTER",
    ))
}

/// Returns whether namespaces can be made and used. Some kernels let a user namespace be made but give no right in it, so the
/// second step is what counts.
pub(super) fn user_namespaces() -> bool {
    #[expect(
        unsafe_code,
        reason = "the question can only be asked by a process of its own"
    )]
    // SAFETY: the forked child calls nothing but unshare and _exit, which are async-signal-safe and touch no memory of ours;
    // the parent waits for exactly that child, with a valid pointer.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            let usable =
                libc::unshare(libc::CLONE_NEWUSER) == 0 && libc::unshare(libc::CLONE_NEWNS) == 0;
            libc::_exit(i32::from(!usable));
        }
        let mut status = -1;
        while child > 0 && libc::waitpid(child, &raw mut status, 0) < 0 {
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return false;
            }
        }
        child > 0 && libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
    }
}

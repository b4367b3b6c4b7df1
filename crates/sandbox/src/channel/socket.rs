//! Whole buffers over a stream socket: the kernel may take or give any part, be interrupted, and hand descriptors along.

use super::DESCRIPTORS_MAX;
use crate::SandboxError;
use rustix::io::{Errno, IoSlice, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

const ANCILLARY_BYTES: usize = rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX));

/// What a stream of batches may hold before its writer waits. The kernel caps it at `net.core.wmem_max`.
const STREAM_BUFFER_BYTES: usize = 4 << 20;

// Where the flags do not exist, the standard library has set the same on its sockets.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::empty();
#[cfg(not(target_vendor = "apple"))]
const RECV: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const RECV: RecvFlags = RecvFlags::empty();

/// Makes two connected ends for a stream of bytes between any two processes; close-on-exec.
pub fn pair() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    let (one, other) = UnixStream::pair().map_err(|source| SandboxError::System {
        call: "socketpair",
        source,
    })?;
    for end in [&one, &other] {
        // A smaller buffer is only slower.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(end, STREAM_BUFFER_BYTES);
    }
    Ok((one.into(), other.into()))
}

/// How much of a buffer was filled before the other end closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filled {
    Whole,
    Partly,
    Nothing,
}

/// Sends every byte; the descriptors travel with the first.
pub(super) fn send_all(
    socket: BorrowedFd<'_>,
    mut bytes: &[u8],
    mut fds: &[BorrowedFd<'_>],
) -> Result<(), SandboxError> {
    let mut space = [MaybeUninit::uninit(); ANCILLARY_BYTES];
    while !bytes.is_empty() {
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(SandboxError::Descriptors);
        }
        match sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SEND) {
            Ok(sent) => {
                bytes = bytes.get(sent..).unwrap_or_default();
                fds = &[];
            }
            Err(Errno::INTR) => {}
            Err(Errno::PIPE | Errno::CONNRESET) => return Err(SandboxError::Closed),
            Err(errno) => {
                return Err(SandboxError::Channel {
                    source: errno.into(),
                });
            }
        }
    }
    Ok(())
}

/// Fills the buffer, and adds the descriptors that come along.
pub(super) fn fill(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> Result<Filled, SandboxError> {
    let mut space = [MaybeUninit::uninit(); ANCILLARY_BYTES];
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = match recvmsg(socket, &mut [IoSliceMut::new(rest)], &mut ancillary, RECV) {
            Ok(received) => received,
            Err(Errno::INTR) => continue,
            // The other end died with frames unread; what matters here is that it is gone.
            Err(Errno::CONNRESET) => break,
            Err(Errno::AGAIN) => return Err(SandboxError::TimedOut),
            Err(errno) => {
                return Err(SandboxError::Channel {
                    source: errno.into(),
                });
            }
        };
        keep(&mut ancillary, fds);
        if fds.len() > DESCRIPTORS_MAX || received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(SandboxError::Descriptors);
        }
        if received.bytes == 0 {
            break;
        }
        filled += received.bytes;
    }
    Ok(match filled {
        whole if whole == buffer.len() => Filled::Whole,
        0 => Filled::Nothing,
        _ => Filled::Partly,
    })
}

fn keep(ancillary: &mut RecvAncillaryBuffer<'_>, fds: &mut Vec<OwnedFd>) {
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    #[cfg(target_vendor = "apple")]
    for fd in fds.iter() {
        // It cannot fail for a descriptor that is open.
        let _ = rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC);
    }
}

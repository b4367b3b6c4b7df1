//! Frames between two of our processes: a length, then JSON, and perhaps descriptors.
//!
//! Calls block; use them from threads. A channel may be cloned and used by several threads at once: frames never mix.

mod socket;

use crate::SandboxError;
use domain::limits::FRAME_BYTES_MAX;
use serde::Serialize;
use serde::de::DeserializeOwned;
use socket::Filled;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use socket::pair;

/// Descriptors that one frame may carry: more than any message of ours needs.
pub(crate) const DESCRIPTORS_MAX: usize = 4;

/// One end of a framed connection.
#[derive(Debug, Clone)]
pub struct Channel(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    socket: OwnedFd,
    sending: Mutex<()>,
    receiving: Mutex<()>,
}

impl Channel {
    /// Makes a channel of a connected stream socket.
    pub fn from_stream(stream: UnixStream) -> Self {
        Self::from_socket(stream.into())
    }

    pub(crate) fn from_socket(socket: OwnedFd) -> Self {
        Self(Arc::new(Ends {
            socket,
            sending: Mutex::default(),
            receiving: Mutex::default(),
        }))
    }

    /// Sends a frame. The descriptors stay open here; the other end gets its own.
    pub fn send<T: Serialize>(
        &self,
        value: &T,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), SandboxError> {
        if fds.len() > DESCRIPTORS_MAX {
            return Err(SandboxError::Descriptors);
        }
        let mut frame = vec![0; size_of::<u32>()];
        serde_json::to_writer(&mut frame, value).map_err(|_| SandboxError::FrameUnencodable)?;
        let bytes = frame.len() - size_of::<u32>();
        let length = checked_length(bytes as u64)?;
        for (place, byte) in frame.iter_mut().zip(length.to_le_bytes()) {
            *place = byte;
        }
        let _turn = self
            .0
            .sending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        socket::send_all(self.0.socket.as_fd(), &frame, fds)
    }

    /// Receives a frame with its descriptors; `None` when the other end closed the channel between two frames.
    pub fn recv<T: DeserializeOwned>(&self) -> Result<Option<(T, Vec<OwnedFd>)>, SandboxError> {
        let mut fds = Vec::new();
        let Some(body) = self.recv_body(&mut fds)? else {
            return Ok(None);
        };
        // The parser's own message would repeat a piece of the frame.
        let value =
            serde_json::from_slice(&body).map_err(|error| SandboxError::FrameMalformed {
                line: error.line(),
                column: error.column(),
            })?;
        Ok(Some((value, fds)))
    }

    /// Ends the connection for both sides: whoever waits in [`Channel::recv`], here or there, gets `None`.
    pub fn close(&self) {
        // It can only fail because the other end is gone, which is what was asked for.
        let _ = rustix::net::shutdown(&self.0.socket, rustix::net::Shutdown::Both);
    }

    /// Limits how long [`Channel::recv`] waits. After [`SandboxError::TimedOut`] the place in the stream is lost.
    pub(crate) fn set_recv_timeout(&self, timeout: Option<Duration>) -> Result<(), SandboxError> {
        rustix::net::sockopt::set_socket_timeout(
            &self.0.socket,
            rustix::net::sockopt::Timeout::Recv,
            timeout,
        )
        .map_err(SandboxError::call("setsockopt"))
    }

    fn recv_body(&self, fds: &mut Vec<OwnedFd>) -> Result<Option<Vec<u8>>, SandboxError> {
        let _turn = self
            .0
            .receiving
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let socket = self.0.socket.as_fd();
        let mut length = [0; size_of::<u32>()];
        match socket::fill(socket, &mut length, fds)? {
            Filled::Whole => {}
            Filled::Nothing => return Ok(None),
            Filled::Partly => return Err(SandboxError::FrameTorn),
        }
        let length = checked_length(u64::from(u32::from_le_bytes(length)))?;
        let mut body = vec![0; length as usize];
        match socket::fill(socket, &mut body, fds)? {
            Filled::Whole => Ok(Some(body)),
            Filled::Nothing | Filled::Partly => Err(SandboxError::FrameTorn),
        }
    }
}

fn checked_length(bytes: u64) -> Result<u32, SandboxError> {
    match u32::try_from(bytes) {
        Ok(length) if bytes <= FRAME_BYTES_MAX as u64 => Ok(length),
        _ => Err(SandboxError::FrameTooLong { bytes }),
    }
}

#[cfg(test)]
mod tests;

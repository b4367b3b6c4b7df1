use super::*;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// What `recv` makes of bytes that arrive raw, after which the other end closes.
fn check_raw(bytes: &[u8], expect: &str) {
    let (mut theirs, ours) = UnixStream::pair().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || theirs.write_all(&bytes));
    let got = match Channel::from_stream(ours).recv::<Vec<u32>>() {
        Ok(Some((value, _))) => format!("{value:?}"),
        Ok(None) => "closed".to_owned(),
        Err(error) => error.to_string(),
    };
    // The write may fail where the reader rightly gave up.
    let _ = writer.join().unwrap();
    assert_eq!(got, expect);
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    frame.extend_from_slice(body);
    frame
}

#[test]
fn bytes_from_the_other_side_become_a_value_an_end_or_an_error() {
    let torn = "the other process went away in the middle of a frame";
    let malformed = "a frame is not the JSON that was expected here";
    check_raw(b"", "closed");
    check_raw(&framed(b"[1,2]"), "[1, 2]");
    check_raw(&framed(b"[1,2]")[..3], torn);
    check_raw(&framed(b"[1,2]")[..4], torn);
    check_raw(&framed(b"[1,2]")[..6], torn);
    check_raw(&framed(b""), &format!("{malformed} (line 1, column 0)"));
    check_raw(
        &framed(b"[1,\n2"),
        &format!("{malformed} (line 2, column 1)"),
    );
    check_raw(
        &framed(b"[\"hunter2\"]"),
        &format!("{malformed} (line 1, column 10)"),
    );
    check_raw(
        &u32::MAX.to_le_bytes(),
        "a frame of 4294967295 bytes is longer than a frame may be",
    );
}

#[test]
fn nesting_without_end_is_an_error() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(&framed(&[b'['; 10_000])).unwrap();
    let received = Channel::from_stream(ours).recv::<serde_json::Value>();
    assert!(matches!(
        received,
        Err(SandboxError::FrameMalformed {
            line: 1,
            column: 128
        })
    ));
}

#[test]
fn a_frame_may_be_as_long_as_the_limit_and_no_longer() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (ours, theirs) = (Channel::from_stream(ours), Channel::from_stream(theirs));
    let longest = "x".repeat(FRAME_BYTES_MAX - 2);
    let sent = longest.clone();
    let sender = std::thread::spawn(move || {
        ours.send(&sent, &[]).unwrap();
        ours.send(&"x".repeat(FRAME_BYTES_MAX - 1), &[])
            .unwrap_err()
    });
    let (received, _) = theirs.recv::<String>().unwrap().unwrap();
    assert!(received == longest);
    assert!(
        matches!(sender.join().unwrap(), SandboxError::FrameTooLong { bytes } if bytes == FRAME_BYTES_MAX as u64 + 1)
    );
}

#[test]
fn frames_of_several_threads_do_not_mix() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (ours, theirs) = (Channel::from_stream(ours), Channel::from_stream(theirs));
    let senders: Vec<_> = (0..4_usize)
        .map(|number| {
            let channel = ours.clone();
            // Longer than the socket's buffer, so that each frame needs several calls.
            std::thread::spawn(move || {
                for _ in 0..4 {
                    channel.send(&vec![number; 120_000], &[]).unwrap();
                }
            })
        })
        .collect();
    drop(ours);
    let mut frames = 0;
    while let Some((frame, _)) = theirs.recv::<Vec<usize>>().unwrap() {
        assert!(frame.len() == 120_000 && frame.iter().all(|number| *number == frame[0]));
        frames += 1;
    }
    assert_eq!(frames, 16);
    for sender in senders {
        sender.join().unwrap();
    }
}

#[test]
fn descriptors_arrive_with_their_frame_and_close_on_exec() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (ours, theirs) = (Channel::from_stream(ours), Channel::from_stream(theirs));
    let (near, far) = pair().unwrap();
    ours.send(&1, &[]).unwrap();
    ours.send(&2, &[far.as_fd(), near.as_fd()]).unwrap();
    ours.send(&3, &[]).unwrap();
    drop(far);

    assert_eq!(theirs.recv::<u8>().unwrap().unwrap().1.len(), 0);
    let (_, mut fds) = theirs.recv::<u8>().unwrap().unwrap();
    assert_eq!(theirs.recv::<u8>().unwrap().unwrap().1.len(), 0);
    assert_eq!(fds.len(), 2);
    for fd in &fds {
        let flags = rustix::io::fcntl_getfd(fd).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }
    let mut received = UnixStream::from(fds.remove(0));
    received.write_all(b"over").unwrap();
    let mut text = [0; 4];
    UnixStream::from(near).read_exact(&mut text).unwrap();
    assert_eq!(&text, b"over");
}

#[test]
fn more_descriptors_than_a_frame_may_carry_are_refused_on_both_sides() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let fds = [theirs.as_fd(); DESCRIPTORS_MAX + 1];
    let channel = Channel::from_stream(ours.try_clone().unwrap());
    assert!(matches!(
        channel.send(&1, &fds),
        Err(SandboxError::Descriptors)
    ));

    // A hostile end does not ask: one descriptor with each of the frame's bytes.
    for byte in framed(b"[12345]") {
        socket::send_all(ours.as_fd(), &[byte], &fds[..1]).unwrap();
    }
    let receiver = Channel::from_stream(theirs);
    assert!(matches!(
        receiver.recv::<Vec<u32>>(),
        Err(SandboxError::Descriptors)
    ));
}

#[test]
fn a_closed_channel_ends_both_waits() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (ours, theirs) = (Channel::from_stream(ours), Channel::from_stream(theirs));
    let waiting = ours.clone();
    let near = std::thread::spawn(move || waiting.recv::<u8>().unwrap().is_none());
    let far = std::thread::spawn(move || (theirs.recv::<u8>().unwrap().is_none(), theirs));
    ours.close();
    assert!(near.join().unwrap());
    let (ended, theirs) = far.join().unwrap();
    assert!(ended);
    assert!(matches!(theirs.send(&1, &[]), Err(SandboxError::Closed)));
}

#[test]
fn an_end_that_died_with_frames_unread_is_an_end() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let ours = Channel::from_stream(ours);
    ours.send(&1, &[]).unwrap();
    drop(theirs);
    assert!(ours.recv::<u8>().unwrap().is_none());
}

#[test]
fn a_late_frame_is_told_apart_from_an_end() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let ours = Channel::from_stream(ours);
    ours.set_recv_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    assert!(matches!(ours.recv::<u8>(), Err(SandboxError::TimedOut)));
}

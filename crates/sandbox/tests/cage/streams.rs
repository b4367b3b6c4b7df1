//! Descriptors that travel between parent and child.

use crate::child::{Reply, Task};
use crate::{ask_with, cage, spawn};
use sandbox::{Child, Profile};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

#[test]
fn a_child_uses_a_stream_that_it_is_given_and_can_pass_it_on() {
    for profile in [Profile::Engine, Profile::Plain] {
        let mut cage = cage();
        cage.profile = profile;
        let child = spawn(&cage);
        let (ours, theirs) = sandbox::pair().unwrap();
        let mut ours = UnixStream::from(ours);
        child.channel.send(&Task::Shout, &[theirs.as_fd()]).unwrap();
        drop(theirs);

        ours.write_all(b"rows and rows").unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        ours.read_to_string(&mut text).unwrap();
        assert_eq!(text, "ROWS AND ROWS");
        assert_eq!(receive_fds(&child), 1);
        assert_eq!(receive_fds(&child), 0);
    }
}

fn receive_fds(child: &Child) -> usize {
    let (reply, fds) = child.channel.recv::<Reply>().unwrap().unwrap();
    assert_eq!(reply, Reply::Done);
    fds.len()
}

#[test]
fn a_stream_whose_child_died_ends() {
    let child = spawn(&cage());
    let (ours, theirs) = sandbox::pair().unwrap();
    child.channel.send(&Task::Shout, &[theirs.as_fd()]).unwrap();
    drop(theirs);
    child.kill();
    child.wait();
    let mut ours = UnixStream::from(ours);
    let ended = match ours.read(&mut [0; 8]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    };
    assert!(ended);
    assert_eq!(
        ours.write(b"x").unwrap_err().kind(),
        std::io::ErrorKind::BrokenPipe
    );
}

#[test]
fn a_stream_that_is_not_asked_for_does_no_harm() {
    let child = spawn(&cage());
    let (one, other) = sandbox::pair().unwrap();
    let fds = [one.as_fd(), other.as_fd(), one.as_fd(), other.as_fd()];
    for _ in 0..2000 {
        assert_eq!(
            ask_with(&child, &Task::Complain(String::new()), &fds),
            Reply::Done
        );
    }
}

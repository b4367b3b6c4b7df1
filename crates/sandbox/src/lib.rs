//! Child processes and their cage: this program executed again, in a role, with nothing it does not need.
//!
//! A parent describes a child with a [`Cage`] and starts it with a [`Launcher`]. The child's `main` calls [`enter()`] before
//! anything else: it takes the cage from its first frame, locks itself in for good and answers what it could apply. From
//! then on both speak over a [`Channel`]: JSON frames that may carry descriptors, so that bulk data travels over a
//! [`pair`] of its own.
//!
//! The cage is four walls that do not rely on each other:
//!
//! | wall | what it stops |
//! |---|---|
//! | an empty start | environment, arguments, inherited descriptors, the terminal: none reaches the child |
//! | Landlock | every file, directory, TCP port, abstract socket and process outside those the cage names |
//! | seccomp | every system call that is not on the list in `enter/calls/allowed.rs` |
//! | the process's own state | no capability but one, no new privileges, no core dump, not traceable, resource limits |
//!
//! # Invariants
//! - A child sees no environment variable, inherits no descriptor but its channel, `/dev/null` and its standard error, and
//!   can open nothing outside its cage, whoever it runs as. `tests/cage` tries.
//! - A child never outlives its parent, and a dropped [`Child`] is dead and reaped.
//! - Only the parent ends a child: Ctrl-C, SIGTERM and a closed terminal do not reach it or are ignored by it.
//! - The cage cannot be widened after [`enter()`]; it is applied before the first foreign byte is read, while the process has
//!   one thread.
//! - Every frame has a length limit, checked before memory is reserved; an error never repeats what a frame said.
//! - What the host cannot give is said in the [`Level`], never passed over; [`Policy::Required`] refuses to run without it.
//! - `unsafe` stands only at the calls into the operating system that have no safe binding; each says why it is sound.
//!
//! What the cage does not stop: a child can tell whether a path exists (`stat` is outside Landlock), and can use its share
//! of processor time.
//!
//! # Adding a role
//! 1. Choose a name and write its `main` in the crate that owns the work: a function that takes [`Entered`], loops over
//!    `channel.recv()` until it gives `None` (the parent is gone or done), and returns.
//! 2. Add the name to the table behind `dango __child` in `cli`; that code calls [`enter()`] first and then your function.
//! 3. Where the role is started, build a [`Cage`] with the least that works: the narrowest paths, [`Profile::Plain`] unless it
//!    needs threads. A system call that it misses shows up as "operation not permitted"; find it with `strace -f`, and add it
//!    to `allowed.rs` with the reason, for every role or none.
//! 4. Test it as `tests/cage` does: the test binary starts itself again through [`Launcher::new`], and a
//!    `#[test] fn child_role_entry()` runs the role when [`is_child`] says so.

mod cage;
mod channel;
mod child;
mod enter;
mod error;
mod harden;
mod launcher;
mod level;

pub use cage::{Cage, Limits, Policy, Profile};
pub use channel::{Channel, pair};
pub use child::{Child, Exit};
pub use enter::{Entered, enter, is_child};
pub use error::SandboxError;
pub use harden::harden_self;
pub use launcher::Launcher;
pub use level::{Level, Missing, level};

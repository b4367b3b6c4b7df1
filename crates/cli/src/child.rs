//! The other lives of this binary: re-executed as `dango __child …` it is a caged worker, reader, writer or compactor.

use std::ffi::OsString;
use std::process::ExitCode;

/// The argument that makes the process a child. It is no command: nobody types it, no help lists it.
pub(crate) const ROLE_ARGUMENT: &str = "__child";

/// Runs the child and returns its exit code, `None` when this process is an ordinary command.
pub(crate) fn dispatch(arguments: &[OsString]) -> Option<ExitCode> {
    if arguments.get(1)? != ROLE_ARGUMENT {
        return None;
    }
    Some(ExitCode::from(app::child::run()))
}

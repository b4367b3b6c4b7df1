//! The roles of our child processes: the same binary, caged before it does anything else.

/// The first argument of a child's command line; its role follows.
pub const ARGUMENT: &str = "__child";

/// Enters the cage and plays the role that the parent asked for, until the parent is done with it. Returns the exit code.
pub fn run() -> u8 {
    let entered = match sandbox::enter() {
        Ok(entered) => entered,
        Err(error) => return fail(&error),
    };
    if entered.cage.role != crate::reader::ROLE {
        return u8::from(!warehouse::child::run(&entered));
    }
    match crate::reader::run(entered) {
        Ok(()) => 0,
        Err(error) => fail(&error),
    }
}

/// The parent keeps the end of a child's stderr for its log.
#[expect(
    clippy::print_stderr,
    reason = "a child has nobody but its parent to tell"
)]
fn fail(error: &dyn std::error::Error) -> u8 {
    eprintln!("{error}");
    1
}

//! What could not be done for the audit log and stopped nobody: told once, at the end of a command.

use crate::{Error, logging};
use domain::Say;
use std::sync::{Mutex, PoisonError};

static WARNINGS: Mutex<Vec<Say>> = Mutex::new(Vec::new());

/// Keeps `error` for whoever looks, and logs it unless it is kept already: a server tries again every second.
pub(super) fn tell(error: &Error) {
    let hint = if error.hint.is_empty() {
        Say::default()
    } else {
        Say::new("; ").value(&error.hint)
    };
    let say = Say::new("the audit log is behind: ")
        .value(&error.say)
        .value(&hint);
    let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if !warnings.contains(&say) {
        logging::failed(error);
        warnings.push(say);
    }
}

/// Returns the warnings that nobody was told yet.
pub fn take() -> Vec<Say> {
    std::mem::take(&mut *WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

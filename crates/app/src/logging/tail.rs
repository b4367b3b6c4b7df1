//! The end of the log, for people who may see it.

use crate::error::{Error, Result};
use crate::{App, REDACTOR};
use fs_err as fs;
use security::Allow;
use security::permissions::LogsView;
use serde_json::Value;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};

/// So much of the end of the file is read at most.
const TAIL_BYTES_MAX: u64 = 4 << 20;

/// Returns the last `limit` lines of the log, newest first.
pub fn tail(app: &App, _: &Allow<LogsView>, limit: usize) -> Result<Vec<Value>> {
    let path = app.project.log_file();
    let read = || {
        let mut file = fs::File::open(&path)?;
        let bytes = file.metadata()?.len();
        file.seek(SeekFrom::Start(bytes.saturating_sub(TAIL_BYTES_MAX)))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut tail)?;
        Ok(tail)
    };
    let bytes = match read() {
        Ok(bytes) => bytes,
        Err(error) if std::io::Error::kind(&error) == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file("read", &path, error)),
    };
    // The first line may be cut, and then it is no JSON.
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().rev();
    // Masked when it was written; a secret that was learned since is masked now.
    let parsed = lines.filter_map(|line| serde_json::from_str(&REDACTOR.redact(line)).ok());
    Ok(parsed.take(limit).collect())
}

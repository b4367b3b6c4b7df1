//! The writer: turns one stream of rows into one file. It exists so that neither the process with the secrets nor the one with
//! the warehouse writes where a user says.

use crate::duck::{Database, ResultColumn};
use crate::render::{Format, Renderer};
use crate::stream::ArrowReader;
use crate::wire::Fault;
use crate::worker::copy_to_parquet;
use sandbox::Channel;
use serde::{Deserialize, Serialize};
use std::io::{BufWriter, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// The role's name on the child's command line.
pub const WRITER_ROLE: &str = "writer";

/// A form of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Csv,
    /// One array of objects.
    Json,
    /// One object per line.
    JsonLines,
    Parquet,
}

/// What to write where, with the stream's descriptor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WriteRequest {
    pub path: PathBuf,
    pub format: ExportFormat,
    pub columns: Vec<ResultColumn>,
    pub memory_mb: u64,
}

/// How it went.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WriteReply {
    pub failed: Option<Fault>,
}

/// Serves the one request of this process.
pub(crate) fn serve(channel: &Channel) {
    let Ok(Some((request, fds))) = channel.recv::<WriteRequest>() else {
        return;
    };
    let outcome = match fds.into_iter().next() {
        Some(stream) => write(&request, stream.into()),
        None => Err(Fault::Protocol("the request carries no stream".into())),
    };
    // A parent that is gone removes the file, or finds it incomplete.
    let _ = channel.send(
        &WriteReply {
            failed: outcome.err(),
        },
        &[],
    );
}

fn write(request: &WriteRequest, stream: UnixStream) -> Result<(), Fault> {
    match request.format {
        ExportFormat::Parquet => write_parquet(request, stream),
        ExportFormat::Csv => write_text(request, stream, Format::Csv),
        ExportFormat::Json => write_text(request, stream, Format::Json),
        ExportFormat::JsonLines => write_text(request, stream, Format::JsonLines),
    }
}

fn write_text(request: &WriteRequest, stream: UnixStream, format: Format) -> Result<(), Fault> {
    let mut reader = ArrowReader::open(stream)?;
    let file = fs_err::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&request.path);
    let mut renderer = Renderer::new(BufWriter::new(file?), format, &request.columns)?;
    while let Some(batch) = reader.next_batch()? {
        renderer.write(&batch)?;
    }
    Ok(renderer.finish()?.flush()?)
}

fn write_parquet(request: &WriteRequest, stream: UnixStream) -> Result<(), Fault> {
    let settings = [
        ("memory_limit", format!("{}MiB", request.memory_mb)),
        // One thread keeps the order of the rows, which the query may have asked for.
        ("threads", "1".to_owned()),
        ("temp_directory", String::new()),
        ("autoinstall_known_extensions", "false".to_owned()),
        ("autoload_known_extensions", "false".to_owned()),
    ];
    let database = Database::open(None, &settings)?;
    copy_to_parquet(&database, stream, &request.columns, &request.path)
}

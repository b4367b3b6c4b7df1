//! `dango query SQL`: one SELECT, as a table, JSON or CSV on stdout, or into a file.

mod elsewhere;
pub(crate) mod rows;

use crate::arguments::numbers::{parse_rows_or_all, parse_timeout};
use crate::context::Context;
use crate::door::Door;
use crate::errors::{Stop, usage};
use crate::output::{Output, units};
use crate::prompts;
use crate::remote::RemoteArguments;
use app::error::{Error, Kind};
use app::query::{ExportFormat, OutputFile, QueryRequest};
use app::render;
use clap::{Args, ValueEnum};
use domain::limits::{QUERY_ROWS_DEFAULT, SQL_BYTES_MAX};
use domain::say::Quoted;
use domain::{Code, say};
use rows::Extent;
use serde_json::json;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  dango query 'SELECT count(*) FROM raw_shop.orders'
  dango query --format csv --limit 0 'FROM raw_shop.orders' > orders.csv
  dango query --output orders.parquet 'FROM raw_shop.orders'
  dango query - < report.sql

Only one SELECT over tables and views of the warehouse is run; everything else is refused before it starts.";

/// Arguments of `dango query`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The SELECT; `-` reads it from stdin
    #[arg(value_name = "SQL", allow_hyphen_values = true)]
    sql: String,
    /// How to write the rows; a file's ending decides when --output is given, --json means json
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// At most so many rows, 0 for all; 1000 on stdout and all into a file when left out
    #[arg(long, value_name = "ROWS", value_parser = parse_rows_or_all, allow_negative_numbers = true)]
    limit: Option<u64>,
    /// Stop the query after so long; otherwise `api.query_timeout_seconds`
    #[arg(long, value_name = "SECONDS", value_parser = parse_timeout, allow_negative_numbers = true)]
    timeout: Option<u64>,
    /// Write the rows into this file, by a process that can write nothing else
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// A form of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Jsonl,
    /// RFC 4180 with a header
    Csv,
    /// Into a file only
    Parquet,
}

impl Format {
    /// Returns the form of text on stdout; a table is drawn elsewhere.
    const fn as_text(self) -> render::Format {
        match self {
            Self::Json => render::Format::Json,
            Self::Jsonl => render::Format::JsonLines,
            Self::Csv | Self::Table | Self::Parquet => render::Format::Csv,
        }
    }

    /// Returns the form of a file.
    const fn in_file(self) -> ExportFormat {
        match self {
            Self::Json => ExportFormat::Json,
            Self::Jsonl => ExportFormat::JsonLines,
            Self::Csv | Self::Table => ExportFormat::Csv,
            Self::Parquet => ExportFormat::Parquet,
        }
    }
}

/// Runs the query.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let format = choose(&arguments, context.output.json)?;
    let request = QueryRequest {
        sql: sql(context, &arguments.sql).await?,
        rows_max: arguments
            .limit
            .map(|limit| if limit == 0 { u64::MAX } else { limit }),
        is_held: format == Format::Table,
        timeout_seconds: arguments.timeout,
    };
    let remote = &arguments.remote;
    remote.refuse("--output", arguments.output.is_some())?;
    remote.refuse("--timeout", arguments.timeout.is_some())?;
    remote.refuse("--format csv", format == Format::Csv)?;
    if let Some(connection) = remote.open(context).await? {
        return elsewhere::run(context, &connection, &request, format).await;
    }
    let door = context.door("query").await?;
    let answered = async {
        match &arguments.output {
            Some(path) => export(context, &door, &request, format, path, arguments.force).await,
            None => print(context, &door, &request, format).await,
        }
    };
    let ended = context.interrupts.or_drop(Box::pin(answered)).await;
    door.close().await;
    ended
}

/// Decides the format: the flag, else the file's ending, else `--json`, else a table.
fn choose(arguments: &Arguments, json: bool) -> Result<Format, Stop> {
    let Some(path) = &arguments.output else {
        return match arguments.format {
            Some(Format::Parquet) => Err(usage(
                "Parquet is not for a terminal or a pipe",
                "name a file with `--output FILE`",
            )),
            Some(format) => Ok(format),
            None => Ok(if json { Format::Json } else { Format::Table }),
        };
    };
    match arguments.format.or_else(|| by_ending(path)) {
        None => Err(usage(
            say!("the ending of ", name Quoted(&path.to_string_lossy()), " tells no format"),
            "end it with .csv, .json, .jsonl or .parquet, or give `--format`",
        )),
        Some(Format::Table) => Err(usage(
            "a table is for reading, not for a file",
            "use `--format csv`, json, jsonl or parquet",
        )),
        Some(format) => Ok(format),
    }
}

fn by_ending(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}

/// Returns the SQL, read from stdin when it is `-`.
async fn sql(context: &Context, typed: &str) -> Result<String, Stop> {
    if crate::usage::is_flag(typed) {
        return Err(crate::usage::unknown_flag(typed, &["query".to_owned()]));
    }
    if typed != "-" {
        return Ok(typed.to_owned());
    }
    // One byte more than allowed is enough for `app` to refuse it.
    let read = prompts::stdin(&context.interrupts, SQL_BYTES_MAX as u64 + 1);
    String::from_utf8(read.await?)
        .map_err(|_| usage("the SQL on stdin is not UTF-8 text", "save it as UTF-8"))
}

async fn export(
    context: &Context,
    door: &Door,
    request: &QueryRequest,
    format: Format,
    path: &Path,
    force: bool,
) -> Result<(), Stop> {
    let file = OutputFile::new(path, force)?;
    let done = door.export(request, format.in_file(), &file).await?;
    let output = context.output;
    if output.json {
        output.print_json(&json!({
            "output": path, "rows": done.rows, "bytes": done.bytes, "truncated": done.truncated,
            "masked": done.masked,
        }))?;
    }
    output.warn_masked(done.masked);
    let (rows, bytes) = (units::counted(done.rows, "row"), units::bytes(done.bytes));
    output.tell(&format!("wrote {rows} ({bytes}) to {}", path.display()));
    let extent = Extent {
        rows: done.rows,
        is_truncated: done.truncated,
    };
    check_extent(extent, request.rows_max.unwrap_or(u64::MAX), output)
}

async fn print(
    context: &Context,
    door: &Door,
    request: &QueryRequest,
    format: Format,
) -> Result<(), Stop> {
    let extent = match format {
        Format::Table => rows::collect(door, request).await?.print(context.output)?,
        other => rows::stream(door, request, other.as_text(), context.output).await?,
    };
    check_extent(
        extent,
        request.rows_max.unwrap_or(QUERY_ROWS_DEFAULT),
        context.output,
    )
}

/// Says that rows were left out because of the limit that was asked for. Any other limit is an error: whoever wanted all the
/// rows must not take these for all.
fn check_extent(extent: Extent, rows_max: u64, output: Output) -> Result<(), Stop> {
    if !extent.is_truncated {
        return Ok(());
    }
    if extent.rows < rows_max {
        let say = say!(
            "the result is larger than a query may give: only its first ",
            extent.rows,
            " rows are there"
        );
        let error = Error::new(Kind::Limit, Code::OutputFailed, say);
        return Err(error
            .hint("ask for fewer columns or rows, in several queries if need be")
            .into());
    }
    let rows = units::counted(extent.rows, "row");
    output.tell(&format!(
        "first {rows} only; `--limit N` for more, `--limit 0` for all"
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn the_format_is_what_was_said_or_what_the_file_is_called() {
        let check = |words: &str, json: bool, expect: Option<Format>| {
            let line = Line::parse_from(format!("query x {words}").split_whitespace());
            assert_eq!(choose(&line.arguments, json).ok(), expect, "{words}");
        };
        check("", false, Some(Format::Table));
        check("", true, Some(Format::Json));
        check("--format csv", true, Some(Format::Csv));
        check("--format parquet", false, None);
        check("-o a.PARQUET", false, Some(Format::Parquet));
        check("-o a.ndjson", false, Some(Format::Jsonl));
        check("-o a.txt", false, None);
        check("-o a.txt --format csv", false, Some(Format::Csv));
        check("-o a.csv --format table", false, None);
    }

    #[test]
    fn only_the_users_own_limit_may_leave_rows_out() {
        let output = Output::new(
            true,
            crate::arguments::ColorChoice::Never,
            crate::output::Surroundings::default(),
        );
        let check = |rows, is_truncated, rows_max| {
            check_extent(Extent { rows, is_truncated }, rows_max, output).is_ok()
        };
        assert!(check(10, false, u64::MAX));
        assert!(check(10, true, 10));
        assert!(!check(10, true, u64::MAX));
        assert!(!check(10, true, 11));
    }

    #[test]
    fn sql_may_begin_with_a_comment() {
        let line = Line::parse_from(["query", "-- all\nSELECT 1"]);
        assert_eq!(line.arguments.sql, "-- all\nSELECT 1");
    }
}

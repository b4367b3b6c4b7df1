//! What a file is, judged by its name.

use serde::{Deserialize, Serialize};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    Tsv,
    /// One array of objects, or one object after another.
    #[serde(alias = "jsonl", alias = "ndjson")]
    Json,
    Parquet,
}

/// What the name of a file says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Format(Format),
    /// Compressed in a way that we do not read.
    Compressed,
    Unknown,
}

impl Format {
    /// Returns what the name of a file says.
    pub(crate) fn of_name(name: &str) -> Named {
        let lower = name.to_ascii_lowercase();
        let inner = [".gz", ".zst"]
            .iter()
            .find_map(|suffix| lower.strip_suffix(suffix));
        let extension = inner
            .unwrap_or(&lower)
            .rsplit_once('.')
            .map_or("", |(_, e)| e);
        match extension {
            "csv" | "txt" => Named::Format(Self::Csv),
            "tsv" | "tab" => Named::Format(Self::Tsv),
            "json" | "jsonl" | "ndjson" => Named::Format(Self::Json),
            "parquet" | "pq" => Named::Format(Self::Parquet),
            "bz2" | "xz" | "zip" | "lz4" | "br" | "7z" | "rar" | "lzma" | "z" => Named::Compressed,
            _ => Named::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        let check = |name: &str, expect| assert_eq!(Format::of_name(name), expect, "{name}");
        check("a.csv", Named::Format(Format::Csv));
        check("A.CSV", Named::Format(Format::Csv));
        check("a.b.tsv.gz", Named::Format(Format::Tsv));
        check("a.jsonl.zst", Named::Format(Format::Json));
        check("a.parquet", Named::Format(Format::Parquet));
        check("a.csv.bz2", Named::Compressed);
        check("a.xlsx", Named::Unknown);
        check("csv", Named::Unknown);
        check("a.gz", Named::Unknown);
    }
}

//! How a file is packed, whatever its name says.

/// How a file is packed, judged by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
    /// Something else, by its name.
    Other(&'static str),
}

impl Packing {
    pub(super) fn of_head(head: &[u8]) -> Self {
        const MAGIC: [(&[u8], Packing); 8] = [
            (b"\x1f\x8b", Packing::Gzip),
            (b"\x28\xb5\x2f\xfd", Packing::Zstd),
            (
                b"PK\x03\x04",
                Packing::Other("a zip archive or an Excel workbook"),
            ),
            (b"\xd0\xcf\x11\xe0", Packing::Other("an old Excel workbook")),
            (b"BZh91AY&", Packing::Other("compressed with bzip2")),
            (b"\xfd7zXZ\x00", Packing::Other("compressed with xz")),
            (b"\x04\x22\x4d\x18", Packing::Other("compressed with lz4")),
            (b"PAR1\x15", Packing::Other("a Parquet file")),
        ];
        let found = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
        found.map_or(Self::Plain, |(_, packing)| *packing)
    }
}

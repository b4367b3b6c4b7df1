//! `audit.jsonl`: the log as a file for other programs. It follows the database: what it lacks is appended, a line that a crash
//! tore is written anew, and what was erased there is erased here.

use super::line;
use crate::error::{Error, Result};
use crate::files::{self, Reach};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use std::fs::Permissions;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// getdango's limit.
pub(super) const BYTES_MAX: u64 = 5 << 20;
/// A line is one record with its details; more is no line of ours, and is not read into memory.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// What is looked at to find the last line, unless it is longer.
const TAIL_BYTES: u64 = 64 << 10;
const LIVE: &str = "audit.jsonl";
const LEGACY: &str = "audit.legacy";

/// The files of one project.
pub(super) struct Journal {
    folder: PathBuf,
    bytes_max: u64,
}

impl Journal {
    pub(super) fn open(folder: &Path, bytes_max: u64) -> Result<Self> {
        files::create_folder(folder, Reach::Owner)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            bytes_max,
        })
    }

    /// Returns the file that is appended to.
    pub(super) fn live(&self) -> PathBuf {
        self.folder.join(LIVE)
    }

    /// Returns the file that another program left here, when its first line is none of ours.
    pub(super) fn find_unchained(&self) -> Result<Option<PathBuf>> {
        let path = self.live();
        let is_ours = match first_line(&path).map_err(|error| Error::file("read", &path, error))? {
            None => true,
            // A line that a crash tore while it was the only one.
            Some(text) if !text.ends_with('\n') => text.contains("\"event_type\":"),
            Some(text) => line::place(&text).is_some(),
        };
        Ok((!is_ours).then_some(path))
    }

    /// Puts the file of another program aside; returns its name.
    pub(super) fn keep_legacy(&self) -> Result<PathBuf> {
        let names = (0_u32..).map(|number| match number {
            0 => format!("{LEGACY}.jsonl"),
            _ => format!("{LEGACY}_{number}.jsonl"),
        });
        let mut free = names
            .map(|name| self.folder.join(name))
            .filter(|path| fs::symlink_metadata(path).is_err());
        let live = self.live();
        let target = free.next().unwrap_or_else(|| live.clone());
        let moved = fs::set_permissions(&live, Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&live, &target))
            .and_then(|()| fs::File::open(&self.folder)?.sync_all());
        moved.map_err(|error| Error::file("renamed", &live, error))?;
        Ok(target)
    }

    /// Returns the number of the last record that is written, and takes away what a crash left behind it.
    pub(super) fn find_last(&self) -> Result<i64> {
        let path = self.live();
        let last = repair(&path).map_err(|error| Error::file("read", &path, error))?;
        if let Some(seq) = last {
            return Ok(seq);
        }
        // Without the file, or with nothing in it, what is packed away says how far it came.
        let mut newest = 0;
        for archive in self.archives()? {
            for text in self.read(&archive)? {
                newest = newest.max(line::place(&text).map_or(0, |place| place.seq));
            }
        }
        Ok(newest)
    }

    /// Appends whole lines, durably; a file that is full is packed away first. `day` names it.
    pub(super) fn append(&self, lines: &str, day: &str) -> Result<()> {
        let path = self.live();
        let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if bytes > 0 && bytes + lines.len() as u64 > self.bytes_max {
            self.pack_away(day)?;
            return files::write_whole(&path, lines.as_bytes(), Reach::Owner);
        }
        let append = || -> io::Result<()> {
            let mut file = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(&path)?;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                file.set_permissions(Permissions::from_mode(0o600))?;
            }
            file.write_all(lines.as_bytes())?;
            domain::fault::point("audit file written");
            file.sync_all()
        };
        append().map_err(|error| Error::file("written", &path, error))
    }

    /// Packs the file away, unless that was done before a crash.
    fn pack_away(&self, day: &str) -> Result<()> {
        let live = self.live();
        let first = |path: &Path| {
            let line = first_line(path).map_err(|error| Error::file("read", path, error))?;
            Ok::<_, Error>(line.as_deref().and_then(line::place).map(|place| place.seq))
        };
        let begins = first(&live)?;
        for archive in self.archives()? {
            if begins.is_some() && first(&archive)? == begins {
                return Ok(());
            }
        }
        let text = fs::read(&live).map_err(|error| Error::file("read", &live, error))?;
        let names = (0_u32..).map(|number| match number {
            0 => format!("audit.{day}.jsonl.gz"),
            _ => format!("audit.{day}_{number}.jsonl.gz"),
        });
        let mut free = names
            .map(|name| self.folder.join(name))
            .filter(|path| fs::symlink_metadata(path).is_err());
        match free.next() {
            Some(path) => {
                write_packed(&path, &text)?;
                domain::fault::point("audit file packed");
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Returns the files with records, oldest first.
    pub(super) fn list_files(&self) -> Result<Vec<PathBuf>> {
        let mut found = self.archives()?;
        found.push(self.live());
        let mut ordered = Vec::new();
        for path in found {
            let line = first_line(&path).map_err(|error| Error::file("read", &path, error))?;
            if let Some(line) = line {
                let begins = line::place(&line).map_or(i64::MAX, |place| place.seq);
                ordered.push((begins, path));
            }
        }
        ordered.sort();
        Ok(ordered.into_iter().map(|(_, path)| path).collect())
    }

    /// Returns the lines of a file, without what a crash tore.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<String>> {
        let read = || -> io::Result<Vec<String>> {
            let mut reader = open(path)?;
            let mut lines = Vec::new();
            while let Some(line) = next_line(&mut reader)? {
                lines.push(line);
            }
            Ok(lines)
        };
        let mut lines = read().map_err(|error| Error::file("read", path, error))?;
        if lines.last().is_some_and(|line| !line.ends_with('\n')) && path == self.live() {
            lines.pop();
        }
        Ok(lines)
    }

    fn archives(&self) -> Result<Vec<PathBuf>> {
        let list = || -> io::Result<Vec<PathBuf>> {
            let mut found = Vec::new();
            for entry in fs::read_dir(&self.folder)? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.starts_with("audit.")
                    && name.ends_with(".jsonl.gz")
                    && !name.starts_with(LEGACY)
                {
                    found.push(path);
                }
            }
            found.sort();
            Ok(found)
        };
        list().map_err(|error| Error::file("read", &self.folder, error))
    }
}

/// Writes a file of the log anew, whole or not at all.
pub(super) fn rewrite(path: &Path, lines: &[String]) -> Result<()> {
    let text = lines.concat();
    if is_packed(path) {
        return write_packed(path, text.as_bytes());
    }
    files::write_whole(path, text.as_bytes(), Reach::Owner)
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

fn write_packed(path: &Path, text: &[u8]) -> Result<()> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let packed = packer.write_all(text).and_then(|()| packer.finish());
    let packed = packed.map_err(|error| Error::file("packed", path, error))?;
    files::write_whole(path, &packed, Reach::Owner)
}

fn open(path: &Path) -> io::Result<BufReader<Box<dyn Read>>> {
    let file = fs::File::open(path)?;
    let reader: Box<dyn Read> = if is_packed(path) {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    Ok(BufReader::new(reader))
}

/// Returns the next line with its line end; bytes that are no text become what no line of ours has.
fn next_line(reader: &mut BufReader<Box<dyn Read>>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    reader
        .by_ref()
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut bytes)?;
    Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

fn first_line(path: &Path) -> io::Result<Option<String>> {
    match open(path) {
        Ok(mut reader) => next_line(&mut reader),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the number of the last whole line, and cuts off what stands behind it.
fn repair(path: &Path) -> io::Result<Option<i64>> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = file.metadata()?.len();
    let mut tail = Vec::new();
    let mut from = bytes.saturating_sub(TAIL_BYTES);
    loop {
        tail.clear();
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut tail)?;
        if from == 0 || tail.contains(&b'\n') {
            break;
        }
        from = 0;
    }
    let whole = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if whole < tail.len() {
        file.set_len(from + whole as u64)?;
        file.sync_all()?;
    }
    let lines = tail.get(..whole).unwrap_or_default();
    let last = lines
        .split(|byte| *byte == b'\n')
        .rfind(|line| !line.is_empty());
    let text = last.map(String::from_utf8_lossy);
    Ok(text
        .and_then(|text| line::place(&text))
        .map(|place| place.seq))
}

#[cfg(test)]
mod tests;

//! `sources.yml` as a whole.

use super::item::SourceReader;
use super::{FILE, Sources};
use crate::config::finding::{Finding, Report};
use crate::config::read::{Fields, Reader};
use crate::config::tree::{self, Node, Shape};
use crate::environment::Environment;
use crate::error::Result;
use crate::files;
use crate::project::Project;
use domain::{ConnectorName, Say, say};

/// Reads `sources.yml` and everything there is to say about it. A missing file has no sources.
pub(in crate::config) fn read(
    project: &Project,
    environment: &Environment,
    types: &[ConnectorName],
) -> Result<(Sources, Vec<Finding>)> {
    let text = files::read_text(&project.sources_file())?.unwrap_or_default();
    Ok(parse(&text, environment, types))
}

/// Reads the text of a `sources.yml`.
pub(in crate::config) fn parse(
    text: &str,
    environment: &Environment,
    types: &[ConnectorName],
) -> (Sources, Vec<Finding>) {
    let mut report = Report::new(FILE);
    let mut sources = Sources::default();
    match tree::parse(text) {
        Err(broken) => report.unreadable(&broken),
        Ok(root) => {
            let mut reader = Reader {
                report: &mut report,
                environment,
            };
            for item in items(&root, &mut reader) {
                let entry = SourceReader {
                    reader: &mut reader,
                    types,
                }
                .entry(item, &sources);
                sources.entries.push(entry);
            }
        }
    }
    (sources, report.findings)
}

/// Returns the items of `sources:` and checks what stands beside them.
fn items<'n>(root: &'n Node, reader: &mut Reader<'_>) -> &'n [Node] {
    let Some(mut top) = Fields::open(root, "", reader.report) else {
        return &[];
    };
    if let Some(version) = top.take("version") {
        let is_one = match &version.shape {
            Shape::Text(text) => text == "1.0" || text == "1",
            // YAML reads an unquoted 1.0 as a number.
            Shape::Number(number) => number.as_f64() == Some(1.0),
            _ => false,
        };
        if !is_one {
            reader.report.error(
                version.place,
                Say::new("this version of the file is not known"),
                "write `version: \"1.0\"`",
            );
        }
    }
    let list = top.take("sources");
    top.finish(reader.report);
    match list.map(|list| (&list.shape, list.place)) {
        None => &[],
        Some((Shape::List(items), _)) => items,
        Some((other, place)) => {
            let say = say!("`sources` must be a list, not ", Say::new(other.noun()));
            reader
                .report
                .error(place, say, "each source begins with `- name: …`");
            &[]
        }
    }
}

//! One item of `sources:`: read as far as it goes, every mistake reported with its place.

use super::{FILE, SourceConfig, SourceEntry, Sources, block_alias};
use crate::config::finding::{Finding, Severity, nearest, suggestion};
use crate::config::read::{Fields, Reader, to_json};
use crate::config::tree::{Node, Place, Shape};
use domain::say::Quoted;
use domain::{Code, ConnectorName, Contract, Say, SourceName, say};
use serde_json::Value;

/// Percent of a table's rows that a refresh may remove without being asked about.
const SHRINK_LIMIT_PERCENT_DEFAULT: u8 = 50;

/// Reads the items of a file.
pub(super) struct SourceReader<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    /// The known source types.
    pub(super) types: &'r [ConnectorName],
}

impl SourceReader<'_, '_> {
    /// Reads one item; `others` are those above it.
    pub(super) fn entry(&mut self, node: &Node, others: &Sources) -> SourceEntry {
        let named = node.get("name").map(|name| &name.shape);
        let name = match named {
            Some(Shape::Text(name)) => name.to_ascii_lowercase(),
            _ => String::new(),
        };
        // A source without a name is still a source: what is wrong with it spoils no other.
        self.reader.report.source = Some(name.clone());
        let errors_before = self.reader.report.findings.len();
        let source = self.source(node);
        if let Some(other) = others.find(&name).filter(|_| !name.is_empty()) {
            let say = say!("the name ", name Quoted(&name), " is taken by the source in line ", other.place.line);
            self.reader
                .report
                .error(node.place, say, "give one of them another name");
        }
        self.reader.report.source = None;
        let findings = self.reader.report.findings.iter().skip(errors_before);
        let first = findings
            .filter(|finding| finding.severity == Severity::Error)
            .min_by_key(|f| f.place);
        let source = match (first, source) {
            (None, Some(source)) => Ok(source),
            (Some(finding), _) => Err(finding.clone()),
            (None, None) => Err(unexplained(node.place, &name)),
        };
        SourceEntry {
            name,
            place: node.place,
            source,
        }
    }

    fn source(&mut self, node: &Node) -> Option<SourceConfig> {
        let mut fields = Fields::open(node, "", self.reader.report)?;
        let name = self.name(&mut fields, node.place);
        let kind = self.kind(&mut fields, node.place);
        let enabled = fields
            .take("enabled")
            .map_or(Some(true), |node| self.reader.boolean(node, "enabled"));
        let description = fields
            .take("description")
            .and_then(|node| self.reader.text(node, "description"));
        let tags = fields
            .take("tags")
            .and_then(|node| self.reader.texts(node, "tags"))
            .unwrap_or_default();
        let mut integer = |key, range| {
            let node = fields.take(key);
            node.and_then(|node| self.reader.integer(node, key, range))
        };
        let lookback_days =
            integer("lookback_days", 0..=36_500).and_then(|days| u32::try_from(days).ok());
        let shrink =
            integer("shrink_limit_percent", 0..=100).and_then(|limit| u8::try_from(limit).ok());
        let contract = fields.take("contract").and_then(|node| {
            let choices = [
                ("evolve", Contract::Evolve),
                ("freeze", Contract::Freeze),
                ("discard", Contract::Discard),
            ];
            self.reader.choice(node, "contract", &choices)
        });
        let block = self.block(&mut fields, kind.as_ref(), enabled != Some(false));
        self.finish(&fields, kind.as_ref());
        Some(SourceConfig {
            name: name?,
            kind: kind?,
            enabled: enabled?,
            description,
            tags,
            lookback_days,
            contract: contract.unwrap_or_default(),
            shrink_limit_percent: shrink.unwrap_or(SHRINK_LIMIT_PERCENT_DEFAULT),
            block_as_written: block,
            place: node.place,
        })
    }

    fn name(&mut self, fields: &mut Fields<'_>, place: Place) -> Option<SourceName> {
        let Some(node) = fields.take("name") else {
            self.reader
                .report
                .error(place, Say::new("the source has no `name`"), "add `name: …`");
            return None;
        };
        let text = self.reader.text(node, "name")?;
        match SourceName::parse(&text) {
            Ok(name) => Some(name),
            Err(error) => {
                let say = say!("", name Quoted(&text), " cannot be a source's name: ", error);
                let hint = "letters, digits and `_`, starting with a letter";
                self.reader.report.add(
                    Severity::Error,
                    Code::SourceNameInvalid,
                    node.place,
                    say,
                    hint,
                );
                None
            }
        }
    }

    fn kind(&mut self, fields: &mut Fields<'_>, place: Place) -> Option<ConnectorName> {
        let Some(node) = fields.take("type") else {
            self.reader
                .report
                .error(place, Say::new("the source has no `type`"), "add `type: …`");
            return None;
        };
        let text = self.reader.text(node, "type")?;
        let known = ConnectorName::parse(&text)
            .ok()
            .filter(|kind| self.types.contains(kind));
        if known.is_none() {
            let names = self.types.iter().map(ConnectorName::as_str);
            let mut hint = suggestion(&text, names);
            if hint.is_empty() {
                hint = Say::new(
                    "`dango source add --help` lists the types; a file in `connectors/` adds one",
                );
            }
            let say = say!("the type ", name Quoted(&text), " is not known");
            self.reader.report.add(
                Severity::Error,
                Code::SourceTypeUnknown,
                node.place,
                say,
                hint,
            );
        }
        known
    }

    /// Takes the connector's own settings: the block called like the type, or `generic_config`.
    fn block(
        &mut self,
        fields: &mut Fields<'_>,
        kind: Option<&ConnectorName>,
        is_used: bool,
    ) -> Value {
        let generic = fields.take("generic_config");
        let Some(kind) = kind else { return Value::Null };
        let alias = block_alias(kind.as_str());
        let is_block = |key: &str| key == kind.as_str() || Some(key) == alias;
        let mut blocks: Vec<&Node> = fields
            .rest()
            .filter(|entry| is_block(&entry.key))
            .map(|entry| &entry.value)
            .collect();
        blocks.extend(generic);
        if let Some(second) = blocks.get(1) {
            let say = say!(
                "the settings of the type ",
                name kind,
                " stand in two blocks"
            );
            self.reader
                .report
                .error(second.place, say, say!("keep the block ", name kind));
        }
        let Some(block) = blocks.first() else {
            return Value::Object(serde_json::Map::new());
        };
        match &block.shape {
            Shape::Map(_) => {
                if is_used {
                    self.reader.check_below(block, kind.as_str());
                }
                to_json(block)
            }
            Shape::Null => Value::Object(serde_json::Map::new()),
            other => {
                let say = say!(
                    "",
                    name kind,
                    " must be a map of keys and values, not ",
                    Say::new(other.noun())
                );
                self.reader.report.error(block.place, say, "");
                Value::Null
            }
        }
    }

    /// Reports what is left: settings in the wrong place, blocks of other types, misspelt keys.
    fn finish(&mut self, fields: &Fields<'_>, kind: Option<&ConnectorName>) {
        const KEYS: [&str; 9] = [
            "name",
            "type",
            "enabled",
            "description",
            "tags",
            "lookback_days",
            "shrink_limit_percent",
            "contract",
            "generic_config",
        ];
        for entry in fields.rest() {
            let key = entry.key.as_str();
            let Some(kind) = kind else {
                // The type is wrong already; its block cannot be told from a misspelt key.
                if matches!(entry.value.shape, Shape::Map(_)) {
                    continue;
                }
                let say = say!("unknown key ", name Quoted(key));
                self.reader
                    .report
                    .error(entry.place, say, suggestion(key, KEYS));
                continue;
            };
            if key == kind.as_str() || Some(key) == block_alias(kind.as_str()) {
                continue;
            }
            let is_type = self.types.iter().any(|known| known.as_str() == key);
            let say = if is_type {
                say!("the block ", name Quoted(key), " does not belong to a source of type ", name kind)
            } else {
                say!("unknown key ", name Quoted(key))
            };
            let mut candidates = KEYS.to_vec();
            candidates.push(kind.as_str());
            let hint = match nearest(key, candidates).filter(|_| !is_type) {
                Some(near) => say!("did you mean ", name Quoted(near), "?"),
                None => say!("settings of the connector stand below ", name say!("", *kind, ":")),
            };
            self.reader.report.error(entry.place, say, hint);
        }
    }
}

/// Returns the finding for a source that is unusable without a finding of its own, which does not happen; if it did, leaving
/// the source out unnoticed would be worse than this sentence.
fn unexplained(place: Place, name: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::ConfigInvalid,
        file: FILE,
        place: Some(place),
        source: Some(name.to_owned()),
        say: Say::new("the source cannot be used"),
        hint: Say::default(),
    }
}

//! Secrets of the project's own settings: in the environment, in `.dlt/secrets.toml`, and at last in `project.yml`, which is
//! committed.

use super::sections::Sections;
use crate::REDACTOR;
use crate::config::finding::Severity;
use crate::config::read::Fields;
use crate::config::tree::{Place, Shape};
use crate::config::variables;
use crate::credentials::SECRETS_FILE;
use crate::credentials::secrets_file::SecretsFile;
use crate::environment;
use domain::say::Quoted;
use domain::{Code, say};
use security::Plain;
use std::sync::Arc;

impl Sections<'_> {
    /// Returns the secret `key` of `fields`: of the first of `names` that is set, of `.dlt/secrets.toml` below `path`, or as
    /// it is written.
    pub(super) fn secret(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        names: &[String],
        path: &[&str],
    ) -> Option<Arc<Plain<String>>> {
        let (full, found) = (fields.path(key), fields.take(key));
        self.setting(full.clone(), security::mask::STARS.into(), found);
        let environment = self.reader.environment;
        let mut values = names.iter().filter_map(|name| environment.find(name));
        let given = values.find(|value| !value.expose().is_empty());
        let given = given.map(|value| Plain::new(value.expose().clone()));
        let place = found.map_or(Place::START, |node| node.place);
        let kept = given.or_else(|| self.stored(path, place));
        let written = found.and_then(|node| {
            let is_plain =
                matches!(&node.shape, Shape::Text(text) if !variables::is_template(text));
            if is_plain {
                let say =
                    say!("the secret ", name Quoted(&full), " stands in a file that is committed");
                let hint = say!("move it to .dlt/secrets.toml, below the same keys");
                self.reader.report.add(
                    Severity::Warning,
                    Code::ConfigInvalid,
                    node.place,
                    say,
                    hint,
                );
            }
            self.reader.text(node, &full)
        });
        let written = written.filter(|text| !text.is_empty()).map(Plain::new);
        let secret = kept.or(written)?;
        environment::teach(&REDACTOR, &secret);
        Some(Arc::new(secret))
    }

    fn stored(&mut self, path: &[&str], place: Place) -> Option<Plain<String>> {
        let file = match SecretsFile::load(&self.secrets, SECRETS_FILE) {
            Ok(file) => file,
            Err(error) => {
                self.reader.report.error(place, error.say, error.hint);
                return None;
            }
        };
        let path: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
        let value = file.find(&path)?.value.as_ref().ok()?;
        (!value.expose().is_empty()).then(|| Plain::new(value.expose().clone()))
    }
}

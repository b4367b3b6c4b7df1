//! What to say about a credential that was found nowhere: every place that was searched, in order.

use super::levels::Level;
use super::{CONFIG_FILE, CredentialStore, SECRETS_FILE};
use connect::catalog::Field;
use domain::Say;
use domain::say::Quoted;

/// A required field that was found nowhere.
pub(super) struct Missing<'c> {
    pub(super) field: &'c Field,
    levels: Vec<Level>,
}

impl<'c> Missing<'c> {
    pub(super) const fn new(field: &'c Field, levels: Vec<Level>) -> Self {
        Self { field, levels }
    }

    /// Returns the places that were searched, in order.
    pub(super) fn places(&self, store: &CredentialStore<'_>) -> Say {
        let field = self.field.name.as_str();
        // Those below the pipeline's name are listed by none: dlt has them, and nobody uses them.
        let levels = || {
            self.levels
                .iter()
                .skip(self.levels.len() / 2)
                .filter(|level| level.owner().is_none())
        };
        let mut places = Say::new("environment variables");
        for (index, level) in levels().enumerate() {
            places = places
                .text(if index == 0 { " " } else { ", " })
                .name(&Quoted(&level.variable(field)));
        }
        if self.field.secret {
            places = places.text("; files in ").name(store.files_dir.as_path());
            for (index, level) in levels().enumerate() {
                places = places
                    .text(if index == 0 { " " } else { ", " })
                    .name(&Quoted(&level.file(field)));
            }
        }
        places = places.text("; `").value(&Quoted(SECRETS_FILE)).text("`");
        for (index, level) in levels().enumerate() {
            places = places
                .text(if index == 0 { " " } else { ", " })
                .name(&Quoted(&level.path(field).join(".")));
        }
        if !self.field.secret {
            places = places
                .text("; `")
                .value(&Quoted(CONFIG_FILE))
                .text("`; the source's block of `.dango/sources.yml`");
        }
        if !self.field.aliases.is_empty() {
            places = places.text(" (also as");
            for (index, alias) in self.field.aliases.iter().enumerate() {
                places = places
                    .text(if index == 0 { " " } else { ", " })
                    .name(&Quoted(alias));
            }
            places = places.text(")");
        }
        match &self.field.env {
            Some(variable) => places
                .text("; environment variable ")
                .name(&Quoted(variable)),
            None => places,
        }
    }
}

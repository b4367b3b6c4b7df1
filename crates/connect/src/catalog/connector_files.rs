//! Connector files: one YAML file per REST source.

use super::{Connector, Engine, Field};
use crate::failure::{Failure, FailureKind};
use crate::rest;
use crate::rest::spec::{Api, FieldSpec};
use domain::limits::CONFIG_BYTES_MAX;
use domain::say::Quoted;
use domain::{ConnectorName, say};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that come with the program: each is also in `connectors/` of the repository.
const EMBEDDED: [(&str, &str); 1] = [(
    "connectors/stripe.yml",
    include_str!("../../../../connectors/stripe.yml"),
)];

/// A project with more connector files than this has put something else there.
const FILES_MAX: usize = 500;

/// Returns the types of the files that come with the program.
pub(super) fn embedded() -> impl Iterator<Item = Result<Connector, Failure>> {
    EMBEDDED.iter().map(|(file, text)| connector(file, text))
}

/// Returns the types of the `*.yml` and `*.yaml` files in `folder`, in the order of their names; nothing if it does not exist.
pub(super) fn of_project(folder: &Path) -> Vec<Result<Connector, Failure>> {
    match list(folder) {
        Ok(files) if files.len() > FILES_MAX => vec![Err(too_many(folder, files.len()))],
        Ok(files) => files.iter().map(|file| read(file)).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => vec![Err(unreadable(folder).caused_by(error))],
    }
}

fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yml" || extension == "yaml")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn too_many(folder: &Path, files: usize) -> Failure {
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("folder ", name folder, " has ", files, " connector files; at most ", FILES_MAX, " are read"),
    )
    .hint("move what is no connector file out of this folder")
}

fn read(file: &Path) -> Result<Connector, Failure> {
    let size = fs_err::metadata(file)
        .map_err(|error| unreadable(file).caused_by(error))?
        .len();
    if size > CONFIG_BYTES_MAX {
        return Err(Failure::new(
            FailureKind::ConfigInvalid,
            say!(
                "connector file ",
                name file,
                " is larger than ",
                CONFIG_BYTES_MAX,
                " bytes"
            ),
        ));
    }
    let text = fs_err::read_to_string(file).map_err(|error| unreadable(file).caused_by(error))?;
    connector(&file.to_string_lossy(), &text)
}

fn unreadable(path: &Path) -> Failure {
    Failure::new(FailureKind::ConfigInvalid, say!("cannot read ", name path))
}

/// Returns the type that the connector file `file` describes.
fn connector(file: &str, text: &str) -> Result<Connector, Failure> {
    let api = rest::spec::connector_file(file, text)?;
    let stem = Path::new(file)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let name = api.name.clone().or(stem).unwrap_or_default();
    let kind = ConnectorName::parse(&name).map_err(|error| {
        Failure::new(
            FailureKind::ConfigInvalid,
            say!("", name Quoted(file), ": ", name Quoted(&name), " cannot be a type's name: ", error),
        )
    })?;
    let streams = rest::check_file(file, &api)?;
    let title = api.title.clone().unwrap_or_else(|| name.clone());
    Ok(Connector {
        kind,
        summary: api
            .summary
            .clone()
            .unwrap_or_else(|| format!("{title}, from {file}.")),
        title,
        engine: Engine::Rest,
        fields: fields(&api),
        hosts: api.hosts.clone(),
        streams,
        api: Some(Arc::new(api)),
    })
}

fn fields(api: &Api) -> Vec<Field> {
    let field = |field: &FieldSpec| Field {
        name: field.name.clone(),
        aliases: field.aliases.clone(),
        secret: field.secret,
        required: field.required,
        default: field.default.clone(),
        env: field.env.clone(),
        help: field.help.clone(),
    };
    api.fields.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connector_files_are_found_among_any_number_of_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let write =
            |name: String| fs_err::write(folder.path().join(name), "a: b").expect("written");
        (0..FILES_MAX + 100).for_each(|at| write(format!("note_{at}.txt")));
        write("shop.yml".into());
        assert_eq!(of_project(folder.path()).len(), 1);
        (0..FILES_MAX).for_each(|at| write(format!("shop_{at:03}.yaml")));
        let found = of_project(folder.path());
        let failure = found[0].as_ref().expect_err("too many");
        assert_eq!((found.len(), failure.kind), (1, FailureKind::ConfigInvalid));
        assert!(
            failure
                .say
                .as_str()
                .ends_with("has 501 connector files; at most 500 are read"),
            "{failure}"
        );
    }

    #[test]
    fn the_file_in_the_documentation_works() {
        let guide = include_str!("../../../../docs/CONNECTORS.md");
        let file = guide
            .split("```yaml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next());
        let shop = connector("connectors/shop.yml", file.expect("a YAML block")).expect("valid");
        assert_eq!(
            (shop.kind.as_str(), shop.streams),
            ("shop", vec!["orders".to_owned()])
        );
        assert_eq!(shop.hosts, ["api.shop.example"]);
    }
}

use super::*;
use crate::config::Sources;
use crate::project::tests::bare_project;
use domain::ConnectorName;
use security::{Actor, RequestId, authorize};
use tempfile::TempDir;

fn allow<P: Permission>() -> Allow<P> {
    let actor = Actor::Operator {
        os_user: "ada".into(),
    };
    authorize(&actor, RequestId::new(uuid::Uuid::nil())).expect("the operator may")
}

fn field(name: &str) -> Field {
    Field {
        name: name.to_owned(),
        aliases: Vec::new(),
        secret: false,
        required: false,
        default: None,
        env: None,
        help: String::new(),
    }
}

fn fields() -> Vec<Field> {
    let aliases = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    vec![
        Field {
            secret: true,
            required: true,
            aliases: aliases(&["stripe_secret_key"]),
            env: Some("STRIPE_API_KEY".into()),
            ..field("api_key")
        },
        Field {
            secret: true,
            aliases: aliases(&["url"]),
            env: Some("PG_CREDENTIALS".into()),
            ..field("credentials")
        },
        Field {
            secret: true,
            ..field("password")
        },
        Field {
            aliases: aliases(&["hostname"]),
            ..field("host")
        },
        Field {
            default: Some("5432".into()),
            ..field("port")
        },
    ]
}

/// A project with a source `shop` of type `stripe`.
struct World {
    _folder: TempDir,
    project: Project,
    files: TempDir,
    variables: Vec<(String, String)>,
}

impl World {
    fn new(block: &str) -> Self {
        let (folder, project) = bare_project();
        let text = format!("sources:\n- name: shop\n  type: stripe\n  stripe:\n    x: 1\n{block}");
        fs_err::write(project.sources_file(), text).expect("written");
        let files = tempfile::tempdir().expect("a folder");
        Self {
            _folder: folder,
            project,
            files,
            variables: Vec::new(),
        }
    }

    /// Adds a place: `NAME=value` is a variable, `/name=value` a secret file, `config: …` a text for config.toml, anything else
    /// one for secrets.toml.
    fn put(&mut self, place: &str) {
        if let Some(text) = place.strip_prefix("config: ") {
            fs_err::write(self.project.dlt_config_file(), text).expect("written");
        } else if let Some((name, value)) = place
            .strip_prefix('/')
            .and_then(|file| file.split_once('='))
        {
            fs_err::write(self.files.path().join(name), value).expect("written");
        } else if place.starts_with(|c: char| c.is_ascii_uppercase()) {
            let (name, value) = place.split_once('=').expect("a variable");
            self.variables.push((name.into(), value.into()));
        } else {
            fs_err::write(self.project.secrets_file(), place).expect("written");
        }
    }

    fn resolve(&self, redactor: &Redactor) -> Result<Resolved> {
        let environment = Environment::from_pairs(self.variables.clone());
        let types = [ConnectorName::parse("stripe").expect("a type")];
        let sources =
            Sources::load(&allow(), &self.project, &environment, &types).expect("sources");
        let store = CredentialStore::open(&self.project, &environment, self.files.path())?;
        store.resolve(
            &allow::<SourceSync>(),
            sources.get("shop")?,
            &fields(),
            redactor,
        )
    }
}

/// Checks which value `wanted` gets when all `places` have something; `-` is none.
fn check(places: &[&str], wanted: &str, expect: &str) {
    check_with("", places, wanted, expect);
}

fn check_with(block: &str, places: &[&str], wanted: &str, expect: &str) {
    let mut world = World::new(block);
    if wanted != "api_key" {
        world.put("STRIPE_API_KEY=needed");
    }
    for place in places {
        world.put(place);
    }
    let resolved = world
        .resolve(&Redactor::new())
        .map_err(|error| error.to_string());
    let found = resolved
        .as_ref()
        .map(|resolved| resolved.credentials.get(wanted).unwrap_or("-"));
    assert_eq!(found.map_err(Clone::clone), Ok(expect), "{places:?}");
}

const TOML: &str = "api_key = 't0'\n[sources]\napi_key = 't1'\n[sources.stripe]\napi_key = 't2'\n[sources.shop]\napi_key = 't3'\n";

#[test]
fn in_the_environment_the_longest_name_wins() {
    let check = |places: &[&str]| check(places, "api_key", "v");
    check(&["API_KEY=v"]);
    check(&["API_KEY=a", "SOURCES__API_KEY=v"]);
    check(&["SOURCES__API_KEY=a", "SOURCES__STRIPE__API_KEY=v"]);
    check(&[
        "SOURCES__STRIPE__API_KEY=a",
        "SOURCES__STRIPE__CREDENTIALS__API_KEY=v",
    ]);
    check(&[
        "SOURCES__STRIPE__CREDENTIALS__API_KEY=a",
        "SOURCES__STRIPE__SHOP__API_KEY=v",
    ]);
    check(&[
        "SOURCES__STRIPE__SHOP__API_KEY=a",
        "SOURCES__SHOP__API_KEY=v",
    ]);
    check(&[
        "SOURCES__SHOP__API_KEY=a",
        "SOURCES__SHOP__CREDENTIALS__API_KEY=v",
    ]);
    check(&["SOURCES__SHOP__API_KEY=a", "SHOP__API_KEY=v"]);
    check(&["SHOP__API_KEY=a", "SHOP__SOURCES__API_KEY=v"]);
    check(&[
        "SHOP__SOURCES__API_KEY=a",
        "SHOP__SOURCES__STRIPE__API_KEY=v",
    ]);
    check(&[
        "SHOP__SOURCES__STRIPE__API_KEY=a",
        "SHOP__SOURCES__SHOP__API_KEY=v",
    ]);
    // Empty variables are no variables.
    check(&["SOURCES__SHOP__API_KEY=", "API_KEY=v"]);
    // Aliases.
    check(&[
        "SOURCES__SHOP__STRIPE_SECRET_KEY=v",
        "SOURCES__STRIPE__API_KEY=a",
    ]);
    check(&[
        "SOURCES__SHOP__STRIPE_SECRET_KEY=a",
        "SOURCES__SHOP__API_KEY=v",
    ]);
    // JSON for all fields at once.
    check(&[
        "SOURCES__SHOP__CREDENTIALS={\"api_key\":\"v\",\"port\":1}",
        "API_KEY=a",
    ]);
    check(&["SOURCES__STRIPE__CREDENTIALS={\"stripe_secret_key\":\"v\"}"]);
}

#[test]
fn the_environment_comes_before_files_and_files_before_secrets_toml() {
    let check = |places: &[&str]| check(places, "api_key", "v");
    check(&["API_KEY=v", "/sources--shop--api-key=a", TOML]);
    check(&["/api-key=v", TOML]);
    check(&["/api-key=a", "/sources--stripe--api-key=v", TOML]);
    check(&["/sources--stripe--api-key=a", "/sources--shop--api-key=v"]);
    check(&["/sources--shop--stripe-secret-key=v"]);
    check(&["/sources--shop--api-key=v\n"]);
    check(&["/sources--shop--api-key=v\r\n"]);
    check(&["/sources--shop--credentials={\"api_key\":\"v\"}"]);
    check(&["/sources--shop--api_key=a", "/api-key=v"]);
    check(&[
        "/sources--shop--api-key=",
        "[sources.shop]\napi_key = 'v'\n",
    ]);
}

#[test]
fn in_secrets_toml_the_source_comes_before_its_type() {
    check(&[TOML], "api_key", "t3");
    check(&[&TOML.replace("t3", "")], "api_key", "t2");
    check(
        &[&TOML.replace("sources.shop", "sources.other")],
        "api_key",
        "t2",
    );
    let check = |text: &str| check(&[text], "api_key", "v");
    check("[sources]\napi_key = 'v'\n");
    check("api_key = 'v'\n");
    check("[shop.sources.stripe]\napi_key = 'v'\n[sources.shop]\napi_key = 'a'\n");
    check("[sources.shop]\napi_key = 'a'\n[sources.shop.credentials]\napi_key = 'v'\n");
    check("[sources.stripe.credentials]\napi_key = 'v'\n[sources.stripe]\napi_key = 'a'\n");
    check("[sources.stripe.shop]\napi_key = 'v'\n[sources.stripe]\napi_key = 'a'\n");
    check("[sources.shop]\nstripe_secret_key = 'v'\n[sources.stripe]\napi_key = 'a'\n");
    check("[sources.shop]\ncredentials = '{\"api_key\": \"v\"}'\n");
    check("[sources.shop]\ncredentials = { api_key = 'v' }\n");
    check("sources.shop.api_key = 'v'\n");
}

#[test]
fn the_connectors_own_variable_comes_late_and_a_named_one_first() {
    check(&["STRIPE_API_KEY=v"], "api_key", "v");
    check(
        &["STRIPE_API_KEY=a", "[sources.stripe]\napi_key = 'v'\n"],
        "api_key",
        "v",
    );
    check(
        &["STRIPE_API_KEY=v", "[sources.shop]\napi_key = ''\n"],
        "api_key",
        "v",
    );
    let named = "    stripe_secret_key_env: MY_KEY\n";
    check_with(
        named,
        &["MY_KEY=v", "SOURCES__SHOP__API_KEY=a"],
        "api_key",
        "v",
    );
    check_with(named, &["SOURCES__SHOP__API_KEY=v"], "api_key", "v");
}

#[test]
fn what_is_no_secret_has_places_of_its_own() {
    let config = "config: [sources.shop]\nhost = 'c'\npassword = 'never'\n";
    check(&["[sources.shop]\nhost = 't'\n", config], "host", "t");
    check(&[config], "host", "c");
    check(&[config], "password", "-");
    check_with("    host: b\n", &[config], "host", "c");
    check_with("    hostname: b\n", &[], "host", "b");
    check_with("    host: x${MY_HOST}\n", &["MY_HOST=y"], "host", "xy");
    // The machine's own variables say nothing about a source.
    check(&["HOST=machine", "PORT=8080"], "host", "-");
    check(&["HOST=machine", "PORT=8080"], "port", "5432");
    check(&["SHOP__HOST=v"], "host", "v");
    check(&["SOURCES__PORT=1"], "port", "1");
    check_with("    port: 6\n", &[], "port", "6");
    check(&["/sources--shop--host=never"], "host", "-");
    check(&["[sources.shop]\nport = 7\n"], "port", "7");
    // Whether somebody means it or not, a password may be empty.
    check(
        &["[sources.shop]\npassword = ''\n[sources]\npassword = 'a'\n"],
        "password",
        "-",
    );
}

#[test]
fn the_better_place_decides_between_a_url_and_single_fields() {
    let table = "[sources.shop.credentials]\nhost = 'h'\npassword = 'p'\n";
    let both = "[sources.shop]\ncredentials = 'pg://u:p@h/d'\n[sources.stripe]\nhost = 'a'\n";
    check(&["PG_CREDENTIALS=pg://x/y", table], "credentials", "-");
    check(&["PG_CREDENTIALS=pg://x/y"], "credentials", "pg://x/y");
    check(&[both], "credentials", "pg://u:p@h/d");
    check(
        &["SOURCES__SHOP__CREDENTIALS=pg://x/y", table],
        "credentials",
        "pg://x/y",
    );
    check(&["SOURCES__SHOP__URL=pg://x/y"], "credentials", "pg://x/y");
    check(
        &["SOURCES__SHOP__CREDENTIALS={\"host\":\"j\"}"],
        "credentials",
        "-",
    );
    check(
        &["SOURCES__SHOP__CREDENTIALS={\"host\":\"j\"}"],
        "host",
        "j",
    );
}

#[test]
fn variables_in_secrets_toml_are_filled_in() {
    check(
        &["MY_KEY=v", "[sources.shop]\napi_key = '${MY_KEY}'\n"],
        "api_key",
        "v",
    );
    check(
        &["[sources.shop]\napi_key = 'x${MY_KEY:-y}z'\n"],
        "api_key",
        "xyz",
    );
    check(
        &["[sources.shop]\napi_key = 'a$${b}'\n"],
        "api_key",
        "a${b}",
    );
    // A source that is not asked for may lack its variable.
    check(
        &["[sources.shop]\napi_key = 'v'\n[sources.other]\napi_key = '${NOPE}'\n"],
        "api_key",
        "v",
    );
}

fn failure(places: &[&str]) -> Error {
    let mut world = World::new("");
    for place in places {
        world.put(place);
    }
    let Err(error) = world.resolve(&Redactor::new()) else {
        panic!("{places:?} resolve")
    };
    error
}

#[test]
fn what_is_missing_is_named_with_every_place_in_order() {
    let error = failure(&[]);
    assert_eq!(error.code, Code::CredentialMissing);
    assert_eq!(
        error.say.as_str(),
        "source `shop` needs `api_key`, found nowhere"
    );
    let hint = error.hint.as_str();
    let mut rest = hint;
    for part in [
        "`SOURCES__SHOP__API_KEY`",
        "`SOURCES__STRIPE__API_KEY`",
        "`API_KEY`",
        "`sources--shop--api-key`",
        "`.dlt/secrets.toml`",
        "`sources.shop.api_key`",
        "`stripe_secret_key`",
        "`STRIPE_API_KEY`",
        "`dango secrets set sources.shop.api_key`",
    ] {
        let at = rest.find(part);
        rest = at
            .and_then(|at| rest.get(at + part.len()..))
            .unwrap_or_else(|| panic!("{part} is not in order in {hint}"));
    }
}

#[test]
fn a_mistake_in_secrets_toml_names_its_place_and_shows_nothing() {
    for (text, code, part) in [
        (
            "[sources.shop]\napi_key = '${NOPE}'\n",
            Code::VariableMissing,
            "line 2: `sources.shop.api_key` needs the variable `NOPE`",
        ),
        (
            "[sources.shop]\napi_key = 'hunter2${'\n",
            Code::ConfigInvalid,
            "without its `}`",
        ),
        (
            "[sources.shop]\napi_key = ['hunter2']\n",
            Code::ConfigInvalid,
            "line 2: `sources.shop.api_key` must be text, not a list",
        ),
        (
            "[sources.shop]\napi_key = 'enc:v1:hunter2'\n",
            Code::ConfigInvalid,
            "sealed",
        ),
        (
            "[sources.shop]\napi_key = 'hunter2\n",
            Code::ConfigUnreadable,
            "line 2, column 19",
        ),
    ] {
        let error = failure(&[text]);
        assert_eq!(error.code, code, "{text}");
        assert!(error.say.as_str().contains(part), "{error}");
        let all = format!("{}{}{}", error, error.hint, error.chain());
        assert!(!all.contains("hunter2"), "{all}");
    }
}

#[test]
fn every_secret_that_is_found_is_learned() {
    let mut world = World::new("");
    world.put("SOURCES__SHOP__API_KEY=sk_live_canary1");
    world.put("[sources.shop]\ncredentials = 'pg://u:can%40ary2@h/d'\nhost = 'localhost-not-secret'\npassword = 'x-${MY_TOKEN}'\n");
    world.put("MY_TOKEN=canary3");
    let redactor = Redactor::new();
    world
        .resolve(&redactor)
        .map_err(|error| error.to_string())
        .expect("found");
    let clean = redactor
        .redact("sk_live_canary1 can%40ary2 can@ary2 x-canary3 canary3 localhost-not-secret");
    for canary in ["canary1", "can%40ary2", "can@ary2", "canary3"] {
        assert!(!clean.contains(canary), "{canary}: {clean}");
    }
    assert!(
        clean.contains("sk_live_***************") && clean.contains("localhost-not-secret"),
        "{clean}"
    );
}

#[test]
fn origins_say_where_a_value_was_found() {
    let mut world = World::new("    host: h\n");
    world.put("[sources.shop]\napi_key = 'v'\n");
    world.put("SHOP__PASSWORD=p-123456");
    let resolved = world
        .resolve(&Redactor::new())
        .map_err(|error| error.to_string())
        .expect("found");
    let said = |field: &str| {
        resolved
            .origins
            .get(field)
            .map(|origin| origin.say().to_string())
    };
    assert_eq!(
        said("api_key").as_deref(),
        Some("`.dlt/secrets.toml` line 2 (`sources.shop.api_key`)")
    );
    assert_eq!(
        said("password").as_deref(),
        Some("environment variable `SHOP__PASSWORD`")
    );
    assert_eq!(
        said("host").as_deref(),
        Some("`.dango/sources.yml`, the source in line 2")
    );
    assert_eq!(said("port").as_deref(), Some("default"));
    assert!(resolved.warnings.is_empty());
}

#[test]
fn a_secret_in_a_committed_file_works_and_is_warned_about() {
    let mut world = World::new("    password: hunter2\n");
    world.put("API_KEY=needed");
    let resolved = world
        .resolve(&Redactor::new())
        .map_err(|error| error.to_string())
        .expect("found");
    assert_eq!(resolved.credentials.get("password"), Some("hunter2"));
    let [warning] = resolved.warnings.as_slice() else {
        panic!("{:?}", resolved.warnings)
    };
    assert!(
        warning
            .as_str()
            .ends_with("`dango secrets set sources.shop.password`"),
        "{warning}"
    );
    assert!(!warning.as_str().contains("hunter2"));
    let mut world = World::new("    password: ${MY_PASSWORD}\n");
    world.put("API_KEY=needed");
    world.put("MY_PASSWORD=hunter2");
    let resolved = world
        .resolve(&Redactor::new())
        .map_err(|error| error.to_string())
        .expect("found");
    assert!(resolved.warnings.is_empty(), "{:?}", resolved.warnings);
}

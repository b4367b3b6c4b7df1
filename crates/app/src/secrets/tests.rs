use super::*;
use crate::project::tests::bare_project;
use fs_err as fs;
use proptest::prelude::*;
use security::{Actor, Permission, RequestId, authorize};
use std::os::unix::fs::PermissionsExt as _;

fn allow<P: Permission>() -> Allow<P> {
    let actor = Actor::Operator {
        os_user: "ada".into(),
    };
    authorize(&actor, RequestId::new(uuid::Uuid::nil())).expect("the operator may")
}

fn name(text: &str) -> SecretName {
    SecretName::parse(text).expect("a name")
}

/// Checks what becomes of `text` when `name` is set to `secret`.
fn check_set(text: &str, key: &str, secret: &str, expect: &str) {
    let file = SecretsFile::parse(text, SECRETS_FILE).expect("TOML");
    let edited = edit::set(text, &file, &name(key), secret).map(|(edited, _)| edited);
    assert_eq!(
        edited.map_err(|error| error.to_string()).as_deref(),
        Ok(expect),
        "{text}"
    );
}

fn check_unset(text: &str, key: &str, expect: &str) {
    let file = SecretsFile::parse(text, SECRETS_FILE).expect("TOML");
    let edited = edit::unset(text, &file, &name(key)).map(|(edited, ())| edited);
    assert_eq!(
        edited.map_err(|error| error.to_string()).as_deref(),
        Ok(expect),
        "{text}"
    );
}

const TEXT: &str = "\
# top

# the shop
[sources.shop]
# the key
api_key = \"old\"   # rotate in May
other = 'x'

[sources.books] # books
host = \"h\"
# last
";

#[test]
fn a_value_is_replaced_and_every_other_byte_stays() {
    check_set(
        TEXT,
        "shop.api_key",
        "new",
        &TEXT.replace("\"old\"", "\"new\""),
    );
    check_set(
        TEXT,
        "sources.books.host",
        "a\"b",
        &TEXT.replace("\"h\"", "'a\"b'"),
    );
    check_set(
        "sources = { a = { k = 1, l = 2 } } # x\n",
        "a.k",
        "v",
        "sources = { a = { k = \"v\", l = 2 } } # x\n",
    );
    check_set(
        "[sources]\na.k = 'x'\r\n",
        "a.k",
        "v",
        "[sources]\na.k = \"v\"\r\n",
    );
    check_set(
        "sources.a.k = '''x\ny'''\n",
        "a.k",
        "v",
        "sources.a.k = \"v\"\n",
    );
}

#[test]
fn a_new_name_goes_into_its_table_or_a_new_one() {
    check_set("", "shop.api_key", "v", "[sources.shop]\napi_key = \"v\"\n");
    check_set(
        "# top\n",
        "shop.api_key",
        "v",
        "# top\n\n[sources.shop]\napi_key = \"v\"\n",
    );
    check_set(
        "# top",
        "shop.api_key",
        "v",
        "# top\n\n[sources.shop]\napi_key = \"v\"\n",
    );
    check_set(
        "[sources.shop] # x\n\n[b]\n",
        "shop.k",
        "v",
        "[sources.shop] # x\nk = \"v\"\n\n[b]\n",
    );
    let in_shop = TEXT.replace("other = 'x'\n", "other = 'x'\npassword = \"v\"\n");
    check_set(TEXT, "shop.password", "v", &in_shop);
    check_set(
        "[sources.a]\nk = 1\n",
        "b.k",
        "v",
        "[sources.a]\nk = 1\n\n[sources.b]\nk = \"v\"\n",
    );
    check_set(
        "sources = { a = { k = 1 } }\n",
        "a.l",
        "v",
        "sources = { a = { k = 1 , l = \"v\" } }\n",
    );
    check_set(
        "[sources.a]\nk = 1\n",
        "a.credentials.k",
        "v",
        "[sources.a]\nk = 1\n\n[sources.a.credentials]\nk = \"v\"\n",
    );
}

#[test]
fn a_removed_value_takes_its_line_along_and_nothing_else() {
    check_unset(
        TEXT,
        "shop.api_key",
        &TEXT.replace("api_key = \"old\"   # rotate in May\n", ""),
    );
    check_unset(TEXT, "books.host", &TEXT.replace("host = \"h\"\n", ""));
    check_unset("sources.a.k = '''x\ny'''\nz = 1\n", "a.k", "z = 1\n");
    check_unset("sources.a.k = 1", "a.k", "");
    check_unset(
        "sources = { a = { k = 1, l = 2 } } # x\n",
        "a.k",
        "sources = { a = { l = 2 } } # x\n",
    );
}

#[test]
fn what_is_in_the_way_is_named() {
    for (text, key, part) in [
        (
            "[sources.a]\ncredentials = 'x'\n",
            "a.credentials.k",
            "`sources.a.credentials`",
        ),
        (
            "[sources.a.credentials]\nk = 1\n",
            "a.credentials",
            "is a table",
        ),
        ("sources = 5\n", "a.k", "`sources` in"),
    ] {
        let file = SecretsFile::parse(text, SECRETS_FILE).expect("TOML");
        let error = edit::set(text, &file, &name(key), "v").expect_err(text);
        assert!(error.say.as_str().contains(part), "{error}");
    }
    let file = SecretsFile::parse(TEXT, SECRETS_FILE).expect("TOML");
    let error = edit::unset(TEXT, &file, &name("shop.api_kei")).expect_err("missing");
    assert_eq!(
        (error.code, error.hint.as_str()),
        (Code::SecretNotFound, "did you mean `sources.shop.api_key`?")
    );
}

#[test]
fn names_are_a_source_and_a_field() {
    for (text, expect) in [
        ("stripe.api_key", "sources.stripe.api_key"),
        ("sources.stripe.api_key", "sources.stripe.api_key"),
        (
            "Shop.credentials.client_id",
            "sources.shop.credentials.client_id",
        ),
    ] {
        assert_eq!(name(text).to_string(), expect);
    }
    for text in [
        "",
        "api_key",
        "sources.api_key",
        "a..b",
        "a.b c",
        "a.b\n",
        "../x.y",
        "a.\"b\"",
    ] {
        assert_eq!(
            SecretName::parse(text).expect_err(text).code,
            Code::UsageInvalid,
            "{text}"
        );
    }
}

#[test]
fn a_secret_is_stored_privately_learned_and_listed_masked() {
    let (_folder, project) = bare_project();
    let redactor = Redactor::new();
    let secret = Plain::new("sk_live_canary\n".to_owned());
    assert!(
        set(
            &allow(),
            &project,
            &name("shop.api_key"),
            &secret,
            &redactor
        )
        .expect("stored")
    );
    assert!(
        !set(
            &allow(),
            &project,
            &name("shop.api_key"),
            &secret,
            &redactor
        )
        .expect("stored")
    );
    let reference = Plain::new("${SHOP_PASSWORD}".to_owned());
    set(
        &allow(),
        &project,
        &name("shop.password"),
        &reference,
        &redactor,
    )
    .expect("stored");
    let mode = fs::metadata(project.secrets_file())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(project.secrets_file()).expect("read");
    assert_eq!(
        text,
        "[sources.shop]\napi_key = \"sk_live_canary\"\npassword = \"${SHOP_PASSWORD}\"\n"
    );
    assert!(!redactor.redact("sk_live_canary").contains("canary"));

    let files = tempfile::tempdir().expect("a folder");
    fs::write(files.path().join("sources--shop--token"), "canary").expect("written");
    let environment =
        Environment::from_pairs([("SOURCES__SHOP__API_KEY", "canary"), ("HOME", "/root")]);
    let listed = list(&allow(), &project, &environment, files.path()).expect("listed");
    let lines: Vec<_> = listed
        .iter()
        .map(|secret| format!("{}={}", secret.name, secret.shown))
        .collect();
    assert_eq!(
        lines,
        [
            "sources.shop.api_key=sk_live_***************",
            "sources.shop.password=${SHOP_PASSWORD}",
            "SOURCES__SHOP__API_KEY=***************",
            "sources--shop--token=***************",
        ]
    );
    unset(&allow(), &project, &name("shop.api_key")).expect("removed");
    assert!(
        !fs::read_to_string(project.secrets_file())
            .expect("read")
            .contains("canary")
    );
}

#[test]
fn an_empty_secret_is_refused() {
    let (_folder, project) = bare_project();
    for secret in ["", "\n", "\r\n", "a\0b"] {
        let secret = Plain::new(secret.to_owned());
        let error =
            set(&allow(), &project, &name("a.k"), &secret, &Redactor::new()).expect_err("refused");
        assert_eq!(error.code, Code::UsageInvalid);
    }
    assert!(!project.secrets_file().exists());
}

proptest! {
    #![proptest_config(crate::seeded::cases())]

    #[test]
    fn whatever_is_stored_is_found_again(secret in "\\PC{1,40}|(.|\\n|\\$|\\{){1,20}", existing in any::<bool>()) {
        prop_assume!(!secret.contains('\0') && !secret.ends_with('\n'));
        let written = writable(&secret).expect("storable");
        let text = if existing { TEXT } else { "" };
        let file = SecretsFile::parse(text, SECRETS_FILE).expect("TOML");
        let (edited, _) = edit::set(text, &file, &name("shop.api_key"), &written)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let file = SecretsFile::parse(&edited, SECRETS_FILE).expect("TOML");
        let leaf = file.find(name("shop.api_key").path()).expect("there");
        let value = leaf.value.as_ref().expect("text");
        let environment = Environment::from_pairs([("A", "b")]);
        if !variables::is_reference(&secret) {
            let full = variables::expand(value.expose(), &environment, |_, _| {}).expect("literal");
            prop_assert_eq!(full.expose(), &secret);
        }
    }
}

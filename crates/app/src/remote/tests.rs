use super::*;
use domain::Code;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

fn address(text: &str) -> ServerAddress {
    ServerAddress::parse(text).expect("an address")
}

fn home() -> (TempDir, Environment) {
    let home = tempfile::tempdir().expect("a folder");
    let environment = Environment::from_pairs([("HOME", home.path())]);
    (home, environment)
}

fn login(server: &str) -> Login {
    Login {
        server: address(server),
        token: Plain::new(format!("dap_{}", "x".repeat(43))),
        email: Some("ada@example.com".into()),
        scopes: None,
        expires_at: None,
        is_own: true,
    }
}

#[test]
fn an_address_is_read_as_people_write_it() {
    let check = |text: &str, expect: Option<&str>| {
        let read = ServerAddress::parse(text);
        let read = read.as_ref().map(ServerAddress::as_str).ok();
        assert_eq!(read, expect, "{text}");
    };
    check(
        "https://dango.example.com",
        Some("https://dango.example.com"),
    );
    check(
        " https://Dango.Example.com:443/ ",
        Some("https://dango.example.com"),
    );
    check(
        "https://dango.example.com/api/",
        Some("https://dango.example.com"),
    );
    check("dango.example.com", Some("https://dango.example.com"));
    check(
        "dango.example.com:8443",
        Some("https://dango.example.com:8443"),
    );
    check("localhost:8800", Some("http://localhost:8800"));
    check("127.0.0.1:7333", Some("http://127.0.0.1:7333"));
    check("http://[::1]:7333", Some("http://[::1]:7333"));
    check("http://dango.example.com", None);
    check("http://192.168.0.7:8800", None);
    check("ftp://dango.example.com", None);
    check("https://ada:secret@dango.example.com", None);
    check("https://dango.example.com/other", None);
    check("https://dango.example.com/?a=b", None);
    check("https://", None);
    check("", None);
}

#[test]
fn the_password_in_an_address_is_not_repeated() {
    let error = ServerAddress::parse("https://ada:hunter2@dango.example.com").expect_err("refused");
    assert!(!format!("{} {}", error.say, error.hint).contains("hunter2"));
}

#[test]
fn a_login_is_kept_for_its_owner_alone() {
    let (home, environment) = home();
    let kept = Kept::of(&environment).expect("a folder");
    assert!(kept.list().expect("none").is_empty());
    let path = kept
        .keep(&login("https://dango.example.com"))
        .expect("kept");
    kept.keep(&login("http://[::1]:7333")).expect("kept");
    assert!(path.starts_with(home.path().join(".config/dango/servers")));
    let mode = |path: &std::path::Path| {
        let metadata = fs_err::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(
        (mode(&path), mode(path.parent().expect("a folder"))),
        (0o600, 0o700)
    );
    let found = kept
        .find(&address("https://dango.example.com"))
        .expect("read");
    let found = found.expect("it is kept");
    assert_eq!(found.token.expose(), login("localhost").token.expose());
    assert_eq!(found.email.as_deref(), Some("ada@example.com"));
    assert_eq!(kept.list().expect("two").len(), 2);

    // A file that others may read, or that was put in another's place, is not used.
    let mut open = fs_err::metadata(&path).expect("it is there").permissions();
    open.set_mode(0o644);
    fs_err::set_permissions(&path, open).expect("changed");
    let error = kept.find(&address("https://dango.example.com")).err();
    assert_eq!(error.map(|error| error.code), Some(Code::FileAccess));
    kept.keep(&login("https://dango.example.com"))
        .expect("kept again");
    assert_eq!(mode(&path), 0o600);
    let other = address("https://evil.example.com");
    fs_err::rename(&path, kept.path(&other)).expect("renamed");
    let error = kept.find(&other).err().expect("not its own");
    assert_eq!(error.code, Code::ConfigUnreadable);
    assert!(kept.forget(&other).expect("gone") && !kept.forget(&other).expect("gone"));
}

#[test]
fn the_server_is_the_named_one_that_of_the_environment_or_the_only_one() {
    let (home, alone) = home();
    let kept = Kept::of(&alone).expect("a folder");
    let code = |chosen: Result<ServerAddress>| chosen.err().map(|error| error.code);
    assert_eq!(code(choose(&alone, &kept, None)), Some(Code::ServerUnknown));
    kept.keep(&login("https://one.example.com")).expect("kept");
    let only = choose(&alone, &kept, Some("")).expect("the only one");
    assert_eq!(only.as_str(), "https://one.example.com");
    kept.keep(&login("https://two.example.com")).expect("kept");
    assert_eq!(code(choose(&alone, &kept, None)), Some(Code::ServerUnknown));
    let pairs = [
        ("HOME", home.path().to_str().expect("UTF-8")),
        ("DAP_ENGINE_URL", "https://two.example.com"),
        ("DAP_AUTH_TOKEN", "dap_from_the_environment"),
    ];
    let environment = Environment::from_pairs(pairs);
    let chosen = choose(&environment, &kept, None).expect("named");
    assert_eq!(chosen.as_str(), "https://two.example.com");
    let named = choose(&environment, &kept, Some("one.example.com")).expect("named");
    assert_eq!(named.as_str(), "https://one.example.com");
    // Its token goes to the server that the environment names, and to no other.
    let token = |address| given_token(&environment, address).expect("read").is_some();
    assert!(token(&chosen) && !token(&named));
}

#[test]
fn a_servers_words_are_cut_and_without_tricks() {
    let long = format!("\u{1b}[31m{}", "x".repeat(10_000));
    let answer = Answered {
        status: 403,
        body: serde_json::json!({"code": "permission_denied", "message": long})
            .to_string()
            .into_bytes(),
        retry_after: None,
    };
    let error = refused(&address("https://dango.example.com"), &answer);
    assert_eq!(
        (error.kind, error.code),
        (Kind::Denied, Code::PermissionDenied)
    );
    assert!(error.say.as_str().len() < 500 && !error.say.as_str().contains('\u{1b}'));
    let other = Answered {
        status: 502,
        body: b"<html>".to_vec(),
        retry_after: None,
    };
    let error = refused(&address("https://dango.example.com"), &other);
    assert_eq!(
        (error.kind, error.code),
        (Kind::Unavailable, Code::ServerUnreachable)
    );
}

use super::*;
use crate::project::tests::bare_project;
use domain::{Clock, Timestamp};
use fs_err as fs;
use security::Plain;
use std::os::unix::fs::PermissionsExt as _;
use tracing::{debug, error, info, info_span, warn};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000)
    }
}

/// Returns the lines that `act` logs in an environment. What the redactor learns, it knows in every test.
fn logged(variables: &[(&str, &str)], act: impl FnOnce()) -> Vec<serde_json::Value> {
    let (_folder, project) = bare_project();
    let environment = Environment::from_pairs(variables.iter().copied());
    let outlet = Arc::new(Outlet::waiting());
    let layer = EventLayer::new(Arc::clone(&outlet), &REDACTOR, Arc::new(Noon));
    let filter = directives(&environment).expect("directives");
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
    tracing::subscriber::with_default(subscriber, || {
        act();
        outlet.attach(Journal::open(&project.log_file()).expect("opened"));
        info!("last");
    });
    let mode = fs::metadata(project.log_file())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(project.log_file()).expect("read");
    let mut lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    lines.retain(|line| line["message"] != "last");
    lines
}

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("inner says {0}")]
struct Inner(String);

#[test]
fn learned_secrets_are_masked_wherever_they_stand() {
    let secret = "ca\"na\\ry\n1/2?";
    let lines = logged(&[], || {
        crate::environment::teach(&REDACTOR, &Plain::new(secret.to_owned()));
        REDACTOR.learn(&Plain::new("sk_live_canary".into()));
        let span = info_span!("sync", source.name = "shop", key = secret);
        let _inside = span.enter();
        info!("message with sk_live_canary inside");
        info!(field = secret, "text field");
        info!(field = ?secret, "debug field");
        info!(field = ?Inner("sk_live_canary".into()), "debug struct");
        info!(field = %"x=sk_live_canary&y", "display field");
        let failure = Outer(Inner("sk_live_canary".into()));
        error!(error = &failure as &dyn std::error::Error, "failed");
        info!("{}", secret);
    });
    assert_eq!(lines.len(), 7);
    for line in &lines {
        let text = line.to_string();
        for canary in ["canary", "na\\\\ry", "na\\ry", "ca\\\"na"] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        assert!(text.contains("***************"), "{text}");
        assert_eq!(line["source.name"], "shop");
    }
    assert_eq!(
        lines[5]["error"],
        "outer: inner says sk_live_***************"
    );
}

#[test]
fn a_line_has_time_level_target_and_typed_fields() {
    let lines = logged(&[], || {
        info!(rows = 5_u64, done = true, ratio = 0.5, "synced");
    });
    let expect = serde_json::json!({"timestamp": "2023-11-14T22:13:20.000000Z", "level": "info",
        "target": "app::logging::tests", "message": "synced", "rows": 5, "done": true, "ratio": 0.5});
    assert_eq!(lines, [expect]);
}

#[test]
fn fields_of_spans_are_kept_and_the_inner_one_wins() {
    let lines = logged(&[], || {
        let outer = info_span!("outer", a = 1, b = 1);
        let _outer = outer.enter();
        let inner = info_span!("inner", b = 2, c = tracing::field::Empty);
        let _inner = inner.enter();
        inner.record("c", "late");
        info!(d = 4, "x");
    });
    assert_eq!((&lines[0]["a"], &lines[0]["b"]), (&1.into(), &2.into()));
    assert_eq!(
        (&lines[0]["c"], &lines[0]["d"]),
        (&"late".into(), &4.into())
    );
}

#[test]
fn the_level_comes_from_the_environment() {
    let check = |variables: &[(&str, &str)], expect: usize| {
        let lines = logged(variables, || {
            debug!("d");
            info!("i");
            warn!("w");
            info!(target: "sqlx::query", "of a library");
        });
        assert_eq!(lines.len(), expect, "{variables:?}");
    };
    check(&[], 2);
    check(&[("DANGO_LOG", "debug")], 3);
    check(&[("DANGO_LOG", "DEBUG")], 3);
    check(&[("DANGO_LOG_LEVEL", "WARNING")], 1);
    check(&[("DANGO_LOG_LEVEL", "debug"), ("DANGO_LOG", "error")], 0);
    check(&[("DANGO_DEBUG", "1")], 3);
    check(&[("DANGO_DEBUG", "0")], 2);
    check(&[("DANGO_LOG", "off")], 0);
    check(&[("DANGO_LOG", "warn,sqlx=info")], 2);
    check(&[("DAP_LOG_LEVEL", "DEBUG")], 3);
    check(
        &[("DAP_LOG_LEVEL", "info"), ("DANGO_LOG_LEVEL", "error")],
        0,
    );
    let wrong = |variables: &[(&str, &str)]| {
        let environment = Environment::from_pairs(variables.iter().copied());
        let error = directives(&environment).expect_err("no level");
        assert!(error.hint.as_str().contains("`trace`"), "{error}");
        error.say.to_string()
    };
    assert_eq!(
        wrong(&[("DANGO_LOG", "app=loud")]),
        "`DANGO_LOG` is `app=loud`, which is neither a level nor directives such as `warn,app::sync=trace`"
    );
    assert!(wrong(&[("DANGO_LOG", "loud")]).starts_with("`DANGO_LOG` is `loud`"));
    assert_eq!(
        wrong(&[("DANGO_LOG_LEVEL", "warn,app=trace")]),
        "`DANGO_LOG_LEVEL` is `warn,app=trace`, which is no level"
    );
    // Also one that another comes before: somebody will take that one away.
    assert_eq!(
        wrong(&[("DANGO_LOG", "info"), ("DAP_LOG_LEVEL", "verbose")]),
        "`DAP_LOG_LEVEL` is `verbose`, which is no level"
    );
}

#[test]
fn the_error_of_a_command_is_logged_with_its_causes_at_its_level() {
    let lines = logged(&[("DANGO_LOG", "debug")], || {
        failed(&Error::bug("broken").caused_by(Outer(Inner("deep".into()))));
        failed(&Error::unavailable(Code::DiskFull, "full"));
        failed(&Error::interrupted());
        failed(&Error::not_found(Code::SourceNotFound, "none"));
    });
    let levels: Vec<_> = lines
        .iter()
        .map(|line| line["level"].as_str().expect("a level"))
        .collect();
    assert_eq!(levels, ["error", "warn", "info", "debug"]);
    assert_eq!(lines[0]["error.chain"], "broken: outer: inner says deep");
    assert_eq!(lines[1]["error.code"], "disk_full");
}

#[test]
fn talk_is_one_line_with_its_fields() {
    let lines = logged(&[], || info!(rows = 5_u64, source.name = "shop", "synced"));
    let line = lines[0].as_object().expect("a map");
    assert_eq!(layer::talk(line), "info: synced rows=5 source.name=shop");
}

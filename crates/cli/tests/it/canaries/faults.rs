//! A fault of ours, provoked: its message holds a secret, and nobody gets to see it.

use super::Sweep;

#[test]
fn a_panic_does_not_tell_what_it_was_about() {
    let mut sweep = Sweep::new();
    let value = sweep.canary("in a panic", "p\"{}ü");
    sweep.variable("SHOP_PASSWORD", &value);
    let mut panics = 0;
    for at in 1..=8 {
        let number = at.to_string();
        let variables = [
            ("SHOP_PASSWORD", value.as_str()),
            ("DANGO_FAULT_AT", &number),
            ("DANGO_FAULT_PANIC", &value),
            ("DANGO_LOG", "trace"),
        ];
        for words in [
            &["secrets", "set", "shop.password", "--stdin"][..],
            &["secrets", "set", "shop.password", "--stdin", "--json"],
        ] {
            let ran = sweep.project.run_with(words, "another-secret", &variables);
            for (place, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
                sweep.search(&format!("{place} of {words:?} at {at}"), text.as_bytes());
            }
            assert!(!ran.stderr.contains("panicked"), "{ran:#?}");
            if ran.code != Some(70) {
                continue;
            }
            panics += 1;
            if words.contains(&"--json") {
                let error = ran.json_error(70, "bug");
                let message = error["error"]["message"].as_str().unwrap_or_default();
                assert!(message.starts_with("dango itself failed"), "{message}");
                assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
            } else {
                assert!(
                    ran.stderr.contains("error: dango itself failed"),
                    "{ran:#?}"
                );
                assert!(ran.stderr.contains("\ncode: bug ("), "{ran:#?}");
            }
        }
    }
    assert!(panics > 2, "only {panics} panics were provoked");
    let log = sweep.project.read(".dango/logs/dango.jsonl");
    assert!(log.contains("a fault of ours"), "{log}");
    sweep.finish();
}

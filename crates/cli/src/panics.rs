//! What a panic says: a constant text. The panic's own message may hold anything, a secret included, so nobody sees it.

use serde_json::json;
use std::io::{self, Write as _};
use std::panic;

/// The exit code of our own bugs (`EX_SOFTWARE` of sysexits.h).
pub(crate) const EXIT_CODE: u8 = 70;

const WHAT: &str = "dango itself failed; that is a bug";
const HINT: &str = "run the command again with `DANGO_LOG=debug` and report it with the last lines of `.dango/logs/dango.jsonl`";

/// Replaces the default hook, which would print the panic's message.
pub(crate) fn install(is_json: bool) {
    panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        // The log masks what it is told; the terminal is told nothing that could need it.
        tracing::error!(
            panic.text = panic.payload_as_str().unwrap_or_default(),
            panic.place = place.as_deref().unwrap_or_default(),
            "a fault of ours"
        );
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(io::stderr(), "{}", text(place.as_deref(), is_json));
    }));
}

/// Returns the text, with the place in our source when it is known; for programs as one line.
fn text(place: Option<&str>, is_json: bool) -> String {
    let place = place.map_or(String::new(), |place| format!(" ({place})"));
    if is_json {
        let error = json!({"code": "bug", "message": format!("{WHAT}{place}"), "hint": HINT});
        return json!({ "error": error }).to_string();
    }
    format!("error: {WHAT}\nhint: {HINT}\ncode: bug{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_constant_but_for_the_place() {
        assert!(text(Some("src/x.rs:7"), false).ends_with("code: bug (src/x.rs:7)"));
        assert!(text(None, false).ends_with("code: bug"));
        let line = text(Some("src/x.rs:7"), true);
        assert!(
            line.starts_with(r#"{"error":{"code":"bug","message":"#) && !line.contains('\n'),
            "{line}"
        );
    }
}

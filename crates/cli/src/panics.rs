//! What a panic says: a constant text. The panic's own message may hold anything, a secret included, so nobody sees it.

use std::io::{self, Write as _};
use std::panic;

/// The exit code of our own bugs (`EX_SOFTWARE` of sysexits.h).
pub(crate) const EXIT_CODE: u8 = 70;

const TEXT: &str = "\
error: dango itself failed; that is a bug
hint: run the command again with `DANGO_LOG=debug` and report it with the last lines of `.dango/logs/dango.jsonl`
code: bug";

/// Replaces the default hook, which would print the panic's message.
pub(crate) fn install() {
    panic::set_hook(Box::new(|panic| {
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
        let _ = writeln!(io::stderr(), "{}", text(place.as_deref()));
    }));
}

/// Returns the text, with the place in our source when it is known.
fn text(place: Option<&str>) -> String {
    place.map_or_else(|| TEXT.to_owned(), |place| format!("{TEXT} ({place})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_constant_but_for_the_place() {
        assert!(text(Some("src/x.rs:7")).ends_with("code: bug (src/x.rs:7)"));
        assert_eq!(text(None), TEXT);
    }
}

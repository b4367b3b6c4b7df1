//! `dango explain [CODE]`: what an error code means.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::table::{Align, Columns};
use app::error::{Error, Kind};
use clap::Args;
use domain::say::Quoted;
use domain::{Code, Say, say};
use serde_json::{Value, json};

/// A code closer than this to the typed one is worth suggesting.
const SIMILARITY_MIN: f64 = 0.8;

/// Arguments of `dango explain`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The code, as the error printed it; all codes when left out
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Explains one code, or lists all.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let Some(typed) = &arguments.code else {
        if output.json {
            let codes: Vec<_> = Code::ALL.iter().copied().map(to_json).collect();
            return output.print_json(&json!({ "codes": codes }));
        }
        let headings = [("CODE", Align::Left), ("MEANING", Align::Left)];
        let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
        for code in Code::ALL {
            columns.row([
                code.as_str().to_owned(),
                first_sentence(code.explanation()).to_owned(),
            ]);
        }
        return output.print(&columns.render());
    };
    let code = Code::parse(typed.trim()).ok_or_else(|| unknown(typed))?;
    if output.json {
        return output.print_json(&to_json(code));
    }
    output.print(&format!("{code}: {}", code.explanation()))
}

fn to_json(code: Code) -> Value {
    json!({"code": code.as_str(), "explanation": code.explanation()})
}

fn unknown(typed: &str) -> Error {
    let similarity = |code: &Code| strsim::jaro_winkler(code.as_str(), typed);
    let nearest = Code::ALL
        .iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let hint = match nearest.filter(|code| similarity(code) >= SIMILARITY_MIN) {
        Some(code) => say!("did you mean ", name Quoted(code.as_str()), "?"),
        None => Say::new("`dango explain` lists all codes"),
    };
    Error::new(
        Kind::NotFound,
        Code::CodeUnknown,
        say!("there is no error code ", name Quoted(typed)),
    )
    .hint(hint)
}

/// Returns the text up to the first full stop that ends a sentence, so that `.dango/…` does not count.
fn first_sentence(text: &str) -> &str {
    text.split_once(". ")
        .map_or(text, |(first, _)| first)
        .trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_does_not_end_a_sentence() {
        assert_eq!(
            first_sentence("No `.dango/project.yml` here. Make one."),
            "No `.dango/project.yml` here"
        );
        assert_eq!(first_sentence("One."), "One");
    }

    #[test]
    fn a_similar_code_is_suggested() {
        assert_eq!(
            unknown("source_notfound").hint.as_str(),
            "did you mean `source_not_found`?"
        );
        assert_eq!(
            unknown("zzz").hint.as_str(),
            "`dango explain` lists all codes"
        );
    }
}

//! The wizard's questions: the type, the name, then each field with what it means.

use super::settings;
use crate::commands::source::form::Form;
use crate::errors::Stop;
use crate::prompts::Ask;
use app::Field;
use app::sources::{FieldValue, NewSource};
use domain::SourceName;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The field that gives a whole connection as a URL and makes the fields after it needless.
const WHOLE_CONNECTION: &str = "credentials";
/// Wrong answers to one question after which the wizard gives up; a person needs fewer, a broken terminal never ends.
const TRIES_MAX: usize = 10;

/// What to do about a source that did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterFailure {
    AskAgain,
    SaveAnyway,
    GiveUp,
}

/// Lets a type be chosen.
pub(super) fn choose(ask: &mut dyn Ask, mut forms: Vec<Form>) -> Result<Form, Stop> {
    let options: Vec<_> = forms
        .iter()
        .map(|form| format!("{}: {}", form.title, form.summary))
        .collect();
    let chosen = ask.choose("What do you want to sync?", &options, "type to search")?;
    Ok(forms.swap_remove(chosen.min(forms.len().saturating_sub(1))))
}

/// Asks for everything the connector needs.
pub(super) fn fill(
    ask: &mut dyn Ask,
    form: &Form,
    name: Option<&str>,
    is_taken: impl Fn(&str) -> bool,
) -> Result<NewSource, Stop> {
    let name = match name {
        Some(name) => crate::commands::source::parse_name(name)?,
        None => ask_name(ask, form, is_taken)?,
    };
    let (mut required, mut optional): (Vec<_>, Vec<_>) =
        form.fields.iter().partition(|field| field.required);
    if required.is_empty() {
        // A database: a URL or its parts, so none alone is required and all are asked for.
        std::mem::swap(&mut required, &mut optional);
    }
    let mut fields = BTreeMap::new();
    ask_fields(ask, &required, &mut fields)?;
    if !optional.is_empty()
        && ask.confirm(
            &format!("Set optional settings ({})?", names(&optional)),
            false,
        )?
    {
        ask_fields(ask, &optional, &mut fields)?;
    }
    Ok(NewSource {
        name,
        kind: form.kind.clone(),
        fields,
        description: None,
        enabled: true,
        extra: ask_streams(ask, form)?,
    })
}

fn ask_fields(
    ask: &mut dyn Ask,
    fields: &[&Field],
    answers: &mut BTreeMap<String, FieldValue>,
) -> Result<(), Stop> {
    for field in fields {
        if let Some(value) = ask_field(ask, field)? {
            answers.insert(field.name.clone(), value);
            if field.name == WHOLE_CONNECTION {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Asks which of the source's streams to sync, where it has a choice that is known without connecting.
fn ask_streams(ask: &mut dyn Ask, form: &Form) -> Result<Map<String, Value>, Stop> {
    let words = |answer: &str| -> Vec<String> {
        answer
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if form.kind.as_str() == "rest_api" {
        let help = "below the base URL, separated by commas; each becomes a table";
        let paths = words(&ask.line("Paths to sync:", None, help)?);
        return Ok(settings::extra(&[], &paths));
    }
    if form.streams.is_empty() {
        return Ok(Map::new());
    }
    let help = format!("separated by commas, of: {}", form.streams.join(", "));
    let chosen = words(&ask.line("Tables to sync:", Some("all"), &help)?);
    if chosen == ["all"] {
        Ok(Map::new())
    } else {
        Ok(settings::extra(&chosen, &[]))
    }
}

/// Asks what to do about a source that did not answer.
pub(super) fn after_failure(ask: &mut dyn Ask) -> Result<AfterFailure, Stop> {
    let options = ["Answer again", "Save it all the same", "Give up"].map(str::to_owned);
    let chosen = ask.choose(
        "The source did not answer as it should.",
        &options,
        "nothing was saved so far",
    )?;
    Ok(match chosen {
        0 => AfterFailure::AskAgain,
        1 => AfterFailure::SaveAnyway,
        _ => AfterFailure::GiveUp,
    })
}

fn ask_name(
    ask: &mut dyn Ask,
    form: &Form,
    is_taken: impl Fn(&str) -> bool,
) -> Result<SourceName, Stop> {
    let free = |name: &String| !is_taken(name);
    let kind = form.kind.as_str();
    let default = std::iter::once(kind.to_owned())
        .chain((2..100).map(|n| format!("{kind}_{n}")))
        .find(free);
    let mut help = "its tables go to the schema raw_<name>".to_owned();
    for _ in 0..TRIES_MAX {
        let typed = ask.line("What shall it be called?", default.as_deref(), &help)?;
        match SourceName::parse(typed.trim()) {
            Ok(name) if is_taken(name.as_str()) => help = format!("`{name}` exists already"),
            Ok(name) => return Ok(name),
            Err(error) => help = error.to_string(),
        }
    }
    Err(Stop::interrupted())
}

fn ask_field(ask: &mut dyn Ask, field: &Field) -> Result<Option<FieldValue>, Stop> {
    for _ in 0..TRIES_MAX {
        if field.secret {
            let secret = ask.secret(&format!("{} (hidden):", field.name), &field.help)?;
            if !secret.expose().is_empty() {
                return Ok(Some(FieldValue::Secret(secret)));
            }
        } else {
            let answer = ask.line(
                &format!("{}:", field.name),
                field.default.as_deref(),
                &field.help,
            )?;
            let answer = answer.trim();
            // A default that was left as it is need not stand in the file.
            if field.default.as_deref() == Some(answer) {
                return Ok(None);
            }
            if !answer.is_empty() {
                return Ok(Some(FieldValue::Text(answer.to_owned())));
            }
        }
        if !field.required {
            return Ok(None);
        }
    }
    Err(Stop::interrupted())
}

fn names(fields: &[&Field]) -> String {
    fields
        .iter()
        .map(|field| field.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::source::form::tests::{field, form};
    use security::Plain;
    use std::collections::VecDeque;

    /// Answers from a list, and remembers what it was asked.
    #[derive(Default)]
    struct Script {
        answers: VecDeque<&'static str>,
        asked: Vec<String>,
    }

    impl Script {
        fn next(&mut self, question: &str, help: &str) -> &'static str {
            self.asked.push(format!("{question} [{help}]"));
            self.answers.pop_front().expect("an answer is left")
        }
    }

    impl Ask for Script {
        fn choose(
            &mut self,
            question: &str,
            options: &[String],
            help: &str,
        ) -> Result<usize, Stop> {
            let answer = self.next(question, help);
            Ok(options
                .iter()
                .position(|option| option.starts_with(answer))
                .expect("an option"))
        }
        fn line(
            &mut self,
            question: &str,
            default: Option<&str>,
            help: &str,
        ) -> Result<String, Stop> {
            let answer = self.next(question, help);
            Ok(if answer.is_empty() {
                default.unwrap_or_default()
            } else {
                answer
            }
            .to_owned())
        }
        fn secret(&mut self, question: &str, help: &str) -> Result<Plain<String>, Stop> {
            Ok(Plain::new(self.next(question, help).to_owned()))
        }
        fn confirm(&mut self, question: &str, _: bool) -> Result<bool, Stop> {
            Ok(self.next(question, "") == "y")
        }
    }

    #[test]
    fn the_wizard_explains_each_field_and_hides_secrets() {
        let mut script = Script {
            answers: [
                "",
                "1x",
                "shop",
                "db.example.com",
                "",
                "",
                "hunter2",
                "y",
                "shop",
                "charges",
            ]
            .into(),
            asked: Vec::new(),
        };
        let is_taken = |name: &str| name == "postgres" || name == "postgres_2";
        // The empty first answer is the default, which is free; make it taken by asking for a wrong one first.
        script.answers.pop_front();
        let source = fill(&mut script, &form(), None, is_taken).expect("all answered");
        assert_eq!(source.name.as_str(), "shop");
        let text = |name: &str| match source.fields.get(name) {
            Some(FieldValue::Text(text)) => text.clone(),
            Some(FieldValue::Secret(secret)) => format!("secret {}", secret.expose().len()),
            None => "none".into(),
        };
        assert_eq!(
            ["host", "port", "password", "dbname"].map(text),
            ["db.example.com", "none", "secret 7", "shop"]
        );
        assert!(
            script
                .asked
                .iter()
                .any(|asked| asked == "host: [help of host]"),
            "{:?}",
            script.asked
        );
        assert!(
            script
                .asked
                .iter()
                .any(|asked| asked == "password (hidden): [help of password]")
        );
        assert!(
            script
                .asked
                .iter()
                .any(|asked| asked.contains("starts with a digit")),
            "{:?}",
            script.asked
        );
        assert_eq!(
            Value::Object(source.extra).to_string(),
            r#"{"tables":["charges"]}"#
        );
        assert!(script.answers.is_empty());
    }

    #[test]
    fn a_whole_connection_makes_the_other_fields_needless() {
        let mut form = form();
        form.fields = vec![
            field("credentials", "url", true, false, None),
            field("host", "server", false, false, None),
        ];
        let mut script = Script {
            answers: ["postgres://…", "all"].into(),
            asked: Vec::new(),
        };
        let source = fill(&mut script, &form, Some("shop"), |_| false).expect("all answered");
        assert_eq!(source.fields.len(), 1);
        assert!(source.extra.is_empty());
    }

    #[test]
    fn a_type_is_chosen_by_its_title() {
        let mut script = Script {
            answers: ["PostgreSQL"].into(),
            asked: Vec::new(),
        };
        assert_eq!(
            choose(&mut script, vec![form()])
                .expect("chosen")
                .kind
                .as_str(),
            "postgres"
        );
    }
}

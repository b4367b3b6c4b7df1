//! Events as lines, masked twice: each text when it is recorded, and the line as a whole, since a secret may be put together from
//! two fields.

use super::journal::Journal;
use domain::Clock;
use security::Redactor;
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// A cause has a cause has a cause; beyond this it is a loop.
const CAUSES_MAX: usize = 16;
/// Lines that wait for a project; a command that never finds one has nothing to say that its error does not.
const WAITING_LINES_MAX: usize = 1_000;

/// Where lines go.
pub(super) struct Outlet {
    state: Mutex<State>,
}

enum State {
    /// JSON lines, until it is known where to.
    Waiting(Vec<String>),
    /// JSON lines in the project's log.
    Journal(Journal),
    /// Text on stderr.
    Talk,
}

impl Outlet {
    pub(super) const fn waiting() -> Self {
        Self {
            state: Mutex::new(State::Waiting(Vec::new())),
        }
    }

    pub(super) const fn talk() -> Self {
        Self {
            state: Mutex::new(State::Talk),
        }
    }

    /// Sends the lines that wait, and those that come, to `journal`.
    pub(super) fn attach(&self, mut journal: Journal) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Waiting(lines) = &*state {
            for line in lines {
                let _ = journal.write(line);
            }
        }
        *state = State::Journal(journal);
    }

    fn write(&self, line: Map<String, Value>, redactor: &Redactor) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match &*state {
            State::Talk => talk(&line),
            State::Waiting(_) | State::Journal(_) => Value::Object(line).to_string(),
        };
        let mut text = redactor.redact_talk(&text);
        text.push('\n');
        // A full disk must not stop the work; that the log has a gap is seen from its times.
        match &mut *state {
            State::Waiting(lines) if lines.len() < WAITING_LINES_MAX => lines.push(text),
            State::Waiting(_) => {}
            State::Journal(journal) => drop(journal.write(&text)),
            State::Talk => drop(std::io::stderr().write_all(text.as_bytes())),
        }
    }
}

/// Returns an event as people read it: level, message, fields.
pub(super) fn talk(line: &Map<String, Value>) -> String {
    let word = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut text = format!("{}: {}", word("level"), word("message"));
    let is_field = |key: &str| !["timestamp", "level", "target", "message"].contains(&key);
    // Writing into a String cannot fail.
    for (key, value) in line.iter().filter(|(key, _)| is_field(key)) {
        match value {
            Value::String(value) => drop(write!(text, " {key}={value}")),
            other => drop(write!(text, " {key}={other}")),
        }
    }
    text
}

/// Writes every event to an outlet.
pub(super) struct EventLayer {
    outlet: Arc<Outlet>,
    redactor: &'static Redactor,
    clock: Arc<dyn Clock>,
}

impl EventLayer {
    pub(super) fn new(
        outlet: Arc<Outlet>,
        redactor: &'static Redactor,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            outlet,
            redactor,
            clock,
        }
    }

    fn fields(&self, record: impl FnOnce(&mut Fields)) -> Map<String, Value> {
        let mut fields = Fields {
            values: Map::new(),
            redactor: self.redactor,
        };
        record(&mut fields);
        fields.values
    }
}

/// The fields of a span, kept until its events are written.
struct SpanFields(Map<String, Value>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for EventLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let fields = self.fields(|visitor| attributes.record(visitor));
            // The other outlet may have been here before, with the same fields.
            span.extensions_mut().replace(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(known)) = span.extensions_mut().get_mut::<SpanFields>()
        {
            known.extend(self.fields(|visitor| record.record(visitor)));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        line.insert("timestamp".into(), self.clock.now().to_rfc3339().into());
        line.insert(
            "level".into(),
            event
                .metadata()
                .level()
                .as_str()
                .to_ascii_lowercase()
                .into(),
        );
        line.insert("target".into(), event.metadata().target().into());
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(fields)) = span.extensions().get::<SpanFields>() {
                // An inner span's field wins over an outer one's.
                for (name, value) in fields {
                    line.entry(name).or_insert_with(|| value.clone());
                }
            }
        }
        line.extend(self.fields(|visitor| event.record(visitor)));
        self.outlet.write(line, self.redactor);
    }
}

struct Fields {
    values: Map<String, Value>,
    redactor: &'static Redactor,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.values.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = self.redactor.redact(&format!("{value:?}"));
        self.insert(field, text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = self.redactor.redact(value);
        self.insert(field, text);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        for _ in 0..CAUSES_MAX {
            let Some(error) = cause else { break };
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        let text = self.redactor.redact(&text);
        self.insert(field, text);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}

//! A YAML file as a tree that knows where each value stands. Reading by hand instead of by `derive` finds every mistake of
//! a file in one go, and lets one broken source be broken alone.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

impl Place {
    /// The beginning of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    fn of(location: serde_saphyr::Location) -> Self {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        Self {
            line: small(location.line()),
            column: small(location.column()),
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) shape: Shape,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file, duplicates included.
    Map(Vec<Entry>),
}

/// A key of a map with its place, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

impl Shape {
    /// Returns what the shape is called in messages.
    pub(super) const fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// Returns the value of `key`, `None` when this is no map or has no such key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Shape::Map(entries) = &self.shape else {
            return None;
        };
        entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
    }
}

/// Why a text is no YAML.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) place: Option<Place>,
    /// The parser's own words: they name what it expected, never more than a key of the file.
    pub(super) problem: String,
}

/// Parses `text`; an empty one is [`Shape::Null`].
pub(super) fn parse(text: &str) -> Result<Node, Unreadable> {
    let limits = serde_saphyr::options! {
        // Duplicates are found by whoever reads the map, so that they spoil one source and not the file.
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        // `yes` is text here; whoever wants a truth value takes it for one.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        budget: budget(),
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 8,
        },
    };
    match serde_saphyr::from_str_with_options::<Option<Node>>(text, limits) {
        Ok(Some(node)) => Ok(node),
        Ok(None) => Ok(Node {
            place: Place::START,
            shape: Shape::Null,
        }),
        Err(error) => Err(unreadable(&error)),
    }
}

fn budget() -> Option<serde_saphyr::Budget> {
    serde_saphyr::budget! {
        max_events: 200_000,
        max_nodes: 100_000,
        max_depth: 32,
        max_aliases: 1_000,
        max_anchors: 1_000,
    }
}

fn unreadable(error: &serde_saphyr::Error) -> Unreadable {
    let location = error.location().filter(|location| location.line() > 0);
    let problem = match error.without_snippet() {
        serde_saphyr::Error::MultipleDocuments { .. } => {
            "a second document begins with `---`".into()
        }
        serde_saphyr::Error::Budget { .. }
        | serde_saphyr::Error::AliasReplayLimitExceeded { .. }
        | serde_saphyr::Error::AliasReplayStackDepthExceeded { .. } => {
            "it is too large, too deep, or its aliases unfold to too much".into()
        }
        other => {
            let rendered = other.render();
            // The rendered text ends with the place, which is shown by us.
            let first = rendered.split(" at line ").next().unwrap_or_default();
            first
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned()
        }
    };
    Unreadable {
        place: location.map(Place::of),
        problem,
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Shape>::deserialize(deserializer)?;
        Ok(Self {
            place: Place::of(spanned.referenced),
            shape: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        Shape::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Shape, E> {
        Ok(serde_json::Number::from_i128(value).map_or(Shape::Null, Shape::Number))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Shape, E> {
        Ok(serde_json::Number::from_u128(value).map_or(Shape::Null, Shape::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Shape::Null, Shape::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        Ok(Shape::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let value = entries.next_value()?;
            map.push(Entry {
                key: key.value,
                place: Place::of(key.referenced),
                value,
            });
        }
        Ok(Shape::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place_and_keep_their_kind() {
        let node =
            parse("a: 1\nb:\n  - x: yes\n    y: 0123\n  - ~\nc: \"1.0\"\nd: 1.0\n").expect("YAML");
        let Shape::Map(entries) = &node.shape else {
            panic!("a map")
        };
        let keys: Vec<_> = entries
            .iter()
            .map(|e| (e.key.as_str(), e.place.line, e.place.column))
            .collect();
        assert_eq!(keys, [("a", 1, 1), ("b", 2, 1), ("c", 6, 1), ("d", 7, 1)]);
        let Some(Shape::List(items)) = node.get("b").map(|b| &b.shape) else {
            panic!("a list")
        };
        let place = |item: usize| (items[item].place.line, items[item].place.column);
        assert_eq!((place(0), place(1)), ((3, 5), (5, 5)));
        assert_eq!(
            items[0].get("x").map(|x| &x.shape),
            Some(&Shape::Text("yes".into()))
        );
        assert_eq!(
            items[0].get("y").map(|y| &y.shape),
            Some(&Shape::Text("0123".into()))
        );
        assert_eq!(items[1].shape, Shape::Null);
        assert_eq!(
            node.get("c").map(|c| &c.shape),
            Some(&Shape::Text("1.0".into()))
        );
        assert_eq!(node.get("d").map(|d| d.shape.noun()), Some("a number"));
    }

    #[test]
    fn an_empty_file_is_nothing() {
        for text in ["", "\n\n", "# only a comment\n", "---\n", "~"] {
            assert_eq!(parse(text).expect("YAML").shape, Shape::Null, "{text:?}");
        }
    }

    #[test]
    fn a_broken_text_has_a_place_and_a_problem() {
        for (text, line) in [
            ("a: [1, 2\nb: 3\n", 2),
            ("a: 1\n b: 2\n", 2),
            ("a: \"x\n", 2),
            ("a:\n\t- x\n", 2),
            ("a: *nobody\n", 1),
            ("a: 1\n---\nb: 2\n", 3),
            ("a: @x\n", 1),
        ] {
            let broken = parse(text).expect_err(text);
            assert_eq!(
                broken.place.map(|place| place.line),
                Some(line),
                "{text:?} {broken:?}"
            );
            assert!(
                !broken.problem.is_empty() && !broken.problem.contains('\n'),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn a_text_that_explodes_is_refused() {
        let laughs = (1..20).fold(String::from("a0: &a0 [x, x]\n"), |text, n| {
            format!("{text}a{n}: &a{n} [*a{m}, *a{m}, *a{m}]\n", m = n - 1)
        });
        parse(&laughs).expect_err("too many aliases");
        let deep = "[".repeat(100) + &"]".repeat(100);
        parse(&deep).expect_err("too deep");
        parse("a: &a [*a]\n").expect_err("a loop");
    }
}

//! The document's text as a tree of values, each with its place. YAML is a superset of JSON, so one parser reads both.
//!
//! Scalars keep their text: a column called `007` or `yes` is still called that.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::recipe::problem::Problem;

/// Longer texts are no recipes.
const MAX_BYTES: usize = 1 << 20;
/// The schema is six levels deep.
const MAX_DEPTH: usize = 32;

/// Line and column, both from 1; 0 where they are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// A value of the document.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, number, yes or no, or nothing: as written.
    Scalar {
        /// As written, without quotes.
        text: String,
        /// Whether it stood in quotes: then it is text whatever it looks like.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Names and values, in order.
    Map(Vec<Entry>),
}

/// One name of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// Where the name stands.
    pub place: Place,
    /// The value.
    pub node: Node,
}

impl Node {
    /// Reads the text of one YAML or JSON document.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_BYTES {
            return Err(Problem::at(
                "",
                "This text is too long for a recipe: 1 MiB is the limit.",
            ));
        }
        let mut events = Events {
            parser: Parser::new_from_str(text),
        };
        let node = loop {
            match events.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, span) => return Err(empty(place(&span))),
                (event, span) => break events.node(event, &span, 0)?,
            }
        };
        loop {
            match events.next()? {
                (Event::StreamEnd, _) => return Ok(node),
                (Event::DocumentEnd, _) => {}
                (_, span) => {
                    return Err(located(
                        "A recipe is one document; a second one begins here.",
                        place(&span),
                    ));
                }
            }
        }
    }

    /// The same tree from a JSON value; places are not known.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        let value = match value {
            serde_json::Value::Null => Value::Scalar {
                text: "null".into(),
                quoted: false,
            },
            serde_json::Value::Bool(value) => Value::Scalar {
                text: value.to_string(),
                quoted: false,
            },
            serde_json::Value::Number(value) => Value::Scalar {
                text: value.to_string(),
                quoted: false,
            },
            serde_json::Value::String(text) => Value::Scalar {
                text: text.clone(),
                quoted: true,
            },
            serde_json::Value::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        place: Place::default(),
                        node: Self::from_json(value),
                    })
                    .collect(),
            ),
        };
        Self {
            place: Place::default(),
            value,
        }
    }

    /// Whether it is nothing: an empty value, `~` or `null` without quotes.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// The text of a scalar that is not nothing.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// What it is, in words: "a list".
    #[must_use]
    pub fn words(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map of names and values",
        }
    }
}

fn empty(place: Place) -> Problem {
    located(
        "The recipe is empty. It needs at least `steps:` with a list of steps.",
        place,
    )
}

fn located(message: &str, place: Place) -> Problem {
    Problem {
        line: place.line,
        column: place.column,
        ..Problem::at("", message)
    }
}

fn place(span: &Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

struct Events<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let place = Place {
                    line: error.marker().line(),
                    column: error.marker().col() + 1,
                };
                Err(located(
                    &format!("This is neither YAML nor JSON: {}.", error.info()),
                    place,
                ))
            }
            None => Err(empty(Place::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, Problem> {
        let place = place(span);
        if depth > MAX_DEPTH {
            return Err(located("This is nested too deeply for a recipe.", place));
        }
        let value = match event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse_anchor(anchor, tag.is_some(), place)?;
                Value::Scalar {
                    text: text.into_owned(),
                    quoted: style != ScalarStyle::Plain,
                }
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse_anchor(anchor, tag.is_some(), place)?;
                self.list(depth)?
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse_anchor(anchor, tag.is_some(), place)?;
                self.map(depth)?
            }
            _ => return Err(located("Anchors, aliases and tags are not used in recipes.", place)),
        };
        Ok(Node { place, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (key, place) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Map(entries)),
                (Event::Scalar(text, _, 0, None), span) => (text.into_owned(), place(&span)),
                (_, span) => return Err(located("A name is expected here.", place(&span))),
            };
            if entries.iter().any(|entry| entry.key == key) {
                return Err(located(&format!("`{key}` stands here twice."), place));
            }
            let (event, span) = self.next()?;
            entries.push(Entry {
                key,
                place,
                node: self.node(event, &span, depth + 1)?,
            });
        }
    }
}

fn refuse_anchor(anchor: usize, tagged: bool, place: Place) -> Result<(), Problem> {
    if anchor == 0 && !tagged {
        return Ok(());
    }
    Err(located("Anchors, aliases and tags are not used in recipes.", place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_give_the_same_tree_with_places() {
        let yaml = Node::parse("a: [1, 'x']\nb: {c: yes}\n").expect("yaml");
        let json = Node::parse("{\"a\": [1, \"x\"],\n \"b\": {\"c\": yes}}").expect("json");
        let Value::Map(entries) = &yaml.value else {
            panic!("a map")
        };
        assert_eq!(entries[1].key, "b");
        assert_eq!(entries[1].place, Place { line: 2, column: 1 });
        let Value::Map(same) = &json.value else { panic!("a map") };
        assert_eq!(same[1].place, Place { line: 2, column: 2 });
        assert_eq!(same.len(), entries.len());
    }

    #[test]
    fn texts_that_look_like_numbers_keep_their_zeros() {
        let node = Node::parse("- 007\n- '~'\n- ~\n").expect("yaml");
        let Value::List(items) = &node.value else {
            panic!("a list")
        };
        assert_eq!(items[0].as_text(), Some("007"));
        assert_eq!(items[1].as_text(), Some("~"));
        assert!(items[2].is_null());
    }

    #[test]
    fn what_is_no_recipe_is_refused_with_a_place() {
        for (text, line, words) in [
            ("", 0, "empty"),
            ("a: 1\na: 2\n", 2, "twice"),
            ("a: &x 1\nb: *x\n", 1, "Anchors"),
            ("a: 1\n---\nb: 2\n", 2, "second"),
            ("a: 1\nb: [1, 2\n", 2, "neither YAML nor JSON"),
        ] {
            let problem = Node::parse(text).expect_err(text);
            assert!(problem.message.contains(words), "{text:?}: {problem:?}");
            assert!(line == 0 || problem.line == line, "{text:?}: {problem:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_harm() {
        let problem = Node::parse(&"[".repeat(10_000)).expect_err("too deep");
        assert!(
            problem.message.contains("nested") || problem.message.contains("neither"),
            "{problem:?}"
        );
    }
}

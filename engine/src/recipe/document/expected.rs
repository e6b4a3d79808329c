//! The columns that a recipe expects, under the names that its steps use: `columns`, `match` and `others` of `input`.

use serde_json::{Value as Json, json};

use super::{Node, Reading, Value};

/// More expected columns than any honest recipe has.
const MAX_COLUMNS: usize = 500;
/// Other names of one column.
const MAX_ALSO: usize = 50;
/// How alike names have to be where the recipe does not say, in hundredths.
const ALIKE: u8 = 90;

/// A column that a recipe expects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The name that the recipe's steps use.
    pub name: String,
    /// Other names that people give it.
    pub also: Vec<String>,
    /// Whether a sheet without it does not fit.
    pub required: bool,
}

/// Which headers are taken for an expected column. Each takes what the ones before it take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The same text.
    Exact,
    /// The same but for case, blanks, punctuation and accents.
    Normalised,
    /// The same as one of the column's other names.
    Synonym,
    /// At least so alike, in hundredths.
    Fuzzy(u8),
}

impl Default for Match {
    fn default() -> Self {
        Self::Fuzzy(ALIKE)
    }
}

/// What becomes of columns that are not expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// They stay where they are.
    #[default]
    Keep,
    /// They are left out.
    Drop,
}

impl Expected {
    /// Reads the list.
    pub(super) fn read_all(node: &Node, reading: &mut Reading) -> Option<Vec<Self>> {
        let path = "input.columns";
        reading.places.insert(path.to_owned(), node.place);
        let Value::List(items) = &node.value else {
            let message = format!(
                "`columns` of `input` expects a list such as [id, email], not {}.",
                node.words()
            );
            reading.problem(node.place, path, message);
            return None;
        };
        if items.len() > MAX_COLUMNS {
            let message = format!("`columns` of `input` has at most {MAX_COLUMNS} columns.");
            reading.problem(node.place, path, message);
            return None;
        }
        let read = |(index, item)| Self::read(item, &format!("{path}[{index}]"), reading);
        let columns: Vec<Self> = items.iter().enumerate().filter_map(read).collect();
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].iter().any(|earlier| earlier.name == column.name) {
                let message = format!("`columns` of `input` names `{}` twice.", column.name);
                reading.problem_of(&format!("{path}[{index}]"), message);
            }
        }
        Some(columns)
    }

    /// A name, or a map with more about it.
    fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let subject = "a column of `input`";
        let column = if let Value::Map(_) = &node.value {
            let mut options = reading.map(node, path, subject)?;
            let name = options.required_text(reading, "name");
            let also = options.optional_texts(reading, "also").unwrap_or_default();
            let required = options.optional_flag(reading, "required").unwrap_or_default();
            options.finish(reading, &["name", "also", "required"]);
            Self {
                name: name?,
                also,
                required,
            }
        } else {
            Self {
                name: reading.text(node, path, "A column of `input`")?,
                ..Self::default()
            }
        };
        if column.name.trim().is_empty() {
            reading.problem(node.place, path, "`columns` of `input`: a name is empty.");
            return None;
        }
        if column.also.len() > MAX_ALSO {
            let message = format!("`also` of `{}` has at most {MAX_ALSO} names.", column.name);
            reading.problem(node.place, &format!("{path}.also"), message);
        }
        Some(column)
    }

    /// As the document has it: a name alone where there is no more to say.
    pub(super) fn to_json(&self) -> Json {
        if self.also.is_empty() && !self.required {
            return json!(self.name);
        }
        let mut object = json!({ "name": self.name });
        if !self.also.is_empty() {
            object["also"] = json!(self.also);
        }
        if self.required {
            object["required"] = json!(true);
        }
        object
    }
}

impl Match {
    /// A word, or how alike names have to be.
    pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Self> {
        let words = [
            ("exact", Self::Exact),
            ("normalised", Self::Normalised),
            ("synonym", Self::Synonym),
            ("fuzzy", Self::default()),
        ];
        let (path, text) = ("input.match", node.as_text().unwrap_or_default());
        reading.places.insert(path.to_owned(), node.place);
        if let Some((_, found)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*found);
        }
        let hundredths = text.parse::<f64>().ok().map(|share| (share * 100.0).round());
        match hundredths.filter(|it| (50.0..=100.0).contains(it)) {
            Some(hundredths) => Some(Self::Fuzzy(hundredths as u8)),
            None => {
                let hint = crate::recipe::problem::did_you_mean(text, words.iter().map(|(word, _)| *word));
                let message = format!(
                    "`match` of `input` cannot be `{text}`.{hint} It is exact, normalised, synonym or fuzzy, or how alike names \
                     have to be, from 0.5 to 1."
                );
                reading.problem(node.place, path, message);
                None
            }
        }
    }

    /// As the document has it; nothing where it is what a recipe without the option does.
    pub(super) fn to_json(self) -> Option<Json> {
        match self {
            Self::Exact => Some(json!("exact")),
            Self::Normalised => Some(json!("normalised")),
            Self::Synonym => Some(json!("synonym")),
            Self::Fuzzy(ALIKE) => None,
            Self::Fuzzy(hundredths) => Some(json!(f64::from(hundredths) / 100.0)),
        }
    }
}

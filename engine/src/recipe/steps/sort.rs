//! `sort`: put rows in order.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Options, Reading, Value};
use crate::recipe::plan::collation::{self, Collation};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::sort::{SortBy, SortPlan};
use crate::recipe::problem::Problem;

/// Puts rows in order. Rows that are equal in all keys keep their order; blanks come last either way, unless a key wants them
/// first; texts are compared character by character, capitals first, unless a key compares them otherwise; in a column of
/// several kinds numbers come before texts.
///
/// With a `locale` texts are in the order of that language. Texts that it does not tell apart keep their order; `ignore_case`
/// and `natural` leave case out there too, but not accents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The keys, most important first.
    pub by: Vec<SortKey>,
    /// The language whose order texts are in, as a BCP 47 tag; `None`: character by character.
    pub locale: Option<String>,
}

/// One key of a sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: String,
    /// Which way.
    pub order: Direction,
    /// How texts are compared.
    pub compare: Compare,
    /// Where blanks go.
    pub blanks: BlankPlace,
}

impl SortKey {
    /// A column, smallest first, and all else as it is without a word.
    #[must_use]
    pub fn of(column: &str) -> Self {
        Self {
            column: column.to_owned(),
            order: Direction::default(),
            compare: Compare::default(),
            blanks: BlankPlace::default(),
        }
    }
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// Character by character, capitals first.
    #[default]
    Exact,
    /// Capital and small letters alike.
    IgnoreCase,
    /// The same, and digits that stand together as a number: `item2` before `item10`.
    Natural,
}

impl Compare {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("exact", Self::Exact),
        ("ignore_case", Self::IgnoreCase),
        ("natural", Self::Natural),
    ];
}

/// Where blanks go in an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlankPlace {
    /// Behind all others.
    #[default]
    Last,
    /// In front of all others.
    First,
}

impl BlankPlace {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("last", Self::Last), ("first", Self::First)];
}

impl Direction {
    /// The directions by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("ascending", Self::Ascending), ("descending", Self::Descending)];
}

impl Sort {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "sort",
        title: "Sort rows",
        about: "Puts rows in order by one or more columns; equal rows keep their order.",
        options: &[
            OptionForm {
                name: "by",
                title: "Columns",
                kind: OptionKind::SortKeys,
                required: true,
                default: None,
                about: "The columns to sort by, the most important first.",
            },
            OptionForm {
                name: "locale",
                title: "Order of the language",
                kind: OptionKind::Text,
                required: false,
                default: None,
                about: "A language tag such as `de`, `sv` or `fr-CA`, so that ä stands where its readers look for it. Left out: by character, ä behind z.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`sort`")?;
        let list = options.require(reading, "by");
        let by_path = options.path("by");
        let locale = read_locale(&mut options, reading);
        options.finish(reading, &["by", "locale"]);
        let list = list?;
        reading.places.insert(by_path.clone(), list.place);
        let keys: Option<Vec<SortKey>> = match &list.value {
            Value::List(items) => {
                let read = |(index, item)| read_key(item, &format!("{by_path}[{index}]"), reading);
                items.iter().enumerate().map(read).collect()
            }
            _ => read_key(list, &by_path, reading).map(|key| vec![key]),
        };
        let by = keys?;
        if by.is_empty() {
            reading.problem(list.place, &by_path, "`by` of `sort` names no column.");
            return None;
        }
        Some(Self { by, locale })
    }

    pub(super) fn to_json(&self) -> Json {
        // What is as it would be anyway is left out, so that a recipe means the same bytes as ever.
        let key = |key: &SortKey| {
            if *key == SortKey::of(&key.column) {
                return json!(key.column);
            }
            let mut object = serde_json::Map::new();
            object.insert("column".into(), json!(key.column));
            if key.order == Direction::Descending {
                object.insert("order".into(), json!("descending"));
            }
            match key.compare {
                Compare::Exact => None,
                Compare::IgnoreCase => object.insert("compare".into(), json!("ignore_case")),
                Compare::Natural => object.insert("compare".into(), json!("natural")),
            };
            if key.blanks == BlankPlace::First {
                object.insert("blanks".into(), json!("first"));
            }
            Json::Object(object)
        };
        let mut json = json!({ "by": self.by.iter().map(key).collect::<Vec<_>>() });
        if let Some(locale) = &self.locale {
            json["locale"] = json!(locale);
        }
        json
    }

    pub(super) fn label(&self) -> String {
        let key = |key: &SortKey| {
            let mut how = Vec::new();
            if key.order == Direction::Descending {
                how.push("greatest first");
            }
            match key.compare {
                Compare::Exact => {}
                Compare::IgnoreCase => how.push("capital and small letters alike"),
                Compare::Natural => how.push("numbers in text by their value"),
            }
            if key.blanks == BlankPlace::First {
                how.push("blanks first");
            }
            if how.is_empty() {
                return key.column.clone();
            }
            format!("{} ({})", key.column, how.join(", "))
        };
        let keys = self.by.iter().map(key).collect::<Vec<_>>().join(", then ");
        match &self.locale {
            None => format!("Sort by {keys}"),
            Some(locale) => format!("Sort by {keys}, texts in the order of {}", collation::name(locale)),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.positions(columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let mut keys = Vec::with_capacity(self.by.len());
        for (column, key) in self.positions(columns)?.into_iter().zip(&self.by) {
            let collation = self.locale.as_ref().map(|locale| Collation::new(locale, key.compare));
            keys.push(SortBy {
                column,
                order: key.order,
                blanks: key.blanks,
                compare: key.compare,
                collation: collation
                    .transpose()
                    .map_err(|message| vec![Problem::at("locale", message)])?,
            });
        }
        Ok(Operator::Sort(SortPlan { keys }))
    }

    fn positions(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        let mut positions = Vec::with_capacity(self.by.len());
        let mut problems = Vec::new();
        for (index, key) in self.by.iter().enumerate() {
            match find(columns, &key.column) {
                Ok(position) => positions.push(position),
                Err(message) => problems.push(Problem::at(format!("by[{index}]"), message)),
            }
        }
        if problems.is_empty() {
            Ok(positions)
        } else {
            Err(problems)
        }
    }
}

fn read_locale(options: &mut Options<'_>, reading: &mut Reading) -> Option<String> {
    let path = options.path("locale");
    let tag = options.optional_text(reading, "locale")?;
    match collation::checked(&tag) {
        Ok(tag) => Some(tag),
        Err(message) => {
            reading.problem_of(&path, format!("`locale` of `sort`: {message}"));
            None
        }
    }
}

fn read_key(node: &Node, path: &str, reading: &mut Reading) -> Option<SortKey> {
    if !matches!(node.value, Value::Map(_)) {
        let column = reading.text(node, path, "`by` of `sort`")?;
        return Some(SortKey::of(&column));
    }
    let mut options = reading.map(node, path, "`by` of `sort`")?;
    let column = options.required_text(reading, "column");
    let order = options
        .optional_choice(reading, "order", Direction::WORDS)
        .unwrap_or_default();
    let compare = options
        .optional_choice(reading, "compare", Compare::WORDS)
        .unwrap_or_default();
    let blanks = options
        .optional_choice(reading, "blanks", BlankPlace::WORDS)
        .unwrap_or_default();
    options.finish(reading, &["column", "order", "compare", "blanks"]);
    Some(SortKey {
        column: column?,
        order,
        compare,
        blanks,
    })
}

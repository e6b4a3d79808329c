//! Which sheets of a workbook a recipe is for, and where their header is.

use serde_json::{Value as Json, json};

use super::expected::{Expected, Match, Others};
use super::{Node, Reading, Value};
use crate::recipe::problem;
use crate::sheets::{HeaderOption, Hidden, IngestOptions, Merged, TextOptions, Visibility};

/// The `input` part of a recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Which sheets.
    pub sheets: Sheets,
    /// Where the header is.
    pub header: Header,
    /// What merged areas are.
    pub merged: Merged,
    /// What becomes of rows and columns that do not show.
    pub hidden: Hidden,
    /// How plain text is read.
    pub text: TextOptions,
    /// The columns that the steps expect, in no order; none: whatever is there.
    pub columns: Vec<Expected>,
    /// Which headers are taken for them.
    pub matching: Match,
    /// What becomes of columns that are not among them.
    pub others: Others,
}

/// Which sheets of a workbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sheets {
    /// The first one that is visible.
    #[default]
    First,
    /// All of them.
    All,
    /// Those whose tab shows.
    Visible,
    /// These, by name; each must be there.
    Named(Vec<String>),
    /// Those whose name matches: `*` is any text, `?` any character.
    Matching(String),
}

/// Where the header is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// It is found.
    #[default]
    Auto,
    /// There is none: columns go by their letters.
    None,
    /// These rows, first and last, as Excel numbers them.
    Rows(u32, u32),
}

impl Input {
    /// The options under which a file is read for this recipe.
    #[must_use]
    pub fn ingest_options(&self) -> IngestOptions {
        let header = match self.header {
            Header::Auto => HeaderOption::Auto,
            Header::None => HeaderOption::None,
            Header::Rows(first, last) => HeaderOption::Rows(first, last),
        };
        IngestOptions {
            header,
            merged: self.merged,
            hidden: self.hidden,
            text: self.text.clone(),
        }
    }

    /// The input that asks for files to be read under these options.
    #[must_use]
    pub fn of_reading(options: &IngestOptions) -> Self {
        Self {
            header: match options.header {
                HeaderOption::Auto => Header::Auto,
                HeaderOption::None => Header::None,
                HeaderOption::Rows(first, last) => Header::Rows(first, last),
            },
            merged: options.merged,
            hidden: options.hidden,
            text: options.text.clone(),
            ..Self::default()
        }
    }

    /// Whether a column is expected under this name; otherwise a sentence with the nearest one.
    ///
    /// # Errors
    /// The sentence.
    pub fn expects(&self, name: &str) -> Result<(), String> {
        let names = self.columns.iter().map(|column| column.name.as_str());
        if names.clone().any(|expected| expected == name) {
            return Ok(());
        }
        if self.columns.is_empty() {
            return Err("The recipe's `input` has no `columns`: it takes files as they are.".to_owned());
        }
        Err(format!(
            "The recipe expects no column `{name}`.{} It expects {}.",
            problem::did_you_mean(name, names.clone()),
            problem::listed(names)
        ))
    }

    pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, "input", "`input`")?;
        let sheets = options
            .take("sheets")
            .and_then(|node| Sheets::read(node, reading))
            .unwrap_or_default();
        let header = options
            .take("header")
            .and_then(|node| Header::read(node, reading))
            .unwrap_or_default();
        let merged = options.optional_choice(reading, "merged", &[("keep", Merged::Keep), ("fill", Merged::Fill)]);
        let hidden = options.optional_choice(
            reading,
            "hidden",
            &[("read", Hidden::Read), ("leave_out", Hidden::LeaveOut)],
        );
        let text = TextOptions {
            encoding: options.take("encoding").and_then(|node| read_encoding(node, reading)),
            delimiter: options.take("delimiter").and_then(|node| read_delimiter(node, reading)),
        };
        let columns = options
            .take("columns")
            .and_then(|node| Expected::read_all(node, reading))
            .unwrap_or_default();
        let matching = options.take("match").and_then(|node| Match::read(node, reading));
        let others = options.optional_choice(reading, "others", &[("keep", Others::Keep), ("drop", Others::Drop)]);
        if others == Some(Others::Drop) && columns.is_empty() {
            reading.problem_of(
                "input.others",
                "`others` of `input` needs `columns`: without them every column would go.",
            );
        }
        let known = [
            "sheets",
            "header",
            "merged",
            "hidden",
            "encoding",
            "delimiter",
            "columns",
            "match",
            "others",
        ];
        options.finish(reading, &known);
        Some(Self {
            sheets,
            header,
            merged: merged.unwrap_or_default(),
            hidden: hidden.unwrap_or_default(),
            text,
            columns,
            matching: matching.unwrap_or_default(),
            others: others.unwrap_or_default(),
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let sheets = match &self.sheets {
            Sheets::First => json!("first"),
            Sheets::All => json!("all"),
            Sheets::Visible => json!("visible"),
            Sheets::Named(names) => json!(names),
            Sheets::Matching(pattern) => json!({ "matching": pattern }),
        };
        let header = match self.header {
            Header::Auto => json!("auto"),
            Header::None => json!("none"),
            Header::Rows(first, last) if first == last => json!(first),
            Header::Rows(first, last) => json!([first, last]),
        };
        let mut object = json!({ "sheets": sheets, "header": header });
        if self.merged == Merged::Fill {
            object["merged"] = json!("fill");
        }
        if self.hidden == Hidden::LeaveOut {
            object["hidden"] = json!("leave_out");
        }
        if let Some(encoding) = &self.text.encoding {
            object["encoding"] = json!(encoding);
        }
        if let Some(delimiter) = self.text.delimiter {
            object["delimiter"] = json!(if delimiter == '\t' {
                "tab".to_owned()
            } else {
                delimiter.to_string()
            });
        }
        if !self.columns.is_empty() {
            object["columns"] = self.columns.iter().map(Expected::to_json).collect();
        }
        if let Some(matching) = self.matching.to_json() {
            object["match"] = matching;
        }
        if self.others == Others::Drop {
            object["others"] = json!("drop");
        }
        object
    }
}

/// An encoding by a label of the Encoding Standard.
fn read_encoding(node: &Node, reading: &mut Reading) -> Option<String> {
    let label = node.as_text().unwrap_or_default();
    match encoding_rs::Encoding::for_label(label.as_bytes()) {
        Some(encoding) => Some(encoding.name().to_owned()),
        None => {
            let message = format!(
                "`encoding` of `input`: `{label}` is not known. Say `UTF-8`, `windows-1252`, `Shift_JIS` or the like."
            );
            reading.problem(node.place, "input.encoding", message);
            None
        }
    }
}

/// A character, or the word `tab`.
fn read_delimiter(node: &Node, reading: &mut Reading) -> Option<char> {
    let text = node.as_text().unwrap_or_default();
    let mut chars = text.chars();
    match (text, chars.next(), chars.next()) {
        ("tab", ..) => Some('\t'),
        (_, Some(c), None) if c.is_ascii() && !c.is_alphanumeric() && !matches!(c, '"' | '\r' | '\n') => Some(c),
        _ => {
            let message = "`delimiter` of `input` is one character such as `;`, or the word `tab`.";
            reading.problem(node.place, "input.delimiter", message);
            None
        }
    }
}

impl Sheets {
    /// The positions of the sheets that are meant, in workbook order, or a sentence that says which is missing.
    /// Names are compared without regard to case, as Excel does.
    pub fn choose(&self, sheets: &[(String, Visibility)]) -> Result<Vec<usize>, String> {
        let visible = |index: &usize| sheets[*index].1 == Visibility::Visible;
        let all = 0..sheets.len();
        let chosen: Vec<usize> = match self {
            Self::First => all
                .clone()
                .find(visible)
                .or_else(|| all.clone().next())
                .into_iter()
                .collect(),
            Self::All => all.collect(),
            Self::Visible => all.filter(visible).collect(),
            Self::Named(names) => return named(names, sheets),
            Self::Matching(pattern) => all.filter(|index| matches(pattern, &sheets[*index].0)).collect(),
        };
        if chosen.is_empty() {
            return Err(match self {
                Self::Matching(pattern) => format!("No sheet has a name like `{pattern}`."),
                Self::Visible => "No sheet of this workbook is visible.".into(),
                _ => "There is no sheet in this workbook.".into(),
            });
        }
        Ok(chosen)
    }

    fn read(node: &Node, reading: &mut Reading) -> Option<Self> {
        let (path, subject) = ("input.sheets", "`sheets` of `input`");
        match &node.value {
            Value::List(_) => {
                let names = reading.texts(node, path, subject)?;
                if names.is_empty() {
                    reading.problem(
                        node.place,
                        path,
                        "`sheets` of `input` is an empty list: name a sheet, or say `all`.",
                    );
                }
                Some(Self::Named(names))
            }
            Value::Map(_) => {
                let mut options = reading.map(node, path, subject)?;
                let pattern = options.required_text(reading, "matching");
                options.finish(reading, &["matching"]);
                pattern.map(Self::Matching)
            }
            Value::Scalar { .. } => {
                let words = [("first", Self::First), ("all", Self::All), ("visible", Self::Visible)];
                let choices: Vec<(&str, usize)> = words.iter().enumerate().map(|(i, (word, _))| (*word, i)).collect();
                let index = reading.choice(node, path, "`sheets` of `input` (names go into a list)", &choices)?;
                Some(words[index].1.clone())
            }
        }
    }
}

fn named(names: &[String], sheets: &[(String, Visibility)]) -> Result<Vec<usize>, String> {
    let mut chosen = Vec::new();
    for name in names {
        let exact = sheets.iter().position(|(sheet, _)| sheet == name);
        let folded = || {
            sheets
                .iter()
                .position(|(sheet, _)| sheet.to_lowercase() == name.to_lowercase())
        };
        let Some(index) = exact.or_else(folded) else {
            let there = sheets.iter().map(|(sheet, _)| sheet.as_str());
            let hint = problem::did_you_mean(name, there.clone());
            return Err(format!(
                "There is no sheet `{name}`.{hint} The sheets are {}.",
                problem::listed(there)
            ));
        };
        if !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// Whether a name matches a pattern of `*` and `?`, without regard to case.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (
        pattern.to_lowercase().chars().collect(),
        name.to_lowercase().chars().collect(),
    );
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) {
            p += 1;
            n += 1;
        } else if let Some((star_p, star_n)) = star {
            star = Some((star_p, star_n + 1));
            p = star_p + 1;
            n = star_n + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl Header {
    fn read(node: &Node, reading: &mut Reading) -> Option<Self> {
        let (path, subject) = ("input.header", "`header` of `input`");
        let rows = match &node.value {
            Value::List(_) => reading.texts(node, path, subject)?,
            Value::Map(_) => Vec::new(),
            Value::Scalar { text, .. } if text == "auto" => return Some(Self::Auto),
            Value::Scalar { text, .. } if text == "none" => return Some(Self::None),
            Value::Scalar { text, .. } => vec![text.clone()],
        };
        let numbers: Option<Vec<u32>> = rows
            .iter()
            .map(|text| text.parse().ok().filter(|row| (1..=1_048_576).contains(row)))
            .collect();
        match numbers.as_deref() {
            Some([row]) => return Some(Self::Rows(*row, *row)),
            Some([first, last]) if first <= last && last - first < 20 => return Some(Self::Rows(*first, *last)),
            _ => {}
        }
        let message =
            "`header` of `input` is `auto`, `none`, a row number such as 3, or first and last row such as [3, 4].";
        reading.problem(node.place, path, message);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Vec<(String, Visibility)> {
        let sheet = |name: &str, visibility| (name.to_owned(), visibility);
        vec![
            sheet("notes", Visibility::Hidden),
            sheet("2024", Visibility::Visible),
            sheet("2025", Visibility::Visible),
        ]
    }

    #[test]
    fn sheets_are_chosen_by_word_name_and_pattern() {
        assert_eq!(Sheets::First.choose(&book()), Ok(vec![1]));
        assert_eq!(Sheets::All.choose(&book()), Ok(vec![0, 1, 2]));
        assert_eq!(Sheets::Visible.choose(&book()), Ok(vec![1, 2]));
        assert_eq!(Sheets::Matching("20*".into()).choose(&book()), Ok(vec![1, 2]));
        assert_eq!(Sheets::Matching("20?5".into()).choose(&book()), Ok(vec![2]));
        assert_eq!(
            Sheets::Named(vec!["2025".into(), "NOTES".into()]).choose(&book()),
            Ok(vec![0, 2])
        );
    }

    #[test]
    fn a_missing_sheet_is_named_with_the_nearest_one() {
        let sentence = Sheets::Named(vec!["note".into()]).choose(&book()).expect_err("missing");
        assert!(
            sentence.contains("`note`") && sentence.contains("Did you mean `notes`?"),
            "{sentence}"
        );
        assert!(Sheets::Matching("x*".into()).choose(&book()).is_err());
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
    }
}

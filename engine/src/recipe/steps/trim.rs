//! `trim`: remove blanks around texts, and tidy those inside.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Options, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::texts::{Changed, Draft, TextChange, TextStep};
use crate::recipe::problem::Problem;

/// Removes blanks around the texts of columns: ordinary, no-break and zero-width ones, tabs and line ends. A text of
/// blanks only becomes a blank cell. Cells that are no text stay as they are. Its options, in the order in which they work:
/// `controls`, `lookalikes`, `inner`; the ends are trimmed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trim {
    /// Which columns; `None`: all of them.
    pub columns: Option<Vec<String>>,
    /// What happens inside of texts.
    pub tidy: Tidy,
}

/// What `trim` does inside of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidy {
    /// Runs of blanks become one: a line end where there is one among them, otherwise an ordinary space.
    pub inner: bool,
    /// Blanks that look like an ordinary space (no-break, thin, ideographic and others) become one; those that look like
    /// nothing (zero-width space, word joiner, byte order mark) go. Tabs and line ends stay, and so do the joiners that
    /// emoji and some scripts are written with.
    pub lookalikes: bool,
    /// Control characters go, but for tabs and line ends; so do soft hyphens and marks of direction, which are not seen.
    pub controls: bool,
}

impl Trim {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "trim",
        title: "Remove blanks around text",
        about: "Removes blanks before and after the text of cells; a cell of blanks only becomes blank.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::ColumnsOrAll,
                required: false,
                default: Some("\"all\""),
                about: "The columns to trim, or all of them.",
            },
            OptionForm {
                name: "inner",
                title: "Make one of several blanks",
                kind: OptionKind::Flag,
                required: false,
                default: Some("false"),
                about: "Runs of blanks inside become one space, or one line end where there is one among them.",
            },
            OptionForm {
                name: "lookalikes",
                title: "Make odd blanks ordinary",
                kind: OptionKind::Flag,
                required: false,
                default: Some("false"),
                about: "No-break, thin and other odd spaces become ordinary ones; blanks of no width go.",
            },
            OptionForm {
                name: "controls",
                title: "Remove control characters",
                kind: OptionKind::Flag,
                required: false,
                default: Some("false"),
                about: "Characters that are not seen go, such as control characters, soft hyphens and marks of direction; tabs and line ends stay.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`trim`")?;
        let columns = read_columns_or_all(&mut options, reading, "columns");
        let tidy = Tidy {
            inner: options.optional_flag(reading, "inner").unwrap_or_default(),
            lookalikes: options.optional_flag(reading, "lookalikes").unwrap_or_default(),
            controls: options.optional_flag(reading, "controls").unwrap_or_default(),
        };
        options.finish(reading, &["columns", "inner", "lookalikes", "controls"]);
        Some(Self { columns, tidy })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "columns": columns_or_all_json(&self.columns),
            "inner": self.tidy.inner,
            "lookalikes": self.tidy.lookalikes,
            "controls": self.tidy.controls,
        })
    }

    pub(super) fn label(&self) -> String {
        let place = if self.tidy.inner { "around and inside" } else { "around" };
        let mut also = Vec::new();
        if self.tidy.lookalikes {
            also.push("make odd blanks ordinary");
        }
        if self.tidy.controls {
            also.push("remove control characters");
        }
        let also: String = also.iter().map(|words| format!(", {words}")).collect();
        format!(
            "Remove blanks {place} the text of {}{also}",
            columns_or_all_words(&self.columns)
        )
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        positions_or_all(columns, &self.columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = positions_or_all(columns, &self.columns)?;
        Ok(Operator::step(TextStep::new(columns, positions, self.tidy)))
    }
}

/// The option that is a list of columns or the word `all`; `None` is all.
pub(super) fn read_columns_or_all(options: &mut Options<'_>, reading: &mut Reading, name: &str) -> Option<Vec<String>> {
    let node = options.take(name)?;
    if node.as_text() == Some("all") || node.is_null() {
        return None;
    }
    reading.texts(node, &options.path(name), &options.subject(name))
}

/// Such an option as JSON.
pub(super) fn columns_or_all_json(columns: &Option<Vec<String>>) -> Json {
    columns.as_ref().map_or_else(|| json!("all"), |columns| json!(columns))
}

/// "all columns", "a and b", "no columns"
pub(super) fn columns_or_all_words(columns: &Option<Vec<String>>) -> String {
    match columns.as_deref() {
        None => "all columns".into(),
        Some([]) => "no columns".into(),
        Some(columns) => enumerated(columns),
    }
}

/// Where the columns of such an option stand.
pub(super) fn positions_or_all(columns: &[Column], names: &Option<Vec<String>>) -> Result<Vec<usize>, Vec<Problem>> {
    match names {
        None => Ok((0..columns.len()).collect()),
        Some(names) => find_all(columns, names, "columns"),
    }
}

/// A blank as people see it: Unicode's white space, and the zero-width and byte-order marks that look like nothing.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// What takes no room and means nothing inside of a text.
fn is_nothing(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// What begins another line: CR, LF, and Unicode's next line, line and paragraph separators.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A control character that is no blank, or a mark that is not seen: soft hyphen, marks of direction.
fn is_control(c: char) -> bool {
    let unseen =
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !c.is_whitespace()) || unseen
}

impl TextChange for Tidy {
    fn change<'a>(&self, text: &'a str, draft: &mut Draft) -> Changed<'a> {
        if text.is_ascii() && !self.inner && !self.controls {
            return ends(text);
        }
        if *self == Self::default() || !self.touches(text) {
            return ends(text);
        }
        let trimmed = text.trim_matches(|c| is_blank(c) || (self.controls && is_control(c)));
        self.write(trimmed, draft);
        Changed::Written
    }

    fn lengthens(&self) -> bool {
        false
    }
}

/// The text without the blanks at its ends.
fn ends(text: &str) -> Changed<'_> {
    let trimmed = text.trim_matches(is_blank);
    if trimmed.len() == text.len() {
        Changed::Same
    } else {
        Changed::Part(trimmed)
    }
}

impl Tidy {
    /// Whether there is anything in the text that it changes.
    fn touches(self, text: &str) -> bool {
        let mut before = false;
        text.chars().any(|c| {
            let blank = c.is_whitespace();
            let run = self.inner && blank && before;
            before = blank;
            run || (self.controls && is_control(c)) || (self.lookalikes && self.ordinary(c) != Some(c))
        })
    }

    /// What a character becomes by itself; `None`: it goes.
    fn ordinary(self, c: char) -> Option<char> {
        if self.controls && is_control(c) {
            None
        } else if !self.lookalikes {
            Some(c)
        } else if is_nothing(c) {
            None
        } else if c.is_whitespace() && c != '\t' && !is_line_end(c) {
            Some(' ')
        } else {
            Some(c)
        }
    }

    fn write(self, text: &str, draft: &mut Draft) {
        // The blank that stands for those since the last other character; one that stands alone stays what it is.
        let mut run: Option<char> = None;
        for c in text.chars().filter_map(|c| self.ordinary(c)) {
            if !self.inner || !c.is_whitespace() {
                draft.extend(run.take());
                draft.push_char(c);
                continue;
            }
            run = Some(match run {
                None => c,
                Some(first) if is_line_end(first) || is_line_end(c) => '\n',
                Some(_) => ' ',
            });
        }
        draft.extend(run);
    }
}

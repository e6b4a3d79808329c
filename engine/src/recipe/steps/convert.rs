//! `convert`: give a column another type.

use arrow::array::ArrayRef;
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Options, Reading};
use crate::recipe::expression::Rejection;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::conversion::{Conversion, Converted, DecimalMark, Pattern};
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;
use crate::sheets::view::ColumnView;
use crate::tables::ColumnKind;

/// Gives a column another type, with every cell that is not of it accounted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convert {
    /// The column.
    pub column: String,
    /// What its cells shall be.
    pub to: Target,
    /// How dates and times are written, with the signs of strftime; empty: as ISO 8601 has them.
    pub formats: Vec<String>,
    /// What stands between whole and fraction.
    pub decimal: DecimalMark,
    /// What happens to a cell that is not of the type.
    pub otherwise: Otherwise,
}

/// What cells shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Decimal,
    /// Days.
    Date,
    /// Days with a time.
    DateTime,
    /// Times of day.
    Time,
    /// True or false.
    Boolean,
    /// Text.
    Text,
}

/// What happens to a cell that is not of the type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Otherwise {
    /// Its row is rejected.
    #[default]
    Reject,
    /// The cell becomes blank.
    Blank,
    /// The cell stays as it is.
    Keep,
    /// The run fails.
    Fail,
}

impl Target {
    /// The types by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("integer", Self::Integer),
        ("decimal", Self::Decimal),
        ("date", Self::Date),
        ("datetime", Self::DateTime),
        ("time", Self::Time),
        ("boolean", Self::Boolean),
        ("text", Self::Text),
    ];

    pub(super) fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, target)| *target == self)
            .map_or("", |(word, _)| *word)
    }

    /// The kind of column it gives.
    #[must_use]
    pub fn kind(self) -> ColumnKind {
        match self {
            Self::Integer => ColumnKind::Integer,
            Self::Decimal => ColumnKind::Decimal,
            Self::Date => ColumnKind::Date,
            Self::DateTime => ColumnKind::DateTime,
            Self::Time => ColumnKind::Time,
            Self::Boolean => ColumnKind::Boolean,
            Self::Text => ColumnKind::Text,
        }
    }

    /// "a date"
    #[must_use]
    pub fn article(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Decimal => "a number",
            Self::Date => "a date",
            Self::DateTime => "a date with a time",
            Self::Time => "a time",
            Self::Boolean => "true or false",
            Self::Text => "a text",
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Integer => "not_integer",
            Self::Decimal => "not_decimal",
            Self::Date => "not_date",
            Self::DateTime => "not_datetime",
            Self::Time => "not_time",
            Self::Boolean => "not_boolean",
            Self::Text => "not_text",
        }
    }
}

impl Otherwise {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("reject", Self::Reject),
        ("blank", Self::Blank),
        ("keep", Self::Keep),
        ("fail", Self::Fail),
    ];

    fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, otherwise)| *otherwise == self)
            .map_or("", |(word, _)| *word)
    }
}

impl Convert {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "convert",
        title: "Change the type",
        about: "Makes the cells of a column numbers, dates, times, truths or text, and says which ones are not.",
        options: &[
            OptionForm {
                name: "column",
                title: "Column",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column to convert.",
            },
            OptionForm {
                name: "to",
                title: "To",
                kind: OptionKind::Choice(&["integer", "decimal", "date", "datetime", "time", "boolean", "text"]),
                required: true,
                default: None,
                about: "What the cells shall be.",
            },
            OptionForm {
                name: "formats",
                title: "Date formats",
                kind: OptionKind::Texts,
                required: false,
                default: Some("[]"),
                about: "How dates or times are written, tried in order: %d/%m/%Y for 31/01/2024. Without any, 2024-01-31.",
            },
            OptionForm {
                name: "decimal",
                title: "Decimal sign",
                kind: OptionKind::Choice(&[".", ","]),
                required: false,
                default: Some("\".\""),
                about: "The sign between whole and fraction in texts; the other one may group thousands.",
            },
            OptionForm {
                name: "otherwise",
                title: "Otherwise",
                kind: OptionKind::Choice(&["reject", "blank", "keep", "fail"]),
                required: false,
                default: Some("\"reject\""),
                about: "What happens to a cell that cannot be converted.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`convert`")?;
        let column = options.required_text(reading, "column");
        let to = options
            .require(reading, "to")
            .and_then(|node| reading.choice(node, &options.path("to"), "`to` of `convert`", Target::WORDS));
        let decimal = options
            .optional_choice(reading, "decimal", DecimalMark::WORDS)
            .unwrap_or_default();
        let otherwise = options
            .optional_choice(reading, "otherwise", Otherwise::WORDS)
            .unwrap_or_default();
        let formats = read_formats(&mut options, to, reading);
        options.finish(reading, &["column", "to", "formats", "decimal", "otherwise"]);
        Some(Self {
            column: column?,
            to: to?,
            formats: formats?,
            decimal,
            otherwise,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "column": self.column,
            "to": self.to.word(),
            "formats": self.formats,
            "decimal": self.decimal.word(),
            "otherwise": self.otherwise.word(),
        })
    }

    pub(super) fn label(&self) -> String {
        let formats = if self.formats.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.formats.join(", "))
        };
        let otherwise = match self.otherwise {
            Otherwise::Reject => "reject rows where that fails",
            Otherwise::Blank => "blank cells where that fails",
            Otherwise::Keep => "keep cells where that fails",
            Otherwise::Fail => "stop where that fails",
        };
        format!("Convert {} to {}{formats}, {otherwise}", self.column, self.to.word())
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let position = self.position(columns)?;
        let mut after = columns.to_vec();
        let same = columns[position].kind == self.to.kind();
        after[position] = Column {
            kind: self.kind_after(columns[position].kind),
            format: columns[position].format.clone().filter(|_| same),
            ..columns[position].clone()
        };
        Ok(after)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let position = self.position(columns)?;
        let conversion = Conversion::new(self.to, &self.formats, self.decimal)
            .map_err(|message| vec![Problem::at("formats", message)])?;
        let after = self.kind_after(columns[position].kind);
        let format = columns[position].format.clone();
        Ok(Operator::step(ConvertStep {
            position,
            conversion,
            after,
            format,
            otherwise: self.otherwise,
        }))
    }

    fn position(&self, columns: &[Column]) -> Result<usize, Vec<Problem>> {
        find(columns, &self.column).map_err(|message| vec![Problem::at("column", message)])
    }

    /// Cells that are kept make a column of several kinds, unless all are of the type already.
    fn kind_after(&self, before: ColumnKind) -> ColumnKind {
        let fits = before == self.to.kind()
            || self.to == Target::Text
            || (before == ColumnKind::Integer && self.to == Target::Decimal);
        if self.otherwise == Otherwise::Keep && !fits {
            ColumnKind::Mixed
        } else {
            self.to.kind()
        }
    }
}

fn read_formats(options: &mut Options<'_>, to: Option<Target>, reading: &mut Reading) -> Option<Vec<String>> {
    let Some(node) = options.take("formats") else {
        return Some(Vec::new());
    };
    let path = options.path("formats");
    let formats = reading.texts(node, &path, "`formats` of `convert`")?;
    let to = to?;
    if !matches!(to, Target::Date | Target::DateTime | Target::Time) && !formats.is_empty() {
        let message = "`formats` of `convert` is for `to: date`, `datetime` or `time`.";
        reading.problem(node.place, &path, message);
        return None;
    }
    for format in &formats {
        if let Err(message) = Pattern::new(format, to) {
            reading.problem(node.place, &path, format!("`formats` of `convert`: {message}"));
            return None;
        }
    }
    Some(formats)
}

#[derive(Debug)]
struct ConvertStep {
    position: usize,
    conversion: Conversion,
    after: ColumnKind,
    format: Option<String>,
    otherwise: Otherwise,
}

impl ChunkStep for ConvertStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let column = &chunk.columns[self.position];
        let mut columns = chunk.columns.clone();
        let mut rejections = Vec::new();
        if *column.data_type() != self.after.arrow() {
            let view = ColumnView::of(column)?;
            let converted: Vec<Converted> = (0..chunk.rows())
                .map(|row| self.conversion.convert(&view.cell(row), self.format.as_deref()))
                .collect();
            if matches!(self.otherwise, Otherwise::Reject | Otherwise::Fail) {
                rejections = self.failures(&view, &converted)?;
            }
            columns[self.position] = self.column(&view, &converted)?;
        } else if self.after == ColumnKind::Mixed {
            let view = ColumnView::of(column)?;
            let converted: Vec<Converted> = (0..chunk.rows())
                .map(|row| self.conversion.convert(&view.cell(row), self.format.as_deref()))
                .collect();
            columns[self.position] = self.column(&view, &converted)?;
        }
        let mut applied = Applied::same_columns(columns);
        applied.rejections = rejections;
        Ok(applied)
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        // What fails counts even where the column is not wanted any more.
        let mut needed = wanted.to_vec();
        needed[self.position] = true;
        needed
    }
}

impl ConvertStep {
    fn column(&self, view: &ColumnView, converted: &[Converted]) -> Result<ArrayRef, PlanError> {
        if self.after == ColumnKind::Mixed {
            return Ok(self.conversion.mixed(view, converted, self.format.as_deref()));
        }
        Ok(self.conversion.typed(converted))
    }

    fn failures(&self, view: &ColumnView, converted: &[Converted]) -> Result<Vec<Rejection>, PlanError> {
        let mut failures = Vec::new();
        for (row, _) in converted
            .iter()
            .enumerate()
            .filter(|(_, converted)| **converted == Converted::Failed)
        {
            let value = view.cell(row).plain(self.format.as_deref()).into_owned();
            let rejection = Rejection {
                position: u32::try_from(row).map_err(|_error| PlanError::Internal("a chunk has too many rows"))?,
                column: Some(self.position),
                message: format!("`{value}` is not {}", self.conversion.wanted()),
                value,
                rule: self.conversion.target().rule(),
            };
            if self.otherwise == Otherwise::Fail {
                return Err(PlanError::Stopped(Box::new(rejection)));
            }
            failures.push(rejection);
        }
        Ok(failures)
    }
}

//! What comes out of a recipe: formats, parts and names, and what becomes of rejected rows.

use serde_json::{Map, Value as Json, json};

use super::{Node, Options, Reading};
use crate::recipe::problem::{did_you_mean, listed};
use crate::sheets::write::{Compression, CsvStyle, Delimiter, Encoding, LineEnd, Unwritable};

/// The `output` part of a recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// The format of the result.
    pub format: OutputFormat,
    /// How csv is written, in results and lists.
    pub csv: CsvStyle,
    /// How much work goes into making workbooks small.
    pub compression: Compression,
    /// The column by whose values the result is split, and into what.
    pub split: Option<Split>,
    /// What results are called: `{file}-{value}.xlsx`, with what [`PLACEHOLDERS`] names; nothing: after file and recipe.
    pub name: Option<String>,
    /// What becomes of rejected rows.
    pub policy: RejectsPolicy,
    /// How rejected rows are told of.
    pub rejects_as: RejectsForm,
    /// The format of the list of rejects; nothing: that of the result, or csv where that is for programs.
    pub list_format: Option<ListFormat>,
}

/// A result in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The column; each of its values is a part.
    pub column: String,
    /// What a part is.
    pub into: SplitInto,
}

/// What a part of a result is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SplitInto {
    /// A file.
    #[default]
    Files,
    /// A sheet of the workbook.
    Sheets,
}

/// A file format that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// One workbook, a sheet per table.
    #[default]
    Xlsx,
    /// A file per table.
    Csv,
    /// A Parquet file per table.
    Parquet,
    /// A file per table with a JSON object a line.
    Jsonl,
}

/// A format of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// A workbook.
    Xlsx,
    /// A csv file.
    Csv,
}

/// What becomes of rows that a rule rejects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectsPolicy {
    /// They are left out of the result and listed.
    #[default]
    LeaveOut,
    /// They stay in the result, with what could not be made out left blank, and are listed.
    Keep,
    /// The run fails; they are listed.
    Fail,
}

/// How rejected rows are told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectsForm {
    /// A list: file, sheet, row, cell, column, value, rule, message.
    #[default]
    List,
    /// The sheet as it was read, as xlsx: what is wrong with a cell coloured and noted on it, with the columns `_row` and
    /// `_errors`.
    Annotate,
}

/// What a name may hold between braces: the input's name without its ending, the recipe's name, the sheet, the value that
/// the part is of.
pub const PLACEHOLDERS: [&str; 4] = ["file", "recipe", "sheet", "value"];

impl OutputFormat {
    /// The formats by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("xlsx", Self::Xlsx),
        ("csv", Self::Csv),
        ("parquet", Self::Parquet),
        ("jsonl", Self::Jsonl),
    ];

    /// The word of the document, which is also the extension of files.
    #[must_use]
    pub fn word(self) -> &'static str {
        word(Self::WORDS, self)
    }
}

impl ListFormat {
    /// The formats by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("xlsx", Self::Xlsx), ("csv", Self::Csv)];
}

impl SplitInto {
    /// The parts by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("files", Self::Files), ("sheets", Self::Sheets)];
}

impl RejectsPolicy {
    /// The policies by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("leave_out", Self::LeaveOut),
        ("keep", Self::Keep),
        ("fail", Self::Fail),
    ];

    /// The word of the document.
    #[must_use]
    pub fn word(self) -> &'static str {
        word(Self::WORDS, self)
    }
}

impl RejectsForm {
    /// The forms by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("list", Self::List), ("annotate", Self::Annotate)];

    /// The word of the document.
    #[must_use]
    pub fn word(self) -> &'static str {
        word(Self::WORDS, self)
    }
}

fn word<T: PartialEq + Copy>(words: &'static [(&'static str, T)], value: T) -> &'static str {
    words
        .iter()
        .find(|(_, candidate)| *candidate == value)
        .map_or("", |(word, _)| *word)
}

impl OutputOptions {
    /// The format of the list of rejects.
    #[must_use]
    pub fn list_format(&self) -> ListFormat {
        self.list_format.unwrap_or(match self.format {
            OutputFormat::Xlsx => ListFormat::Xlsx,
            OutputFormat::Csv | OutputFormat::Parquet | OutputFormat::Jsonl => ListFormat::Csv,
        })
    }

    pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, "output", "`output`")?;
        let mut output = Self {
            format: options
                .optional_choice(reading, "format", OutputFormat::WORDS)
                .unwrap_or_default(),
            split: read_split(&mut options, reading),
            name: read_name(&mut options, reading),
            ..Self::default()
        };
        if let Some(node) = options.take("csv") {
            output.csv = read_csv(node, reading).unwrap_or_default();
        }
        if let Some(node) = options.take("xlsx") {
            output.compression = read_xlsx(node, reading).unwrap_or_default();
        }
        if let Some(node) = options.take("rejects")
            && let Some(mut rejects) = reading.map(node, "output.rejects", "`rejects`")
        {
            output.policy = rejects
                .optional_choice(reading, "policy", RejectsPolicy::WORDS)
                .unwrap_or_default();
            output.rejects_as = rejects
                .optional_choice(reading, "as", RejectsForm::WORDS)
                .unwrap_or_default();
            output.list_format = rejects.optional_choice(reading, "format", ListFormat::WORDS);
            rejects.finish(reading, &["policy", "as", "format"]);
        }
        options.finish(
            reading,
            &["format", "csv", "xlsx", "split_by", "split_into", "name", "rejects"],
        );
        let into_sheets = output
            .split
            .as_ref()
            .is_some_and(|split| split.into == SplitInto::Sheets);
        if into_sheets && output.format != OutputFormat::Xlsx {
            let message = "`split_into: sheets` is for `format: xlsx`; other formats have one sheet a file.";
            reading.problem(node.place, "output.split_into", message);
        }
        Some(output)
    }

    /// What is as it would be anyway is left out, but for what every recipe says.
    pub(super) fn to_json(&self) -> Json {
        let mut object = Map::new();
        object.insert("format".to_owned(), json!(self.format.word()));
        if self.csv != CsvStyle::default() {
            object.insert("csv".to_owned(), csv_json(&self.csv));
        }
        if self.compression != Compression::default() {
            let compression = word(Compression::WORDS, self.compression);
            object.insert("xlsx".to_owned(), json!({ "compression": compression }));
        }
        if let Some(split) = &self.split {
            object.insert("split_by".to_owned(), json!(split.column));
            object.insert("split_into".to_owned(), json!(word(SplitInto::WORDS, split.into)));
        }
        if let Some(name) = &self.name {
            object.insert("name".to_owned(), json!(name));
        }
        let mut rejects = json!({ "policy": self.policy.word(), "as": self.rejects_as.word() });
        if let (Some(format), Some(rejects)) = (self.list_format, rejects.as_object_mut()) {
            rejects.insert("format".to_owned(), json!(word(ListFormat::WORDS, format)));
        }
        object.insert("rejects".to_owned(), rejects);
        Json::Object(object)
    }
}

fn read_split(options: &mut Options<'_>, reading: &mut Reading) -> Option<Split> {
    let column = options.optional_text(reading, "split_by");
    let node = options.take("split_into");
    let path = options.path("split_into");
    let into = node.map(|node| reading.choice(node, &path, "`split_into` of `output`", SplitInto::WORDS));
    match (column, node) {
        (None, Some(node)) => {
            reading.problem(
                node.place,
                &path,
                "`split_into` needs `split_by` with the column to split by.",
            );
            None
        }
        (column, _) => Some(Split {
            column: column?,
            into: into.flatten().unwrap_or_default(),
        }),
    }
}

fn read_name(options: &mut Options<'_>, reading: &mut Reading) -> Option<String> {
    let node = options.take("name")?;
    let path = options.path("name");
    let name = reading.text(node, &path, "`name` of `output`")?;
    for part in name.split('{').skip(1) {
        let known = |placeholder: &str| PLACEHOLDERS.contains(&placeholder);
        let placeholder = part.split_once('}').map(|(placeholder, _)| placeholder);
        if !placeholder.is_some_and(known) {
            let written = placeholder.unwrap_or(part);
            let message = format!(
                "`{{{written}}}` in `name` of `output` is not known.{} Between braces it is one of {}.",
                did_you_mean(written, PLACEHOLDERS),
                listed(PLACEHOLDERS)
            );
            reading.problem(node.place, &path, message);
            return None;
        }
    }
    Some(name)
}

fn read_csv(node: &Node, reading: &mut Reading) -> Option<CsvStyle> {
    let mut options = reading.map(node, "output.csv", "`csv` of `output`")?;
    let style = CsvStyle {
        delimiter: options
            .optional_choice(reading, "delimiter", Delimiter::WORDS)
            .unwrap_or_default(),
        encoding: options
            .optional_choice(reading, "encoding", Encoding::WORDS)
            .unwrap_or_default(),
        line_end: options
            .optional_choice(reading, "line_end", LineEnd::WORDS)
            .unwrap_or_default(),
        unwritable: options
            .optional_choice(reading, "unwritable", Unwritable::WORDS)
            .unwrap_or_default(),
    };
    options.finish(reading, &["delimiter", "encoding", "line_end", "unwritable"]);
    Some(style)
}

fn read_xlsx(node: &Node, reading: &mut Reading) -> Option<Compression> {
    let mut options = reading.map(node, "output.xlsx", "`xlsx` of `output`")?;
    let compression = options.optional_choice(reading, "compression", Compression::WORDS);
    options.finish(reading, &["compression"]);
    compression
}

fn csv_json(style: &CsvStyle) -> Json {
    json!({
        "delimiter": word(Delimiter::WORDS, style.delimiter),
        "encoding": word(Encoding::WORDS, style.encoding),
        "line_end": word(LineEnd::WORDS, style.line_end),
        "unwritable": word(Unwritable::WORDS, style.unwritable),
    })
}

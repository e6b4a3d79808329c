//! The options of `input` and `output` as forms and the guide present them. Tests hold them against what is read.

/// A part of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its word.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// Its options, in the order of the form.
    pub options: &'static [PartOption],
}

/// An option of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOption {
    /// Its place in the part: `format`, or `csv.delimiter`.
    pub name: &'static str,
    /// Its label in forms.
    pub title: &'static str,
    /// What is put in.
    pub kind: PartKind,
    /// What holds when it is left out, as JSON text.
    pub default: Option<&'static str>,
    /// The choices with any of which it has a meaning, each with the option that is chosen; none: it always has one.
    pub when: &'static [(&'static str, &'static [&'static str])],
    /// A sentence or two of help.
    pub about: &'static str,
}

/// What is put into an option of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// One of these words, each with what it says in forms.
    Choice(&'static [(&'static str, &'static str)]),
    /// One of the columns of the result.
    Column,
    /// A text.
    Text,
    /// `first`, `visible`, `all`, a list of names, or a map with a pattern.
    Sheets,
    /// `auto`, `none`, a row's number, or the first and the last of several rows.
    Header,
    /// A list of columns.
    Columns,
    /// `exact`, `normalised`, `synonym`, `fuzzy`, or a number from 0.5 to 1.
    Match,
}

impl PartKind {
    /// What is put in, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Choice(_) => "One of these",
            Self::Column => "A column",
            Self::Text => "A text",
            Self::Sheets => {
                "`first`, `visible`, `all`, a list of names such as `[2024, 2025]`, or a pattern such as `{matching: \"20*\"}`"
            }
            Self::Header => {
                "`auto`, `none`, the number of a row such as `3`, or the first and the last of several such as `[3, 4]`"
            }
            Self::Columns => {
                "A list of names, or of maps with `name`, with `also` for other names and with `required` where a file \
                 without it is refused"
            }
            Self::Match => "`exact`, `normalised`, `synonym`, `fuzzy`, or how alike names have to be, from 0.5 to 1",
        }
    }

    /// The words that there are to choose from, each with what it says.
    #[must_use]
    pub fn choices(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Choice(words) => words,
            _ => &[],
        }
    }
}

const fn option(name: &'static str, title: &'static str, kind: PartKind, about: &'static str) -> PartOption {
    PartOption {
        name,
        title,
        kind,
        default: None,
        when: &[],
        about,
    }
}

impl PartOption {
    const fn usually(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    const fn only_with(mut self, when: &'static [(&'static str, &'static [&'static str])]) -> Self {
        self.when = when;
        self
    }
}

/// How files are read.
pub const INPUT: Part = Part {
    name: "input",
    title: "What is read",
    about: "Which sheets of a workbook a recipe is for, where their header is, and what their columns are called.",
    options: &[
        option(
            "sheets",
            "Sheets",
            PartKind::Sheets,
            "Which sheets of a workbook the steps are for. Names are the same in capital and small letters; in a pattern `*` \
             is any text and `?` one character.",
        )
        .usually("\"first\""),
        option(
            "header",
            "Header",
            PartKind::Header,
            "Where the names of the columns stand. `auto` finds the row, below titles too, and several rows where names of \
             groups stand above them. Of several rows the names are put together, with a blank between. With `none`, \
             columns go by their letters.",
        )
        .usually("\"auto\""),
        option(
            "merged",
            "Merged cells",
            PartKind::Choice(&[("keep", "their first cell holds the value"), ("fill", "all their cells hold it")]),
            "What an area of merged cells is.",
        )
        .usually("\"keep\""),
        option(
            "hidden",
            "Hidden rows and columns",
            PartKind::Choice(&[("read", "are read"), ("leave_out", "are left out")]),
            "What becomes of rows and columns that do not show in Excel, those that a filter hides too.",
        )
        .usually("\"read\""),
        option(
            "encoding",
            "Encoding of csv",
            PartKind::Text,
            "How the bytes of plain text become characters: `UTF-8`, `windows-1252`, `Shift_JIS` and the like. Left out, it \
             is found.",
        ),
        option(
            "delimiter",
            "Delimiter of csv",
            PartKind::Text,
            "What stands between the fields of plain text: one character such as `;`, or the word `tab`. Left out, it is \
             found.",
        ),
        option(
            "columns",
            "Expected columns",
            PartKind::Columns,
            "The columns that the steps need, under the names that the steps use. Headers of files are matched with them; \
             without a list, files are taken as they are.",
        ),
        option(
            "match",
            "Headers fit if they are",
            PartKind::Match,
            "Which headers are taken for an expected column. Each takes what the ones before it take: the same text; the same \
             but for capitals, blanks, punctuation and accents; one of its other names; a name that is very alike.",
        )
        .usually("\"fuzzy\"")
        .only_with(&[("columns", &[])]),
        option(
            "others",
            "Other columns",
            PartKind::Choice(&[("keep", "stay"), ("drop", "are left out")]),
            "What becomes of columns that are not expected.",
        )
        .usually("\"keep\"")
        .only_with(&[("columns", &[])]),
    ],
};

/// Results that are csv, and lists that are.
const CSV: &[(&str, &[&str])] = &[("format", &["csv", "parquet", "jsonl"]), ("rejects.format", &["csv"])];

/// How results are written.
pub const OUTPUT: Part = Part {
    name: "output",
    title: "What is written",
    about: "The format of the result, its parts and names, and what becomes of rejected rows.",
    options: &[
        option(
            "format",
            "Result",
            PartKind::Choice(&[
                ("xlsx", "Excel workbook (.xlsx)"),
                ("csv", "CSV (.csv)"),
                ("parquet", "Parquet (.parquet)"),
                ("jsonl", "JSON lines (.jsonl)"),
            ]),
            "The format of the result. A workbook has a sheet for each table; the others are a file for each.",
        )
        .usually("\"xlsx\""),
        option(
            "xlsx.compression",
            "Workbooks are",
            PartKind::Choice(&[
                ("fast", "written fast"),
                ("balanced", "somewhat smaller, and take a little longer"),
                ("small", "as small as they get, and take several times as long"),
            ]),
            "How much time is spent on making workbooks small. What is in them is the same.",
        )
        .usually("\"fast\"")
        .only_with(&[("format", &["xlsx"])]),
        option(
            "csv.delimiter",
            "Between fields",
            PartKind::Choice(&[(",", "a comma"), (";", "a semicolon"), ("tab", "a tab"), ("|", "a bar")]),
            "What stands between the fields of csv, in results and lists. Excel wants the semicolon where the comma is the \
             decimal sign.",
        )
        .usually("\",\"")
        .only_with(CSV),
        option(
            "csv.encoding",
            "Encoding",
            PartKind::Choice(&[
                ("utf-8", "UTF-8"),
                ("utf-8-bom", "UTF-8 with a mark (BOM), for Excel"),
                ("windows-1252", "Windows-1252, western"),
                ("utf-16le", "UTF-16"),
            ]),
            "How characters become bytes. Excel knows UTF-8 only by the mark in front.",
        )
        .usually("\"utf-8\"")
        .only_with(CSV),
        option(
            "csv.line_end",
            "Lines end with",
            PartKind::Choice(&[("lf", "a line feed"), ("crlf", "carriage return and line feed, as on Windows")]),
            "How lines of csv end.",
        )
        .usually("\"lf\"")
        .only_with(CSV),
        option(
            "csv.unwritable",
            "Characters that the encoding lacks",
            PartKind::Choice(&[("replace", "become ?, and are counted"), ("fail", "fail the run")]),
            "What becomes of characters that Windows-1252 does not have.",
        )
        .usually("\"replace\"")
        .only_with(&[("csv.encoding", &["windows-1252"])]),
        option(
            "split_by",
            "One part for each value of",
            PartKind::Column,
            "The column by whose values the result is split. Rows without a value are a part of their own.",
        ),
        option(
            "split_into",
            "Parts are",
            PartKind::Choice(&[("files", "files"), ("sheets", "sheets of the workbook")]),
            "What a part is. Only a workbook has sheets.",
        )
        .usually("\"files\"")
        .only_with(&[("split_by", &[])]),
        option(
            "name",
            "Name of results",
            PartKind::Text,
            "What results are called, without the ending, such as `{file}-{value}`. Between braces: `file` is the name of the \
             file that was read, `recipe` that of the recipe, `sheet` the sheet, `value` the value that a part is of. Left \
             out, it is after file and recipe.",
        ),
        option(
            "rejects.policy",
            "Rejected rows",
            PartKind::Choice(&[
                ("leave_out", "are left out"),
                ("keep", "stay, with what is wrong beside them"),
                ("fail", "fail the run"),
            ]),
            "What becomes of rows that a rule rejects. They are told of in any case.",
        )
        .usually("\"leave_out\""),
        option(
            "rejects.as",
            "They are told of",
            PartKind::Choice(&[("list", "in a list"), ("annotate", "on the sheet itself, coloured, with notes")]),
            "A list has file, sheet, row, cell, column, value, rule and message of each mistake. On the sheet itself, as it \
             was read, cells with a mistake are coloured and have a note, and the columns `_row` and `_errors` stand behind \
             the others.",
        )
        .usually("\"list\""),
        option(
            "rejects.format",
            "The list is",
            PartKind::Choice(&[("xlsx", "an Excel workbook"), ("csv", "a csv file")]),
            "The format of the list. Left out, it is a workbook where the result is one, and csv otherwise.",
        )
        .only_with(&[("rejects.as", &["list"])]),
    ],
};

/// The parts beside the steps.
pub const PARTS: [&Part; 2] = [&INPUT, &OUTPUT];

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::recipe::document::Recipe;

    /// A recipe with one option of a part set.
    fn with(part: &Part, option: &str, value: &Json) -> Json {
        let mut object = json!({});
        match option.split_once('.') {
            Some((group, name)) => object[group][name] = value.clone(),
            None => object[option] = value.clone(),
        }
        let needs = option.split('.').next().unwrap_or(option);
        match needs {
            "split_into" => object["split_by"] = json!("region"),
            "others" | "match" => object["columns"] = json!(["id"]),
            _ => {}
        }
        json!({ "steps": [], part.name: object })
    }

    fn sample(kind: PartKind) -> Vec<Json> {
        match kind {
            PartKind::Choice(words) => words.iter().map(|(word, _)| json!(word)).collect(),
            PartKind::Column => vec![json!("region")],
            PartKind::Text => Vec::new(),
            PartKind::Sheets => vec![
                json!("first"),
                json!("visible"),
                json!("all"),
                json!(["a"]),
                json!({"matching": "2*"}),
            ],
            PartKind::Header => vec![json!("auto"), json!("none"), json!(3), json!([3, 4])],
            PartKind::Columns => vec![json!(["id"]), json!([{"name": "id", "also": ["no"], "required": true}])],
            PartKind::Match => vec![
                json!("exact"),
                json!("normalised"),
                json!("synonym"),
                json!("fuzzy"),
                json!(0.8),
            ],
        }
    }

    #[test]
    fn each_option_and_each_of_its_words_is_read() {
        for part in PARTS {
            for option in part.options {
                for value in sample(option.kind) {
                    let document = with(part, option.name, &value);
                    let read = Recipe::from_json(&document);
                    assert!(read.is_ok(), "{}.{} {value}: {read:?}", part.name, option.name);
                }
            }
        }
        for (name, value) in [("encoding", "windows-1252"), ("delimiter", "tab")] {
            assert!(Recipe::from_json(&with(&INPUT, name, &json!(value))).is_ok(), "{name}");
        }
        assert!(Recipe::from_json(&with(&OUTPUT, "name", &json!("{file}"))).is_ok());
    }

    #[test]
    fn what_is_read_has_a_definition_and_defaults_are_what_holds() {
        for part in PARTS {
            let names: Vec<&str> = part.options.iter().map(|option| option.name).collect();
            let mut groups: Vec<Vec<&str>> = vec![
                names
                    .iter()
                    .map(|name| name.split('.').next().unwrap_or(name))
                    .collect(),
            ];
            for group in ["xlsx", "csv", "rejects"] {
                let inside = names
                    .iter()
                    .filter_map(|name| name.strip_prefix(group)?.strip_prefix('.'));
                groups.push(inside.collect());
            }
            let unknown = [
                json!({"zzz": 1}),
                json!({"xlsx": {"zzz": 1}}),
                json!({"csv": {"zzz": 1}}),
                json!({"rejects": {"zzz": 1}}),
            ];
            for (known, unknown) in groups.iter().zip(unknown).filter(|(known, _)| !known.is_empty()) {
                let problems = Recipe::from_json(&json!({ "steps": [], part.name: unknown })).expect_err("unknown");
                let (_, listed) = problems[0]
                    .message
                    .split_once("Its options are ")
                    .expect("a list of options");
                let mut listed: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
                let mut known = known.clone();
                known.dedup();
                listed.sort_unstable();
                known.sort_unstable();
                assert_eq!(known, listed, "{}", part.name);
            }
            let plain = Recipe::from_json(&json!({ "steps": [] })).expect("it is well-formed");
            for option in part.options {
                if let Some(default) = option.default {
                    let value: Json = serde_json::from_str(default).expect("JSON");
                    let mut document = with(part, option.name, &value);
                    if let Some(options) = document[part.name].as_object_mut() {
                        options.remove("columns");
                        options.remove("split_by");
                        if !options.contains_key("split_into") {
                            let same = Recipe::from_json(&document).expect("it is well-formed");
                            assert_eq!(same, plain, "{}.{}", part.name, option.name);
                        }
                    }
                }
            }
        }
    }
}

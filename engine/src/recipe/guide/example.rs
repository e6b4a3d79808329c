//! A step's page as its file has it: Markdown with tables, in a fixed order.
//!
//! ````text
//! # What the example is about
//!
//! A sentence or two.
//!
//! | name     | city |
//! | -------- | ---- |
//! | "  Ann " | Gent |
//!
//! ```yaml
//! - trim
//! ```
//!
//! | name | city |
//! | ---- | ---- |
//! | Ann  | Gent |
//!
//! Rejected:
//!
//! | row | column | value | message |
//! …
//!
//! See also: replace, normalise.
//! ````
//!
//! A cell in double quotes is a text as JSON writes it, so that blanks and characters that are not seen can be shown.
//! `Other table prices:` in front of a table makes it the one that the steps call `prices`. On the pages of `input` and
//! `output` the block of YAML is parts of a recipe, and `File orders.csv:` stands in front of a table, or of a block of text,
//! that is in a file that is written.

/// What a step's file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The examples, at least one.
    pub examples: Vec<Example>,
    /// Words of steps that do something near to it.
    pub related: Vec<String>,
}

/// A table before, steps, and the table after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// What it is about.
    pub title: String,
    /// What is said of it.
    pub about: String,
    /// The sheet as it is read.
    pub before: Grid,
    /// Other tables by their names.
    pub others: Vec<(String, Grid)>,
    /// The steps, as in a recipe.
    pub steps: String,
    /// What is written.
    pub after: Grid,
    /// The files that are written by their names, where that is what is shown.
    pub files: Vec<(String, InFile)>,
    /// The rows that are rejected: row number, column, value, message.
    pub rejected: Option<Grid>,
}

/// What is in a file that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InFile {
    /// A table.
    Table(Grid),
    /// Its bytes as text, with a line feed behind each line.
    Text(String),
}

/// A small table of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a cell for each column.
    pub rows: Vec<Vec<String>>,
}

/// What is wrong with a step's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct PageError {
    /// The line, from 1.
    pub line: usize,
    /// In words.
    pub message: &'static str,
}

/// What the next table is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    Before,
    Other(String),
    After,
    Rejected,
    File(String),
}

impl Next {
    /// What a line says that the next table is.
    fn said(line: &str) -> Option<Self> {
        let named = |before: &str| Some(line.strip_prefix(before)?.strip_suffix(':')?.to_owned());
        match line {
            "Rejected:" => Some(Self::Rejected),
            _ => named("File ")
                .map(Self::File)
                .or_else(|| named("Other table ").map(Self::Other)),
        }
    }
}

impl Page {
    /// Reads a step's file.
    ///
    /// # Errors
    /// The first line that does not fit.
    pub fn parse(text: &str) -> Result<Self, PageError> {
        let mut page = Self::default();
        let mut next = Next::Before;
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .peekable();
        while let Some((number, line)) = lines.next() {
            let wrong = |message| PageError { line: number, message };
            if let Some(title) = line.strip_prefix("# ") {
                next = Next::Before;
                page.examples.push(Example {
                    title: title.trim().to_owned(),
                    ..Example::default()
                });
                continue;
            }
            if let Some(names) = line.strip_prefix("See also: ") {
                let names = names.trim_end_matches('.').split(',');
                page.related.extend(names.map(|name| name.trim().to_owned()));
                continue;
            }
            let Some(example) = page.examples.last_mut() else {
                return Err(wrong("a page begins with a title, `# …`"));
            };
            if line.trim().is_empty() {
                continue;
            }
            if line.starts_with('|') {
                let mut table = vec![(number, line)];
                while let Some(line) = lines.next_if(|(_, line)| line.starts_with('|')) {
                    table.push(line);
                }
                let grid = Grid::parse(&table)?;
                example.put(grid, std::mem::replace(&mut next, Next::Before));
            } else if line == "```yaml" {
                for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
                    example.steps.push_str(line);
                    example.steps.push('\n');
                }
                next = Next::After;
            } else if let ("```text", Next::File(name)) = (line, &next) {
                let block = lines.by_ref().take_while(|(_, line)| *line != "```");
                let text = block.map(|(_, line)| format!("{line}\n")).collect();
                example.files.push((name.clone(), InFile::Text(text)));
            } else if let Some(what) = Next::said(line) {
                next = what;
            } else if example.before.columns.is_empty() {
                if !example.about.is_empty() {
                    example.about.push(' ');
                }
                example.about.push_str(line.trim());
            } else {
                return Err(wrong("words stand in front of the first table"));
            }
        }
        Ok(page)
    }
}

impl Example {
    fn put(&mut self, grid: Grid, as_what: Next) {
        match as_what {
            Next::Before => self.before = grid,
            Next::Other(name) => self.others.push((name, grid)),
            Next::After => self.after = grid,
            Next::Rejected => self.rejected = Some(grid),
            Next::File(name) => self.files.push((name, InFile::Table(grid))),
        }
    }
}

impl Grid {
    fn parse(lines: &[(usize, &str)]) -> Result<Self, PageError> {
        let number = lines.first().map_or(0, |(number, _)| *number);
        let is_rule = |line: &str| line.chars().all(|sign| matches!(sign, '|' | '-' | ' '));
        let [(_, head), (_, rule), rows @ ..] = lines else {
            let message = "a table has a head and a line of dashes";
            return Err(PageError { line: number, message });
        };
        if !is_rule(rule) {
            let message = "under the head of a table is a line of dashes";
            return Err(PageError {
                line: number + 1,
                message,
            });
        }
        let columns = cells(number, head)?;
        let mut grid = Self {
            rows: Vec::with_capacity(rows.len()),
            columns,
        };
        for (number, row) in rows {
            let cells = cells(*number, row)?;
            if cells.len() != grid.columns.len() {
                let message = "a row has as many cells as the table has columns";
                return Err(PageError { line: *number, message });
            }
            grid.rows.push(cells);
        }
        Ok(grid)
    }
}

/// The cells between the bars of a line; a bar inside quotes is none.
fn cells(line: usize, text: &str) -> Result<Vec<String>, PageError> {
    let wrong = |message| PageError { line, message };
    let inner = text
        .trim_end()
        .strip_prefix('|')
        .and_then(|rest| rest.strip_suffix('|'));
    let inner = inner.ok_or(wrong("a line of a table ends with a bar"))?;
    let (mut quoted, mut escaped) = (false, false);
    let parts = inner.split(|sign: char| {
        let ends = sign == '|' && !quoted;
        quoted ^= sign == '"' && !escaped;
        escaped = sign == '\\' && !escaped;
        ends
    });
    let parts: Vec<&str> = parts.map(str::trim).collect();
    let cell = |part: &str| {
        if part.len() > 1 && part.starts_with('"') && part.ends_with('"') {
            serde_json::from_str(part).map_err(|_not_json| wrong("a quoted cell is a JSON text"))
        } else {
            Ok(part.to_owned())
        }
    };
    parts.into_iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_examples_with_tables_and_words() {
        let text = "# One\n\nWords,\nmore words.\n\n| a | b c |\n| - | --- |\n| \" x|\\\"\\u00a0\" |  |\n\nOther table p:\n\n| k |\n| - |\n\n\
                    ```yaml\n- join: {with: p}\n```\n\n| a |\n| - |\n| 1 |\n\nRejected:\n\n| row |\n| --- |\n| 2 |\n\nSee also: sort, group.\n";
        let page = Page::parse(text).expect("a page");
        let [example] = &page.examples[..] else {
            panic!("{page:?}")
        };
        assert_eq!(example.about, "Words, more words.");
        assert_eq!(example.before.columns, ["a", "b c"]);
        assert_eq!(example.before.rows, [[" x|\"\u{a0}", ""]]);
        assert_eq!(example.others[0].0, "p");
        assert_eq!(example.steps, "- join: {with: p}\n");
        assert_eq!(example.after.rows, [["1"]]);
        assert_eq!(example.rejected.as_ref().map(|grid| grid.rows.len()), Some(1));
        assert_eq!(page.related, ["sort", "group"]);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_line() {
        for (text, line) in [
            ("words\n", 1),
            ("# a\n\n| a |\n", 3),
            ("# a\n| a |\n| b |\n", 3),
            ("# a\n| a | b |\n| - | - |\n| 1 |\n", 4),
            ("# a\n| a |\n| - |\n| \"\\q\" |\n", 4),
            ("# a\n| a |\n| - |\nwords\n", 4),
        ] {
            assert_eq!(Page::parse(text).expect_err(text).line, line, "{text}");
        }
    }
}

//! The rules of a `validate` step, ready to be checked on chunks of rows.

use std::collections::HashSet;
use std::fmt::Write as _;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use regex::Regex;

use super::chunk::Chunk;
use super::conversion::{Conversion, Converted, DecimalMark};
use super::operator::{Applied, ChunkStep, PlanError};
use crate::recipe::columns::{Column, find, kind_words};
use crate::recipe::expression::{self, Program, Rejection};
use crate::recipe::problem::{Problem, nearest};
use crate::recipe::rejects::Severity;
use crate::recipe::steps::{ColumnTest, Length, Rule, Target, Test};
use crate::sheets::CellKind;
use crate::sheets::view::{CellView, ColumnView};
use crate::tables::ColumnKind;

/// Characters of a value that a message shows; the list of rejects has the whole of it beside.
const SHOWN: usize = 60;
/// Allowed values that a message names, and among which a near one is looked for.
const NAMED: usize = 6;
const COMPARED: usize = 50;
/// Milliseconds of a day, less one: a day as the greatest counts to its end.
const REST_OF_DAY: f64 = 86_399_999.0;

/// Compiled rules.
#[derive(Debug)]
pub struct Rules {
    /// What checks a chunk.
    pub step: RulesStep,
    /// The sets of columns that must be unique, by position. For each there stands a column behind those of the chunk: the
    /// row in which the values stood first, or nothing where that is the row itself.
    pub sets: Vec<Vec<usize>>,
}

/// Checks each row against all rules.
#[derive(Debug)]
pub struct RulesStep {
    rules: Vec<Compiled>,
    columns: Vec<Column>,
    sets: Vec<Vec<usize>>,
}

#[derive(Debug)]
struct Compiled {
    parts: Vec<Part>,
    message: Option<String>,
    severity: Severity,
}

/// One thing that is checked.
#[derive(Debug)]
enum Part {
    Cells(Box<Cells>),
    /// The position among the sets.
    Unique(usize),
    Where(Box<Program>, String),
}

/// What the cells of a column must be.
#[derive(Debug)]
struct Cells {
    position: usize,
    required: bool,
    kind: Option<Conversion>,
    bounds: Option<Bounds>,
    length: Length,
    pattern: Option<(Regex, String)>,
    one_of: Option<Allowed>,
}

#[derive(Debug)]
struct Bounds {
    conversion: Conversion,
    min: Option<(f64, String)>,
    max: Option<(f64, String)>,
}

#[derive(Debug)]
struct Allowed {
    list: Vec<String>,
    set: HashSet<String>,
}

/// Makes the rules ready, or says what does not fit the columns; paths begin with `rules[…]`.
pub fn compile(rules: &[Rule], columns: &[Column]) -> Result<Rules, Vec<Problem>> {
    let (mut compiled, mut sets, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (index, rule) in rules.iter().enumerate() {
        match compile_rule(rule, columns, &mut sets) {
            Ok(rule) => compiled.push(rule),
            Err(wrong) => problems.extend(wrong.into_iter().map(|problem| Problem {
                path: format!("rules[{index}].{}", problem.path),
                ..problem
            })),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let step = RulesStep {
        rules: compiled,
        columns: columns.to_vec(),
        sets: sets.clone(),
    };
    Ok(Rules { step, sets })
}

fn compile_rule(rule: &Rule, columns: &[Column], sets: &mut Vec<Vec<usize>>) -> Result<Compiled, Vec<Problem>> {
    let mut parts = Vec::new();
    match &rule.test {
        Test::Column(test) => parts.extend(compile_cells(test, columns)?.map(|cells| Part::Cells(Box::new(cells)))),
        Test::Where(condition) => {
            let program = expression::condition(condition, columns)
                .map_err(|fault| vec![Problem::at("where", fault.message).with_span(fault.span)])?;
            parts.push(Part::Where(Box::new(program), condition.clone()));
        }
        Test::Unique(_) => {}
    }
    let positions = rule.unique_positions(columns)?;
    if !positions.is_empty() {
        parts.push(Part::Unique(sets.len()));
        sets.push(positions);
    }
    Ok(Compiled {
        parts,
        message: rule.message.clone(),
        severity: rule.severity,
    })
}

/// The checks of a column's cells; nothing where they must only be unique.
fn compile_cells(test: &ColumnTest, columns: &[Column]) -> Result<Option<Cells>, Vec<Problem>> {
    let position = find(columns, &test.column).map_err(|message| vec![Problem::at("column", message)])?;
    let only_unique = ColumnTest {
        column: test.column.clone(),
        unique: test.unique,
        ..ColumnTest::default()
    };
    if *test == only_unique {
        return Ok(None);
    }
    let kind = columns[position].kind;
    let at = |option: &'static str| move |message: String| vec![Problem::at(option, message)];
    let fits = |target: &Target| target.kind() == kind || (*target == Target::Decimal && kind == ColumnKind::Integer);
    let conversion = |target| Conversion::new(target, &[], DecimalMark::Point);
    Ok(Some(Cells {
        position,
        required: test.required,
        // What the column is anyway needs no look at its cells.
        kind: test
            .kind
            .filter(|target| !fits(target))
            .map(conversion)
            .transpose()
            .map_err(at("type"))?,
        bounds: compile_bounds(test, &columns[position])?,
        length: test.length,
        pattern: test
            .pattern
            .as_deref()
            .map(compile_pattern)
            .transpose()
            .map_err(at("pattern"))?,
        one_of: (!test.one_of.is_empty()).then(|| Allowed {
            list: test.one_of.clone(),
            set: test.one_of.iter().cloned().collect(),
        }),
    }))
}

/// The pattern as one for whole texts, and as it was written.
fn compile_pattern(pattern: &str) -> Result<(Regex, String), String> {
    const SIZE: usize = 1 << 20;
    let make = |text: &str| regex::RegexBuilder::new(text).size_limit(SIZE).build();
    let whole = make(pattern).and_then(|_| make(&format!(r"\A(?:{pattern})\z")));
    whole.map(|regex| (regex, pattern.to_owned())).map_err(|_error| {
        format!("`{pattern}` is not a regular expression that is understood; [A-Z]{{2}}-[0-9]+ is one.")
    })
}

/// The bounds, by what they are written as and what the column holds.
fn compile_bounds(test: &ColumnTest, column: &Column) -> Result<Option<Bounds>, Vec<Problem>> {
    let Some(first) = test.min.as_ref().or(test.max.as_ref()) else {
        return Ok(None);
    };
    let option = if test.min.is_some() { "min" } else { "max" };
    let candidates: &[Target] = match column.kind {
        ColumnKind::Integer | ColumnKind::Decimal => &[Target::Decimal],
        ColumnKind::Date | ColumnKind::DateTime => &[Target::DateTime],
        ColumnKind::Time => &[Target::Time],
        ColumnKind::Boolean => &[],
        ColumnKind::Text | ColumnKind::Mixed | ColumnKind::Blank => &[Target::Decimal, Target::DateTime, Target::Time],
    };
    let made = candidates.iter().find_map(|target| {
        let conversion = Conversion::new(*target, &[], DecimalMark::Point).ok()?;
        bound(&conversion, first).map(|_| conversion)
    });
    let Some(conversion) = made else {
        let message = format!(
            "The column `{}` holds {}, so `{first}` is no bound for it: {}.",
            column.name,
            kind_words(column.kind),
            match column.kind {
                ColumnKind::Boolean => "true and false have none",
                ColumnKind::Date | ColumnKind::DateTime => "write a date as 2024-01-31",
                ColumnKind::Time => "write a time as 14:30",
                ColumnKind::Integer | ColumnKind::Decimal => "write a number",
                _ => "write a number, a date as 2024-01-31 or a time as 14:30",
            }
        );
        return Err(vec![Problem::at(option, message)]);
    };
    let end = |option: &'static str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => bound(&conversion, text)
            .map(|bound| Some((bound, text.clone())))
            .ok_or_else(|| {
                let message = format!("`{text}` is not {}, and `{first}` is.", conversion.wanted());
                vec![Problem::at(option, message)]
            }),
    };
    let (min, mut max) = (end("min", &test.min)?, end("max", &test.max)?);
    if min.as_ref().zip(max.as_ref()).is_some_and(|(min, max)| min.0 > max.0) {
        return Err(vec![Problem::at(
            "min",
            "`min` is more than `max`, so that nothing is right.",
        )]);
    }
    if let Some((bound, text)) = &mut max
        && conversion.target() == Target::DateTime
        && !text.contains(':')
    {
        *bound += REST_OF_DAY;
    }
    Ok(Some(Bounds { conversion, min, max }))
}

fn bound(conversion: &Conversion, text: &str) -> Option<f64> {
    let cell = CellView {
        kind: CellKind::Text,
        number: 0.0,
        text,
        format: None,
    };
    as_number(&conversion.convert(&cell, None))
}

/// A value as a number that is greater for a greater value.
fn as_number(value: &Converted) -> Option<f64> {
    match value {
        Converted::Number(number) => Some(*number),
        Converted::Day(days) => Some(f64::from(*days) * 86_400_000.0),
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of the years to 9999 are below 2^53"
        )]
        Converted::Moment(ms) => Some(*ms as f64),
        Converted::Time(ms) => Some(f64::from(*ms)),
        Converted::Blank | Converted::Failed | Converted::Truth(_) | Converted::Text(_) => None,
    }
}

impl ChunkStep for RulesStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let columns = &chunk.columns[..self.columns.len()];
        let views = columns.iter().map(ColumnView::of).collect::<Result<Vec<_>, _>>()?;
        let mut applied = Applied::same_columns(columns.to_vec());
        for rule in &self.rules {
            let mut found = Found {
                columns: &self.columns,
                views: &views,
                list: Vec::new(),
            };
            for part in &rule.parts {
                match part {
                    Part::Cells(cells) => cells.check(chunk.rows(), &mut found),
                    Part::Unique(set) => self.unique(*set, chunk, &mut found)?,
                    Part::Where(program, text) => found.check_condition(program, text, chunk)?,
                }
            }
            if let Some(message) = &rule.message {
                found.list.iter_mut().for_each(|it| it.message.clone_from(message));
            }
            match rule.severity {
                Severity::Error => applied.rejections.append(&mut found.list),
                Severity::Warning => applied.warnings.append(&mut found.list),
            }
        }
        applied.rejections.sort_by_key(|it| it.position);
        applied.warnings.sort_by_key(|it| it.position);
        Ok(applied)
    }

    fn checks(&self) -> bool {
        true
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        for part in self.rules.iter().flat_map(|rule| &rule.parts) {
            match part {
                Part::Cells(cells) => needed[cells.position] = true,
                Part::Unique(set) => self.sets[*set].iter().for_each(|column| needed[*column] = true),
                Part::Where(program, _) => needed = program.needs(&needed),
            }
        }
        needed
    }
}

impl RulesStep {
    /// Rows whose values stood in an earlier row already.
    fn unique(&self, set: usize, chunk: &Chunk, found: &mut Found<'_>) -> Result<(), PlanError> {
        let firsts = chunk
            .columns
            .get(self.columns.len() + set)
            .and_then(|column| column.as_primitive_opt::<Int64Type>())
            .ok_or(PlanError::Internal("rows came without the search for equal ones"))?;
        for row in (0..firsts.len()).filter(|row| firsts.is_valid(*row)) {
            let values: Vec<String> = self.sets[set].iter().map(|column| found.text(*column, row)).collect();
            let value = values.join(", ");
            let together = if values.len() > 1 { " together" } else { "" };
            let message = match firsts.value(row) {
                0 => format!("`{}`{together} is there twice", short(&value)),
                first => format!("`{}`{together} is already in row {first}", short(&value)),
            };
            found.add(row, self.sets[set].first().copied(), value, "unique", message);
        }
        Ok(())
    }
}

/// What one rule found in a chunk.
struct Found<'a> {
    columns: &'a [Column],
    views: &'a [ColumnView],
    list: Vec<Rejection>,
}

impl Found<'_> {
    fn text(&self, column: usize, row: usize) -> String {
        self.views[column]
            .cell(row)
            .plain(self.columns[column].format.as_deref())
            .into_owned()
    }

    fn add(&mut self, row: usize, column: Option<usize>, value: String, rule: &'static str, message: String) {
        self.list.push(Rejection {
            position: u32::try_from(row).unwrap_or(u32::MAX),
            column,
            value,
            rule,
            message,
        });
    }

    /// Rows for which a condition is false or cannot be worked out.
    fn check_condition(&mut self, program: &Program, text: &str, chunk: &Chunk) -> Result<(), PlanError> {
        let outcome = program.evaluate(chunk)?;
        let truths = outcome
            .values
            .as_boolean_opt()
            .ok_or(PlanError::Internal("a condition gave no truths"))?;
        let inputs = program.columns();
        let only = match inputs.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        for row in (0..truths.len()).filter(|row| truths.is_valid(*row) && !truths.value(*row)) {
            let value = match only {
                Some(column) => self.text(column, row),
                None => self.named(&inputs, row),
            };
            self.add(row, only, value, "where", format!("{text} is not true"));
        }
        self.list.extend(outcome.failures.into_iter().map(|failure| Rejection {
            message: format!("{text} cannot be worked out: {}", failure.message),
            rule: "where",
            ..failure
        }));
        Ok(())
    }

    /// `quantity 3, price 0.5`
    fn named(&self, columns: &[usize], row: usize) -> String {
        let mut text = String::new();
        for column in columns {
            let comma = if text.is_empty() { "" } else { ", " };
            // Writing into a text cannot fail.
            write!(
                text,
                "{comma}{} {}",
                self.columns[*column].name,
                self.text(*column, row)
            )
            .ok();
        }
        text
    }
}

impl Cells {
    fn check(&self, rows: usize, found: &mut Found<'_>) {
        let view = &found.views[self.position];
        let format = found.columns[self.position].format.as_deref();
        for row in 0..rows {
            let cell = view.cell(row);
            if is_blank(&cell) {
                if self.required {
                    let value = cell.text.to_owned();
                    found.add(
                        row,
                        Some(self.position),
                        value,
                        "required",
                        "the cell is blank".to_owned(),
                    );
                }
                continue;
            }
            self.check_cell(&cell, format, |rule, message| {
                let value = cell.plain(format).into_owned();
                found.add(row, Some(self.position), value, rule, message);
            });
        }
    }

    fn check_cell(&self, cell: &CellView<'_>, format: Option<&str>, mut wrong: impl FnMut(&'static str, String)) {
        let is_typed = self
            .kind
            .as_ref()
            .is_none_or(|kind| is_of(kind, cell, format).is_some());
        if let (Some(kind), false) = (&self.kind, is_typed) {
            wrong(
                "type",
                format!("`{}` is not {}", short(&cell.plain(format)), kind.wanted()),
            );
        }
        if let (Some(bounds), true) = (&self.bounds, is_typed)
            && let Some((rule, message)) = bounds.wrong(cell, format)
        {
            wrong(rule, message);
        }
        if self.length == Length::default() && self.pattern.is_none() && self.one_of.is_none() {
            return;
        }
        let text = cell.plain(format);
        if let Some(message) = wrong_length(self.length, &text) {
            wrong("length", message);
        }
        if let Some((regex, pattern)) = &self.pattern
            && !regex.is_match(&text)
        {
            wrong(
                "pattern",
                format!("`{}` does not match the pattern {pattern}", short(&text)),
            );
        }
        if let Some(allowed) = &self.one_of
            && !allowed.set.contains(text.as_ref())
        {
            wrong("one_of", allowed.wrong(&text));
        }
    }
}

impl Bounds {
    fn wrong(&self, cell: &CellView<'_>, format: Option<&str>) -> Option<(&'static str, String)> {
        let shown = || short(&cell.plain(format)).into_owned();
        let Some(value) = is_of(&self.conversion, cell, format).as_ref().and_then(as_number) else {
            return Some(("type", format!("`{}` is not {}", shown(), self.conversion.wanted())));
        };
        let (below, above) = match self.conversion.target() {
            Target::Decimal => ("is less than", "is more than"),
            _ => ("is before", "is after"),
        };
        match (&self.min, &self.max) {
            (Some((min, text)), _) if value < *min => Some(("min", format!("`{}` {below} {text}", shown()))),
            (_, Some((max, text))) if value > *max => Some(("max", format!("`{}` {above} {text}", shown()))),
            _ => None,
        }
    }
}

impl Allowed {
    fn wrong(&self, text: &str) -> String {
        let list = if self.list.len() <= NAMED {
            format!("one of {}", self.list.join(", "))
        } else {
            format!("one of the {} allowed values", self.list.len())
        };
        let near = (self.list.len() <= COMPARED && text.len() <= SHOWN)
            .then(|| nearest(text, self.list.iter().map(String::as_str)))
            .flatten()
            .map(|near| format!("; perhaps {near} is meant"))
            .unwrap_or_default();
        format!("`{}` is not {list}{near}", short(text))
    }
}

/// A cell as a value of a type. Unlike a conversion, a check does not take a date for a number nor a number for a text.
fn is_of(conversion: &Conversion, cell: &CellView<'_>, format: Option<&str>) -> Option<Converted> {
    let fits = match conversion.target() {
        Target::Text => cell.kind == CellKind::Text,
        Target::Integer | Target::Decimal => matches!(cell.kind, CellKind::Number | CellKind::Text),
        Target::Date | Target::DateTime => {
            matches!(cell.kind, CellKind::Date | CellKind::DateTime | CellKind::Text)
        }
        Target::Time => matches!(cell.kind, CellKind::Time | CellKind::DateTime | CellKind::Text),
        Target::Boolean => matches!(cell.kind, CellKind::Boolean | CellKind::Text),
    };
    fits.then(|| conversion.convert(cell, format))
        .filter(|converted| *converted != Converted::Failed)
}

/// Blank, also as people see it: a text of blanks only.
fn is_blank(cell: &CellView<'_>) -> bool {
    match cell.kind {
        CellKind::Blank => true,
        CellKind::Text => cell.text.chars().all(crate::recipe::steps::is_blank),
        _ => false,
    }
}

fn wrong_length(length: Length, text: &str) -> Option<String> {
    if length == Length::default() {
        return None;
    }
    let count = text.chars().count();
    let characters = if count == 1 {
        "1 character"
    } else {
        &format!("{count} characters")
    };
    match length {
        Length {
            min: Some(min),
            max: Some(max),
        } if min == max && count != min => Some(format!("`{}` has {characters}, not {min}", short(text))),
        Length { min: Some(min), .. } if count < min => {
            Some(format!("`{}` has {characters}, fewer than {min}", short(text)))
        }
        Length { max: Some(max), .. } if count > max => {
            Some(format!("`{}` has {characters}, more than {max}", short(text)))
        }
        _ => None,
    }
}

/// The start of a long value.
fn short(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}

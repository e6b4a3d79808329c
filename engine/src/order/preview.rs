//! Shows what the first steps of a recipe make of real rows.
//!
//! Where each row goes its own way, only as many rows are read as are shown: kept ones and, in their places, those that were
//! taken out. Where a step needs all rows, all are read, and rows that were taken out stand behind those that stayed.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{Array, BooleanArray};
use futures_util::StreamExt;

use super::findings;
use super::process::{Halt, entries, plan, references, runtime};
use super::rows::{Room, shown_cell};
use super::{AnswerColumn, AnswerRow, Message, PreviewAnswer, PreviewOrder, PreviewRows, Report, RowFate, RowsAnswer};
use crate::recipe::columns::{Column, of_table};
use crate::recipe::document::Recipe;
use crate::recipe::fate::TakenOut;
use crate::recipe::ledger;
use crate::recipe::mapping::map_table;
use crate::recipe::plan::chunk::{Chunk, Marked};
use crate::recipe::plan::operator::PlanError;
use crate::recipe::plan::{Plan, Resources, Tally, Work, stages};
use crate::recipe::problem::Problem;
use crate::recipe::references::References;
use crate::recipe::rejects::Spool;
use crate::sheets::view::ColumnView;
use crate::tables::CHUNK_ROWS;
use crate::tables::read::Table;

/// A grid shows no more at once.
const MOST_ROWS: usize = 1000;
/// Bytes of column names in an answer, about: a sheet may have 16,384 columns, and a recipe many steps that change them.
const MOST_NAME_BYTES: usize = 24 << 20;
/// Threads for counting all rows: previews share the machine with runs.
const JOBS: usize = 2;

/// Answers with rows; the last message is `Done` or `Failed`.
pub(super) fn run(order: &PreviewOrder, say: &mut dyn FnMut(Message)) {
    let last = match preview(order) {
        Ok(answer) => {
            say(Message::Preview(Box::new(answer)));
            Message::Done(Report::default())
        }
        Err(halt) => halt.message(),
    };
    say(last);
}

fn preview(order: &PreviewOrder) -> Result<PreviewAnswer, Halt> {
    let source = Table::open(&order.table.folder).map_err(PlanError::from)?;
    let others = references(&order.references)?;
    let mut answer = PreviewAnswer::default();
    let columns = |table: &Table| of_table(table.meta()).iter().map(answer_column).collect();
    answer.references = others
        .iter()
        .map(|(name, table)| (name.clone(), columns(table)))
        .collect();
    let Some(table) = mapped(order, source, &mut answer)? else {
        return Ok(answer);
    };
    (answer.before, answer.problems) = check(&order.recipe, of_table(table.meta()), &others)?;
    // A later step that is wrong does not hide what the earlier ones make.
    let fits = answer
        .problems
        .iter()
        .all(|it| it.step.is_some_and(|step| step > order.steps));
    if fits {
        answer.rows = Some(rows(order, &table, &others)?);
    }
    Ok(answer)
}

/// The table under the names that the recipe expects; nothing where it does not have the columns that are required.
fn mapped(order: &PreviewOrder, source: Table, answer: &mut PreviewAnswer) -> Result<Option<Table>, Halt> {
    let input = &order.recipe.input;
    if !input.columns.is_empty() {
        answer.headers = source.meta().columns.iter().map(|it| it.name.clone()).collect();
    }
    match map_table(input, source.meta(), &order.mapping) {
        Ok(None) => Ok(Some(source)),
        Ok(Some(mapped)) => {
            answer.mapping = Some(mapped.columns);
            Ok(Some(source.with_columns(mapped.meta)))
        }
        Err(unfit) => {
            answer.mapping = Some(unfit.columns);
            (answer.before, _) = check(&Recipe::default(), of_table(source.meta()), &References::default())?;
            answer.problems = vec![Problem::at("input.columns", unfit.sentence)];
            Ok(None)
        }
    }
}

/// The columns at each point, up to the first step that is wrong, and what is wrong with that.
type Checked = (Vec<Option<Vec<AnswerColumn>>>, Vec<Problem>);

fn check(recipe: &Recipe, table: Vec<Column>, references: &References) -> Result<Checked, Halt> {
    let mut bytes = 0;
    let mut here = |columns: &[Column]| {
        let columns: Vec<AnswerColumn> = columns.iter().map(answer_column).collect();
        bytes += columns.iter().map(|it| it.name.len() + 40).sum::<usize>();
        if bytes > MOST_NAME_BYTES {
            let sentence = "This sheet has too many columns to show what each step makes of them. Run the recipe instead, \
                            or begin it with a step that keeps fewer columns.";
            return Err(Halt::input("too_many_columns", sentence.to_owned()));
        }
        Ok(columns)
    };
    let mut last = here(&table)?;
    let mut before = vec![Some(last.clone())];
    let mut columns = table;
    for (index, step) in recipe.steps.iter().enumerate() {
        match step.check(index + 1, &columns, references) {
            Ok(after) => columns = after,
            Err(problems) => return Ok((before, recipe.locate(problems))),
        }
        let same = columns.len() == last.len()
            && columns
                .iter()
                .zip(&last)
                .all(|(column, shown)| column.name == shown.name && column.kind == shown.kind);
        before.push(if same { None } else { Some(here(&columns)?) });
        if let Some(Some(changed)) = before.last() {
            last.clone_from(changed);
        }
    }
    Ok((before, Vec::new()))
}

pub(super) fn answer_column(column: &Column) -> AnswerColumn {
    AnswerColumn {
        name: column.name.clone(),
        kind: column.kind,
    }
}

fn rows(order: &PreviewOrder, table: &Table, references: &References) -> Result<RowsAnswer, Halt> {
    let plan = || plan(&order.recipe, table, order.steps, references);
    let shown = plan()?;
    let widest = shown.columns.len().max(table.meta().columns.len());
    let Room { rows, .. } = Room::of(order.rows.min(MOST_ROWS), widest);
    if order.show != PreviewRows::First {
        return wrong_rows(order, table, &plan, rows);
    }
    let (streams, sorts) = (shown.streams(), shown.last_sort().is_some());
    let read = streams.then_some(rows as u64);
    // What stands behind the last sort may take rows out, so some more than are shown come out of it.
    let first = (sorts && !streams).then_some((4 * rows).max(MOST_ROWS));
    let counts = order.count_all && (streams || sorts);
    let to_end = streams || (order.count_all && !counts);
    let showing = Pass {
        marked: Marked::Yes,
        read,
        first,
        only: None,
        shown: rows,
        to_end,
    };
    let mut answer = pass(order, table, shown, showing)?.0;
    if counts {
        let (counted, _) = pass(order, table, plan()?.for_counting(), Pass::counting())?;
        (answer.total, answer.ledger, answer.rules) = (counted.total, counted.ledger, counted.rules);
    } else if !order.count_all {
        (answer.total, answer.ledger, answer.rules) = (None, Vec::new(), Vec::new());
    }
    Ok(answer)
}

/// The first rows that something is wrong with, wherever they are: it is found which, and they are taken out.
fn wrong_rows(
    order: &PreviewOrder,
    table: &Table,
    plan: &dyn Fn() -> Result<Plan, Halt>,
    rows: usize,
) -> Result<RowsAnswer, Halt> {
    let counting = Pass {
        shown: rows,
        ..Pass::counting()
    };
    let (counted, wrong) = pass(order, table, plan()?.for_counting(), counting)?;
    let taking = Pass {
        marked: Marked::Yes,
        read: None,
        first: None,
        only: Some(Arc::new(wrong.into_iter().collect())),
        shown: rows,
        to_end: true,
    };
    let (shown, _) = pass(order, table, plan()?, taking)?;
    Ok(RowsAnswer {
        total: counted.total,
        ledger: counted.ledger,
        rules: counted.rules,
        ..shown
    })
}

/// How the rows are gone through.
#[derive(Clone, Debug)]
struct Pass {
    marked: Marked,
    read: Option<u64>,
    first: Option<usize>,
    only: Option<Arc<HashSet<u32>>>,
    shown: usize,
    to_end: bool,
}

impl Pass {
    /// All of them, and none is shown.
    fn counting() -> Self {
        Self {
            marked: Marked::No,
            read: None,
            first: None,
            only: None,
            shown: 0,
            to_end: true,
        }
    }
}

/// The rows, and the numbers of those that are asked for because something is wrong with them.
fn pass(order: &PreviewOrder, table: &Table, plan: Plan, pass: Pass) -> Result<(RowsAnswer, BTreeSet<u32>), Halt> {
    let small = pass.read.is_some();
    let jobs = if small { 1 } else { JOBS };
    let runtime = runtime(jobs)?;
    let resources = Resources {
        scratch: order.scratch.clone(),
        memory: order.memory,
        jobs,
        window_rows: pass.read.unwrap_or(CHUNK_ROWS as u64).max(1),
        limit: pass.read,
        first: pass.first,
        only: pass.only.clone(),
        held: None,
    };
    let none = || Spool::new("", &order.scratch);
    let work = Work::new(plan, table.clone(), resources, pass.marked, none());
    let _entered = runtime.enter();
    let mut stream = stages::run(&work);
    let (mut kept, mut shown) = (Vec::new(), 0);
    let most = if pass.marked == Marked::Yes { pass.shown } else { 0 };
    while pass.to_end || shown < most {
        let Some(chunk) = runtime.block_on(stream.next()) else {
            break;
        };
        let chunk = match &pass.only {
            _ if shown == most => chunk?.slice(0, 0)?,
            None => chunk?,
            Some(only) => of_rows(&chunk?, only)?,
        };
        let wanted = chunk.rows().min(most - shown);
        if wanted > 0 {
            shown += wanted;
            kept.push(chunk.slice(0, wanted)?);
        }
    }
    drop(stream);
    let mut tally = work.take_tally(none());
    if pass.to_end {
        ledger::check(&tally.accounts).map_err(|detail| Halt {
            code: "ledger_unbalanced",
            sentence: "Something went wrong on our side while the recipe was previewed.".to_owned(),
            detail,
            input_at_fault: false,
        })?;
    }
    let found = std::mem::replace(&mut tally.rejects, none());
    let mut answer = answer(order, &work, &kept, &tally, &pass)?;
    let (rules, wrong) = findings::take(found, &mut answer.rows, (&order.show, pass.shown))?;
    answer.rules = rules;
    Ok((answer, wrong))
}

/// Those of a chunk's rows that have one of these numbers in the sheet.
fn of_rows(chunk: &Chunk, numbers: &HashSet<u32>) -> Result<Chunk, PlanError> {
    let chosen: BooleanArray = chunk
        .sources
        .values()
        .iter()
        .map(|row| Some(numbers.contains(row)))
        .collect();
    chunk.filtered(&chosen)
}

fn answer(
    order: &PreviewOrder,
    work: &Work,
    kept: &[Chunk],
    tally: &Tally,
    pass: &Pass,
) -> Result<RowsAnswer, PlanError> {
    let columns = &work.plan.columns;
    let mut rows = Vec::new();
    for chunk in kept {
        let all = (0..columns.len()).map(Some).collect::<Vec<_>>();
        rows.extend(shown_rows(work, chunk, columns, &all, |_| RowFate::Kept)?);
    }
    for taken in &tally.taken {
        rows.extend(taken_rows(work, taken)?);
    }
    // Rows that something is wrong with stand in the order of the sheet, whatever the steps make of that.
    let in_places = work.plan.streams() || pass.only.is_some();
    if in_places {
        // Rows of other tables have no number here and stand behind the others.
        rows.sort_by_key(|row| (row.row == 0, row.row));
    }
    rows.truncate(if in_places { pass.shown } else { 2 * pass.shown });
    Ok(RowsAnswer {
        columns: columns.iter().map(answer_column).collect(),
        rows,
        total: tally.accounts.last().map(|account| account.kept.rows),
        ledger: entries(work, &order.recipe, &tally.accounts),
        rules: Vec::new(),
    })
}

/// Rows that were taken out, in the columns of the answer as far as they had them.
fn taken_rows(work: &Work, taken: &TakenOut) -> Result<Vec<AnswerRow>, PlanError> {
    let Some(position) = work.plan.steps.iter().position(|step| step.number == taken.step) else {
        return Ok(Vec::new());
    };
    let before = &work.plan.steps[position].before;
    let sources = work.plan.lineage(position);
    let fate = |row: usize| RowFate::Out {
        step: taken.step,
        how: taken.fate.word().to_owned(),
        why: taken.why(row).to_owned(),
    };
    shown_rows(work, &taken.rows, before, &sources, fate)
}

/// A chunk's rows as they show; `sources` says which of its columns stands in each column of the answer.
pub(super) fn shown_rows(
    work: &Work,
    chunk: &Chunk,
    columns: &[Column],
    sources: &[Option<usize>],
    fate: impl Fn(usize) -> RowFate,
) -> Result<Vec<AnswerRow>, PlanError> {
    let views = chunk
        .columns
        .iter()
        .map(ColumnView::of)
        .collect::<Result<Vec<_>, _>>()?;
    let formats = &work.plan.formats;
    let room = Room::of(MOST_ROWS, sources.len());
    let is_changed = |column: usize, row: usize| {
        let flags = chunk
            .changed
            .as_ref()
            .and_then(|changed| changed.get(column))
            .and_then(Option::as_ref);
        flags.is_some_and(|flags| flags.is_valid(row) && flags.value(row))
    };
    let cell = |source: &Option<usize>, row: usize| {
        source.map_or_else(super::AnswerCell::default, |column| {
            let shown = shown_cell(
                &views[column],
                row,
                columns[column].format.as_deref(),
                formats,
                room.chars,
            );
            super::AnswerCell {
                changed: is_changed(column, row),
                ..shown
            }
        })
    };
    let answer_row = |row: usize| AnswerRow {
        row: u64::from(chunk.sources.value(row)),
        fate: fate(row),
        cells: sources.iter().map(|source| cell(source, row)).collect(),
        findings: Vec::new(),
    };
    Ok((0..chunk.rows()).map(answer_row).collect())
}

//! Shows what the first steps of a recipe make of real rows.
//!
//! Where each row goes its own way, only as many rows are read as are shown: kept ones and, in their places, those that were
//! taken out. Where a step needs all rows, all are read, and rows that were taken out stand behind those that stayed.
//! Which rows, `rows` says; how they are gone through, `pass`; how they look, `shown`.

mod pass;
mod pick;
mod rows;
mod shown;
#[cfg(test)]
mod tests;

use super::process::{Halt, references};
use super::{AnswerColumn, Message, PreviewAnswer, PreviewOrder, Report, Warmth};
use crate::recipe::columns::{Column, of_table};
use crate::recipe::document::Recipe;
use crate::recipe::mapping::map_table;
use crate::recipe::problem::Problem;
use crate::recipe::references::References;
use crate::tables::read::Table;
use rows::Viewing;
pub(super) use shown::shown_rows;

/// A grid shows no more at once.
const MOST_ROWS: usize = 1000;
/// Bytes of column names in an answer, about: a sheet may have 16,384 columns, and a recipe many steps that change them.
const MOST_NAME_BYTES: usize = 24 << 20;

/// Answers with rows; the last message is `Done` or `Failed`.
pub(super) fn run(order: &PreviewOrder, warmth: &mut Warmth, say: &mut dyn FnMut(Message)) {
    let last = match preview(order, warmth) {
        Ok(answer) => {
            say(Message::Preview(Box::new(answer)));
            Message::Done(Report::default())
        }
        Err(halt) => halt.message(),
    };
    say(last);
}

fn preview(order: &PreviewOrder, warmth: &mut Warmth) -> Result<PreviewAnswer, Halt> {
    let source = warmth.table(&order.table.folder)?;
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
        answer.rows = Some(Viewing::of(order, &table, &others).rows(warmth)?);
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

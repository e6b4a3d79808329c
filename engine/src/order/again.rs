//! A recipe carried out again on a sheet, as it was for a result: the same tables and the same recipe give the same rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::runtime::Runtime;

use super::ProcessOrder;
use super::process::{Halt, planned, runtime};
use crate::recipe::plan::chunk::{Chunk, Marked};
use crate::recipe::plan::operator::PlanError;
use crate::recipe::plan::probe::Probe;
use crate::recipe::plan::{Plan, Resources, Work, stages};
use crate::recipe::problem::listed;
use crate::recipe::rejects::Spool;
use crate::sheets::view::ColumnView;
use crate::tables::CHUNK_ROWS;

/// A sheet on its way through a recipe, as often as wanted.
pub(super) struct Again<'a> {
    order: &'a ProcessOrder,
    /// The names of the sheets that the recipe takes, in order.
    pub(super) sheets: Vec<String>,
    /// Which of them it is.
    pub(super) sheet: usize,
    runtime: Runtime,
}

impl<'a> Again<'a> {
    /// For the sheet of this name, or the first one.
    pub(super) fn new(order: &'a ProcessOrder, sheet: Option<&str>) -> Result<Self, Halt> {
        let sheets: Vec<String> = planned(order)?
            .iter()
            .map(|one| one.table.meta().sheet.clone())
            .collect();
        let place = match sheet {
            None => (!sheets.is_empty()).then_some(0),
            Some(name) => sheets.iter().position(|it| it == name),
        };
        let place = place.ok_or_else(|| {
            let names = listed(sheets.iter().map(String::as_str));
            let wanted = sheet.unwrap_or_default();
            let sentence = format!("The result has no rows of a sheet “{wanted}”. The sheets are {names}.");
            Halt::input("no_such_sheet", sentence)
        })?;
        Ok(Self {
            order,
            sheets,
            sheet: place,
            runtime: runtime(order.jobs)?,
        })
    }

    /// The sheet's name.
    pub(super) fn name(&self) -> &str {
        self.sheets.get(self.sheet).map_or("", String::as_str)
    }

    /// Takes all rows through the recipe, until there are enough.
    pub(super) fn go(
        &self,
        probe: Option<Arc<Probe>>,
        mut take: impl FnMut(&Work, &Chunk) -> Result<ControlFlow<()>, Halt>,
    ) -> Result<Arc<Work>, Halt> {
        let one = planned(self.order)?.into_iter().nth(self.sheet);
        let one = one.ok_or(PlanError::Internal("a sheet is gone"))?;
        let resources = Resources {
            scratch: self.order.scratch.clone(),
            memory: self.order.memory,
            jobs: self.order.jobs,
            window_rows: CHUNK_ROWS as u64,
            limit: None,
            first: None,
            only: None,
            held: None,
        };
        let spool = Spool::new(&self.order.name, &self.order.scratch);
        let work = Work::followed(one.plan, one.table, resources, (Marked::No, probe), spool);
        let _entered = self.runtime.enter();
        let mut stream = stages::run(&work);
        while let Some(chunk) = self.runtime.block_on(stream.next()) {
            if take(&work, &chunk?)?.is_break() {
                break;
            }
        }
        drop(stream);
        Ok(work)
    }
}

/// In which part of a result rows stand, where it is split by a column.
#[derive(Debug, Default)]
pub(super) struct Parts {
    value: Option<String>,
    rows: u64,
}

impl Parts {
    /// For each row of the next chunk the value of its part and its row there, from 1; nothing where nothing is split.
    pub(super) fn of(
        &mut self,
        order: &ProcessOrder,
        plan: &Plan,
        chunk: &Chunk,
    ) -> Result<Option<Vec<(String, u64)>>, PlanError> {
        let Some(split) = &order.recipe.output.split else {
            return Ok(None);
        };
        let position = plan.columns.iter().position(|column| column.name == split.column);
        let position = position.ok_or(PlanError::Internal("the column that splits the result is gone"))?;
        let format = plan.columns[position].format.as_deref();
        let view = ColumnView::of(&chunk.columns[position])?;
        let next = |row: usize| {
            let cell = view.cell(row);
            let value = cell.plain(format);
            if self.value.as_deref() != Some(value.as_ref()) {
                (self.value, self.rows) = (Some(value.clone().into_owned()), 0);
            }
            self.rows += 1;
            (value.into_owned(), self.rows)
        };
        Ok(Some((0..chunk.rows()).map(next).collect()))
    }
}

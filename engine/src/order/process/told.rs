//! What rules found in a file, on its way to its readers: as a list, or on the sheets themselves.

use tokio::runtime::Runtime;

use super::super::{OutputRole, ProcessOrder};
use super::annotate::annotate;
use super::outputs::Outputs;
use crate::recipe::document::RejectsForm;
use crate::recipe::plan::operator::PlanError;
use crate::recipe::rejects::Spool;
use crate::sheets::write::{Sink, open_annotated};
use crate::tables::read::Table;

/// The name of the annotated workbook below `out`.
const ANNOTATED: &str = "annotated.xlsx";

/// What was found so far.
pub(super) struct Told<'a> {
    order: &'a ProcessOrder,
    /// Findings that are not written yet.
    spool: Spool,
    annotated: Option<(Box<dyn Sink>, u64)>,
    rows: u64,
    errors: u64,
}

impl<'a> Told<'a> {
    /// Nothing was found yet.
    pub(super) fn new(order: &'a ProcessOrder) -> Self {
        Self {
            order,
            spool: Spool::new(&order.name, &order.scratch),
            annotated: None,
            rows: 0,
            errors: 0,
        }
    }

    /// Where the next table adds what is found in it.
    pub(super) fn take_spool(&mut self) -> Spool {
        std::mem::replace(&mut self.spool, Spool::new(&self.order.name, &self.order.scratch))
    }

    /// Takes that back with the findings of a table.
    pub(super) fn put(&mut self, spool: Spool, table: &Table, runtime: &Runtime) -> Result<(), PlanError> {
        match self.order.recipe.output.rejects_as {
            RejectsForm::List => {
                (self.rows, self.errors) = (spool.rows(), spool.errors());
                self.spool = spool;
            }
            RejectsForm::Annotate if spool.rows() > 0 => {
                self.rows += spool.rows();
                self.errors += spool.errors();
                let (sink, rows) = match &mut self.annotated {
                    Some(open) => open,
                    none => {
                        let path = self.order.out.join(ANNOTATED);
                        let compression = self.order.recipe.output.compression;
                        none.insert((open_annotated(compression, &path, &self.order.scratch)?, 0))
                    }
                };
                *rows += annotate(self.order, runtime, table, spool, sink.as_mut())?;
            }
            RejectsForm::Annotate => {}
        }
        Ok(())
    }

    /// How many findings there are, warnings among them.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them are errors.
    pub(super) fn errors(&self) -> u64 {
        self.errors
    }

    /// Writes what is not written yet.
    pub(super) fn finish(self, outputs: &mut Outputs<'_>) -> Result<(), PlanError> {
        if let Some((sink, rows)) = self.annotated {
            let written = sink.finish()?;
            outputs.add_other(ANNOTATED, OutputRole::Annotated, rows, &written);
        }
        if self.spool.rows() > 0 {
            outputs.write_rejects(self.spool)?;
        }
        Ok(())
    }
}

//! Puts the rows of another table below ours.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, new_null_array};
use arrow::compute::concat_batches;

use super::chunk::Chunk;
use super::further::{Further, FurtherRows};
use super::lookup::with_formats;
use super::operator::{Applied, ChunkStep, PlanError};
use super::stages::Window;
use super::widen::widened;
use crate::recipe::columns::Column;
use crate::tables::ColumnKind;
use crate::tables::read::{Scan, Table};

/// Two tables with one set of columns. Ours stand first, in their order.
#[derive(Debug)]
pub struct AppendStep {
    /// What the recipe calls the other table.
    pub name: String,
    /// The other table.
    pub table: Table,
    /// The columns after the step.
    pub columns: Vec<AppendedColumn>,
    /// Where the other table's number formats stand in the plan's.
    pub formats: Vec<u16>,
}

/// A column after the step.
#[derive(Clone, Debug)]
pub struct AppendedColumn {
    /// What holds the cells of both.
    pub kind: ColumnKind,
    /// What stands in our rows.
    pub ours: Cells,
    /// What stands in theirs.
    pub theirs: Cells,
}

/// What stands in a column.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Blanks.
    Blank,
    /// The same text in each row.
    Text(String),
    /// The cells of a column.
    Of {
        /// Its position.
        position: usize,
        /// The column.
        column: Column,
        /// Where its number format stands in the plan's.
        format: u16,
    },
}

impl Cells {
    fn array(
        &self,
        kind: ColumnKind,
        rows: usize,
        column_at: impl Fn(usize) -> Result<ArrayRef, PlanError>,
    ) -> Result<ArrayRef, PlanError> {
        match self {
            Self::Blank => Ok(new_null_array(&kind.arrow(), rows)),
            Self::Text(text) => {
                let texts: ArrayRef = Arc::new(StringArray::from(vec![text.as_str(); rows]));
                widened(&texts, &Column::made("", ColumnKind::Text), kind, u16::MAX)
            }
            Self::Of {
                position,
                column,
                format,
            } => widened(&column_at(*position)?, column, kind, *format),
        }
    }
}

/// Says behind each row which file it is from, where there is one file alone.
#[derive(Debug)]
pub struct SourceStep {
    /// The file's name; empty where it is not known, as in previews.
    pub file: String,
}

impl ChunkStep for SourceStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let file = Some(self.file.as_str()).filter(|file| !file.is_empty());
        let files: ArrayRef = Arc::new(StringArray::from(vec![file; chunk.rows()]));
        let columns: Vec<ArrayRef> = chunk.columns.iter().cloned().chain([files]).collect();
        let sources = self.lineage(chunk.columns.len(), columns.len());
        Ok(Applied::with_sources(columns, sources))
    }
}

impl ChunkStep for AppendStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let ours = |position: usize| Ok(chunk.columns[position].clone());
        let columns = self.columns.iter();
        let columns = columns.map(|column| column.ours.array(column.kind, chunk.rows(), ours));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let sources = self.lineage(chunk.columns.len(), columns.len());
        Ok(Applied::with_sources(columns, sources))
    }

    fn further(&self) -> Option<&dyn Further> {
        Some(self)
    }
}

impl Further for AppendStep {
    fn table(&self) -> &Table {
        &self.table
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn rows(&self, window: Window) -> Result<FurtherRows, PlanError> {
        let mut wanted = Vec::new();
        for column in &self.columns {
            if let Cells::Of { position, .. } = &column.theirs {
                wanted.push(*position);
            }
        }
        let mut reader = self.table.read_part(
            window.part,
            &Scan {
                columns: Some(wanted.clone()),
                offset: window.offset,
                limit: Some(window.rows),
                ..Scan::default()
            },
        );
        let schema = reader.schema();
        let batches = (&mut reader).collect::<Result<Vec<_>, _>>()?;
        let batch = concat_batches(&schema, &batches)?;
        let theirs = |position: usize| {
            let place = wanted.iter().position(|it| *it == position).map(|place| place + 1);
            let column = place.and_then(|place| batch.columns().get(place));
            with_formats(
                column.ok_or(PlanError::Internal("a column was not read"))?,
                &self.formats,
            )
        };
        let columns = self.columns.iter();
        let columns = columns.map(|column| column.theirs.array(column.kind, batch.num_rows(), theirs));
        Ok(FurtherRows {
            columns: columns.collect::<Result<_, _>>()?,
            positions: (window.first..window.first + batch.num_rows() as u64).collect(),
        })
    }
}

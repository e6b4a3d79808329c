//! Rejected rows on their way to the list of rejects: kept in memory while few, in a file of the scratch folder beyond.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;

use super::plan::operator::PlanError;

/// Records that are held before they are written out.
const HELD: usize = 8192;

/// One thing wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The sheet; empty where the row may be of another table.
    pub sheet: Arc<str>,
    /// The row as Excel numbers it; 0 where there is no single one.
    pub row: u32,
    /// The letters of the sheet's column, where the value comes from one.
    pub letters: Option<Arc<str>>,
    /// The column at that step, where it is one column's fault.
    pub column: Option<Arc<str>>,
    /// The value at fault.
    pub value: String,
    /// The step's position from 1.
    pub step: usize,
    /// A stable word.
    pub rule: &'static str,
    /// In words.
    pub message: String,
    /// How bad it is.
    pub severity: Severity,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Severity {
    /// The row is rejected.
    #[default]
    Error,
    /// The row stays, and what is odd about it is listed.
    Warning,
}

impl Severity {
    /// The severities by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("error", Self::Error), ("warning", Self::Warning)];

    /// The word of the document.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Headers of the list of rejects, in order.
pub const HEADERS: [&str; 10] = [
    "file", "sheet", "row", "cell", "column", "value", "step", "rule", "message", "severity",
];

/// Collects rejects of one run.
pub struct Spool {
    file: String,
    path: PathBuf,
    held: Vec<Reject>,
    writer: Option<FileWriter<File>>,
    rows: u64,
    errors: u64,
    /// Those of later stages of a plan, each behind all that come before it.
    later: BTreeMap<usize, Spool>,
}

impl fmt::Debug for Spool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Spool({} rows)", self.rows)
    }
}

impl Spool {
    /// Starts an empty one. `file` is the input's name for people.
    #[must_use]
    pub fn new(file: &str, scratch: &Path) -> Self {
        Self::at(file.to_owned(), scratch.join("rejects.arrow"))
    }

    fn at(file: String, path: PathBuf) -> Self {
        Self {
            file,
            path,
            held: Vec::new(),
            writer: None,
            rows: 0,
            errors: 0,
            later: BTreeMap::new(),
        }
    }

    /// How many there are, warnings among them.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows + self.later.values().map(Self::rows).sum::<u64>()
    }

    /// How many of them are errors.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors + self.later.values().map(Self::errors).sum::<u64>()
    }

    /// Adds some of a stage: how many steps that may hold rows back lie before it. Whether they do depends on the memory; the
    /// order of rejects must not.
    pub fn extend_of(&mut self, stage: usize, rejects: Vec<Reject>) -> Result<(), PlanError> {
        if stage == 0 || rejects.is_empty() {
            return self.extend(rejects);
        }
        let path = || self.path.with_file_name(format!("rejects-{stage}.arrow"));
        let of_stage = || Self::at(self.file.clone(), path());
        self.later.entry(stage).or_insert_with(of_stage).extend(rejects)
    }

    /// Puts those of later stages behind the others, once all of a table are there.
    pub fn settle(&mut self) -> Result<(), PlanError> {
        for mut spool in std::mem::take(&mut self.later).into_values() {
            if spool.writer.is_none() {
                self.extend(std::mem::take(&mut spool.held))?;
                continue;
            }
            self.rows += spool.rows;
            self.errors += spool.errors;
            let held = std::mem::take(&mut self.held);
            if !held.is_empty() {
                self.write(&self.batch(&held)?)?;
            }
            for batch in spool.batches()? {
                self.write(&batch?)?;
            }
        }
        Ok(())
    }

    /// Adds some.
    pub fn extend(&mut self, rejects: Vec<Reject>) -> Result<(), PlanError> {
        self.rows += rejects.len() as u64;
        let errors = rejects.iter().filter(|reject| reject.severity == Severity::Error);
        self.errors += errors.count() as u64;
        self.held.extend(rejects);
        while self.held.len() >= HELD {
            let rest = self.held.split_off(HELD);
            let full = std::mem::replace(&mut self.held, rest);
            self.write(&self.batch(&full)?)?;
        }
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), PlanError> {
        if self.writer.is_none() {
            let file = File::create(&self.path).map_err(|error| self.io(error))?;
            self.writer = Some(FileWriter::try_new(file, &schema())?);
        }
        if let Some(writer) = &mut self.writer {
            writer.write(batch)?;
        }
        Ok(())
    }

    /// All of them, in order, to be written; columns as in [`HEADERS`].
    pub fn finish(self, mut take: impl FnMut(&RecordBatch) -> Result<(), PlanError>) -> Result<(), PlanError> {
        for batch in self.batches()? {
            take(&batch?)?;
        }
        Ok(())
    }

    /// The same as batches; its file is gone already, and is read to the end all the same.
    pub fn batches(mut self) -> Result<impl Iterator<Item = Result<RecordBatch, PlanError>> + Send, PlanError> {
        self.settle()?;
        let last = self.batch(&self.held)?;
        let reader = match self.writer.take() {
            None => None,
            Some(mut writer) => {
                writer.finish()?;
                drop(writer);
                let file = File::open(&self.path).map_err(|error| self.io(error))?;
                std::fs::remove_file(&self.path).map_err(|error| self.io(error))?;
                Some(FileReader::try_new(file, None)?)
            }
        };
        let written = reader.into_iter().flatten().map(|batch| Ok(batch?));
        Ok(written.chain(std::iter::once(Ok(last))))
    }

    fn batch(&self, rejects: &[Reject]) -> Result<RecordBatch, PlanError> {
        let row = |reject: &Reject| (reject.row > 0).then(|| i64::from(reject.row));
        let step = |reject: &Reject| i64::try_from(reject.step).ok();
        let cell = |reject: &Reject| {
            let letters = reject.letters.as_ref().filter(|_| reject.row > 0)?;
            Some(format!("{letters}{}", reject.row))
        };
        let columns: Vec<ArrayRef> = vec![
            texts(rejects, |reject| {
                (!reject.sheet.is_empty()).then_some(self.file.as_str())
            }),
            texts(rejects, |reject| Some(&*reject.sheet).filter(|sheet| !sheet.is_empty())),
            Arc::new(rejects.iter().map(row).collect::<Int64Array>()),
            Arc::new(rejects.iter().map(cell).collect::<StringArray>()),
            texts(rejects, |reject| reject.column.as_deref()),
            texts(rejects, |reject| Some(&reject.value)),
            Arc::new(rejects.iter().map(step).collect::<Int64Array>()),
            texts(rejects, |reject| Some(reject.rule)),
            texts(rejects, |reject| Some(&reject.message)),
            texts(rejects, |reject| Some(reject.severity.word())),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }

    fn io(&self, error: std::io::Error) -> PlanError {
        PlanError::Io {
            path: self.path.clone(),
            error,
        }
    }
}

fn texts<'a>(rejects: &'a [Reject], text: impl Fn(&'a Reject) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rejects.iter().map(text).collect::<StringArray>())
}

/// The columns of the batches, as in [`HEADERS`].
#[must_use]
pub fn schema() -> SchemaRef {
    let field = |name: &&str| {
        let number = matches!(*name, "row" | "step");
        Field::new(*name, if number { DataType::Int64 } else { DataType::Utf8 }, true)
    };
    Arc::new(Schema::new(HEADERS.iter().map(field).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    fn reject(row: u32) -> Reject {
        Reject {
            sheet: "Orders".into(),
            row,
            letters: Some("F".into()),
            column: Some("quantity".into()),
            value: "n/a".into(),
            step: 2,
            rule: "not_integer",
            message: "`n/a` is not a whole number".into(),
            severity: Severity::Error,
        }
    }

    #[test]
    fn many_rejects_come_back_in_order_with_their_addresses() -> Result<(), Box<dyn std::error::Error>> {
        let scratch = tempfile::tempdir()?;
        let mut spool = Spool::new("orders.xlsx", scratch.path());
        for start in (0..50_000).step_by(1000) {
            spool.extend((start..start + 1000).map(|row| reject(row + 2)).collect())?;
        }
        assert_eq!(spool.rows(), 50_000);
        let (mut next, mut last) = (2, String::new());
        spool.finish(|batch| {
            for row in batch.column(2).as_primitive::<Int64Type>() {
                assert_eq!(row, Some(next));
                next += 1;
            }
            if let Some(cell) = batch.column(3).as_string::<i32>().iter().flatten().last() {
                last = cell.to_owned();
            }
            Ok(())
        })?;
        assert_eq!(next, 50_002);
        assert_eq!(last, "F50001");
        assert_eq!(std::fs::read_dir(scratch.path())?.count(), 0, "nothing is left behind");
        Ok(())
    }
}

//! Two tables that are sorted by key, merged: which rows of one match those of the other.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::{take, take_record_batch};
use arrow::datatypes::{Field, Schema};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::external::{BatchStream, SORT_ROWS};
use super::far::{Left, places};
use super::operator::PlanError;
use super::stages::positions;

/// A stream of rows: key, place, and whatever else.
struct Rows {
    stream: BatchStream,
    batch: Option<RecordBatch>,
    row: usize,
}

impl Rows {
    fn new(stream: BatchStream) -> Self {
        Self {
            stream,
            batch: None,
            row: 0,
        }
    }

    /// Whether there is a next row; then a batch with it is there.
    async fn ready(&mut self) -> Result<bool, PlanError> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.num_rows()) {
            self.row = 0;
            self.batch = self.stream.next().await.transpose()?;
            if self.batch.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The batch with the next row.
    fn batch(&self) -> Result<&RecordBatch, PlanError> {
        self.batch
            .as_ref()
            .ok_or(PlanError::Internal("a row that is not there"))
    }

    /// Where the rows with this key end that begin at the next one.
    fn end_of_run(&self, this: &[u8]) -> Result<usize, PlanError> {
        let (batch, mut end) = (self.batch()?, self.row);
        while end < batch.num_rows() && key(batch, end)? == this {
            end += 1;
        }
        Ok(end)
    }
}

fn key(batch: &RecordBatch, row: usize) -> Result<&[u8], PlanError> {
    let keys = batch.columns().first().and_then(|keys| keys.as_binary_opt::<i32>());
    let keys = keys.filter(|keys| row < keys.len());
    Ok(keys.ok_or(PlanError::Internal("a batch lost its keys"))?.value(row))
}

/// Where matches and the rest of their rows go.
pub(super) struct Merge {
    ours: Rows,
    theirs: Rows,
    most: usize,
    /// The first of the held columns.
    held: usize,
    left: Arc<Mutex<Left>>,
    /// Of the present batch of theirs: the rows that met none, and the matches as our place and their row.
    unmet: Vec<usize>,
    met: (Vec<u64>, Vec<usize>),
}

impl Merge {
    /// Of both tables key and place come first. Each row of ours is told of `most` of theirs; from column `held` on they are
    /// told. Those that no row of ours meets go to `left`.
    pub(super) fn new(
        ours: BatchStream,
        theirs: BatchStream,
        most: usize,
        held: usize,
        left: Arc<Mutex<Left>>,
    ) -> Self {
        Self {
            ours: Rows::new(ours),
            theirs: Rows::new(theirs),
            most,
            held,
            left,
            unmet: Vec::new(),
            met: (Vec::new(), Vec::new()),
        }
    }

    /// Gives the matches: our place, their place, their held columns.
    pub(super) async fn run(mut self, matches: mpsc::Sender<Result<RecordBatch, PlanError>>) -> Result<(), PlanError> {
        // All rows of ours go by, also when there is no other one: they are counted on the way.
        self.ours.ready().await?;
        while self.theirs.ready().await? {
            let this = key(self.theirs.batch()?, self.theirs.row)?.to_vec();
            let places = self.our_places(&this).await?;
            let mut told = 0;
            while self.theirs.ready().await? {
                let (start, rows) = (self.theirs.row, self.theirs.batch()?.num_rows());
                let end = self.theirs.end_of_run(&this)?;
                if end == start {
                    break;
                }
                self.theirs.row = end;
                if places.is_empty() {
                    self.unmet.extend(start..end);
                } else {
                    let last = start + (end - start).min(self.most.saturating_sub(told));
                    told += end - start;
                    self.meet(&places, start..last, &matches).await?;
                }
                if end == rows {
                    self.flush(&matches).await?;
                } else {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The places of our rows with this key; those with smaller ones are passed over.
    async fn our_places(&mut self, this: &[u8]) -> Result<Vec<u64>, PlanError> {
        let mut found = Vec::new();
        while self.ours.ready().await? {
            let batch = self.ours.batch()?;
            let (mut row, rows) = (self.ours.row, batch.num_rows());
            let places = places(batch, 1)?;
            while row < rows && key(batch, row)? < this {
                row += 1;
            }
            while row < rows && key(batch, row)? == this {
                found.push(places[row]);
                row += 1;
            }
            self.ours.row = row;
            if row < rows {
                break;
            }
        }
        Ok(found)
    }

    async fn meet(
        &mut self,
        places: &[u64],
        theirs: std::ops::Range<usize>,
        matches: &mpsc::Sender<Result<RecordBatch, PlanError>>,
    ) -> Result<(), PlanError> {
        for place in places {
            for row in theirs.clone() {
                self.met.0.push(*place);
                self.met.1.push(row);
                if self.met.0.len() >= SORT_ROWS {
                    self.tell(matches).await?;
                }
            }
        }
        Ok(())
    }

    /// Tells of all that was found in the present batch of theirs.
    async fn flush(&mut self, matches: &mpsc::Sender<Result<RecordBatch, PlanError>>) -> Result<(), PlanError> {
        self.tell(matches).await?;
        let unmet = positions(std::mem::take(&mut self.unmet));
        if let Some(batch) = self.theirs.batch.as_ref().filter(|_| !unmet.is_empty()) {
            let unmet = take_record_batch(batch, &unmet)?;
            let behind_key: Vec<usize> = (1..unmet.num_columns()).collect();
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            left.add(&unmet.project(&behind_key)?)?;
        }
        Ok(())
    }

    async fn tell(&mut self, matches: &mpsc::Sender<Result<RecordBatch, PlanError>>) -> Result<(), PlanError> {
        let (places, rows) = std::mem::take(&mut self.met);
        let Some(batch) = self.theirs.batch.as_ref().filter(|_| !places.is_empty()) else {
            return Ok(());
        };
        let rows = positions(rows);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from(places))];
        for column in std::iter::once(batch.column(1)).chain(&batch.columns()[self.held..]) {
            columns.push(take(column, &rows, None)?);
        }
        let field = |(at, column): (usize, &ArrayRef)| Field::new(format!("k{at}"), column.data_type().clone(), true);
        let fields: Vec<Field> = columns.iter().enumerate().map(field).collect();
        let found = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        // Nobody takes it when what comes behind has failed; that is told there.
        drop(matches.send(Ok(found)).await);
        Ok(())
    }
}

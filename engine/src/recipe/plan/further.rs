//! Rows of another table that a step adds behind the last row.
//!
//! They come when all rows of ours went by, window by window and side by side like those, and go on through the steps behind
//! it. In the ledger they are added, each by a number of its own.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt32Array, UInt64Array};
use futures_util::StreamExt;

use super::chunk::{Chunk, Marked};
use super::operator::{ChunkStep, PlanError};
use super::stages::{self, ChunkStream, Window};
use super::{Effects, Work};
use crate::recipe::ledger::{Account, brought};
use crate::tables::read::Table;

/// Gives the rows of another table that a step adds.
pub trait Further {
    /// The other table.
    fn table(&self) -> &Table;

    /// What the recipe calls it.
    fn name(&self) -> &str;

    /// Those of the rows in this window of the other table that are added.
    fn rows(&self, window: Window) -> Result<FurtherRows, PlanError>;
}

/// Rows of another table.
#[derive(Debug)]
pub struct FurtherRows {
    /// The columns after the step.
    pub columns: Vec<ArrayRef>,
    /// Where each of the rows stands in the other table, from 0.
    pub positions: Vec<u64>,
}

/// The rows that come out of the last of these steps, with those that it adds.
pub(super) fn behind(work: &Arc<Work>, steps: Range<usize>, stream: ChunkStream) -> ChunkStream {
    let Some(index) = steps.last() else { return stream };
    let Some(further) = further(work, index) else {
        return stream;
    };
    // Who reads only the first rows has not seen all of ours: then nothing comes behind them.
    let limit = work.resources.limit.unwrap_or(u64::MAX);
    if work.table.meta().rows > limit {
        return stream;
    }
    let widens = work.plan.widens(index + 1..work.plan.steps.len());
    let windows = stages::windows_of(work, further.table().meta(), widens);
    let (jobs, owner, work) = (work.resources.jobs.max(1), work.clone(), work.clone());
    let mut left = limit;
    let chunks = futures_util::stream::iter(windows)
        .map(move |window| {
            let work = work.clone();
            tokio::task::spawn_blocking(move || added(&work, index, window))
        })
        .buffered(jobs)
        .take_while(move |joined: &stages::Joined| {
            let is_wanted = left > 0;
            if let Ok(Ok((chunk, _))) = joined {
                left = left.saturating_sub(chunk.rows() as u64);
            }
            std::future::ready(is_wanted)
        });
    Box::pin(stream.chain(stages::noted(owner, chunks)))
}

fn further(work: &Work, index: usize) -> Option<&dyn Further> {
    work.plan.steps.get(index)?.operator.chunk_step()?.further()
}

fn added(work: &Work, index: usize, window: Window) -> Result<(Chunk, Effects), PlanError> {
    let step = work.plan.steps[index]
        .operator
        .chunk_step()
        .and_then(ChunkStep::further);
    let FurtherRows { columns, positions } = step.ok_or(PlanError::Internal("a step adds no rows"))?.rows(window)?;
    if columns.iter().any(|column| column.len() != positions.len()) {
        return Err(PlanError::Internal("a step added columns of different lengths"));
    }
    let number = work.plan.steps[index].number;
    let origins: UInt64Array = positions.iter().map(|at| Some(brought(number, *at))).collect();
    if let Some(probe) = &work.probe {
        probe.brought((index, number), &positions);
    }
    let mut account = Account::default();
    account.added.add(positions.iter().map(|at| brought(number, *at)));
    account.kept.add(origins.values().iter().copied());
    let all_changed = || Some(BooleanArray::from(vec![true; positions.len()]));
    let chunk = Chunk {
        changed: (work.marked == Marked::Yes).then(|| columns.iter().map(|_| all_changed()).collect()),
        columns,
        sources: UInt32Array::from(vec![0; positions.len()]),
        origins,
        flags: None,
    };
    if let Some(probe) = &work.probe {
        probe.see(index + 1, &chunk)?;
    }
    Ok((chunk, Effects::of(number, account, Vec::new())))
}

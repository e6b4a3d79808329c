//! What steps are carried out by.

use std::fmt;
use std::path::PathBuf;

use arrow::array::{ArrayRef, BooleanArray, UInt32Array};

use super::chunk::Chunk;
use super::deduplicate::DeduplicatePlan;
use super::further::Further;
use super::group::GroupPlan;
use super::lookup::LooksUp;
use super::ordered::OrderedStep;
use super::query::QueryPlan;
use super::sort::SortPlan;
use super::unique::UniquePlan;
use crate::recipe::expression::Rejection;
use crate::recipe::ledger::Matches;

/// Why a plan could not be carried through.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A table part or `table.json`.
    #[error("table: {0}")]
    Table(#[from] crate::tables::read::TableError),
    /// Arrow.
    #[error("column: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// DataFusion.
    #[error("plan: {0}")]
    DataFusion(#[from] datafusion_common::DataFusionError),
    /// A file of ours.
    #[error("file {path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// An output.
    #[error("output: {0}")]
    Write(#[from] crate::sheets::write::WriteError),
    /// A task of the plan ended early.
    #[error("a part of the plan stopped: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// The recipe wants to stop at a value that cannot be converted.
    #[error("stopped at a value")]
    Stopped(Box<Rejection>),
    /// Another table does not do; why, for people.
    #[error("{0}")]
    Reference(String),
    /// A query cannot be carried through; why, for people.
    #[error("{0}")]
    Query(String),
    /// A step makes more text of some ten thousand rows than can be held.
    #[error("a step makes more than 1 GiB of text in one column of 65,536 rows or fewer")]
    TooMuchText,
    /// Too many rows are so much alike that comparing them would take hours.
    #[error(
        "too many rows look alike: ask for a higher `similarity`, or name first in `by` the column whose texts differ most"
    )]
    TooManyAlike,
    /// The groups of a step do not fit into the memory.
    #[error("too many different rows for the memory of this step")]
    TooManyGroups,
    /// Nobody waits for the answer any more.
    #[error("nobody waits for it any more")]
    GivenUp,
    /// Something that cannot be.
    #[error("{0}")]
    Internal(&'static str),
}

/// A step's work, by how it goes through the rows.
#[derive(Debug)]
pub enum Operator {
    /// Chunk by chunk, each for itself.
    Step(Box<dyn ChunkStep>),
    /// All rows put in order.
    Sort(SortPlan),
    /// Rows that are alike.
    Deduplicate(DeduplicatePlan),
    /// Rows made into groups.
    Group(GroupPlan),
    /// All rows into a query.
    Query(QueryPlan),
    /// Rows checked, some of whose values must be unique.
    Unique(UniquePlan),
    /// Row by row, with something carried from each to the next.
    Ordered(Box<dyn OrderedStep>),
}

impl Operator {
    /// A step that works chunk by chunk.
    pub fn step(step: impl ChunkStep + 'static) -> Self {
        Self::Step(Box::new(step))
    }

    /// A step that goes through the rows in order.
    pub fn ordered(step: impl OrderedStep + 'static) -> Self {
        Self::Ordered(Box::new(step))
    }
}

/// A step that works on each chunk for itself, whatever the others are: so chunks can be worked on side by side.
pub trait ChunkStep: fmt::Debug + Send + Sync {
    /// Works on a chunk. It takes no row away itself: it says which are to go.
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError>;

    /// Whether it may find several things in each row.
    fn checks(&self) -> bool {
        false
    }

    /// How many rows it may make of one, where that is known.
    fn widens(&self) -> usize {
        1
    }

    /// The rows of another table that it adds behind the last row, where it may add some.
    fn further(&self) -> Option<&dyn Further> {
        None
    }

    /// What it looks rows up by, where it does.
    fn looks_up(&self) -> Option<&dyn LooksUp> {
        None
    }

    /// How many rows of another table met none of ours, once all of ours went by; nothing: it looks at no other table.
    fn left_over(&self) -> Option<u64> {
        None
    }

    /// How a row met those of another table, where the step looks it up: `row` is it alone in front of the step, and
    /// `copy` says which of the rows that the step made of it is meant, from 0.
    fn met(&self, _row: &Chunk, _copy: u64) -> Result<Option<Met>, PlanError> {
        Ok(None)
    }

    /// Why a row is filtered, in words.
    fn why_filtered(&self) -> &str {
        ""
    }

    /// For each of the columns after the step the column before it that it goes on, where there is one.
    fn lineage(&self, before: usize, after: usize) -> Vec<Option<usize>> {
        (0..after).map(|column| (column < before).then_some(column)).collect()
    }

    /// Which of the `before` columns are needed when these columns behind it are wanted.
    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed.resize(before, true);
        needed
    }
}

impl Operator {
    /// What works chunk by chunk in it, where something does.
    #[must_use]
    pub fn chunk_step(&self) -> Option<&dyn ChunkStep> {
        match self {
            Self::Step(step) => Some(step.as_ref()),
            Self::Unique(unique) => Some(unique.judge.as_ref()),
            Self::Sort(_) | Self::Deduplicate(_) | Self::Group(_) | Self::Query(_) | Self::Ordered(_) => None,
        }
    }
}

/// How a row met those of another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// What the recipe calls the other table.
    pub table: String,
    /// How many of its rows match.
    pub rows: u64,
    /// The one that belongs to the row, as its sheet numbers it.
    pub row: Option<u32>,
}

/// A step that changes nothing.
#[derive(Debug)]
pub struct Unchanged;

impl ChunkStep for Unchanged {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        Ok(Applied::same_columns(chunk.columns.clone()))
    }
}

/// What a step made of a chunk.
#[derive(Debug)]
pub struct Applied {
    /// The columns after the step, for all rows of the chunk, or for those that are picked.
    pub columns: Vec<ArrayRef>,
    /// For each of them the column before the step that it goes on; `None`: it is new. Nothing: they are the same columns.
    pub sources: Option<Vec<Option<usize>>>,
    /// For each row after the step the position of the row it comes from, in their order: a row that is picked several times
    /// becomes several, one that is not is filtered out. Nothing: each row is picked once.
    pub picked: Option<UInt32Array>,
    /// The rows that are filtered out; not together with `picked`.
    pub filtered: Option<BooleanArray>,
    /// What is wrong with rows; they are rejected.
    pub rejections: Vec<Rejection>,
    /// What is odd about rows; they stay, and it is listed.
    pub warnings: Vec<Rejection>,
    /// How rows met those of another table, where the step looks them up.
    pub matches: Option<Matches>,
}

impl Applied {
    /// The same columns, with other values.
    #[must_use]
    pub fn same_columns(columns: Vec<ArrayRef>) -> Self {
        Self {
            columns,
            sources: None,
            picked: None,
            filtered: None,
            rejections: Vec::new(),
            warnings: Vec::new(),
            matches: None,
        }
    }

    /// Other columns, each with the one that it goes on.
    #[must_use]
    pub fn with_sources(columns: Vec<ArrayRef>, sources: Vec<Option<usize>>) -> Self {
        Self {
            sources: Some(sources),
            ..Self::same_columns(columns)
        }
    }
}

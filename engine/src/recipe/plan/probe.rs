//! Follows rows through a plan, for who asks where a row of a result comes from.
//!
//! Rows are known by their numbers, which no two rows of one point share. A probe is told which to watch. On the way of all
//! rows through the plan it notes these as they are at each point, and out of which rows each of them was made: copies of a
//! row, groups, rows of another table. What a row was made of is watched in the next pass, until nothing new comes up. Points
//! are counted from 0, in front of the first step; point `n` is behind the `n`-th step. Without a probe nothing is noted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::UInt64Array;
use futures_util::StreamExt;

use super::Work;
use super::chunk::Chunk;
use super::deduplicate::Keys;
use super::operator::{Operator, PlanError};
use super::stages::{ChunkStream, positions};
use crate::recipe::ledger::{brought, made_from};

/// Rows of a group, and rows that are alike, that are noted one by one; beyond, they are counted.
pub const MOST_ROWS: usize = 100;
/// Columns that are noted of rows as they were read.
pub const MOST_COLUMNS: usize = 50;

/// Out of what a step made a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Of one row, of which it made several.
    Copy {
        /// That row.
        of: u64,
        /// Which of the copies, from 0.
        copy: u64,
        /// How many there are.
        copies: u64,
    },
    /// Of all rows of a group.
    Group {
        /// How many there are.
        rows: u64,
        /// The first of them, in order.
        members: Vec<u64>,
    },
    /// It is a row of another table.
    Brought {
        /// Where it stands there, from 0.
        position: u64,
    },
    /// By a query, of rows that nobody knows.
    Query,
}

/// Rows that are alike to one that stayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    /// How many there are besides.
    pub rows: u64,
    /// The rows of the sheet that the first of them come from; 0 where there is no single one.
    pub sources: Vec<u32>,
}

/// A row as it was read.
#[derive(Clone, Debug)]
pub struct ReadRow {
    /// Where it stands in the table, from 0.
    pub position: u64,
    /// The row, with its first columns.
    pub row: Chunk,
}

/// What came up in a pass. Steps are counted by position, from 0.
#[derive(Debug, Default)]
pub struct Found {
    /// Followed rows by point and number.
    pub rows: HashMap<(usize, u64), Chunk>,
    /// Where followed rows stood among all, from 0, by point and number: in front of and behind steps that need all rows.
    pub places: HashMap<(usize, u64), u64>,
    /// Watched rows as they were read.
    pub read: HashMap<u64, ReadRow>,
    /// How a step made a watched row.
    pub made: HashMap<(u64, usize), Made>,
    /// What makes rows alike to a followed row, by step and row.
    pub keys: HashMap<(usize, u64), Box<[u8]>>,
    /// Rows that are alike to a followed row, by step and row, where its key was known before.
    pub alike: HashMap<(usize, u64), Alike>,
    /// The keys of watched groups, by step.
    groups: HashMap<(usize, Box<[u8]>), u64>,
    /// Rows of groups that were noted, by step.
    members: HashMap<usize, usize>,
}

/// Notes rows in one pass.
#[derive(Debug, Default)]
pub struct Probe {
    /// Rows whose making is wanted.
    watched: HashSet<u64>,
    /// Those of them whose cells are wanted at each point.
    followed: HashSet<u64>,
    /// What makes rows alike to followed ones, by step and row.
    keys: HashMap<(usize, u64), Box<[u8]>>,
    found: Mutex<Found>,
}

impl Probe {
    /// Watches rows; `keys` are those of an earlier pass.
    #[must_use]
    pub fn new(watched: HashSet<u64>, followed: HashSet<u64>, keys: HashMap<(usize, u64), Box<[u8]>>) -> Arc<Self> {
        Arc::new(Self {
            watched,
            followed,
            keys,
            found: Mutex::default(),
        })
    }

    /// What came up so far; nothing is left of it here.
    #[must_use]
    pub fn take(&self) -> Found {
        std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, note: impl FnOnce(&mut Found)) {
        note(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Rows that were read from the table, the first of which stands at `first`.
    pub(super) fn read(&self, first: u64, chunk: &Chunk) -> Result<(), PlanError> {
        for (row, origin) in among(&self.watched, &chunk.origins) {
            let columns = chunk.columns.len().min(MOST_COLUMNS);
            let narrow = Chunk {
                columns: chunk.columns[..columns].to_vec(),
                changed: None,
                ..chunk.clone()
            };
            let read = ReadRow {
                position: first + row as u64,
                row: one(&narrow, row)?,
            };
            self.note(|found| drop(found.read.insert(origin, read)));
        }
        self.see(0, chunk)
    }

    /// Rows at a point.
    pub(super) fn see(&self, point: usize, chunk: &Chunk) -> Result<(), PlanError> {
        for (row, origin) in among(&self.followed, &chunk.origins) {
            let seen = one(chunk, row)?;
            self.note(|found| drop(found.rows.insert((point, origin), seen)));
        }
        Ok(())
    }

    /// Rows at a point where all come by in order, the first of which stands at `first`.
    fn place(&self, point: usize, first: u64, chunk: &Chunk) {
        for (row, origin) in among(&self.followed, &chunk.origins) {
            self.note(|found| {
                found.places.insert((point, origin), first + row as u64);
            });
        }
    }

    /// A step made rows out of others, each of one: `before` are their numbers, and `after` those of what it made.
    pub(super) fn copied(&self, step: usize, before: &UInt64Array, after: &UInt64Array) {
        for (row, origin) in among(&self.watched, after) {
            let of = before.value(row);
            let copy = (0..row).rev().take_while(|at| before.value(*at) == of).count() as u64;
            let later = (row + 1..before.len()).take_while(|at| before.value(*at) == of);
            let copies = copy + 1 + later.count() as u64;
            if copies > 1 {
                let made = Made::Copy { of, copy, copies };
                self.note(|found| drop(found.made.insert((origin, step), made)));
            }
        }
    }

    /// Rows that go into groups; `keys` are theirs, one for each or none where all are one group.
    pub(super) fn grouped(&self, step: usize, keys: &Keys, chunk: &Chunk) -> Result<(), PlanError> {
        let rows = (!keys.is_empty()).then(|| keys.of(chunk)).transpose()?;
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, origin) in chunk.origins.values().iter().enumerate() {
            let group = made_from(*origin);
            let is_watched = self.watched.contains(&group);
            if !is_watched && found.groups.is_empty() {
                continue;
            }
            let key: Box<[u8]> = rows
                .as_ref()
                .map_or_else(Box::default, |rows| rows.row(row).as_ref().into());
            if is_watched && !found.groups.values().any(|it| *it == group) {
                found.groups.insert((step, key.clone()), group);
            }
            let Some(group) = found.groups.get(&(step, key)).copied() else {
                continue;
            };
            let noted = found.members.entry(step).or_default();
            let is_listed = *noted < MOST_ROWS;
            *noted += usize::from(is_listed);
            let made = found.made.entry((group, step)).or_insert_with(|| Made::Group {
                rows: 0,
                members: Vec::new(),
            });
            if let Made::Group { rows, members } = made {
                *rows += 1;
                if is_listed || members.is_empty() {
                    members.push(*origin);
                }
            }
        }
        Ok(())
    }

    /// Rows of another table that a step brings, by their positions there.
    pub(super) fn brought(&self, (step, number): (usize, usize), positions: &[u64]) {
        for position in positions {
            let origin = brought(number, *position);
            if self.watched.contains(&origin) {
                let made = Made::Brought { position: *position };
                self.note(|found| drop(found.made.insert((origin, step), made)));
            }
        }
    }

    /// Rows that a query made.
    pub(super) fn queried(&self, step: usize, origins: &UInt64Array) {
        for (_, origin) in among(&self.watched, origins) {
            self.note(|found| drop(found.made.insert((origin, step), Made::Query)));
        }
    }

    /// Rows among which a step looks for those that are alike: `key` is the same for these.
    pub(super) fn compared(&self, step: usize, chunk: &Chunk, key: impl Fn(usize) -> Box<[u8]>) {
        let wanted: Vec<(u64, &[u8])> = self
            .keys
            .iter()
            .filter(|((at, _), _)| *at == step)
            .map(|((_, row), key)| (*row, key.as_ref()))
            .collect();
        for (row, origin) in among(&self.followed, &chunk.origins) {
            self.note(|found| drop(found.keys.insert((step, origin), key(row))));
        }
        if wanted.is_empty() {
            return;
        }
        for row in 0..chunk.rows() {
            let (origin, key) = (chunk.origins.value(row), key(row));
            for (of, _) in wanted
                .iter()
                .filter(|(of, wanted)| *wanted == key.as_ref() && *of != origin)
            {
                self.note(|found| {
                    let alike = found.alike.entry((step, *of)).or_default();
                    alike.rows += 1;
                    if alike.sources.len() < MOST_ROWS {
                        alike.sources.push(chunk.sources.value(row));
                    }
                });
            }
        }
    }
}

/// The rows of a chunk that are in a set, with their numbers.
fn among<'a>(set: &'a HashSet<u64>, origins: &'a UInt64Array) -> impl Iterator<Item = (usize, u64)> + 'a {
    let origins = origins.values().iter().copied().enumerate();
    origins.filter(|(_, origin)| set.contains(origin))
}

fn one(chunk: &Chunk, row: usize) -> Result<Chunk, PlanError> {
    chunk.taken(&positions([row]))
}

/// Watches the rows that go into a step which needs other rows.
pub(super) fn in_front(work: &Arc<Work>, step: usize, stream: ChunkStream) -> ChunkStream {
    let Some(probe) = work.probe.clone() else { return stream };
    let Some(planned) = work.plan.steps.get(step) else {
        return stream;
    };
    match &planned.operator {
        Operator::Sort(_) => placed(probe, step, stream),
        Operator::Deduplicate(plan) if !plan.reviews() => {
            let keys = match Keys::ignoring(&planned.before, &plan.by, plan.ignored) {
                Ok(keys) => keys,
                Err(error) => return Box::pin(futures_util::stream::iter([Err(error)])),
            };
            Box::pin(stream.map(move |chunk| {
                let chunk = chunk?;
                let rows = keys.of(&chunk)?;
                probe.compared(step, &chunk, |row| rows.row(row).as_ref().into());
                Ok(chunk)
            }))
        }
        _ => stream,
    }
}

/// Watches the rows that come out of the steps up to this point, where the last of them needs other rows.
pub(super) fn behind(work: &Arc<Work>, point: usize, stream: ChunkStream) -> ChunkStream {
    let Some(probe) = work.probe.clone() else { return stream };
    let last = point.checked_sub(1).and_then(|step| work.plan.steps.get(step));
    match last.map(|step| &step.operator) {
        None | Some(Operator::Step(_)) => stream,
        Some(_) => placed(probe, point, stream),
    }
}

fn placed(probe: Arc<Probe>, point: usize, stream: ChunkStream) -> ChunkStream {
    let mut next = 0;
    Box::pin(stream.map(move |chunk| {
        let chunk = chunk?;
        probe.place(point, next, &chunk);
        next += chunk.rows() as u64;
        probe.see(point, &chunk)?;
        Ok(chunk)
    }))
}

//! Another table, found by keys.
//!
//! Its keys and the columns that are wanted of it are held once for all windows; rows of ours go by it as they come. Keys
//! that they met are noted, so that what nothing met can be told at the end: in any order, and so from several threads.
//! A table that is larger than the step's share of the memory is looked up on disk ([`super::far`]), with the same outcome.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StructArray, UInt16Array, UInt32Array};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::UInt16Type;
use arrow::row::{RowConverter, Rows, SortField};

use super::cells;
use super::chunk::Chunk;
use super::far::Far;
use super::further::FurtherRows;
use super::operator::{Applied, Met, PlanError};
use super::stages::Window;
use super::widen;
use crate::recipe::columns::{Column, of_table};
use crate::tables::ColumnKind;
use crate::tables::kinds::mixed_fields;
use crate::tables::read::{Scan, Table};

/// Bytes that a row costs in memory beside its cells, about: its key once more, its place among the keys.
const ROW_BYTES: u64 = 64;
/// The end of a chain.
pub const NONE: u32 = u32::MAX;

/// Which table is looked up in, and by what.
#[derive(Debug)]
pub struct Lookup {
    /// The name of the other table.
    pub name: String,
    /// The other table.
    pub table: Table,
    /// Pairs of columns that must be alike: ours and theirs.
    pub on: Vec<(usize, usize)>,
    /// The columns of the other table that are held beside its keys.
    pub held: Vec<usize>,
    /// Where its number formats stand in the plan's.
    pub formats: Vec<u16>,
    /// Our columns.
    pub before: Vec<Column>,
    read: OnceLock<Result<Other, String>>,
    far: OnceLock<Far>,
}

/// A step that looks rows up.
pub trait LooksUp: Send + Sync {
    /// Where.
    fn lookup(&self) -> &Lookup;

    /// How many of the rows that match one of ours it wants to know of: two tell that there are several.
    fn most(&self) -> usize;

    /// What it makes of a chunk for which the matching rows were found.
    fn found(&self, chunk: &Chunk, matched: &Matched) -> Result<Applied, PlanError>;

    /// The rows of the other table that it adds, of those that met none of ours.
    fn brought(&self, left: LeftRows) -> Result<FurtherRows, PlanError>;
}

/// The rows of the other table that match those of a chunk.
#[derive(Debug)]
pub struct Matched {
    /// For each row of ours where its matches begin, and behind the last one where they end.
    pub starts: Vec<u32>,
    /// The matching rows, by their position in `columns`; for each row of ours in their order.
    pub theirs: Vec<u32>,
    /// The held columns of the other table, or of a part of it.
    pub columns: Vec<ArrayRef>,
    /// Rows of ours with a blank in their key: nothing matches them.
    pub blank: BooleanArray,
}

impl Matched {
    /// The rows that match this one of ours.
    #[must_use]
    pub fn of(&self, row: usize) -> &[u32] {
        let at = |row: usize| self.starts.get(row).map_or(0, |start| *start as usize);
        self.theirs.get(at(row)..at(row + 1)).unwrap_or_default()
    }
}

/// Rows of the other table that met none of ours.
#[derive(Debug)]
pub struct LeftRows {
    /// Where each stands in the other table, from 0.
    pub positions: Vec<u64>,
    /// The columns of keys as they were read.
    pub keys: Vec<ArrayRef>,
    /// The held columns.
    pub columns: Vec<ArrayRef>,
}

/// Rows of the other table with their keys.
#[derive(Debug)]
pub struct TheirRows {
    /// The keys in the form in which they are compared.
    pub parts: Vec<ArrayRef>,
    /// The columns of keys as they were read.
    pub keys: Vec<ArrayRef>,
    /// The held columns.
    pub columns: Vec<ArrayRef>,
}

/// The other table in memory.
#[derive(Debug)]
struct Other {
    converter: RowConverter,
    rows: Rows,
    hasher: RandomState,
    /// The first row for each hash of a key, and for each row the next one.
    first: HashMap<u64, u32>,
    next: Vec<u32>,
    /// Rows with a blank in their key.
    blank: BooleanArray,
    /// For the first row of each key whether a row of ours has that key.
    met: Vec<AtomicBool>,
    /// Its columns of keys as they were read.
    keys: Vec<ArrayRef>,
    /// The held columns.
    columns: Vec<ArrayRef>,
}

/// The keys of rows of ours.
#[derive(Debug)]
struct Keys {
    rows: Rows,
    blank: BooleanArray,
}

impl Lookup {
    /// Looks up in this table; `formats` are the number formats of the plan, and those of the other table join them.
    pub fn new(
        name: &str,
        table: &Table,
        before: &[Column],
        (on, held): (Vec<(usize, usize)>, Vec<usize>),
        formats: &mut Vec<String>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            table: table.clone(),
            on,
            held,
            formats: places(table, formats),
            before: before.to_vec(),
            read: OnceLock::new(),
            far: OnceLock::new(),
        }
    }

    /// The other table's columns.
    #[must_use]
    pub fn theirs(&self) -> Vec<Column> {
        of_table(self.table.meta())
    }

    /// The other table, read when it is wanted first.
    fn other(&self) -> Result<&Other, PlanError> {
        self.read
            .get_or_init(|| self.read().map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|sentence| PlanError::Reference(sentence.clone()))
    }

    /// Bytes that it would take in memory, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let (meta, wanted) = (self.table.meta(), self.wanted().len() as u64);
        let all: u64 = meta.parts.iter().map(|part| part.bytes).sum();
        all / (meta.columns.len().max(1) as u64) * wanted + meta.rows * ROW_BYTES
    }

    /// Whether it has more rows than can be told apart in memory.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.table.meta().rows >= u64::from(NONE)
    }

    /// What was found on disk, where it was looked up there.
    #[must_use]
    pub fn far(&self) -> Option<&Far> {
        self.far.get()
    }

    /// From now on this is where it is looked up.
    pub(super) fn set_far(&self, far: Far) -> Result<(), PlanError> {
        let again = PlanError::Internal("a table was looked up twice");
        self.far.set(far).map_err(|_there| again)
    }

    /// How many of its rows met none of ours so far.
    #[must_use]
    pub fn left_over(&self) -> u64 {
        match (self.far.get(), self.read.get()) {
            (Some(far), _) => far.left_over(),
            (None, Some(Ok(other))) => (0..other.next.len()).filter(|row| !other.is_met(*row)).count() as u64,
            _ => self.table.meta().rows,
        }
    }

    /// Those of the rows in this window of the other table that met none of ours.
    pub fn left_rows(&self, window: Window) -> Result<LeftRows, PlanError> {
        if let Some(far) = self.far.get() {
            return far.left(window, self.on.len());
        }
        let other = self.other()?;
        let rows = window.first..window.first + window.rows;
        let is_left = |row: &u64| usize::try_from(*row).is_ok_and(|row| !other.is_met(row));
        let positions: Vec<u64> = rows.filter(is_left).collect();
        let picked: UInt32Array = positions.iter().filter_map(|row| u32::try_from(*row).ok()).collect();
        let pick = |column: &ArrayRef| arrow::compute::take(column, &picked, None);
        Ok(LeftRows {
            keys: other.keys.iter().map(pick).collect::<Result<_, _>>()?,
            columns: other.columns.iter().map(pick).collect::<Result<_, _>>()?,
            positions,
        })
    }

    /// How the only row of a chunk of ours met the other table; `which` of the matches belongs to it, from 0. The other table
    /// is gone through, so that it may have any size.
    pub fn met(&self, row: &Chunk, which: u64) -> Result<Met, PlanError> {
        let ours = self.our_parts(row)?;
        let fields = ours.iter().map(|part| SortField::new(part.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let key = converter.convert_columns(&ours)?;
        let (mut rows, mut taken, mut first) = (0, None, 0);
        let wanted = self.wanted();
        let scan = Scan {
            columns: Some(wanted.clone()),
            ..Scan::default()
        };
        let mut reader = self.table.read(&scan);
        let batches = (!blanks(&ours, 1).value(0)).then_some(&mut reader);
        for batch in batches.into_iter().flatten() {
            let batch = batch?;
            let theirs = self.their_rows(&batch, &wanted)?.parts;
            let (keys, blank) = (converter.convert_columns(&theirs)?, blanks(&theirs, batch.num_rows()));
            for at in (0..batch.num_rows()).filter(|at| !blank.value(*at) && keys.row(*at) == key.row(0)) {
                if rows == which {
                    taken = Some(self.table.row_number(first + at as u64)?);
                }
                rows += 1;
            }
            first += batch.num_rows() as u64;
        }
        Ok(Met {
            table: self.name.clone(),
            rows,
            row: taken.flatten(),
        })
    }

    /// The rows that match those of a chunk, up to so many for each, found in memory.
    pub fn matched(&self, chunk: &Chunk, most: usize) -> Result<Matched, PlanError> {
        const MANY: PlanError = PlanError::Internal("too many rows match");
        let other = self.other()?;
        let parts = self.our_parts(chunk)?;
        let keys = Keys {
            rows: other.converter.convert_columns(&parts)?,
            blank: blanks(&parts, chunk.rows()),
        };
        let (mut starts, mut theirs) = (Vec::with_capacity(chunk.rows() + 1), Vec::with_capacity(chunk.rows()));
        starts.push(0);
        for row in 0..chunk.rows() {
            theirs.extend(other.matches(&keys, row).take(most));
            starts.push(u32::try_from(theirs.len()).map_err(|_many| MANY)?);
        }
        Ok(Matched {
            starts,
            theirs,
            columns: other.columns.clone(),
            blank: keys.blank,
        })
    }

    /// The keys of a chunk of ours in the form in which they are compared.
    pub(super) fn our_parts(&self, chunk: &Chunk) -> Result<Vec<ArrayRef>, PlanError> {
        let theirs = self.theirs();
        let part = |(ours, at): &(usize, usize)| {
            let of = &self.before[*ours];
            comparable(&chunk.columns[*ours], of, common(of.kind, theirs[*at].kind))
        };
        self.on.iter().map(part).collect()
    }

    /// The columns of the other table that are read: each once, also where it is a key and held.
    pub(super) fn wanted(&self) -> Vec<usize> {
        let keys = self.on.iter().map(|(_, theirs)| *theirs);
        let mut wanted: Vec<usize> = keys.chain(self.held.iter().copied()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// Rows of the other table that were read with these columns.
    pub(super) fn their_rows(&self, batch: &RecordBatch, wanted: &[usize]) -> Result<TheirRows, PlanError> {
        let column = |at: &usize| {
            let place = wanted.iter().position(|it| it == at).map(|place| place + 1);
            let column = place.and_then(|place| batch.columns().get(place));
            with_formats(
                column.ok_or(PlanError::Internal("a column was not read"))?,
                &self.formats,
            )
        };
        let theirs = self.theirs();
        let (mut keys, mut parts) = (Vec::new(), Vec::with_capacity(self.on.len()));
        for (ours, at) in &self.on {
            let (key, of) = (column(at)?, &theirs[*at]);
            parts.push(comparable(&key, of, common(self.before[*ours].kind, of.kind))?);
            keys.push(key);
        }
        let columns = self.held.iter().map(column).collect::<Result<_, _>>()?;
        Ok(TheirRows { parts, keys, columns })
    }

    fn read(&self) -> Result<Other, PlanError> {
        if self.is_too_long() {
            return Err(PlanError::Internal("a table with too many rows to be held"));
        }
        let wanted = self.wanted();
        let mut reader = self.table.read(&Scan {
            columns: Some(wanted.clone()),
            ..Scan::default()
        });
        let schema = reader.schema();
        let batches = (&mut reader).collect::<Result<Vec<_>, _>>()?;
        let batch = concat_batches(&schema, &batches)?;
        let TheirRows { parts, keys, columns } = self.their_rows(&batch, &wanted)?;
        Other::new(&parts, batch.num_rows(), keys, columns)
    }
}

impl Other {
    fn new(parts: &[ArrayRef], count: usize, keys: Vec<ArrayRef>, columns: Vec<ArrayRef>) -> Result<Self, PlanError> {
        let fields = parts.iter().map(|part| SortField::new(part.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let rows = converter.convert_columns(parts)?;
        let blank = blanks(parts, count);
        let (hasher, mut first) = (RandomState::new(), HashMap::new());
        let mut next = vec![NONE; count];
        // From the last row to the first: chains are in the order of rows.
        for row in (0..count).rev().filter(|row| !blank.value(*row)) {
            let at = u32::try_from(row).unwrap_or(NONE);
            let hash = hasher.hash_one(rows.row(row).as_ref());
            next[row] = first.insert(hash, at).unwrap_or(NONE);
        }
        Ok(Self {
            converter,
            rows,
            hasher,
            first,
            next,
            blank,
            met: (0..count).map(|_| AtomicBool::new(false)).collect(),
            keys,
            columns,
        })
    }

    /// The rows that match a row of ours, in their order; its key counts as met.
    fn matches<'a>(&'a self, keys: &'a Keys, row: usize) -> impl Iterator<Item = u32> + 'a {
        let found = (!keys.blank.value(row)).then(|| self.found(keys.rows.row(row).data()));
        let mut found = found.into_iter().flatten().peekable();
        if let Some(met) = found.peek().and_then(|first| self.met.get(*first as usize)) {
            met.store(true, Ordering::Relaxed);
        }
        found
    }

    /// Whether a row of ours has the key of this row.
    fn is_met(&self, row: usize) -> bool {
        let first = (!self.blank.value(row))
            .then(|| self.found(self.rows.row(row).data()).next())
            .flatten();
        first.is_some_and(|first| self.met[first as usize].load(Ordering::Relaxed))
    }

    /// The rows whose key is this one, in their order.
    fn found<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let mut at = self.first.get(&self.hasher.hash_one(key)).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            while at != NONE {
                let row = at;
                at = self.next.get(row as usize).copied().unwrap_or(NONE);
                if self.rows.row(row as usize).as_ref() == key {
                    return Some(row);
                }
            }
            None
        })
    }
}

/// How a pair of columns is compared: as what they both are, as numbers, as moments (a day is its midnight), or as texts.
#[must_use]
pub fn common(ours: ColumnKind, theirs: ColumnKind) -> ColumnKind {
    use ColumnKind::{Date, DateTime, Decimal, Integer, Mixed, Text};
    match (ours, theirs) {
        (Mixed, _) | (_, Mixed) => Text,
        (a, b) if a == b => a,
        (Integer | Decimal, Integer | Decimal) => Decimal,
        (Date | DateTime, Date | DateTime) => DateTime,
        _ => Text,
    }
}

/// A column in the form in which it is compared.
pub fn comparable(column: &ArrayRef, of: &Column, common: ColumnKind) -> Result<ArrayRef, PlanError> {
    let key = match common {
        kind if kind == of.kind => column.clone(),
        ColumnKind::Decimal | ColumnKind::DateTime => cast(column, &common.arrow())?,
        _ => Arc::new(cells::texts(column, of.format.as_deref())?),
    };
    cells::likeness(&key)?
        .into_iter()
        .next()
        .ok_or(PlanError::Internal("a key without a column"))
}

/// Rows in which a part of the key is blank: they match nothing.
pub(super) fn blanks(parts: &[ArrayRef], rows: usize) -> BooleanArray {
    (0..rows)
        .map(|row| Some(parts.iter().any(|part| part.is_null(row))))
        .collect()
}

/// Where the number formats of another table stand in the plan's, which they join.
#[must_use]
pub fn places(table: &Table, formats: &mut Vec<String>) -> Vec<u16> {
    let place = |format: &String| widen::place_of(Some(format), formats);
    table.meta().formats.iter().map(place).collect()
}

/// Cells of several kinds point into the formats of their own workbook: now into the plan's.
pub fn with_formats(column: &ArrayRef, places: &[u16]) -> Result<ArrayRef, PlanError> {
    let Some(cells) = column.as_struct_opt() else {
        return Ok(column.clone());
    };
    let mut children = cells.columns().to_vec();
    let place = children
        .last_mut()
        .ok_or(PlanError::Internal("a mixed column without formats"))?;
    let formats = place
        .as_primitive_opt::<UInt16Type>()
        .ok_or(PlanError::Internal("a mixed column without formats"))?;
    let mapped: UInt16Array = formats
        .values()
        .iter()
        .map(|format| Some(places.get(usize::from(*format)).copied().unwrap_or(*format)))
        .collect();
    *place = Arc::new(mapped);
    Ok(Arc::new(StructArray::try_new(
        mixed_fields(),
        children,
        cells.nulls().cloned(),
    )?))
}

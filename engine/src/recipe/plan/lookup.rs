//! Another table in memory, found by keys.
//!
//! Its keys and the columns that are wanted of it are held once for all windows; rows of ours go by it as they come. Keys
//! that they met are noted, so that what nothing met can be told at the end: in any order, and so from several threads.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray, UInt16Array};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::UInt16Type;
use arrow::row::{RowConverter, Rows, SortField};

use super::cells;
use super::chunk::Chunk;
use super::operator::{Met, PlanError};
use super::widen;
use crate::recipe::columns::{Column, of_table};
use crate::tables::ColumnKind;
use crate::tables::kinds::mixed_fields;
use crate::tables::read::{Scan, Table};

/// Bytes of another table that may be held, about.
const MOST_BYTES: u64 = 512 << 20;
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
}

/// The other table in memory.
#[derive(Debug)]
pub struct Other {
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
    pub keys: Vec<ArrayRef>,
    /// The held columns.
    pub columns: Vec<ArrayRef>,
}

/// The keys of rows of ours.
#[derive(Debug)]
pub struct Keys {
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
        }
    }

    /// The other table's columns.
    #[must_use]
    pub fn theirs(&self) -> Vec<Column> {
        of_table(self.table.meta())
    }

    /// The other table, read when it is wanted first.
    pub fn other(&self) -> Result<&Other, PlanError> {
        self.read
            .get_or_init(|| self.read().map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|sentence| PlanError::Reference(sentence.clone()))
    }

    /// How many of its rows met none of ours so far.
    #[must_use]
    pub fn left_over(&self) -> u64 {
        match self.read.get() {
            Some(Ok(other)) => (0..other.next.len()).filter(|row| !other.is_met(*row)).count() as u64,
            _ => self.table.meta().rows,
        }
    }

    /// The keys of a chunk of ours.
    pub fn keys(&self, other: &Other, chunk: &Chunk) -> Result<Keys, PlanError> {
        let theirs = self.theirs();
        let mut parts = Vec::with_capacity(self.on.len());
        for (ours, at) in &self.on {
            let of = &self.before[*ours];
            parts.push(comparable(
                &chunk.columns[*ours],
                of,
                common(of.kind, theirs[*at].kind),
            )?);
        }
        Ok(Keys {
            rows: other.converter.convert_columns(&parts)?,
            blank: blanks(&parts, chunk.rows()),
        })
    }

    /// How the only row of a chunk of ours met the other table; `which` of the matches belongs to it, from 0.
    pub fn met(&self, row: &Chunk, which: u64) -> Result<Met, PlanError> {
        let other = self.other()?;
        let keys = self.keys(other, row)?;
        let (mut rows, mut taken) = (0, None);
        for position in other.matches(&keys, 0) {
            if rows == which {
                taken = Some(self.table.row_number(u64::from(position))?);
            }
            rows += 1;
        }
        Ok(Met {
            table: self.name.clone(),
            rows,
            row: taken.flatten(),
        })
    }

    fn read(&self) -> Result<Other, PlanError> {
        let bytes: u64 = self.table.meta().parts.iter().map(|part| part.bytes).sum();
        if bytes > MOST_BYTES || self.table.meta().rows >= u64::from(NONE) {
            return Err(PlanError::Reference(format!(
                "the table `{}` is too large to be looked up in: it takes more than {} MB",
                self.name,
                MOST_BYTES >> 20
            )));
        }
        // Each column once, also where it is a key and held.
        let mut wanted: Vec<usize> = self
            .on
            .iter()
            .map(|(_, theirs)| *theirs)
            .chain(self.held.iter().copied())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut reader = self.table.read(&Scan {
            columns: Some(wanted.clone()),
            ..Scan::default()
        });
        let schema = reader.schema();
        let batches = (&mut reader).collect::<Result<Vec<_>, _>>()?;
        let batch = concat_batches(&schema, &batches)?;
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
    pub fn matches<'a>(&'a self, keys: &'a Keys, row: usize) -> impl Iterator<Item = u32> + 'a {
        let found = (!keys.blank.value(row)).then(|| self.found(keys.rows.row(row).data()));
        let mut found = found.into_iter().flatten().peekable();
        if let Some(met) = found.peek().and_then(|first| self.met.get(*first as usize)) {
            met.store(true, Ordering::Relaxed);
        }
        found
    }

    /// Whether a row of ours has the key of this row.
    #[must_use]
    pub fn is_met(&self, row: usize) -> bool {
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

impl Keys {
    /// Whether a part of this row's key is blank: then nothing matches it.
    #[must_use]
    pub fn is_blank(&self, row: usize) -> bool {
        self.blank.value(row)
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
fn blanks(parts: &[ArrayRef], rows: usize) -> BooleanArray {
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

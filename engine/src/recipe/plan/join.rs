//! Finds the rows of another table that belong to a row.
//!
//! The other table's keys and the columns that are wanted of it are held in memory, once for all windows; rows go by it as
//! they come.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray, UInt16Array, UInt32Array};
use arrow::compute::{cast, concat_batches, take};
use arrow::datatypes::{DataType, UInt16Type};
use arrow::row::{RowConverter, Rows, SortField};

use super::cells;
use super::chunk::Chunk;
use super::operator::{Applied, ChunkStep, PlanError};
use crate::recipe::columns::Column;
use crate::recipe::expression::Rejection;
use crate::recipe::steps::{JoinKind, Several};
use crate::tables::ColumnKind;
use crate::tables::kinds::mixed_fields;
use crate::tables::read::{Scan, Table};

/// Bytes of another table that may be held, about.
const MOST_BYTES: u64 = 512 << 20;
/// The end of a chain.
const NONE: u32 = u32::MAX;

/// What is looked for, and where.
#[derive(Debug)]
pub struct JoinStep {
    /// The name of the other table.
    pub name: String,
    /// The other table.
    pub table: Table,
    /// Pairs of columns that must be alike: ours and theirs.
    pub on: Vec<(usize, usize)>,
    /// The columns of the other table that are added.
    pub added: Vec<usize>,
    /// Where its number formats stand in the plan's.
    pub formats: Vec<u16>,
    /// Which rows stay.
    pub kind: JoinKind,
    /// What several matches mean.
    pub several: Several,
    /// Our columns.
    pub before: Vec<Column>,
    /// The other table, once it is read.
    pub read: OnceLock<Result<Other, String>>,
}

/// The other table in memory.
#[derive(Debug)]
pub struct Other {
    converter: RowConverter,
    keys: Rows,
    hasher: RandomState,
    /// The first row for each hash of a key, and for each row the next one.
    first: HashMap<u64, u32>,
    next: Vec<u32>,
    columns: Vec<ArrayRef>,
}

/// How a pair of columns is compared: as what they both are, as numbers, or as texts.
fn common(ours: ColumnKind, theirs: ColumnKind) -> ColumnKind {
    use ColumnKind::{Decimal, Integer, Mixed, Text};
    match (ours, theirs) {
        (Mixed, _) | (_, Mixed) => Text,
        (a, b) if a == b => a,
        (Integer | Decimal, Integer | Decimal) => Decimal,
        _ => Text,
    }
}

/// A column in the form in which it is compared.
fn key(column: &ArrayRef, of: &Column, common: ColumnKind) -> Result<ArrayRef, PlanError> {
    let key = match common {
        kind if kind == of.kind => column.clone(),
        ColumnKind::Decimal => cast(column, &DataType::Float64)?,
        _ => Arc::new(cells::texts(column, of.format.as_deref())?),
    };
    cells::likeness(&key)?
        .into_iter()
        .next()
        .ok_or(PlanError::Internal("a key without a column"))
}

impl JoinStep {
    fn other(&self) -> Result<&Other, PlanError> {
        self.read
            .get_or_init(|| self.read().map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|sentence| PlanError::Reference(sentence.clone()))
    }

    fn theirs(&self) -> Vec<Column> {
        crate::recipe::columns::of_table(self.table.meta())
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
        let wanted: Vec<usize> = self
            .on
            .iter()
            .map(|(_, theirs)| *theirs)
            .chain(self.added.iter().copied())
            .collect();
        let mut reader = self.table.read(&Scan {
            columns: Some(wanted),
            ..Scan::default()
        });
        let schema = reader.schema();
        let batches = (&mut reader).collect::<Result<Vec<_>, _>>()?;
        let batch = concat_batches(&schema, &batches)?;
        let (keys, added) = batch.columns().get(1..).unwrap_or_default().split_at(self.on.len());
        let theirs = self.theirs();
        let mut parts = Vec::with_capacity(keys.len());
        for ((ours, at), column) in self.on.iter().zip(keys) {
            let of = &theirs[*at];
            parts.push(key(column, of, common(self.before[*ours].kind, of.kind))?);
        }
        let fields = parts.iter().map(|part| SortField::new(part.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let rows = converter.convert_columns(&parts)?;
        let blank = blanks(&parts, batch.num_rows());
        let (hasher, mut first) = (RandomState::new(), HashMap::new());
        let mut next = vec![NONE; batch.num_rows()];
        // From the last row to the first: chains are in the order of rows.
        for row in (0..batch.num_rows()).rev().filter(|row| !blank.value(*row)) {
            let at = u32::try_from(row).unwrap_or(NONE);
            let hash = hasher.hash_one(rows.row(row).as_ref());
            next[row] = first.insert(hash, at).unwrap_or(NONE);
        }
        let columns = added
            .iter()
            .map(|column| self.with_formats(column))
            .collect::<Result<_, _>>()?;
        Ok(Other {
            converter,
            keys: rows,
            hasher,
            first,
            next,
            columns,
        })
    }

    /// Cells of several kinds point into the formats of their own workbook: now into the plan's.
    fn with_formats(&self, column: &ArrayRef) -> Result<ArrayRef, PlanError> {
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
            .map(|format| Some(self.formats.get(usize::from(*format)).copied().unwrap_or(*format)))
            .collect();
        *place = Arc::new(mapped);
        Ok(Arc::new(StructArray::try_new(
            mixed_fields(),
            children,
            cells.nulls().cloned(),
        )?))
    }
}

/// Rows in which a part of the key is blank: they match nothing.
fn blanks(parts: &[ArrayRef], rows: usize) -> BooleanArray {
    (0..rows)
        .map(|row| Some(parts.iter().any(|part| part.is_null(row))))
        .collect()
}

impl Other {
    /// The rows whose key is this one, in their order.
    fn matches<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let mut at = self.first.get(&self.hasher.hash_one(key)).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            while at != NONE {
                let row = at;
                at = self.next.get(row as usize).copied().unwrap_or(NONE);
                if self.keys.row(row as usize).as_ref() == key {
                    return Some(row);
                }
            }
            None
        })
    }
}

/// What was found for a chunk: pairs of our row and theirs.
#[derive(Default)]
struct Found {
    ours: Vec<u32>,
    theirs: Vec<Option<u32>>,
    rejections: Vec<Rejection>,
}

impl JoinStep {
    fn find(&self, other: &Other, chunk: &Chunk) -> Result<Found, PlanError> {
        let theirs = self.theirs();
        let mut parts = Vec::with_capacity(self.on.len());
        for (ours, at) in &self.on {
            let of = &self.before[*ours];
            parts.push(key(&chunk.columns[*ours], of, common(of.kind, theirs[*at].kind))?);
        }
        let keys = other.converter.convert_columns(&parts)?;
        let blank = blanks(&parts, chunk.rows());
        let mut found = Found::default();
        for row in 0..chunk.rows() {
            let position = u32::try_from(row).unwrap_or(NONE);
            let key = keys.row(row);
            let mut matches = other.matches(key.as_ref()).filter(|_| !blank.value(row)).peekable();
            match self.kind {
                JoinKind::Semi | JoinKind::Anti => {
                    if matches.peek().is_some() == (self.kind == JoinKind::Semi) {
                        found.ours.push(position);
                    }
                }
                JoinKind::Left | JoinKind::Inner => {
                    let first = matches.next();
                    let several = first.is_some() && matches.peek().is_some();
                    if first.is_some() || self.kind == JoinKind::Left {
                        found.ours.push(position);
                        found.theirs.push(first);
                    }
                    if several && self.several == Several::Reject {
                        found.rejections.push(self.several_matches(position));
                    } else if several && self.several == Several::All {
                        for row in matches {
                            found.ours.push(position);
                            found.theirs.push(Some(row));
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    fn several_matches(&self, position: u32) -> Rejection {
        Rejection {
            position,
            column: self.on.first().map(|(ours, _)| *ours),
            value: String::new(),
            rule: "join",
            message: format!("several rows of `{}` match", self.name),
        }
    }
}

impl ChunkStep for JoinStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let other = self.other()?;
        let found = self.find(other, chunk)?;
        let picked = UInt32Array::from(found.ours);
        let same = picked.len() == chunk.rows() && picked.values().iter().zip(0..).all(|(at, row)| *at == row);
        let mut columns = Vec::with_capacity(chunk.columns.len() + self.added.len());
        for column in &chunk.columns {
            columns.push(if same {
                column.clone()
            } else {
                take(column, &picked, None)?
            });
        }
        let mut sources: Vec<Option<usize>> = (0..columns.len()).map(Some).collect();
        if matches!(self.kind, JoinKind::Left | JoinKind::Inner) {
            let theirs = UInt32Array::from(found.theirs);
            for column in &other.columns {
                columns.push(take(column, &theirs, None)?);
                sources.push(None);
            }
        }
        Ok(Applied {
            rejections: found.rejections,
            picked: (!same).then_some(picked),
            ..Applied::with_sources(columns, sources)
        })
    }

    fn why_filtered(&self) -> &str {
        match self.kind {
            JoinKind::Anti => "a row of the other table matches",
            _ => "no row of the other table matches",
        }
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed.resize(before, true);
        for (ours, _) in &self.on {
            needed[*ours] = true;
        }
        needed
    }
}

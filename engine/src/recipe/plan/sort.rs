//! Puts rows in order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, StringArray, StringBuilder};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use futures_util::StreamExt;

use super::Work;
use super::chunk::{Chunk, Marked};
use super::collation::Collation;
use super::external::{self, ASCENDING, DESCENDING, Key};
use super::operator::{Operator, PlanError};
use super::stages::ChunkStream;
use crate::recipe::columns::Column;
use crate::recipe::ledger::Account;
use crate::recipe::steps::{BlankPlace, Compare, Direction};
use crate::tables::ColumnKind;

/// A sort.
#[derive(Clone, Debug)]
pub struct SortPlan {
    /// What to sort by, most important first.
    pub keys: Vec<SortBy>,
}

/// A column to sort by.
#[derive(Clone, Debug)]
pub struct SortBy {
    /// Its position.
    pub column: usize,
    /// Which way.
    pub order: Direction,
    /// Where its blanks go.
    pub blanks: BlankPlace,
    /// How its texts are compared.
    pub compare: Compare,
    /// The language whose order texts are in; `None`: character by character.
    pub collation: Option<Collation>,
}

impl SortBy {
    /// Smallest first, blanks last, texts character by character.
    #[must_use]
    pub fn ascending(column: usize) -> Self {
        Self {
            column,
            order: Direction::Ascending,
            blanks: BlankPlace::Last,
            compare: Compare::Exact,
            collation: None,
        }
    }
}

impl SortPlan {
    /// Which columns are needed when these are wanted.
    #[must_use]
    pub fn needs(&self, mut wanted: Vec<bool>) -> Vec<bool> {
        for key in &self.keys {
            wanted[key.column] = true;
        }
        wanted
    }
}

/// Sorts the stream. Equal rows keep their order, since the position in the stream is the last key.
pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    match try_run(work, index, stream) {
        Ok(stream) => stream,
        Err(error) => Box::pin(futures_util::stream::iter([Err(error)])),
    }
}

fn try_run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> Result<ChunkStream, PlanError> {
    let step = &work.plan.steps[index];
    let Operator::Sort(plan) = &step.operator else {
        return Err(PlanError::Internal("no sort"));
    };
    let base = empty(&step.before, work.marked)?.to_batch()?.schema();
    let (keys, added) = keys(plan, &step.before, base.fields().len());
    let schema = external::schema_with(&base, &added);
    let columns = step.before.len();
    let (counted, by) = (work.clone(), plan.keys.clone());
    let (mut next, number) = (0, step.number);
    let batches = stream.map(move |chunk| {
        let chunk = chunk?;
        let mut account = Account::default();
        account.came.add(chunk.origins.values().iter().copied());
        counted.note(super::Effects::of(number, account, Vec::new()))?;
        let mut added = Vec::new();
        for key in &by {
            added.extend(keys_of(key, &chunk.columns[key.column])?);
        }
        added.push(external::ordinals(&mut next, chunk.rows()));
        let batch = external::with_columns(&chunk.to_batch()?, added)?;
        external::compact(&batch)
    });
    let batches = external::flattened(batches);
    let first = work.resources.first.filter(|_| work.plan.last_sort() == Some(index));
    let (memory, scratch) = (work.share(), &work.resources.scratch);
    let sorted = external::first_of_sort(batches, schema, &keys, memory, scratch, first)?;
    let (work, marked) = (work.clone(), work.marked);
    Ok(Box::pin(sorted.map(move |batch| {
        let chunk = Chunk::of_batch(&batch?, columns, marked)?;
        let mut account = Account::default();
        account.kept.add(chunk.origins.values().iter().copied());
        work.note(super::Effects::of(number, account, Vec::new()))?;
        Ok(chunk)
    })))
}

/// What to sort by, and the types of the columns that are added for it behind the `behind` columns of a batch.
fn keys(plan: &SortPlan, columns: &[Column], behind: usize) -> (Vec<Key>, Vec<DataType>) {
    let (mut keys, mut added) = (Vec::new(), Vec::new());
    for key in &plan.keys {
        for (data_type, options) in key_types(key, columns[key.column].kind) {
            keys.push(Key {
                column: behind + added.len(),
                options,
            });
            added.push(data_type);
        }
    }
    keys.push(Key::ascending(behind + added.len()));
    added.push(DataType::UInt64);
    (keys, added)
}

/// A chunk without rows.
pub(super) fn empty(columns: &[Column], marked: Marked) -> Result<Chunk, PlanError> {
    Ok(Chunk {
        columns: columns
            .iter()
            .map(|column| arrow::array::new_empty_array(&column.kind.arrow()))
            .collect(),
        sources: Vec::<u32>::new().into(),
        origins: Vec::<u64>::new().into(),
        changed: (marked == Marked::Yes).then(|| vec![None; columns.len()]),
        flags: None,
    })
}

/// The types of [`keys_of`] for a column of this kind, and which way each is sorted.
pub(super) fn key_types(key: &SortBy, kind: ColumnKind) -> Vec<(DataType, SortOptions)> {
    let nulls_first = key.blanks == BlankPlace::First;
    let either = |options: SortOptions| SortOptions { nulls_first, ..options };
    let options = match key.order {
        Direction::Descending => either(DESCENDING),
        Direction::Ascending => either(ASCENDING),
    };
    let text = match (key.compare, &key.collation) {
        (Compare::Natural, _) | (_, Some(_)) => DataType::Binary,
        (Compare::Exact | Compare::IgnoreCase, None) => DataType::Utf8,
    };
    match kind {
        // The classes keep their order either way: numbers before texts.
        ColumnKind::Mixed => vec![
            (DataType::UInt8, either(ASCENDING)),
            (DataType::Float64, options),
            (text, options),
        ],
        ColumnKind::Text => vec![(text, options)],
        kind => vec![(kind.arrow(), options)],
    }
}

/// Columns to sort by in place of a column.
pub(super) fn keys_of(key: &SortBy, column: &ArrayRef) -> Result<Vec<ArrayRef>, PlanError> {
    let mut keys = super::cells::sort_keys(column)?;
    if let Some(last) = keys.last_mut()
        && let Some(texts) = last.as_string_opt::<i32>()
    {
        *last = match (key.compare, &key.collation) {
            (_, Some(collation)) => Arc::new(keyed(texts, |text, key| collation.write_key(text, key))),
            (Compare::Exact, None) => return Ok(keys),
            (Compare::IgnoreCase, None) => Arc::new(lower(texts)),
            (Compare::Natural, None) => Arc::new(keyed(texts, natural_key)),
        };
    }
    Ok(keys)
}

/// The texts in small letters.
fn lower(texts: &StringArray) -> StringArray {
    let mut lower = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
    let mut small = String::new();
    for text in texts {
        lower.append_option(text.map(|text| {
            small.clear();
            small.extend(text.chars().flat_map(char::to_lowercase));
            small.as_str()
        }));
    }
    lower.finish()
}

/// Bytes that are ordered as the texts are to be.
fn keyed(texts: &StringArray, write: impl Fn(&str, &mut Vec<u8>)) -> BinaryArray {
    let mut keys = BinaryBuilder::with_capacity(texts.len(), 2 * texts.value_data().len());
    let mut key = Vec::new();
    for text in texts {
        keys.append_option(text.map(|text| {
            key.clear();
            write(text, &mut key);
            key.as_slice()
        }));
    }
    keys.finish()
}

/// Digits that stand together are one number, all letters are small ones.
fn natural_key(text: &str, key: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            let mut bytes = [0; 4];
            for small in first.to_lowercase() {
                key.extend_from_slice(small.encode_utf8(&mut bytes).as_bytes());
            }
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (number, behind) = rest.split_at(digits);
        let number = number.trim_start_matches('0');
        // A number stands where its first digit would; a longer one is greater. Lengths are written so that they compare.
        key.push(b'0');
        for _ in 0..number.len() / 255 {
            key.push(255);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a remainder of 255")]
        key.push((number.len() % 255) as u8);
        key.extend_from_slice(number.as_bytes());
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_stand_together_are_ordered_as_a_number() {
        let long = "9".repeat(300);
        let longer = format!("1{}", "0".repeat(300));
        let ordered = [
            "", " 7", "0", "2", "10", &long, &longer, "a", "A1", "a1b", "a01c", "a2", "a10", "a10b", "b", "é",
        ];
        let key = |text: &str| {
            let mut key = Vec::new();
            natural_key(text, &mut key);
            key
        };
        for (index, text) in ordered.iter().enumerate() {
            for later in &ordered[index + 1..] {
                assert!(key(text) <= key(later), "{text:?} before {later:?}");
            }
        }
        assert_eq!(key("Item 007"), key("item 7"));
        assert!(key(&long) < key(&longer));
    }
}

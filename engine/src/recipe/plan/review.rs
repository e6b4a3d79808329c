//! Groups of rows that are alike, with the row of each that is kept, its number, and how similar the others are to it.
//!
//! All rows are seen before the first is given: on the way in each is told its group, and they wait on disk. On the way out
//! each either goes or stays, or is marked. Groups are held in memory; more of them than fit are refused with a sentence.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, UInt32Type, UInt64Type};
use futures_util::StreamExt;

use super::chunk::Chunk;
use super::deduplicate::{DeduplicatePlan, Keys, counted, missing, note_duplicates};
use super::external::{self, Key};
use super::operator::{Operator, PlanError};
use super::similar::{Heads, Plain, Threshold, of_rows};
use super::stages::ChunkStream;
use super::{Effects, Work, cells, sort};
use crate::recipe::columns::Column;
use crate::recipe::ledger::Account;
use crate::recipe::steps::{Groups, Keep};

/// What a key of equal rows costs beside its bytes: pointer, length, number, hash table slot and the allocator's own.
const KEY_OVERHEAD: usize = 64;

/// The row of a group that is kept, and how many there are.
#[derive(Debug)]
struct Group {
    rows: u32,
    /// Which of all rows is kept, from 0.
    kept: u64,
    /// Its row in the sheet.
    source: u32,
    /// Its blank cells.
    missing: u32,
    /// Its texts, where rows need not be equal.
    texts: Arc<[Plain]>,
    /// For people, from 1; 0 where a row is alone.
    number: i64,
}

/// How a row finds its group.
enum Finder {
    Equal {
        keys: Keys,
        seen: HashMap<Box<[u8]>, u32>,
        bytes: usize,
    },
    Similar(Heads),
}

struct Search {
    finder: Finder,
    plan: DeduplicatePlan,
    columns: Vec<Column>,
    groups: Vec<Group>,
    text_bytes: usize,
    most_bytes: usize,
    next: u64,
}

pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    try_run(work, index, stream).unwrap_or_else(|error| Box::pin(futures_util::stream::iter([Err(error)])))
}

fn try_run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> Result<ChunkStream, PlanError> {
    let step = &work.plan.steps[index];
    let Operator::Deduplicate(plan) = &step.operator else {
        return Err(PlanError::Internal("no search for duplicates"));
    };
    let (width, marked) = (step.before.len(), work.marked);
    let search = Arc::new(Mutex::new(Search::new(plan, &step.before, work.share() / 4 * 3)?));
    let base = sort::empty(&step.before, marked)?.to_batch()?.schema();
    let (group, ordinal) = (base.fields().len(), base.fields().len() + 1);
    let schema = external::schema_with(&base, &[DataType::UInt32, DataType::UInt64]);
    let (finding, mut next) = (search.clone(), 0);
    let waiting = external::flattened(counted(work, index, stream).map(move |chunk| {
        let chunk = chunk?;
        let groups = finding.lock().unwrap_or_else(PoisonError::into_inner).take(&chunk)?;
        let added: Vec<ArrayRef> = vec![Arc::new(groups), external::ordinals(&mut next, chunk.rows())];
        external::compact(&external::with_columns(&chunk.to_batch()?, added)?)
    }));
    // The order is the same as before: sorting waits for the last row, on disk where it must.
    let memory = work.share() / 4;
    let all = external::sort(
        waiting,
        schema,
        &[Key::ascending(ordinal)],
        memory,
        &work.resources.scratch,
    )?;
    let (work, mut numbered) = (work.clone(), false);
    Ok(Box::pin(all.map(move |batch| {
        let batch = batch?;
        let mut search = search.lock().unwrap_or_else(PoisonError::into_inner);
        if !numbered {
            search.number();
            numbered = true;
        }
        search.settle(&work, index, &batch, (width, group, ordinal))
    })))
}

impl Search {
    fn new(plan: &DeduplicatePlan, columns: &[Column], most_bytes: usize) -> Result<Self, PlanError> {
        let finder = match plan.similar {
            Some(threshold) => Finder::Similar(Heads::new(threshold)),
            None => Finder::Equal {
                keys: Keys::ignoring(columns, &plan.by, plan.ignored)?,
                seen: HashMap::new(),
                bytes: 0,
            },
        };
        Ok(Self {
            finder,
            plan: plan.clone(),
            columns: columns.to_vec(),
            groups: Vec::new(),
            text_bytes: 0,
            most_bytes,
            next: 0,
        })
    }

    /// The groups of the next rows.
    fn take(&mut self, chunk: &Chunk) -> Result<UInt32Array, PlanError> {
        let mut texts = self.texts(chunk)?.into_iter();
        let mut groups = Vec::with_capacity(chunk.rows());
        match &mut self.finder {
            Finder::Equal { keys, seen, bytes } => {
                for key in keys.of(chunk)?.iter() {
                    let fresh = u32::try_from(seen.len()).map_err(|_error| PlanError::TooManyGroups)?;
                    groups.push(match seen.get(key.as_ref()) {
                        Some(group) => *group,
                        None => {
                            *bytes += key.as_ref().len() + KEY_OVERHEAD;
                            seen.insert(key.as_ref().into(), fresh);
                            fresh
                        }
                    });
                }
            }
            Finder::Similar(heads) => {
                for texts in texts.clone() {
                    groups.push(heads.place(texts)?);
                }
            }
        }
        let missing = missing(&self.plan, chunk)?;
        let missing = missing.as_primitive::<UInt32Type>();
        for (row, group) in groups.iter().enumerate() {
            let texts = texts.next().unwrap_or_else(|| Arc::new([]));
            self.join(*group as usize, (missing.value(row), chunk.sources.value(row)), texts);
        }
        if self.bytes() > self.most_bytes {
            return Err(PlanError::TooManyGroups);
        }
        Ok(UInt32Array::from(groups))
    }

    fn join(&mut self, group: usize, (missing, source): (u32, u32), texts: Arc<[Plain]>) {
        let kept = self.next;
        self.next += 1;
        let size = |texts: &[Plain]| texts.iter().map(Plain::bytes).sum::<usize>();
        let Some(known) = self.groups.get_mut(group) else {
            self.text_bytes += size(&texts);
            self.groups.push(Group {
                rows: 1,
                kept,
                source,
                missing,
                texts,
                number: 0,
            });
            return;
        };
        known.rows = known.rows.saturating_add(1);
        let better = match self.plan.keep {
            Keep::First => false,
            Keep::Last => true,
            Keep::MostComplete => missing < known.missing,
        };
        if better {
            self.text_bytes = (self.text_bytes + size(&texts)).saturating_sub(size(&known.texts));
            (known.kept, known.source, known.missing, known.texts) = (kept, source, missing, texts);
        }
    }

    fn bytes(&self) -> usize {
        let finder = match &self.finder {
            Finder::Equal { bytes, .. } => *bytes,
            Finder::Similar(heads) => heads.bytes(),
        };
        finder + self.text_bytes + self.groups.capacity() * size_of::<Group>()
    }

    /// The texts of each row, where rows need not be equal.
    fn texts(&self, chunk: &Chunk) -> Result<Vec<Arc<[Plain]>>, PlanError> {
        let Some(Threshold { words, .. }) = self.plan.similar else {
            return Ok(Vec::new());
        };
        let mut columns = Vec::with_capacity(self.plan.by.len());
        for column in &self.plan.by {
            let format = self.columns[*column].format.as_deref();
            columns.push(cells::texts(&chunk.columns[*column], format)?);
        }
        let plain = |texts: &arrow::array::StringArray, row: usize| match texts.is_valid(row) {
            true => Plain::new(texts.value(row), words),
            false => Plain::new("", words),
        };
        let row = |row: usize| columns.iter().map(|texts| plain(texts, row)).collect();
        Ok((0..chunk.rows()).map(row).collect())
    }

    /// Numbers the groups of several rows, in the order of their first rows.
    fn number(&mut self) {
        let several = self.groups.iter_mut().filter(|group| group.rows > 1);
        several.zip(1..).for_each(|(group, number)| group.number = number);
    }

    /// Marks the rows of a batch, or takes those out that are not kept.
    fn settle(
        &self,
        work: &Work,
        index: usize,
        batch: &RecordBatch,
        (width, group, ordinal): (usize, usize, usize),
    ) -> Result<Chunk, PlanError> {
        const LOST: PlanError = PlanError::Internal("a batch lost its groups");
        let chunk = Chunk::of_batch(batch, width, work.marked)?;
        let groups = batch.column(group).as_primitive_opt::<UInt32Type>().ok_or(LOST)?;
        let ordinals = batch.column(ordinal).as_primitive_opt::<UInt64Type>().ok_or(LOST)?;
        let groups = groups.values().iter().map(|group| self.groups.get(*group as usize));
        let groups: Vec<&Group> = groups.collect::<Option<_>>().ok_or(LOST)?;
        if let Some(probe) = &work.probe {
            // A group is known by the row of it that is kept.
            probe.compared(index, &chunk, |row| groups[row].kept.to_be_bytes().into());
        }
        let rows = groups.iter().zip(ordinals.values());
        let kept: BooleanArray = rows.map(|(group, ordinal)| Some(group.kept == *ordinal)).collect();
        let texts = self.texts(&chunk)?;
        let alike = |row: usize| match texts.get(row) {
            Some(texts) if !kept.value(row) => (of_rows(texts, &groups[row].texts) * 1e4).round() / 1e4,
            _ => 1.0,
        };
        let number = work.plan.steps[index].number;
        let mut account = Account::default();
        let (chunk, taken) = match self.plan.groups {
            Groups::Mark => (with_marks(chunk, &groups, &kept, alike), Vec::new()),
            Groups::Remove => {
                let out = (0..chunk.rows()).filter(|row| !kept.value(*row));
                let why = out.map(|row| like(groups[row].source, alike(row))).collect();
                let taken = note_duplicates(work, number, why, &chunk, &kept, &mut account)?;
                (chunk.filtered(&kept)?, taken)
            }
        };
        account.kept.add(chunk.origins.values().iter().copied());
        work.note(Effects::of(number, account, taken))?;
        Ok(chunk)
    }
}

/// "like row 12 (93 %)"
fn like(source: u32, similarity: f64) -> String {
    // Cut rather than rounded: only what is equal is 100 %.
    let percent = (similarity * 100.0 + 1e-6).floor();
    match source {
        0 => format!("like another row ({percent} %)"),
        row => format!("like row {row} ({percent} %)"),
    }
}

/// The rows with the number of their group, their similarity to the row that is kept, and whether they are that.
fn with_marks(mut chunk: Chunk, groups: &[&Group], kept: &BooleanArray, alike: impl Fn(usize) -> f64) -> Chunk {
    let in_group = |row: usize| groups[row].number > 0;
    let numbers: Int64Array = groups
        .iter()
        .map(|group| (group.number > 0).then_some(group.number))
        .collect();
    let similarities: Float64Array = (0..groups.len()).map(|row| in_group(row).then(|| alike(row))).collect();
    let marks: [ArrayRef; 3] = [Arc::new(numbers), Arc::new(similarities), Arc::new(kept.clone())];
    if let Some(changed) = &mut chunk.changed {
        changed.extend(marks.iter().map(|_| Some(BooleanArray::from(vec![true; groups.len()]))));
    }
    chunk.columns.extend(marks);
    chunk
}

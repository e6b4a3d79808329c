//! Chunks become row groups, row groups become part files.
//!
//! A part's schema is set by its first row group, at the narrowest kinds; a later group that does not fit closes the part.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder, Time32MillisecondBuilder,
    TimestampMillisecondBuilder, UInt32Array, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::chunk::{Chunk, RawColumn};
use super::kinds::SeenKinds;
use super::mixed::MixedBuilder;
use super::read::TableError;
use super::{ColumnKind, PART_FORMAT};
use crate::sheets::CellKind;
use crate::sheets::dates::{serial_ms, unix_day, unix_ms};
use crate::sheets::kind::letters;
use crate::sheets::view::CellView;

/// Row groups of a part file: a reader that works in parallel takes parts, and 16 row groups are a full Excel sheet.
const GROUPS: usize = 4;
/// Rows of a data page, which a reader may skip whole: the window of a grid decodes little more than it shows.
const PAGE_ROWS: usize = 8192;
/// Columns of a table whose values are looked for in a dictionary: each takes 50 KB from its start, and a sheet may have
/// 16,384 columns.
const WITH_DICTIONARY: usize = 512;

/// Rows that become one row group.
#[derive(Debug, Default)]
pub(super) struct Group {
    chunks: Vec<(Arc<Chunk>, Range<usize>)>,
    rows: usize,
    width: usize,
    text_bytes: usize,
}

impl Group {
    pub(super) fn push(&mut self, chunk: Arc<Chunk>, rows: Range<usize>) {
        self.rows += rows.len();
        self.width = self.width.max(chunk.columns.len());
        self.text_bytes += chunk.columns.iter().map(RawColumn::text_bytes).sum::<usize>();
        self.chunks.push((chunk, rows));
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Rows times columns, which bounds the memory of a wide sheet's row group.
    pub(super) fn cells(&self) -> usize {
        self.rows * self.width
    }

    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    fn cells_of(&self, column: usize) -> impl Iterator<Item = CellView<'_>> {
        static BLANK: RawColumn = RawColumn::BLANK;
        self.chunks.iter().flat_map(move |(chunk, rows)| {
            let column = chunk.columns.get(column).unwrap_or(&BLANK);
            rows.clone().map(|row| column.cell(row))
        })
    }

    /// The kind of each column, and the number format that most of its first cells have.
    fn kinds(&self) -> Vec<(ColumnKind, u16)> {
        let kind_of = |column: usize| {
            let (mut seen, mut format) = (SeenKinds::default(), None);
            for cell in self.cells_of(column) {
                seen.see(cell.kind, cell.number);
                if cell.kind != CellKind::Blank {
                    format = format.or(cell.format);
                }
            }
            (seen.column(), format.unwrap_or(0))
        };
        (0..self.width).map(kind_of).collect()
    }

    fn array(&self, column: usize, kind: ColumnKind, formats: &[String]) -> ArrayRef {
        macro_rules! typed {
            ($builder:ty, $value:expr) => {{
                let mut builder = <$builder>::with_capacity(self.rows);
                let value = $value;
                self.cells_of(column)
                    .for_each(|cell| builder.append_option(value(cell)));
                Arc::new(builder.finish())
            }};
        }
        let filled = |cell: &CellView<'_>| cell.kind != CellKind::Blank;
        match kind {
            ColumnKind::Blank => new_null_array(&DataType::Utf8, self.rows),
            ColumnKind::Integer => {
                #[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
                let whole = |cell: CellView<'_>| filled(&cell).then_some(cell.number as i64);
                typed!(Int64Builder, whole)
            }
            ColumnKind::Decimal => typed!(Float64Builder, |cell: CellView<'_>| filled(&cell)
                .then_some(cell.number)),
            ColumnKind::Boolean => {
                typed!(BooleanBuilder, |cell: CellView<'_>| filled(&cell)
                    .then_some(cell.number != 0.0))
            }
            ColumnKind::Date => {
                typed!(Date32Builder, |c: CellView<'_>| if filled(&c) {
                    unix_day(c.number)
                } else {
                    None
                })
            }
            ColumnKind::DateTime => {
                let moment = |c: CellView<'_>| if filled(&c) { unix_ms(c.number) } else { None };
                typed!(TimestampMillisecondBuilder, moment)
            }
            ColumnKind::Time => {
                let time = |c: CellView<'_>| {
                    if filled(&c) {
                        i32::try_from(serial_ms(c.number)).ok()
                    } else {
                        None
                    }
                };
                typed!(Time32MillisecondBuilder, time)
            }
            ColumnKind::Text => self.texts(column),
            ColumnKind::Mixed => {
                let mut builder = MixedBuilder::default();
                for cell in self.cells_of(column) {
                    builder.push(&cell, cell.format.unwrap_or(0), cell.code(None, formats));
                }
                builder.finish()
            }
        }
    }
}

impl Group {
    fn texts(&self, column: usize) -> ArrayRef {
        let of_column = |(chunk, _): &(Arc<Chunk>, _)| chunk.columns.get(column).map_or(0, RawColumn::text_bytes);
        let bytes = self.chunks.iter().map(of_column).sum();
        let mut builder = StringBuilder::with_capacity(self.rows, bytes);
        for cell in self.cells_of(column) {
            builder.append_option((cell.kind != CellKind::Blank).then_some(cell.text));
        }
        Arc::new(builder.finish())
    }
}

/// An open part file.
pub(super) struct PartWriter {
    file: ArrowWriter<File>,
    schema: SchemaRef,
    kinds: Vec<ColumnKind>,
    groups: usize,
    rows: u64,
    bytes: u64,
}

impl PartWriter {
    /// Whether the group can go into this part: there is room, and each column's kind is in its kind.
    pub(super) fn takes(&self, group: &Group) -> bool {
        let held = |at: usize| self.kinds.get(at).copied().unwrap_or_default();
        self.groups < GROUPS
            && group
                .kinds()
                .iter()
                .enumerate()
                .all(|(at, (kind, _))| kind.join(held(at)) == held(at))
    }

    /// Makes a part for this group and those that follow.
    pub(super) fn create(path: &Path, group: &Group) -> Result<Self, TableError> {
        let kinds = group.kinds();
        let mut fields = vec![Field::new("row", DataType::UInt32, false)];
        for (at, (kind, format)) in kinds
            .iter()
            .enumerate()
            .filter(|(_, (kind, _))| *kind != ColumnKind::Blank)
        {
            let metadata = [(PART_FORMAT.to_owned(), format.to_string())].into();
            let name = letters(u32::try_from(at).unwrap_or(u32::MAX));
            fields.push(Field::new(name, kind.arrow(), true).with_metadata(metadata));
        }
        let schema = Arc::new(Schema::new(fields));
        let row = ColumnPath::from("row");
        let properties = WriterProperties::builder()
            .set_created_by(format!("sheetmill {}", crate::VERSION))
            .set_compression(Compression::LZ4_RAW)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_write_batch_size(PAGE_ROWS)
            .set_dictionary_enabled(kinds.len() <= WITH_DICTIONARY)
            // Row numbers mostly count up by one.
            .set_column_dictionary_enabled(row.clone(), false)
            .set_column_encoding(row, Encoding::DELTA_BINARY_PACKED)
            .build();
        let file = ArrowWriter::try_new(File::create(path)?, Arc::clone(&schema), Some(properties))?;
        let kinds = kinds.into_iter().map(|(kind, _)| kind).collect();
        Ok(Self {
            file,
            schema,
            kinds,
            groups: 0,
            rows: 0,
            bytes: 0,
        })
    }

    /// Adds a group as one row group.
    pub(super) fn write(&mut self, group: &Group, formats: &[String]) -> Result<(), TableError> {
        let numbers = group
            .chunks
            .iter()
            .flat_map(|(chunk, rows)| chunk.rows.get(rows.clone()).unwrap_or_default());
        let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(numbers.copied()))];
        for (at, kind) in self
            .kinds
            .iter()
            .enumerate()
            .filter(|(_, kind)| **kind != ColumnKind::Blank)
        {
            columns.push(group.array(at, *kind, formats));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.bytes += batch.get_array_memory_size() as u64;
        self.file.write(&batch)?;
        self.file.flush()?;
        self.groups += 1;
        self.rows += group.rows as u64;
        Ok(())
    }

    /// The kinds of its columns, from the first.
    pub(super) fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    /// Completes the file; its rows, and the bytes of their columns in memory.
    pub(super) fn finish(self) -> Result<(u64, u64), TableError> {
        self.file.close()?;
        Ok((self.rows, self.bytes))
    }
}

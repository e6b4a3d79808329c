//! Sorting more rows than memory holds, with DataFusion's sort.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use datafusion_execution::config::SessionConfig;
use datafusion_execution::disk_manager::{DiskManager, DiskManagerMode};
use datafusion_execution::memory_pool::GreedyMemoryPool;
use datafusion_execution::runtime_env::RuntimeEnvBuilder;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::sorts::sort::SortExec;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures_util::{Stream, StreamExt, TryStreamExt};

use super::operator::PlanError;

/// Rows of a batch inside a sort: what is merged at a time must be small beside the memory.
pub const SORT_ROWS: usize = 8192;

/// Batches on their way.
pub type BatchStream = Pin<Box<dyn Stream<Item = Result<RecordBatch, PlanError>> + Send>>;

/// A column to sort by.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its position in the batches.
    pub column: usize,
    /// Which way, and where blanks go.
    pub options: SortOptions,
}

impl Key {
    /// Smallest first.
    #[must_use]
    pub fn ascending(column: usize) -> Self {
        Self {
            column,
            options: ASCENDING,
        }
    }
}

/// A stream of a few batches at a time as a stream of batches.
pub fn flattened(batches: impl Stream<Item = Result<Vec<RecordBatch>, PlanError>> + Send + 'static) -> BatchStream {
    Box::pin(
        batches
            .map_ok(|batches| futures_util::stream::iter(batches.into_iter().map(Ok)))
            .try_flatten(),
    )
}

/// Smallest first; for ordinals.
pub const ASCENDING: SortOptions = SortOptions {
    descending: false,
    nulls_first: false,
};
/// Greatest first; blanks still last.
pub const DESCENDING: SortOptions = SortOptions {
    descending: true,
    nulls_first: false,
};

/// Sorts batches within `memory` bytes, by files in `scratch` beyond. The keys must tell any two rows apart, or their order
/// is not defined.
pub fn sort(
    batches: BatchStream,
    schema: SchemaRef,
    keys: &[Key],
    memory: usize,
    scratch: &Path,
) -> Result<BatchStream, PlanError> {
    first_of_sort(batches, schema, keys, memory, scratch, None)
}

/// The same, with only so many of the first rows; the rest is not kept meanwhile.
pub fn first_of_sort(
    batches: BatchStream,
    schema: SchemaRef,
    keys: &[Key],
    memory: usize,
    scratch: &Path,
    first: Option<usize>,
) -> Result<BatchStream, PlanError> {
    let exprs = keys.iter().map(|key| {
        let column = Column::new(schema.field(key.column).name(), key.column);
        PhysicalSortExpr::new(Arc::new(column), key.options)
    });
    let ordering = LexOrdering::new(exprs).ok_or(PlanError::Internal("a sort without keys"))?;
    let source = Arc::new(Once {
        schema: schema.clone(),
        batches: Mutex::new(Some(batches)),
    });
    let input = StreamingTableExec::try_new(schema, vec![source], None, [], false, None)?;
    let sort = SortExec::new(ordering, Arc::new(input)).with_fetch(first);
    let sorted = sort.execute(0, context(memory, scratch)?)?;
    Ok(Box::pin(sorted.map_err(PlanError::from)))
}

fn context(memory: usize, scratch: &Path) -> Result<Arc<TaskContext>, PlanError> {
    let disk = DiskManager::builder().with_mode(DiskManagerMode::Directories(vec![scratch.to_owned()]));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory)))
        .with_disk_manager_builder(disk)
        .build_arc()?;
    let config = SessionConfig::new()
        .with_batch_size(SORT_ROWS)
        .with_target_partitions(1)
        .with_sort_spill_reservation_bytes((memory / 4).min(10 << 20));
    Ok(Arc::new(
        TaskContext::default().with_session_config(config).with_runtime(runtime),
    ))
}

/// A batch with columns added behind.
pub fn with_columns(batch: &RecordBatch, added: Vec<ArrayRef>) -> Result<RecordBatch, PlanError> {
    let mut fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    let first = fields.len();
    fields.extend(
        added
            .iter()
            .enumerate()
            .map(|(index, array)| Field::new(format!("k{}", first + index), array.data_type().clone(), true)),
    );
    let columns = batch.columns().iter().cloned().chain(added).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// The schema of such batches.
#[must_use]
pub fn schema_with(schema: &SchemaRef, added: &[DataType]) -> SchemaRef {
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    let first = fields.len();
    fields.extend(
        added
            .iter()
            .enumerate()
            .map(|(index, kind)| Field::new(format!("k{}", first + index), kind.clone(), true)),
    );
    Arc::new(Schema::new(fields))
}

/// Numbers for the next rows, in their order.
#[must_use]
pub fn ordinals(next: &mut u64, rows: usize) -> ArrayRef {
    let start = *next;
    *next += rows as u64;
    Arc::new(UInt64Array::from_iter_values(start..*next))
}

/// A batch cut into batches of at most [`SORT_ROWS`] rows with memory of their own: a slice keeps all its buffers alive and
/// is counted as if it were as large as they are.
pub fn compact(batch: &RecordBatch) -> Result<Vec<RecordBatch>, PlanError> {
    let mut compact = Vec::with_capacity(batch.num_rows().div_ceil(SORT_ROWS));
    let mut start = 0;
    while start < batch.num_rows() {
        let rows = SORT_ROWS.min(batch.num_rows() - start);
        let end = start + rows;
        let (from, to) = (u32::try_from(start), u32::try_from(end));
        let (Ok(from), Ok(to)) = (from, to) else {
            return Err(PlanError::Internal("a chunk has too many rows"));
        };
        let positions = arrow::array::UInt32Array::from_iter_values(from..to);
        compact.push(arrow::compute::take_record_batch(batch, &positions)?);
        start = end;
    }
    Ok(compact)
}

/// A stream that can be read once, as DataFusion takes its inputs.
struct Once {
    schema: SchemaRef,
    batches: Mutex<Option<BatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner).take();
        let batches = batches.unwrap_or_else(|| {
            Box::pin(futures_util::stream::iter([Err(PlanError::Internal(
                "a stream was read twice",
            ))]))
        });
        let batches = batches.map(|batch| batch.map_err(|error| DataFusionError::External(Box::new(error))));
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}

//! Carries out a query over all rows and other tables.
//!
//! Rows stream in while the query asks for them; one that reads the table several times reads it from a file in the scratch
//! folder. What the query does not ask for is read nevertheless, so that every row is accounted for.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{BooleanArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use datafusion_common::DataFusionError;
use datafusion_execution::disk_manager::{DiskManager, DiskManagerMode};
use datafusion_execution::memory_pool::FairSpillPool;
use datafusion_execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::PartitionStream;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::chunk::{Chunk, Marked};
use super::external::{self, SORT_ROWS};
use super::operator::{Operator, PlanError};
use super::stages::ChunkStream;
use super::{Effects, Work};
use crate::recipe::columns::{Column, of_table};
use crate::recipe::ledger::{Account, made_from, origin};
use crate::recipe::query::{self, DATA, Given, Query};
use crate::tables::read::{Scan, Table};

/// A query.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// Its text.
    pub text: String,
    /// The columns of the table that it works on.
    pub before: Vec<Column>,
    /// The other tables that it reads.
    pub others: Vec<(String, Table)>,
    /// Which columns of the table it reads.
    pub needs: Vec<bool>,
}

pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    let (sender, receiver) = mpsc::channel(1);
    let work = work.clone();
    tokio::spawn(async move {
        if let Err(error) = answer(&work, index, stream, &sender).await {
            // The reader is gone when sending fails: then nobody wants to know.
            drop(sender.send(Err(error)).await);
        }
    });
    Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }))
}

async fn answer(
    work: &Arc<Work>,
    index: usize,
    stream: ChunkStream,
    sender: &mpsc::Sender<Result<Chunk, PlanError>>,
) -> Result<(), PlanError> {
    let Operator::Query(plan) = &work.plan.steps[index].operator else {
        return Err(PlanError::Internal("no query"));
    };
    let schema = query::schema(&plan.before);
    let (rows, arriving) = mpsc::channel(2);
    let data = Arc::new(Data {
        schema: schema.clone(),
        rows: Mutex::new(Rows::Arriving(arriving)),
    });
    let query = compiled(work, plan, &data)?;
    let mut pumps = JoinSet::new();
    let pump = Pump {
        work: work.clone(),
        index,
        schema,
    };
    if query.scans > 1 {
        let path = work.resources.scratch.join(format!("query-{index}.arrow"));
        pump.store(stream, &path).await?;
        *data.rows.lock().unwrap_or_else(PoisonError::into_inner) = Rows::Stored(path);
    } else {
        if query.scans == 0 {
            *data.rows.lock().unwrap_or_else(PoisonError::into_inner) = Rows::Gone;
        }
        pumps.spawn(pump.feed(stream, rows));
    }
    let answered = hand_on(work, index, &query, sender).await?;
    if answered == Reader::Gone {
        return Ok(());
    }
    *data.rows.lock().unwrap_or_else(PoisonError::into_inner) = Rows::Gone;
    while let Some(pumped) = pumps.join_next().await {
        pumped??;
    }
    Ok(())
}

/// The query, planned over its tables, within the step's share of the memory.
fn compiled(work: &Work, plan: &QueryPlan, data: &Arc<Data>) -> Result<Query, PlanError> {
    let mut tables = vec![Given {
        name: DATA.to_owned(),
        columns: plan.before.clone(),
        rows: None,
        source: data.clone(),
    }];
    for (name, table) in &plan.others {
        let columns = of_table(table.meta());
        tables.push(Given {
            name: name.clone(),
            rows: Some(table.meta().rows),
            source: Arc::new(Other {
                schema: query::schema(&columns),
                table: table.clone(),
            }),
            columns,
        });
    }
    let runtime = runtime(work.share(), &work.resources.scratch)?;
    query::compile(&plan.text, &tables, Some(runtime)).map_err(|fault| PlanError::Query(fault.message))
}

fn runtime(memory: usize, scratch: &Path) -> Result<Arc<RuntimeEnv>, PlanError> {
    let disk = DiskManager::builder().with_mode(DiskManagerMode::Directories(vec![scratch.to_owned()]));
    Ok(RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(memory)))
        .with_disk_manager_builder(disk)
        .build_arc()?)
}

/// Whether somebody still reads the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

async fn hand_on(
    work: &Work,
    index: usize,
    query: &Query,
    sender: &mpsc::Sender<Result<Chunk, PlanError>>,
) -> Result<Reader, PlanError> {
    let (number, sheet) = (work.plan.steps[index].number, work.table.meta().position);
    let mut batches = query.execute().await?;
    let mut next = 0_u32;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(query::run_error)?;
        if batch.num_rows() == 0 {
            continue;
        }
        let columns = query::outgoing(&batch, &query.columns)?;
        let origins: UInt64Array = (0..batch.num_rows())
            .map(|_| {
                next = next.wrapping_add(1);
                made_from(origin(sheet, next))
            })
            .collect();
        if let Some(probe) = &work.probe {
            probe.queried(index, &origins);
        }
        let mut account = Account::default();
        account.added.add(origins.values().iter().copied());
        account.kept = account.added;
        work.note(Effects::of(number, account, Vec::new()))?;
        let new = || Some(BooleanArray::from(vec![true; batch.num_rows()]));
        let chunk = Chunk {
            changed: (work.marked == Marked::Yes).then(|| columns.iter().map(|_| new()).collect()),
            columns,
            sources: UInt32Array::from(vec![0; batch.num_rows()]),
            origins,
            flags: None,
        };
        if sender.send(Ok(chunk)).await.is_err() {
            return Ok(Reader::Gone);
        }
    }
    Ok(Reader::There)
}

/// Brings the step's rows into its query, and accounts for them.
struct Pump {
    work: Arc<Work>,
    index: usize,
    schema: SchemaRef,
}

impl Pump {
    /// A chunk as batches for the query.
    fn batches(&self, chunk: &Chunk) -> Result<Vec<RecordBatch>, PlanError> {
        let mut account = Account::default();
        account.came.add(chunk.origins.values().iter().copied());
        account.aggregated.add(chunk.origins.values().iter().copied());
        let number = self.work.plan.steps[self.index].number;
        self.work.note(Effects::of(number, account, Vec::new()))?;
        external::compact(&query::incoming(&chunk.columns, &self.schema)?)
    }

    async fn feed(self, mut stream: ChunkStream, rows: mpsc::Sender<Sent>) -> Result<(), PlanError> {
        let mut rows = Some(rows);
        while let Some(chunk) = stream.next().await {
            let batches = match chunk.and_then(|chunk| self.batches(&chunk)) {
                Ok(batches) => batches,
                Err(error) => {
                    // The query hears of it; where it wants no more rows, the one who waits for us does.
                    let Some(rows) = rows else { return Err(error) };
                    return match rows.send(Err(error)).await {
                        Err(mpsc::error::SendError(Err(error))) => Err(error),
                        _ => Ok(()),
                    };
                }
            };
            for batch in batches {
                if let Some(sender) = &rows
                    && sender.send(Ok(batch)).await.is_err()
                {
                    rows = None;
                }
            }
        }
        Ok(())
    }

    async fn store(self, mut stream: ChunkStream, path: &Path) -> Result<(), PlanError> {
        let file = File::create(path).map_err(|error| of_file(path, error))?;
        let mut writer = FileWriter::try_new(file, &self.schema)?;
        while let Some(chunk) = stream.next().await {
            for batch in self.batches(&chunk?)? {
                writer.write(&batch)?;
            }
        }
        Ok(writer.finish()?)
    }
}

fn of_file(path: &Path, error: std::io::Error) -> PlanError {
    PlanError::Io {
        path: path.to_owned(),
        error,
    }
}

type Sent = Result<RecordBatch, PlanError>;

/// Where the rows of the step are.
#[derive(Debug)]
enum Rows {
    Arriving(mpsc::Receiver<Sent>),
    Stored(PathBuf),
    Gone,
}

/// The table that the step works on.
#[derive(Debug)]
struct Data {
    schema: SchemaRef,
    rows: Mutex<Rows>,
}

impl PartitionStream for Data {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Rows::Stored(path) = &*rows {
            return stored(&self.schema, path);
        }
        match std::mem::replace(&mut *rows, Rows::Gone) {
            Rows::Arriving(receiver) => {
                let batches = futures_util::stream::unfold(receiver, |mut receiver| async move {
                    receiver.recv().await.map(|batch| (batch.map_err(foreign), receiver))
                });
                Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
            }
            Rows::Stored(_) | Rows::Gone => failed(&self.schema, PlanError::Internal("a table was read twice")),
        }
    }
}

fn foreign(error: PlanError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn failed(schema: &SchemaRef, error: PlanError) -> SendableRecordBatchStream {
    let error = futures_util::stream::iter([Err(foreign(error))]);
    Box::pin(RecordBatchStreamAdapter::new(schema.clone(), error))
}

fn stored(schema: &SchemaRef, path: &Path) -> SendableRecordBatchStream {
    let reader = File::open(path)
        .map_err(|error| of_file(path, error))
        .and_then(|file| Ok(FileReader::try_new(file, None)?));
    match reader {
        Ok(reader) => {
            let batches = futures_util::stream::iter(reader.map(|batch| Ok(batch?)));
            Box::pin(RecordBatchStreamAdapter::new(schema.clone(), batches))
        }
        Err(error) => failed(schema, error),
    }
}

/// Another table.
#[derive(Debug)]
struct Other {
    schema: SchemaRef,
    table: Table,
}

impl PartitionStream for Other {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let scan = Scan {
            batch_rows: SORT_ROWS,
            ..Scan::default()
        };
        let schema = self.schema.clone();
        let batches = self.table.read(&scan).map(move |batch| {
            let batch = batch.map_err(|error| foreign(error.into()))?;
            query::incoming(batch.columns().get(1..).unwrap_or_default(), &schema).map_err(foreign)
        });
        let batches = futures_util::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}

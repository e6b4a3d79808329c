//! Queries: one SELECT over the table of a recipe, called `data`, and other tables by their names.
//!
//! * What is not on a list is refused: statements, kinds of tables and expressions ([`door`]), functions ([`functions`]).
//! * Arithmetic is ours ([`arithmetic`]): nothing wraps, `/` gives fractions, and what cannot be worked out is a blank.
//! * `<>` treats a blank as a value and `||` treats it as an empty text, as in formulas.
//! * Sums and averages are exact and rounded once ([`totals`]), so they do not depend on how rows were split.
//! * The order of the result is settled by the rows alone ([`order`]), so it does not depend on what went to disk.
//!
//! The rest is DataFusion's: planning, optimising, grouping, joining and sorting, with one partition.

mod arithmetic;
mod catalog;
mod door;
mod faults;
mod functions;
mod order;
#[cfg(test)]
mod tests;
mod totals;
mod values;

use std::sync::Arc;

use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_execution::SendableRecordBatchStream;
use datafusion_execution::config::SessionConfig;
use datafusion_execution::memory_pool::MemoryLimit;
use datafusion_execution::runtime_env::RuntimeEnv;
use datafusion_expr::LogicalPlan;
use datafusion_physical_plan::execute_stream;
use datafusion_physical_plan::streaming::PartitionStream;

use super::columns::Column;
use super::expression::Fault;
use super::plan::operator::PlanError;

pub use catalog::Empty;
pub use faults::run_error;
pub use values::{incoming, outgoing, schema};

/// The name of the table that the recipe works on.
pub const DATA: &str = "data";

/// Longer queries are refused; the bound also bounds how long chains of operators are.
const MAX_CHARS: usize = 8_000;

/// Rows of a batch inside a query: several sorts and groupings share the memory, and each merges many files.
const BATCH_ROWS: usize = 2048;

/// A table that a query may read.
pub struct Given {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// How many rows it has, where that is known beforehand.
    pub rows: Option<u64>,
    /// Its rows, as [`incoming`] makes them.
    pub source: Arc<dyn PartitionStream>,
}

/// A query that was checked and planned.
pub struct Query {
    plan: LogicalPlan,
    state: SessionState,
    /// The columns of its result.
    pub columns: Vec<Column>,
    /// Which columns of `data` it reads.
    pub needs: Vec<bool>,
    /// How many times it reads `data`.
    pub scans: usize,
}

/// The tables that a query names, in the order of their first mention, `data` among them; nothing where it cannot be read.
#[must_use]
pub fn tables(text: &str) -> Vec<String> {
    on_a_deep_stack(|| door::parse(text).map(|parsed| parsed.tables).unwrap_or_default())
}

/// Checks and plans a query over these tables, the first of which is `data`. Nothing is read, apart from constants worked out.
pub fn compile(text: &str, tables: &[Given], runtime: Option<Arc<RuntimeEnv>>) -> Result<Query, Fault> {
    on_a_deep_stack(|| compile_here(text, tables, runtime))
}

fn compile_here(text: &str, tables: &[Given], runtime: Option<Arc<RuntimeEnv>>) -> Result<Query, Fault> {
    let parsed = door::parse(text)?;
    door::check_tables(&parsed, tables)?;
    let fault = |error| faults::at_the_door(error, &parsed.places);
    let state = state(runtime);
    let catalog = catalog::Catalog::new(tables, state.config_options()).map_err(fault)?;
    let options = ParserOptions::from(&state.config_options().sql_parser);
    let plan = SqlToRel::new_with_options(&catalog, options)
        .sql_statement_to_plan(parsed.statement.clone())
        .and_then(order::settled)
        .map_err(fault)?;
    let columns = values::columns_of(plan.schema())?;
    let plan = state.optimize(&plan).map_err(fault)?;
    order::refuse_endless_joins(&plan, tables)?;
    let width = tables.first().map_or(0, |data| data.columns.len());
    let (needs, scans) = reads(&plan, width).map_err(fault)?;
    Ok(Query {
        plan,
        state,
        columns,
        needs,
        scans,
    })
}

impl Query {
    /// Begins to carry it out. Must be called on a tokio runtime.
    pub async fn execute(&self) -> Result<SendableRecordBatchStream, PlanError> {
        let planner = self.state.query_planner().clone();
        let physical = planner
            .create_physical_plan(&self.plan, &self.state)
            .await
            .map_err(run_error)?;
        execute_stream(physical, self.state.task_ctx()).map_err(run_error)
    }
}

/// DataFusion with our settings and without its functions, files and catalogs.
fn state(runtime: Option<Arc<RuntimeEnv>>) -> SessionState {
    let runtime = runtime.unwrap_or_default();
    // A sort holds its batches twice over, and to merge them the keys of all: ties are broken by all columns, so those are
    // as large as the rows. What is set aside for them must not be less than what the batches themselves take.
    let merged = match runtime.memory_pool.memory_limit() {
        MemoryLimit::Finite(memory) => memory / 5 * 2,
        MemoryLimit::Infinite | MemoryLimit::Unknown => 10 << 20,
    };
    let mut config = SessionConfig::new()
        .with_batch_size(BATCH_ROWS)
        .with_target_partitions(1)
        .with_information_schema(false)
        .with_sort_spill_reservation_bytes(merged);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.collect_spans = true;
    options.sql_parser.default_null_ordering = "nulls_last".to_owned();
    options.optimizer.enable_dynamic_filter_pushdown = false;
    SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_scalar_functions(functions::scalars())
        .with_aggregate_functions(functions::aggregates())
        .build()
}

/// Which columns of `data` a plan reads, and how many times it reads the table.
fn reads(plan: &LogicalPlan, width: usize) -> datafusion_common::Result<(Vec<bool>, usize)> {
    let (mut needs, mut scans) = (vec![false; width], 0);
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.table_name.table() == DATA
        {
            scans += 1;
            match &scan.projection {
                None => needs.fill(true),
                Some(columns) => columns
                    .iter()
                    .filter_map(|at| needs.get_mut(*at).map(|it| *it = true))
                    .for_each(drop),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok((needs, scans))
}

/// The parser bounds how deep parentheses nest, not how long a chain such as `a or b or …` is; what walks and drops its tree
/// recurses down the chain before the door has measured it. Threads have 2 MiB.
fn on_a_deep_stack<T>(work: impl FnOnce() -> T) -> T {
    const STACK_BYTES: usize = 64 << 20;
    stacker::grow(STACK_BYTES, work)
}

//! The names that a query may use: its tables and functions, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionStateDefaults;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, TableReference};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_expr::planner::{ContextProvider, ExprPlanner};
use datafusion_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion_physical_plan::EmptyRecordBatchStream;
use datafusion_physical_plan::streaming::PartitionStream;

use super::arithmetic::{Operators, refused};
use super::{Given, functions};

/// The names.
pub(super) struct Catalog {
    tables: HashMap<String, Arc<dyn TableSource>>,
    scalars: HashMap<String, Arc<ScalarUDF>>,
    aggregates: HashMap<String, Arc<AggregateUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    options: Arc<ConfigOptions>,
}

impl Catalog {
    pub(super) fn new(given: &[Given], options: &Arc<ConfigOptions>) -> Result<Self> {
        let mut tables = HashMap::new();
        for table in given {
            let provider = StreamingTable::try_new(table.source.schema().clone(), vec![table.source.clone()])?;
            tables.insert(table.name.clone(), provider_as_source(Arc::new(provider)));
        }
        let mut scalars = HashMap::new();
        for function in functions::scalars() {
            for alias in function.aliases() {
                scalars.insert(alias.clone(), function.clone());
            }
            scalars.insert(function.name().to_owned(), function);
        }
        let mut aggregates = HashMap::new();
        for function in functions::aggregates() {
            match function.name() {
                "exact_sum" => drop(aggregates.insert("sum".to_owned(), function)),
                "exact_avg" => {
                    aggregates.insert("mean".to_owned(), function.clone());
                    aggregates.insert("avg".to_owned(), function);
                }
                name => drop(aggregates.insert(name.to_owned(), function)),
            }
        }
        // The facade knows of the last two only with features that the functions have by themselves.
        let ours: [Arc<dyn ExprPlanner>; 3] = [
            Arc::new(Operators),
            Arc::new(datafusion_functions::datetime::planner::DatetimeFunctionPlanner),
            Arc::new(datafusion_functions::unicode::planner::UnicodeFunctionPlanner),
        ];
        let planners = ours.into_iter().chain(SessionStateDefaults::default_expr_planners());
        Ok(Self {
            tables,
            scalars,
            aggregates,
            planners: planners.collect(),
            options: options.clone(),
        })
    }
}

impl ContextProvider for Catalog {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let found = match &name {
            TableReference::Bare { table } => self.tables.get(table.as_ref()),
            _ => None,
        };
        found
            .cloned()
            .ok_or_else(|| refused(format!("There is no table `{}` at this place.", name.table())))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(name).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(name).cloned()
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.scalars.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.aggregates.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A table without rows, for checks: a query is planned over it and never read.
#[derive(Debug)]
pub struct Empty(pub SchemaRef);

impl PartitionStream for Empty {
    fn schema(&self) -> &SchemaRef {
        &self.0
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        Box::pin(EmptyRecordBatchStream::new(self.0.clone()))
    }
}

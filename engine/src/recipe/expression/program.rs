//! An expression ready to be evaluated, chunk by chunk.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, RecordBatch, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use datafusion_common::DFSchema;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};

use super::Fault;
use super::lowering::{Input, Lowering, POSITIONS, Site};
use super::own::{self, Note};
use super::term::{Kind, Term};
use crate::recipe::plan::cells;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::PlanError;
use crate::tables::ColumnKind;

/// An expression that was checked.
#[derive(Clone, Debug)]
pub struct Program {
    physical: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    inputs: Vec<Input>,
    sites: Vec<Site>,
    kind: Kind,
    bare: Option<(usize, ColumnKind)>,
}

/// A row that something was wrong with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its position in the chunk.
    pub position: u32,
    /// The column at fault, by its position before the step, where it is one.
    pub column: Option<usize>,
    /// The value at fault as text.
    pub value: String,
    /// A stable word.
    pub rule: &'static str,
    /// In words.
    pub message: String,
}

/// What an expression gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// A value for each row; nothing where it could not be worked out.
    pub values: ArrayRef,
    /// The rows for which it could not, each once, in order.
    pub failures: Vec<Rejection>,
}

impl Outcome {
    /// Whether each row's value is true; nothing counts as false.
    pub fn truths(&self) -> Result<BooleanArray, PlanError> {
        let values = self
            .values
            .as_boolean_opt()
            .ok_or(PlanError::Internal("a condition gave no truths"))?;
        Ok(if values.null_count() == 0 {
            values.clone()
        } else {
            arrow::compute::prep_null_mask_filter(values)
        })
    }
}

impl Program {
    pub(super) fn new(term: &Term, lowering: Lowering<'_>) -> Result<Self, Fault> {
        let bare = term
            .column
            .filter(|_| lowering.groups.is_none())
            .map(|column| (column, lowering.columns[column].kind));
        let fields = lowering
            .inputs
            .iter()
            .enumerate()
            .map(|(index, input)| Field::new(format!("i{index}"), input.kind.arrow(), true));
        let positions = Field::new(POSITIONS, DataType::UInt32, false);
        let schema = Arc::new(Schema::new(fields.chain([positions]).collect::<Vec<_>>()));
        let physical = make_physical(term, &schema)?;
        let program = Self {
            physical,
            schema,
            inputs: lowering.inputs,
            sites: lowering.sites,
            kind: term.kind,
            bare,
        };
        program.try_out()?;
        Ok(program)
    }

    /// What kind of column it fills.
    #[must_use]
    pub fn kind(&self) -> ColumnKind {
        self.bare.map_or_else(|| self.kind.column(), |(_, kind)| kind)
    }

    /// The column that it is nothing but, by its position.
    #[must_use]
    pub fn bare_column(&self) -> Option<usize> {
        self.bare.map(|(column, _)| column)
    }

    /// The columns that it is made of, by position, each once.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        let all = self.inputs.iter().map(|input| input.column).chain(self.bare_column());
        let mut columns: Vec<usize> = all.collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Which columns are needed when these are wanted anyway.
    #[must_use]
    pub fn needs(&self, wanted: &[bool]) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        let columns = self.inputs.iter().map(|input| input.column).chain(self.bare_column());
        for column in columns {
            if let Some(needed) = needed.get_mut(column) {
                *needed = true;
            }
        }
        needed
    }

    /// Evaluates it for each row of a chunk.
    pub fn evaluate(&self, chunk: &Chunk) -> Result<Outcome, PlanError> {
        if let Some((column, kind)) = self.bare
            && Kind::of_column(kind) == self.kind
        {
            return Ok(Outcome {
                values: chunk.columns[column].clone(),
                failures: Vec::new(),
            });
        }
        let mut arrays = Vec::with_capacity(self.inputs.len() + 1);
        for input in &self.inputs {
            arrays.push(seen_as(&chunk.columns[input.column], input.kind)?);
        }
        let (values, notes) = self.run(arrays, chunk.rows())?;
        self.outcome(values, notes)
    }

    fn run(&self, mut arrays: Vec<ArrayRef>, rows: usize) -> Result<(ArrayRef, Vec<Note>), PlanError> {
        let count = u32::try_from(rows).map_err(|_error| PlanError::Internal("a chunk has too many rows"))?;
        arrays.push(Arc::new(UInt32Array::from_iter_values(0..count)));
        let batch = RecordBatch::try_new(self.schema.clone(), arrays)?;
        // What an evaluation that failed half-way left behind is not ours.
        drop(own::take_notes());
        let values = self.physical.evaluate(&batch).and_then(|value| value.into_array(rows));
        let notes = own::take_notes();
        let values = values?;
        let wanted = self.kind.arrow();
        let values = if *values.data_type() == wanted {
            values
        } else {
            cast(&values, &wanted)?
        };
        Ok((values, notes))
    }

    fn outcome(&self, values: ArrayRef, mut notes: Vec<Note>) -> Result<Outcome, PlanError> {
        let mut failures: Vec<Rejection> = Vec::new();
        if self.kind == Kind::Number {
            failures.extend(not_finite(values.as_primitive::<Float64Type>()));
        }
        notes.sort_by_key(|note| (note.position, note.site));
        failures.extend(notes.into_iter().map(|note| self.rejection(note)));
        if failures.is_empty() {
            return Ok(Outcome { values, failures });
        }
        // A note says more than "no number", so it goes first.
        failures.sort_by_key(|failure| (failure.position, failure.rule == "not_finite"));
        failures.dedup_by_key(|failure| failure.position);
        let mut failed = vec![false; values.len()];
        for failure in &failures {
            failed[failure.position as usize] = true;
        }
        let values = arrow::compute::nullif(&values, &BooleanArray::from(failed))?;
        Ok(Outcome { values, failures })
    }

    fn rejection(&self, note: Note) -> Rejection {
        let site = &self.sites[note.site];
        let value = note.value.unwrap_or_default();
        let message = match site.rule {
            "wrong_kind" | "no_number" | "no_date" if !value.is_empty() => format!("`{value}` {}", site.message),
            _ => site.message.clone(),
        };
        Rejection {
            position: note.position,
            column: site.column,
            value,
            rule: site.rule,
            message,
        }
    }

    /// Evaluates it once at the door, so that what DataFusion finds at run time only, such as a bad pattern, is found here.
    fn try_out(&self) -> Result<(), Fault> {
        let arrays = self
            .inputs
            .iter()
            .map(|input| cells::sample(&input.kind.arrow()))
            .collect();
        self.run(arrays, 1).map(|_| ()).map_err(|error| {
            let text = error.to_string();
            let reason = if text.contains("regex") {
                "The pattern is not a regular expression that is understood."
            } else {
                "This expression cannot be worked out."
            };
            Fault::new(reason, None)
        })
    }
}

fn make_physical(term: &Term, schema: &SchemaRef) -> Result<Arc<dyn PhysicalExpr>, Fault> {
    let unsupported = |_| Fault::new("This expression cannot be worked out.", None);
    let schema = DFSchema::try_from(schema.as_ref().clone()).map_err(unsupported)?;
    create_physical_expr(&term.expr, &schema, &ExecutionProps::new(), &Default::default()).map_err(unsupported)
}

fn not_finite(values: &Float64Array) -> Vec<Rejection> {
    if values.iter().flatten().all(f64::is_finite) {
        return Vec::new();
    }
    let failed = |(row, value): (usize, Option<f64>)| {
        let value = value.filter(|value| !value.is_finite())?;
        Some(Rejection {
            position: u32::try_from(row).ok()?,
            column: None,
            value: value.to_string(),
            rule: "not_finite",
            message: "the result is not a number".into(),
        })
    };
    values.iter().enumerate().filter_map(failed).collect()
}

/// A column as an expression sees it.
fn seen_as(column: &ArrayRef, kind: Kind) -> Result<ArrayRef, PlanError> {
    if let DataType::Struct(_) = column.data_type() {
        return cells::mixed_as(column, &kind.arrow());
    }
    let wanted = kind.arrow();
    Ok(if *column.data_type() == wanted {
        column.clone()
    } else {
        cast(column, &wanted)?
    })
}

//! Applies a recipe to the tables of one file and writes what comes of it.
//!
//! Outputs are called after the file and the recipe: `orders-clean-orders.xlsx`, and for csv with several sheets
//! `orders-clean-orders-2024.csv`; rejects are `orders-clean-orders-rejects.xlsx`. Below `out` they have plain names of ours.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use super::{Message, Output, OutputRole, ProcessOrder, Report, Stage};
use crate::recipe::columns::Column;
use crate::recipe::document::{OutputFormat, Recipe, RejectsPolicy};
use crate::recipe::ledger::{self, Sum};
use crate::recipe::plan::chunk::{Chunk, Marked};
use crate::recipe::plan::operator::PlanError;
use crate::recipe::plan::{Plan, Resources, Work, stages};
use crate::recipe::rejects::{HEADERS, Spool};
use crate::sheets::write::{self, OutputColumn, OutputSheet, Sink};
use crate::tables::CHUNK_ROWS;
use crate::tables::read::Table;

/// How often progress is told.
const BEAT: Duration = Duration::from_millis(400);

/// Why there is no result.
#[derive(Debug)]
pub(super) struct Halt {
    /// A stable word.
    pub(super) code: &'static str,
    /// One sentence for people.
    pub(super) sentence: String,
    /// The cause, for the log.
    pub(super) detail: String,
    /// Whether the input or recipe is at fault.
    pub(super) input_at_fault: bool,
}

impl Halt {
    /// The input or the recipe is at fault.
    pub(super) fn input(code: &'static str, sentence: String) -> Self {
        Self {
            code,
            sentence,
            detail: String::new(),
            input_at_fault: true,
        }
    }

    fn ours(code: &'static str, detail: String) -> Self {
        let sentence = "Something went wrong on our side while the recipe was applied.".to_owned();
        Self {
            code,
            sentence,
            detail,
            input_at_fault: false,
        }
    }

    /// The last message of an order that ended so.
    pub(super) fn message(self) -> Message {
        let Self {
            code,
            sentence,
            detail,
            input_at_fault,
        } = self;
        Message::Failed {
            code: code.to_owned(),
            sentence,
            detail,
            input_at_fault,
        }
    }
}

impl From<PlanError> for Halt {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Stopped(rejection) => {
                let sentence = format!("The recipe stops at such a value: {}.", rejection.message);
                Self::input("value_not_converted", sentence)
            }
            PlanError::TooMuchText => {
                let sentence = "A step makes too much text: more than 1 GiB in one column of 65,536 rows or fewer.";
                Self::input("too_much_text", sentence.to_owned())
            }
            error => Self::ours("engine", error.to_string()),
        }
    }
}

/// Applies the recipe; the last message is `Done` or `Failed`.
pub(super) fn run(order: &ProcessOrder, say: &mut dyn FnMut(Message)) {
    let last = match process(order, say) {
        Ok(report) => Message::Done(report),
        Err(halt) => halt.message(),
    };
    say(last);
}

fn process(order: &ProcessOrder, say: &mut dyn FnMut(Message)) -> Result<Report, Halt> {
    let plans = plans(order)?;
    let runtime = runtime(order.jobs)?;
    let names = Names::new(order);
    let mut outputs = Outputs {
        order,
        names: &names,
        open: None,
        made: Vec::new(),
    };
    let (mut report, mut spool) = (Report::default(), Spool::new(&order.name, &order.scratch));
    let (started, sheets) = (Instant::now(), u32::try_from(plans.len()).unwrap_or(u32::MAX));
    for (number, (table, plan)) in (1..).zip(plans) {
        let beat = Beat {
            sheet: table.meta().sheet.clone(),
            number,
            sheets,
            last: Instant::now(),
        };
        outputs.start(&table, &plan.columns)?;
        spool = table_through(
            order,
            &runtime,
            (table, plan),
            &mut outputs,
            spool,
            (&mut report, beat, &mut *say),
        )?;
        if order.recipe.output.format == OutputFormat::Csv {
            outputs.finish()?;
        }
    }
    report
        .seconds
        .insert("processing".to_owned(), started.elapsed().as_secs_f64());
    report.rejected = spool.rows();
    let failing = order.recipe.output.policy == RejectsPolicy::Fail && spool.rows() > 0;
    let writing = Instant::now();
    if failing {
        outputs.discard()?;
    } else {
        outputs.finish()?;
    }
    let rejected = spool.rows();
    if rejected > 0 {
        outputs.write_rejects(spool)?;
    }
    report
        .seconds
        .insert("writing".to_owned(), writing.elapsed().as_secs_f64());
    outputs.made.into_iter().for_each(|output| say(Message::Output(output)));
    if failing {
        say(Message::Account(report));
        return Err(rejected_too_much(&order.name, rejected));
    }
    Ok(report)
}

/// The end of a run whose recipe wants to fail on rejects.
fn rejected_too_much(file: &str, rejected: u64) -> Halt {
    let values = if rejected == 1 {
        "1 value".to_owned()
    } else {
        format!("{} values", crate::sheets::number_format::show_count(rejected))
    };
    let sentence = format!("The recipe rejects {values} of “{file}” and is to fail on that. The list says which.");
    Halt::input("rows_rejected", sentence)
}

/// The chosen tables, each with its plan.
fn plans(order: &ProcessOrder) -> Result<Vec<(Table, Plan)>, Halt> {
    let open = |files: &super::TableFiles| Table::open(&files.folder).map_err(PlanError::from);
    let tables = order.tables.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let sheets: Vec<_> = tables
        .iter()
        .map(|table| (table.meta().sheet.clone(), table.meta().visibility))
        .collect();
    let chosen = order.recipe.input.sheets.choose(&sheets);
    let chosen = chosen.map_err(|sentence| Halt::input("sheet_missing", format!("“{}”: {sentence}", order.name)))?;
    let mut plans = Vec::with_capacity(chosen.len());
    for index in chosen {
        let table = tables[index].clone();
        let plan = plan(&order.recipe, &table, order.recipe.steps.len(), &order.name)?;
        plans.push((table, plan));
    }
    Ok(plans)
}

/// The plan of the first steps for a table, or the first thing that does not fit.
pub(super) fn plan(recipe: &Recipe, table: &Table, steps: usize, file: &str) -> Result<Plan, Halt> {
    Plan::new(recipe, table.meta(), steps).map_err(|problems| {
        let problem = problems.first().cloned().unwrap_or_default();
        let step = problem.step.map_or_else(String::new, |step| format!("step {step}, "));
        let place = if file.is_empty() {
            String::new()
        } else {
            format!("“{file}”, sheet “{}”: ", table.meta().sheet)
        };
        Halt {
            detail: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            ..Halt::input("recipe_does_not_fit", format!("{place}{step}{}", problem.message))
        }
    })
}

/// The threads that plans run on.
pub(super) fn runtime(jobs: usize) -> Result<Runtime, Halt> {
    let jobs = jobs.max(1);
    // Blocking threads carry the windows; two more let a sort spill while all of them are busy.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(jobs)
        .max_blocking_threads(jobs + 2)
        .enable_time()
        .build()
        .map_err(|error| Halt::ours("engine", format!("no runtime: {error}")))
}

type Telling<'a, 'b> = (&'a mut Report, Beat, &'a mut (dyn FnMut(Message) + 'b));

/// Takes a table through its plan into the open output, and checks that every row is accounted for.
fn table_through(
    order: &ProcessOrder,
    runtime: &Runtime,
    (table, plan): (Table, Plan),
    outputs: &mut Outputs<'_>,
    spool: Spool,
    (report, mut beat, say): Telling<'_, '_>,
) -> Result<Spool, Halt> {
    let resources = Resources {
        scratch: order.scratch.clone(),
        memory: order.memory,
        jobs: order.jobs,
        window_rows: CHUNK_ROWS as u64,
        limit: None,
        first: None,
        held: None,
    };
    let (all, schema) = (table.meta().rows, schema(&plan.columns));
    let work = Work::new(plan, table, resources, Marked::No, spool);
    let _entered = runtime.enter();
    let mut stream = stages::run(&work);
    let (mut written, mut stage) = (Sum::default(), Stage::Processing);
    loop {
        let next = runtime.block_on(async { tokio::time::timeout(BEAT, stream.next()).await });
        if let Ok(next) = next {
            let Some(chunk) = next else { break };
            let chunk = chunk?;
            written.add(chunk.origins.values().iter().copied());
            outputs.write(&batch(&schema, &chunk)?)?;
            if stage == Stage::Processing && !work.plan.streams() {
                beat.say(stage, all, Some(all), say);
                stage = Stage::Writing;
            }
        }
        let (rows, of) = match stage {
            Stage::Writing => (written.rows, work.rows_to_come()),
            Stage::Processing => (work.read_so_far(), Some(all)),
        };
        beat.tell(stage, rows, of, say);
    }
    if stage == Stage::Processing {
        beat.say(stage, all, Some(all), say);
    }
    drop(stream);
    let tally = work.take_tally(Spool::new(&order.name, &order.scratch));
    balance(&tally.accounts, written).map_err(|detail| Halt::ours("ledger_unbalanced", detail))?;
    report.rows_in += all;
    report.rows_out += written.rows;
    report.ledger.extend(entries(&work, &order.recipe, &tally.accounts));
    Ok(tally.rejects)
}

/// Whether every row is accounted for, up to those that were written.
fn balance(accounts: &[ledger::Account], written: Sum) -> Result<(), String> {
    ledger::check(accounts)?;
    match accounts.last() {
        Some(last) if last.kept != written => Err(format!("{:?} went out and {written:?} were written", last.kept)),
        _ => Ok(()),
    }
}

/// The ledger's entries of a table.
pub(super) fn entries(work: &Work, recipe: &Recipe, accounts: &[ledger::Account]) -> Vec<ledger::LedgerStep> {
    let sheet = &work.table.meta().sheet;
    let labels = std::iter::once("Read the sheet".to_owned()).chain(recipe.labels());
    accounts
        .iter()
        .zip(labels)
        .enumerate()
        .map(|(step, (account, label))| account.entry(step, sheet, &label))
        .collect()
}

fn schema(columns: &[Column]) -> SchemaRef {
    let field = |(index, column): (usize, &Column)| Field::new(format!("c{index}"), column.kind.arrow(), true);
    Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>()))
}

fn batch(schema: &SchemaRef, chunk: &Chunk) -> Result<RecordBatch, PlanError> {
    let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(chunk.rows()));
    Ok(RecordBatch::try_new_with_options(
        schema.clone(),
        chunk.columns.clone(),
        &options,
    )?)
}

/// Tells progress, not too often.
struct Beat {
    sheet: String,
    number: u32,
    sheets: u32,
    last: Instant,
}

impl Beat {
    fn tell(&mut self, stage: Stage, rows: u64, rows_total: Option<u64>, say: &mut dyn FnMut(Message)) {
        if self.last.elapsed() >= BEAT {
            self.say(stage, rows, rows_total, say);
        }
    }

    /// The same at once: what a stage ends with is not left out.
    fn say(&mut self, stage: Stage, rows: u64, rows_total: Option<u64>, say: &mut dyn FnMut(Message)) {
        self.last = Instant::now();
        say(Message::Progress {
            stage,
            sheet: Some(self.sheet.clone()),
            sheet_number: self.number,
            sheets: self.sheets,
            rows,
            rows_total,
            bytes: 0,
            bytes_total: None,
        });
    }
}

/// The files that are written, one after another.
struct Outputs<'a> {
    order: &'a ProcessOrder,
    names: &'a Names,
    open: Option<(Box<dyn Sink>, Output)>,
    made: Vec<Output>,
}

impl Outputs<'_> {
    /// Begins a sheet, in the open workbook or in a file of its own.
    fn start(&mut self, table: &Table, columns: &[Column]) -> Result<(), PlanError> {
        let meta = table.meta();
        if self.open.is_none() {
            let format = self.order.recipe.output.format;
            let path = format!("result-{}.{}", self.made.len() + 1, format.word());
            let sink = self.sink(&path)?;
            let name = self.names.result(&meta.sheet, format);
            self.open = Some((
                sink,
                Output {
                    path,
                    name,
                    role: OutputRole::Result,
                    rows: 0,
                },
            ));
        }
        let column = |column: &Column| OutputColumn {
            name: column.name.clone(),
            format: column.format.clone(),
        };
        let sheet = OutputSheet {
            name: meta.sheet.clone(),
            columns: columns.iter().map(column).collect(),
            formats: meta.formats.clone(),
        };
        match &mut self.open {
            Some((sink, _)) => Ok(sink.start_sheet(&sheet)?),
            None => Err(PlanError::Internal("no output is open")),
        }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), PlanError> {
        let Some((sink, output)) = &mut self.open else {
            return Err(PlanError::Internal("no output is open"));
        };
        sink.write(batch)?;
        output.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), PlanError> {
        if let Some((sink, output)) = self.open.take() {
            let written = sink.finish()?;
            if written.rows != output.rows {
                return Err(PlanError::Internal(
                    "the writer wrote another number of rows than it was given",
                ));
            }
            self.made.push(output);
        }
        Ok(())
    }

    /// Leaves no result behind.
    fn discard(&mut self) -> Result<(), PlanError> {
        let open = self.open.take().map(|(sink, output)| {
            drop(sink);
            output
        });
        for output in self.made.drain(..).chain(open) {
            let path = self.order.out.join(&output.path);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(PlanError::Io { path, error });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn write_rejects(&mut self, spool: Spool) -> Result<(), PlanError> {
        let format = self.order.recipe.output.format;
        let path = format!("rejects.{}", format.word());
        let (mut sink, rows) = (self.sink(&path)?, spool.rows());
        let column = |name: &&str| OutputColumn {
            name: (*name).to_owned(),
            format: None,
        };
        let columns = HEADERS.iter().map(column).collect();
        sink.start_sheet(&OutputSheet {
            name: "Rejects".to_owned(),
            columns,
            formats: Vec::new(),
        })?;
        spool.finish(|batch| Ok(sink.write(batch)?))?;
        sink.finish()?;
        self.made.push(Output {
            path,
            name: self.names.rejects(format),
            role: OutputRole::Rejects,
            rows,
        });
        Ok(())
    }

    fn sink(&self, path: &str) -> Result<Box<dyn Sink>, PlanError> {
        let format = match self.order.recipe.output.format {
            OutputFormat::Xlsx => write::OutputFormat::Xlsx,
            OutputFormat::Csv => write::OutputFormat::Csv,
        };
        Ok(write::open(
            format,
            &self.order.out.join(PathBuf::from(path)),
            &self.order.scratch,
        )?)
    }
}

/// What outputs are called, for people.
struct Names {
    stem: String,
    several: bool,
    taken: std::cell::RefCell<BTreeMap<String, u32>>,
}

impl Names {
    fn new(order: &ProcessOrder) -> Self {
        let last = order.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let (stem, slug) = (plain(stem, 100), slug(&order.recipe.name));
        let stem = if stem.is_empty() { "result".to_owned() } else { stem };
        let stem = if slug.is_empty() {
            stem
        } else {
            format!("{stem}-{slug}")
        };
        let several = order.tables.len() > 1 && order.recipe.input.sheets != crate::recipe::document::Sheets::First;
        Self {
            stem,
            several,
            taken: std::cell::RefCell::default(),
        }
    }

    fn result(&self, sheet: &str, format: OutputFormat) -> String {
        let name = match format {
            OutputFormat::Csv if self.several => format!("{}-{}", self.stem, plain(sheet, 60)),
            _ => self.stem.clone(),
        };
        let mut taken = self.taken.borrow_mut();
        let times = taken
            .entry(name.to_lowercase())
            .and_modify(|times| *times += 1)
            .or_insert(1);
        if *times == 1 {
            format!("{name}.{}", format.word())
        } else {
            format!("{name}-{times}.{}", format.word())
        }
    }

    fn rejects(&self, format: OutputFormat) -> String {
        format!("{}-rejects.{}", self.stem, format.word())
    }
}

/// A name without what file systems do not take, and not too long.
fn plain(name: &str, length: usize) -> String {
    let safe = |c: char| {
        if c.is_control() || r#"<>:"/\|?*"#.contains(c) {
            '_'
        } else {
            c
        }
    };
    let name: String = name
        .trim_start_matches(['.', ' '])
        .chars()
        .map(safe)
        .take(length)
        .collect();
    name.trim_end_matches(['.', ' ']).to_owned()
}

/// `Clean orders!` as `clean-orders`.
fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .take(60)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_called_after_file_and_recipe_and_never_leave_their_folder() {
        assert_eq!(plain("../../etc/passwd", 100), "_.._etc_passwd");
        assert_eq!(plain("a:b*c. ", 100), "a_b_c");
        assert_eq!(slug("Clean orders (2024)!"), "clean-orders-2024");
        assert_eq!(slug(""), "");
    }
}

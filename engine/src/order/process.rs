//! Applies a recipe to the tables of one file and writes what comes of it.
//!
//! Outputs are called after the file and the recipe: `orders-clean-orders.xlsx`, and for csv with several sheets
//! `orders-clean-orders-2024.csv`; rejects are `orders-clean-orders-rejects.xlsx`. Below `out` they have plain names of ours.

mod annotate;
mod names;
mod outputs;
mod told;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use arrow::error::ArrowError;
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use super::{Message, ProcessOrder, Report, Stage};
use crate::recipe::document::{Recipe, RejectsPolicy};
use crate::recipe::ledger::{self, Sum};
use crate::recipe::mapping::{SheetColumns, map_table};
use crate::recipe::plan::chunk::Marked;
use crate::recipe::plan::operator::PlanError;
use crate::recipe::plan::{Plan, Resources, Work, stages};
use crate::recipe::problem::Problem;
use crate::recipe::references::References;
use crate::recipe::rejects::Spool;
use crate::sheets::write::WriteError;
use crate::tables::read::Table;
use crate::tables::{CHUNK_ROWS, Issue};
use outputs::Outputs;
use told::Told;

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
            PlanError::Reference(sentence) => Self::input("reference", format!("It cannot be looked up: {sentence}.")),
            PlanError::Stopped(rejection) => {
                let sentence = format!("The recipe stops at such a value: {}.", rejection.message);
                Self::input("value_not_converted", sentence)
            }
            PlanError::Query(sentence) => Self::input("query", sentence),
            PlanError::Write(WriteError::Refused { code, sentence }) => Self::input(code, sentence),
            PlanError::TooMuchText | PlanError::Arrow(ArrowError::OffsetOverflowError(_)) => {
                let sentence = "A step makes too much text: more than 1 GiB in one column of 65,536 rows or fewer.";
                Self::input("too_much_text", sentence.to_owned())
            }
            PlanError::GivenUp => Self::input("given_up", "It was given up.".to_owned()),
            PlanError::TooManyAlike => Self::input(
                "too_many_alike",
                "Too many rows look alike to be compared in time: ask for a higher `similarity` in `deduplicate`, or name \
                 first in its `by` the column whose texts differ most."
                    .to_owned(),
            ),
            PlanError::TooManyGroups => Self::input(
                "too_many_groups",
                "`deduplicate` with `similarity` or `groups: mark` holds one row of each group in memory, and these are too \
                 many: take fewer rows at a time, or remove equal rows in a step before."
                    .to_owned(),
            ),
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
    let planned = planned(order)?;
    let runtime = runtime(order.jobs)?;
    let mut outputs = Outputs::new(order);
    let (mut report, mut told) = (Report::default(), Told::new(order));
    let (started, sheets) = (Instant::now(), u32::try_from(planned.len()).unwrap_or(u32::MAX));
    for (number, one) in (1..).zip(planned) {
        let Planned {
            source,
            table,
            plan,
            told: of_columns,
        } = one;
        let beat = Beat {
            sheet: table.meta().sheet.clone(),
            number,
            sheets,
            last: Instant::now(),
        };
        outputs.start_table(&table, &plan)?;
        let spool = table_through(
            order,
            &runtime,
            (table, plan),
            &mut outputs,
            told.take_spool(),
            (&mut report, beat, &mut *say),
        )?;
        outputs.end_table()?;
        // People get the sheet back under its own names.
        told.put(spool, &source, &runtime)?;
        if let Some((columns, issues)) = of_columns {
            report.columns.push(columns);
            report.issues.extend(issues);
        }
    }
    add_up(&mut report, &told, started);
    let errors = told.errors();
    let failing = order.recipe.output.policy == RejectsPolicy::Fail && errors > 0;
    let writing = Instant::now();
    if failing {
        outputs.discard()?;
    } else {
        outputs.finish()?;
    }
    told.finish(&mut outputs)?;
    report.issues.extend(outputs.issues());
    report
        .seconds
        .insert("writing".to_owned(), writing.elapsed().as_secs_f64());
    outputs
        .into_made()
        .into_iter()
        .for_each(|output| say(Message::Output(output)));
    if failing {
        say(Message::Account(report));
        return Err(rejected_too_much(&order.name, errors));
    }
    Ok(report)
}

/// What the whole order came to, now that all tables are through.
fn add_up(report: &mut Report, told: &Told<'_>, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    report.seconds.insert("processing".to_owned(), seconds);
    report.rejected = report.ledger.iter().map(|step| step.rejected).sum();
    report.flagged = report.ledger.iter().map(|step| step.flagged).sum();
    report.warnings = told.rows() - told.errors();
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

/// A table on its way.
pub(super) struct Planned {
    /// As it was read.
    source: Table,
    /// Under the names that the recipe expects.
    pub(super) table: Table,
    pub(super) plan: Plan,
    /// What is told of its columns, where the recipe expects some.
    told: Option<(SheetColumns, Vec<Issue>)>,
}

/// The chosen tables, each with its plan.
pub(super) fn planned(order: &ProcessOrder) -> Result<Vec<Planned>, Halt> {
    let open = |files: &super::TableFiles| Table::open(&files.folder).map_err(PlanError::from);
    let tables = order.tables.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let sheets: Vec<_> = tables
        .iter()
        .map(|table| (table.meta().sheet.clone(), table.meta().visibility))
        .collect();
    let chosen = order.recipe.input.sheets.choose(&sheets);
    let chosen = chosen.map_err(|sentence| Halt::input("sheet_missing", format!("“{}”: {sentence}", order.name)))?;
    let references = references(&order.references)?.for_file(&order.name);
    let one = |index: usize| {
        let source = tables[index].clone();
        let place = format!("“{}”, sheet “{}”: ", order.name, source.meta().sheet);
        let mapped = map_table(&order.recipe.input, source.meta(), &order.mapping)
            .map_err(|unfit| Halt::input("recipe_does_not_fit", format!("{place}{}", unfit.sentence)))?;
        let (table, told) = match mapped {
            None => (source.clone(), None),
            Some(mapped) => (
                source.clone().with_columns(mapped.meta),
                Some((mapped.columns, mapped.issues)),
            ),
        };
        let plan =
            Plan::for_output(&order.recipe, table.meta(), &references).map_err(|problems| misfit(&problems, &place))?;
        Ok(Planned {
            source,
            table,
            plan,
            told,
        })
    };
    chosen.into_iter().map(one).collect()
}

/// The other tables of an order.
pub(super) fn references(files: &BTreeMap<String, super::TableFiles>) -> Result<References, Halt> {
    let mut tables = BTreeMap::new();
    for (name, files) in files {
        tables.insert(name.clone(), Table::open(&files.folder).map_err(PlanError::from)?);
    }
    Ok(References::new(tables))
}

/// The plan of the first steps for a table, or the first thing that does not fit.
pub(super) fn plan(recipe: &Recipe, table: &Table, steps: usize, references: &References) -> Result<Plan, Halt> {
    Plan::new(recipe, table.meta(), steps, references).map_err(|problems| misfit(&problems, ""))
}

/// The end of a recipe that does not fit a table; `place` says which, for people.
fn misfit(problems: &[Problem], place: &str) -> Halt {
    let problem = problems.first().cloned().unwrap_or_default();
    let step = problem.step.map_or_else(String::new, |step| format!("step {step}, "));
    Halt {
        detail: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        ..Halt::input("recipe_does_not_fit", format!("{place}{step}{}", problem.message))
    }
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
        only: None,
        held: None,
    };
    let all = table.meta().rows;
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
            outputs.write(&chunk)?;
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
    let mut tally = work.take_tally(Spool::new(&order.name, &order.scratch));
    tally.rejects.settle()?;
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

//! How a recipe is carried out on a table.
//!
//! ```text
//! parts ─ windows of rows, side by side ─▶ steps that work chunk by chunk ─ in row order ─▶ sort, group, fill down, … ─▶ …
//!                                              └─▶ accounts and rejects, also in row order
//! ```
//!
//! Steps that look at a row at a time are carried out window by window, each window by itself, on as many threads as wanted;
//! what comes of them is put together in row order. Steps that need other rows (sort, deduplicate, group, and those that carry
//! something from row to row) read that stream in order, on one thread, within their share of the memory, and go to disk
//! beyond it. So neither the number of threads nor
//! the memory has any influence on the result. Expressions and sorting are DataFusion's, the rest is ours, since each row
//! must be accounted for.

pub mod alike;
pub mod append;
pub mod blanks;
pub mod cells;
pub mod chunk;
pub mod collation;
pub mod compare;
pub mod conversion;
pub mod deduplicate;
pub mod exact_sum;
pub mod external;
pub mod far;
pub mod fill;
pub(crate) mod findings;
pub mod further;
pub mod glance;
pub mod group;
pub mod guard;
pub mod join;
pub mod lookup;
mod merge;
pub mod operator;
pub mod ordered;
pub mod patterns;
pub mod portion;
pub mod probe;
pub mod query;
pub mod rank;
pub mod review;
pub mod rules;
pub mod running;
pub mod similar;
pub mod sort;
mod source;
pub mod spread;
pub mod stages;
pub mod texts;
pub mod totals;
pub mod unique;
pub mod unpivot;
pub mod widen;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::columns::{Column, of_table};
use super::document::{Recipe, RejectsPolicy};
use super::fate::TakenOut;
use super::ledger::Account;
use super::problem::Problem;
use super::references::References;
use super::rejects::{Reject, Spool};
use crate::tables::read::Table;
use chunk::Marked;
use glance::Glance;
use operator::{ChunkStep, Operator, PlanError, Unchanged};
use ordered::Looks;
use probe::Probe;

/// Rows that were taken out and are kept for a preview: a grid shows no more at once.
const MOST_TAKEN: usize = 1000;

/// A step of a plan.
#[derive(Debug)]
pub struct PlannedStep {
    /// Its position in the recipe, from 1.
    pub number: usize,
    /// What carries it out.
    pub operator: Operator,
    /// The columns that it meets.
    pub before: Vec<Column>,
}

/// A recipe made for one table.
#[derive(Debug)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<PlannedStep>,
    /// The columns of the result.
    pub columns: Vec<Column>,
    /// What becomes of rejected rows.
    pub policy: RejectsPolicy,
    /// The number formats that cells of several kinds point into: the table's, then those of other tables.
    pub formats: Vec<String>,
    /// Whether the cells of the result are wanted, or only its rows counted.
    cells_wanted: bool,
}

impl Plan {
    /// Makes a plan of the first `steps` steps, or says what does not fit the table.
    pub fn new(
        recipe: &Recipe,
        table: &crate::tables::TableMeta,
        steps: usize,
        references: &References,
    ) -> Result<Self, Vec<Problem>> {
        let (mut columns, mut formats) = (of_table(table), table.formats.clone());
        let mut planned = Vec::new();
        for (index, step) in recipe.steps.iter().take(steps).enumerate() {
            let number = index + 1;
            let after = step.check(number, &columns, references)?;
            let operator = step.plan(number, &columns, references, &mut formats)?;
            planned.push(PlannedStep {
                number,
                operator,
                before: std::mem::replace(&mut columns, after),
            });
        }
        Ok(Self {
            steps: planned,
            columns,
            policy: recipe.output.policy,
            formats,
            cells_wanted: true,
        })
    }

    /// Makes the plan of a whole recipe for what it writes: where the result is split by a column, the rows of each of its
    /// values stand together, in their order, at the end.
    pub fn for_output(
        recipe: &Recipe,
        table: &crate::tables::TableMeta,
        references: &References,
    ) -> Result<Self, Vec<Problem>> {
        let mut plan = Self::new(recipe, table, recipe.steps.len(), references)?;
        if let Some(split) = &recipe.output.split {
            let position = super::columns::find(&plan.columns, &split.column)
                .map_err(|message| vec![Problem::at("output.split_by", format!("`split_by`: {message}"))])?;
            let keys = vec![sort::SortBy::ascending(position)];
            plan.steps.push(PlannedStep {
                number: plan.steps.len() + 1,
                operator: Operator::Sort(sort::SortPlan { keys }),
                before: plan.columns.clone(),
            });
        }
        Ok(plan)
    }

    /// Which columns of the table are needed at all.
    #[must_use]
    pub fn needs(&self, all: usize) -> Vec<bool> {
        self.needs_before(self.steps.len(), vec![self.cells_wanted; self.columns.len()], all)
    }

    /// Which columns of the table are needed for those that are wanted in front of a step.
    #[must_use]
    pub fn needs_before(&self, index: usize, mut wanted: Vec<bool>, all: usize) -> Vec<bool> {
        for step in self.steps[..index].iter().rev() {
            let before = step.before.len();
            wanted = match &step.operator {
                Operator::Step(operator) => operator.needs(&wanted, before),
                Operator::Sort(sort) => sort.needs(wanted),
                Operator::Deduplicate(deduplicate) => deduplicate.needs(wanted, before),
                Operator::Group(group) => group.needs(before),
                Operator::Query(query) => query.needs.clone(),
                Operator::Unique(unique) => unique.judge.needs(&wanted, before),
                Operator::Ordered(ordered) => ordered.needs(&wanted, before),
            };
        }
        wanted.resize(all, true);
        wanted
    }

    /// For each column of the result the column that it was in front of the step at `position`, where it was there.
    #[must_use]
    pub fn lineage(&self, position: usize) -> Vec<Option<usize>> {
        let mut sources: Vec<Option<usize>> = (0..self.columns_at(position).len()).map(Some).collect();
        for index in position..self.steps.len() {
            sources = self
                .lineage_of(index)
                .into_iter()
                .map(|source| source.and_then(|source| sources[source]))
                .collect();
        }
        sources
    }

    /// For each column behind the step at `position` the column in front of it that it goes on, where there is one.
    #[must_use]
    pub fn lineage_of(&self, position: usize) -> Vec<Option<usize>> {
        let (before, after) = (self.columns_at(position).len(), self.columns_at(position + 1).len());
        match self.steps.get(position).map(|step| &step.operator) {
            Some(Operator::Step(operator)) => operator.lineage(before, after),
            Some(Operator::Unique(unique)) => unique.judge.lineage(before, after),
            Some(Operator::Group(group)) => group.lineage(after),
            Some(Operator::Query(_)) => vec![None; after],
            None | Some(Operator::Sort(_)) => (0..after).map(Some).collect(),
            Some(Operator::Deduplicate(_) | Operator::Ordered(_)) => {
                (0..after).map(|at| (at < before).then_some(at)).collect()
            }
        }
    }

    /// The columns in front of the step at `position`, or those of the result.
    #[must_use]
    pub fn columns_at(&self, position: usize) -> &[Column] {
        self.steps.get(position).map_or(&self.columns, |step| &step.before)
    }

    /// Whether a step may find several things in each row.
    #[must_use]
    pub fn checks(&self) -> bool {
        self.steps.iter().any(|step| match &step.operator {
            Operator::Step(operator) => operator.checks(),
            Operator::Unique(unique) => unique.judge.checks(),
            Operator::Sort(_)
            | Operator::Deduplicate(_)
            | Operator::Group(_)
            | Operator::Query(_)
            | Operator::Ordered(_) => false,
        })
    }

    /// Whether a step in front of this one, by its number, adds rows of another table.
    #[must_use]
    pub fn adds_rows_before(&self, number: usize) -> bool {
        let adds = |step: &PlannedStep| step.operator.chunk_step().and_then(ChunkStep::further).is_some();
        self.steps.iter().any(|step| step.number < number && adds(step))
    }

    /// How many rows these steps may make of one.
    #[must_use]
    pub fn widens(&self, steps: std::ops::Range<usize>) -> usize {
        let widens = |step: &PlannedStep| match &step.operator {
            Operator::Step(operator) => operator.widens().max(1),
            _ => 1,
        };
        let steps = self.steps.get(steps).unwrap_or_default();
        steps.iter().map(widens).fold(1, usize::saturating_mul)
    }

    /// How many steps hold many rows at once; they share the memory.
    #[must_use]
    pub fn holding_steps(&self) -> usize {
        let holding = |step: &PlannedStep| match &step.operator {
            Operator::Step(operator) => usize::from(operator.looks_up().is_some()),
            Operator::Unique(unique) => unique.sets.len() + usize::from(unique.judge.looks_up().is_some()),
            Operator::Sort(_)
            | Operator::Deduplicate(_)
            | Operator::Group(_)
            | Operator::Query(_)
            | Operator::Ordered(_) => 1,
        };
        self.steps.iter().map(holding).sum()
    }

    /// The position of the last step that needs all rows, where that is a sort.
    #[must_use]
    pub fn last_sort(&self) -> Option<usize> {
        let last = self
            .steps
            .iter()
            .rposition(|step| !matches!(step.operator, Operator::Step(_)))?;
        matches!(self.steps[last].operator, Operator::Sort(_)).then_some(last)
    }

    /// The same plan for who only counts. Behind the last sort nothing depends on the order, so it is left out; columns are
    /// read as far as what becomes of a row depends on them.
    #[must_use]
    pub fn for_counting(mut self) -> Self {
        self.cells_wanted = false;
        while let Some(sort) = self.last_sort() {
            self.steps[sort].operator = Operator::step(Unchanged);
        }
        self
    }

    /// Whether each row goes its own way, whatever the others are: then a plan may be shown on any of them.
    #[must_use]
    pub fn goes_row_by_row(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.operator, Operator::Step(_)))
    }

    /// Whether the first rows of the table give the first rows of the result.
    #[must_use]
    pub fn streams(&self) -> bool {
        let looks_ahead = |step: &PlannedStep| match &step.operator {
            Operator::Ordered(ordered) => ordered.looks() != Looks::Back,
            _ => false,
        };
        self.last_barrier().is_none() && !self.steps.iter().any(looks_ahead)
    }

    /// Which stage the step of this number belongs to: one more behind, and at, each step that may hold rows back. In which order
    /// rows of different stages go by depends on the memory.
    fn stage_of(&self, number: usize) -> usize {
        let holds = |step: &&PlannedStep| !matches!(step.operator, Operator::Step(_));
        let before = self
            .steps
            .iter()
            .take_while(|step| step.number < number)
            .filter(holds)
            .count();
        let at = self.steps.iter().find(|step| step.number == number).filter(holds);
        2 * before + usize::from(at.is_some())
    }

    /// The position of the last step that gives its first row only when it has seen the last one.
    fn last_barrier(&self) -> Option<usize> {
        self.steps.iter().rposition(|step| match &step.operator {
            Operator::Step(_) | Operator::Unique(_) => false,
            Operator::Ordered(ordered) => ordered.looks() == Looks::Everywhere,
            Operator::Deduplicate(deduplicate) => deduplicate.waits(),
            Operator::Sort(_) | Operator::Group(_) | Operator::Query(_) => true,
        })
    }
}

/// What a plan works with.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Where spilled data goes.
    pub scratch: PathBuf,
    /// Bytes that steps may hold before they spill.
    pub memory: u64,
    /// Threads.
    pub jobs: usize,
    /// Rows of a window.
    pub window_rows: u64,
    /// At most so many rows of the table are read; `None`: all.
    pub limit: Option<u64>,
    /// For previews: so many of the first rows of the last sort are enough; `None`: all.
    pub first: Option<usize>,
    /// For previews: of the rows that are taken out, only those with these numbers are kept; `None`: all.
    pub only: Option<Arc<HashSet<u32>>>,
    /// Bytes of keys and totals that one step holds before it goes to disk; `None`: half of its share.
    pub held: Option<usize>,
}

/// What is being carried out: a plan, its table and everything that is counted on the way.
#[derive(Debug)]
pub struct Work {
    /// The plan.
    pub plan: Plan,
    /// The table.
    pub table: Table,
    /// What it may use.
    pub resources: Resources,
    /// Whether changes are marked, for previews.
    pub marked: Marked,
    /// Follows rows, where somebody asks where they come from.
    pub probe: Option<Arc<Probe>>,
    /// What a preview asks beside the rows.
    pub glance: Glance,
    tally: Mutex<Tally>,
    enough_taken: AtomicBool,
}

/// What was counted.
#[derive(Debug)]
pub struct Tally {
    /// The reading, then one account per step.
    pub accounts: Vec<Account>,
    /// The rejects.
    pub rejects: Spool,
    /// For previews: rows that were taken out.
    pub taken: Vec<TakenOut>,
    /// For previews: places in the table of rows with which something is wrong, where they were asked for.
    pub failing: Vec<u64>,
}

/// What a run of rows adds to the tally.
#[derive(Debug, Default)]
pub struct Effects {
    /// Accounts by their position in [`Tally::accounts`].
    pub accounts: Vec<(usize, Account)>,
    /// Rejects in row order.
    pub rejects: Vec<Reject>,
    /// For previews: rows that were taken out.
    pub taken: Vec<TakenOut>,
    /// For previews: places in the table of rows with which something is wrong.
    pub failing: Vec<u64>,
}

impl Effects {
    /// What one step did to rows, and for previews those that it took out.
    #[must_use]
    pub fn of(step: usize, account: Account, taken: Vec<TakenOut>) -> Self {
        Self {
            accounts: vec![(step, account)],
            taken,
            ..Self::default()
        }
    }
}

impl Work {
    /// Sets out to carry out a plan. `rejects` is where rejects go.
    #[must_use]
    pub fn new(plan: Plan, table: Table, resources: Resources, marked: Marked, rejects: Spool) -> Arc<Self> {
        Self::watched(plan, table, resources, rejects, (marked, None, Glance::default()))
    }

    /// The same, with rows followed by a probe.
    #[must_use]
    pub fn followed(
        plan: Plan,
        table: Table,
        resources: Resources,
        (marked, probe): (Marked, Option<Arc<Probe>>),
        rejects: Spool,
    ) -> Arc<Self> {
        Self::watched(plan, table, resources, rejects, (marked, probe, Glance::default()))
    }

    /// The same for a preview.
    #[must_use]
    pub fn for_preview(
        plan: Plan,
        table: Table,
        resources: Resources,
        rejects: Spool,
        (marked, glance): (Marked, Glance),
    ) -> Arc<Self> {
        Self::watched(plan, table, resources, rejects, (marked, None, glance))
    }

    fn watched(
        plan: Plan,
        table: Table,
        resources: Resources,
        rejects: Spool,
        (marked, probe, glance): (Marked, Option<Arc<Probe>>, Glance),
    ) -> Arc<Self> {
        let accounts = vec![Account::default(); plan.steps.len() + 1];
        let tally = Mutex::new(Tally {
            accounts,
            rejects,
            taken: Vec::new(),
            failing: Vec::new(),
        });
        Arc::new(Self {
            plan,
            table,
            resources,
            marked,
            probe,
            glance,
            tally,
            enough_taken: AtomicBool::new(false),
        })
    }

    /// Bytes that one of the steps that hold rows may hold.
    #[must_use]
    pub fn share(&self) -> usize {
        const LEAST: u64 = 32 << 20;
        let share = self.resources.memory / (self.plan.holding_steps().max(1) as u64);
        usize::try_from(share.max(LEAST)).unwrap_or(usize::MAX)
    }

    /// Bytes of keys and totals that a step may hold before it goes to disk.
    #[must_use]
    pub fn held(&self) -> usize {
        self.resources.held.unwrap_or(self.share() / 2)
    }

    /// How many rows were read so far.
    #[must_use]
    pub fn read_so_far(&self) -> u64 {
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .accounts
            .first()
            .map_or(0, |account| account.kept.rows)
    }

    /// Whether as many rows with which something is wrong were found as were asked for.
    #[must_use]
    pub fn found_failing(&self) -> bool {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        self.glance.failing > 0 && tally.failing.len() >= self.glance.failing
    }

    /// Once the last step that needs all rows gives its own: how many it was given, and so the most that may come out.
    #[must_use]
    pub fn rows_to_come(&self) -> Option<u64> {
        let barrier = self.plan.last_barrier()?;
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.accounts.get(barrier).map(|account| account.kept.rows)
    }

    /// Adds what a run of rows did; runs are added in row order.
    pub fn note(&self, effects: Effects) -> Result<(), PlanError> {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, account) in effects.accounts {
            tally.accounts[index].join(&account);
        }
        let left = self.glance.failing.saturating_sub(tally.failing.len());
        tally.failing.extend(effects.failing.into_iter().take(left));
        let mut shown: usize = tally.taken.iter().map(|taken| taken.rows.rows()).sum();
        for taken in effects.taken {
            let mut taken = self.glance.taken.of(taken)?;
            if let Some(only) = &self.resources.only {
                taken = taken.of_rows(only)?;
            }
            let rows = taken.rows.rows().min(MOST_TAKEN.saturating_sub(shown));
            if rows > 0 {
                shown += rows;
                tally.taken.push(TakenOut {
                    rows: taken.rows.slice(0, rows)?,
                    ..taken
                });
            }
        }
        if shown >= MOST_TAKEN {
            self.enough_taken.store(true, Ordering::Relaxed);
        }
        let stage = effects
            .rejects
            .first()
            .map_or(0, |reject| self.plan.stage_of(reject.step));
        tally.rejects.extend_of(stage, effects.rejects)
    }

    /// Whether rows that are taken out are kept to be shown, and more of them.
    #[must_use]
    pub fn wants_taken(&self) -> bool {
        self.marked == Marked::Yes && !self.enough_taken.load(Ordering::Relaxed)
    }

    /// Takes what was counted, once all rows went by; `rejects` takes the place of the rejects.
    #[must_use]
    pub fn take_tally(&self, rejects: Spool) -> Tally {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        for step in &self.plan.steps {
            let left_over = step.operator.chunk_step().and_then(ChunkStep::left_over);
            if let (Some(_), Some(account)) = (left_over, tally.accounts.get_mut(step.number)) {
                account.matches.get_or_insert_default().left_over = left_over;
            }
        }
        std::mem::replace(
            &mut *tally,
            Tally {
                accounts: Vec::new(),
                rejects,
                taken: Vec::new(),
                failing: Vec::new(),
            },
        )
    }
}

#[cfg(test)]
pub(crate) mod tests;

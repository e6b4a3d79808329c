//! A run as its page, its stream and its JSON twin show it: one look at the database, four fragments.

use askama::Template;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{chain, columns, flow, list};
use crate::database::artifacts::{self, ArtifactRow};
use crate::database::follows::{self, Node};
use crate::database::run_files::{self, ColumnsOfFiles, RunFileRow};
use crate::database::run_references;
use crate::database::runs::{self, RunRow};
use crate::domain::ids::{ArtifactId, FileId, RunId, UserId};
use crate::domain::progress::Progress;
use crate::domain::states::{ArtifactKind, RunFileState, RunState};
use crate::pages::live::Fragment;
use crate::pages::marks::Mark;
use crate::pages::progress::{self, Shown, Work};
use crate::pages::{PageError, Pages, filters};

/// Files that are looked at for sums; a run of more shows counts only.
const MOST_FILES: i64 = 5_000;
/// Files that the page lists.
const LISTED: usize = 200;
/// Downloads that the page lists.
const ARTIFACTS: i64 = 500;

/// What the database says of a run.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) run: RunRow,
    pub(super) files: Vec<RunFileRow>,
    pub(super) artifacts: Vec<ArtifactRow>,
    /// What its recipe calls the other tables.
    pub(super) others: Vec<String>,
    /// The runs that it is tied to by following, itself included.
    pub(super) tied: Vec<Node>,
    columns: Vec<ColumnsOfFiles>,
    now: DateTime<Utc>,
}

/// How far it has come, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Numbers {
    /// The share done in thousandths.
    pub(super) share: Option<u32>,
    /// What happens now.
    pub(super) stage: String,
    /// Rows that were read so far.
    pub(super) rows: u64,
    /// Rows a second.
    pub(super) rows_per_second: u64,
    /// What is left, in words.
    pub(super) left: String,
}

#[derive(Debug, Template)]
#[template(path = "runs/_state.html")]
struct StateFragment<'a> {
    id: RunId,
    title: String,
    mark: Mark,
    tally: Vec<String>,
    took: Option<String>,
    can_cancel: bool,
    can_retry: bool,
    taken_over: i64,
    /// While it waits for its time.
    begins_at: Option<DateTime<Utc>>,
    turn: Option<&'static str>,
    now: DateTime<Utc>,
    csrf: &'a str,
    sentence: Option<&'a str>,
    failed: bool,
    reference: Option<String>,
    over: bool,
    share: Option<u32>,
    stage: String,
    rows: u64,
    rate: u64,
    left: String,
}

#[derive(Debug, Template)]
#[template(path = "runs/_results.html")]
struct ResultsFragment {
    artifacts: Vec<Download>,
    removed_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

#[derive(Debug)]
struct Download {
    id: ArtifactId,
    name: String,
    what: &'static str,
    rows: Option<i64>,
    bytes: i64,
}

#[derive(Debug, Template)]
#[template(path = "runs/_files.html")]
struct FilesFragment {
    run: RunId,
    filters: Vec<Filter>,
    files: Vec<FileRow>,
    more: usize,
}

#[derive(Debug)]
struct Filter {
    href: String,
    word: &'static str,
    count: usize,
    here: bool,
}

#[derive(Debug)]
struct FileRow {
    file: FileId,
    name: String,
    mark: Mark,
    /// Whether it has a result.
    done: bool,
    sentence: Option<String>,
    reference: Option<String>,
    rows_in: Option<i64>,
    rows_out: Option<i64>,
    as_in: Option<RunId>,
}

impl Look {
    /// Looks; a stranger's run is none.
    pub(super) async fn at(pages: &Pages, user: UserId, run: RunId) -> Result<Self, PageError> {
        let mut connection = pages.pool.acquire().await?;
        let run = runs::find(&mut connection, user, run)
            .await?
            .ok_or(PageError::NotFound)?;
        let files = run_files::of_run(&mut connection, run.id, 0, MOST_FILES).await?;
        let others = run_references::of(&mut connection, run.id).await?.into_keys().collect();
        let tied = follows::chain(&mut connection, run.id, chain::MOST).await?;
        let artifacts = artifacts::of_run(&mut connection, run.id, ARTIFACTS).await?;
        // Most recipes expect no columns, and their runs have nothing to say of them.
        let columns = match run.document["input"].get("columns") {
            Some(_) => run_files::columns_of_run(&mut connection, run.id, columns::GROUPS).await?,
            None => Vec::new(),
        };
        Ok(Self {
            run,
            files,
            artifacts,
            others,
            tied,
            columns,
            now: pages.clock.now(),
        })
    }

    /// What the tab says.
    pub(super) fn title(&self) -> String {
        let name = list::title(self.run.name.clone());
        match self.run.state {
            RunState::Succeeded => format!("Done: {name}"),
            RunState::Failed => format!("Failed: {name}"),
            RunState::Cancelled => format!("Cancelled: {name}"),
            RunState::Running => match self.numbers().share {
                Some(share) => format!("{} % {name}", share / 10),
                None => name,
            },
            RunState::Waiting | RunState::Cancelling => name,
        }
    }

    /// All fragments. `least`: the share that people have seen already.
    pub(super) fn fragments(
        &self,
        csrf: &str,
        least: u32,
        only: Option<RunFileState>,
    ) -> Result<Vec<Fragment>, PageError> {
        Ok(vec![
            Fragment {
                id: "run-state",
                html: self.state(csrf, least)?,
            },
            Fragment {
                id: "run-results",
                html: self.results()?,
            },
            Fragment {
                id: "run-chain",
                html: chain::fragment(self.run.id, &self.tied)?,
            },
            Fragment {
                id: "run-flow",
                html: flow::fragment(&self.run.ledger)?,
            },
            Fragment {
                id: "run-columns",
                html: columns::fragment(self.run.id, csrf, &self.columns)?,
            },
            Fragment {
                id: "run-files",
                html: self.file_list(only)?,
            },
        ])
    }

    /// How far it has come.
    pub(super) fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        let mut thousandths = 0;
        let mut stages: Vec<Shown> = Vec::new();
        for file in &self.files {
            if file.state.is_final() {
                thousandths += 1000;
                numbers.rows += file.rows_in.and_then(|it| u64::try_from(it).ok()).unwrap_or_default();
            } else if let Some(progress) = progress_of(file) {
                let shown = progress::shown(Some(&progress), Work::Running);
                thousandths += shown.share.unwrap_or_default();
                numbers.rows += progress.rows_read;
                numbers.rows_per_second += progress.rows_per_second;
                stages.push(shown);
            }
        }
        let files = u32::try_from(self.files.len().max(1)).unwrap_or(u32::MAX);
        numbers.share = (self.run.state != RunState::Waiting).then_some(thousandths / files);
        numbers.left = self.left(numbers.share.unwrap_or_default(), &stages);
        numbers.stage = match (self.run.state, stages.as_slice()) {
            (RunState::Waiting, _) if self.files.is_empty() => "waiting for the run before".to_owned(),
            (RunState::Waiting, _) if self.begins_at().is_some() => "waiting for its time".to_owned(),
            (RunState::Waiting, _) => "waiting".to_owned(),
            (RunState::Cancelling, _) => "stopping".to_owned(),
            (_, []) => "waiting for a worker".to_owned(),
            (_, [one]) => one.doing.clone(),
            (_, several) => format!("{} files at once", several.len()),
        };
        numbers
    }

    /// A single file knows best; of many, the time so far is a measure for the rest.
    fn left(&self, share: u32, stages: &[Shown]) -> String {
        if let ([one], 1) = (stages, self.files.len())
            && !one.left.is_empty()
        {
            return one.left.clone();
        }
        let Some(started) = self.run.started_at.filter(|_| share > 30) else {
            return String::new();
        };
        let elapsed = (self.now - started).num_milliseconds().max(0);
        let millis = elapsed * i64::from(1000 - share.min(1000)) / i64::from(share);
        filters::left(u64::try_from(millis / 1000).unwrap_or_default())
    }

    fn state(&self, csrf: &str, least: u32) -> Result<String, PageError> {
        let (run, numbers) = (&self.run, self.numbers());
        let over = run.state.is_final();
        let took = run
            .started_at
            .zip(run.finished_at)
            .map(|(start, end)| filters::span((end - start).num_milliseconds()));
        let fragment = StateFragment {
            id: run.id,
            title: self.title(),
            mark: run.state.into(),
            tally: self.tally(),
            took,
            begins_at: self.begins_at(),
            turn: turn(run).filter(|_| !over),
            now: self.now,
            can_cancel: matches!(run.state, RunState::Waiting | RunState::Running),
            taken_over: self.taken_over(),
            can_retry: over && self.files.iter().any(may_be_tried_again),
            csrf,
            sentence: run.sentence.as_deref(),
            failed: run.state == RunState::Failed,
            reference: run
                .reference
                .filter(|_| run.state == RunState::Failed)
                .map(|it| it.to_string()),
            over,
            share: numbers.share.map(|share| share.max(least)),
            stage: numbers.stage,
            rows: numbers.rows,
            rate: numbers.rows_per_second,
            left: numbers.left,
        };
        Ok(fragment.render()?)
    }

    /// Files whose results an earlier run had made.
    fn taken_over(&self) -> i64 {
        let count = self.files.iter().filter(|it| it.reused_from.is_some()).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// When it begins, while it waits for that.
    fn begins_at(&self) -> Option<DateTime<Utc>> {
        Some(self.run.run_at).filter(|at| self.run.state == RunState::Waiting && *at > self.now)
    }

    /// `742 done · 3 refused · 2 running`, for more than one file.
    fn tally(&self) -> Vec<String> {
        if self.files.len() < 2 {
            return Vec::new();
        }
        let count = |state| self.files.iter().filter(|it| it.state == state).count();
        let said = |state| (count(state), Mark::from(state).word);
        RunFileState::ALL
            .iter()
            .map(|state| said(*state))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", filters::grouped(i128::try_from(count).unwrap_or_default())))
            .collect()
    }

    fn results(&self) -> Result<String, PageError> {
        let artifacts = self.artifacts.iter().map(|it| Download {
            id: it.id,
            name: it.name.clone(),
            what: match it.kind {
                ArtifactKind::Result => "result",
                ArtifactKind::Rejects => "rejected rows with their reasons",
                ArtifactKind::Annotated => "your workbook with notes",
                ArtifactKind::Report => "report: the account of every row",
            },
            rows: it.rows,
            bytes: it.bytes,
        });
        Ok(ResultsFragment {
            artifacts: artifacts.collect(),
            removed_at: self.run.results_removed_at,
            now: self.now,
        }
        .render()?)
    }

    fn file_list(&self, only: Option<RunFileState>) -> Result<String, PageError> {
        let wanted: Vec<&RunFileRow> = self
            .files
            .iter()
            .filter(|it| only.is_none_or(|state| it.state == state))
            .collect();
        let more = wanted.len().saturating_sub(LISTED);
        let files = wanted.into_iter().take(LISTED).map(row).collect();
        Ok(FilesFragment {
            run: self.run.id,
            filters: self.filters(only),
            files,
            more,
        }
        .render()?)
    }

    fn filters(&self, only: Option<RunFileState>) -> Vec<Filter> {
        let href = |query: String| format!("/runs/{}{query}", self.run.id);
        let all = Filter {
            href: href(String::new()),
            word: "all",
            count: self.files.len(),
            here: only.is_none(),
        };
        let states = RunFileState::ALL.iter().map(|state| Filter {
            href: href(format!("?files={state}")),
            word: Mark::from(*state).word,
            count: self.files.iter().filter(|it| it.state == *state).count(),
            here: only == Some(*state),
        });
        let filters: Vec<Filter> = std::iter::once(all)
            .chain(states.filter(|it| it.count > 0 || it.here))
            .collect();
        // One state, or one file: nothing to choose from.
        if filters.len() > 2 || only.is_some() {
            filters
        } else {
            Vec::new()
        }
    }
}

/// Which turn it has among its owner's runs, where that is another than usual.
fn turn(run: &RunRow) -> Option<&'static str> {
    match run.priority {
        0 => None,
        1.. => Some("before other runs"),
        _ => Some("after other runs"),
    }
}

fn row(file: &RunFileRow) -> FileRow {
    FileRow {
        file: file.file,
        name: file.name.clone(),
        mark: file.state.into(),
        done: file.state == RunFileState::Succeeded,
        sentence: file.sentence.clone(),
        reference: file
            .reference
            .filter(|_| file.state == RunFileState::Failed)
            .map(|it| it.to_string()),
        rows_in: file.rows_in,
        rows_out: file.rows_out,
        as_in: file.reused_from,
    }
}

/// What a recipe rejects it would reject again.
fn may_be_tried_again(file: &RunFileRow) -> bool {
    matches!(file.state, RunFileState::Failed | RunFileState::Cancelled)
        && file.code.as_deref() != Some("rows_rejected")
}

fn progress_of(file: &RunFileRow) -> Option<Progress> {
    serde_json::from_value(file.progress.clone()?).ok()
}

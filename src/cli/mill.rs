//! One order after another in a limited child, with a folder that is gone afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sheetmill_engine::order::{CellsOrder, IngestOrder, Message, Order, Output, ProcessOrder, Report, TableFiles};
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::Choices;
use sheetmill_engine::sheets::{IngestOptions, Limits};
use sheetmill_engine::tables::TableMeta;
use tempfile::TempDir;

use super::progress::Line;
use super::{Stop, name_of};
use crate::sandbox::{self, Outcome, SandboxSettings};

/// What an order may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Bytes of memory of a child.
    pub(super) memory: u64,
    /// Threads of a child.
    pub(super) jobs: usize,
}

/// Why there is no result, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What kind it is.
    pub(super) kind: TroubleKind,
    /// A stable word.
    pub(super) code: String,
    /// One sentence that names the file.
    pub(super) sentence: String,
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// The input is at fault.
    Refused,
    /// Rows were rejected and the recipe wants to fail on that.
    Rejected,
    /// Anything else.
    Failed,
}

/// What became of an order.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Its numbers, as far as it came.
    pub(super) report: Report,
    /// Its outputs, each with the file that was checked to be one.
    pub(super) outputs: Vec<(Output, PathBuf)>,
    /// The folders of its tables, in sheet order.
    pub(super) tables: Vec<PathBuf>,
    /// The most memory that the child held, bytes.
    pub(super) peak_memory: u64,
    /// Why there is no result.
    pub(super) trouble: Option<Trouble>,
    /// Of an archive: the names and files of its members, and what was not taken, in sentences.
    pub(super) members: Vec<(String, PathBuf)>,
    pub(super) left_out: Vec<String>,
}

/// A folder to work in, and what children may take.
#[derive(Debug)]
pub(super) struct Mill {
    folder: TempDir,
    share: Share,
}

/// A terminal waits as long as its person does; this only ends what will never end.
const HARD_LIMIT: Duration = Duration::from_hours(6);

impl Mill {
    /// A mill with a folder of its own.
    pub(super) fn new(share: Share) -> Result<Self, Stop> {
        let folder = tempfile::Builder::new().prefix("sheetmill-").tempdir();
        Ok(Self {
            folder: folder.map_err(Stop::io(Path::new("a temporary folder")))?,
            share,
        })
    }

    /// Reads a workbook into tables.
    pub(super) async fn ingest(&self, input: &Path, options: IngestOptions, line: &Line) -> Result<Answer, Stop> {
        self.ingest_as(&name_of(input), input, options, line).await
    }

    /// The same under another name, as members of archives have one.
    pub(super) async fn ingest_as(
        &self,
        name: &str,
        input: &Path,
        options: IngestOptions,
        line: &Line,
    ) -> Result<Answer, Stop> {
        let out = self.subfolder("tables")?;
        let order = IngestOrder {
            input: input.to_owned(),
            name: name.to_owned(),
            options,
            limits: Limits::default(),
            out: out.clone(),
        };
        self.carry_out(name, &Order::Ingest(order), &out, line).await
    }

    /// Applies a recipe to ingested tables.
    pub(super) async fn process(
        &self,
        name: &str,
        recipe: &Recipe,
        tables: &[PathBuf],
        (references, mapping): (&BTreeMap<String, PathBuf>, &Choices),
        line: &Line,
    ) -> Result<Answer, Stop> {
        let out = self.subfolder("out")?;
        let files = |folder: &PathBuf| TableFiles { folder: folder.clone() };
        let order = ProcessOrder {
            name: name.to_owned(),
            tables: tables.iter().map(files).collect(),
            recipe: recipe.clone(),
            references: references
                .iter()
                .map(|(name, folder)| (name.clone(), files(folder)))
                .collect(),
            mapping: mapping.clone(),
            out: out.clone(),
            scratch: self.subfolder("scratch")?,
            memory: sandbox::plan_memory(self.share.memory),
            jobs: self.share.jobs,
        };
        self.carry_out(name, &Order::Process(order), &out, line).await
    }

    /// Prints cells into a file.
    pub(super) async fn cells(&self, input: &Path, sheet: Option<String>) -> Result<(Answer, PathBuf), Stop> {
        let out = self.subfolder("cells")?.join("cells.jsonl");
        let (input, name) = (input.to_owned(), name_of(input));
        let order = CellsOrder {
            input,
            name: name.clone(),
            sheet,
            limits: Limits::default(),
            out: out.clone(),
        };
        let folder = self.folder.path();
        Ok((
            self.carry_out(&name, &Order::Cells(order), folder, &Line::silent())
                .await?,
            out,
        ))
    }

    fn subfolder(&self, name: &str) -> Result<PathBuf, Stop> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).map_err(Stop::io(&folder))?;
        Ok(folder)
    }

    async fn carry_out(&self, name: &str, order: &Order, out: &Path, line: &Line) -> Result<Answer, Stop> {
        let settings = SandboxSettings {
            memory: self.share.memory,
            cpu_seconds: None,
            soft_limit: HARD_LIMIT,
            hard_limit: HARD_LIMIT,
            reads: inputs(order),
            ..SandboxSettings::default()
        };
        let mut heard = Heard::default();
        let ended = sandbox::carry_out(&settings, self.folder.path(), order, |message| {
            heard.hear(message, out, line);
        })
        .await;
        let (outcome, remains) = ended.map_err(|cause| Stop::failed(cause.to_string()))?;
        let mut answer = heard.answer;
        answer.peak_memory = remains.peak_memory;
        heard.tables.sort();
        answer.tables = heard.tables.into_iter().map(|(_, folder)| folder).collect();
        answer.trouble = trouble(name, outcome, heard.account, &mut answer.report);
        if heard.odd && answer.trouble.is_none() {
            answer.trouble = Some(crashed(name));
        }
        Ok(answer)
    }
}

/// The files outside the mill's folder that an order is about.
fn inputs(order: &Order) -> Vec<PathBuf> {
    match order {
        Order::Ingest(order) => vec![order.input.clone()],
        Order::Cells(order) => vec![order.input.clone()],
        Order::Peek(order) => vec![order.input.clone()],
        // Other tables are in the folders of other mills.
        Order::Process(order) => order.references.values().map(|it| it.folder.clone()).collect(),
        // The terminal gives none of these.
        Order::Preview(_) | Order::Results(_) | Order::Trace(_) | Order::Rows(_) => Vec::new(),
    }
}

/// What a child has told so far.
#[derive(Debug, Default)]
struct Heard {
    answer: Answer,
    tables: Vec<(u32, PathBuf)>,
    /// Whether numbers came before a failure: rows were rejected and the recipe wants to fail on that.
    account: Option<Report>,
    /// Whether it named a file that is not there or not where it may be.
    odd: bool,
}

impl Heard {
    fn hear(&mut self, message: Message, out: &Path, line: &Line) {
        match message {
            Message::Progress { .. } => line.show(&message),
            Message::Table { folder, summary } => match sandbox::made(out, &format!("{folder}/table.json")) {
                Some(_) => self.tables.push((summary.position, out.join(folder))),
                None => self.odd = true,
            },
            Message::Output(output) => match sandbox::made(out, &output.path) {
                Some(file) => self.answer.outputs.push((output, file.path)),
                None => self.odd = true,
            },
            Message::Member(member) if member.refused.is_none() => match sandbox::made(out, &member.path) {
                Some(file) => self.answer.members.push((member.name, file.path)),
                None => self.odd = true,
            },
            Message::Member(member) => self
                .answer
                .left_out
                .extend(member.refused.map(|(_, sentence)| sentence)),
            Message::Account(report) => self.account = Some(report),
            _ => {}
        }
    }
}

/// What an outcome means to a person; its numbers go to `report`.
fn trouble(name: &str, outcome: Outcome, account: Option<Report>, report: &mut Report) -> Option<Trouble> {
    let failed = |code: &str, sentence: String| {
        Some(Trouble {
            kind: TroubleKind::Failed,
            code: code.to_owned(),
            sentence,
        })
    };
    match outcome {
        Outcome::Done(done) => {
            *report = *done;
            None
        }
        Outcome::Refused { code, sentence } => Some(Trouble {
            kind: TroubleKind::Refused,
            code,
            sentence,
        }),
        Outcome::Failed {
            code, sentence, detail, ..
        } => {
            if !detail.is_empty() {
                tracing::debug!(detail, "an order failed");
            }
            let kind = if account.is_some() {
                TroubleKind::Rejected
            } else {
                TroubleKind::Failed
            };
            *report = account.unwrap_or_default();
            Some(Trouble { kind, code, sentence })
        }
        Outcome::OutOfMemory(bytes) => {
            let allowed = crate::domain::units::show_bytes(bytes);
            failed(
                "out_of_memory",
                format!("{name}: it needs more memory than the {allowed} allowed; --memory allows more"),
            )
        }
        Outcome::TimedOut => failed(
            "timed_out",
            format!("{name}: it took longer than {} hours", HARD_LIMIT.as_secs() / 3600),
        ),
        Outcome::Stopped => failed("stopped", format!("{name}: it was stopped")),
        Outcome::Crashed(why) => {
            tracing::debug!(why, "a child crashed");
            Some(crashed(name))
        }
    }
}

fn crashed(name: &str) -> Trouble {
    let sentence = format!("{name}: this file crashed its reader");
    Trouble {
        kind: TroubleKind::Failed,
        code: "reader_crashed".to_owned(),
        sentence,
    }
}

/// What an ingested table is.
pub(super) fn meta(folder: &Path) -> Result<TableMeta, Stop> {
    let path = folder.join("table.json");
    let bytes = std::fs::read(&path).map_err(Stop::io(&path))?;
    serde_json::from_slice(&bytes).map_err(|cause| Stop::failed(format!("{}: {cause}", path.display())))
}

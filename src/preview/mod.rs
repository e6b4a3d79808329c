//! Warm children that answer pages: rows of a table, and what a recipe makes of real rows.
//!
//! A child is started when one is needed, takes several orders one after another, and is replaced when it overruns its
//! limits or has worked long enough. No server process evaluates a user's expression.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sheetmill_engine::order::{
    Message, Order, PeekAnswer, PeekOrder, PreviewAnswer, PreviewOrder, PreviewRows, RowsAnswer, RowsOrder, TableFiles,
};
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::Choices;
use sheetmill_engine::sheets::{IngestOptions, Limits};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::domain::ids::{BootId, IngestId, Sha256};
use crate::sandbox::scratch::{self, Scratch};
use crate::sandbox::{self, Child, Outcome, SandboxSettings, Step};
use crate::storage::{self, Storage};

mod cache;
mod newest;
mod results;

use cache::Cache;
pub use newest::Asker;
use newest::Newest;
pub use results::{ResultOf, RowOf};

/// How pages are answered.
#[derive(Clone, Debug)]
pub struct PreviewSettings {
    /// The folder for scratch files and the cache of parts.
    pub folder: PathBuf,
    /// How many children answer at once.
    pub children: usize,
    /// After so many orders a child is replaced: what it may have leaked goes with it.
    pub orders: u32,
    /// Bytes of parts that are kept at hand.
    pub cache_bytes: u64,
    /// Bytes that a plan may hold before it spills.
    pub plan_memory: u64,
    /// How long a page waits for a child to be free.
    pub wait: Duration,
    /// What of a workbook is too much.
    pub limits: Limits,
    /// The children.
    pub sandbox: SandboxSettings,
}

impl PreviewSettings {
    /// The defaults, with files below `folder`. Nobody waits longer than half a minute for a page.
    #[must_use]
    pub fn at(folder: PathBuf) -> Self {
        Self {
            folder,
            children: 2,
            orders: 500,
            cache_bytes: 2 << 30,
            plan_memory: 128 << 20,
            wait: Duration::from_secs(10),
            limits: Limits::default(),
            sandbox: SandboxSettings {
                cpu_seconds: None,
                soft_limit: Duration::from_secs(25),
                hard_limit: Duration::from_secs(30),
                ..SandboxSettings::default()
            },
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The recipe or the data is at fault, in a sentence for people.
    #[error("{0}")]
    Refused(String),
    /// It took too long or too much memory, in a sentence for people.
    #[error("{0}")]
    TooMuch(String),
    /// The table's parts are not there.
    #[error("the table is not there")]
    Missing,
    /// The file has no result in the run.
    #[error("This file has no result in this run.")]
    NoResult,
    /// What a run read is no longer kept.
    #[error(
        "The rows that this run read are no longer kept, so its result cannot be gone through. Upload the file again and run the recipe once more."
    )]
    Gone,
    /// The database's.
    #[error("{0}")]
    Database(crate::database::Error),
    /// Whoever asked has asked anew meanwhile.
    #[error("a newer question took its place")]
    GivenUp,
    /// All children are busy, or storage is away: later it will do.
    #[error("previews are not available: {0}")]
    Unavailable(String),
    /// A mistake of ours.
    #[error("preview: {0}")]
    Internal(String),
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Missing(_) => Self::Missing,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<sandbox::Error> for Error {
    fn from(error: sandbox::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What is to be previewed.
#[derive(Clone, Debug)]
pub struct PreviewOf {
    /// The ingest.
    pub ingest: IngestId,
    /// The sheet's position in the workbook, from 0.
    pub position: u32,
    /// The recipe.
    pub recipe: Recipe,
    /// The other tables by the names that the recipe calls them, each as ingest and position.
    pub references: BTreeMap<String, (IngestId, u32)>,
    /// What people have said about the columns that the recipe expects.
    pub mapping: Choices,
    /// How many steps to apply, from the first.
    pub steps: usize,
    /// At most so many rows.
    pub rows: usize,
    /// Whether all rows are counted as well.
    pub count_all: bool,
    /// Which rows are shown.
    pub show: PreviewRows,
}

/// What would be read otherwise.
#[derive(Clone, Debug)]
pub struct PeekOf {
    /// The file.
    pub blob: Sha256,
    /// Its name for people.
    pub name: String,
    /// How it would be read.
    pub options: IngestOptions,
    /// The sheet's position in the workbook, from 0.
    pub position: u32,
    /// At most so many rows.
    pub rows: usize,
}

/// Answers pages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Previews(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: PreviewSettings,
    scratch: Scratch,
    cache: Cache,
    newest: Newest,
    free: Semaphore,
    warm: Mutex<Vec<Warm>>,
}

#[derive(Debug)]
struct Warm {
    child: Child,
    orders: u32,
}

impl Previews {
    /// Makes a pool without children yet; what dead starts left below the folder is cleared away.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn new(settings: PreviewSettings, storage: Arc<dyn Storage>) -> std::io::Result<Self> {
        let scratch = Scratch::open(&settings.folder, BootId::new())?;
        scratch::sweep(&settings.folder)?;
        let cache = Cache::new(scratch.path().join("tables"), settings.cache_bytes, storage)?;
        let free = Semaphore::new(settings.children);
        Ok(Self(Arc::new(Inner {
            settings,
            scratch,
            cache,
            newest: Newest::default(),
            free,
            warm: Mutex::default(),
        })))
    }

    /// Rows of a table as it was read: at most `limit` from `offset`, counted from 0, in its first `columns`.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn rows(
        &self,
        ingest: IngestId,
        position: u32,
        (offset, limit): (u64, usize),
        columns: usize,
    ) -> Result<RowsAnswer, Error> {
        let table = self.0.cache.table(ingest, position).await?;
        let files = TableFiles {
            folder: table.folder().to_owned(),
        };
        let order = Order::Rows(RowsOrder {
            table: files,
            offset,
            limit,
            columns,
        });
        match self.0.answer(&order, &CancellationToken::new()).await? {
            Message::Rows(rows) => Ok(*rows),
            other => Err(unasked(&other)),
        }
    }

    /// How a sheet of a file would be read: its first `rows` rows.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn peek(&self, of: PeekOf) -> Result<PeekAnswer, Error> {
        let file = self.0.cache.blob(of.blob).await?;
        let order = Order::Peek(PeekOrder {
            input: file.workbook(),
            name: of.name,
            options: of.options,
            limits: self.0.settings.limits.clone(),
            position: of.position,
            rows: of.rows,
        });
        match self.0.answer(&order, &CancellationToken::new()).await? {
            Message::Peek(answer) => Ok(*answer),
            other => Err(unasked(&other)),
        }
    }

    /// How a recipe fits a table, and what it makes of some rows. What is wrong with a step is part of the answer. What the
    /// same asker asked before is given up.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn preview(&self, of: PreviewOf, asker: Option<Asker>) -> Result<PreviewAnswer, Error> {
        let turn = self.0.newest.begin(asker);
        let table = self.0.cache.table(of.ingest, of.position).await?;
        // Held until the answer is there.
        let mut others = BTreeMap::new();
        for (name, (ingest, position)) in of.references {
            others.insert(name, self.0.cache.table(ingest, position).await?);
        }
        let references = others.iter().map(|(name, table)| {
            let folder = table.folder().to_owned();
            (name.clone(), TableFiles { folder })
        });
        let references = references.collect();
        let folder = self.0.scratch.folder(&uuid::Uuid::now_v7().to_string())?;
        let order = Order::Preview(PreviewOrder {
            table: TableFiles {
                folder: table.folder().to_owned(),
            },
            recipe: of.recipe,
            references,
            mapping: of.mapping,
            steps: of.steps,
            rows: of.rows,
            count_all: of.count_all,
            show: of.show,
            scratch: folder.tmp(),
            memory: self.0.settings.plan_memory,
        });
        match self.0.answer(&order, &turn.over).await? {
            Message::Preview(answer) => Ok(*answer),
            other => Err(unasked(&other)),
        }
    }
}

impl Inner {
    /// Has an order carried out by a child; when it is given up, the child stays, and so does what it keeps.
    async fn answer(&self, order: &Order, over: &CancellationToken) -> Result<Message, Error> {
        let free = tokio::select! {
            free = timeout(self.settings.wait, self.free.acquire()) => free,
            () = over.cancelled() => return Err(Error::GivenUp),
        };
        let _slot = free
            .map_err(|_too_long| Error::Unavailable("all children are busy".to_owned()))?
            .map_err(|closed| Error::Internal(closed.to_string()))?;
        let mut warm = self.warm_with(order).await?;
        let (mut answer, mut given_up) = (None, false);
        let outcome = loop {
            let step = tokio::select! {
                step = warm.child.next() => step,
                () = over.cancelled(), if !given_up => {
                    given_up = true;
                    warm.child.give_up().await?;
                    continue;
                }
            };
            match step {
                Step::Told(message) => {
                    if is_answer(&message) {
                        answer = Some(*message);
                    }
                }
                Step::Ended(outcome) => break outcome,
            }
        };
        if matches!(
            outcome,
            Outcome::Done(_) | Outcome::Refused { .. } | Outcome::Failed { .. }
        ) {
            self.keep(warm);
        } else {
            let log = warm.child.close().await.log;
            tracing::warn!(?outcome, log, "a preview child is replaced");
        }
        if given_up {
            return Err(Error::GivenUp);
        }
        understood(outcome, answer)
    }

    /// A child that has taken the order: a warm one, unless it died meanwhile.
    async fn warm_with(&self, order: &Order) -> Result<Warm, Error> {
        let kept = self.warm.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut warm) = kept
            && warm.child.order(order).await.is_ok()
        {
            return Ok(warm);
        }
        let child = Child::start(&self.settings.sandbox, self.scratch.path(), &CancellationToken::new()).await?;
        let mut warm = Warm { child, orders: 0 };
        warm.child.order(order).await?;
        Ok(warm)
    }

    fn keep(&self, warm: Warm) {
        let orders = warm.orders + 1;
        if orders < self.settings.orders {
            self.warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Warm { orders, ..warm });
        }
    }
}

fn is_answer(message: &Message) -> bool {
    matches!(
        message,
        Message::Rows(_) | Message::Preview(_) | Message::Peek(_) | Message::Results(_) | Message::Trace(_)
    )
}

fn unasked(message: &Message) -> Error {
    Error::Internal(format!("the child answered what it was not asked: {message:.200?}"))
}

fn understood(outcome: Outcome, answer: Option<Message>) -> Result<Message, Error> {
    match outcome {
        Outcome::Done(_) => answer.ok_or_else(|| Error::Internal("the child had nothing to show".to_owned())),
        Outcome::Refused { sentence, .. } => Err(Error::Refused(sentence)),
        Outcome::Failed {
            sentence,
            input_at_fault: true,
            ..
        } => Err(Error::Refused(sentence)),
        Outcome::Failed { detail, .. } => Err(Error::Internal(detail)),
        Outcome::TimedOut => Err(Error::TooMuch(
            "The preview took too long. Run the recipe instead.".to_owned(),
        )),
        Outcome::OutOfMemory(_) => Err(Error::TooMuch(
            "The preview needed too much memory. Run the recipe instead.".to_owned(),
        )),
        Outcome::Crashed(how) => Err(Error::Internal(how)),
        Outcome::Stopped => Err(Error::Unavailable("the child was stopped".to_owned())),
    }
}

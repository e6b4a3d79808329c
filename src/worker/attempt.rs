//! One attempt: a scratch folder, a child under supervision, and an end that is written down.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sheetmill_engine::order::{Message, Order, Report, TableSummary};
use sheetmill_engine::sheets::IngestOptions;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::held::{Holding, Why};
use super::progress::Relay;
use super::retry::Mishap;
use super::settle::{End, Remains, settle};
use super::upkeep::{self, Done};
use super::{Context, gather, ingest, process};
use crate::chains::Gathered;
use crate::database;
use crate::database::artifacts::NewArtifact;
use crate::database::tasks::{Claimed, Work};
use crate::domain::failure::Fault;
use crate::domain::ids::{FileId, RunId};
use crate::queue::Slot;
use crate::readings::NewMember;
use crate::sandbox::{self, Child, Outcome, SandboxSettings, Step};
use crate::storage::{self, Key};

/// What an attempt made; visible once it is settled.
#[derive(Clone, Debug)]
pub enum Product {
    /// The tables of an ingest.
    Tables(Vec<TableSummary>),
    /// The members of an archive, whose bytes are stored.
    Members(Vec<NewMember>),
    /// The results that a run works on; their bytes are stored.
    Gathered {
        /// The results.
        files: Vec<Gathered>,
        /// How the run's recipe wants them read.
        options: IngestOptions,
    },
    /// The outputs of a file of a run, and the account of its rows.
    Outputs {
        /// What was stored, and where.
        stored: Vec<(Key, NewArtifact)>,
        /// The account.
        report: Box<Report>,
        /// What a later run finds it under; `None`: it is not to be found.
        under: Option<[u8; 32]>,
        /// The run that it was taken over from.
        from: Option<RunId>,
    },
    /// What was due by itself is done.
    Upkeep(Done),
}

/// Why an attempt made nothing.
#[derive(Clone, Debug)]
pub enum Halt {
    /// It went wrong.
    Mishap(Mishap),
    /// It was told to stop; the holding says why.
    Stopped,
}

impl From<database::Error> for Halt {
    fn from(error: database::Error) -> Self {
        let fault = match error {
            database::Error::Unavailable(_) => Fault::Surroundings,
            database::Error::Constraint { .. } | database::Error::Value(_) | database::Error::Query(_) => Fault::Ours,
        };
        Self::Mishap(internal(fault, error.to_string()))
    }
}

impl From<storage::Error> for Halt {
    fn from(error: storage::Error) -> Self {
        let fault = match error {
            storage::Error::Unavailable(_) => Fault::Surroundings,
            _ => Fault::Ours,
        };
        Self::Mishap(internal(fault, error.to_string()))
    }
}

impl From<io::Error> for Halt {
    /// The scratch disk is full or away: that goes by.
    fn from(error: io::Error) -> Self {
        Self::Mishap(internal(Fault::Surroundings, format!("scratch folder: {error}")))
    }
}

impl From<sandbox::Error> for Halt {
    fn from(error: sandbox::Error) -> Self {
        let fault = match error {
            sandbox::Error::Start(_) => Fault::Surroundings,
            sandbox::Error::Order(_) | sandbox::Error::Form(_) => Fault::Ours,
        };
        Self::Mishap(internal(fault, error.to_string()))
    }
}

/// A failure whose cause is for the log only.
#[must_use]
pub fn internal(fault: Fault, detail: String) -> Mishap {
    let (code, sentence) = match fault {
        Fault::Surroundings => (
            "unavailable",
            "Storage or the database did not answer. It is tried again by itself.",
        ),
        Fault::Ours | Fault::Input => (
            "internal",
            "Something went wrong on our side. An admin finds the cause under the reference.",
        ),
    };
    Mishap::Failed {
        fault,
        code: code.to_owned(),
        sentence: sentence.to_owned(),
        detail,
    }
}

/// An attempt at work.
pub struct Attempt {
    /// The worker's.
    pub context: Arc<Context>,
    /// What was claimed.
    pub claimed: Claimed,
    /// The lease.
    pub holding: Holding,
    /// What the file is called, as soon as that is known.
    pub name: String,
    /// What is left of the child.
    pub remains: Remains,
}

/// Carries out what was claimed and writes down how it ended. The slot is free afterwards.
pub async fn run(context: Arc<Context>, claimed: Claimed, holding: Holding, slot: Slot) {
    let span = tracing::info_span!("attempt", task = %claimed.fence.task, attempt = claimed.fence.attempt, request = %claimed.request);
    let attempt = Attempt {
        context,
        claimed,
        holding,
        name: "The file".to_owned(),
        remains: Remains::default(),
    };
    attempt.run().instrument(span).await;
    drop(slot);
}

impl Attempt {
    async fn run(mut self) {
        let began = Instant::now();
        tracing::info!(kind = %self.claimed.kind, "attempt begins");
        let worked = self.work().await;
        let end = self.end_of(worked);
        let seconds = began.elapsed().as_secs_f64();
        tracing::info!(end = end.word(), seconds, "attempt ends");
        if let End::Fenced = end {
            return;
        }
        self.write_down(end).await;
    }

    async fn work(&mut self) -> Result<Product, Halt> {
        if self.claimed.cancel_requested {
            self.holding.give_up(Why::Cancelled);
            return Err(Halt::Stopped);
        }
        let fence = self.claimed.fence;
        let folder = self
            .context
            .scratch
            .folder(&format!("{}-{}", fence.task, fence.attempt))?;
        match self.claimed.work {
            Work::Ingest(id) => ingest::work(self, &folder, id).await,
            Work::RunFile(run, file) => process::work(self, &folder, run, file).await,
            Work::Gather(run) => gather::work(self, run).await,
            Work::Tick(tick) => upkeep::work(self, &folder, tick).await,
        }
    }

    fn end_of(&self, worked: Result<Product, Halt>) -> End {
        match (worked, self.holding.why()) {
            (_, Some(Why::Fenced)) => End::Fenced,
            (Ok(product), _) => End::Made(product),
            (Err(_), Some(Why::Cancelled)) => End::Cancelled,
            (Err(_), Some(Why::Interrupted)) => End::Interrupted,
            (Err(Halt::Mishap(mishap)), None) => End::Wrong(mishap),
            (Err(Halt::Stopped), None) => End::Wrong(internal(Fault::Ours, "stopped for no reason".to_owned())),
        }
    }

    /// Tries for as long as the lease may still be ours. What cannot be written down is taken for a crash by others.
    async fn write_down(&self, end: End) {
        let mut end = end;
        let until = Instant::now() + self.context.settings.lease * 2;
        let mut pause = Duration::from_millis(100);
        loop {
            match settle(&self.context, &self.claimed, &self.name, &end, &self.remains).await {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!("fenced: the task is another worker's; what was made is thrown away");
                    self.throw_away(&end).await;
                    return;
                }
                Err(error) if error.is_passing() && Instant::now() < until => {
                    tracing::warn!(%error, "the end of an attempt could not be written; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(3));
                }
                Err(error) => {
                    tracing::error!(%error, "the end of an attempt could not be written");
                    if error.is_passing() || matches!(end, End::Wrong(_)) {
                        return;
                    }
                    end = End::Wrong(internal(Fault::Ours, error.to_string()));
                }
            }
        }
    }

    /// Removes stored outputs that nobody will ever see. Their keys are this attempt's own.
    async fn throw_away(&self, end: &End) {
        if let End::Made(Product::Outputs { stored, .. }) = end {
            self.forget(stored).await;
        }
        if let Some(of_use) = &self.remains.of_use {
            self.forget(&of_use.stored).await;
        }
    }

    /// Removes stored outputs; what storage cannot remove now is found later, since no row names it.
    pub async fn forget(&self, stored: &[(Key, NewArtifact)]) {
        for (key, _) in stored {
            if let Err(error) = self.context.storage.delete(key).await {
                tracing::warn!(%key, %error, "an output that nobody sees could not be removed");
            }
        }
    }

    /// Awaits something that has no other way to be told to stop.
    ///
    /// # Errors
    /// Its own, or that the attempt shall stop.
    pub async fn unless_stopped<T, E: Into<Halt>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, Halt> {
        tokio::select! {
            biased;
            () = self.holding.stop().cancelled() => Err(Halt::Stopped),
            done = work => done.map_err(Into::into),
        }
    }

    /// Starts a child on an order; the files are those whose pages show its progress.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn begin(
        &self,
        settings: &SandboxSettings,
        folder: &Path,
        order: &Order,
        files: Vec<FileId>,
    ) -> Result<Supervised, Halt> {
        let mut child = Child::start(settings, folder, self.holding.stop()).await?;
        if let Err(error) = child.order(order).await {
            tracing::debug!(%error, "the child did not take its order");
        }
        Ok(Supervised {
            child,
            relay: Relay::new(files),
        })
    }
}

/// A child at work, whose progress is told as it comes.
pub struct Supervised {
    child: Child,
    relay: Relay,
}

impl Supervised {
    /// The next message that is not progress; `Err` when the order ended without being done.
    ///
    /// # Errors
    /// How it ended.
    pub async fn next(&mut self, attempt: &mut Attempt) -> Result<Result<Message, Report>, Halt> {
        loop {
            match self.child.next().await {
                Step::Told(message) => match *message {
                    Message::Progress { .. } => self.relay.tell(attempt, &message).await,
                    other => return Ok(Ok(other)),
                },
                Step::Ended(Outcome::Done(report)) => {
                    self.relay.last(attempt).await;
                    return Ok(Err(*report));
                }
                Step::Ended(outcome) => return Err(halt(outcome)),
            }
        }
    }

    /// Ends the child, whatever it does, and keeps what is left of it.
    pub async fn close(self, attempt: &mut Attempt) {
        let ended = self.child.close().await;
        attempt.remains.log = ended.log;
        attempt.remains.peak_memory = ended.peak_memory;
    }
}

fn halt(outcome: Outcome) -> Halt {
    let failed = |fault, code, sentence, detail| Mishap::Failed {
        fault,
        code,
        sentence,
        detail,
    };
    Halt::Mishap(match outcome {
        Outcome::Refused { code, sentence } => failed(Fault::Input, plain(&code), plain(&sentence), String::new()),
        Outcome::Failed {
            code,
            sentence,
            detail,
            input_at_fault,
        } => {
            let fault = if input_at_fault { Fault::Input } else { Fault::Ours };
            let detail = if detail.is_empty() {
                "no cause was given".to_owned()
            } else {
                detail
            };
            failed(fault, plain(&code), plain(&sentence), detail)
        }
        Outcome::OutOfMemory(limit) => Mishap::OutOfMemory(limit),
        Outcome::TimedOut => Mishap::TimedOut,
        Outcome::Crashed(how) => Mishap::Crashed(how),
        Outcome::Stopped | Outcome::Done(_) => return Halt::Stopped,
    })
}

/// The longest sentence that is believed of a child.
const SENTENCE_CHARS: usize = 1000;

/// What a child said, fit to be stored and shown: no control characters, no novels.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .take(SENTENCE_CHARS)
        .collect()
}

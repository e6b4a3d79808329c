//! The transaction that ends an attempt: task, attempt, what it made or why not, its run, and the events that tell of it.
//! All of it happens under the fence, or none.

use sheetmill_engine::order::Report;

use super::attempt::Product;
use super::retry::{Decision, Mishap, Ruling, Standing, decide, jittered};
use super::{Context, outcome, reuse};
use crate::database::artifacts::NewArtifact;
use crate::database::attempts::{self, AttemptEnd};
use crate::database::reusable;
use crate::database::tasks::{self, Account, Claimed, Told, Work};
use crate::database::{self, Tx};
use crate::domain::states::{AttemptState, UPKEEP};
use crate::events::{Event, Kind, announce};
use crate::readings::{self, For};
use crate::schedules;
use crate::storage::Key;
use crate::{chains, queue};

/// How an attempt ended, before anybody decided what that means.
#[derive(Clone, Debug)]
pub enum End {
    /// It made what it should.
    Made(Product),
    /// It went wrong.
    Wrong(Mishap),
    /// It was cancelled.
    Cancelled,
    /// Its worker stops in peace.
    Interrupted,
    /// The task is another worker's now.
    Fenced,
}

impl End {
    /// For the log.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Made(_) => "made",
            Self::Wrong(_) => "wrong",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Fenced => "fenced",
        }
    }
}

/// What an attempt leaves for admins.
#[derive(Clone, Debug, Default)]
pub struct Remains {
    /// What its child wrote to stderr, capped.
    pub log: String,
    /// The child's greatest memory, bytes.
    pub peak_memory: u64,
    /// Rows read.
    pub rows: Option<u64>,
    /// Of use although the attempt failed: the rejected rows of a recipe that fails on them, and their account.
    pub of_use: Option<OfUse>,
}

/// What is shown of a file that failed.
#[derive(Clone, Debug)]
pub struct OfUse {
    /// What was stored, and where.
    pub stored: Vec<(Key, NewArtifact)>,
    /// The account.
    pub report: Box<Report>,
}

impl From<readings::Error> for Error {
    fn from(error: readings::Error) -> Self {
        match error {
            readings::Error::Database(error) => Self::Database(error),
            readings::Error::Queue(error) => Self::Queue(error),
        }
    }
}

/// What can go wrong while an end is written down.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's own word.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The queue's.
    #[error(transparent)]
    Queue(#[from] queue::Error),
    /// A schedule's.
    #[error(transparent)]
    Schedule(schedules::Error),
}

impl From<schedules::Error> for Error {
    fn from(error: schedules::Error) -> Self {
        match error {
            schedules::Error::Database(error) => Self::Database(error),
            other => Self::Schedule(other),
        }
    }
}

impl Error {
    /// Whether trying again may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) | Self::Queue(queue::Error::Database(error)) => error.is_passing(),
            Self::Queue(queue::Error::Library(_)) | Self::Schedule(_) => false,
        }
    }
}

/// Writes down how an attempt ended. False: fenced, nothing was written but that.
///
/// # Errors
/// The database's. Whether it was written is then unknown; another call finds out.
pub async fn settle(
    context: &Context,
    claimed: &Claimed,
    name: &str,
    end: &End,
    remains: &Remains,
) -> Result<bool, Error> {
    let mut tx = context.pool.begin().await?;
    let Some(cancel_requested) = tasks::hold(&mut tx, claimed.fence).await? else {
        return Ok(look_back(tx, claimed, end).await?);
    };
    let end = if cancel_requested { &End::Cancelled } else { end };
    settle_held(&mut tx, context, claimed, name, end, remains).await?;
    tx.commit().await?;
    Ok(true)
}

/// A commit whose answer was lost may have happened: then the attempt bears our word already.
async fn look_back(mut tx: Tx, claimed: &Claimed, end: &End) -> Result<bool, database::Error> {
    let state = attempts::state(&mut tx, claimed.fence).await?;
    let ours = match end {
        End::Made(_) => matches!(state, Some(AttemptState::Succeeded)),
        _ => !matches!(state, Some(AttemptState::Running) | None),
    };
    if !ours {
        attempts::end(&mut tx, claimed.fence, &AttemptEnd::plain(AttemptState::Fenced)).await?;
        tx.commit().await?;
    }
    Ok(ours)
}

/// The same for a task whose row the caller has locked.
///
/// # Errors
/// The database's; the transaction is then lost.
pub async fn settle_held(
    tx: &mut Tx,
    context: &Context,
    claimed: &Claimed,
    name: &str,
    end: &End,
    remains: &Remains,
) -> Result<(), Error> {
    match end {
        End::Made(product) => made(tx, claimed, product, remains).await,
        End::Wrong(mishap) => {
            let (attempt, failures, crashes) = (claimed.fence.attempt, claimed.failures, claimed.crashes);
            let standing = Standing {
                attempt,
                failures,
                crashes,
                kind: claimed.kind,
                name,
            };
            let ruling = decide(&context.settings.retry, &standing, mishap.clone());
            wrong(tx, claimed, mishap, &ruling, remains).await
        }
        End::Cancelled => cancelled(tx, claimed, name, remains).await,
        End::Interrupted => {
            let end = of(AttemptState::Interrupted, remains);
            back(
                tx,
                claimed,
                (Account::Interruption, std::time::Duration::ZERO),
                None,
                &end,
            )
            .await
        }
        End::Fenced => Ok(()),
    }
}

async fn made(tx: &mut Tx, claimed: &Claimed, product: &Product, remains: &Remains) -> Result<(), Error> {
    tasks::succeed(tx, claimed.fence).await?;
    attempts::end(tx, claimed.fence, &of(AttemptState::Succeeded, remains)).await?;
    announce(tx, &about(claimed, Kind::TaskEnded)).await?;
    match (product, claimed.work) {
        (Product::Tables(tables), Work::Ingest(ingest)) => outcome::ingest_ready(tx, ingest, tables).await,
        (Product::Gathered { files, options }, Work::Gather(run)) => {
            Ok(chains::gathered(tx, run, files, options).await?)
        }
        (Product::Members(members), Work::Ingest(ingest)) => {
            outcome::ingest_ready(tx, ingest, &[]).await?;
            let Some(owner) = claimed.owner else { return Ok(()) };
            let asks = For {
                owner,
                request: claimed.request,
            };
            Ok(readings::unpacked(tx, asks, ingest, members).await?)
        }
        (Product::Upkeep(done), Work::Tick(tick)) => Ok(outcome::tick_done(tx, tick, done).await?),
        (
            Product::Outputs {
                stored,
                report,
                under,
                from,
            },
            Work::RunFile(run, file),
        ) => {
            outcome::artifacts(tx, claimed, stored).await?;
            outcome::file_done(tx, (run, file), report, *from).await?;
            if let Some((key, report)) = under.zip(reuse::kept(report)) {
                reusable::remember(tx, &key, (run, file), &report).await?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn wrong(
    tx: &mut Tx,
    claimed: &Claimed,
    mishap: &Mishap,
    ruling: &Ruling,
    remains: &Remains,
) -> Result<(), Error> {
    let told = Told {
        code: ruling.code.clone(),
        sentence: ruling.sentence.clone(),
        reference: claimed.request,
    };
    let end = AttemptEnd {
        code: Some(ruling.code.clone()),
        sentence: Some(ruling.sentence.clone()),
        detail: ruling.detail.clone(),
        ..of(state_of(mishap), remains)
    };
    let detail = ruling.detail.as_deref().unwrap_or_default();
    match &ruling.decision {
        Decision::Again { account, pause } => {
            tracing::warn!(task = %claimed.fence.task, code = %ruling.code, detail, ?pause, "an attempt went wrong; trying again");
            back(tx, claimed, (*account, jittered(*pause, chance())), Some(&told), &end).await
        }
        Decision::Dead { reason } => {
            let task = claimed.fence.task;
            tracing::warn!(%task, reference = %claimed.request, code = %ruling.code, detail, reason, "a task failed");
            tasks::fail(tx, claimed.fence, reason, &told).await?;
            attempts::end(tx, claimed.fence, &end).await?;
            announce(tx, &about(claimed, Kind::TaskEnded)).await?;
            match claimed.work {
                Work::Ingest(ingest) => outcome::ingest_given_up(tx, ingest, reason, &told).await,
                Work::Gather(run) => Ok(chains::failed(tx, run, &told).await?),
                Work::RunFile(run, file) => {
                    let of_use = remains.of_use.as_ref();
                    if let Some(of_use) = of_use {
                        outcome::artifacts(tx, claimed, &of_use.stored).await?;
                    }
                    outcome::file_failed(tx, (run, file), reason, &told, of_use.map(|it| &*it.report)).await
                }
                Work::Tick(_) => Ok(()),
            }
        }
    }
}

async fn cancelled(tx: &mut Tx, claimed: &Claimed, name: &str, remains: &Remains) -> Result<(), Error> {
    tasks::cancel(tx, claimed.fence).await?;
    attempts::end(tx, claimed.fence, &of(AttemptState::Cancelled, remains)).await?;
    announce(tx, &about(claimed, Kind::TaskEnded)).await?;
    match claimed.work {
        Work::Ingest(ingest) => {
            let sentence = format!("The reading of {name} was cancelled. Upload it again to read it.");
            let told = Told {
                code: "cancelled".to_owned(),
                sentence,
                reference: claimed.request,
            };
            outcome::ingest_given_up(tx, ingest, "cancelled", &told).await
        }
        Work::RunFile(run, file) => outcome::file_cancelled(tx, run, file).await,
        Work::Gather(run) => Ok(chains::cancelled(tx, run).await?),
        Work::Tick(_) => Ok(()),
    }
}

/// Back to the queue, with a ticket for when it is due.
async fn back(
    tx: &mut Tx,
    claimed: &Claimed,
    (account, pause): (Account, std::time::Duration),
    told: Option<&Told>,
    end: &AttemptEnd,
) -> Result<(), Error> {
    tasks::again(tx, claimed.fence, account, pause, told).await?;
    attempts::end(tx, claimed.fence, end).await?;
    if claimed.kind.queue() != UPKEEP {
        queue::push_after(tx, claimed.kind, pause).await?;
    }
    if let Work::RunFile(run, _) | Work::Gather(run) = claimed.work {
        database::runs::lock(tx, run).await?;
    }
    announce(tx, &about(claimed, Kind::TaskRetried)).await?;
    Ok(())
}

/// An event about what was claimed.
#[must_use]
pub fn about(claimed: &Claimed, kind: Kind) -> Event {
    let event = Event::of_whoever(claimed.owner, kind).task(claimed.fence.task);
    match claimed.work {
        Work::Ingest(_) | Work::Tick(_) => event,
        Work::RunFile(run, file) => event.run(run).file(file),
        Work::Gather(run) => event.run(run),
    }
}

fn of(state: AttemptState, remains: &Remains) -> AttemptEnd {
    AttemptEnd {
        log: Some(remains.log.clone()).filter(|it| !it.is_empty()),
        rows: remains.rows.and_then(|it| i64::try_from(it).ok()),
        peak_memory: i64::try_from(remains.peak_memory).ok().filter(|it| *it > 0),
        ..AttemptEnd::plain(state)
    }
}

fn state_of(mishap: &Mishap) -> AttemptState {
    match mishap {
        Mishap::Failed { .. } | Mishap::OutOfMemory(_) => AttemptState::Failed,
        Mishap::TimedOut => AttemptState::TimedOut,
        Mishap::Crashed(_) | Mishap::LeaseLost => AttemptState::Crashed,
    }
}

/// Somewhere between 0 and 1; no chance is as good as a half.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |it| f64::from(it) / f64::from(u32::MAX))
}

//! What is due by itself, carried out by the worker: no bytes of anybody are read, so that no child is needed.

use super::attempt::{Attempt, Halt, Product, internal};
use super::{activity_report, clean_up};
use crate::database::reports::Report;
use crate::domain::failure::Fault;
use crate::domain::ids::TickId;
use crate::domain::states::TaskKind;
use crate::sandbox::scratch::WorkFolder;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Done {
    /// In words, for admins.
    pub said: String,
    /// What was stored for them.
    pub report: Option<Report>,
}

/// The work of an attempt at a tick. It may be cut short anywhere.
///
/// # Errors
/// Why it was not done.
pub async fn work(attempt: &mut Attempt, folder: &WorkFolder, tick: TickId) -> Result<Product, Halt> {
    attempt.name = attempt.claimed.kind.title().to_owned();
    let attempt = &*attempt;
    let done = attempt
        .unless_stopped(async {
            match attempt.claimed.kind {
                TaskKind::CleanUp => clean_up::work(attempt).await,
                TaskKind::ActivityReport => activity_report::work(attempt, folder, tick).await,
                other => Err(Halt::Mishap(internal(
                    Fault::Ours,
                    format!("no tick has a task to {other}"),
                ))),
            }
        })
        .await?;
    Ok(Product::Upkeep(done))
}

//! Attempts: every try at a task, how it ended and what it cost.

use chrono::{DateTime, Utc};

use super::tasks::Fence;
use super::{Connection, Result};
use crate::domain::ids::{BootId, TaskId};
use crate::domain::states::AttemptState;

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct AttemptEnd {
    /// In a word.
    pub state: AttemptState,
    /// A stable word for what went wrong.
    pub code: Option<String>,
    /// The sentence people are told.
    pub sentence: Option<String>,
    /// The cause, for admins only.
    pub detail: Option<String>,
    /// What the child wrote to stderr, capped.
    pub log: Option<String>,
    /// Rows that were read.
    pub rows: Option<i64>,
    /// The child's greatest resident memory, bytes.
    pub peak_memory: Option<i64>,
}

impl AttemptEnd {
    /// An end with nothing to say but the word.
    #[must_use]
    pub fn plain(state: AttemptState) -> Self {
        Self {
            state,
            code: None,
            sentence: None,
            detail: None,
            log: None,
            rows: None,
            peak_memory: None,
        }
    }
}

/// Writes how an attempt ended, in the transaction that ends or requeues its task. An attempt that was given up on by
/// others may still say that it was fenced, and nothing else.
pub async fn end(conn: &mut Connection, fence: Fence, end: &AttemptEnd) -> Result<()> {
    sqlx::query!(
        "update attempts
         set state = $4, ended_at = coalesce(ended_at, now()), code = $5, sentence = $6, detail = $7, log = $8, rows = $9,
             peak_memory = $10
         where task_id = $1 and number = $2 and boot_id = $3 and (state = 'running' or $4 = 'fenced')",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
        end.state.as_str(),
        end.code,
        end.sentence,
        end.detail.as_deref().map(printable),
        end.log.as_deref().map(printable),
        end.rows,
        end.peak_memory,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Postgres cannot hold a zero character in text.
fn printable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// How an attempt stands, as far as its own worker's word goes; `None` when there is no such attempt.
pub async fn state(conn: &mut Connection, fence: Fence) -> Result<Option<AttemptState>> {
    let state = sqlx::query_scalar!(
        r#"select state as "state: AttemptState" from attempts where task_id = $1 and number = $2 and boot_id = $3"#,
        fence.task.0,
        fence.attempt,
        fence.boot.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(state)
}

/// An attempt as admins see it.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    /// From 1.
    pub number: i32,
    /// Which start of which worker.
    pub boot: BootId,
    /// The worker's name, while it is remembered.
    pub worker: Option<String>,
    /// How it ended.
    pub state: AttemptState,
    /// When it was claimed.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// A stable word for what went wrong.
    pub code: Option<String>,
    /// The sentence people are told.
    pub sentence: Option<String>,
    /// The cause, for admins only.
    pub detail: Option<String>,
    /// What the child wrote to stderr, capped.
    pub log: Option<String>,
    /// Rows that were read.
    pub rows: Option<i64>,
    /// The child's greatest resident memory, bytes.
    pub peak_memory: Option<i64>,
}

/// All attempts at a task, first to last.
pub async fn of_task(conn: &mut Connection, task: TaskId) -> Result<Vec<AttemptRow>> {
    let rows = sqlx::query_as!(
        AttemptRow,
        r#"select a.number, a.boot_id as "boot: BootId", w.name as "worker?", a.state as "state: AttemptState", a.started_at,
                  a.ended_at, a.code, a.sentence, a.detail, a.log, a.rows, a.peak_memory
           from attempts a left join workers w on w.boot_id = a.boot_id
           where a.task_id = $1 order by a.number"#,
        task.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

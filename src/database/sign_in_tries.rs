//! Tries to sign in, counted for throttling across all web processes.

use std::time::Duration;

use super::{Connection, Result};

/// How many tries a subject has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// So many …
    pub tries: i64,
    /// … within this time.
    pub window: Duration,
}

/// Makes sure that nobody else counts this subject until the transaction ends: without that, many tries at once would
/// all see room for one more.
///
/// # Errors
/// See [`super::Error`].
pub async fn lock(connection: &mut Connection, subject: &str) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", subject)
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// How long until the subject may try again; `None`: now.
///
/// # Errors
/// See [`super::Error`].
pub async fn wait_needed(connection: &mut Connection, subject: &str, allowance: Allowance) -> Result<Option<Duration>> {
    let (window, others) = (allowance.window.as_secs_f64(), allowance.tries - 1);
    let seconds = sqlx::query_scalar!(
        r#"select extract(epoch from at + make_interval(secs => $2) - now())::float8 as "seconds!"
             from sign_in_tries where subject = $1 and at > now() - make_interval(secs => $2)
            order by at desc offset $3 limit 1"#,
        subject,
        window,
        others,
    )
    .fetch_optional(connection)
    .await?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
}

/// Counts a try.
///
/// # Errors
/// See [`super::Error`].
pub async fn count(connection: &mut Connection, subject: &str) -> Result<()> {
    sqlx::query!("insert into sign_in_tries (subject, at) values ($1, now())", subject)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets a subject's tries, after a success.
///
/// # Errors
/// See [`super::Error`].
pub async fn forget(connection: &mut Connection, subject: &str) -> Result<()> {
    sqlx::query!("delete from sign_in_tries where subject = $1", subject)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets tries older than a window: they count for nothing.
///
/// # Errors
/// See [`super::Error`].
pub async fn sweep(connection: &mut Connection, window: Duration) -> Result<u64> {
    Ok(sqlx::query!(
        "delete from sign_in_tries where at < now() - make_interval(secs => $1)",
        window.as_secs_f64()
    )
    .execute(connection)
    .await?
    .rows_affected())
}

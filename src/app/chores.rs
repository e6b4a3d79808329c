//! Chores at the terminal: against the data folder, also while `up` runs on it, or against `DATABASE_URL`.

use std::io::Write;
use std::process::ExitCode;

use super::command::{block_on, finish, start};
use super::foundation::Foundation;
use super::{Error, address};
use crate::domain::states::Role;
use crate::settings::{Overrides, Settings};

/// Brings the database to this version.
#[must_use]
pub fn migrate(overrides: Overrides) -> ExitCode {
    chore(
        overrides,
        async |_, _| Ok("The database is at this version.".to_owned()),
    )
}

/// Creates an account and prints a one-time link that signs in; for an account that is there, just the link.
#[must_use]
pub fn add_user(overrides: Overrides, email: &str, role: Role) -> ExitCode {
    chore(overrides, async |settings, foundation| {
        let link = foundation.accounts.invite(email, role).await?;
        let listening = address::remembered(&settings.data);
        Ok(address::welcome(&address::public(settings, listening), &link))
    })
}

/// Prints a new API token of an account.
#[must_use]
pub fn add_token(overrides: Overrides, email: &str) -> ExitCode {
    chore(overrides, async |_, foundation| {
        let token = foundation.accounts.make_token_for(email, None).await?;
        Ok(token.secret.expose().to_owned())
    })
}

/// Does something on the foundation and prints its answer, whatever becomes of it letting go of the foundation.
fn chore(overrides: Overrides, work: impl AsyncFnOnce(&Settings, &Foundation) -> Result<String, Error>) -> ExitCode {
    finish(block_on(async {
        let settings = start(overrides)?;
        let foundation = Foundation::join(&settings).await?;
        let answer = work(&settings, &foundation).await;
        foundation.leave().await;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{}", answer?).map_err(|cause| Error::System {
            doing: "Cannot print the answer",
            cause,
        })
    }))
}

//! Who may do what: accounts, sign-in, sessions, links that are good once, API tokens.
//!
//! Secrets leave this module once, when they are made. Postgres holds hashes of them: argon2id of passwords, SHA-256 of
//! what is random anyway.

use std::time::Duration;

use crate::database::sign_in_tries::Allowance;
use crate::database::{self, Pool};
use crate::domain::ids::UserId;
use crate::domain::states::Role;

mod address;
mod link;
mod password;
mod secret;
mod session;
mod sign_in;
mod token;

pub use address::Email;
pub use link::{Invitation, NewAccount};
pub use password::{PasswordSettings, Passwords};
pub use secret::Secret;
pub use session::{NewSession, Session};
pub use sign_in::SignIn;
pub use token::NewToken;

/// Who asks, as far as permissions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub user: UserId,
    /// What it may do.
    pub role: Role,
}

/// Why an account function did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address or the password is wrong; nobody is told which.
    #[error("the address or the password is wrong")]
    WrongCredentials,
    /// Too many tries.
    #[error("too many tries to sign in")]
    TryLater {
        /// When it may be tried again.
        after: Duration,
    },
    /// The link was used, has ended, or never was.
    #[error("the link is not good any more")]
    LinkSpent,
    /// It is no address.
    #[error("that is no e-mail address")]
    NotAnAddress,
    /// There is an account with this address.
    #[error("there is an account with this address already")]
    AddressTaken,
    /// There is no account with this address.
    #[error("there is no account with this address")]
    NoSuchAccount,
    /// The password is too short to be one.
    #[error("a password has at least {} characters", PasswordSettings::SHORTEST)]
    PasswordTooShort,
    /// The password is longer than anybody types.
    #[error("a password has at most {} bytes", PasswordSettings::LONGEST)]
    PasswordTooLong,
    /// The system gave no random bytes, or a stored hash cannot be read.
    #[error("accounts: {0}")]
    Internal(String),
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// What account functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What accounts go by.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// How hard passwords are hashed.
    pub passwords: PasswordSettings,
    /// How long a browser stays signed in at most.
    pub session_lifetime: Duration,
    /// How long it stays signed in without being used.
    pub session_idle: Duration,
    /// How long a printed link is good.
    pub link_lifetime: Duration,
    /// How often an account may be tried: generous to typing, useless for guessing.
    pub tries_per_account: Allowance,
    /// How often one network address may try: an office behind one address has more than one person.
    pub tries_per_address: Allowance,
}

impl Default for AccountSettings {
    fn default() -> Self {
        let window = Duration::from_secs(15 * 60);
        Self {
            passwords: PasswordSettings::default(),
            session_lifetime: Duration::from_secs(30 * 24 * 3600),
            session_idle: Duration::from_secs(7 * 24 * 3600),
            // A link is read from a terminal and opened at once, or sent to a colleague who is at lunch.
            link_lifetime: Duration::from_secs(24 * 3600),
            tries_per_account: Allowance { tries: 10, window },
            tries_per_address: Allowance { tries: 50, window },
        }
    }
}

/// The accounts of one database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    pool: Pool,
    passwords: Passwords,
    settings: AccountSettings,
}

impl Accounts {
    /// Accounts on a database.
    ///
    /// # Errors
    /// [`Error::Internal`] when the settings for hashing make no sense.
    pub fn new(pool: Pool, settings: AccountSettings) -> Result<Self> {
        Ok(Self {
            pool,
            passwords: Passwords::new(&settings.passwords)?,
            settings,
        })
    }
}

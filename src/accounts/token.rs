//! API tokens: `smt_` and 256 random bits, shown once.

use std::time::Duration;

use super::{Accounts, Caller, Email, Error, Result, Secret};
use crate::database::tokens::{self, Token};
use crate::database::users;
use crate::domain::ids::{TokenId, UserId};

/// By which people and secret scanners recognise a token of ours.
const PREFIX: &str = "smt_";
/// So many characters are kept readable, for its owner to tell one from another.
const SHOWN: usize = PREFIX.len() + 6;

/// A token just made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its id, for revoking it.
    pub id: TokenId,
    /// The token itself. It cannot be shown again.
    pub secret: Secret,
}

impl Accounts {
    /// Makes a token that speaks for a user; `lifetime` `None`: until it is revoked.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn make_token(&self, user: UserId, lifetime: Option<Duration>) -> Result<NewToken> {
        let (id, secret) = (TokenId::new(), Secret::generate(PREFIX)?);
        let prefix = &secret.expose()[..SHOWN];
        let row = tokens::NewToken {
            id,
            user,
            prefix,
            hash: &secret.hash(),
            lifetime,
        };
        tokens::insert(&mut *self.pool.acquire().await?, &row).await?;
        Ok(NewToken { id, secret })
    }

    /// As [`Accounts::make_token`], for the account with this address.
    ///
    /// # Errors
    /// [`Error::NotAnAddress`], [`Error::NoSuchAccount`], [`Error::Database`].
    pub async fn make_token_for(&self, email: &str, lifetime: Option<Duration>) -> Result<NewToken> {
        let email: Email = email.parse()?;
        let found = users::by_email(&mut *self.pool.acquire().await?, email.as_str()).await?;
        self.make_token(found.ok_or(Error::NoSuchAccount)?.id, lifetime).await
    }

    /// Whom a token speaks for; `None` when it is not good. It is looked up each time, so a revoked one ends at once,
    /// in every process.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn bearer(&self, token: &str) -> Result<Option<Caller>> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let mut connection = self.pool.acquire().await?;
        let Some(found) = tokens::bearer(&mut connection, &Secret::given(token).hash()).await? else {
            return Ok(None);
        };
        tokens::touch(&mut connection, found.token).await?;
        Ok(Some(Caller {
            user: found.user,
            role: found.role,
        }))
    }

    /// A user's tokens, the newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn tokens(&self, user: UserId) -> Result<Vec<Token>> {
        Ok(tokens::of(&mut *self.pool.acquire().await?, user).await?)
    }

    /// Ends a user's token; false when they have no such living one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn revoke_token(&self, user: UserId, id: TokenId) -> Result<bool> {
        Ok(tokens::revoke(&mut *self.pool.acquire().await?, user, id).await?)
    }
}

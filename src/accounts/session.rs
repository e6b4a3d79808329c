//! Sessions: a cookie with a random secret, and its hash in the database.

use std::time::Duration;

use subtle::ConstantTimeEq as _;

use super::{Accounts, Caller, Result, Secret};
use crate::database::{self, Connection};
use crate::domain::ids::UserId;

/// A session just made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The cookie's value.
    pub cookie: Secret,
    /// How long the browser may keep it.
    pub lifetime: Duration,
    /// Whose it is.
    pub user: UserId,
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who it is.
    pub caller: Caller,
    /// Their address.
    pub email: String,
    /// Their name, possibly empty.
    pub name: String,
    secret: Secret,
}

impl Session {
    /// What a form must carry besides the cookie. It follows from the cookie's secret, so it is no further state, and
    /// a page of another site cannot know it.
    #[must_use]
    pub fn csrf_token(&self) -> String {
        self.secret.derive("sheetmill csrf")
    }

    /// Whether a form carried it. Takes as long for a wrong one as for the right one.
    #[must_use]
    pub fn accepts(&self, csrf_token: &str) -> bool {
        self.csrf_token().as_bytes().ct_eq(csrf_token.as_bytes()).into()
    }
}

impl Accounts {
    /// The session that a cookie stands for; `None` when it is over or never was. Rights are those of this moment.
    ///
    /// # Errors
    /// [`super::Error::Database`].
    pub async fn session(&self, cookie: &str) -> Result<Option<Session>> {
        let secret = Secret::given(cookie);
        let mut connection = self.pool.acquire().await?;
        let found = database::sessions::find(&mut connection, &secret.hash(), self.settings.session_idle).await?;
        let Some(found) = found else { return Ok(None) };
        database::sessions::touch(&mut connection, &secret.hash()).await?;
        let caller = Caller {
            user: found.user,
            role: found.role,
        };
        Ok(Some(Session {
            caller,
            email: found.email,
            name: found.name,
            secret,
        }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`super::Error::Database`].
    pub async fn sign_out(&self, session: &Session) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        database::sessions::delete(&mut connection, &session.secret.hash()).await?;
        Ok(())
    }

    /// A fresh session; the one that the browser had before ends, so that nobody else can have put it there.
    pub(super) async fn open_session(
        &self,
        connection: &mut Connection,
        user: UserId,
        previous_cookie: Option<&str>,
    ) -> Result<NewSession> {
        if let Some(previous) = previous_cookie {
            database::sessions::delete(connection, &Secret::given(previous).hash()).await?;
        }
        let cookie = Secret::generate("")?;
        let lifetime = self.settings.session_lifetime;
        database::sessions::insert(connection, &cookie.hash(), user, lifetime).await?;
        Ok(NewSession { cookie, lifetime, user })
    }
}

//! Links that are good once: for the first account, and for people who were added.

use secrecy::SecretString;

use super::{Accounts, Email, Error, NewSession, Result, Secret};
use crate::database::users::NewUser;
use crate::database::{self, links, sessions, users};
use crate::domain::ids::UserId;
use crate::domain::states::Role;

/// What a link invites to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invitation {
    /// To create the first account, an admin's.
    FirstAccount,
    /// To choose a password for this account.
    Account {
        /// Its address.
        email: String,
    },
}

/// What a person fills in behind a link.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Their address; only looked at for the first account.
    pub email: &'a str,
    /// Their name; may be empty.
    pub name: &'a str,
    /// The password they chose.
    pub password: &'a SecretString,
    /// The session cookie that the browser sent along; its session ends.
    pub previous_cookie: Option<&'a str>,
}

impl Accounts {
    /// A link for creating the first account, while there is none; older ones end. `None` once there is an account.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn first_start_link(&self) -> Result<Option<Secret>> {
        let mut tx = self.pool.begin().await?;
        if users::any(&mut tx).await? {
            return Ok(None);
        }
        let secret = Secret::generate("")?;
        links::forget_unused(&mut tx, None).await?;
        links::insert(&mut tx, &secret.hash(), None, self.settings.link_lifetime).await?;
        tx.commit().await?;
        Ok(Some(secret))
    }

    /// Adds an account without a password, or finds the one there is; answers a link with which its owner chooses one.
    ///
    /// # Errors
    /// [`Error::NotAnAddress`], [`Error::Database`].
    pub async fn invite(&self, email: &str, role: Role) -> Result<Secret> {
        let email: Email = email.parse()?;
        let mut tx = self.pool.begin().await?;
        let id = match users::by_email(&mut tx, email.as_str()).await? {
            Some(user) => user.id,
            None => {
                let id = UserId::new();
                let user = NewUser {
                    id,
                    email: email.as_str(),
                    name: "",
                    role,
                    password_hash: None,
                };
                users::insert(&mut tx, &user).await.map_err(taken)?;
                id
            }
        };
        let secret = Secret::generate("")?;
        links::forget_unused(&mut tx, Some(id)).await?;
        links::insert(&mut tx, &secret.hash(), Some(id), self.settings.link_lifetime).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// What a link invites to. Looking at it does not use it up: browsers and mail programs look ahead.
    ///
    /// # Errors
    /// [`Error::LinkSpent`], [`Error::Database`].
    pub async fn invitation(&self, link: &str) -> Result<Invitation> {
        let mut connection = self.pool.acquire().await?;
        let found = links::find(&mut connection, &Secret::given(link).hash())
            .await?
            .ok_or(Error::LinkSpent)?;
        match found.email {
            Some(email) => Ok(Invitation::Account { email }),
            None if users::any(&mut connection).await? => Err(Error::LinkSpent),
            None => Ok(Invitation::FirstAccount),
        }
    }

    /// Follows a link: makes the first account or sets the account's password, and signs in.
    ///
    /// # Errors
    /// [`Error::LinkSpent`], [`Error::NotAnAddress`], [`Error::PasswordTooShort`], [`Error::PasswordTooLong`],
    /// [`Error::Database`]. The link stays good when what was filled in is refused.
    pub async fn accept(&self, link: &str, account: &NewAccount<'_>) -> Result<NewSession> {
        let link = Secret::given(link).hash();
        let found = links::find(&mut *self.pool.acquire().await?, &link)
            .await?
            .ok_or(Error::LinkSpent)?;
        let name = plain_name(account.name);
        let email = if found.user.is_none() {
            Some(account.email.parse::<Email>()?)
        } else {
            None
        };
        let password_hash = self.passwords.hash(account.password).await?;

        let mut tx = self.pool.begin().await?;
        if !links::use_up(&mut tx, &link).await? {
            return Err(Error::LinkSpent);
        }
        let user = match (found.user, &email) {
            (Some(user), _) => {
                users::set_password_hash(&mut tx, user, &password_hash).await?;
                if !name.is_empty() {
                    users::set_name(&mut tx, user, &name).await?;
                }
                // Whoever was signed in with the old password is not any more.
                sessions::delete_of(&mut tx, user).await?;
                user
            }
            (None, Some(email)) if !users::any(&mut tx).await? => {
                let (id, role, password_hash) = (UserId::new(), Role::Admin, Some(password_hash.as_str()));
                let user = NewUser {
                    id,
                    email: email.as_str(),
                    name: &name,
                    role,
                    password_hash,
                };
                users::insert(&mut tx, &user).await.map_err(taken)?;
                id
            }
            (None, _) => return Err(Error::LinkSpent),
        };
        let session = self.open_session(&mut tx, user, account.previous_cookie).await?;
        tx.commit().await?;
        Ok(session)
    }
}

fn taken(error: database::Error) -> Error {
    match error {
        database::Error::Constraint { constraint } if constraint == "users_email_unique" => Error::AddressTaken,
        database::Error::Constraint { constraint } if constraint == "users_email" => Error::NotAnAddress,
        other => other.into(),
    }
}

/// A name as typed, without what does not print, of a length that fits on a page.
fn plain_name(text: &str) -> String {
    let text: String = text.chars().filter(|it| !it.is_control()).take(100).collect();
    text.trim().to_owned()
}

//! Signing in: throttled, and equally slow and silent for wrong passwords and for accounts that do not exist.

use std::net::IpAddr;

use secrecy::SecretString;

use super::password::Verdict;
use super::{Accounts, Email, Error, NewSession, Result};
use crate::database::{sign_in_tries, users};

/// A try to sign in.
#[derive(Clone, Debug)]
pub struct SignIn<'a> {
    /// As typed.
    pub email: &'a str,
    /// As typed.
    pub password: &'a SecretString,
    /// Where the request comes from.
    pub address: IpAddr,
    /// The session cookie that the browser sent along; its session ends.
    pub previous_cookie: Option<&'a str>,
}

impl Accounts {
    /// Opens a session for whoever knows the password.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], the same for all reasons; [`Error::TryLater`]; [`Error::Database`].
    pub async fn sign_in(&self, attempt: &SignIn<'_>) -> Result<NewSession> {
        // What is no address has no account; it is treated like one that has none.
        let email = attempt.email.parse::<Email>().ok();
        let account = format!("email:{}", email.as_ref().map_or("", Email::as_str));
        self.count_try(&account, &format!("address:{}", network_of(attempt.address)))
            .await?;

        let found = match &email {
            Some(email) => users::credentials(&mut *self.pool.acquire().await?, email.as_str()).await?,
            None => None,
        };
        let stored = found.as_ref().and_then(|it| it.password_hash.clone());
        // No connection is held meanwhile: this takes a while, and many may wait for it.
        let verdict = self.passwords.verify(attempt.password, stored).await?;
        let (Some(found), true) = (found, verdict != Verdict::Wrong) else {
            return Err(Error::WrongCredentials);
        };

        let mut tx = self.pool.begin().await?;
        if let Verdict::RightAndRehashed(hash) = verdict {
            users::set_password_hash(&mut tx, found.id, &hash).await?;
        }
        sign_in_tries::forget(&mut tx, &account).await?;
        let session = self.open_session(&mut tx, found.id, attempt.previous_cookie).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Counts before the password is looked at, so that a thousand tries at once are counted as a thousand.
    async fn count_try(&self, account: &str, address: &str) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let subjects = [
            (account, self.settings.tries_per_account),
            (address, self.settings.tries_per_address),
        ];
        for (subject, allowance) in subjects {
            sign_in_tries::lock(&mut tx, subject).await?;
            if let Some(after) = sign_in_tries::wait_needed(&mut tx, subject, allowance).await? {
                return Err(Error::TryLater { after });
            }
        }
        for (subject, _) in subjects {
            sign_in_tries::count(&mut tx, subject).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// An IPv4 address, or the /64 that one IPv6 customer has all addresses of.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customers_addresses_count_together() {
        let network = |text: &str| network_of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }
}

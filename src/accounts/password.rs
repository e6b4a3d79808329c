//! Passwords: argon2id, at or above the minimum that OWASP's Password Storage Cheat Sheet names (19 MiB, 2 passes).

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::oneshot;

use super::{Error, Result};

/// How hard passwords are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSettings {
    /// Memory for one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Hashes at once: each takes its memory and a core, and the rest of the program wants some too.
    pub at_once: usize,
}

impl PasswordSettings {
    /// NIST SP 800-63B wants 8 at least; length is what helps.
    pub const SHORTEST: usize = 10;
    /// Bytes. Longer ones would only cost time.
    pub const LONGEST: usize = 256;
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            at_once: 2,
        }
    }
}

/// Hashes and checks passwords, away from the threads that answer requests.
#[derive(Clone, Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Checked against when there is no account, so that the answer takes as long.
    nobody: Arc<str>,
    work: Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, but hashed with less than today's settings: this is the new hash.
    RightAndRehashed(String),
}

impl Passwords {
    pub(super) fn new(settings: &PasswordSettings) -> Result<Self> {
        let params = Params::new(settings.memory_kib, settings.passes, 1, None).map_err(|error| internal(&error))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon2, b"the password of nobody", &mut Vec::new())?.into();
        Ok(Self {
            argon2,
            nobody,
            work: threads(settings.at_once)?,
        })
    }

    /// The PHC string for a new password.
    pub(super) async fn hash(&self, password: &SecretString) -> Result<String> {
        let text = password.expose_secret();
        if text.chars().count() < PasswordSettings::SHORTEST {
            return Err(Error::PasswordTooShort);
        }
        if text.len() > PasswordSettings::LONGEST {
            return Err(Error::PasswordTooLong);
        }
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.blocking(move |memory| hash(&argon2, password.expose_secret().as_bytes(), memory))
            .await
    }

    /// Checks a password against an account's hash; `None` takes as long and is always wrong.
    pub(super) async fn verify(&self, password: &SecretString, stored: Option<String>) -> Result<Verdict> {
        // Nobody has one this long, and hashing it would be work for nothing; that says nothing about any account.
        if password.expose_secret().len() > PasswordSettings::LONGEST {
            return Ok(Verdict::Wrong);
        }
        let (argon2, password, nobody) = (self.argon2.clone(), password.clone(), Arc::clone(&self.nobody));
        self.blocking(move |memory| {
            let known = stored.is_some();
            let stored = PasswordHash::new(stored.as_deref().unwrap_or(&nobody)).map_err(|error| internal(&error))?;
            let password = password.expose_secret().as_bytes();
            match matches(&stored, password, memory)? {
                true if !known => Ok(Verdict::Wrong),
                true if is_weaker(&stored, argon2.params()) => {
                    Ok(Verdict::RightAndRehashed(hash(&argon2, password, memory)?))
                }
                true => Ok(Verdict::Right),
                false => Ok(Verdict::Wrong),
            }
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, told) = oneshot::channel();
        let job = move |memory: &mut Vec<Block>| {
            // Whoever has gone away needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(work(memory));
            }
        };
        self.work
            .send(Box::new(job))
            .map_err(|_gone| Error::Internal("no thread hashes passwords".to_owned()))?;
        told.await.map_err(|error| Error::Internal(error.to_string()))?
    }
}

/// Starts the threads that hash; they end with the last sender. Each keeps the memory of its hashes: given back and taken
/// anew, such large aligned blocks leave holes that the allocator does not fill (45 sign-ins made 360 MB of them).
fn threads(count: usize) -> Result<Sender<Job>> {
    let (work, jobs) = channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..count {
        let jobs = Arc::clone(&jobs);
        let next = move || jobs.lock().ok()?.recv().ok();
        std::thread::Builder::new()
            .name("passwords".to_owned())
            .spawn(move || {
                let mut memory = Vec::new();
                while let Some(job) = next() {
                    job(&mut memory);
                }
            })
            .map_err(|error| Error::Internal(error.to_string()))?;
    }
    Ok(work)
}

fn hash(argon2: &Argon2<'_>, password: &[u8], memory: &mut Vec<Block>) -> Result<String> {
    let salt = Salt::generate();
    let made = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).map_err(|error| internal(&error))?,
        salt: Some(salt),
        hash: Some(output(argon2, password, &salt, memory)?),
    };
    Ok(made.to_string())
}

/// Whether the password is the stored one; hashed with what the stored one was hashed with.
fn matches(stored: &PasswordHash, password: &[u8], memory: &mut Vec<Block>) -> Result<bool> {
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(Error::Internal(
            "password: a stored hash without salt or output".to_owned(),
        ));
    };
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(|error| internal(&error))?;
    let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from);
    let params = Params::try_from(stored).map_err(|error| internal(&error))?;
    let argon2 = Argon2::new(algorithm, version.map_err(|error| internal(&error))?, params);
    // `Output` compares in constant time.
    Ok(output(&argon2, password, salt, memory)? == *expected)
}

fn output(argon2: &Argon2<'_>, password: &[u8], salt: &Salt, memory: &mut Vec<Block>) -> Result<Output> {
    let params = argon2.params();
    let mut buffer = [0; Output::MAX_LENGTH];
    let out = &mut buffer[..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    memory.resize(params.block_count(), Block::default());
    argon2
        .hash_password_into_with_memory(password, salt, out, memory.as_mut_slice())
        .map_err(|error| internal(&error))?;
    Output::new(out).map_err(|error| internal(&error))
}

fn is_weaker(stored: &PasswordHash, wanted: &Params) -> bool {
    Params::try_from(stored).map_or(true, |found| {
        found.m_cost() < wanted.m_cost() || found.t_cost() < wanted.t_cost()
    })
}

fn internal(error: &impl std::fmt::Display) -> Error {
    Error::Internal(format!("password: {error}"))
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    fn quick(passes: u32) -> Passwords {
        Passwords::new(&PasswordSettings {
            memory_kib: 64,
            passes,
            at_once: 1,
        })
        .expect("sensible settings")
    }

    #[test]
    fn the_defaults_are_at_or_above_the_minimum() {
        let defaults = PasswordSettings::default();
        assert!(defaults.memory_kib >= 19_456 && defaults.passes >= 2);
        let argon2 = Passwords::new(&defaults).expect("sensible settings").argon2;
        let made = hash(&argon2, b"correct horse", &mut Vec::new()).expect("a hash");
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        Argon2::default()
            .verify_password(b"correct horse", made.as_str())
            .expect("the library's own check agrees");
    }

    #[tokio::test]
    async fn a_password_is_right_wrong_or_nobodys() {
        let passwords = quick(2);
        let stored = passwords.hash(&"correct horse".into()).await.expect("a hash");
        let right = passwords
            .verify(&"correct horse".into(), Some(stored.clone()))
            .await
            .expect("a verdict");
        assert_eq!(right, Verdict::Right);
        let wrong = passwords
            .verify(&"wrong horse".into(), Some(stored))
            .await
            .expect("a verdict");
        assert_eq!(wrong, Verdict::Wrong);
        let nobody = passwords
            .verify(&"the password of nobody".into(), None)
            .await
            .expect("a verdict");
        assert_eq!(nobody, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_weaker_hash_is_replaced_when_its_owner_signs_in() {
        let stored = quick(1).hash(&"correct horse".into()).await.expect("a hash");
        let verdict = quick(3)
            .verify(&"correct horse".into(), Some(stored))
            .await
            .expect("a verdict");
        assert!(
            matches!(&verdict, Verdict::RightAndRehashed(hash) if hash.contains("t=3")),
            "{verdict:?}"
        );
    }

    #[tokio::test]
    async fn too_short_and_too_long_are_refused() {
        let passwords = quick(1);
        assert!(matches!(
            passwords.hash(&"123456789".into()).await,
            Err(Error::PasswordTooShort)
        ));
        assert!(matches!(
            passwords.hash(&"x".repeat(257).into()).await,
            Err(Error::PasswordTooLong)
        ));
    }
}

//! Random secrets: 256 bits, shown once, kept as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::{Error, Result};

/// A secret as its holder keeps it.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// A fresh one: `prefix` and 43 characters that are safe in addresses and cookies.
    pub(super) fn generate(prefix: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// One that came back from its holder.
    pub(super) fn given(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, to be printed or sent to its holder and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What the database keeps. Random bits need no slow hash.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.expose()).into()
    }

    /// Another secret that follows from this one, and from which this one does not follow.
    pub(super) fn derive(&self, purpose: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(purpose);
        digest.update([0]);
        digest.update(self.expose());
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_equal_and_debug_shows_nothing() {
        let (one, other) = (
            Secret::generate("smt_").expect("random bytes"),
            Secret::generate("smt_").expect("random bytes"),
        );
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), "smt_".len() + 43);
        assert!(!format!("{one:?}").contains(one.expose()));
    }

    #[test]
    fn derived_secrets_depend_on_purpose_and_origin() {
        let (one, other) = (Secret::given("one"), Secret::given("other"));
        assert_eq!(one.derive("csrf"), Secret::given("one").derive("csrf"));
        assert_ne!(one.derive("csrf"), other.derive("csrf"));
        assert_ne!(one.derive("csrf"), one.derive("else"));
    }
}

//! E-mail addresses: the names of accounts.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// An e-mail address in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = Error;

    /// Whether mail arrives there is the only real test; this one catches what cannot be an address. At most 254 bytes,
    /// as RFC 5321 section 4.5.3.1.3 allows.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_lowercase();
        let plain = text.len() <= 254 && !text.chars().any(|it| it.is_whitespace() || it.is_control());
        match text.split_once('@') {
            Some((name, host)) if plain && !name.is_empty() && !host.is_empty() && !host.contains('@') => {
                Ok(Self(text))
            }
            _ => Err(Error::NotAnAddress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_lowered() {
        let email: Email = " Ada@Example.ORG ".parse().expect("an address");
        assert_eq!(email.as_str(), "ada@example.org");
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(250));
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "a@b@c",
            "a\u{7}@example.org",
            &long,
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
    }
}

//! The environment: variables and how their values are read.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use super::{Error, FOREIGN, VARIABLES};
use crate::domain::units;

/// The variables that are set.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Just these.
    #[must_use]
    pub fn of(values: &[(&str, &str)]) -> Self {
        Self(
            values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// Variables that look like ours but are not: most likely misspelt.
    #[must_use]
    pub fn unknown(&self) -> Vec<&str> {
        let known = |name: &str| {
            let name = name.strip_suffix("_FILE").unwrap_or(name);
            FOREIGN.contains(&name) || VARIABLES.iter().any(|it| it.name == name)
        };
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("SHEETMILL_") && !known(name))
            .collect()
    }

    /// Set and not empty: compose files set variables to nothing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn text(&self, name: &str, into: &mut String) {
        if let Some(value) = self.get(name) {
            value.clone_into(into);
        }
    }

    pub(super) fn parse<T: FromStr>(&self, name: &str, into: &mut T, form: &str) -> Result<(), Error> {
        if let Some(value) = self.get(name) {
            *into = value.parse().ok().ok_or_else(|| unreadable(name, value, form))?;
        }
        Ok(())
    }

    pub(super) fn optional<T: FromStr>(&self, name: &str, into: &mut Option<T>, form: &str) -> Result<(), Error> {
        if let Some(value) = self.get(name) {
            *into = Some(value.parse().ok().ok_or_else(|| unreadable(name, value, form))?);
        }
        Ok(())
    }

    pub(super) fn bytes(&self, name: &str, into: &mut u64) -> Result<(), Error> {
        if let Some(value) = self.get(name) {
            *into = units::bytes(value).map_err(|reason| invalid(name, reason))?;
        }
        Ok(())
    }

    pub(super) fn span(&self, name: &str, into: &mut Duration) -> Result<(), Error> {
        if let Some(value) = self.get(name) {
            *into = units::span(value).map_err(|reason| invalid(name, reason))?;
        }
        Ok(())
    }

    /// How long something is kept; nothing is for ever.
    pub(super) fn kept(&self, name: &str, into: &mut Option<Duration>) -> Result<(), Error> {
        let mut span = into.unwrap_or_default();
        self.span(name, &mut span)?;
        *into = Some(span).filter(|it| !it.is_zero());
        Ok(())
    }

    pub(super) fn choice<T: Copy>(&self, name: &str, into: &mut T, words: &[(&str, T)]) -> Result<(), Error> {
        if let Some(value) = self.get(name) {
            let found = words.iter().find(|(word, _)| *word == value);
            let all = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            *into = found
                .ok_or_else(|| invalid(name, format!("{value:?} is not one of {}", all())))?
                .1;
        }
        Ok(())
    }

    pub(super) fn secret(&self, name: &str) -> Result<Option<SecretString>, Error> {
        if let Some(value) = self.get(name) {
            return Ok(Some(value.to_owned().into()));
        }
        let Some(path) = self.get(&format!("{name}_FILE")) else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| invalid(&format!("{name}_FILE"), format!("{path} cannot be read: {error}")))?;
        Ok(Some(text.trim().to_owned().into()))
    }
}

fn unreadable(name: &str, value: &str, form: &str) -> Error {
    invalid(name, format!("{value:?} cannot be read: {form}"))
}

pub(super) fn invalid(name: &str, reason: String) -> Error {
    Error::Invalid {
        name: name.to_owned(),
        reason,
    }
}

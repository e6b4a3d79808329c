//! Gives each expected column at most one header and each header at most one expected column, the surest pairs first.
//!
//! What is found does not depend on the order of headers or of expected columns: pairs of the same sureness are looked at
//! together, and where one of them could have either of two, neither is guessed.

use std::collections::BTreeMap;

use super::How;

/// How far the assignment has come.
#[derive(Debug)]
pub(super) struct Assignment {
    /// For each expected column what became of it.
    pub(super) expected: Vec<State>,
    /// Whether each header may still be taken.
    free: Vec<bool>,
}

/// What became of an expected column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing yet.
    #[default]
    Open,
    /// It has a header, found so, and so alike in thousandths.
    Found(usize, How, u16),
    /// These headers fit equally well, or fit another column as well.
    Tied(Vec<usize>),
    /// It was said that it is not there.
    Absent,
}

impl Assignment {
    pub(super) fn new(expected: usize, headers: usize) -> Self {
        Self {
            expected: vec![State::Open; expected],
            free: vec![true; headers],
        }
    }

    pub(super) fn is_open(&self, expected: usize) -> bool {
        self.expected[expected] == State::Open
    }

    pub(super) fn is_free(&self, header: usize) -> bool {
        self.free[header]
    }

    /// The expected columns that have nothing yet.
    pub(super) fn open(&self) -> Vec<usize> {
        (0..self.expected.len()).filter(|it| self.is_open(*it)).collect()
    }

    /// The headers that nobody has.
    pub(super) fn free(&self) -> Vec<usize> {
        (0..self.free.len()).filter(|it| self.is_free(*it)).collect()
    }

    /// Takes a pair whatever else there is.
    pub(super) fn take(&mut self, (expected, header): (usize, usize), how: How, alike: u16) {
        self.expected[expected] = State::Found(header, how, alike);
        self.free[header] = false;
    }

    /// Takes pairs of expected column and header that are equally sure, as far as nothing speaks for another pair among them.
    pub(super) fn round(&mut self, pairs: impl IntoIterator<Item = (usize, usize)>, how: How, alike: u16) {
        let may_be = |(expected, header): &(usize, usize)| self.is_open(*expected) && self.is_free(*header);
        let mut pairs: Vec<(usize, usize)> = pairs.into_iter().filter(may_be).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let (mut of_expected, mut of_header) = (BTreeMap::<usize, usize>::new(), BTreeMap::<usize, usize>::new());
        for (expected, header) in &pairs {
            *of_expected.entry(*expected).or_default() += 1;
            *of_header.entry(*header).or_default() += 1;
        }
        for (expected, header) in pairs {
            if of_expected.get(&expected) == Some(&1) && of_header.get(&header) == Some(&1) {
                self.take((expected, header), how, alike);
                continue;
            }
            self.free[header] = false;
            match &mut self.expected[expected] {
                State::Tied(headers) => headers.push(header),
                other => *other = State::Tied(vec![header]),
            }
        }
    }
}

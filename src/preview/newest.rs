//! Of what one open page asks, only the newest is answered: who types asks again before the last answer is there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::domain::ids::UserId;

/// An open page of somebody, by a word of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asker(pub UserId, pub String);

/// What is being answered, by who asks.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<Asking>);

#[derive(Debug, Default)]
struct Asking {
    latest: HashMap<Asker, (u64, CancellationToken)>,
    asked: u64,
}

/// A question that is being answered.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    newest: &'a Newest,
    asker: Option<Asker>,
    number: u64,
    /// Cancelled when the same page asks again.
    pub(super) over: CancellationToken,
}

impl Newest {
    /// Begins to answer; what the same asker asked before is over.
    pub(super) fn begin(&self, asker: Option<Asker>) -> Turn<'_> {
        let over = CancellationToken::new();
        let mut asking = self.asking();
        asking.asked += 1;
        let number = asking.asked;
        if let Some(asker) = &asker
            && let Some((_, earlier)) = asking.latest.insert(asker.clone(), (number, over.clone()))
        {
            earlier.cancel();
        }
        Turn {
            newest: self,
            asker,
            number,
            over,
        }
    }

    fn asking(&self) -> MutexGuard<'_, Asking> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut asking = self.newest.asking();
        if let Some(asker) = &self.asker
            && asking
                .latest
                .get(asker)
                .is_some_and(|(number, _)| *number == self.number)
        {
            asking.latest.remove(asker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_ends_when_the_same_page_asks_again_and_leaves_nothing_behind() {
        let (kim, newest) = (UserId::new(), Newest::default());
        let page = |name: &str| Some(Asker(kim, name.to_owned()));
        let (first, elsewhere) = (newest.begin(page("a")), newest.begin(page("b")));
        let nobody = newest.begin(None);
        let second = newest.begin(page("a"));
        assert!(first.over.is_cancelled());
        drop(first);
        let third = newest.begin(page("a"));
        assert!(
            second.over.is_cancelled(),
            "an earlier one that ended took nothing away"
        );
        assert!(!elsewhere.over.is_cancelled() && !nobody.over.is_cancelled() && !third.over.is_cancelled());
        drop((second, third, elsewhere, nobody));
        assert!(newest.asking().latest.is_empty());
    }
}

//! Which step of the one recipe is which of the other: the same, moved, changed, or of one of them only.

use super::Change;
use super::align::{Pair, aligned};
use super::edits::{self, Options};
use crate::recipe::steps::Step;

/// What changed, in the order of the new recipe; what is gone stands where it was.
pub(super) fn between(old: &[Step], new: &[Step]) -> Vec<Change> {
    let does = |steps: &[Step]| {
        steps
            .iter()
            .map(|it| (it.name(), edits::options(it)))
            .collect::<Vec<Does>>()
    };
    let (old_does, new_does) = (does(old), does(new));
    let pairs = aligned(&old_does, &new_does);
    let mut matched = Matched::of(&old_does, &new_does, &pairs);
    matched.moved();
    matched.changed_in_place();
    matched.changed_elsewhere();
    let mut changes = Vec::new();
    for pair in pairs {
        match pair {
            Pair::Both(..) => {}
            Pair::Old(from) if matched.is_left(from) => changes.push(Change::Removed {
                from: from + 1,
                label: old[from].label(),
            }),
            Pair::Old(_) => {}
            Pair::New(to) => changes.push(matched.told(to, &new[to])),
        }
    }
    changes
}

/// What a step does: its word and its options.
type Does = (&'static str, Options);

/// Steps that stand in one of the recipes only, so far.
struct Matched<'a> {
    old: &'a [Does],
    new: &'a [Does],
    /// Positions before, each with the number of the gap between unchanged steps that it is in.
    left: Vec<(usize, usize)>,
    /// The same, after.
    fresh: Vec<(usize, usize)>,
    /// Which step before a step after is, and whether it stands at another place.
    found: Vec<Option<(usize, bool)>>,
}

impl<'a> Matched<'a> {
    fn of(old: &'a [Does], new: &'a [Does], pairs: &[Pair]) -> Self {
        let (mut left, mut fresh, mut gap) = (Vec::new(), Vec::new(), 0);
        for pair in pairs {
            match pair {
                Pair::Both(..) => gap += 1,
                Pair::Old(at) => left.push((*at, gap)),
                Pair::New(at) => fresh.push((*at, gap)),
            }
        }
        Self {
            old,
            new,
            left,
            fresh,
            found: vec![None; new.len()],
        }
    }

    /// The same step at another place.
    fn moved(&mut self) {
        self.pair(|old, new, _| old == new);
    }

    /// A step of the same kind between the same unchanged steps: those that have something in common first.
    fn changed_in_place(&mut self) {
        self.pair(|old, new, same_gap| same_gap && old.0 == new.0 && edits::likeness(&old.1, &new.1).0 > 0);
        self.pair(|old, new, same_gap| same_gap && old.0 == new.0);
    }

    /// A step of the same kind at another place, as long as half of it is the same.
    fn changed_elsewhere(&mut self) {
        self.pair(|old, new, _| {
            let (same, all) = edits::likeness(&old.1, &new.1);
            old.0 == new.0 && same * 2 >= all && same > 0
        });
    }

    /// Pairs what is left, in order, by a rule that is told whether both stand between the same unchanged steps.
    fn pair(&mut self, is_same: impl Fn(&Does, &Does, bool) -> bool) {
        let (old, new) = (self.old, self.new);
        let (left, found) = (&mut self.left, &mut self.found);
        self.fresh.retain(|(to, gap)| {
            let fits = |(from, its): &(usize, usize)| is_same(&old[*from], &new[*to], its == gap);
            let Some(place) = left.iter().position(fits) else {
                return true;
            };
            let (from, its) = left.remove(place);
            found[*to] = Some((from, its != *gap));
            false
        });
    }

    /// Whether a step before is none of those after.
    fn is_left(&self, from: usize) -> bool {
        self.left.iter().any(|(it, _)| *it == from)
    }

    fn told(&self, to: usize, step: &Step) -> Change {
        let label = step.label();
        let Some((from, moved)) = self.found[to] else {
            return Change::Added { to: to + 1, label };
        };
        let options = edits::of_options(&step.definition(), &self.old[from].1, &self.new[to].1);
        let (from, to) = (from + 1, to + 1);
        if options.is_empty() {
            return Change::Moved { from, to, label };
        }
        Change::Changed {
            from,
            to,
            moved,
            label,
            options,
        }
    }
}

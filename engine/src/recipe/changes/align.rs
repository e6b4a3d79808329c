//! Two sequences beside one another: what stands in both, in the same order, and what stands in one of them.

use std::collections::HashMap;
use std::hash::Hash;

/// A place in one or in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    /// The same, at these positions.
    Both(usize, usize),
    /// Only in the old one.
    Old(usize),
    /// Only in the new one.
    New(usize),
}

/// Pairs of positions that are compared at most, in time and in fours of bytes.
const MOST: usize = 1 << 22;

/// Puts two sequences beside one another so that as much as possible stands in both; what is gone comes before what is new.
/// Takes the product of their lengths without what they have in common at both ends; where that is more than [`MOST`], all
/// between the ends is gone and new.
pub(super) fn aligned<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Pair> {
    // Numbers are compared faster than what they stand for.
    let mut known: HashMap<&T, usize> = HashMap::new();
    let mut numbers = Vec::with_capacity(old.len() + new.len());
    for item in old.iter().chain(new) {
        let next = known.len();
        numbers.push(*known.entry(item).or_insert(next));
    }
    let (old, new) = numbers.split_at(old.len());
    let shorter = old.len().min(new.len());
    let head = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let tail = old.iter().rev().zip(new.iter().rev());
    let tail = tail.take_while(|(one, other)| one == other).count().min(shorter - head);
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let mut pairs: Vec<Pair> = (0..head).map(|at| Pair::Both(at, at)).collect();
    middle(&old[head..old_end], &new[head..new_end], head, &mut pairs);
    pairs.extend((0..tail).map(|at| Pair::Both(old_end + at, new_end + at)));
    pairs
}

/// The longest common subsequence of what is between the ends.
fn middle(old: &[usize], new: &[usize], offset: usize, pairs: &mut Vec<Pair>) {
    if old.len().saturating_mul(new.len()) > MOST {
        pairs.extend((0..old.len()).map(|at| Pair::Old(offset + at)));
        pairs.extend((0..new.len()).map(|at| Pair::New(offset + at)));
        return;
    }
    let width = new.len() + 1;
    // The length of the longest common subsequence from each pair of positions on.
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for one in (0..old.len()).rev() {
        for other in (0..new.len()).rev() {
            let (right, below) = (longest[one * width + other + 1], longest[(one + 1) * width + other]);
            longest[one * width + other] = if old[one] == new[other] {
                longest[(one + 1) * width + other + 1] + 1
            } else {
                right.max(below)
            };
        }
    }
    let (mut one, mut other) = (0, 0);
    while one < old.len() || other < new.len() {
        if one < old.len() && other < new.len() && old[one] == new[other] {
            pairs.push(Pair::Both(offset + one, offset + other));
            (one, other) = (one + 1, other + 1);
        } else if other == new.len()
            || (one < old.len() && longest[(one + 1) * width + other] >= longest[one * width + other + 1])
        {
            pairs.push(Pair::Old(offset + one));
            one += 1;
        } else {
            pairs.push(Pair::New(offset + other));
            other += 1;
        }
    }
}

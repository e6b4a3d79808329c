//! How many different values, and the most frequent ones.
//!
//! The first values are counted exactly; from then on only those that are known already, while new ones go into a
//! HyperLogLog sketch (Flajolet et al., 2007; 4,096 registers, a standard error of 1.6 %). So the counts that are shown are
//! always exact, and a value that first comes late is not among them. Hashes have no random seed: equal rows give equal
//! profiles.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::sheets::CellKind;
use crate::sheets::view::CellView;

const REGISTERS: usize = 4096;
const REGISTER_BITS: u32 = 12;

/// Keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| fold(hash ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Clone, Debug)]
struct Known {
    kind: CellKind,
    number: f64,
    text: Box<str>,
    format: u16,
}

/// A map by keys that are hashes already.
pub(super) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<AsIs>>;

#[derive(Debug)]
pub(super) struct Distinct {
    room: usize,
    /// Positions in the two lists, by hash: the map stays small, since every cell looks into it.
    places: ByHash<u32>,
    counts: Vec<u64>,
    known: Vec<Known>,
    sketch: Option<Vec<u8>>,
}

impl Distinct {
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            places: HashMap::default(),
            counts: Vec::new(),
            known: Vec::new(),
            sketch: None,
        }
    }

    /// Counts a value; its place among those that are counted exactly, and how often it has been seen.
    #[inline]
    pub(super) fn see(&mut self, hash: u64, cell: &CellView<'_>, format: u16) -> Option<(usize, u64)> {
        if let Some(place) = self.places.get(&hash) {
            let place = *place as usize;
            let count = self.counts.get_mut(place)?;
            *count += 1;
            return Some((place, *count));
        }
        self.see_new(hash, cell, format)
    }

    fn see_new(&mut self, hash: u64, cell: &CellView<'_>, format: u16) -> Option<(usize, u64)> {
        let place = self.known.len();
        if place < self.room {
            // What is shown is cut, and nothing else is done with the text.
            let text = cell.text.chars().take(super::SHOWN_CHARS + 1).collect::<String>();
            self.places.insert(hash, u32::try_from(place).unwrap_or(u32::MAX));
            self.counts.push(1);
            self.known.push(Known {
                kind: cell.kind,
                number: cell.number,
                text: text.into(),
                format,
            });
            return Some((place, 1));
        }
        let places = &self.places;
        let sketch = self.sketch.get_or_insert_with(|| {
            let mut sketch = vec![0; REGISTERS];
            places.keys().for_each(|hash| note(&mut sketch, *hash));
            sketch
        });
        note(sketch, hash);
        None
    }

    /// The texts that are counted exactly, whole up to 200 characters, and how often each was seen.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, u64)> {
        let all = self.known.iter().zip(&self.counts);
        let texts = all.filter(|(known, _)| known.kind == CellKind::Text);
        texts.map(|(known, count)| (&*known.text, *count))
    }

    /// The number of different values, and whether it was counted rather than estimated.
    pub(super) fn count(&self) -> (u64, bool) {
        match &self.sketch {
            None => (self.known.len() as u64, true),
            Some(sketch) => (estimate(sketch).max(self.known.len() as u64 + 1), false),
        }
    }

    /// The most frequent values as shown; none where no value repeats and there are too many to list.
    pub(super) fn top(&self, most: usize, show: impl Fn(&CellView<'_>) -> String) -> Vec<(String, u64)> {
        let few = self.sketch.is_none() && self.known.len() <= most;
        let mut found: Vec<(u64, String)> = Vec::new();
        let mut counts = self.counts.clone();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let least = counts
            .get(most.saturating_sub(1))
            .or(counts.last())
            .copied()
            .unwrap_or(0);
        let all = self.known.iter().zip(&self.counts);
        for (known, count) in all.filter(|(_, count)| **count >= least && (few || **count > 1)) {
            let view = CellView {
                kind: known.kind,
                number: known.number,
                text: &known.text,
                format: Some(known.format),
            };
            found.push((*count, show(&view)));
        }
        found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        found.truncate(most);
        found.into_iter().map(|(count, shown)| (shown, count)).collect()
    }
}

fn note(sketch: &mut [u8], hash: u64) {
    let register = (hash >> (64 - REGISTER_BITS)) as usize;
    let rank = ((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))).leading_zeros() + 1;
    if let Some(held) = sketch.get_mut(register) {
        *held = (*held).max(u8::try_from(rank).unwrap_or(u8::MAX));
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate"
)]
fn estimate(sketch: &[u8]) -> u64 {
    let m = REGISTERS as f64;
    let sum: f64 = sketch.iter().map(|rank| 2_f64.powi(-i32::from(*rank))).sum();
    let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    let empty = sketch.iter().filter(|rank| **rank == 0).count();
    if raw <= 2.5 * m && empty > 0 {
        (m * (m / empty as f64).ln()).round() as u64
    } else {
        raw.round() as u64
    }
}

/// A hash of a number among cells of its kind; 0.0 and -0.0 are the same.
pub(super) fn hash_number(kind: CellKind, number: f64) -> u64 {
    fold((number + 0.0).to_bits() ^ (u64::from(kind.code()) << 56))
}

/// A hash of a text among cells of its kind: eight bytes at a time through [`fold`].
pub(super) fn hash_text(kind: CellKind, text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let start = fold((text.len() as u64) << 8 | u64::from(kind.code()));
    let hash = words
        .iter()
        .fold(start, |hash, word| fold(hash ^ u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    fold(hash ^ u64::from_le_bytes(last).rotate_left(32))
}

/// Mixes 64 bits by multiplying into 128 and folding the halves together, as wyhash does, twice over.
fn fold(bits: u64) -> u64 {
    let once = |bits: u64, by: u64| {
        let product = u128::from(bits) * u128::from(by);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let folded = (product as u64) ^ ((product >> 64) as u64);
        folded
    };
    once(
        once(bits ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db) ^ 0x8ebc_6af0_9c88_c6e3,
        0x5899_65cc_7537_4cc3,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_near_the_truth() {
        for truth in [5_000_u32, 60_000, 1_000_000] {
            let mut distinct = Distinct::new(1000);
            for n in 0..truth {
                let number = f64::from(n) * 0.25;
                let cell = CellView {
                    kind: CellKind::Number,
                    number,
                    text: "",
                    format: None,
                };
                distinct.see(hash_number(CellKind::Number, number), &cell, 0);
            }
            let (count, exact) = distinct.count();
            let off = (count as f64 - f64::from(truth)).abs() / f64::from(truth);
            assert!(!exact && off < 0.06, "{truth}: {count}");
        }
    }

    #[test]
    fn near_texts_have_different_hashes() {
        let texts = [
            "",
            "a",
            "b",
            "ab",
            "a\0",
            "abcdefgh",
            "abcdefgi",
            "abcdefghi",
            "Customer 00417",
            "Customer 00418",
        ];
        let hashes: std::collections::HashSet<u64> = texts.iter().map(|t| hash_text(CellKind::Text, t)).collect();
        assert_eq!(hashes.len(), texts.len());
    }
}

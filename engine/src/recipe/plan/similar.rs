//! Finds texts that are nearly equal, without comparing each with each.
//!
//! Two texts are as similar as the share of their letters that is not changed on the way from one to the other: 1 − d / n, with
//! n the characters of the longer one and d the fewest letters to put in, take out, replace, or swap with their neighbours
//! (optimal string alignment). That suits names and addresses: one slip costs the same wherever it stands, and a long text may
//! have more of them than a short one. Texts are compared without regard to case, accents, punctuation and blanks, and with
//! their words in order of the alphabet unless that order is to count.
//!
//! A row belongs to the earliest head that is similar enough, and becomes a head itself where there is none. Only heads are
//! compared, so that groups do not grow from row to row like chains, and depend on nothing but the order of the rows.
//!
//! **What is compared.** A head is cut into one piece more than there may be changes. Each change touches one piece, so one is
//! left whole in a similar text, moved by no more places than there are changes; pieces are looked up there. A swap over the
//! border of two pieces is told of the second: the first is looked up once more with its last letter swapped. So nothing that
//! is similar enough is missed. Where pieces would be shorter than two letters, all heads of a fitting length are compared.
//! The number of looks is bounded: beyond it the step gives up with a sentence.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::operator::PlanError;
use crate::recipe::steps::Words;

/// Characters of a text that are compared; what stands behind them does not count.
pub const MOST_COMPARED: usize = 200;
/// Pieces that are looked up and heads that are met there, over all rows: about a minute.
const MOST_LOOKS: u64 = 3_000_000_000;
/// Heads that are compared letter by letter, over all rows: about a minute.
const MOST_COMPARED_HEADS: u64 = 100_000_000;
/// Pieces that are shorter are in nearly every text.
const LEAST_PIECE: usize = 2;
/// What an entry of a hash table costs beside its key and value.
const SLOT: usize = 16;

/// How similar rows must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The least similarity, from 0.5 to 1.
    pub least: f64,
    /// Whether the order of words counts.
    pub words: Words,
}

impl Threshold {
    /// The most changes that two texts may be apart, by the characters of the longer one.
    fn changes(self, longer: usize) -> usize {
        (0..=longer)
            .rev()
            .find(|changes| similarity(*changes, longer) >= self.least)
            .unwrap_or(0)
    }
}

/// A text as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plain(Box<str>);

impl Plain {
    /// Takes away what does not count.
    #[must_use]
    pub fn new(text: &str, words: Words) -> Self {
        let mut plain = String::with_capacity(text.len());
        for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
            match c {
                'ß' | 'ẞ' => plain.push_str("ss"),
                'æ' | 'Æ' => plain.push_str("ae"),
                'œ' | 'Œ' => plain.push_str("oe"),
                'ø' | 'Ø' => plain.push('o'),
                'ł' | 'Ł' => plain.push('l'),
                // An apostrophe parts no words: O'Brien and OBrien.
                '\'' | '’' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
                c if c.is_alphanumeric() => plain.extend(c.to_lowercase()),
                _ => plain.push(' '),
            }
        }
        let mut parts: Vec<&str> = plain.split_whitespace().collect();
        if words == Words::AnyOrder {
            parts.sort_unstable();
        }
        let mut plain = parts.join(" ");
        if let Some((end, _)) = plain.char_indices().nth(MOST_COMPARED) {
            plain.truncate(end);
        }
        Self(plain.into())
    }

    /// Bytes that it holds, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len() + 24
    }

    fn is_blank(&self) -> bool {
        self.0.is_empty()
    }

    /// How similar two texts are, from 0 to 1. Two blanks are alike; a blank is like nothing else.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        if self == other {
            return 1.0;
        }
        if self.is_blank() || other.is_blank() {
            return 0.0;
        }
        let (left, right) = (self.chars(), other.chars());
        similarity(distance(&left, &right), left.len().max(right.len()))
    }

    fn chars(&self) -> Vec<char> {
        self.0.chars().collect()
    }

    /// A bit for each letter that is in it: a change adds one at most and takes one away at most.
    fn letters(&self) -> u64 {
        self.0.chars().fold(0, |bits, c| bits | 1 << (u32::from(c) % 64))
    }
}

/// The least of the similarities of the columns.
#[must_use]
pub fn of_rows(left: &[Plain], right: &[Plain]) -> f64 {
    let each = left.iter().zip(right).map(|(left, right)| left.similarity(right));
    each.fold(1.0, f64::min)
}

#[expect(clippy::cast_precision_loss, reason = "at most 200 of each")]
fn similarity(changes: usize, longer: usize) -> f64 {
    // Rounded, so that a tenth of ten letters is 0.9 and no less.
    ((1.0 - changes as f64 / longer.max(1) as f64) * 1e9).round() / 1e9
}

/// Optimal string alignment distance.
fn distance(left: &[char], right: &[char]) -> usize {
    let width = right.len() + 1;
    let (mut above, mut row): (Vec<usize>, Vec<usize>) = (vec![0; width], (0..width).collect());
    let mut next = vec![0; width];
    for (i, a) in left.iter().enumerate() {
        next[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let mut best = (row[j] + usize::from(a != b)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(above[j - 1] + 1);
            }
            next[j + 1] = best;
        }
        std::mem::swap(&mut above, &mut row);
        std::mem::swap(&mut row, &mut next);
    }
    row[right.len()]
}

/// A row that others may be like.
#[derive(Debug)]
struct Head {
    texts: Arc<[Plain]>,
    /// Of the first text that is filled: the letters in it.
    letters: u64,
}

/// What a text of some length may be like.
#[derive(Debug)]
struct Lengths {
    /// The lengths of such texts, and how many changes each may be away.
    near: Vec<(usize, usize)>,
    /// The most of these.
    most_changes: usize,
}

impl Lengths {
    fn of(length: usize, changes: &[usize]) -> Self {
        let away = |other: usize| (other, changes[length.max(other)]);
        let near = (1..=MOST_COMPARED)
            .map(away)
            .filter(|(other, away)| length.abs_diff(*other) <= *away);
        let near: Vec<(usize, usize)> = near.collect();
        let most_changes = near.iter().map(|(_, away)| *away).max().unwrap_or(0);
        Self { near, most_changes }
    }
}

/// The rows so far that are like none before them.
#[derive(Debug)]
pub struct Heads {
    threshold: Threshold,
    lengths: Vec<Lengths>,
    heads: Vec<Head>,
    /// The head of rows that were seen.
    known: HashMap<Arc<[Plain]>, u32>,
    /// Where a piece's heads begin in `entries`; pieces are known by a hash that is the same in every run.
    pieces: HashMap<u64, u32>,
    /// A head, and the next entry of the same piece.
    entries: Vec<(u32, u32)>,
    hasher: BuildHasherDefault<DefaultHasher>,
    looks: u64,
    compared: u64,
    bytes: usize,
}

const END: u32 = u32::MAX;

/// What is looked up: a piece of a text of so many characters, or all texts of that length.
type Piece<'a> = (usize, usize, usize, &'a [char], Option<char>);

impl Heads {
    /// Begins without any.
    #[must_use]
    pub fn new(threshold: Threshold) -> Self {
        let changes: Vec<usize> = (0..=MOST_COMPARED).map(|longer| threshold.changes(longer)).collect();
        Self {
            threshold,
            lengths: (0..=MOST_COMPARED)
                .map(|length| Lengths::of(length, &changes))
                .collect(),
            heads: Vec::new(),
            known: HashMap::new(),
            pieces: HashMap::new(),
            entries: Vec::new(),
            hasher: BuildHasherDefault::default(),
            looks: 0,
            compared: 0,
            bytes: 0,
        }
    }

    /// Bytes that are held, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes + 8 * self.entries.capacity() + (12 + SLOT) * self.pieces.len()
    }

    /// Counts looks that were made elsewhere, as if they were made here.
    #[cfg(test)]
    pub(super) fn spend(&mut self, looks: u64) {
        self.looks += looks;
    }

    /// The position of the head that a row belongs to; the next position: it is a head itself.
    pub fn place(&mut self, texts: Arc<[Plain]>) -> Result<u32, PlanError> {
        if let Some(head) = self.known.get(&texts) {
            return Ok(*head);
        }
        // Blanks are only like blanks: so the first text that is filled stands in the same column in similar rows.
        let column = texts.iter().position(|text| !text.is_blank()).unwrap_or(0);
        let found = match texts.get(column) {
            Some(text) if !text.is_blank() => self.search(&texts, column)?,
            _ => None,
        };
        let head = match found {
            Some(head) => head,
            None => self.add(texts.clone(), column)?,
        };
        self.bytes += bytes_of(&texts) + size_of::<Arc<[Plain]>>() + SLOT;
        self.known.insert(texts, head);
        Ok(head)
    }

    /// The earliest head that is similar enough.
    fn search(&mut self, texts: &[Plain], column: usize) -> Result<Option<u32>, PlanError> {
        let (text, letters) = (texts[column].chars(), texts[column].letters());
        let length = text.len();
        let mut met = Vec::new();
        for near in 0..self.lengths[length].near.len() {
            let (other, changes) = self.lengths[length].near[near];
            let Some(pieces) = cut(other, self.lengths[other].most_changes) else {
                self.meet((column, other, 0, &[], None), (letters, changes), &mut met)?;
                continue;
            };
            for (number, piece) in pieces.enumerate() {
                let first = piece.start.saturating_sub(changes);
                let last = (piece.start + changes).min(length.saturating_sub(piece.len()));
                for start in first..=last {
                    let Some(there) = text.get(start..start + piece.len()) else {
                        break;
                    };
                    self.meet((column, other, number + 1, there, None), (letters, changes), &mut met)?;
                    if let Some(behind) = text.get(start + piece.len())
                        && there.last() != Some(behind)
                    {
                        let (swapped, sought) = (&there[..there.len() - 1], (letters, changes));
                        self.meet((column, other, number + 1, swapped, Some(*behind)), sought, &mut met)?;
                    }
                }
            }
        }
        met.sort_unstable();
        met.dedup();
        for head in met {
            self.compared += 1;
            if self.compared > MOST_COMPARED_HEADS {
                return Err(PlanError::TooManyAlike);
            }
            if of_rows(texts, &self.heads[head as usize].texts) >= self.threshold.least {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Heads that have a piece, but for those that have too many other letters.
    fn meet(
        &mut self,
        piece: Piece<'_>,
        (letters, changes): (u64, usize),
        met: &mut Vec<u32>,
    ) -> Result<(), PlanError> {
        self.looks += 1;
        let mut entry = self.pieces.get(&self.hash(piece)).copied().unwrap_or(END);
        while let Some((head, next)) = self.entries.get(entry as usize) {
            self.looks += 1;
            let theirs = self.heads[*head as usize].letters;
            let apart = (letters & !theirs).count_ones().max((theirs & !letters).count_ones());
            if apart as usize <= changes {
                met.push(*head);
            }
            entry = *next;
        }
        if self.looks > MOST_LOOKS {
            return Err(PlanError::TooManyAlike);
        }
        Ok(())
    }

    fn add(&mut self, texts: Arc<[Plain]>, column: usize) -> Result<u32, PlanError> {
        let position = u32::try_from(self.heads.len()).map_err(|_error| PlanError::TooManyAlike)?;
        let text = texts.get(column).map(Plain::chars).unwrap_or_default();
        match cut(text.len(), self.lengths[text.len()].most_changes) {
            None => self.enter((column, text.len(), 0, &[], None), position)?,
            Some(pieces) => {
                for (number, piece) in pieces.enumerate() {
                    self.enter((column, text.len(), number + 1, &text[piece], None), position)?;
                }
            }
        }
        let letters = texts.get(column).map_or(0, Plain::letters);
        self.bytes += size_of::<Head>();
        self.heads.push(Head { texts, letters });
        Ok(position)
    }

    fn enter(&mut self, piece: Piece<'_>, head: u32) -> Result<(), PlanError> {
        let entry = u32::try_from(self.entries.len()).map_err(|_error| PlanError::TooManyAlike)?;
        let next = self.pieces.insert(self.hash(piece), entry).unwrap_or(END);
        self.entries.push((head, next));
        Ok(())
    }

    fn hash(&self, (column, length, number, letters, last): Piece<'_>) -> u64 {
        let spelt = letters.iter().copied().chain(last);
        let spelt = spelt.fold(0xcbf2_9ce4_8422_2325_u64, |hash, c| {
            (hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3)
        });
        self.hasher.hash_one((column, length, number, spelt))
    }
}

fn bytes_of(texts: &[Plain]) -> usize {
    texts.iter().map(Plain::bytes).sum()
}

/// A text of so many characters cut into a piece more than there may be changes; nothing: the pieces would be too short.
fn cut(length: usize, changes: usize) -> Option<impl Iterator<Item = std::ops::Range<usize>>> {
    let pieces = changes + 1;
    (length / pieces >= LEAST_PIECE)
        .then(move || (0..pieces).map(move |piece| length * piece / pieces..length * (piece + 1) / pieces))
}

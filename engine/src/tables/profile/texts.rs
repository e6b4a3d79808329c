//! What texts of a column look like: their patterns, and signs that they were not typed as people think.

use super::cut;
use super::distinct::ByHash;

/// Patterns that are told apart; texts of others are counted together.
const PATTERNS: usize = 500;
/// Bytes of a text that has a pattern: longer ones are prose.
const LONGEST: usize = 40;
/// Patterns listed.
const TOP: usize = 5;
/// Rows listed of each sign.
const ROWS: usize = 20;

/// Texts of one sort, and the first rows that have them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sign {
    pub(super) count: u64,
    pub(super) rows: Vec<u32>,
}

impl Sign {
    fn see(&mut self, row: u32) {
        self.count += 1;
        if self.rows.len() < ROWS {
            self.rows.push(row);
        }
    }
}

/// What was seen of a column's texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    /// Shortest and longest, in characters.
    pub(super) lengths: Option<(u64, u64)>,
    /// Least and greatest, by their bytes.
    pub(super) ends: Option<[String; 2]>,
    /// With blanks around them.
    pub(super) padded: Sign,
    /// Such as `00123`.
    pub(super) zero_padded: Sign,
    /// With characters that look like a blank, or like nothing.
    pub(super) odd_blanks: Sign,
    patterns: ByHash<(String, u64)>,
    others: u64,
    /// Which of the texts that are counted one by one have a sign, by their places.
    signed: Vec<bool>,
}

impl Texts {
    /// Counts a text; its place, where it is counted by itself too and was not seen before.
    pub(super) fn see(&mut self, text: &str, row: u32, place: Option<usize>) {
        let chars = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        } as u64;
        let (least, greatest) = self.lengths.get_or_insert((chars, chars));
        *least = chars.min(*least);
        *greatest = chars.max(*greatest);
        let [least, greatest] = self.ends.get_or_insert_with(|| [text.to_owned(), text.to_owned()]);
        if text < least.as_str() {
            text.clone_into(least);
        } else if text > greatest.as_str() {
            text.clone_into(greatest);
        }
        if self.see_signs(text, row)
            && let Some(place) = place
        {
            self.signed.resize(self.signed.len().max(place + 1), false);
            self.signed.iter_mut().skip(place).take(1).for_each(|it| *it = true);
        }
        self.add_pattern(text, 1);
    }

    /// Counts a text that was seen before, by its place: mostly there is nothing more to say of it. Its pattern is counted when all
    /// are known, by [`Self::add_pattern`].
    #[inline]
    pub(super) fn see_again(&mut self, text: &str, row: u32, place: usize) {
        if self.signed.get(place) == Some(&true) {
            self.see_signs(text, row);
        }
    }

    /// Counts the signs that a text has; whether there are any.
    fn see_signs(&mut self, text: &str, row: u32) -> bool {
        let edge = |c: Option<char>| c.is_some_and(char::is_whitespace);
        let padded = edge(text.chars().next()) || edge(text.chars().next_back());
        if padded {
            self.padded.see(row);
        }
        let zero_padded = text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        if zero_padded {
            self.zero_padded.see(row);
        }
        let odd = if text.is_ascii() {
            text.bytes()
                .any(|b| b.is_ascii_control() && !matches!(b, b'\n' | b'\r' | b'\t'))
        } else {
            text.chars().any(is_odd)
        };
        if odd {
            self.odd_blanks.see(row);
        }
        padded || zero_padded || odd
    }

    /// Counts the pattern of so many equal texts.
    pub(super) fn add_pattern(&mut self, text: &str, count: u64) {
        if text.len() > LONGEST {
            self.others += count;
            return;
        }
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for c in text.chars() {
            hash = (hash ^ u64::from(u32::from(class(c)))).wrapping_mul(0x0100_0000_01b3);
        }
        let room = self.patterns.len() < PATTERNS;
        match self.patterns.get_mut(&hash) {
            Some((_, known)) => *known += count,
            None if room => {
                self.patterns.insert(hash, (text.chars().map(class).collect(), count));
            }
            None => self.others += count,
        }
    }

    /// The most frequent patterns, with counts: `A` is a capital letter, `a` another one, `9` a digit, and what else there is
    /// stands for itself. Nothing where texts have too little in common for that to say anything.
    pub(super) fn patterns(&self) -> Vec<(String, u64)> {
        let mut all: Vec<_> = self.patterns.values().cloned().collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let total: u64 = all.iter().map(|(_, count)| count).sum::<u64>() + self.others;
        all.truncate(TOP);
        let told: u64 = all.iter().map(|(_, count)| count).sum();
        if told * 2 < total {
            return Vec::new();
        }
        all.iter().map(|(pattern, count)| (cut(pattern), *count)).collect()
    }
}

fn class(c: char) -> char {
    match c {
        '0'..='9' => '9',
        'A'..='Z' => 'A',
        'a'..='z' => 'a',
        c if c.is_ascii() => c,
        c if c.is_numeric() => '9',
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => 'a',
        c => c,
    }
}

/// What looks like an ordinary blank or like nothing, and is neither: blanks of other widths, zero-width and control
/// characters.
fn is_odd(c: char) -> bool {
    match c {
        '\n' | '\r' | '\t' | ' ' => false,
        // Joiners hold scripts and pictures together.
        '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{180e}' => true,
        c => c.is_whitespace() || c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(texts: &[&str]) -> Texts {
        let mut seen = Texts::default();
        for (row, text) in (2..).zip(texts) {
            seen.see(text, row, None);
        }
        seen
    }

    #[test]
    fn patterns_are_those_of_most_texts() {
        let codes = seen(&["AB-123", "XY-456", "ÄB-123", "ab-123", "AB-1234"]);
        let told: Vec<_> = codes.patterns();
        assert_eq!(told[0], ("AA-999".to_owned(), 3));
        assert_eq!(told.len(), 3);
        // Of prose there is nothing to say.
        let prose: Vec<String> = (0..600).map(|n| "x".repeat(n % 40 + 1) + &"-".repeat(n / 40)).collect();
        assert_eq!(
            seen(&prose.iter().map(String::as_str).collect::<Vec<_>>()).patterns(),
            []
        );
    }

    #[test]
    fn texts_that_are_not_what_they_seem_are_found_with_their_rows() {
        let texts = seen(&[
            "a",
            " a",
            "0071",
            "a\u{a0}b",
            "a\u{200b}",
            "a\tb",
            "\u{7}",
            "👩\u{200d}🚀",
            "0",
        ]);
        assert_eq!((texts.padded.count, texts.padded.rows), (1, vec![3]));
        assert_eq!((texts.zero_padded.count, texts.zero_padded.rows), (1, vec![4]));
        assert_eq!((texts.odd_blanks.count, texts.odd_blanks.rows), (3, vec![5, 6, 8]));
    }
}

//! The account of every row, per step: in + added = kept + rejected + filtered + deduplicated + aggregated.

use serde::{Deserialize, Serialize};

use crate::sheets::number_format::show_count;

/// One step's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerStep {
    /// The step's position from 1; 0 is the reading.
    pub step: usize,
    /// The sheet.
    pub sheet: String,
    /// In one plain sentence.
    pub label: String,
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows the step made.
    pub added: u64,
    /// Rows that went on.
    pub kept: u64,
    /// Rows taken out by a rule.
    pub rejected: u64,
    /// Rows taken out by a filter.
    pub filtered: u64,
    /// Rows taken out as duplicates.
    pub deduplicated: u64,
    /// Rows that went into groups.
    pub aggregated: u64,
    /// Of the rows that went on, those that a rule rejects, where the recipe keeps them.
    #[serde(default)]
    pub flagged: u64,
    /// Of the rows that went on, those that a rule warns of.
    #[serde(default)]
    pub warned: u64,
    /// For a step that looks rows up in another table: how many of them it found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Matches>,
    /// Origin hashes of the rows that came in, summed modulo 2^64, in hex.
    pub hash_in: String,
    /// The same over all fates.
    pub hash_out: String,
}

impl LedgerStep {
    /// Whether each row is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.rows_in + self.added == self.kept + self.rejected + self.filtered + self.deduplicated + self.aggregated
            && self.hash_in == self.hash_out
    }
}

/// How rows met those of another table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matches {
    /// Rows of ours that no row of the other table matches.
    pub none: u64,
    /// Rows of ours that exactly one matches.
    pub one: u64,
    /// Rows of ours that several match.
    pub several: u64,
    /// Rows of the other table that match none of ours; nothing where tables were added up, each of which left others over.
    pub left_over: Option<u64>,
}

impl Matches {
    /// Adds what is known of more of our rows.
    pub fn join(&mut self, other: Self) {
        self.none += other.none;
        self.one += other.one;
        self.several += other.several;
    }

    /// Adds what another table of ours met: which rows neither of them matched is not known.
    pub fn add(&mut self, other: Self) {
        self.join(other);
        self.left_over = None;
    }

    /// In words: "1,204 rows with one match", "38 rows without a match", "4 with several". What there is none of is left out.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let count = |rows: u64, words: &str| {
            let rows_word = if rows == 1 { "row" } else { "rows" };
            (rows > 0).then(|| format!("{} {rows_word} {words}", show_count(rows)))
        };
        [
            count(self.one, "with one match"),
            count(self.none, "without a match"),
            count(self.several, "with several matches"),
            count(self.left_over.unwrap_or_default(), "of the other table without a match"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A step's account while rows go by: counts, and origins summed where rows come in and again where they end up. The two
/// sums are taken from different arrays at different moments, so they agree only when no row was lost, made up or doubled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Rows that came in.
    pub came: Sum,
    /// Rows the step made.
    pub added: Sum,
    /// Rows that went on.
    pub kept: Sum,
    /// Rows rejected.
    pub rejected: Sum,
    /// Rows filtered out.
    pub filtered: Sum,
    /// Rows taken out as duplicates.
    pub deduplicated: Sum,
    /// Rows that went into groups.
    pub aggregated: Sum,
    /// Rows that went on although a rule rejects them.
    pub flagged: u64,
    /// Rows that went on with a warning.
    pub warned: u64,
    /// How rows met those of another table.
    pub matches: Option<Matches>,
}

/// A number of rows and the sum of their origins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// Their origins, summed modulo 2^64.
    pub origins: u64,
}

impl Sum {
    /// Adds rows by their origins.
    pub fn add(&mut self, origins: impl IntoIterator<Item = u64>) {
        for origin in origins {
            self.rows += 1;
            self.origins = self.origins.wrapping_add(origin);
        }
    }

    /// Adds another sum.
    pub fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.origins = self.origins.wrapping_add(other.origins);
    }
}

impl Account {
    /// Adds the account of other rows.
    pub fn join(&mut self, other: &Self) {
        self.came.join(other.came);
        self.added.join(other.added);
        self.kept.join(other.kept);
        self.rejected.join(other.rejected);
        self.filtered.join(other.filtered);
        self.deduplicated.join(other.deduplicated);
        self.aggregated.join(other.aggregated);
        self.flagged += other.flagged;
        self.warned += other.warned;
        if let Some(matches) = other.matches {
            self.matches.get_or_insert_default().join(matches);
        }
    }

    /// The entry of the ledger.
    #[must_use]
    pub fn entry(&self, step: usize, sheet: &str, label: &str) -> LedgerStep {
        let ends = [
            self.kept,
            self.rejected,
            self.filtered,
            self.deduplicated,
            self.aggregated,
        ];
        let hash_out = ends.iter().fold(0_u64, |sum, end| sum.wrapping_add(end.origins));
        LedgerStep {
            step,
            sheet: sheet.to_owned(),
            label: label.to_owned(),
            rows_in: self.came.rows,
            added: self.added.rows,
            kept: self.kept.rows,
            rejected: self.rejected.rows,
            filtered: self.filtered.rows,
            deduplicated: self.deduplicated.rows,
            aggregated: self.aggregated.rows,
            flagged: self.flagged,
            warned: self.warned,
            matches: self.matches,
            hash_in: format!("{:016x}", self.came.origins.wrapping_add(self.added.origins)),
            hash_out: format!("{hash_out:016x}"),
        }
    }
}

/// The number that stands for a row in the sums: the row of a sheet, mixed well (the finaliser of SplitMix64) so that sums
/// of different sets of rows differ.
#[must_use]
pub fn origin(sheet: u32, row: u32) -> u64 {
    mixed((u64::from(sheet) << 32) | u64::from(row))
}

/// The number of a row that a step made out of others, by the first of them.
#[must_use]
pub fn made_from(first: u64) -> u64 {
    mixed(first ^ 0x5bd1_e995_9d1b_54a5)
}

/// The number of a copy of a row, by the row's own; the first of them, 0, is the row itself.
#[must_use]
pub fn copy_of(origin: u64, copy: u64) -> u64 {
    if copy == 0 {
        return origin;
    }
    mixed(origin.wrapping_add(copy.wrapping_mul(0xd6e8_feb8_6659_fd93)))
}

/// The number of a row of another table that a step adds, by its position there.
#[must_use]
pub fn brought(step: usize, position: u64) -> u64 {
    mixed(position ^ mixed(step as u64 ^ 0x3c79_ac49_2ba7_b653))
}

/// A number for a row that has nothing to do with where it stands, another one for each seed.
#[must_use]
pub fn shuffled(origin: u64, seed: u64) -> u64 {
    mixed(origin ^ mixed(seed ^ 0xa076_1d64_78bd_642f))
}

fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Whether the accounts of a sheet's steps balance, each for itself and each with the next: what goes out of one comes into
/// the other. Answers what is wrong, for the log.
pub fn check(accounts: &[Account]) -> Result<(), String> {
    for (index, account) in accounts.iter().enumerate() {
        let entry = account.entry(index, "", "");
        if !entry.balances() {
            return Err(format!("entry {index} does not balance: {entry:?}"));
        }
        if let Some(next) = accounts.get(index + 1)
            && next.came != account.kept
        {
            return Err(format!(
                "{:?} went out of entry {index} and {:?} came into the next",
                account.kept, next.came
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(came: &[u64], kept: &[u64], filtered: &[u64]) -> Account {
        let sum = |origins: &[u64]| {
            let mut sum = Sum::default();
            sum.add(origins.iter().copied());
            sum
        };
        Account {
            came: sum(came),
            kept: sum(kept),
            filtered: sum(filtered),
            ..Account::default()
        }
    }

    #[test]
    fn a_row_that_is_lost_doubled_or_swapped_does_not_balance() {
        assert!(check(&[account(&[1, 2, 3], &[1, 3], &[2])]).is_ok());
        assert!(check(&[account(&[1, 2, 3], &[1], &[2])]).is_err(), "lost");
        assert!(check(&[account(&[1, 2, 3], &[1, 3, 3], &[2])]).is_err(), "doubled");
        assert!(
            check(&[account(&[1, 2, 3], &[1, 1], &[2])]).is_err(),
            "swapped, with the right count"
        );
        assert!(
            check(&[account(&[1, 2], &[1, 2], &[]), account(&[1], &[1], &[])]).is_err(),
            "lost between steps"
        );
    }

    #[test]
    fn matches_are_told_in_words_and_old_entries_are_read() {
        let mut matches = Matches {
            none: 1,
            one: 1204,
            several: 4,
            left_over: Some(2),
        };
        assert_eq!(
            matches.words().join(", "),
            "1,204 rows with one match, 1 row without a match, 4 rows with several matches, \
             2 rows of the other table without a match"
        );
        matches.add(matches);
        assert_eq!((matches.one, matches.left_over), (2408, None));
        let mut old = serde_json::to_value(LedgerStep::default()).expect("JSON");
        assert!(old.as_object_mut().expect("an object").remove("matches").is_none());
        let old: LedgerStep = serde_json::from_value(old).expect("an entry");
        assert_eq!(old.matches, None);
    }

    #[test]
    fn origins_of_neighbours_have_nothing_in_common() {
        let mut seen: Vec<u64> = (0..4)
            .flat_map(|sheet| (0..1000).map(move |row| origin(sheet, row)))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 4000);
        assert_ne!(made_from(origin(0, 2)), origin(0, 2));
        assert_ne!(brought(1, 2), brought(2, 1));
    }
}

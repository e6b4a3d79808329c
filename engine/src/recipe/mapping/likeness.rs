//! How alike two names of columns are.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer names are no names but sentences; they are compared by equality alone.
const MOST_CHARS: usize = 60;
/// The same words in another order are not quite the same name.
const OTHER_ORDER: u16 = 940;

/// A name that is part of another one is worth telling: `phone` and `telephone`.
const WITHIN: u16 = 600;
/// Shorter names are part of everything.
const LEAST_WITHIN: usize = 3;

/// A name in the forms that it is compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Without case, blanks, punctuation and accents.
    plain: String,
    /// Its words, in the same form.
    words: Vec<String>,
    /// Its numbers: `Price 2023` is not `Price 2024`.
    numbers: Vec<String>,
}

/// A name without case, blanks, punctuation and accents. One of nothing but punctuation stays as it is.
#[must_use]
pub fn normalised(name: &str) -> String {
    let plain: String = lower(name).filter(|c| c.is_alphanumeric()).collect();
    if plain.is_empty() {
        name.trim().to_lowercase()
    } else {
        plain
    }
}

fn lower(name: &str) -> impl Iterator<Item = char> + '_ {
    let bare = name.nfkd().filter(|c| !is_combining_mark(*c));
    bare.flat_map(char::to_lowercase).flat_map(|c| {
        let (first, second) = if c == 'ß' { ('s', Some('s')) } else { (c, None) };
        std::iter::once(first).chain(second)
    })
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        Self {
            plain: normalised(name),
            words: words(name),
            numbers: name
                .split(|c: char| !c.is_numeric())
                .filter(|number| !number.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    pub(super) fn plain(&self) -> &str {
        &self.plain
    }
}

/// The words of a name: `orderDate`, `order_date` and `Order date` have the same ones.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        if !c.is_alphanumeric() || (after_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        after_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// How alike two names are, from 0 to 1000 thousandths; the same whichever comes first.
///
/// Letters count twice, by Jaro and Winkler's measure and by the number of edits; and of names with as many words each, the
/// word that is least like its counterpart counts as much as the whole: `billing address` is not `mailing address`.
pub(super) fn likeness(one: &Name, other: &Name) -> u16 {
    if one.plain == other.plain {
        return 1000;
    }
    let (shorter, longer) = lengths(one, other);
    if longer > MOST_CHARS {
        return 0;
    }
    let within = shorter >= LEAST_WITHIN && (one.plain.contains(&other.plain) || other.plain.contains(&one.plain));
    let least = if within { WITHIN } else { 0 };
    if shorter * 5 < longer * 2 {
        return least;
    }
    let whole = of_letters(&one.plain, &other.plain);
    let score = if one.words.len() == other.words.len() {
        let mut sorted = [one.words.clone(), other.words.clone()];
        sorted.iter_mut().for_each(|words| words.sort());
        if sorted[0] == sorted[1] {
            return OTHER_ORDER;
        }
        let pairs = one.words.iter().zip(&other.words);
        let least = pairs.map(|(one, other)| of_letters(one, other)).fold(1.0, f64::min);
        whole.midpoint(least)
    } else {
        // A word more or less is often another thing: `customer` and `customer no`.
        whole * 0.9
    };
    let same_numbers = one.numbers == other.numbers;
    // The sum of two roundings may depend on their order in the last digit; a thousandth does not.
    ((score * if same_numbers { 1000.0 } else { 600.0 }).round() as u16).max(least)
}

fn lengths(one: &Name, other: &Name) -> (usize, usize) {
    let (one, other) = (one.plain.chars().count(), other.plain.chars().count());
    (one.min(other), one.max(other))
}

fn of_letters(one: &str, other: &str) -> f64 {
    // Jaro and Winkler's measure is not always the same both ways.
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    strsim::jaro_winkler(first, second).midpoint(strsim::normalized_damerau_levenshtein(first, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> u16 {
        let (one, other) = (Name::of(one), Name::of(other));
        assert_eq!(likeness(&one, &other), likeness(&other, &one));
        likeness(&one, &other)
    }

    #[test]
    fn case_blanks_punctuation_and_accents_do_not_count() {
        for (one, other) in [
            ("E-Mail", "email"),
            (" Straße ", "STRASSE"),
            ("Prénom", "prenom"),
            ("order_date", "Order Date"),
            ("ＯＲＤＥＲ", "order"),
        ] {
            assert_eq!(normalised(one), normalised(other));
        }
        assert_ne!(normalised("#"), normalised("%"));
        assert_eq!(words("orderDate"), ["order", "date"]);
    }

    #[test]
    fn slips_of_the_pen_are_alike_and_other_columns_are_not() {
        for (one, other) in [
            ("Adress", "address"),
            ("custmer name", "customer name"),
            ("quantitiy", "quantity"),
            ("name, first", "first name"),
            ("prices", "price"),
        ] {
            assert!(alike(one, other) >= 850, "{one}, {other}: {}", alike(one, other));
        }
        for (one, other) in [
            ("billing address", "mailing address"),
            ("first name", "last name"),
            ("order date", "order id"),
            ("price 2023", "price 2024"),
            ("address 1", "address 2"),
            ("customer", "customer no"),
            ("start date", "end date"),
            ("amount", "account"),
            ("date", "data"),
        ] {
            assert!(alike(one, other) < 850, "{one}, {other}: {}", alike(one, other));
        }
    }
}

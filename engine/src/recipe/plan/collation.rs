//! The order of texts in a language, as the Unicode Collation Algorithm and CLDR have it.

use std::sync::Arc;

use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::preferences::CollationNumericOrdering;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;
use icu_locale_core::extensions::unicode::key;

use crate::recipe::problem::nearest;
use crate::recipe::steps::Compare;

/// Languages whose order is known, by their tags and in English, and the orders beside the usual one that each has (CLDR).
/// Those with an order of their own and those for which CLDR's root order is the right one.
const LANGUAGES: &[(&str, &str, &[&str])] = &[
    ("af", "Afrikaans", &[]),
    ("am", "Amharic", &[]),
    ("ar", "Arabic", &["compat"]),
    ("as", "Assamese", &[]),
    ("az", "Azerbaijani", &[]),
    ("be", "Belarusian", &[]),
    ("bg", "Bulgarian", &[]),
    ("bn", "Bangla", &["trad"]),
    ("br", "Breton", &[]),
    ("bs", "Bosnian", &[]),
    ("ca", "Catalan", &[]),
    ("cs", "Czech", &[]),
    ("cy", "Welsh", &[]),
    ("da", "Danish", &[]),
    ("de", "German", &["phonebk"]),
    ("dsb", "Lower Sorbian", &[]),
    ("el", "Greek", &[]),
    ("en", "English", &[]),
    ("eo", "Esperanto", &[]),
    ("es", "Spanish", &["trad"]),
    ("et", "Estonian", &[]),
    ("eu", "Basque", &[]),
    ("fa", "Persian", &[]),
    ("fi", "Finnish", &["trad"]),
    ("fil", "Filipino", &[]),
    ("fo", "Faroese", &[]),
    ("fr", "French", &[]),
    ("fy", "Frisian", &[]),
    ("ga", "Irish", &[]),
    ("gl", "Galician", &[]),
    ("gu", "Gujarati", &[]),
    ("ha", "Hausa", &[]),
    ("haw", "Hawaiian", &[]),
    ("he", "Hebrew", &[]),
    ("hi", "Hindi", &[]),
    ("hr", "Croatian", &[]),
    ("hsb", "Upper Sorbian", &[]),
    ("hu", "Hungarian", &[]),
    ("hy", "Armenian", &[]),
    ("id", "Indonesian", &[]),
    ("ig", "Igbo", &[]),
    ("is", "Icelandic", &[]),
    ("it", "Italian", &[]),
    ("ja", "Japanese", &["unihan"]),
    ("ka", "Georgian", &[]),
    ("kk", "Kazakh", &[]),
    ("kl", "Greenlandic", &[]),
    ("km", "Khmer", &[]),
    ("kn", "Kannada", &["trad"]),
    ("ko", "Korean", &["unihan"]),
    ("ky", "Kyrgyz", &[]),
    ("lb", "Luxembourgish", &[]),
    ("lo", "Lao", &[]),
    ("lt", "Lithuanian", &[]),
    ("lv", "Latvian", &[]),
    ("mk", "Macedonian", &[]),
    ("ml", "Malayalam", &[]),
    ("mn", "Mongolian", &[]),
    ("mr", "Marathi", &[]),
    ("ms", "Malay", &[]),
    ("mt", "Maltese", &[]),
    ("my", "Burmese", &[]),
    ("nb", "Norwegian Bokmal", &[]),
    ("ne", "Nepali", &[]),
    ("nl", "Dutch", &[]),
    ("nn", "Norwegian Nynorsk", &[]),
    ("no", "Norwegian", &[]),
    ("pa", "Punjabi", &[]),
    ("pl", "Polish", &[]),
    ("ps", "Pashto", &[]),
    ("pt", "Portuguese", &[]),
    ("ro", "Romanian", &[]),
    ("ru", "Russian", &[]),
    ("se", "Northern Sami", &[]),
    ("si", "Sinhala", &["dict"]),
    ("sk", "Slovak", &[]),
    ("sl", "Slovenian", &[]),
    ("smn", "Inari Sami", &[]),
    ("sq", "Albanian", &[]),
    ("sr", "Serbian", &[]),
    ("sv", "Swedish", &["trad"]),
    ("sw", "Swahili", &[]),
    ("ta", "Tamil", &[]),
    ("te", "Telugu", &[]),
    ("th", "Thai", &[]),
    ("tk", "Turkmen", &[]),
    ("tr", "Turkish", &[]),
    ("ug", "Uyghur", &[]),
    ("uk", "Ukrainian", &[]),
    ("ur", "Urdu", &[]),
    ("uz", "Uzbek", &[]),
    ("vi", "Vietnamese", &["trad"]),
    ("yi", "Yiddish", &[]),
    ("yo", "Yoruba", &[]),
    ("zh", "Chinese", &["pinyin", "stroke", "unihan", "zhuyin"]),
    ("zu", "Zulu", &[]),
];

/// The order of a language.
#[derive(Clone, Debug)]
pub struct Collation(Arc<CollatorBorrowed<'static>>);

impl Collation {
    /// The order of the language that a tag names, or what is wrong with the tag, as the end of a sentence and what to try.
    pub fn new(tag: &str, compare: Compare) -> Result<Self, String> {
        let locale = locale(tag)?;
        let mut options = CollatorOptions::default();
        options.strength = Some(match compare {
            Compare::Exact => Strength::Tertiary,
            Compare::IgnoreCase | Compare::Natural => Strength::Secondary,
        });
        let mut preferences = CollatorPreferences::from(&locale);
        if compare == Compare::Natural {
            preferences.numeric_ordering = Some(CollationNumericOrdering::True);
        }
        let collator = CollatorBorrowed::try_new(preferences, options).map_err(|_error| unknown(tag))?;
        Ok(Self(Arc::new(collator)))
    }

    /// Puts bytes behind `key` that are ordered as the language orders the texts.
    pub fn write_key(&self, text: &str, key: &mut Vec<u8>) {
        let Ok(()) = self.0.write_sort_key_to(text, key);
    }
}

/// The tag in its usual spelling, or what is wrong with it.
pub fn checked(tag: &str) -> Result<String, String> {
    locale(tag).map(|locale| locale.to_string())
}

/// The English name of a tag's language, and the tag where it says more: "Swedish", "French (fr-CA)".
#[must_use]
pub fn name(tag: &str) -> String {
    let language = tag.split('-').next().unwrap_or_default();
    match LANGUAGES.iter().find(|(code, ..)| *code == language) {
        Some((_, name, _)) if language == tag => (*name).to_owned(),
        Some((_, name, _)) => format!("{name} ({tag})"),
        None => tag.to_owned(),
    }
}

fn locale(tag: &str) -> Result<Locale, String> {
    let locale = Locale::try_from_str(tag).map_err(|_error| unknown(tag))?;
    let language = locale.id.language.as_str();
    let Some((_, name, orders)) = LANGUAGES.iter().find(|(code, ..)| *code == language) else {
        return Err(unknown(tag));
    };
    if let Some(order) = locale.extensions.unicode.keywords.get(&key!("co")) {
        let order = order.to_string();
        let general = ["standard", "emoji", "eor"];
        if !orders.contains(&order.as_str()) && !general.contains(&order.as_str()) {
            let others = orders.iter().map(|order| format!("`{language}-u-co-{order}`"));
            let others: Vec<String> = std::iter::once(format!("`{language}`")).chain(others).collect();
            return Err(format!(
                "{name} has no order `{order}`; there is {}.",
                others.join(", ")
            ));
        }
    }
    Ok(locale)
}

/// What to try instead of a tag that is not known.
fn unknown(tag: &str) -> String {
    let (first, rest) = tag.split_once(['-', '_']).unwrap_or((tag, ""));
    let words = LANGUAGES.iter().flat_map(|(code, name, _)| [*code, *name]);
    let near =
        nearest(first, words).and_then(|near| LANGUAGES.iter().find(|(code, name, _)| [*code, *name].contains(&near)));
    let near = near.map(|(code, ..)| match rest.len() {
        2 => format!("{code}-{}", rest.to_uppercase()),
        _ => (*code).to_owned(),
    });
    let hint = near.map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
    format!(
        "`{tag}` is not a language whose order is known.{hint} A language is a tag such as `de`, `sv`, `fr-CA` or `es-u-co-trad`."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that each word comes before the next.
    fn in_order(tag: &str, compare: Compare, words: &[&str]) {
        let collation = Collation::new(tag, compare).expect(tag);
        let key = |word: &str| {
            let mut key = Vec::new();
            collation.write_key(word, &mut key);
            key
        };
        for pair in words.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{tag}: {} before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn languages_order_words_as_their_dictionaries_do() {
        let words = [
            "Arg",
            "Ärgerlich",
            "Arm",
            "Assistent",
            "Aßlar",
            "Assoziation",
            "Ofen",
            "Öffnung",
            "Zug",
        ];
        in_order("de", Compare::Exact, &words);
        in_order("de-u-co-phonebk", Compare::Exact, &["Ad", "Ärger", "Af"]);
        in_order("sv", Compare::Exact, &["Vinter", "Zorn", "Åberg", "Ärlig", "Öberg"]);
        in_order("sv", Compare::Exact, &["a", "z", "å", "ä", "ö"]);
        in_order("da", Compare::Exact, &["Abel", "Zoo", "Æble", "Øl", "Ål"]);
        in_order("da", Compare::Exact, &["Zoo", "Øl", "Aalborg"]);
        in_order("es", Compare::Exact, &["llama", "loro", "nube", "ñandú", "ojo"]);
        in_order("es", Compare::Exact, &["chico", "cinco", "cuna"]);
        in_order(
            "es-u-co-trad",
            Compare::Exact,
            &["cinco", "cuna", "chico", "dedo", "loro", "luz", "llama", "mano"],
        );
        in_order("fr", Compare::Exact, &["cote", "coté", "côte", "côté"]);
        in_order("fr-CA", Compare::Exact, &["cote", "côte", "coté", "côté"]);
        in_order("cs", Compare::Exact, &["cukr", "čas", "hora", "chata", "ihned"]);
        in_order("de", Compare::Natural, &["Öl 2", "öl 10", "Zug 1"]);
    }

    #[test]
    fn a_tag_that_is_not_known_is_told_with_the_nearest() {
        for (tag, words) in [
            ("german", "Did you mean `de`?"),
            ("de_DE!", "is not a language"),
            ("Swedisch", "Did you mean `sv`?"),
            ("xx", "is not a language"),
            (
                "de-u-co-trad",
                "German has no order `trad`; there is `de`, `de-u-co-phonebk`.",
            ),
            ("", "is not a language"),
        ] {
            let told = checked(tag).expect_err(tag);
            assert!(told.contains(words), "{tag}: {told}");
        }
        assert_eq!(checked("fr-ca").as_deref(), Ok("fr-CA"));
        assert_eq!(
            (name("sv").as_str(), name("fr-CA").as_str()),
            ("Swedish", "French (fr-CA)")
        );
    }

    #[test]
    fn every_language_of_the_list_has_an_order() {
        for (code, _, orders) in LANGUAGES {
            assert!(Collation::new(code, Compare::Exact).is_ok(), "{code}");
            for order in *orders {
                assert!(
                    Collation::new(&format!("{code}-u-co-{order}"), Compare::Exact).is_ok(),
                    "{code} {order}"
                );
            }
        }
    }
}

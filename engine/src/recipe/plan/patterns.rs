//! Regular expressions of recipes: bounded in size, without backtracking. One search takes time that grows with the text and
//! no faster; a pattern that looks far ahead for each short match (`[^z]*z|a`) searches so for every one of them: measured
//! 0.8 s for a cell of 32,767 characters, which is the most there is.

use regex::{Captures, Regex, RegexBuilder};

use super::texts::Draft;

/// Bytes of a compiled pattern. A class of all letters repeated a hundred times is larger, an address is a hundredth.
const MOST_COMPILED: usize = 1 << 20;
/// Characters of a text that are shown in a sentence.
const SHOWN: usize = 60;

/// Whether capital and small letters are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capitals {
    /// They differ.
    #[default]
    Matter,
    /// They are the same, by Unicode's simple folding: one letter for one letter.
    Ignored,
}

/// Compiles a pattern, or says in one sentence what is wrong with it.
pub fn compile(pattern: &str, capitals: Capitals) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("The pattern is empty.".into());
    }
    let built = RegexBuilder::new(pattern)
        .case_insensitive(capitals == Capitals::Ignored)
        .size_limit(MOST_COMPILED)
        .build();
    let shown = shown(pattern);
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("The pattern `{shown}` is too large: repeat less in it."),
        error => format!(
            "The pattern `{shown}` is not understood: {}.",
            reason(&error.to_string())
        ),
    })
}

/// A text or pattern for sentences, not longer than a line: what is not seen, or looks like an ordinary space and is none,
/// stands there by its name, such as `\n` or `[U+00A0]`.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(SHOWN) {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_unseen(c) => shown.push_str(&format!("[U+{:04X}]", u32::from(c))),
            c => shown.push(c),
        }
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Blanks other than the ordinary space, controls, and marks of no width. Joiners are not among them: emoji are made of them.
fn is_unseen(c: char) -> bool {
    let blank = c.is_whitespace() && c != ' ';
    let mark = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    blank || mark || c.is_control()
}

/// The one line of a long explanation that says what is wrong.
fn reason(explanation: &str) -> String {
    let line = explanation
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("error: "));
    line.unwrap_or("it is no regular expression")
        .trim_end_matches('.')
        .to_owned()
}

/// What is put in place of a match: text with `$1`, `${1}` or `${name}` for groups, and `$$` for a dollar sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Template {
    /// Reads a template for the groups of a pattern, or says what is wrong with it.
    pub fn new(text: &str, regex: &Regex) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            pieces.push(Piece::Text(before.to_owned()));
            if let Some(after) = after.strip_prefix('$') {
                pieces.push(Piece::Text("$".into()));
                rest = after;
                continue;
            }
            let (name, after) = group_name(after)?;
            pieces.push(Piece::Group(group(name, regex)?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self { pieces })
    }

    /// The text, where there is no group in it.
    #[must_use]
    pub fn plain(&self) -> Option<String> {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Group(_) => None,
        };
        self.pieces.iter().map(text).collect()
    }

    /// Writes it for a match.
    pub fn write(&self, captures: &Captures<'_>, draft: &mut Draft) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => draft.push(text),
                Piece::Group(group) => draft.push(captures.get(*group).map_or("", |found| found.as_str())),
            }
        }
    }
}

/// The name of a group behind a dollar sign, and what stands behind it.
fn group_name(text: &str) -> Result<(&str, &str), String> {
    if let Some((name, after)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return Ok((name, after));
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits == 0 {
        return Err("A `$` stands for a group, as in $1 or ${name}; write $$ for a dollar sign.".into());
    }
    Ok(text.split_at(digits))
}

fn group(name: &str, regex: &Regex) -> Result<usize, String> {
    let groups = regex.captures_len() - 1;
    let known = match name.parse::<usize>() {
        Ok(number) => (number <= groups).then_some(number),
        Err(_) => regex.capture_names().position(|it| it == Some(name)),
    };
    known.ok_or_else(|| match groups {
        0 => format!("There is no group `{name}`: the pattern has no groups."),
        1 => format!("There is no group `{name}`: the pattern has one group."),
        _ => format!("There is no group `{name}`: the pattern has {groups} groups."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_pattern_is_one_sentence() {
        for (pattern, words) in [
            ("(a", "`(a` is not understood: unclosed group."),
            ("a**b[", "unclosed character class."),
            ("(?=a)", "look-around"),
            (r"(a)\1", "backreferences are not supported."),
            ("", "empty"),
            (r"(\w{100}){100}", "too large"),
            (&"(((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9})".repeat(2), "too large"),
        ] {
            let problem = compile(pattern, Capitals::Matter).expect_err(pattern);
            assert!(problem.contains(words) && !problem.contains('\n'), "{problem}");
        }
    }

    #[test]
    fn what_is_not_seen_has_a_name_in_sentences() {
        for (text, wanted) in [
            ("a b", "a b"),
            ("a\u{a0}b\n\t", "a[U+00A0]b\\n\\t"),
            ("\u{200b}\u{7}", "[U+200B][U+0007]"),
            ("👩\u{200d}👧 e\u{301}", "👩\u{200d}👧 e\u{301}"),
        ] {
            assert_eq!(shown(text), wanted);
        }
        assert_eq!(shown(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(shown(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }

    #[test]
    fn templates_name_groups_that_there_are() {
        let regex = compile("(?<day>[0-9]+)/([0-9]+)", Capitals::Matter).expect("a pattern");
        let written = |template: &str| {
            let template = Template::new(template, &regex)?;
            let captures = regex.captures("31/12").expect("a match");
            let mut draft = Draft::default();
            draft.begin(0);
            template.write(&captures, &mut draft);
            Ok::<String, String>(draft.text().to_owned())
        };
        assert_eq!(written("$2-$1").as_deref(), Ok("12-31"));
        assert_eq!(written("${2}0 ${day} $$ $0").as_deref(), Ok("120 31 $ 31/12"));
        assert!(written("$20").is_err_and(|message| message.contains("no group `20`")));
        assert!(written("${month}").is_err_and(|message| message.contains("2 groups")));
        assert!(written("5 $").is_err_and(|message| message.contains("$$")));
        assert!(written("$day").is_err_and(|message| message.contains("${name}")));
    }
}

//! File names: for display only. Nothing is ever stored or opened under them.

/// The longest name in characters, as the database has it.
const LONGEST: usize = 255;

/// A name as it may be shown: its last part, without what does not print or turns the reading direction, not too long.
#[must_use]
pub fn clean(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|it| !is_invisible(*it)).collect();
    let name = name.trim();
    if name.is_empty() || name.chars().all(|it| it == '.') {
        return "unnamed".to_owned();
    }
    shorten(name)
}

/// Keeps the ending, by which people and their systems know what it is.
fn shorten(name: &str) -> String {
    let length = name.chars().count();
    if length <= LONGEST {
        return name.to_owned();
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let kept = ending.chars().count() + 1;
    if ending.is_empty() || kept > 16 {
        return name.chars().take(LONGEST).collect();
    }
    let start: String = name.chars().take(LONGEST - kept).collect();
    format!("{start}.{ending}")
}

/// Control characters, and the marks of Unicode that show nothing but change how their neighbours read: with U+202E
/// `cod.xslx` shows as `xlsx.doc`.
fn is_invisible(it: char) -> bool {
    it.is_control()
        || matches!(it,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_what_people_wrote() {
        for name in [
            "orders.xlsx",
            "Umsätze 2024 (neu).csv",
            "売上.xlsx",
            ".htaccess",
            "a\"; filename=x.xlsx",
            "<b>.xlsx",
        ] {
            assert_eq!(clean(name), name);
        }
    }

    #[test]
    fn paths_and_what_does_not_print_are_left_out() {
        let cases = [
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\kim\\orders.xlsx", "orders.xlsx"),
            ("a.xlsx\0.php", "a.xlsx.php"),
            ("a\r\nSet-Cookie: x.xlsx", "aSet-Cookie: x.xlsx"),
            ("exe.\u{202e}xslx", "exe.xslx"),
            ("  orders.xlsx ", "orders.xlsx"),
            ("", "unnamed"),
            ("..", "unnamed"),
            ("folder/", "unnamed"),
            ("\u{200b}", "unnamed"),
        ];
        for (given, expected) in cases {
            assert_eq!(clean(given), expected, "{given:?}");
        }
    }

    #[test]
    fn long_names_keep_their_ending() {
        let name = clean(&format!("{}.xlsx", "ä".repeat(300)));
        assert_eq!(name.chars().count(), LONGEST);
        assert!(name.ends_with("ä.xlsx"));
        assert_eq!(clean(&"x".repeat(300)).len(), LONGEST);
        assert_eq!(clean(&format!("x.{}", "y".repeat(300))).len(), LONGEST);
    }
}

//! Shows numbers by the sections of a format code.

use super::Token;

/// `General`: up to 15 significant digits, an exponent beyond 20 digits before or 9 zeros behind the point.
pub(super) fn general(number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    // 15 digits are what Excel keeps: 0.1 + 0.2 shows as 0.3.
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    shortest(rounded)
}

/// All digits that are needed to read the same number back.
pub(super) fn shortest(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        return "0".to_owned();
    }
    if (1e-9..1e20).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) if power.starts_with('-') => format!("{digits}E{power}"),
        Some((digits, power)) => format!("{digits}E+{power}"),
        None => text,
    }
}

/// The number by its section: positive, negative, zero. A code without a negative section shows a minus sign.
pub(super) fn show(sections: &[Vec<Token>], number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    let numeric = sections.iter().filter(|s| !s.contains(&Token::Text)).count();
    let (section, value) = match numeric {
        2.. if number < 0.0 => (sections.get(1), number.abs()),
        3.. if number == 0.0 => (sections.get(2), 0.0),
        _ => (sections.first(), number),
    };
    let Some(tokens) = section else { return general(number) };
    // Fractions and text placeholders say nothing about digits.
    if tokens.iter().any(|t| matches!(t, Token::Slash | Token::Text)) {
        return general(number);
    }
    Layout::of(tokens).show(value)
}

/// Where the digits of a section are.
struct Layout<'a> {
    tokens: &'a [Token],
    /// Position of the point or, without one, of the end of the integer digits.
    point: usize,
    /// Digits behind the point, at most and at least.
    most: usize,
    least: usize,
    grouped: bool,
    scale: f64,
    exponent: Option<usize>,
}

impl<'a> Layout<'a> {
    fn of(tokens: &'a [Token]) -> Self {
        let exponent = tokens.iter().position(|t| matches!(t, Token::Exponent(_)));
        let end = exponent.unwrap_or(tokens.len());
        let digit = |t: &Token| matches!(t, Token::Digit(_));
        let last_digit = tokens[..end].iter().rposition(digit).map_or(0, |at| at + 1);
        let point = tokens[..end]
            .iter()
            .position(|t| *t == Token::Point)
            .unwrap_or(last_digit);
        let last_integer = tokens[..point].iter().rposition(digit).unwrap_or(0);
        let first_integer = tokens[..point].iter().position(digit).unwrap_or(0);
        let grouped = tokens[first_integer..last_integer].contains(&Token::Comma);
        // Commas behind the last integer digit divide by a thousand each.
        let thousands = tokens[last_integer..end].iter().filter(|t| **t == Token::Comma).count();
        let percents = tokens.iter().filter(|t| **t == Token::Percent).count();
        let behind: Vec<&Token> = tokens[point..end].iter().filter(|t| digit(t)).collect();
        let least = behind
            .iter()
            .rposition(|t| **t != Token::Digit('#'))
            .map_or(0, |at| at + 1);
        let scale =
            100_f64.powi(i32::try_from(percents).unwrap_or(0)) / 1000_f64.powi(i32::try_from(thousands).unwrap_or(0));
        Self {
            tokens,
            point,
            most: behind.len(),
            least,
            grouped,
            scale,
            exponent,
        }
    }

    fn show(&self, number: f64) -> String {
        if self.tokens.contains(&Token::General) {
            let literals = |t: &Token| match t {
                Token::Literal(text) => text.clone(),
                Token::General => general(number),
                _ => String::new(),
            };
            return self.tokens.iter().map(literals).collect();
        }
        let mut value = number.abs() * self.scale;
        let mut power = 0_i32;
        if self.exponent.is_some() && value > 0.0 {
            let text = format!("{value:.*e}", self.most);
            if let Some((digits, exponent)) = text.split_once('e') {
                value = digits.parse().unwrap_or(value);
                power = exponent.parse().unwrap_or(0);
            }
        }
        let rounded = round_half_up(value, self.most);
        let (whole, fraction) = rounded.split_once('.').unwrap_or((&rounded, ""));
        let mut fraction = fraction.to_owned();
        while fraction.len() > self.least && fraction.ends_with('0') {
            fraction.pop();
        }
        let shows_nothing = whole.bytes().chain(fraction.bytes()).all(|b| b == b'0');
        let mut out = if number < 0.0 && !shows_nothing {
            "-".to_owned()
        } else {
            String::new()
        };
        self.put_integer(&mut out, whole.trim_start_matches('0'));
        self.put_rest(&mut out, &fraction, power);
        out
    }

    /// Integer digits fill their places from the right; what is left over stands at the first place.
    fn put_integer(&self, out: &mut String, whole: &str) {
        let places = self.tokens[..self.point]
            .iter()
            .filter(|t| matches!(t, Token::Digit(_)))
            .count();
        let mut digits: Vec<char> = whole.chars().collect();
        let mut place = places;
        for token in &self.tokens[..self.point] {
            match token {
                Token::Literal(text) => out.push_str(text),
                Token::Percent => out.push('%'),
                Token::Digit(kind) => {
                    let take = if place == places {
                        digits.len().saturating_sub(places) + 1
                    } else {
                        1
                    };
                    let filled = digits.len() >= place;
                    if filled {
                        for (n, digit) in digits.drain(..take).enumerate() {
                            let right = place - 1 + (take - 1 - n);
                            out.push(digit);
                            self.put_separator(out, right);
                        }
                    } else if *kind == '0' {
                        out.push('0');
                        self.put_separator(out, place - 1);
                    } else if *kind == '?' {
                        out.push(' ');
                    }
                    place -= 1;
                }
                _ => {}
            }
        }
    }

    fn put_separator(&self, out: &mut String, digits_to_the_right: usize) {
        if self.grouped && digits_to_the_right > 0 && digits_to_the_right.is_multiple_of(3) {
            out.push(',');
        }
    }

    fn put_rest(&self, out: &mut String, fraction: &str, power: i32) {
        let end = self.exponent.unwrap_or(self.tokens.len());
        let mut digits = fraction.chars();
        for token in &self.tokens[self.point..end] {
            match token {
                Token::Point if !fraction.is_empty() || self.most == 0 || self.least > 0 => out.push('.'),
                Token::Digit(_) => out.extend(digits.next()),
                Token::Literal(text) => out.push_str(text),
                Token::Percent => out.push('%'),
                _ => {}
            }
        }
        let Some(at) = self.exponent else { return };
        let places = self.tokens[at..]
            .iter()
            .filter(|t| matches!(t, Token::Digit(_)))
            .count();
        out.push('E');
        match (&self.tokens[at], power < 0) {
            (_, true) => out.push('-'),
            (Token::Exponent(true), false) => out.push('+'),
            _ => {}
        }
        out.push_str(&format!("{:0places$}", power.unsigned_abs()));
        out.extend(self.tokens[at..].iter().filter_map(|t| {
            if let Token::Literal(text) = t {
                Some(text.as_str())
            } else {
                None
            }
        }));
    }
}

/// Rounds on the shortest decimal digits, half away from zero, as Excel does: 2.675 becomes 2.68 although the float is a little less.
fn round_half_up(value: f64, decimals: usize) -> String {
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() <= decimals {
        return format!("{whole}.{fraction:0<decimals$}");
    }
    let up = fraction.as_bytes().get(decimals).is_some_and(|b| *b >= b'5');
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes().take(decimals)).collect();
    if up {
        let mut at = digits.len();
        loop {
            if at == 0 {
                digits.insert(0, b'1');
                break;
            }
            at -= 1;
            if digits[at] == b'9' {
                digits[at] = b'0';
            } else {
                digits[at] += 1;
                break;
            }
        }
    }
    let cut = digits.len() - decimals;
    let digits: String = digits.into_iter().map(char::from).collect();
    format!("{}.{}", &digits[..cut], &digits[cut..])
}

/// `1,048,576`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

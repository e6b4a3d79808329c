//! From text to a syntax tree, with DataFusion's SQL parser, and from its complaints to our own words with a place.

use sqlparser::ast::{Expr, Spanned};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token};

use super::Fault;

/// Longer expressions are no formulas; the bound also bounds the depth of the tree.
pub(super) const MAX_CHARS: usize = 4_000;

/// A chain of `or` is as deep as it is long.
pub(super) const TOO_DEEP: &str = "The expression has too many parts inside or behind one another. Use a list, `status in ('a', 'b')`, or several steps.";

/// An expression as parsed.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The tree.
    pub(super) tree: Expr,
    places: Places,
}

impl Parsed {
    /// The characters that a part of the tree stands at, where the parser remembers them.
    pub(super) fn span_of(&self, part: &Expr) -> Option<(usize, usize)> {
        self.span(part.span())
    }

    /// The characters of a span.
    pub(super) fn span(&self, span: Span) -> Option<(usize, usize)> {
        self.places.span(span)
    }
}

/// Where the lines of a text begin, in characters.
#[derive(Debug)]
pub(in crate::recipe) struct Places {
    lines: Vec<usize>,
    length: usize,
}

impl Places {
    /// Of this text.
    pub(in crate::recipe) fn of(text: &str) -> Self {
        let line_starts = text
            .chars()
            .enumerate()
            .filter(|(_, c)| *c == '\n')
            .map(|(index, _)| index + 1);
        Self {
            lines: [0].into_iter().chain(line_starts).collect(),
            length: text.chars().count(),
        }
    }

    /// The characters of a span.
    pub(in crate::recipe) fn span(&self, span: Span) -> Option<(usize, usize)> {
        let (start, end) = (self.offset(span.start)?, self.offset(span.end)?);
        Some((start, end.max(start + 1).min(self.length.max(start + 1))))
    }

    fn offset(&self, location: Location) -> Option<usize> {
        let line = self.lines.get(usize::try_from(location.line).ok()?.checked_sub(1)?)?;
        Some(line + usize::try_from(location.column).ok()?.checked_sub(1)?)
    }
}

/// Parses one expression and nothing after it.
pub(super) fn parse(text: &str) -> Result<Parsed, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new("The expression is empty.", None));
    }
    let length = text.chars().count();
    if length > MAX_CHARS {
        return Err(Fault::new(
            format!("The expression is too long: {MAX_CHARS} characters are the limit."),
            None,
        ));
    }
    let places = Places::of(text);
    let dialect = GenericDialect {};
    let parsed = Parser::new(&dialect).try_with_sql(text).and_then(|mut parser| {
        let tree = parser.parse_expr()?;
        let rest = parser.peek_token();
        Ok((tree, rest))
    });
    let (tree, rest) = parsed.map_err(|error| in_words(&error, &places, "expression"))?;
    let parsed = Parsed { tree, places };
    if rest.token != Token::EOF {
        let message = match &rest.token {
            Token::Eq | Token::DoubleEq => "`=` is not expected here.".to_owned(),
            Token::SemiColon => "A `;` has no place here: this is one expression, not a query.".to_owned(),
            token => format!("`{token}` is not expected here; is an operator or a quote missing in front of it?"),
        };
        return Err(Fault::new(message, parsed.span(rest.span)));
    }
    Ok(parsed)
}

/// The parser's messages read "Expected: an expression, found: EOF" or "Unterminated string literal at Line: 1, Column: 5".
/// `what` is what is parsed: an expression or a query.
pub(in crate::recipe) fn in_words(error: &ParserError, places: &Places, what: &str) -> Fault {
    let (lines, length) = (&places.lines, places.length);
    let text = match error {
        ParserError::RecursionLimitExceeded => {
            return Fault::new(TOO_DEEP, None);
        }
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
    };
    let number = |word: &str| -> Option<usize> {
        let after = &text[text.rfind(word)? + word.len()..];
        after
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .ok()
    };
    let place = number("Line: ")
        .zip(number("Column: "))
        .and_then(|(line, column)| Some(lines.get(line.checked_sub(1)?)? + column.checked_sub(1)?));
    let span = place.map(|start| (start.min(length.saturating_sub(1)), (start + 1).min(length).max(1)));
    if text.contains("Unterminated") {
        return Fault::new("A quote is opened here and not closed.", span);
    }
    let found = text
        .split("found: ")
        .nth(1)
        .map(|found| found.split(" at Line").next().unwrap_or(found).trim());
    match found {
        Some("EOF") | None if text.contains("EOF") => Fault::new(
            format!("The {what} ends too early: something is missing at the end."),
            Some((length, length + 1)),
        ),
        Some(found) => Fault::new(format!("`{found}` is not expected here."), span),
        None => Fault::new(format!("The {what} cannot be read from here on."), span),
    }
}

//! One cell (ECMA-376 part 1, section 18.3.1.4).

use super::markup::{Attribute, Markup, Names, Stop, Tag, renames};
use super::text::{add_item, resolve_escapes};

/// A cell as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// Row and column, from 0.
    pub(super) place: (u32, u32),
    /// The position of its style.
    pub(super) style: usize,
    pub(super) value: Content,
    /// It holds a formula that no program has computed.
    pub(super) without_value: bool,
}

/// What a cell holds; texts are in the buffer that is given with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Content {
    Blank,
    Number(f64),
    Boolean(bool),
    /// A shared string; nothing where the index is no number.
    Shared(Option<u32>),
    Text,
    Error,
    /// An ISO 8601 date, date-time or time.
    Iso,
}

/// The type of a cell (section 18.18.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    /// None is said: a number.
    Number,
    Shared,
    Boolean,
    Error,
    Iso,
    FormulaText,
    Inline,
}

/// Reads a cell whose name, given, was read. `next`: its place, where it does not say it.
#[inline]
pub(super) fn cell(
    markup: &mut Markup<'_>,
    names: &Names,
    name: &[u8],
    next: (u32, u32),
    text: &mut String,
) -> Result<Found, Stop> {
    let mut found = Found {
        place: next,
        style: 0,
        value: Content::Blank,
        without_value: false,
    };
    let mut cell_type = Type::Number;
    let end = loop {
        // As all known programs write them.
        if let [b' ', key @ (b'r' | b's' | b't'), b'=', b'"', left @ ..] = markup.left() {
            let (value, left) = quoted(left)?;
            markup.go_on(left);
            match key {
                b'r' => found.place = address(value).ok_or(NO_ADDRESS)?,
                b's' => found.style = whole(value).unwrap_or(0) as usize,
                _ => cell_type = type_of(value)?,
            }
            continue;
        }
        match markup.attribute()? {
            Attribute::Is(b"r", value) => found.place = address(value).ok_or(NO_ADDRESS)?,
            Attribute::Is(b"s", value) => found.style = whole(value).unwrap_or(0) as usize,
            Attribute::Is(b"t", value) => cell_type = type_of(value)?,
            Attribute::Is(other, _) if renames(other) => return Err(Stop::Odd("a namespace of its own")),
            Attribute::Is(..) => {}
            end => break end,
        }
    };
    if end == Attribute::Empty {
        return Ok(found);
    }
    text.clear();
    if matches!(cell_type, Type::Number | Type::Shared)
        && let Some((value, left)) = plain_value(markup.left())
    {
        markup.go_on(left);
        found.value = bare(cell_type, value)?;
        return Ok(found);
    }
    children(markup, names, name, cell_type, &mut found, text)?;
    Ok(found)
}

const NO_ADDRESS: Stop = Stop::Odd("a cell without an address");

/// A short value up to its closing quote, and what stands behind it.
#[inline]
fn quoted(bytes: &[u8]) -> Result<(&[u8], &[u8]), Stop> {
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'"' {
            let (value, left) = bytes.split_at_checked(at).ok_or(Stop::More)?;
            return Ok((value, left.get(1..).unwrap_or_default()));
        }
        if *byte == b'<' {
            return Err(Stop::Odd("a value that does not end"));
        }
    }
    Err(Stop::More)
}

/// What most cells have between their tags: a value and nothing else; and what stands behind the cell.
#[inline]
fn plain_value(left: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = left.strip_prefix(b"<v>")?;
    for (at, byte) in inside.iter().enumerate() {
        match byte {
            b'<' => {
                let (value, left) = inside.split_at_checked(at)?;
                return Some((value, left.strip_prefix(b"</v></c>")?));
            }
            // A reference may stand for a digit.
            b'&' => return None,
            _ => {}
        }
    }
    None
}

/// Reads what is between a cell's tags.
fn children(
    markup: &mut Markup<'_>,
    names: &Names,
    name: &[u8],
    cell_type: Type,
    found: &mut Found,
    text: &mut String,
) -> Result<(), Stop> {
    let (mut formula, mut item, mut values) = (false, false, 0);
    loop {
        markup.text()?;
        let start = match markup.tag()? {
            Tag::End(end) if end == name => break,
            Tag::End(_) => return Err(Stop::Odd("a cell that does not end")),
            Tag::CData(_) | Tag::Comment | Tag::Instruction(_) => continue,
            Tag::Start(start) => start,
        };
        match names.own(start) {
            b"f" if values == 0 => {
                formula = true;
                markup.pass_element()?;
            }
            b"v" if cell_type == Type::Inline => markup.pass_element()?,
            b"v" if values == 0 => {
                values += 1;
                if markup.attributes()? == Attribute::Content {
                    markup.content(start, text)?;
                    found.value = typed(cell_type, text)?;
                }
            }
            b"is" if values == 0 => {
                (values, item) = (1, true);
                if markup.attributes()? == Attribute::Content {
                    add_item(markup, names, start, text)?;
                }
                found.value = Content::Text;
            }
            b"f" | b"v" | b"is" => return Err(Stop::Odd("a cell with two values")),
            _ => markup.pass_element()?,
        }
    }
    let computed = found.value != Content::Blank || cell_type == Type::FormulaText || item;
    found.without_value = formula && !computed;
    Ok(())
}

/// A number or an index, from the bytes of the value.
#[inline]
fn bare(cell_type: Type, value: &[u8]) -> Result<Content, Stop> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return Ok(Content::Blank);
    }
    if cell_type == Type::Shared {
        return Ok(Content::Shared(whole(value)));
    }
    let number = fast_float2::parse(value).map_err(|_none| Stop::Odd("a number that is none"))?;
    Ok(Content::Number(number))
}

/// A value of any type, from its text, which stays where it is.
fn typed(cell_type: Type, text: &mut String) -> Result<Content, Stop> {
    let blank = text.trim_ascii().is_empty();
    Ok(match cell_type {
        Type::Number | Type::Shared => bare(cell_type, text.as_bytes())?,
        Type::FormulaText => {
            resolve_escapes(text, 0);
            Content::Text
        }
        _ if blank => Content::Blank,
        Type::Boolean => match text.trim_ascii() {
            "0" => Content::Boolean(false),
            "1" => Content::Boolean(true),
            word if word.eq_ignore_ascii_case("false") => Content::Boolean(false),
            word if word.eq_ignore_ascii_case("true") => Content::Boolean(true),
            _ => return Err(Stop::Odd("a boolean that is none")),
        },
        Type::Error => {
            *text = text.trim_ascii().to_owned();
            Content::Error
        }
        Type::Iso => Content::Iso,
        Type::Inline => Content::Text,
    })
}

fn type_of(word: &[u8]) -> Result<Type, Stop> {
    Ok(match word {
        b"n" => Type::Number,
        b"s" => Type::Shared,
        b"b" => Type::Boolean,
        b"e" => Type::Error,
        b"d" => Type::Iso,
        b"str" => Type::FormulaText,
        b"inlineStr" => Type::Inline,
        _ => return Err(Stop::Odd("a cell of another type")),
    })
}

/// Row and column, from 0, of an address such as `AB12`. What is too large stays too large.
#[inline]
fn address(text: &[u8]) -> Option<(u32, u32)> {
    let (mut column, mut row) = (0_u32, 0_u32);
    let mut left = text;
    while let [letter @ (b'A'..=b'Z' | b'a'..=b'z'), rest @ ..] = left {
        let value = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.saturating_mul(26).saturating_add(value);
        left = rest;
    }
    while let [digit @ b'0'..=b'9', rest @ ..] = left {
        row = row.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
        left = rest;
    }
    left.is_empty().then_some(())?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

/// A whole number such as that of a row, a style or a string. What is too large stays too large.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let mut number = 0_u32;
    for digit in digits {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = number.saturating_mul(10).saturating_add(u32::from(digit));
    }
    (!digits.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<(Found, String), Stop> {
        let (mut markup, mut text) = (Markup::new(xml.as_bytes()), String::new());
        let found = cell(&mut markup, &Names::default(), b"c", (4, 2), &mut text)?;
        assert_eq!(markup.left(), b"", "{xml}");
        Ok((found, text))
    }

    #[test]
    fn values_are_read_by_their_type() {
        use Content::{Blank, Boolean, Error, Iso, Number, Shared, Text};
        for (xml, value, text) in [
            ("><v>12</v></c>", Number(12.0), ""),
            ("/>", Blank, ""),
            ("></c>", Blank, ""),
            ("><v/></c>", Blank, ""),
            (" t='n'><v> 1e3 </v></c>", Number(1000.0), ""),
            ("><v>&#49;2</v></c>", Number(12.0), "12"),
            ("><v><![CDATA[1]]><!-- -->2</v></c>", Number(12.0), "12"),
            ("><f>1+1</f><v>2</v></c>", Number(2.0), "2"),
            (" t='s'><v>3</v></c>", Shared(Some(3)), ""),
            (" t='s'><v>3x</v></c>", Shared(None), ""),
            (" t='s'><v></v></c>", Blank, ""),
            (" t='b'><v>1</v></c>", Boolean(true), "1"),
            (" t='b'><v>FALSE</v></c>", Boolean(false), "FALSE"),
            (" t='e'><v>#SPILL!</v></c>", Error, "#SPILL!"),
            (" t='d'><v>2024-01-31</v></c>", Iso, "2024-01-31"),
            (" t='str'><f>x</f><v> a&lt;_x0042_ </v></c>", Text, " a<B "),
            (" t='inlineStr'><is><t>a</t></is></c>", Text, "a"),
            (" t='inlineStr'><is/></c>", Text, ""),
            ("><v>1</v><extLst><ext><v>2</v></ext></extLst></c>", Number(1.0), "1"),
        ] {
            let found = read(xml).map(|(found, text)| (found.place, found.value, text));
            assert_eq!(found, Ok(((4, 2), value, text.to_owned())), "{xml}");
        }
    }

    #[test]
    fn what_is_cut_off_asks_for_more_and_what_is_odd_is_left() {
        let whole = " r=\"B3\" s='7' t=\"str\"><f a='>'>1 &amp; 2</f><v>x<![CDATA[y]]></v></c>";
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), Err(Stop::More), "{}", &whole[..end]);
        }
        let (found, text) = read(whole).unwrap_or_else(|stop| panic!("{stop:?}"));
        assert_eq!((found.place, found.style, text.as_str()), ((2, 1), 7, "xy"));
        for odd in [
            " r=''/>",
            " r='A'/>",
            " t='x'/>",
            " t='b'><v>2</v></c>",
            "><v>x</v></c>",
            "><v>1</v><v>2</v></c>",
            "><v>1</v></d>",
            "><v>1<b/></v></c>",
            " xmlns='x'/>",
            " r/>",
            " r='A1><v>1</v></c>",
            "><!DOCTYPE x></c>",
        ] {
            assert!(matches!(read(odd), Err(Stop::Odd(_))), "{odd}");
        }
    }

    #[test]
    fn formulas_without_a_value_are_known() {
        for (xml, without) in [
            ("><f>A1</f></c>", true),
            ("><f t='shared' si='0'/><v></v></c>", true),
            (" t='str'><f>A1</f><v></v></c>", false),
            ("><f>A1</f><v>0</v></c>", false),
            ("><v></v></c>", false),
        ] {
            assert_eq!(read(xml).map(|(found, _)| found.without_value), Ok(without), "{xml}");
        }
    }

    #[test]
    fn addresses_that_are_too_large_stay_so() {
        assert_eq!(address(b"xfd1048576"), Some((1_048_575, 16_383)));
        assert_eq!(address(b"A99999999999999"), Some((u32::MAX - 1, 0)));
        assert_eq!(address(b"ZZZZZZZZZZ1").map(|place| place.1), Some(u32::MAX - 1));
        for wrong in [&b"A0"[..], b"12", b"$A$1", b"A1:B2", "ä1".as_bytes()] {
            assert_eq!(address(wrong), None);
        }
    }
}

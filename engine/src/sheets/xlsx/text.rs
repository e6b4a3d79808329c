//! Texts of cells: runs, phonetic guides, white space and escapes (ECMA-376 part 1, sections 18.4.8, 18.3.1.53, 22.9.2.19).

use super::markup::{Attribute, Markup, Names, Stop, Tag};

/// Reads the content of a string item or an inline string up to its end tag, whose name is given, and adds its text to `out`.
pub(super) fn add_item(markup: &mut Markup<'_>, names: &Names, name: &[u8], out: &mut String) -> Result<(), Stop> {
    loop {
        markup.text()?;
        match markup.tag()? {
            Tag::End(end) if end == name => return Ok(()),
            Tag::Start(start) => match names.own(start) {
                b"t" => add_run(markup, start, out)?,
                // Its text is in it.
                b"r" => {
                    markup.attributes()?;
                }
                // A phonetic guide is no part of the text, and neither are fonts.
                _ => markup.pass_element()?,
            },
            Tag::End(_) | Tag::CData(_) | Tag::Comment | Tag::Instruction(_) => {}
        }
    }
}

/// Reads `t`, whose name was read.
fn add_run(markup: &mut Markup<'_>, name: &[u8], out: &mut String) -> Result<(), Stop> {
    let mut preserved = false;
    loop {
        match markup.attribute()? {
            Attribute::Is(b"xml:space", value) => preserved = value == b"preserve",
            Attribute::Is(..) => {}
            Attribute::Empty => return Ok(()),
            Attribute::Content => break,
        }
    }
    let from = out.len();
    markup.content(name, out)?;
    if !preserved {
        trim(out, from);
    }
    resolve_escapes(out, from);
    Ok(())
}

/// Excel drops white space at the edges of a text that does not ask to keep it.
fn trim(out: &mut String, from: usize) {
    let white = [' ', '\t', '\r', '\n'];
    let added = out.get(from..).unwrap_or_default();
    let length = added.trim_end_matches(white).len();
    out.truncate(from + length);
    let added = out.get(from..).unwrap_or_default();
    let before = added.len() - added.trim_start_matches(white).len();
    if before > 0 {
        out.drain(from..from + before);
    }
}

/// Puts characters in the place of `_xHHHH_`, which stands for one that XML does not have, or for half of one.
pub(super) fn resolve_escapes(out: &mut String, from: usize) {
    let added = out.get(from..).unwrap_or_default();
    if !added.contains("_x") {
        return;
    }
    let (mut resolved, mut rest) = (String::with_capacity(added.len()), added);
    while let Some((before, after)) = rest.split_once('_') {
        resolved.push_str(before);
        let Some((unit, after)) = escape(after) else {
            resolved.push('_');
            rest = after;
            continue;
        };
        let second = after.strip_prefix('_').and_then(escape);
        let (c, after) = match second.map(|(low, after)| (pair(unit, low), after)) {
            Some((Some(c), after)) => (c, after),
            // What follows a first half and is a half too goes with it, whatever it is.
            _ => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), after),
        };
        resolved.push(c);
        rest = after;
    }
    resolved.push_str(rest);
    out.truncate(from);
    out.push_str(&resolved);
}

/// The UTF-16 unit of an escape without its first `_`, and what stands behind it.
fn escape(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.strip_prefix('x')?.split_at_checked(4)?;
    let rest = rest.strip_prefix('_')?;
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)?;
    Some((unit, rest))
}

fn pair(high: u32, low: u32) -> Option<char> {
    let halves = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
    let code = 0x1_0000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
    halves.then(|| char::from_u32(code)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(xml: &str) -> Result<String, Stop> {
        let mut out = String::new();
        add_item(&mut Markup::new(xml.as_bytes()), &Names::default(), b"si", &mut out)?;
        Ok(out)
    }

    #[test]
    fn the_runs_of_an_item_are_one_text() {
        for (xml, text) in [
            ("<t>a</t></si>", "a"),
            (
                "<r><rPr><b/></rPr><t>a</t></r><r><t xml:space='preserve'> b</t></r></si>",
                "a b",
            ),
            (
                "<t> a </t><rPh sb='0' eb='1'><t>x</t></rPh><phoneticPr fontId='1'/></si>",
                "a",
            ),
            ("<t/></si>", ""),
            ("</si>", ""),
            (
                "<t>a&amp;&#65;&#x4a;<![CDATA[<&amp;>]]>b<!-- c -->d</t></si>",
                "a&AJ<&amp;>bd",
            ),
            ("<t>a\r\nb\rc&#13;d</t></si>", "a\nb\nc\rd"),
            (
                "<t>_x0041_ _x005F_x0041_ _xD83D__xDE00__xD83D__x00e9_ _x41_</t></si>",
                "A _x0041_ 😀\u{fffd}é _x41_",
            ),
        ] {
            assert_eq!(item(xml).as_deref(), Ok(text), "{xml}");
        }
        assert_eq!(item("<t>a"), Err(Stop::More));
        assert!(matches!(item("<t>&own;</t></si>"), Err(Stop::Odd(_))));
    }
}

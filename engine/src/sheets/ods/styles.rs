//! Number formats of OpenDocument cell styles, as Excel writes them (OpenDocument 1.3 part 3, section 16.29).

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use crate::sheets::number_format::GENERAL;

/// Styles that are kept of each sort: honest workbooks have hundreds.
const MOST: usize = 65_536;
/// Bytes of a code: Excel takes 255 characters.
const LONGEST: usize = 255;
/// Links from one style to another that are followed.
const DEEPEST: usize = 8;

/// The styles of a workbook, seen one after the other.
#[derive(Debug, Default)]
pub(super) struct Styles {
    /// Data styles: their code, and the styles that take their place where a condition holds.
    data: HashMap<String, (String, Vec<String>)>,
    /// Cell styles: their data style, and the style that they go on from.
    cells: HashMap<String, (Option<String>, Option<String>)>,
    open: Option<Open>,
}

/// A data style that is being read.
#[derive(Debug)]
struct Open {
    name: String,
    kind: String,
    code: String,
    maps: Vec<String>,
    /// Whether text is a part of the code.
    in_text: bool,
    /// Hours that go on beyond 24.
    overflows: bool,
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|it| it.key.as_ref() == name)?;
    Some(found.value.to_string())
}

fn count(tag: &BytesStart<'_>, name: &str) -> Option<usize> {
    attribute(tag, name)?.parse().ok().filter(|count| *count <= 30)
}

fn is_long(tag: &BytesStart<'_>) -> bool {
    attribute(tag, "number:style").as_deref() == Some("long")
}

impl Styles {
    /// Looks at a piece of the content or of the part with styles.
    pub(super) fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::Empty(tag) => {
                self.begin(tag);
                self.end(tag.name().as_ref());
            }
            Event::Text(text) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.in_text) {
                    open.literal(text.as_ref());
                }
            }
            Event::End(tag) => self.end(tag.name().as_ref()),
            _ => {}
        }
    }

    fn begin(&mut self, tag: &BytesStart<'_>) {
        let name = tag.name();
        let name = name.as_ref();
        if let Some(open) = &mut self.open {
            open.begin(name, tag);
        } else if name == "style:style" && attribute(tag, "style:family").as_deref() == Some("table-cell") {
            let links = (
                attribute(tag, "style:data-style-name"),
                attribute(tag, "style:parent-style-name"),
            );
            if let Some(name) = attribute(tag, "style:name").filter(|_| self.cells.len() < MOST) {
                self.cells.insert(name, links);
            }
        } else if let (Some(kind), Some(style)) = (data_style(name), attribute(tag, "style:name")) {
            self.open = Some(Open {
                name: style,
                kind: kind.to_owned(),
                code: String::new(),
                maps: Vec::new(),
                in_text: false,
                overflows: attribute(tag, "number:truncate-on-overflow").as_deref() == Some("false"),
            });
        }
    }

    fn end(&mut self, name: &str) {
        let Some(open) = &mut self.open else { return };
        open.in_text = false;
        if data_style(name).is_some_and(|kind| kind == open.kind)
            && let Some(open) = self.open.take()
            && self.data.len() < MOST
        {
            let code = if open.kind == "text" { "@".to_owned() } else { open.code };
            self.data.insert(open.name, (code, open.maps));
        }
    }

    /// The format code of a cell style.
    pub(super) fn code(&self, style: &str) -> String {
        let mut style = style.to_owned();
        for _ in 0..DEEPEST {
            match self.cells.get(&style) {
                Some((Some(data), _)) => return self.data_code(data),
                Some((None, Some(parent))) => style.clone_from(parent),
                _ => break,
            }
        }
        GENERAL.to_owned()
    }

    /// Positive, negative, zero: as many sections as there are conditions, and the style's own.
    fn data_code(&self, data: &str) -> String {
        let Some((own, maps)) = self.data.get(data) else {
            return GENERAL.to_owned();
        };
        let of = |name: &String| self.data.get(name).map(|(code, _)| code.as_str());
        let mut sections: Vec<&str> = maps.iter().filter_map(of).take(2).collect();
        // The rest of a style with conditions may be nothing but a place for text.
        if sections.is_empty() || !(own.is_empty() || own == "@") {
            sections.push(own);
        }
        let code = sections.join(";");
        if code.is_empty() || code.len() > LONGEST {
            GENERAL.to_owned()
        } else {
            code
        }
    }
}

/// What sort of data style an element is.
fn data_style(name: &str) -> Option<&str> {
    let kind = name.strip_prefix("number:")?.strip_suffix("-style")?;
    matches!(kind, "number" | "percentage" | "currency" | "date" | "time" | "text").then_some(kind)
}

impl Open {
    fn begin(&mut self, name: &str, tag: &BytesStart<'_>) {
        let part = match name {
            "number:text" | "number:currency-symbol" => {
                self.in_text = true;
                return;
            }
            "style:map" => {
                self.maps
                    .extend(attribute(tag, "style:apply-style-name").filter(|_| self.maps.len() < 2));
                return;
            }
            "number:number" => number(tag),
            "number:scientific-number" => format!("{}E+00", number(tag)),
            "number:fraction" => "# ?/?".to_owned(),
            "number:day" => if is_long(tag) { "dd" } else { "d" }.to_owned(),
            "number:month" => match (attribute(tag, "number:textual").as_deref(), is_long(tag)) {
                (Some("true"), true) => "mmmm",
                (Some("true"), false) => "mmm",
                (_, true) => "mm",
                (_, false) => "m",
            }
            .to_owned(),
            "number:year" => if is_long(tag) { "yyyy" } else { "yy" }.to_owned(),
            "number:day-of-week" => if is_long(tag) { "dddd" } else { "ddd" }.to_owned(),
            "number:hours" if self.overflows => "[h]".to_owned(),
            "number:hours" => if is_long(tag) { "hh" } else { "h" }.to_owned(),
            "number:minutes" => if is_long(tag) { "mm" } else { "m" }.to_owned(),
            "number:seconds" => {
                let whole = if is_long(tag) { "ss" } else { "s" };
                match count(tag, "number:decimal-places") {
                    Some(places) if places > 0 => format!("{whole}.{}", "0".repeat(places)),
                    _ => whole.to_owned(),
                }
            }
            "number:am-pm" => "AM/PM".to_owned(),
            _ => return,
        };
        self.push(&part);
    }

    fn push(&mut self, part: &str) {
        if self.code.len() + part.len() <= LONGEST {
            self.code.push_str(part);
        }
    }

    /// Text that shows as it stands: quoted, but for what separates parts of dates, and the sign of percentages.
    fn literal(&mut self, text: &str) {
        let plain = |c: char| {
            matches!(c, ' ' | '-' | '/' | '.' | ':' | ',' | '(' | ')') || c == '%' && self.kind == "percentage"
        };
        if text.chars().all(plain) {
            self.push(text);
        } else {
            let quoted: String = text.chars().filter(|c| *c != '"').collect();
            self.push(&format!("\"{quoted}\""));
        }
    }
}

/// `0`, `#,##0.00` or the like; a number without a count of places shows as it is.
fn number(tag: &BytesStart<'_>) -> String {
    let Some(places) = count(tag, "number:decimal-places") else {
        let digits = count(tag, "number:min-integer-digits").unwrap_or(1);
        return if digits > 1 {
            "0".repeat(digits)
        } else {
            GENERAL.to_owned()
        };
    };
    let least = count(tag, "number:min-decimal-places").unwrap_or(places).min(places);
    let digits = count(tag, "number:min-integer-digits").unwrap_or(1);
    let grouped = attribute(tag, "number:grouping").as_deref() == Some("true");
    let whole = match (grouped, digits) {
        (true, 0) => "#,###".to_owned(),
        (true, 1..=4) => format!("#,{}{}", "#".repeat(3_usize.saturating_sub(digits)), "0".repeat(digits)),
        (_, 0) => "#".to_owned(),
        (_, digits) => "0".repeat(digits),
    };
    if places == 0 {
        return whole;
    }
    format!("{whole}.{}{}", "0".repeat(least), "#".repeat(places - least))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(xml: &str, names: &[&str]) -> Vec<String> {
        let mut styles = Styles::default();
        let mut reader = quick_xml::Reader::from_str(xml);
        loop {
            match reader.read_event() {
                Ok(Event::Eof) | Err(_) => break,
                Ok(event) => styles.see(&event),
            }
        }
        names.iter().map(|name| styles.code(name)).collect()
    }

    #[test]
    fn styles_are_told_as_excel_writes_them() {
        let xml = r#"
            <number:number-style style:name="N1"><number:number number:decimal-places="0" number:min-integer-digits="5"/></number:number-style>
            <number:percentage-style style:name="N2"><number:number number:decimal-places="1" number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style>
            <number:currency-style style:name="N3P0" style:volatile="true"><number:number number:decimal-places="2" number:min-integer-digits="1" number:grouping="true"/><number:text> </number:text><number:currency-symbol>€</number:currency-symbol></number:currency-style>
            <number:currency-style style:name="N3"><style:text-properties fo:color="red"/><number:text>-</number:text><number:number number:decimal-places="2" number:min-integer-digits="1" number:grouping="true"/><number:text> </number:text><number:currency-symbol>€</number:currency-symbol><style:map style:condition="value()&gt;=0" style:apply-style-name="N3P0"/></number:currency-style>
            <number:date-style style:name="N4"><number:day number:style="long"/><number:text>.</number:text><number:month number:style="long"/><number:text>.</number:text><number:year number:style="long"/></number:date-style>
            <number:time-style style:name="N5" number:truncate-on-overflow="false"><number:hours/><number:text>:</number:text><number:minutes number:style="long"/></number:time-style>
            <number:number-style style:name="N6"><number:number number:min-integer-digits="1"/></number:number-style>
            <number:text-style style:name="N7"><number:text-content/></number:text-style>
            <style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>
            <style:style style:name="ce2" style:family="table-cell" style:data-style-name="N2"/>
            <style:style style:name="ce3" style:family="table-cell" style:data-style-name="N3"/>
            <style:style style:name="ce4" style:family="table-cell" style:data-style-name="N4"/>
            <style:style style:name="ce5" style:family="table-cell" style:data-style-name="N5"/>
            <style:style style:name="ce6" style:family="table-cell" style:parent-style-name="ce5"/>
            <style:style style:name="ce7" style:family="table-cell" style:data-style-name="N6"/>
            <style:style style:name="ce8" style:family="table-cell" style:data-style-name="N7"/>
            <style:style style:name="loop" style:family="table-cell" style:parent-style-name="loop"/>"#;
        let names = ["ce1", "ce2", "ce3", "ce4", "ce5", "ce6", "ce7", "ce8", "loop", "none"];
        assert_eq!(
            codes(xml, &names),
            [
                "00000",
                "0.0%",
                "#,##0.00 \"€\";-#,##0.00 \"€\"",
                "dd.mm.yyyy",
                "[h]:mm",
                "[h]:mm",
                "General",
                "@",
                "General",
                "General"
            ]
        );
    }

    #[test]
    fn numbers_have_digits_and_groups() {
        let code = |attributes: &str| {
            let xml = format!(
                "<number:number-style style:name=\"N\"><number:number {attributes}/></number:number-style>\
                 <style:style style:name=\"c\" style:family=\"table-cell\" style:data-style-name=\"N\"/>"
            );
            codes(&xml, &["c"]).remove(0)
        };
        assert_eq!(
            code(r#"number:decimal-places="3" number:min-decimal-places="1" number:min-integer-digits="1""#),
            "0.0##"
        );
        assert_eq!(code(r#"number:decimal-places="0" number:grouping="true""#), "#,##0");
        assert_eq!(code(r#"number:decimal-places="0" number:min-integer-digits="0""#), "#");
        assert_eq!(code(r#"number:decimal-places="9999999999""#), "General");
    }
}

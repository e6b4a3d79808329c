//! How a stored object is given away over HTTP: with its own name (RFC 6266), in ranges (RFC 9110, section 14), through us
//! or by an address past us. Words only: both fronts make their answers of it.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{ByteRange, ByteStream, Download, Key, Result, Storage};
use crate::domain::ids::Sha256;

/// What RFC 5987 lets stand as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'#');
/// How long an address past us is good: a download begins at once.
const VALID: Duration = Duration::from_secs(60);

/// An object that somebody may have.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Where it is.
    pub key: &'a Key,
    /// Its name for people.
    pub name: &'a str,
    /// The `Content-Type` header.
    pub content_type: &'a str,
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Sha256,
}

/// The headers that a client asked with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// `If-None-Match`
    pub if_none_match: Option<&'a str>,
    /// `If-Range`
    pub if_range: Option<&'a str>,
    /// `Range`
    pub range: Option<&'a str>,
}

/// What the client gets.
pub enum Delivery {
    /// It has these bytes, whose tag this is.
    Unchanged(String),
    /// They are at this address for a short time.
    Elsewhere(String),
    /// There are no bytes in the range asked for, only so many.
    Beyond(u64),
    /// The bytes.
    Bytes(Shipment),
}

/// Bytes on their way.
pub struct Shipment {
    /// Whether they are a part of the object.
    pub is_part: bool,
    /// How many they are.
    pub length: u64,
    /// What stands above them.
    pub headers: Vec<(&'static str, String)>,
    /// They.
    pub stream: ByteStream,
}

/// Decides what a client gets of an object.
///
/// # Errors
/// The store's.
pub async fn deliver(storage: &dyn Storage, offer: &Offer<'_>, asked: &Asked<'_>) -> Result<Delivery> {
    let tag = format!("\"{}\"", offer.sha256);
    let knows = |known: &str| known.split(',').any(|it| it.trim() == tag);
    if asked.if_none_match.is_some_and(knows) {
        return Ok(Delivery::Unchanged(tag));
    }
    let disposition = attachment(offer.name);
    let download = Download {
        disposition: &disposition,
        content_type: offer.content_type,
        valid: VALID,
    };
    if let Some(address) = storage.link(offer.key, &download).await? {
        return Ok(Delivery::Elsewhere(address));
    }
    // A range of other bytes than the client has begun with would be a broken file.
    let unchanged = asked.if_range.is_none_or(|known| known == tag);
    let wanted = asked.range.filter(|_| unchanged);
    let part = match wanted.and_then(|it| range(it, offer.bytes)) {
        Some(Wanted::Beyond) => return Ok(Delivery::Beyond(offer.bytes)),
        Some(Wanted::Part(part)) => Some(part),
        None => None,
    };
    let length = part.map_or(offer.bytes, |it| it.length);
    let mut headers = vec![
        ("content-type", offer.content_type.to_owned()),
        ("content-disposition", disposition),
        ("content-security-policy", "sandbox; default-src 'none'".to_owned()),
        // Compressed, the ranges and the length would be of other bytes.
        ("content-encoding", "identity".to_owned()),
        ("accept-ranges", "bytes".to_owned()),
        ("cache-control", "private, no-cache".to_owned()),
        ("etag", tag),
    ];
    if let Some(ByteRange { start, length }) = part {
        let last = start + length - 1;
        headers.push(("content-range", format!("bytes {start}-{last}/{}", offer.bytes)));
    }
    Ok(Delivery::Bytes(Shipment {
        is_part: part.is_some(),
        length,
        headers,
        stream: storage.get(offer.key, part).await?,
    }))
}

/// What a `Range` header wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Part(ByteRange),
    Beyond,
}

/// One range of bytes. Several at once, other units and nonsense are ignored, as RFC 9110 allows: all bytes follow.
fn range(header: &str, bytes: u64) -> Option<Wanted> {
    let (first, last) = header.strip_prefix("bytes=")?.trim().split_once('-')?;
    let (start, end) = match (first.trim(), last.trim()) {
        ("", "") => return None,
        ("", length) => match length.parse::<u64>().ok()? {
            0 => return Some(Wanted::Beyond),
            length => (bytes.saturating_sub(length), bytes),
        },
        (start, "") => (start.parse().ok()?, bytes),
        (start, last) => {
            let (start, last) = (start.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
            if last < start {
                return None;
            }
            (start, last.saturating_add(1).min(bytes))
        }
    };
    if start >= bytes {
        return Some(Wanted::Beyond);
    }
    Some(Wanted::Part(ByteRange {
        start,
        length: end - start,
    }))
}

/// `attachment` with the name twice: plain for old programs, and whole (RFC 6266, section 4.3).
#[must_use]
pub fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !"\"\\%/;".contains(c) || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let clean: String = name
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| if "/\\".contains(c) { '_' } else { c })
        .collect();
    format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        utf8_percent_encode(&clean, PLAIN)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: u64, length: u64) -> Option<Wanted> {
        Some(Wanted::Part(ByteRange { start, length }))
    }

    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        assert_eq!(range("bytes=0-499", 1_000), part(0, 500));
        assert_eq!(range("bytes=500-", 1_000), part(500, 500));
        assert_eq!(range("bytes=-200", 1_000), part(800, 200));
        assert_eq!(range("bytes=-2000", 1_000), part(0, 1_000));
        assert_eq!(range("bytes=900-2000", 1_000), part(900, 100));
        assert_eq!(range("bytes=1000-", 1_000), Some(Wanted::Beyond));
        assert_eq!(range("bytes=0-", 0), Some(Wanted::Beyond));
        assert_eq!(range("bytes=-0", 1_000), Some(Wanted::Beyond));
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=-", ""] {
            assert_eq!(range(header, 1_000), None, "{header}");
        }
    }

    #[test]
    fn a_name_is_given_twice_and_cannot_break_out() {
        assert_eq!(
            attachment("a b.xlsx"),
            "attachment; filename=\"a b.xlsx\"; filename*=UTF-8''a%20b.xlsx"
        );
        assert_eq!(
            attachment("Städte\".csv"),
            "attachment; filename=\"St_dte_.csv\"; filename*=UTF-8''St%C3%A4dte%22.csv"
        );
        assert!(!attachment("a\r\nSet-Cookie: x=1").contains(['\r', '\n']));
    }
}

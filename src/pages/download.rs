//! Bytes for a browser to keep: with their own name (RFC 6266), in ranges (RFC 9110, section 14), as a stream.

use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE,
};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{PageError, Pages};
use crate::domain::ids::Sha256;
use crate::storage::{ByteRange, Download, Key};

/// What RFC 5987 lets stand as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'#');

/// What is offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<'a> {
    pub key: &'a Key,
    pub name: &'a str,
    pub content_type: &'a str,
    pub bytes: u64,
    pub sha256: Sha256,
}

/// Answers with the bytes, or the part of them that was asked for.
pub(super) async fn answer(request: &HttpRequest, pages: &Pages, offer: Offer<'_>) -> Result<HttpResponse, PageError> {
    let header = |name| request.headers().get(name).and_then(|it| it.to_str().ok());
    let tag = format!("\"{}\"", offer.sha256);
    if header(IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|it| it.trim() == tag)) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    if let Some(address) = elsewhere(pages, &offer).await? {
        return Ok(HttpResponse::TemporaryRedirect()
            .insert_header((LOCATION, address))
            .finish());
    }
    // A range of other bytes than the browser has begun with would be a broken file.
    let unchanged = header(IF_RANGE).is_none_or(|known| known == tag);
    let wanted = match header(RANGE)
        .filter(|_| unchanged)
        .and_then(|it| range(it, offer.bytes))
    {
        Some(Wanted::Beyond) => return Err(PageError::OutOfRange(offer.bytes)),
        Some(Wanted::Part(part)) => Some(part),
        None => None,
    };
    let stream = pages.storage.get(offer.key, wanted).await?;
    let mut response = match wanted {
        Some(_) => HttpResponse::PartialContent(),
        None => HttpResponse::Ok(),
    };
    if let Some(ByteRange { start, length }) = wanted {
        response.insert_header((
            CONTENT_RANGE,
            format!("bytes {start}-{}/{}", start + length - 1, offer.bytes),
        ));
    }
    let length = wanted.map_or(offer.bytes, |it| it.length);
    response
        .insert_header((CONTENT_TYPE, offer.content_type))
        .insert_header((CONTENT_DISPOSITION, disposition(offer.name)))
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((ETAG, tag))
        .insert_header((CONTENT_LENGTH, length));
    let stream = futures_util::TryStreamExt::map_err(stream, PageError::from);
    Ok(response.body(SizedStream::new(length, stream)))
}

/// How long an address past us is good: a download begins at once.
const VALID: Duration = Duration::from_secs(60);

/// Where a browser gets the bytes past us, if it can reach the store at all.
async fn elsewhere(pages: &Pages, offer: &Offer<'_>) -> Result<Option<String>, PageError> {
    let disposition = disposition(offer.name);
    let download = Download {
        disposition: &disposition,
        content_type: offer.content_type,
        valid: VALID,
    };
    Ok(pages.storage.link(offer.key, &download).await?)
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
fn disposition(name: &str) -> String {
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
            disposition("a b.xlsx"),
            "attachment; filename=\"a b.xlsx\"; filename*=UTF-8''a%20b.xlsx"
        );
        assert_eq!(
            disposition("Städte\".csv"),
            "attachment; filename=\"St_dte_.csv\"; filename*=UTF-8''St%C3%A4dte%22.csv"
        );
        assert!(!disposition("a\r\nSet-Cookie: x=1").contains(['\r', '\n']));
    }
}

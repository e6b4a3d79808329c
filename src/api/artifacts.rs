//! The bytes that runs made.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::caller::Bearer;
use super::{Api, Error};
use crate::database::artifacts;
use crate::domain::ids::ArtifactId;
use crate::storage::ByteRange;

/// Gives an artifact's bytes, or a range of them.
#[utoipa::path(
    get,
    path = "/api/v1/artifacts/{id}",
    tag = "artifacts",
    params(("id" = String, Path, description = "The artifact"), ("Range" = Option<String>, Header, description = "`bytes=FIRST-LAST`")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes asked for", content_type = "application/octet-stream"),
        (status = 307, description = "The bytes are at another address for a short time"),
        (status = 404, description = "There is no such artifact", body = super::error::Problem),
        (status = 416, description = "There are no such bytes", body = super::error::Problem),
    )
)]
pub(super) async fn download(
    request: HttpRequest,
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<ArtifactId>,
) -> Result<HttpResponse, Error> {
    let found = artifacts::find(&mut *api.pool.acquire().await?, caller.user, *id).await?;
    let artifact = found.ok_or(Error::NotFound("artifact"))?;
    let size = u64::try_from(artifact.bytes).unwrap_or_default();
    let range = range(&request, size)?;
    let key = artifact
        .storage_key
        .parse()
        .map_err(|_unknown| Error::Internal(format!("no key: {}", artifact.storage_key)))?;
    let bytes = api.storage.get(&key, range).await?;
    let mut response = match range {
        Some(range) => {
            let mut response = HttpResponse::PartialContent();
            let last = range.start + range.length - 1;
            response.insert_header((header::CONTENT_RANGE, format!("bytes {}-{last}/{size}", range.start)));
            response.no_chunking(range.length);
            response
        }
        None => {
            let mut response = HttpResponse::Ok();
            response.no_chunking(size);
            response
        }
    };
    response
        .content_type(artifact.content_type)
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, format!("\"{}\"", artifact.sha256)))
        .insert_header((header::CONTENT_DISPOSITION, disposition(&artifact.name)))
        .insert_header((header::CONTENT_ENCODING, "identity"));
    Ok(response.streaming(bytes))
}

/// What RFC 8187 lets stand unencoded in `filename*`.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name for browsers old and new, as RFC 6266 has it.
fn disposition(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|it| {
            if it.is_ascii_graphic() && !matches!(it, '"' | '\\' | '%') || it == ' ' {
                it
            } else {
                '_'
            }
        })
        .collect();
    format!(
        "attachment; filename=\"{ascii}\"; filename*=UTF-8''{}",
        utf8_percent_encode(name, PLAIN)
    )
}

/// The single range that is asked for (RFC 9110, 14.2); several, or other units, are passed over.
fn range(request: &HttpRequest, size: u64) -> Result<Option<ByteRange>, Error> {
    let Some(text) = request.headers().get(header::RANGE).and_then(|it| it.to_str().ok()) else {
        return Ok(None);
    };
    parse_range(text, size)
}

fn parse_range(text: &str, size: u64) -> Result<Option<ByteRange>, Error> {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|it| it.split_once('-')) else {
        return Ok(None);
    };
    let (first, last) = (first.trim(), last.trim());
    let bounds = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) => Some((first, last.min(size.saturating_sub(1)))),
        (Ok(first), Err(_)) if last.is_empty() => Some((first, size.saturating_sub(1))),
        (Err(_), Ok(count)) if first.is_empty() => {
            (count > 0).then(|| (size.saturating_sub(count), size.saturating_sub(1)))
        }
        _ => return Ok(None),
    };
    match bounds {
        Some((start, end)) if start <= end && start < size => Ok(Some(ByteRange {
            start,
            length: end - start + 1,
        })),
        _ => Err(Error::Range(size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        let range = |text| parse_range(text, 100).ok().flatten().map(|it| (it.start, it.length));
        assert_eq!(range("bytes=0-9"), Some((0, 10)));
        assert_eq!(range("bytes=90-"), Some((90, 10)));
        assert_eq!(range("bytes=-5"), Some((95, 5)));
        assert_eq!(range("bytes=50-500"), Some((50, 50)));
        assert_eq!(range("bytes=0-1,5-6"), None);
        assert_eq!(range("rows=0-1"), None);
    }

    #[test]
    fn a_range_beyond_the_end_is_refused() {
        for text in ["bytes=100-", "bytes=9-3", "bytes=-0"] {
            assert!(matches!(parse_range(text, 100), Err(Error::Range(100))), "{text}");
        }
        assert!(parse_range("bytes=0-", 0).is_err());
    }

    #[test]
    fn names_stay_whole_and_break_no_header() {
        assert_eq!(
            disposition("Ü \"x\".xlsx"),
            "attachment; filename=\"_ _x_.xlsx\"; filename*=UTF-8''%C3%9C%20%22x%22.xlsx"
        );
        assert!(!disposition("a\r\nb").contains('\n'));
    }
}

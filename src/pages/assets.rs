//! Style sheet, scripts and icons, inside the binary. One hash over all of them is in their address, so that a browser
//! may keep them for ever and modules find one another by relative names.

use std::sync::OnceLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::error::PageError;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// Where an asset is: `/assets/{hash}/{path}`.
#[must_use]
pub fn url(path: &str) -> String {
    format!("/assets/{}/{path}", hash())
}

/// Where an icon of the sprite is.
#[must_use]
pub fn icon(name: &str) -> String {
    format!("/assets/{}/icons.svg#{name}", hash())
}

/// The first half of the hash over all names and contents.
fn hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let mut paths: Vec<_> = Assets::iter().collect();
        paths.sort();
        let mut sum = Sha256::new();
        for path in paths {
            sum.update(path.as_bytes());
            if let Some(file) = Assets::get(&path) {
                sum.update(file.metadata.sha256_hash());
            }
        }
        hex::encode(&sum.finalize()[..10])
    })
}

/// `GET /assets/{hash}/{path}`: any hash is answered with the present content, but only the right one is kept for ever.
pub(super) async fn asset(path: web::Path<(String, String)>) -> Result<HttpResponse, PageError> {
    let (asked, path) = path.into_inner();
    let file = Assets::get(&path).ok_or(PageError::NotFound)?;
    let kept = if asked == hash() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, content_type(&path)))
        .insert_header((CACHE_CONTROL, kept));
    Ok(response.body(web::Bytes::from(file.data.into_owned())))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_that_a_state_or_template_names_is_in_the_sprite() {
        let sprite = Assets::get("icons.svg").expect("the sprite is embedded");
        let sprite = String::from_utf8(sprite.data.into_owned()).expect("the sprite is text");
        let mut missing = Vec::new();
        for file in templates() {
            let text = std::fs::read_to_string(&file).expect("templates are text");
            for found in text.split("icon(\"").skip(1) {
                let name = found.split('"').next().unwrap_or_default();
                if !sprite.contains(&format!("id=\"{name}\"")) {
                    missing.push(format!("{}: {name}", file.display()));
                }
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }

    fn templates() -> Vec<std::path::PathBuf> {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("templates")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the folder is there") {
                let path = entry.expect("it can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files
    }

    #[test]
    fn addresses_hold_the_hash() {
        assert!(url("sheetmill.css").starts_with(&format!("/assets/{}/", hash())));
        assert_eq!(hash().len(), 20);
    }
}

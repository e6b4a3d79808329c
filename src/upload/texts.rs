//! Small forms with a file among their fields, such as a recipe that is imported: all of it is text.

use futures_util::StreamExt as _;

use super::{Error, Form, Result};

/// More fields than any form of ours has.
const FIELDS: usize = 100;

/// Reads all fields of a form, files too, as text: what is not UTF-8 becomes U+FFFD. `limit`: bytes of all of them.
///
/// # Errors
/// [`Error::Malformed`], [`Error::TooLarge`].
pub async fn texts(mut form: Form, limit: usize) -> Result<Vec<(String, String)>> {
    let broken = |cause: actix_multipart::MultipartError| Error::Malformed(cause.to_string());
    let mut fields = Vec::new();
    let mut bytes = 0;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(broken)?;
        if fields.len() == FIELDS {
            return Err(Error::Malformed(format!("more than {FIELDS} fields")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let mut content = Vec::new();
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(broken)?;
            bytes += chunk.len();
            if bytes > limit {
                return Err(Error::TooLarge { limit: limit as u64 });
            }
            content.extend_from_slice(&chunk);
        }
        fields.push((name, String::from_utf8_lossy(&content).into_owned()));
    }
    Ok(fields)
}

//! A zip archive of workbooks and texts: each member that can be read becomes a file.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use zip::ZipArchive;

use super::preflight::{damage, unpacking};
use super::refusal::{Refusal, TooMuch};
use super::sniff::{Format, HEAD_BYTES, sniff};
use super::{Limits, ReadError};

/// Characters of a member's name that are told.
const NAME_CHARS: usize = 1000;

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name as the archive has it, for people; never opened.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its format, by its first bytes, or why it is not taken.
    pub content: Result<Format, Refusal>,
}

/// Unpacks the members of an archive one by one, each to `out/{position}`, from 0; those that are not taken leave no file.
/// Folders, links, and what systems leave beside people's files are passed over.
///
/// # Errors
/// When the archive is damaged, protected or beyond a limit, nothing in it is a spreadsheet, `tell` wants to end, or the disk
/// fails.
pub fn unpack(
    path: &Path,
    out: &Path,
    limits: &Limits,
    tell: &mut dyn FnMut(usize, Member) -> std::io::Result<()>,
) -> Result<(), ReadError> {
    let mut zip = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(|error| damage(&error))?;
    let (mut position, mut taken, mut total) = (0, 0_usize, 0_u64);
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|error| damage(&error))?;
        let link = entry.unix_mode().is_some_and(|mode| mode & 0o170_000 == 0o120_000);
        let name: String = String::from_utf8_lossy(entry.name_raw())
            .replace('\\', "/")
            .chars()
            .take(NAME_CHARS)
            .collect();
        if entry.is_dir() || link || is_left_behind(&name) {
            continue;
        }
        let file = out.join(position.to_string());
        let member = member(&mut entry, name, &file, limits)?;
        total += member.bytes;
        if total > limits.inflated_bytes {
            return Err(Refusal::TooMuch(TooMuch::InflatedBytes(limits.inflated_bytes)).into());
        }
        taken += usize::from(member.content.is_ok());
        tell(position, member)?;
        position += 1;
    }
    if taken == 0 {
        return Err(Refusal::NoMembers.into());
    }
    Ok(())
}

/// What systems put into folders by themselves.
fn is_left_behind(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    name.starts_with("__MACOSX/")
        || last.is_empty()
        || last.starts_with('.')
        || last.starts_with("~$")
        || ["thumbs.db", "desktop.ini"].contains(&last.to_ascii_lowercase().as_str())
}

/// Unpacks one member, unless its first bytes speak against it.
fn member(entry: &mut impl Read, name: String, file: &Path, limits: &Limits) -> Result<Member, ReadError> {
    let read = |error: std::io::Error| unpacking(&error);
    let mut head = Vec::new();
    entry.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(read)?;
    let content = match sniff(&head) {
        Ok(Format::Zip) => Err(Refusal::NestedArchive),
        other => other,
    };
    let mut bytes = head.len() as u64;
    if content.is_ok() {
        let mut out = BufWriter::new(File::create(file)?);
        out.write_all(&head)?;
        let mut buffer = vec![0; 128 << 10];
        loop {
            let count = entry.read(&mut buffer).map_err(read)?;
            if count == 0 {
                break;
            }
            bytes += count as u64;
            if bytes > limits.file_bytes {
                drop(out);
                std::fs::remove_file(file)?;
                let content = Err(Refusal::TooMuch(TooMuch::FileBytes(limits.file_bytes)));
                return Ok(Member { name, bytes, content });
            }
            out.write_all(buffer.get(..count).unwrap_or_default())?;
        }
        out.flush()?;
    }
    Ok(Member { name, bytes, content })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Result<tempfile::TempDir, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut zip = zip::ZipWriter::new(File::create(folder.path().join("all.zip"))?);
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in members {
            if name.ends_with("link") {
                zip.add_symlink(*name, "/etc/passwd", options)?;
            } else {
                zip.start_file(*name, options)?;
                zip.write_all(bytes)?;
            }
        }
        zip.finish()?;
        Ok(folder)
    }

    fn unpacked(folder: &Path, limits: &Limits) -> Result<Vec<(String, String)>, ReadError> {
        let mut seen = Vec::new();
        unpack(&folder.join("all.zip"), folder, limits, &mut |position, member| {
            let told = match &member.content {
                Ok(format) => format!("{format:?} {}", std::fs::read(folder.join(position.to_string()))?.len()),
                Err(refusal) => refusal.code().to_owned(),
            };
            seen.push((member.name, told));
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn members_are_told_by_what_they_are() -> Result<(), Box<dyn std::error::Error>> {
        let large = b"a,b\n1,2\n".repeat(10_000);
        let folder = archive(&[
            ("2024/a.csv", b"a,b\n1,2\n"),
            ("../../b.xlsx", b"%PDF-1.7"),
            ("c\\d.csv", &large),
            ("__MACOSX/._a.csv", b"x"),
            (".DS_Store", b"x"),
            ("~$a.xlsx", b"x"),
            ("link", b""),
            ("empty.csv", b""),
            (
                "inner.zip",
                b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.csv",
            ),
        ])?;
        let told = |name: &str, what: &str| (name.to_owned(), what.to_owned());
        assert_eq!(
            unpacked(folder.path(), &Limits::default())?,
            [
                told("2024/a.csv", "Text 8"),
                told("../../b.xlsx", "not_a_spreadsheet"),
                told("c/d.csv", "Text 80000"),
                told("empty.csv", "empty"),
                told("inner.zip", "nested_archive"),
            ]
        );
        let few = Limits {
            file_bytes: 100,
            ..Limits::default()
        };
        assert_eq!(unpacked(folder.path(), &few)?[2].1, "file_too_large");
        assert!(!folder.path().join("2").exists());
        let small = Limits {
            inflated_bytes: 100,
            ..Limits::default()
        };
        assert!(unpacked(folder.path(), &small).is_err());
        Ok(())
    }

    #[test]
    fn an_archive_without_spreadsheets_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let folder = archive(&[("photo.png", b"\x89PNG")])?;
        let end = unpacked(folder.path(), &Limits::default());
        assert!(matches!(end, Err(ReadError::Refused(Refusal::NoMembers))), "{end:?}");
        Ok(())
    }
}

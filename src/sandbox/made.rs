//! Files that a child says it made: its word is checked before anything is opened.

use std::path::{Component, Path, PathBuf};

/// A file that a child made, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where it is.
    pub path: PathBuf,
    /// The parts of its path below the child's folder.
    pub parts: Vec<String>,
}

/// The file of a path below `out`, if the path is relative and plain and leads to a regular file through no link.
#[must_use]
pub fn made(out: &Path, path: &str) -> Option<Made> {
    let parts = plain_parts(path)?;
    let mut whole = out.to_path_buf();
    for (index, part) in parts.iter().enumerate() {
        whole.push(part);
        let kind = std::fs::symlink_metadata(&whole).ok()?.file_type();
        let last = index + 1 == parts.len();
        if (last && !kind.is_file()) || (!last && !kind.is_dir()) {
            return None;
        }
    }
    Some(Made { path: whole, parts })
}

/// The longest name of a part: what file systems take.
const NAME_BYTES: usize = 255;

fn plain_parts(path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?.to_owned()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => return None,
        }
    }
    let plain = |part: &String| part.len() <= NAME_BYTES && !part.chars().any(|it| it.is_control() || it == '\\');
    (!parts.is_empty() && parts.join("/") == path && parts.iter().all(plain)).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_below_the_folder_are_taken() {
        let out = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(out.path().join("0")).expect("a folder");
        std::fs::write(out.path().join("0/part.parquet"), b"x").expect("a file");
        std::os::unix::fs::symlink("/etc/passwd", out.path().join("link")).expect("a link");
        std::os::unix::fs::symlink("/etc", out.path().join("folder")).expect("a link");
        let taken = made(out.path(), "0/part.parquet").expect("it is a plain file");
        assert_eq!(taken.parts, ["0", "part.parquet"]);
        for path in [
            "",
            ".",
            "..",
            "0",
            "0/",
            "/etc/passwd",
            "../x",
            "0/../0/part.parquet",
            "./0/part.parquet",
            "0//part.parquet",
            "link",
            "folder/passwd",
            "missing",
            "a\\b",
            "a\nb",
        ] {
            assert_eq!(made(out.path(), path), None, "{path:?}");
        }
    }
}

//! The size and hash of a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256 as Hasher};

use crate::domain::ids::Sha256;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// Bytes.
    pub bytes: u64,
    /// Their hash.
    pub sha256: Sha256,
}

/// Reads a file to its end.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path) -> io::Result<Hashed> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    let mut chunk = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(Hashed {
                bytes,
                sha256: Sha256(hasher.finalize().into()),
            });
        }
        hasher.update(&chunk[..count]);
        bytes += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_all_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("abc");
        std::fs::write(&path, b"abc").expect("a file");
        let found = hash_file(&path).expect("it reads");
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            found.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(found.bytes, 3);
    }
}

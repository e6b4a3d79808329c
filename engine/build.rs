//! Names what the engine is made of, so that what it made can be told from what another one would make.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&here.join("src"), &mut files)?;
    // Of a library another version may round, sort or compress otherwise.
    files.extend(
        [here.join("Cargo.toml"), here.join("../Cargo.lock")]
            .into_iter()
            .filter(|it| it.exists()),
    );
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        let name = file.strip_prefix(here).unwrap_or(file);
        hasher.write(name.to_string_lossy().as_bytes());
        hasher.write(&fs::read(file)?);
        println!("cargo::rerun-if-changed={}", file.display());
    }
    println!("cargo::rerun-if-changed={}", here.join("src").display());
    println!("cargo::rustc-env=SHEETMILL_ENGINE_DIGEST={:016x}", hasher.finish());
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

//! Where results go: one file at the path given, or a folder of files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sheetmill_engine::order::{Output, OutputRole};

use super::Stop;
use super::report::{OutputReport, sha256};

/// A made file on its way out.
pub(super) type Made = (Output, PathBuf);

/// What a recipe makes of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A file.
    Plain,
    /// A file for each value of a column: a folder, even where there is only one.
    Files,
}

/// Brings what was made to where it belongs, and tells what it is.
///
/// One input with one result: `out` is that file. Otherwise `out` is a folder; rejects (a list, or the sheets with notes) go
/// into it too, unless `rejects` names another place.
pub(super) fn place(
    inputs: &[Vec<Made>],
    form: Form,
    out: &Path,
    rejects: Option<&Path>,
) -> Result<Vec<OutputReport>, Stop> {
    let all = || inputs.iter().flatten();
    let is_result = |made: &&Made| made.0.role == OutputRole::Result;
    let results: Vec<&Made> = all().filter(is_result).collect();
    let rejected: Vec<&Made> = all().filter(|made| !is_result(made)).collect();
    let single = inputs.len() == 1 && results.len() <= 1 && form == Form::Plain;
    let mut placed = Vec::new();
    if single && !out.is_dir() {
        for made in &results {
            placed.push(bring(made, out)?);
        }
    } else {
        placed.extend(fill(out, &results)?);
    }
    match rejects {
        Some(path) if single && rejected.len() == 1 && !path.is_dir() => placed.push(bring(rejected[0], path)?),
        Some(path) if !rejected.is_empty() => placed.extend(fill(path, &rejected)?),
        None if !single => placed.extend(fill(out, &rejected)?),
        _ => {}
    }
    Ok(placed)
}

/// Writes files into a folder under their own names, made unique where two are alike.
fn fill(folder: &Path, made: &[&Made]) -> Result<Vec<OutputReport>, Stop> {
    if folder.is_file() {
        return Err(Stop::wrong(format!(
            "{} is a file, and there is more than one to write: name a folder",
            folder.display()
        )));
    }
    std::fs::create_dir_all(folder).map_err(Stop::io(folder))?;
    let mut taken = BTreeSet::new();
    made.iter()
        .map(|one| bring(one, &folder.join(fresh_name(&one.0.name, &mut taken))))
        .collect()
}

/// A plain file name that was not taken yet: `orders.xlsx`, then `orders (2).xlsx`.
fn fresh_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = name
        .chars()
        .map(|it| {
            if it == '/' || it == '\\' || it.is_control() {
                '_'
            } else {
                it
            }
        })
        .collect();
    let plain = if plain.trim_matches('.').is_empty() {
        "result".to_owned()
    } else {
        plain
    };
    let (stem, ending) = match plain.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem.to_owned(), format!(".{ending}")),
        _ => (plain.clone(), String::new()),
    };
    let mut name = plain;
    let mut number = 1;
    while !taken.insert(name.to_lowercase()) {
        number += 1;
        name = format!("{stem} ({number}){ending}");
    }
    name
}

/// Brings one file to its place: whole or not at all, also across file systems.
fn bring((output, made): &Made, to: &Path) -> Result<OutputReport, Stop> {
    let folder = to
        .parent()
        .filter(|it| !it.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let sha256 = sha256(made)?;
    if std::fs::rename(made, to).is_err() {
        let beside = tempfile::NamedTempFile::with_prefix_in(".sheetmill-", folder).map_err(Stop::io(folder))?;
        std::fs::copy(made, beside.path()).map_err(Stop::io(to))?;
        beside
            .persist(to)
            .map_err(|error| Stop::failed(format!("{}: {}", to.display(), error.error)))?;
    }
    Ok(OutputReport {
        path: to.display().to_string(),
        role: output.role,
        sha256,
        rows: output.rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path, name: &str, role: OutputRole) -> Made {
        let path = folder.join(format!("{name}-{role:?}"));
        std::fs::write(&path, name).expect("it can be written");
        (
            Output {
                path: name.to_owned(),
                name: name.to_owned(),
                role,
                rows: 1,
            },
            path,
        )
    }

    #[test]
    fn one_result_is_the_file_that_was_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = [vec![made(folder.path(), "orders.xlsx", OutputRole::Result)]];
        let out = folder.path().join("clean.xlsx");
        let placed = place(&made, Form::Plain, &out, None).expect("it is placed");
        assert_eq!(std::fs::read_to_string(&out).expect("it is there"), "orders.xlsx");
        assert_eq!(placed[0].path, out.display().to_string());
    }

    #[test]
    fn results_of_several_files_with_one_name_stand_beside_one_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let others = folder.path().join("b");
        std::fs::create_dir(&others).expect("a folder");
        let made = [
            vec![made(folder.path(), "Orders.xlsx", OutputRole::Result)],
            vec![
                made(&others, "orders.xlsx", OutputRole::Result),
                made(&others, "orders-rejects.csv", OutputRole::Rejects),
            ],
        ];
        let out = folder.path().join("out");
        place(&made, Form::Plain, &out, None).expect("they are placed");
        let mut names: Vec<_> = std::fs::read_dir(&out)
            .expect("a folder")
            .flatten()
            .map(|it| it.file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["Orders.xlsx", "orders (2).xlsx", "orders-rejects.csv"]);
    }

    #[test]
    fn names_do_not_lead_out_of_the_folder() {
        let mut taken = BTreeSet::new();
        assert_eq!(fresh_name("../../etc/passwd", &mut taken), ".._.._etc_passwd");
        assert_eq!(fresh_name("..", &mut taken), "result");
    }

    #[test]
    fn several_results_do_not_overwrite_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("there.xlsx");
        std::fs::write(&out, "mine").expect("it can be written");
        let made = [
            vec![made(folder.path(), "a.xlsx", OutputRole::Result)],
            vec![made(folder.path(), "b.xlsx", OutputRole::Result)],
        ];
        assert!(place(&made, Form::Plain, &out, None).is_err());
        assert_eq!(std::fs::read_to_string(&out).expect("it is there"), "mine");
    }
}

//! The ready recipes: each makes of its sample what stands beside it, and one click brings both to a person.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use sheetmill::domain::states::Role;
use sheetmill_engine::recipe::document::{Recipe, RejectsForm};
use tokio::process::Command;

use crate::test_app::TestApp;
use crate::visitor::Visitor;
use crate::workbook;

fn shelf() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/library")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What stands in a folder of results, by name; a workbook as lines with bars between its cells.
fn results(folder: &Path) -> BTreeMap<String, String> {
    let read = |name: String| {
        let bytes = std::fs::read(folder.join(&name)).expect("a file");
        if !name.ends_with(".xlsx") {
            let text = String::from_utf8(bytes).expect("text");
            return (name, text.replace("\r\n", "\n"));
        }
        let lines = workbook::rows(&bytes).into_iter().map(|row| row.join("|"));
        let lines = lines.map(|line| format!("{}\n", line.trim_end_matches('|')));
        (name.replace(".xlsx", ".txt"), lines.collect())
    };
    names(folder).into_iter().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ready_recipe_makes_of_its_sample_what_stands_beside_it() {
    let places = names(&shelf());
    assert!(places.len() >= 12, "{places:?}");
    for place in places {
        let folder = shelf().join(&place);
        let text = std::fs::read_to_string(folder.join("recipe.yaml")).expect("a recipe");
        let recipe = Recipe::parse(&text).unwrap_or_else(|problems| panic!("{place}: {problems:?}"));
        let out = tempfile::tempdir().expect("a folder");
        let rejects = match recipe.output.rejects_as {
            RejectsForm::List => "rejects.csv",
            RejectsForm::Annotate => "annotated.xlsx",
        };
        let result = if recipe.output.split.is_some() {
            ""
        } else {
            "result.csv"
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_sheetmill"));
        command.arg("run").arg(folder.join("recipe.yaml"));
        for name in names(&folder).iter().filter(|it| it.ends_with(".csv")) {
            let stem = name.trim_end_matches(".csv");
            if recipe.references().contains(&stem) {
                let other = format!("{stem}={}", folder.join(name).display());
                command.args(["--with", &other]);
            } else {
                command.arg(folder.join(name));
            }
        }
        command.arg("--out").arg(format!("{}/{result}", out.path().display()));
        command.arg("--rejects").arg(out.path().join(rejects));
        command.args(["--format", "csv"]).env("TMPDIR", out.path());
        let said = command.output().await.expect("it starts");
        assert!(
            said.status.success(),
            "{place}: {}",
            String::from_utf8_lossy(&said.stderr)
        );
        assert_eq!(results(out.path()), results(&folder.join("expected")), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_recipe_comes_with_its_samples_once() {
    TestApp::run(async |app| {
        let kim = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        for page in ["/", "/recipes"] {
            let text = kim.get(page).await.text;
            assert!(text.contains("/recipes/library/40-look-up-prices"), "{page}");
        }
        let token = kim.csrf.clone();
        let take = async |how: &str| {
            let fields = [("csrf", token.as_str()), ("how", how)];
            let taken = kim.post("/recipes/library/40-look-up-prices", &fields, &[]).await;
            assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text);
            taken.headers["location"].to_str().expect("text").to_owned()
        };
        let kept = take("use").await;
        assert_eq!(app.database.number("select count(*) from files").await, 0);
        let tried = take("try").await;
        assert!(tried.starts_with(&kept) && tried.contains("references="), "{tried}");
        assert_eq!(take("try").await, tried, "the copy and the samples are there already");
        assert_eq!(app.database.number("select count(*) from files").await, 2);
        assert_eq!(app.database.number("select count(*) from recipes").await, 1);
        let builder = kim.get(&tried).await;
        assert_eq!(builder.status, StatusCode::OK);
        assert!(builder.text.contains("order lines.csv") && builder.text.contains("prices.csv"));
        let wrong = [("csrf", kim.csrf.as_str()), ("how", "use")];
        let nothing = kim.post("/recipes/library/none", &wrong, &[]).await;
        assert_eq!(nothing.status, StatusCode::NOT_FOUND);
        let left = "select count(*) from tasks where state in ('waiting', 'queued', 'running')";
        crate::wait::until("the samples are read", async || {
            (app.database.number(left).await == 0).then_some(())
        })
        .await;
    })
    .await;
}

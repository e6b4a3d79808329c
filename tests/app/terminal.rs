//! The terminal's contract: exit codes, answers, reports. No server and no database.

use std::path::Path;

use serde_json::{Value, json};

use crate::desk::{Desk, Said, bytes};

fn clean() -> Value {
    json!({
        "name": "Clean",
        "steps": [
            {"filter": {"keep": "quantity > 0 AND status <> 'cancelled'"}},
            {"compute": {"column": "total", "as": "quantity * unit_price * (1 - discount)"}},
            {"sort": {"by": ["region", "order_id"]}}
        ]
    })
}

#[tokio::test]
async fn a_run_writes_its_result_and_a_report_that_balances() {
    let desk = Desk::with_orders(3_000);
    desk.recipe(&clean());
    let said = desk
        .say("run recipe.yaml orders.xlsx --out clean.xlsx --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    assert_eq!(said.answer, "", "results go to --out");
    assert_eq!(
        desk.names(),
        ["clean.xlsx", "orders.xlsx", "recipe.yaml", "report.json"]
    );
    let report = desk.report();
    assert_eq!(report["inputs"][0]["rows"], 3_000);
    assert_eq!(report["outputs"][0]["path"], "clean.xlsx");
    let ledger = report["ledger"].as_array().expect("a ledger");
    assert_eq!(ledger.len(), 4, "the reading and three steps");
    for step in ledger {
        let rows = |name: &str| step[name].as_u64().expect("a count");
        let out = rows("kept") + rows("rejected") + rows("filtered") + rows("deduplicated") + rows("aggregated");
        assert_eq!(rows("rows_in") + rows("added"), out, "{step}");
        assert_eq!(step["hash_in"], step["hash_out"], "{step}");
    }
    assert_eq!(ledger[3]["kept"], report["outputs"][0]["rows"]);
}

#[tokio::test]
async fn the_result_is_the_same_at_any_number_of_threads_and_any_memory() {
    let desk = Desk::with_orders(20_000);
    desk.recipe(&clean());
    for (name, limits) in [
        ("a.xlsx", "--jobs 1"),
        ("b.xlsx", "--jobs 4"),
        ("c.xlsx", "--memory 160MB"),
    ] {
        let said = desk
            .say(&format!("run recipe.yaml orders.xlsx --out {name} {limits}"))
            .await;
        assert_eq!(said.code, Some(0), "{}", said.sentences);
    }
    assert!(
        bytes(&desk.path("a.xlsx")) == bytes(&desk.path("b.xlsx")),
        "threads change nothing"
    );
    assert!(
        bytes(&desk.path("a.xlsx")) == bytes(&desk.path("c.xlsx")),
        "spilling changes nothing"
    );
}

#[tokio::test]
async fn a_wrong_recipe_is_told_with_its_place_and_nothing_is_written() {
    let desk = Desk::with_orders(10);
    std::fs::write(desk.path("recipe.yaml"), "steps:\n  - fitler: {keep: \"a > 1\"}\n").expect("it can be written");
    for command in [
        "recipe check recipe.yaml",
        "run recipe.yaml orders.xlsx --out clean.xlsx",
    ] {
        let said = desk.say(command).await;
        assert_eq!(said.code, Some(2), "{command}");
        assert!(
            said.sentences.starts_with("recipe.yaml:2:5: step 1: "),
            "{}",
            said.sentences
        );
        assert!(said.sentences.contains("`filter`"), "{}", said.sentences);
    }
    desk.recipe(&json!({"steps": [{"filter": {"keep": "quantty > 0"}}]}));
    let said = desk.say("recipe check recipe.yaml orders.xlsx").await;
    assert_eq!(said.code, Some(2), "the columns of the file count");
    assert!(said.sentences.contains("quantity"), "{}", said.sentences);
    assert_eq!(desk.names(), ["orders.xlsx", "recipe.yaml"]);
    assert_eq!(desk.say("run --nonsense").await.code, Some(2));
    assert_eq!(desk.say("inspect nothing.xlsx").await.code, Some(2));
}

#[tokio::test]
async fn a_refused_input_is_named_and_the_others_are_written() {
    let desk = Desk::with_orders(10);
    desk.recipe(&clean());
    std::fs::write(desk.path("notes.xlsx"), "%PDF-1.7").expect("it can be written");
    let said = desk
        .say("run recipe.yaml notes.xlsx orders.xlsx --out out --report report.json")
        .await;
    assert_eq!(said.code, Some(3), "{}", said.sentences);
    assert!(said.sentences.contains("notes.xlsx"), "{}", said.sentences);
    let report = desk.report();
    assert!(report["code"].is_string(), "{report}");
    assert_eq!(report["inputs"][0]["code"], report["code"]);
    assert_eq!(report["inputs"][1]["code"], Value::Null);
    assert_eq!(
        std::fs::read_dir(desk.path("out")).expect("a folder").count(),
        1,
        "the other one is written"
    );
}

#[tokio::test]
async fn rejected_rows_end_a_run_that_wants_that_and_are_listed() {
    let desk = Desk::with_orders(200);
    desk.recipe(&json!({
        "steps": [{"convert": {"column": "customer", "to": "decimal", "otherwise": "reject"}}],
        "output": {"format": "csv", "rejects": {"policy": "fail"}}
    }));
    let said = desk
        .say("run recipe.yaml orders.xlsx --out out.csv --rejects rejects.csv --report report.json")
        .await;
    assert_eq!(said.code, Some(4), "{}", said.sentences);
    assert_eq!(desk.report()["inputs"][0]["rejected"], 200);
    let listed = String::from_utf8(bytes(&desk.path("rejects.csv"))).expect("text");
    assert_eq!(listed.lines().count(), 201, "a header and each row");
}

#[tokio::test]
async fn the_members_of_an_archive_are_run_one_by_one() {
    let desk = Desk::with_orders(3);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(desk.path("all.zip")).expect("a file"));
    for (name, content) in [
        ("orders.xlsx", bytes(&desk.path("orders.xlsx"))),
        ("more/few.csv", b"quantity,status\n1,shipped\n".to_vec()),
        ("readme.pdf", b"%PDF-1.7".to_vec()),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .expect("an entry");
        std::io::Write::write_all(&mut zip, &content).expect("its bytes");
    }
    zip.finish().expect("a zip");
    desk.recipe(&json!({"steps": [{"select": ["quantity", "status"]}], "output": {"format": "csv"}}));
    let said = desk
        .say("run recipe.yaml all.zip --out results --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    assert!(
        said.sentences.contains("“readme.pdf” is a PDF document"),
        "{}",
        said.sentences
    );
    let inputs = desk.report()["inputs"].clone();
    let names = (&inputs[0]["name"], &inputs[1]["name"]);
    assert_eq!(names, (&json!("orders.xlsx"), &json!("more/few.csv")));
    let made = std::fs::read_dir(desk.path("results")).expect("results").count();
    assert_eq!(made, 2);
}

#[tokio::test]
async fn inspect_and_cells_answer_in_json() {
    let desk = Desk::with_orders(5);
    let said = desk.say("inspect orders.xlsx --json").await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    let answer: Value = serde_json::from_str(&said.answer).expect("JSON");
    let sheet = &answer["sheets"][0];
    assert_eq!(
        (&sheet["name"], &sheet["rows"], &sheet["header"]),
        (&json!("Orders"), &json!(5), &json!([1, 1]))
    );
    assert_eq!(sheet["columns"][0]["type"], "integer");
    assert_eq!(sheet["columns"][1]["type"], "date");
    assert_eq!(sheet["columns"][9]["blanks"], 5);

    let said = desk.say("cells orders.xlsx --sheet Orders").await;
    let lines: Vec<Value> = said
        .answer
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0]["cells"]["A"], json!(["s", "order_id"]));
    assert_eq!(lines[1]["cells"]["A"][0], "n");
    assert_eq!(lines[1]["cells"]["B"][0], "d");
}

#[tokio::test]
async fn a_conversion_keeps_every_value() {
    let desk = Desk::with_orders(300);
    for (from, to) in [("orders.xlsx", "copy.xlsx"), ("copy.xlsx", "again.xlsx")] {
        let said = desk.say(&format!("convert {from} --out {to}")).await;
        assert_eq!(said.code, Some(0), "{}", said.sentences);
    }
    let first = desk.say("cells orders.xlsx").await.answer;
    assert_eq!(first.lines().count(), 301);
    assert!(
        first == desk.say("cells copy.xlsx").await.answer,
        "every cell is as it was"
    );
    assert!(first == desk.say("cells again.xlsx").await.answer, "and stays so");
    assert_eq!(desk.say("convert orders.xlsx --out copy.what").await.code, Some(2));
    assert_eq!(desk.say("convert orders.xlsx --format csv --out -").await.code, Some(2));
}

#[tokio::test]
async fn one_table_gives_equal_cells_in_every_kind_of_workbook() {
    let desk = Desk::empty();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/files");
    for (name, kinds) in [
        ("calamine/tests__any_sheets", "xlsx xlsb xls ods"),
        ("calamine/tests__date", "xlsx xlsb xls"),
        ("calamine/tests__date_1904", "xlsx xlsb xls"),
        ("sheetjs/merge_cells", "xlsx xlsb xls ods"),
        ("sheetjs/text_and_numbers", "xlsx xlsb xls"),
        ("sheetjs/sushi", "xlsx xls ods"),
    ] {
        let mut answers = Vec::new();
        for kind in kinds.split(' ') {
            let path = corpus.join(format!("{name}.{kind}"));
            // The corpus lies beside the checkout, and not beside every one.
            if path.exists() {
                answers.push(desk.say(&format!("cells {}", path.display())).await.answer);
            }
        }
        assert!(answers.iter().all(|answer| !answer.is_empty()), "{name} has cells");
        assert!(
            answers.windows(2).all(|pair| pair[0] == pair[1]),
            "{name}: {answers:#?}"
        );
    }
}

#[tokio::test]
async fn a_table_as_text_gives_the_typed_rows_of_the_workbook() {
    let desk = Desk::with_orders(500);
    assert_eq!(desk.say("convert orders.xlsx --out orders.csv").await.code, Some(0));
    let kinds = |said: Said| -> Vec<(String, String)> {
        let inspected: Value = serde_json::from_str(&said.answer).expect("JSON");
        let columns = inspected["sheets"][0]["columns"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        columns
            .iter()
            .map(|it| (it["name"].to_string(), it["type"].to_string()))
            .collect()
    };
    let book = kinds(desk.say("inspect orders.xlsx --json").await);
    assert_eq!(book.len(), 10);
    assert_eq!(book, kinds(desk.say("inspect orders.csv --json").await));
    let cells = |said: Said| -> Vec<Value> {
        let line = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["cells"].clone();
        said.answer.lines().map(line).collect()
    };
    let book = cells(desk.say("cells orders.xlsx").await);
    assert_eq!(book.len(), 501);
    assert_eq!(book, cells(desk.say("cells orders.csv").await));
}

/// A workbook of csv lines.
async fn workbook(lines: &str) -> Desk {
    let desk = Desk::empty();
    std::fs::write(desk.path("people.csv"), lines).expect("it can be written");
    let said = desk.say("convert people.csv --out people.xlsx").await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    desk
}

const PEOPLE: &str = "id,mail,age\n1,a@x.org,40\n2,b@x.org,-3\n2,,200\n3,c@x.org,17\n";

fn checked(output: &Value) -> Value {
    json!({
        "steps": [{"validate": [
            {"column": "id", "unique": true},
            {"column": "mail", "required": true},
            {"column": "age", "min": 0, "max": 150},
            {"where": "age >= 18", "message": "under age", "severity": "warning"}
        ]}],
        "output": output
    })
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_row_is_listed_and_warnings_stay() {
    let desk = workbook(PEOPLE).await;
    desk.recipe(&checked(&json!({"format": "csv"})));
    let said = desk
        .say("run recipe.yaml people.xlsx --out out.csv --rejects rejects.csv --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    assert!(
        said.sentences.contains("2 rows were rejected, 2 warnings"),
        "{}",
        said.sentences
    );
    let text = |name: &str| String::from_utf8(bytes(&desk.path(name))).expect("text");
    assert_eq!(text("out.csv"), "id,mail,age\n1,a@x.org,40\n3,c@x.org,17\n");
    let rejects = text("rejects.csv");
    let lines: Vec<&str> = rejects.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "people.xlsx,Sheet1,3,C3,age,-3,1,min,`-3` is less than 0,error",
            "people.xlsx,Sheet1,3,C3,age,-3,1,where,under age,warning",
            "people.xlsx,Sheet1,4,A4,id,2,1,unique,`2` is already in row 3,error",
            "people.xlsx,Sheet1,4,B4,mail,,1,required,the cell is blank,error",
            "people.xlsx,Sheet1,4,C4,age,200,1,max,`200` is more than 150,error",
            "people.xlsx,Sheet1,5,C5,age,17,1,where,under age,warning",
        ]
    );
    let report = desk.report();
    assert_eq!(
        (&report["inputs"][0]["rejected"], &report["inputs"][0]["warnings"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&report["ledger"][1]["rejected"], &report["ledger"][1]["warned"]),
        (&json!(2), &json!(1))
    );
    desk.recipe(&checked(&json!({"format": "csv", "rejects": {"policy": "keep"}})));
    let said = desk.say("run recipe.yaml people.xlsx --out kept.csv").await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    assert!(
        said.sentences.contains("2 rows were kept and flagged"),
        "{}",
        said.sentences
    );
    let kept = text("kept.csv");
    assert_eq!(kept.lines().next(), Some("id,mail,age,_row,_errors"));
    assert_eq!(kept.lines().nth(4), Some("3,c@x.org,17,5,warning: age: under age"));
}

#[tokio::test]
async fn the_sheet_comes_back_with_notes_where_rejects_are_asked_for() {
    let desk = workbook(PEOPLE).await;
    desk.recipe(&checked(
        &json!({"format": "csv", "rejects": {"as": "annotate", "policy": "fail"}}),
    ));
    let said = desk
        .say("run recipe.yaml people.xlsx --out out.csv --rejects notes.xlsx --report report.json")
        .await;
    assert_eq!(said.code, Some(4), "{}", said.sentences);
    assert_eq!(desk.report()["outputs"][0]["role"], "annotated");
    let cells = desk.say("cells notes.xlsx").await.answer;
    let lines: Vec<Value> = cells
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 5, "all rows and the header");
    assert_eq!(lines[0]["cells"]["E"], json!(["s", "_errors"]));
    assert_eq!(lines[2]["cells"]["D"], json!(["n", 3.0]));
    assert_eq!(lines[1]["cells"]["E"], Value::Null);
    assert!(!desk.path("out.csv").exists(), "a run that fails leaves no result");
}

#[tokio::test]
async fn a_result_in_parts_is_a_folder_and_formats_are_by_ending() {
    let desk = Desk::with_orders(200);
    desk.recipe(&json!({"steps": [], "output": {"format": "csv", "split_by": "region", "name": "{file}-{value}"}}));
    let said = desk
        .say("run recipe.yaml orders.xlsx --out parts --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    let outputs = desk.report()["outputs"].as_array().cloned().expect("outputs");
    assert!(outputs.len() > 1, "{outputs:?}");
    let rows: u64 = outputs.iter().filter_map(|it| it["rows"].as_u64()).sum();
    assert_eq!(rows, 200);
    let mut names: Vec<String> = std::fs::read_dir(desk.path("parts"))
        .expect("a folder")
        .flatten()
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(
        names.iter().all(|it| it.starts_with("orders-") && it.ends_with(".csv")),
        "{names:?}"
    );
    desk.recipe(&json!({"steps": [], "output": {"split_by": "regoin"}}));
    let said = desk.say("recipe check recipe.yaml orders.xlsx").await;
    assert_eq!(said.code, Some(2));
    assert!(said.sentences.contains("Did you mean `region`?"), "{}", said.sentences);
    for name in ["orders.jsonl", "orders.parquet"] {
        let said = desk.say(&format!("convert orders.xlsx --out {name}")).await;
        assert_eq!(said.code, Some(0), "{}", said.sentences);
    }
    let lines = String::from_utf8(bytes(&desk.path("orders.jsonl"))).expect("text");
    let first: Value = serde_json::from_str(lines.lines().next().unwrap_or_default()).expect("JSON");
    assert!(first["order_id"].is_u64() && lines.lines().count() == 200, "{first}");
    assert!(bytes(&desk.path("orders.parquet")).starts_with(b"PAR1"));
}

#[tokio::test]
async fn a_csv_that_cannot_hold_a_character_says_so() {
    let desk = workbook("name\nŁódź\n").await;
    desk.recipe(
        &json!({"steps": [], "output": {"format": "csv", "csv": {"encoding": "windows-1252", "delimiter": ";"}}}),
    );
    let said = desk
        .say("run recipe.yaml people.xlsx --out out.csv --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    assert!(
        said.sentences.contains("2 characters are not in the encoding"),
        "{}",
        said.sentences
    );
    assert_eq!(bytes(&desk.path("out.csv")), b"name\n?\xF3d?\n");
    assert_eq!(desk.report()["issues"][0]["code"], "not_in_encoding");
}

#[tokio::test]
async fn headers_that_a_recipe_does_not_know_are_found_told_and_chosen_by_hand() {
    let desk = Desk::empty();
    let write = |name: &str, text: &str| std::fs::write(desk.path(name), text).expect("it can be written");
    write("people.csv", "City,E-Mail,Custmer\nGhent,a@example.org,1\n");
    write("others.csv", "Kunde,Contact\n2,b@example.org\n");
    desk.recipe(&json!({
        "input": {"columns": ["customer", {"name": "email", "required": true}, "phone"], "others": "drop"},
        "steps": []
    }));
    let said = desk
        .say("run recipe.yaml people.csv --out clean.csv --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    for words in [
        "`Custmer` is taken for `customer`, 92 % alike.",
        "has no column `phone`; it is blank.",
    ] {
        assert!(said.sentences.contains(words), "{}", said.sentences);
    }
    let clean = String::from_utf8(bytes(&desk.path("clean.csv"))).expect("text");
    assert_eq!(
        clean.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
        "email,customer,phone\na@example.org,1,\n"
    );
    let columns = desk.report()["inputs"][0]["columns"][0]["columns"].clone();
    assert_eq!(columns[0]["header"], "Custmer");
    assert_eq!(
        (&columns[1]["how"], &columns[2]["how"]),
        (&json!("normalised"), &json!("missing"))
    );

    let said = desk
        .say("run recipe.yaml people.csv others.csv --out both --report report.json")
        .await;
    assert_eq!(said.code, Some(1), "{}", said.sentences);
    assert!(
        said.sentences.contains("others.csv") && said.sentences.contains("No column is `email`"),
        "{}",
        said.sentences
    );
    let said = desk
        .say("run recipe.yaml people.csv others.csv --column Contact=email --column Kunde=customer --column Tell=phone --out all --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    assert!(
        said.sentences.contains("no file has a column `Tell`"),
        "{}",
        said.sentences
    );
    assert_eq!(desk.report()["inputs"][1]["columns"][0]["columns"][0]["how"], "chosen");

    let said = desk
        .say("run recipe.yaml people.csv --column City=e-mail --out x.csv")
        .await;
    assert_eq!(said.code, Some(2), "{}", said.sentences);
    assert!(said.sentences.contains("Did you mean `email`?"), "{}", said.sentences);
    let said = desk.say("recipe check recipe.yaml others.csv").await;
    assert_eq!(said.code, Some(2), "{}", said.sentences);
}

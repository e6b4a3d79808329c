//! Recipes that look at other tables, at the terminal.

use serde_json::{Value, json};

use crate::desk::{Desk, bytes};

#[tokio::test]
async fn rows_are_looked_up_in_another_file() {
    let desk = Desk::with_orders(1);
    std::fs::write(desk.path("orders.csv"), "sku,n\nb,1\na,2\n").expect("a file");
    std::fs::write(desk.path("prices.csv"), "sku,price\na,1.5\n").expect("a file");
    desk.recipe(&json!({"steps": [{"join": {"with": "prices", "on": ["sku"], "kind": "inner"}}]}));
    let said = desk.say("recipe check recipe.yaml orders.csv").await;
    assert_eq!(said.code, Some(2), "{}", said.sentences);
    assert!(said.sentences.contains("no other table `prices`"), "{}", said.sentences);
    let said = desk
        .say("recipe check recipe.yaml orders.csv --with prices=prices.csv")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    let said = desk
        .say("run recipe.yaml orders.csv --with prices=prices.csv --out result.csv")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    let text = String::from_utf8(bytes(&desk.path("result.csv"))).expect("text");
    assert_eq!(
        text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
        "sku,n,price\na,2,1.5\n"
    );
}

#[tokio::test]
async fn rows_of_all_files_are_put_together() {
    let desk = Desk::with_orders(1);
    for (file, text) in [
        ("january.csv", "sku;n\na;1\nb;2\n"),
        ("february.csv", "N;sku;note\n3;007;late\n"),
        ("march.csv", "sku;n\nc;x\n"),
    ] {
        std::fs::write(desk.path(file), text).expect("a file");
    }
    let recipe = json!({"steps": [{"append": {"source": "file"}}, {"filter": {"keep": "sku <> 'b'"}}]});
    desk.recipe(&recipe);
    let said = desk
        .say("run recipe.yaml january.csv february.csv march.csv --out all.csv --report report.json")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    let text = String::from_utf8(bytes(&desk.path("all.csv"))).expect("text");
    assert_eq!(
        text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
        "sku,n,note,file\na,1,,january.csv\n007,3,late,february.csv\nc,x,,march.csv\n"
    );
    let report = desk.report();
    let rows: Vec<_> = (0..3)
        .map(|at| (&report["inputs"][at]["name"], &report["inputs"][at]["rows"]))
        .collect();
    assert_eq!(
        rows,
        [
            (&json!("january.csv"), &json!(2)),
            (&json!("february.csv"), &json!(1)),
            (&json!("march.csv"), &json!(1))
        ]
    );
    let added: Vec<_> = (1..3).map(|at| report["ledger"][at]["added"].clone()).collect();
    assert_eq!(added, [json!(1), json!(1)], "an account per file");
    let by_file = json!({"group": {"by": ["file"], "totals": {"rows": "count(*)"}}});
    desk.recipe(&json!({"steps": [{"append": {"source": "file"}}, by_file]}));
    let said = desk.say("run recipe.yaml january.csv --out one.csv").await;
    assert_eq!(said.code, Some(0), "a file alone: {}", said.sentences);
    let text = String::from_utf8(bytes(&desk.path("one.csv"))).expect("text");
    assert_eq!(
        text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
        "file,rows\njanuary.csv,2\n"
    );
    desk.recipe(&json!({"steps": ["trim", {"append": {}}]}));
    let said = desk.say("run recipe.yaml january.csv march.csv --out all.csv").await;
    assert_eq!(said.code, Some(2), "{}", said.sentences);
    assert!(said.sentences.contains("comes first"), "{}", said.sentences);
}

#[tokio::test]
async fn tables_are_put_below_each_other_and_compared() {
    let desk = Desk::with_orders(1);
    std::fs::write(desk.path("new.csv"), "sku,price\nb,2\na,1.5\nc,3\n").expect("a file");
    std::fs::write(desk.path("old.csv"), "Sku,price\na,1\nb,2\nz,9\n").expect("a file");
    let result = async |out: &str, steps: Value| {
        desk.recipe(&json!({"steps": steps}));
        let said = desk
            .say(&format!(
                "run recipe.yaml new.csv --with old=old.csv --out {out} --report report.json"
            ))
            .await;
        assert_eq!(said.code, Some(0), "{}", said.sentences);
        let text = String::from_utf8(bytes(&desk.path(out))).expect("text");
        text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
    };
    let below = result("below.csv", json!([{"append": {"with": "old", "source": "from"}}])).await;
    assert_eq!(
        below,
        "sku,price,from\nb,2,new.csv\na,1.5,new.csv\nc,3,new.csv\na,1,old\nb,2,old\nz,9,old\n"
    );
    let compared = result(
        "compared.csv",
        json!([{"compare": {"with": "old", "by": {"sku": "Sku"}}}]),
    )
    .await;
    assert_eq!(
        compared,
        "change,changed columns,sku,price,price (old)\nchanged,price,a,1.5,1\nadded,,c,3,\nremoved,,z,,9\n"
    );
    let join = json!([{"join": {"with": "old", "on": {"sku": "Sku"}, "columns": ["price"]}}]);
    result("joined.csv", join).await;
    assert_eq!(
        desk.report()["ledger"][1]["matches"],
        json!({"none": 1, "one": 2, "several": 0, "left_over": 1})
    );
}

#[tokio::test]
async fn a_query_reads_the_table_and_another_file() {
    let desk = Desk::with_orders(1);
    std::fs::write(desk.path("orders.csv"), "sku,n\nb,1\na,2\na,3\n").expect("a file");
    std::fs::write(desk.path("prices.csv"), "sku,price\na,1.5\nb,4\n").expect("a file");
    let query = "SELECT sku, sum(n * price) AS revenue, count(*) FROM data JOIN prices USING (sku) GROUP BY sku";
    desk.recipe(&json!({"steps": [{"sql": query}]}));
    let said = desk.say("recipe check recipe.yaml orders.csv").await;
    assert_eq!(said.code, Some(2), "{}", said.sentences);
    assert!(
        said.sentences.contains("There is no table `prices`"),
        "{}",
        said.sentences
    );
    for jobs in [1, 2, 8] {
        let said = desk
            .say(&format!(
                "run recipe.yaml orders.csv --with prices=prices.csv --out result.csv --report report.json --jobs {jobs}"
            ))
            .await;
        assert_eq!(said.code, Some(0), "{}", said.sentences);
        let text = String::from_utf8(bytes(&desk.path("result.csv"))).expect("text");
        assert_eq!(
            text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
            "sku,revenue,count(*)\na,7.5,2\nb,4,1\n"
        );
    }
    let entry = desk.report()["ledger"][1].clone();
    assert_eq!(
        (&entry["aggregated"], &entry["added"], &entry["kept"]),
        (&json!(3), &json!(2), &json!(2))
    );
    assert_eq!(entry["label"], "Run a query over data and prices");
    desk.recipe(&json!({"steps": [{"sql": "SELECT cast(sku AS bigint) AS n FROM data"}]}));
    let said = desk.say("run recipe.yaml orders.csv --out other.csv").await;
    assert_eq!(said.code, Some(1), "{}", said.sentences);
    assert!(said.sentences.contains("cannot be converted"), "{}", said.sentences);
}

#[tokio::test]
async fn a_row_of_another_file_is_not_said_to_be_of_the_first() {
    let desk = Desk::with_orders(1);
    std::fs::write(desk.path("january.csv"), "sku,n\na,x\nb,2\n").expect("a file");
    std::fs::write(desk.path("february.csv"), "sku,n\nc,y\n").expect("a file");
    let check = json!([{"column": "n", "type": "integer"}]);
    desk.recipe(&json!({"steps": ["append", {"validate": check}]}));
    let said = desk
        .say("run recipe.yaml january.csv february.csv --out all.csv --rejects rejects.csv")
        .await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    let text = String::from_utf8(bytes(&desk.path("rejects.csv"))).expect("text");
    let places: Vec<String> = text
        .lines()
        .map(|line| line.split(',').take(6).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(
        places,
        [
            "file,sheet,row,cell,column,value",
            "january.csv,Sheet1,2,B2,n,x",
            ",,,,n,y"
        ]
    );
}

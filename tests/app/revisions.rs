//! Recipes as documents with a history: revisions, what changed between them, restore, export and import, other files.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sheetmill::domain::states::Role;

use crate::browser::Browser;
use crate::client::Client;
use crate::desk::Desk;
use crate::first_light::join;
use crate::test_app::TestApp;
use crate::visitor::{Page, Visitor};
use crate::wait::until;

/// Somebody at a browser and at a terminal, with a recipe.
struct Scene {
    page: Visitor,
    kim: Client,
    recipe: String,
}

fn keep(above: u32) -> Value {
    json!({"name": "Positive", "steps": [{"filter": {"keep": format!("quantity > {above}")}}], "output": {"format": "csv"}})
}

fn text(above: u32) -> String {
    format!("name: Positive\nsteps:\n  - filter: {{keep: \"quantity > {above}\"}}\noutput: {{format: csv}}\n")
}

impl Scene {
    async fn new(app: &TestApp) -> Self {
        let page = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let (status, saved) = kim.send(Method::POST, "/recipes", &[], Some(keep(0))).await;
        assert_eq!(status, StatusCode::CREATED, "{saved}");
        let recipe = saved["id"].as_str().expect("an id").to_owned();
        Self { page, kim, recipe }
    }

    fn at(&self, rest: &str) -> String {
        format!("/recipes/{}{rest}", self.recipe)
    }

    async fn see(&self, rest: &str) -> String {
        let page = self.page.get(&self.at(rest)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        page.text
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut all = vec![("csrf", self.page.csrf.as_str())];
        all.extend(fields);
        self.page.post(path, &all, &[]).await
    }

    /// Saves from a page on which a revision was seen.
    async fn save(&self, above: u32, base: &str, note: &str) -> Page {
        let text = text(above);
        let fields = [("text", text.as_str()), ("base", base), ("note", note)];
        self.post(&self.at(""), &fields).await
    }

    async fn upload(&self, name: &str) -> String {
        let bytes = b"id,quantity\n1,0\n2,1\n3,2\n".to_vec();
        let (status, answer) = self.kim.upload_bytes(name, bytes).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let file = answer[0]["id"].as_str().expect("an id").to_owned();
        self.kim.ready(&file).await;
        file
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_are_listed_compared_and_restored_and_none_is_lost() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        scene.save(5, "1", "Small orders are another team's").await.leads_to();
        scene.save(7, "2", "").await.leads_to();
        let list = scene.see("/revisions").await;
        for told in [
            "3 revisions",
            "Small orders are another team&#39;s",
            "latest",
            "kim@example.org",
        ] {
            assert!(list.contains(told), "{told}: {list}");
        }
        let older = scene.see("/revisions?before=2").await;
        assert!(
            older.contains("revision 1") && !older.contains("revisions/2\""),
            "{older}"
        );

        let changed = scene.see("/compare?from=1&to=3").await;
        for told in [
            "1 change",
            "Keep rows where quantity &gt; 7",
            "quantity &gt; 0</del>",
            "quantity &gt; 7</ins>",
        ] {
            assert!(
                changed.contains(told) || changed.contains(&told.replace("&gt;", "&#62;")),
                "{told}: {changed}"
            );
        }
        assert!(
            scene
                .see("/compare?from=2&to=2")
                .await
                .contains("one and the same revision")
        );
        let missing = scene.page.get(&scene.at("/compare?from=1&to=9")).await;
        assert_eq!(missing.status, StatusCode::BAD_REQUEST);
        assert!(missing.text.contains("There is no revision 9: they are 1 to 3."));

        let old = scene.see("/revisions/1").await;
        assert!(old.contains("Restored from revision 1"), "{old}");
        let restored = scene.post(&scene.at("/revisions/1/restore"), &[]).await.leads_to();
        assert_eq!(restored, scene.at("/revisions/4"));
        assert!(scene.see("/revisions/4").await.contains("Restored from revision 1"));
        assert!(scene.see("/compare?from=1&to=4").await.contains("Nothing is different"));
        let again = scene.post(&scene.at("/revisions/4/restore"), &[]).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        let count = "select count(*) from revisions";
        assert_eq!(app.database.number(count).await, 4);
        let long = "x".repeat(501);
        let refused = scene.save(8, "4", &long).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(app.database.number(count).await, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_save_on_top_of_an_older_revision_asks_and_overwrites_nothing() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        scene.save(5, "1", "").await.leads_to();
        let met = scene.save(9, "1", "Mine").await;
        assert_eq!(met.status, StatusCode::CONFLICT);
        for told in [
            "was changed meanwhile",
            "name=\"base\" value=\"2\"",
            "Save yours as revision 3",
            "Save yours as a copy",
            "value=\"Mine\"",
        ] {
            assert!(met.text.contains(told), "{told}: {}", met.text);
        }
        let revisions = "select count(*) from revisions";
        assert_eq!(app.database.number(revisions).await, 2);
        // What was saved twice is no conflict.
        assert_eq!(scene.save(5, "1", "").await.leads_to(), scene.at(""));
        assert_eq!(app.database.number(revisions).await, 2);

        let mine = text(9);
        let copy = [("text", mine.as_str()), ("base", "2"), ("how", "copy")];
        let copied = scene.post(&scene.at(""), &copy).await.leads_to();
        assert_ne!(copied, scene.at(""));
        assert!(scene.page.get(&copied).await.text.contains("Positive (2)"));
        scene.save(9, "2", "Mine").await.leads_to();
        assert!(scene.see("/revisions/3").await.contains("Mine"));

        // Many at once, each from the same page: one is saved.
        let both = futures_util::future::join_all((20..26).map(|above| scene.save(above, "3", ""))).await;
        let saved = both.iter().filter(|it| it.status == StatusCode::SEE_OTHER).count();
        assert_eq!(saved, 1, "the others are asked");
        let of_recipe = format!("select count(*) from revisions where recipe_id = '{}'", scene.recipe);
        assert_eq!(app.database.number(&of_recipe).await, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_recipe_is_imported_and_a_name_that_is_taken_is_asked_about() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        let exported = scene.page.get(&scene.at("/export?form=yaml")).await;
        let disposition = exported.headers["content-disposition"].to_str().expect("text");
        assert!(disposition.contains("filename=\"Positive.yaml\""), "{disposition}");
        assert!(
            exported.text.starts_with("version: 1\nname: Positive\n"),
            "{}",
            exported.text
        );
        let json = scene.page.get(&scene.at("/export?form=json&revision=1")).await;
        assert_eq!(serde_json::from_str::<Value>(&json.text).expect("JSON")["version"], 1);

        let csrf = [("csrf", scene.page.csrf.as_str())];
        let import = async |bytes: &[u8]| scene.page.post_file("/recipes/import", &csrf, ("r.yaml", bytes)).await;
        let same = import(exported.text.as_bytes()).await;
        assert!(same.text.contains("there is nothing to import"), "{}", same.text);
        let newer = import(b"version: 2\nname: A\nsteps: []\n").await;
        assert!(newer.text.contains("version 2 of the form"), "{}", newer.text);
        let wrong = import(b"name: A\nsteps:\n  - trimm: {}\n").await;
        assert!(wrong.text.contains("Did you mean <code>trim</code>?"), "{}", wrong.text);
        assert!(wrong.text.contains("- trimm: {}\n</textarea>"), "the text stays");
        let binary = import(&[0x50, 0x4b, 3, 4, 0xff, 0xfe, 0]).await;
        assert!(binary.text.contains("This is not text in UTF-8."), "{}", binary.text);
        assert!(import(b"").await.text.contains("Choose a file, or paste a recipe."));
        assert_eq!(app.database.number("select count(*) from recipes").await, 1);

        let other = text(3);
        let asked = scene.post("/recipes/import", &[("text", &other)]).await;
        assert!(
            asked.text.contains("You have a recipe named Positive already"),
            "{}",
            asked.text
        );
        assert!(asked.text.contains("Save as revision 2"), "{}", asked.text);
        let stale = [("text", other.as_str()), ("how", "revision"), ("base", "0")];
        assert_eq!(
            scene.post("/recipes/import", &stale).await.status,
            StatusCode::OK,
            "asked again"
        );
        let next = [("text", other.as_str()), ("how", "revision"), ("base", "1")];
        assert_eq!(scene.post("/recipes/import", &next).await.leads_to(), scene.at(""));
        assert!(scene.see("/revisions").await.contains("Imported"));
        let both = scene
            .post("/recipes/import", &[("text", &text(4)), ("how", "both")])
            .await;
        assert_ne!(both.leads_to(), scene.at(""));
        assert!(scene.page.get("/recipes").await.text.contains("Positive (2)"));
        let forged = scene
            .page
            .post_file("/recipes/import", &[], ("r.yaml", b"steps: []"))
            .await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_as_last_month_runs_on_what_came_since_and_says_which_revision_it_was() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        let old = scene.upload("october.csv").await;
        let run = scene
            .post("/runs", &[("recipe", &scene.recipe), ("files[]", &old)])
            .await
            .leads_to();
        scene.kim.ended(run.trim_start_matches("/runs/")).await;
        let new = scene.upload("november.csv").await;
        let ticked = |id: &str| format!("value=\"{id}\" checked");
        let page = scene.see("/use").await;
        assert!(page.contains(&ticked(&new)) && !page.contains(&ticked(&old)), "{page}");
        assert!(page.contains("What came after the recipe ran last is ticked."));
        let all = scene.see("/use?tick=all").await;
        assert!(all.contains(&ticked(&new)) && all.contains(&ticked(&old)));
        let found = scene.see(&format!("/use?search=OCTO&ticked={new}")).await;
        assert!(
            found.contains(&ticked(&new)) && found.contains("october.csv"),
            "{found}"
        );
        assert!(
            scene
                .see("/use?search=december&ticked=")
                .await
                .contains("No file has “december” in its name.")
        );

        // The recipe changes; the run says so, and the one that is done again has what it had.
        scene.save(1, "1", "").await.leads_to();
        let told = scene.page.get(&run).await.text;
        assert!(told.contains("revision 1 of Positive"), "{told}");
        assert!(told.contains("the recipe has changed since"), "{told}");
        let again = scene.page.get(&format!("{run}/again")).await.leads_to();
        let page = scene.page.get(&again).await.text;
        assert!(
            page.contains("Revision 1, which that run used") && page.contains("Revision 2, the latest"),
            "{page}"
        );
        for (revision, rows) in [("1", 2), ("2", 1)] {
            let fields = [
                ("recipe", scene.recipe.as_str()),
                ("revision", revision),
                ("files[]", &new),
            ];
            let run = scene.post("/runs", &fields).await.leads_to();
            let ended = scene.kim.ended(run.trim_start_matches("/runs/")).await;
            assert_eq!(ended["artifacts"][0]["rows"], rows, "{ended}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_is_removed_and_brought_back_and_its_run_keeps_what_it_used() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        let file = scene.upload("october.csv").await;
        let fields = [("recipe", scene.recipe.as_str()), ("files[]", &file)];
        let run = scene.post("/runs", &fields).await.leads_to();
        scene.kim.ended(run.trim_start_matches("/runs/")).await;
        scene.save(1, "1", "").await.leads_to();
        let list = scene.post(&scene.at("/remove"), &[]).await.leads_to();
        assert!(scene.page.get(&list).await.text.contains("Positive was removed."));
        assert_eq!(
            scene.page.get(&scene.at("/revisions")).await.status,
            StatusCode::NOT_FOUND
        );
        assert!(scene.page.get(&run).await.text.contains("which was removed"));
        let recipe_of = scene.page.get(&format!("{run}/recipe")).await.text;
        assert!(
            recipe_of.contains("Bring the recipe back") && recipe_of.contains("Keep rows where"),
            "{recipe_of}"
        );
        let kept = scene.post(&format!("{run}/recipe"), &[]).await.leads_to();
        assert!(scene.page.get(&kept).await.text.contains("Use Positive on other files"));
        scene.post(&scene.at("/bring-back"), &[]).await.leads_to();
        assert!(scene.see("/revisions").await.contains("2 revisions"));
        scene.post(&scene.at("/rename"), &[("name", " More ")]).await.leads_to();
        assert!(scene.see("/revisions").await.contains("Renamed from “Positive”"));
        let nameless = scene.post(&scene.at("/rename"), &[("name", " ")]).await;
        assert_eq!(nameless.status, StatusCode::BAD_REQUEST);
        let copy = scene.post(&scene.at("/duplicate"), &[]).await.leads_to();
        assert!(scene.page.get(&copy).await.text.contains("More (2)"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_table_of_the_last_run_is_chosen_already() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        let looks_up = "name: Priced\nsteps:\n  - join: {with: prices, on: [id]}\noutput: {format: csv}\n";
        let fields = [("text", looks_up), ("base", "1")];
        scene.post(&scene.at(""), &fields).await.leads_to();
        let (file, prices) = (scene.upload("orders.csv").await, scene.upload("prices.csv").await);
        let first = scene.see("/use").await;
        assert!(
            first.contains("The table prices") && !first.contains(" selected"),
            "{first}"
        );
        let without = [("recipe", scene.recipe.as_str()), ("files[]", &file)];
        assert_eq!(scene.post("/runs", &without).await.status, StatusCode::BAD_REQUEST);
        let table = json!(["prices", format!("{prices}/0")]).to_string();
        let with = [
            ("recipe", scene.recipe.as_str()),
            ("files[]", &file),
            ("tables[]", &table),
        ];
        let run = scene.post("/runs", &with).await.leads_to();
        let ended = scene.kim.ended(run.trim_start_matches("/runs/")).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        let again = scene.see("/use").await;
        let chosen = again
            .split("<option")
            .find(|it| it.contains(" selected"))
            .expect("a choice");
        assert!(chosen.contains(&prices) && chosen.contains("prices.csv"), "{chosen}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_recipe_is_nowhere_to_be_found() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        scene.save(2, "1", "").await.leads_to();
        let file = scene.upload("a.csv").await;
        let run = scene
            .post("/runs", &[("recipe", &scene.recipe), ("files[]", &file)])
            .await
            .leads_to();
        scene.kim.ended(run.trim_start_matches("/runs/")).await;
        let lou = Visitor::signed_in(app, "lou@example.org", Role::Admin).await;
        for rest in ["/revisions", "/revisions/1", "/compare", "/use", "/export"] {
            assert_eq!(lou.get(&scene.at(rest)).await.status, StatusCode::NOT_FOUND, "{rest}");
        }
        for rest in ["/recipe", "/again"] {
            assert_eq!(
                lou.get(&format!("{run}{rest}")).await.status,
                StatusCode::NOT_FOUND,
                "{rest}"
            );
        }
        let fields = [("csrf", lou.csrf.as_str()), ("name", "Lou's"), ("text", "steps: []")];
        for rest in [
            "",
            "/rename",
            "/duplicate",
            "/remove",
            "/bring-back",
            "/revisions/1/restore",
        ] {
            let answer = lou.post(&scene.at(rest), &fields, &[]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{rest}");
        }
        let program = app.member("pat@example.org").await;
        for (verb, rest) in [
            (Method::GET, ""),
            (Method::DELETE, ""),
            (Method::GET, "/revisions"),
            (Method::GET, "/revisions/1"),
            (Method::GET, "/revisions/1/export"),
            (Method::GET, "/changes?from=1&to=2"),
            (Method::POST, "/revisions/1/restore"),
        ] {
            let answer = program.send(verb.clone(), &scene.at(rest), &[], None).await;
            assert_eq!(answer.0, StatusCode::NOT_FOUND, "{verb} {rest}: {}", answer.1);
        }
        // Nor does somebody without the token of the form change anything.
        let forged = scene.page.post(&scene.at("/remove"), &[], &[]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        assert_eq!(app.database.number("select count(*) from revisions").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_save_compare_restore_and_run_revisions() {
    TestApp::run(async |app| {
        let scene = Scene::new(app).await;
        let path = scene.at("");
        let call = async |verb: Method, rest: &str, body: Option<Value>| {
            scene.kim.send(verb, &format!("{path}{rest}"), &[], body).await
        };
        let (status, saved) = call(Method::POST, "/revisions?base=1&note=Small%20ones", Some(keep(5))).await;
        assert_eq!((status, &saved["revision"]), (StatusCode::CREATED, &json!(2)));
        let (status, met) = call(Method::POST, "/revisions?base=1", Some(keep(9))).await;
        assert_eq!((status, &met["code"]), (StatusCode::CONFLICT, &json!("recipe_changed")));
        let (_, list) = call(Method::GET, "/revisions", None).await;
        assert_eq!(list["revisions"][0]["note"], "Small ones", "{list}");
        assert_eq!(list["revisions"].as_array().map(Vec::len), Some(2));
        let (_, difference) = call(Method::GET, "/changes?from=1&to=2", None).await;
        assert_eq!(difference["changes"][0]["kind"], "changed", "{difference}");
        assert_eq!(
            difference["changes"][0]["options"][0]["from"], "quantity > 0",
            "{difference}"
        );
        let (status, restored) = call(Method::POST, "/revisions/1/restore", None).await;
        assert_eq!((status, &restored["revision"]), (StatusCode::CREATED, &json!(3)));
        let (status, latest) = call(Method::POST, "/revisions/3/restore", None).await;
        assert_eq!(
            (status, &latest["code"]),
            (StatusCode::CONFLICT, &json!("latest_revision"))
        );
        let (_, shown) = call(Method::GET, "", None).await;
        assert_eq!(
            (&shown["revision"], &shown["note"]),
            (&json!(3), &json!("Restored from revision 1"))
        );
        let (_, yaml) = scene
            .kim
            .text(Method::GET, &format!("{path}/revisions/2/export"), &[])
            .await;
        assert!(
            yaml.starts_with("version: 1\n") && yaml.contains("quantity > 5"),
            "{yaml}"
        );
        let newer = json!({"version": 2, "steps": []});
        let (status, refused) = scene.kim.send(Method::POST, "/recipes", &[], Some(newer)).await;
        assert_eq!(
            (status, &refused["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("recipe"))
        );

        let file = scene.upload("a.csv").await;
        let run = json!({"recipe": scene.recipe, "revision": 2, "files": [file]});
        let (_, started) = scene.kim.send(Method::POST, "/runs", &[], Some(run)).await;
        let ended = scene.kim.ended(started["id"].as_str().expect("an id")).await;
        assert_eq!(ended["artifacts"][0]["rows"], 0, "{ended}");
        let (_, listed) = scene.kim.send(Method::GET, "/recipes", &[], None).await;
        assert_eq!(
            (&listed["recipes"][0]["revision"], &listed["recipes"][0]["runs"]),
            (&json!(3), &json!(1))
        );
        assert_eq!(call(Method::DELETE, "", None).await.0, StatusCode::NO_CONTENT);
        assert_eq!(call(Method::GET, "", None).await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_browser_a_note_is_saved_another_tab_is_met_and_two_clicks_run_the_recipe() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let secret = app.invite("kim@example.org", Role::Member).await;
        let browser = Browser::start().await;
        join(&browser, &format!("{}/welcome?link={secret}", app.address)).await;
        let (_, saved) = kim.send(Method::POST, "/recipes", &[], Some(keep(0))).await;
        let recipe = saved["id"].as_str().expect("an id");
        let (_, answer) = kim
            .upload_bytes("orders.csv", b"id,quantity\n1,0\n2,1\n".to_vec())
            .await;
        kim.ready(answer[0]["id"].as_str().expect("an id")).await;

        let builder = format!("{}/recipes/{recipe}", app.address);
        browser.page.goto(&builder).await.expect("the builder");
        browser.see("[data-balance] .state.good").await;
        browser.fill("[data-name]", "Orders").await;
        browser.click("[data-noting] summary").await;
        browser.fill("[data-note]", "A better name").await;
        browser.click("[data-noted] .go").await;
        says(&browser, "[data-saved]", "revision 2").await;

        let elsewhere = format!("/recipes/{recipe}/revisions?base=2");
        let (status, _) = kim.send(Method::POST, &elsewhere, &[], Some(keep(1))).await;
        assert_eq!(status, StatusCode::CREATED);
        browser.fill("[data-name]", "Orders of mine").await;
        browser.click("[data-save]").await;
        browser.see("[data-conflict][open] .changes li").await;
        assert_eq!(app.database.number("select count(*) from revisions").await, 3);
        browser.click("[data-later]").await;
        browser.click("[data-save]").await;
        browser.see("[data-conflict][open] .changes li").await;
        browser.click("[data-anyway]").await;
        says(&browser, "[data-saved]", "revision 4").await;

        let list = format!("{}/recipes", app.address);
        browser.page.goto(&list).await.expect("the recipes");
        browser.click("a[href$='/use']").await;
        says(&browser, "[data-ticked]", "1 file ticked").await;
        browser.click("[data-go]").await;
        browser.see("#run-results a[download]").await;
        browser.click("a[href$='/again']").await;
        says(&browser, "[data-ticked]", "0 files ticked").await;
        browser.click("[data-tick=all]").await;
        says(&browser, "[data-ticked]", "1 file ticked").await;
        browser.close().await;
    })
    .await;
}

async fn says(browser: &Browser, selector: &str, wanted: &str) {
    until(&format!("{selector} says {wanted}"), async || {
        let said = browser.see(selector).await.text().await.ok()?;
        (said == wanted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_terminal_tells_what_changed_and_writes_what_is_exchanged() {
    let desk = Desk::empty();
    for (name, above) in [("old.yaml", 0), ("new.yaml", 5)] {
        std::fs::write(desk.path(name), text(above)).expect("it can be written");
    }
    let said = desk.say("recipe diff old.yaml new.yaml").await;
    assert_eq!(said.code, Some(0), "{}", said.sentences);
    assert_eq!(
        said.answer,
        "Step 1: Keep rows where quantity > 5 changed; Keep rows where: quantity > 0 → quantity > 5\n"
    );
    let same = desk.say("recipe diff old.yaml old.yaml").await;
    assert_eq!((same.code, same.answer.as_str()), (Some(0), ""));
    let json = desk.say("recipe diff old.yaml new.yaml --json").await;
    let json: Value = serde_json::from_str(&json.answer).expect("JSON");
    assert_eq!(json[0]["to"], 1);
    let shown = desk.say("recipe show new.yaml --json").await;
    assert_eq!(
        serde_json::from_str::<Value>(&shown.answer).expect("JSON")["version"],
        1
    );
    std::fs::write(desk.path("newer.yaml"), "version: 9\nsteps: []\n").expect("it can be written");
    let newer = desk.say("recipe show newer.yaml").await;
    assert_eq!(newer.code, Some(2));
    assert!(
        newer.sentences.contains("newer.yaml:1:10: This recipe has version 9"),
        "{}",
        newer.sentences
    );
}

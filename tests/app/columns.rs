//! Recipes that expect columns: files call them otherwise, people say once which is which, and are not asked again.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sheetmill::domain::states::Role;

use crate::browser::Browser;
use crate::client::Client;
use crate::first_light::join;
use crate::processes::Process;
use crate::test_app::TestApp;
use crate::visitor::{Page, Visitor};
use crate::wait::until;

fn recipe() -> Value {
    json!({
        "name": "Contacts",
        "input": {"columns": [{"name": "email", "also": ["mail address"], "required": true}, "phone"], "others": "drop"},
        "steps": [{"filter": {"keep": "email <> ''"}}],
        "output": {"format": "csv"}
    })
}

async fn uploaded(client: &Client, name: &str, text: &str) -> String {
    let (status, answer) = client.upload_bytes(name, text.as_bytes().to_vec()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id = answer[0]["id"].as_str().expect("an id").to_owned();
    client.ready(&id).await;
    id
}

async fn result(client: &Client, ended: &Value) -> String {
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let artifact = ended["artifacts"][0]["id"].as_str().expect("a result");
    let text = String::from_utf8(client.artifact(artifact).await).expect("text");
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_says_which_header_is_which_column_and_is_told_what_was_found() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = uploaded(&kim, "people.csv", "Contact,Phone\na@example.org,1\n").await;
        let start = async |columns: Value| {
            let body = json!({"recipe": recipe(), "files": [file], "columns": columns});
            kim.send(Method::POST, "/runs", &[], Some(body)).await
        };
        let wrong = start(json!({"Contact": "e-mail"})).await;
        assert_eq!(
            (wrong.0, wrong.1["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("no_such_column"))
        );
        let sentence = wrong.1["detail"].as_str().expect("a sentence");
        assert!(sentence.contains("Did you mean `email`?"), "{sentence}");

        let unfit = start(json!({})).await;
        let ended = kim.ended(unfit.1["id"].as_str().expect("an id")).await;
        assert_eq!(ended["error"]["code"], "recipe_does_not_fit", "{ended}");
        let sentence = ended["error"]["sentence"].as_str().expect("a sentence");
        assert!(
            sentence.contains("people.csv") && sentence.contains("No column is `email`, which the recipe requires."),
            "{sentence}"
        );

        let fits = start(json!({"Contact": "email"})).await;
        let ended = kim.ended(fits.1["id"].as_str().expect("an id")).await;
        assert_eq!(result(&kim, &ended).await, "email,phone\na@example.org,1\n");
        let columns = &ended["columns"][0]["sheets"][0]["columns"];
        assert_eq!(
            (&columns[0]["header"], &columns[0]["how"]),
            (&json!("Contact"), &json!("chosen"))
        );
        assert_eq!(
            (&columns[1]["header"], &columns[1]["how"]),
            (&json!("Phone"), &json!("normalised"))
        );
    })
    .await;
}

/// Starts a run as the builder's form does.
async fn run(visitor: &Visitor, recipe: &str, files: &[&str], more: &[(&str, &str)]) -> Page {
    let mut fields = vec![("csrf", visitor.csrf.as_str()), ("recipe", recipe)];
    fields.extend(files.iter().map(|file| ("files[]", *file)));
    fields.extend(more);
    visitor.post("/runs", &fields, &[]).await
}

fn run_of(page: &Page) -> String {
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let to = page.headers["location"].to_str().expect("a path");
    to.trim_start_matches("/runs/").to_owned()
}

/// The values of a select's options, as the form would send them.
fn options(page: &Page) -> Vec<String> {
    let values = page
        .text
        .split("<option value=\"")
        .skip(1)
        .filter_map(|it| it.split('"').next());
    values
        .map(|it| it.replace("&#34;", "\"").replace("&quot;", "\""))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_asked_about_by_layout_and_what_was_chosen_holds_until_it_is_forgotten() {
    TestApp::run(async |app| {
        let page = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let (_, saved) = kim.send(Method::POST, "/recipes", &[], Some(recipe())).await;
        let recipe = saved["id"].as_str().expect("an id").to_owned();
        let one = uploaded(&kim, "one.csv", "Contact,Tel\na@example.org,1\n").await;
        let two = uploaded(&kim, "two.csv", "TEL,contact\n2,b@example.org\n").await;
        let sure = uploaded(&kim, "sure.csv", "E-Mail,Phone\nc@example.org,3\n").await;

        let asked = run(&page, &recipe, &[&one, &two, &sure], &[]).await;
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.text);
        assert!(
            asked.text.contains("Which column is which?") && asked.text.contains("2 files like "),
            "{}",
            asked.text
        );
        assert!(!asked.text.contains(">E-Mail<"), "what is sure is not asked about");
        let chosen: Vec<String> = options(&asked)
            .into_iter()
            .filter(|it| {
                let it = it.to_lowercase();
                it.ends_with(r#","email","contact",[]]"#) || it.ends_with(r#","phone",null,[]]"#)
            })
            .collect();
        assert_eq!(chosen.len(), 2, "{:?}", options(&asked));
        let again = [("asked", "yes"), ("columns[]", &chosen[0]), ("columns[]", &chosen[1])];
        let first = run_of(&run(&page, &recipe, &[&one, &two, &sure], &again).await);
        let ended = kim.ended(&first).await;
        assert_eq!(ended["artifacts"].as_array().map(Vec::len), Some(3), "{ended}");
        let shown = page.get(&format!("/runs/{first}")).await;
        assert!(
            shown.text.contains("as you chose") && shown.text.contains("Forget this choice"),
            "{}",
            shown.text
        );

        // Another file with the same headers is not asked about.
        let three = uploaded(&kim, "three.csv", "Contact,Tel\nd@example.org,4\n").await;
        let second = run_of(&run(&page, &recipe, &[&three], &[]).await);
        let ended = kim.ended(&second).await;
        assert_eq!(result(&kim, &ended).await, "email,phone\nd@example.org,\n");
        let columns = &ended["columns"][0]["sheets"][0];
        assert_eq!(
            (&columns["columns"][0]["how"], &columns["columns"][1]["how"]),
            (&json!("remembered"), &json!("absent"))
        );

        let layout = columns["layout"].as_str().expect("a layout");
        let fields = [
            ("csrf", page.csrf.as_str()),
            ("expected", "email"),
            ("header", "Contact"),
            ("layout", layout),
        ];
        let forgotten = page.post(&format!("/runs/{second}/forget"), &fields, &[]).await;
        assert_eq!(forgotten.status, StatusCode::SEE_OTHER);
        let asked = run(&page, &recipe, &[&three], &[]).await;
        assert!(asked.text.contains("Which column is which?"), "{}", asked.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_has_chosen_is_not_taken_for_another() {
    TestApp::run(async |app| {
        for email in ["kim@example.org", "lou@example.org"] {
            let page = Visitor::signed_in(app, email, Role::Member).await;
            let person = app.member(email).await;
            let (_, saved) = person.send(Method::POST, "/recipes", &[], Some(recipe())).await;
            let recipe = saved["id"].as_str().expect("an id");
            let file = uploaded(&person, "one.csv", "Contact,Phone\na@example.org,1\n").await;
            let asked = run(&page, recipe, &[&file], &[]).await;
            assert!(asked.text.contains("Which column is which?"), "{}", asked.text);
            let chosen = options(&asked)
                .into_iter()
                .find(|it| it.ends_with(r#","email","Contact",[]]"#));
            let again = [("asked", "yes"), ("columns[]", chosen.as_deref().expect("a choice"))];
            let started = run_of(&run(&page, recipe, &[&file], &again).await);
            assert_eq!(person.ended(&started).await["state"], "succeeded");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_other_headers_is_asked_about_once_in_the_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let mut process = Process::serve(&["up"], &settings).await;
    let link = process.says("/welcome?link=").await;
    let address = process.address.clone().expect("an address");
    let browser = Browser::start().await;
    join(&browser, link.split_whitespace().last().expect("a link")).await;
    let file = async |name: &str, text: &str| arrived(&browser, &address, (folder.path(), name, text)).await;
    let own = file("own.csv", "email,city\na@example.org,Ghent\n").await;
    browser
        .page
        .goto(&format!("{address}/recipes/new?file={own}"))
        .await
        .expect("the builder");
    browser.see("[data-balance] .state.good").await;
    browser.click(".expected summary").await;
    browser.click("[data-take]").await;
    browser.see(".expects [data-name=email]").await;
    until("the builder says what was found", async || {
        let found = browser
            .see(".expects [data-name=email] .found")
            .await
            .text()
            .await
            .ok()?;
        (found == "email: the same name").then_some(())
    })
    .await;
    browser.click("[data-save]").await;
    browser.see("[data-run] input[name=recipe]:not([value=''])").await;
    let at = browser.page.current_url().await.expect("an address");
    let recipe = at.path().to_owned();

    let theirs = file("theirs.csv", "Contact,City\nb@example.org,Lyon\n").await;
    start(&browser, &format!("{address}{recipe}?file={theirs}")).await;
    let pick = "const it = document.querySelector('select[aria-label=email]'); \
                it.value = [...it.options].find((option) => option.text === 'Contact').value;";
    browser.see("select[aria-label=email]").await;
    browser.page.execute(pick, vec![]).await.expect("a choice");
    browser.click("main form .button.primary").await;
    browser.see("#run-columns .rowaction button").await;
    browser.see("#run-results a[download]").await;

    let next = file("next.csv", "Contact,City\nc@example.org,Turin\n").await;
    start(&browser, &format!("{address}{recipe}?file={next}")).await;
    browser.see("#run-results a[download]").await;
    browser.close().await;
    assert!(process.interrupt().await.success());
}

/// Runs the recipe on the file in view.
async fn start(browser: &Browser, builder: &str) {
    browser.page.goto(builder).await.expect("the builder");
    browser.see("[data-balance] .state.good").await;
    browser.click("[data-run] summary").await;
    browser.click("[data-run] .go").await;
}

/// Uploads a file and waits until it is read; answers its id.
async fn arrived(browser: &Browser, address: &str, (folder, name, text): (&Path, &str, &str)) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("it can be written");
    browser.page.goto(address).await.expect("the first page");
    let input = browser.see("#upload input[type=file]").await;
    let path = path.to_str().expect("a plain path");
    input.send_keys(path).await.expect("a chosen file");
    let find = "const lines = [...document.querySelectorAll('#recent tr[data-state=ready]')]; \
                return lines.find((it) => it.textContent.includes(arguments[0]))?.querySelector('a').pathname ?? null;";
    let what = format!("{name} is read");
    let path = until(&what, async || {
        let found = browser.page.execute(find, vec![name.into()]).await.ok()?;
        found.as_str().map(str::to_owned)
    });
    path.await.trim_start_matches("/files/").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_headers_that_were_chosen_before_the_one_chosen_last_is_remembered() {
    TestApp::run(async |app| {
        let page = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let (_, saved) = kim.send(Method::POST, "/recipes", &[], Some(recipe())).await;
        let recipe = saved["id"].as_str().expect("an id");
        // Each of the first two is chosen; on the third sheet both stand.
        for (text, header, asks) in [
            ("Contact,Phone\na@example.org,1\n", "Contact", true),
            ("Reach,Phone\nb@example.org,2\n", "Reach", true),
            ("Contact,Reach,Phone\nno,c@example.org,3\n", "Reach", true),
            ("Phone,Reach,Contact\n4,d@example.org,no\n", "", false),
        ] {
            let file = uploaded(&kim, "people.csv", text).await;
            let mut answer = run(&page, recipe, &[&file], &[]).await;
            assert_eq!(answer.status == StatusCode::OK, asks, "{text}: {}", answer.text);
            if asks {
                let wanted = format!(",\"email\",\"{header}\",");
                let chosen = options(&answer)
                    .into_iter()
                    .find(|it| it.contains(&wanted))
                    .expect("a choice");
                answer = run(&page, recipe, &[&file], &[("asked", "yes"), ("columns[]", &chosen)]).await;
            }
            let ended = kim.ended(&run_of(&answer)).await;
            assert!(result(&kim, &ended).await.contains("@example.org"), "{ended}");
        }
    })
    .await;
}

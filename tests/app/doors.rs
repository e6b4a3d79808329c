//! Every route of the pages, walked by those who may not: strangers, members at the admin's door, owners of other things,
//! and forms that other sites send.

use reqwest::StatusCode;
use serde_json::json;
use sheetmill::domain::states::{Role, ScheduleKind};
use uuid::Uuid;

use crate::clean_up::make_due;
use crate::test_app::TestApp;
use crate::visitor::{Page, Visitor};
use crate::wait::until;
use crate::{orders, schedules};

/// What strangers may see: the doors, and what these pages are drawn with.
const OPEN: [&str; 5] = ["/welcome", "/sign-in", "/theme", "/assets/", "/sign-out"];

/// Method and path of each route, as the screen of routes says.
fn routes() -> Vec<(bool, &'static str)> {
    let screen: String = include_str!("../../src/pages/routes.rs").split_whitespace().collect();
    let screen: &'static str = screen.leak();
    let routes: Vec<(bool, &str)> = screen
        .split(".route(\"")
        .skip(1)
        .filter_map(|rest| {
            let (path, rest) = rest.split_once("\",")?;
            Some((rest.starts_with("post()"), path))
        })
        .collect();
    assert!(routes.len() > 30, "the screen of routes is read: {routes:?}");
    routes
}

/// Ids of things that somebody owns.
struct Things {
    file: String,
    recipe: String,
    run: String,
    artifact: String,
    task: String,
    schedule: String,
    tick: String,
}

impl Things {
    /// Things that nobody owns.
    fn of_nobody() -> Self {
        let id = || Uuid::now_v7().to_string();
        Self {
            file: id(),
            recipe: id(),
            run: id(),
            artifact: id(),
            task: id(),
            schedule: id(),
            tick: id(),
        }
    }

    async fn made_by(app: &TestApp, email: &str) -> Self {
        let client = app.member(email).await;
        let path = app.folder.path().join("orders.xlsx");
        orders::write(20, &path);
        let file = client.upload(&path).await;
        client.ready(&file).await;
        let recipe = json!({"name": "R", "steps": [{"filter": {"keep": "quantity > 0"}}]});
        let (_, saved) = client
            .send(reqwest::Method::POST, "/recipes", &[], Some(recipe.clone()))
            .await;
        let run = client.run(&recipe, &[&file]).await;
        let ended = client.ended(&run).await;
        let id = |it: &serde_json::Value| it.as_str().unwrap_or_else(|| panic!("an id in {ended}")).to_owned();
        let (schedule, tick) = schedule_and_report(app).await;
        Self {
            schedule,
            tick,
            recipe: id(&saved["id"]),
            artifact: id(&ended["artifacts"][0]["id"]),
            task: id(&ended["tasks"][0]["id"]),
            file,
            run,
        }
    }

    fn put_into(&self, route: &str) -> String {
        route
            .replace("{file}", &self.file)
            .replace("{recipe}", &self.recipe)
            .replace("{run}", &self.run)
            .replace("{artifact}", &self.artifact)
            .replace("{task}", &self.task)
            .replace("{schedule}", &self.schedule)
            .replace("{tick}", &self.tick)
            .replace("{position}", "0")
            .replace("{number}", "1")
            .replace("{row}", "1")
            .replace("{column}", "0")
            .replace("{place}", "none")
            .replace("{hash}", "0")
            .replace("{path:.*}", "sheetmill.css")
    }
}

/// A schedule, and a tick of it that has made a report.
async fn schedule_and_report(app: &TestApp) -> (String, String) {
    let pool = &app.database.pool;
    let kind = ScheduleKind::ActivityReport;
    make_due(&app.database, kind, 1).await;
    let tick = until("there is a report", async || {
        let made = schedules::made(pool).await;
        made.into_iter().find(|it| it.report.is_some()).map(|it| it.id)
    });
    (
        schedules::schedule(pool, kind).await.id.to_string(),
        tick.await.to_string(),
    )
}

async fn ask(visitor: &Visitor, is_post: bool, path: &str, fields: &[(&str, &str)]) -> Page {
    if is_post {
        visitor.post(path, fields, &[]).await
    } else {
        visitor.get(path).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_led_to_the_door_and_every_answer_is_hardened() {
    TestApp::run(async |app| {
        let (stranger, nothing) = (Visitor::stranger(app), Things::of_nobody());
        for (is_post, route) in routes() {
            let page = ask(&stranger, is_post, &nothing.put_into(route), &[]).await;
            for header in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
                assert!(page.headers.contains_key(header), "{route} lacks {header}");
            }
            if OPEN.iter().any(|it| route.starts_with(it)) {
                continue;
            }
            let is_turned_away = matches!(
                page.status,
                StatusCode::SEE_OTHER | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
            );
            assert!(is_turned_away, "{route} answered a stranger {}", page.status);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_sessions_token_and_our_own_pages() {
    TestApp::run(async |app| {
        let kim = Visitor::signed_in(app, "kim@example.org", Role::Admin).await;
        let mine = Things::made_by(app, "kim@example.org").await;
        for (_, route) in routes().into_iter().filter(|(is_post, _)| *is_post) {
            let path = mine.put_into(route);
            let forged = kim.post(&path, &[], &[]).await;
            assert_eq!(forged.status, StatusCode::FORBIDDEN, "{route} without a token");
            let from_elsewhere = [("sec-fetch-site", "cross-site")];
            let led = kim.post(&path, &[("csrf", &kim.csrf)], &from_elsewhere).await;
            assert_eq!(led.status, StatusCode::FORBIDDEN, "{route} from another site");
            let from_elsewhere = [("origin", "http://evil.example")];
            let led = kim.post(&path, &[("csrf", &kim.csrf)], &from_elsewhere).await;
            assert_eq!(led.status, StatusCode::FORBIDDEN, "{route} from another origin");
        }
        assert_eq!(kim.get("/").await.status, StatusCode::OK, "nobody was signed out");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_persons_or_the_admins_is_not_there() {
    TestApp::run(async |app| {
        let lou = Visitor::signed_in(app, "lou@example.org", Role::Member).await;
        let kims = Things::made_by(app, "kim@example.org").await;
        let token = lou.csrf.clone();
        for (is_post, route) in routes() {
            if !route.contains('{') && !route.starts_with("/admin") || route.starts_with("/assets") {
                continue;
            }
            let fields = [("csrf", token.as_str()), ("text", "steps: []")];
            let page = ask(&lou, is_post, &kims.put_into(route), &fields).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{route}");
        }
        let run = [
            ("csrf", token.as_str()),
            ("recipe", kims.recipe.as_str()),
            ("files[]", kims.file.as_str()),
        ];
        assert_eq!(lou.post("/runs", &run, &[]).await.status, StatusCode::NOT_FOUND);
        let owned = app
            .database
            .number("select count(*) from files f join users u on u.id = f.owner where u.email = 'lou@example.org'")
            .await;
        assert_eq!(owned, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_every_page_of_the_admin() {
    TestApp::run(async |app| {
        let kim = Visitor::signed_in(app, "kim@example.org", Role::Admin).await;
        let mine = Things::made_by(app, "kim@example.org").await;
        for (is_post, route) in routes() {
            if is_post || route.starts_with("/welcome") || route.starts_with("/assets") {
                continue;
            }
            // The guide has a page for each step.
            let path = mine.put_into(route).replace("{step}", "trim");
            let status = kim.get(&path).await.status;
            let leads_on = ["/sign-in", "/runs/{run}/again"].contains(&route);
            let is_fine = status == StatusCode::OK || (leads_on && status == StatusCode::SEE_OTHER);
            assert!(is_fine, "{path} answered {status}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_said_and_is_no_fault_of_ours() {
    TestApp::run(async |app| {
        let kim = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let text = "name: \"a\\0b\"\nsteps: []\n";
        let answer = kim.post("/recipes", &[("csrf", &kim.csrf), ("text", text)], &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(answer.text.contains("cannot be kept"), "{}", answer.text);
    })
    .await;
}

//! What admins do with schedules on their page.

use reqwest::StatusCode;
use sheetmill::domain::states::{Role, ScheduleKind};

use crate::browser::Browser;
use crate::first_light::join;
use crate::processes::Process;
use crate::schedules::schedule;
use crate::test_app::TestApp;
use crate::visitor::{Page, Visitor};
use crate::wait::until;

/// An admin and the address of the clean-up's forms.
async fn admin(app: &TestApp) -> (Visitor, String) {
    let admin = Visitor::signed_in(app, "ada@example.org", Role::Admin).await;
    let id = schedule(&app.database.pool, ScheduleKind::CleanUp).await.id;
    (admin, format!("/admin/schedules/{id}"))
}

fn says(page: &Page, words: &str) {
    assert!(page.text.contains(words), "{words:?} in {}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_pauses_a_schedule_with_a_reason_and_lets_it_go_on() {
    TestApp::run(async |app| {
        let (admin, schedule) = admin(app).await;
        let page = admin.get("/admin/schedules").await;
        says(&page, "every hour");
        says(&page, "every day at 06:00");
        let (csrf, pause) = (("csrf", admin.csrf.as_str()), format!("{schedule}/pause"));
        let forged = admin.post(&pause, &[("reason", "x")], &[]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        let paused = admin.post(&pause, &[csrf, ("reason", "<b>moving</b>")], &[]).await;
        assert_eq!(paused.status, StatusCode::SEE_OTHER, "{}", paused.text);
        let page = admin.get("/admin/schedules").await;
        says(&page, "&#60;b&#62;moving");
        says(&page, "Resume");
        let resumed = admin.post(&format!("{schedule}/resume"), &[csrf], &[]).await;
        assert_eq!(resumed.status, StatusCode::SEE_OTHER);
        assert_eq!(app.database.number("select count(*) from audit").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_changes_a_rule_and_has_the_schedule_run_at_once() {
    TestApp::run(async |app| {
        let (admin, schedule) = admin(app).await;
        let csrf = ("csrf", admin.csrf.as_str());
        let change = async |rule| {
            let fields = [csrf, ("rule", rule), ("time_zone", "Europe/Berlin"), ("missed", "skip")];
            let headers = [("accept", "text/html")];
            admin.post(&format!("{schedule}/change"), &fields, &headers).await
        };
        assert_eq!(change(" 30  2 * * mon-fri ").await.status, StatusCode::SEE_OTHER);
        let page = admin.get("/admin/schedules").await;
        says(&page, "Monday to Friday at 02:30");
        says(&page, "Europe/Berlin");
        let wrong = change("30 2").await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        says(&wrong, "Write five fields");

        let ran = admin.post(&format!("{schedule}/run"), &[csrf], &[]).await;
        assert_eq!(ran.status, StatusCode::SEE_OTHER, "{}", ran.text);
        until("the clean-up is done", async || {
            let page = admin.get("/admin/schedules").await;
            page.text.contains("asked for by ada@example.org").then_some(())?;
            page.text.contains("Nothing was to be removed.").then_some(())
        })
        .await;
        assert_eq!(app.database.number("select count(*) from audit").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_have_no_page_of_schedules() {
    TestApp::run(async |app| {
        let (_, schedule) = admin(app).await;
        let member = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        assert_eq!(member.get("/admin/schedules").await.status, StatusCode::NOT_FOUND);
        let fields = [("csrf", member.csrf.as_str()), ("reason", "mine")];
        for action in ["pause", "resume", "run", "change"] {
            let answer = member.post(&format!("{schedule}/{action}"), &fields, &[]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(app.database.number("select count(*) from audit").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_runs_and_pauses_a_schedule_in_a_browser_and_sees_it_live() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let mut process = Process::serve(&["up"], &settings).await;
    let link = process.says("/welcome?link=").await;
    let address = process.address.clone().expect("an address");
    let browser = Browser::start().await;
    join(&browser, link.split_whitespace().last().expect("a link")).await;
    browser
        .page
        .goto(&format!("{address}/admin/schedules"))
        .await
        .expect("the page");
    let of = |rest: &str| format!("section[aria-labelledby='schedule-clean-up-name'] {rest}");

    // The next tick is told in the reader's own words for times, not in those of the server.
    let next = of("#schedule-clean-up time[data-exact]");
    until("the exact time is the reader's", async || {
        let shown = browser.see(&next).await.text().await.ok()?;
        (!shown.contains("UTC")).then_some(())
    })
    .await;
    browser.click(&of("form[action$='/run'] button")).await;
    until("what it did is told without a click", async || {
        let said = browser.see("#schedule-clean-up").await.text().await.ok()?;
        said.contains("Nothing was to be removed.").then_some(())
    })
    .await;
    browser
        .click("section[aria-labelledby='schedule-activity-report-name'] form[action$='/run'] button")
        .await;
    browser.click("#ticks a[href^='/admin/reports/']").await;
    assert!(browser.downloaded(".xlsx").await.starts_with(b"PK"));

    let menu = of("details:has(form[action$='/pause'])");
    browser.click(&format!("{menu} > summary")).await;
    browser
        .fill(&format!("{menu} input[name='reason']"), "The disk is being replaced")
        .await;
    browser.click(&format!("{menu} form button")).await;
    let paused = browser
        .see("#schedule-clean-up .note")
        .await
        .text()
        .await
        .expect("words");
    assert!(
        paused.contains("Paused by") && paused.contains("The disk is being replaced"),
        "{paused}"
    );
    browser.click(&of("form[action$='/resume'] button")).await;
    browser.see(&of("form[action$='/pause']")).await;
    browser.close().await;
    assert!(process.interrupt().await.success());
}

//! What an operator's probes hear, in good times and bad.

use reqwest::StatusCode;

use crate::garage;
use crate::test_app::TestApp;
use crate::wait::until;

async fn status(app: &TestApp, path: &str) -> StatusCode {
    let answer = reqwest::get(format!("{}{path}", app.address)).await;
    answer.expect("it answers").status()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_when_database_and_storage_answer_and_says_when_they_do_not() {
    TestApp::run(async |app| {
        assert_eq!(status(app, "/healthz").await, StatusCode::OK);
        assert_eq!(status(app, "/readyz").await, StatusCode::OK);

        app.database.cut_off().await;
        assert_eq!(status(app, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            status(app, "/healthz").await,
            StatusCode::OK,
            "a restart would mend nothing"
        );
        app.database.restore().await;
        until("it is ready again", async || {
            (status(app, "/readyz").await == StatusCode::OK).then_some(())
        })
        .await;

        let storage = app.folder.path().join("storage");
        std::fs::rename(&storage, app.folder.path().join("away")).expect("it moves");
        assert_eq!(status(app, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        std::fs::rename(app.folder.path().join("away"), &storage).expect("it moves back");
        assert_eq!(status(app, "/readyz").await, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_on_an_s3_store() {
    let s3 = garage::bucket().await;
    TestApp::run_with(
        |settings| settings.s3 = Some(s3),
        async |app| assert_eq!(status(app, "/readyz").await, StatusCode::OK),
    )
    .await;
}

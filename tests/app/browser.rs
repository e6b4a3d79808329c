//! Real Chromium, driven through its driver.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::key::Key;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::wait::until;

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// One browser with an empty profile.
pub struct Browser {
    /// Speaks WebDriver.
    pub page: Client,
    driver: Child,
    downloads: tempfile::TempDir,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser; its driver takes a free port.
    pub async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that a test that fails takes the browser along.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver starts; `make test-tools` installs it");
        let out = driver.stdout.take().expect("stdout is piped");
        let port = timeout(PATIENCE, port(out))
            .await
            .expect("chromedriver says its port in time");
        let profile = tempfile::tempdir().expect("a folder");
        let downloads = tempfile::tempdir().expect("a folder");
        let page = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities(profile.path(), downloads.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser");
        Self {
            page,
            driver,
            downloads,
            _profile: profile,
        }
    }

    /// Waits for an element.
    pub async fn see(&self, selector: &str) -> fantoccini::elements::Element {
        let found = self
            .page
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(selector))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!(
                "{selector} did not appear: {error}\n{}",
                self.page.source().await.unwrap_or_default()
            ),
        }
    }

    /// Clicks on an element once it is there. A page that is drawn anew meanwhile is asked again.
    pub async fn click(&self, selector: &str) {
        until(&format!("{selector} can be clicked"), async || {
            self.see(selector).await.click().await.ok()
        })
        .await;
    }

    /// Types into a field in place of what is there, as a person does: by its keys.
    pub async fn fill(&self, selector: &str, text: &str) {
        let select_all = format!("{}a{}", char::from(Key::Control), char::from(Key::Null));
        until(&format!("{selector} can be typed into"), async || {
            let field = self.see(selector).await;
            field.click().await.ok()?;
            field.send_keys(&select_all).await.ok()?;
            field.send_keys(text).await.ok()
        })
        .await;
        let said = self.see(selector).await.prop("value").await.expect("a property");
        assert_eq!(said.as_deref(), Some(text), "{selector} holds what was typed");
    }

    /// Waits until a download with this ending is complete, and gives its bytes.
    pub async fn downloaded(&self, ending: &str) -> Vec<u8> {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        let complete = timeout(PATIENCE, async {
            loop {
                tick.tick().await;
                // Chromium writes to another name and renames when it is complete.
                let entries = std::fs::read_dir(self.downloads.path()).expect("a folder").flatten();
                if let Some(path) = entries
                    .map(|it| it.path())
                    .find(|it| it.to_string_lossy().ends_with(ending))
                {
                    return path;
                }
            }
        });
        std::fs::read(complete.await.expect("the download is complete in time")).expect("a readable file")
    }

    /// Ends the browser and its driver.
    pub async fn close(self) {
        self.page.clone().close().await.expect("the browser closes");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = self.driver.id().and_then(|it| Pid::from_raw(i32::try_from(it).ok()?));
        if let Some(group) = group {
            // It may have ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn port(out: tokio::process::ChildStdout) -> u16 {
    let mut lines = BufReader::new(out).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said = line
            .split_once("started successfully on port ")
            .map(|(_, port)| port.trim_end_matches('.').parse());
        if let Some(Ok(port)) = said {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return port;
        }
    }
    panic!("chromedriver ended without a port")
}

fn capabilities(profile: &Path, downloads: &Path) -> Capabilities {
    let arguments = [
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--window-size=1280,900".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    let options = json!({
        "args": arguments,
        "prefs": {"download.default_directory": downloads, "download.prompt_for_download": false},
    });
    let mut all = Capabilities::new();
    all.insert("goog:chromeOptions".to_owned(), options);
    all
}

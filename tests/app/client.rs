//! A program that uses the API, with the verbs of its user.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How long anything here may take: two slow cores work through it.
const PATIENCE: Duration = Duration::from_secs(180);

/// A token's holder at one address.
pub struct Client {
    http: reqwest::Client,
    /// `http://127.0.0.1:…`
    pub address: String,
    token: String,
}

impl Client {
    /// Speaks to the instance at `address`.
    pub fn new(address: &str, token: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            address: address.to_owned(),
            token: token.to_owned(),
        }
    }

    /// Uploads a file and gives its id; it must be accepted.
    pub async fn upload(&self, path: &Path) -> String {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let bytes = std::fs::read(path).expect("a readable file");
        let (status, answer) = self.upload_bytes(&name, bytes).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer[0]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("an id in {answer}"))
            .to_owned()
    }

    /// Uploads bytes under a name; the status and the body whatever they are.
    pub async fn upload_bytes(&self, name: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        let form = Form::new().part("file", Part::bytes(bytes).file_name(name.to_owned()));
        let request = self
            .http
            .post(self.url("/files"))
            .bearer_auth(&self.token)
            .multipart(form);
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Uploads a text under a name and waits until its table can be used; its id.
    pub async fn upload_text(&self, name: &str, text: &str) -> String {
        let (status, answer) = self.upload_bytes(name, text.as_bytes().to_vec()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let file = answer[0]["id"].as_str().expect("an id").to_owned();
        self.ready(&file).await;
        file
    }

    /// Starts a run of a recipe document on files and gives its id.
    pub async fn run(&self, recipe: &Value, files: &[&str]) -> String {
        let body = json!({"recipe": recipe, "files": files});
        let answer = self
            .http
            .post(self.url("/runs"))
            .bearer_auth(&self.token)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// What the API says at `path`; `None` while nobody answers or the answer is not a success.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = self
            .http
            .get(self.url(path))
            .bearer_auth(&self.token)
            .send()
            .await
            .ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    /// Asks until `enough` says so, and gives that answer.
    pub async fn until(&self, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        let mut last = Value::Null;
        let mut tick = tokio::time::interval(Duration::from_millis(40));
        while started.elapsed() < PATIENCE {
            tick.tick().await;
            if let Some(answer) = self.get(path).await {
                if enough(&answer) {
                    return answer;
                }
                last = answer;
            }
        }
        panic!("{path} did not come that far in {PATIENCE:?}; last: {last}")
    }

    /// Waits until a file's tables can be used.
    pub async fn ready(&self, file: &str) -> Value {
        let answer = self
            .until(&format!("/files/{file}"), |it| {
                ["ready", "refused", "failed"].contains(&it["state"].as_str().unwrap_or_default())
            })
            .await;
        assert_eq!(answer["state"], "ready", "{answer}");
        answer
    }

    /// Waits until a run has ended, however it did.
    pub async fn ended(&self, run: &str) -> Value {
        let ends = ["succeeded", "failed", "cancelled"];
        self.until(&format!("/runs/{run}"), |it| {
            ends.contains(&it["state"].as_str().unwrap_or_default())
        })
        .await
    }

    /// An artifact's bytes.
    pub async fn artifact(&self, id: &str) -> Vec<u8> {
        let answer = self
            .http
            .get(self.url(&format!("/artifacts/{id}")))
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("an answer");
        answer
            .error_for_status()
            .expect("a success")
            .bytes()
            .await
            .expect("a body")
            .to_vec()
    }

    /// Sends `DELETE` and gives the status.
    pub async fn delete(&self, path: &str) -> StatusCode {
        self.http
            .delete(self.url(path))
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("an answer")
            .status()
    }

    /// Sends any call; the status and the body as JSON, whatever they are.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Begins to read an answer that may not end.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        let request = self.http.get(self.url(path)).bearer_auth(&self.token);
        request.send().await.expect("an answer")
    }

    /// The status and the body as text; of a stream, all of it.
    pub async fn text(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("a body"))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.address)
    }
}

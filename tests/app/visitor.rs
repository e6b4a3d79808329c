//! A browser without script: it keeps cookies, follows links, and sends the forms that pages hold.

use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::redirect::Policy;
use reqwest::{Client as Http, Method, StatusCode};
use sheetmill::domain::states::Role;

use crate::test_app::TestApp;

/// What a page answered.
#[derive(Debug)]
pub struct Page {
    /// Its status; redirects are not followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its text.
    pub text: String,
}

impl Page {
    /// The token that the page's forms carry.
    pub fn csrf(&self) -> Option<String> {
        let (_, rest) = self.text.split_once("name=\"csrf\"")?;
        Some(rest.split('"').nth(1)?.to_owned())
    }

    /// Where it leads to.
    pub fn leads_to(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers["location"].to_str().expect("an address").to_owned()
    }
}

/// Somebody with a browser.
pub struct Visitor {
    http: Http,
    address: String,
    /// The token of their session.
    pub csrf: String,
}

impl Visitor {
    /// Somebody without an account.
    pub fn stranger(app: &TestApp) -> Self {
        Self::at(&app.address)
    }

    /// Somebody without an account at any server.
    pub fn at(address: &str) -> Self {
        let http = Http::builder().cookie_store(true).redirect(Policy::none()).build();
        Self {
            http: http.expect("a client"),
            address: address.to_owned(),
            csrf: String::new(),
        }
    }

    /// Somebody who followed their link, chose a password and is signed in.
    pub async fn signed_in(app: &TestApp, email: &str, role: Role) -> Self {
        let mut visitor = Self::stranger(app);
        let secret = app.invite(email, role).await;
        let door = visitor.get(&format!("/welcome?link={secret}")).await;
        let csrf = door.csrf().expect("the door's token");
        let fields = [
            ("csrf", csrf.as_str()),
            ("link", secret.as_str()),
            ("name", email),
            ("email", email),
            ("password", "four words in a row"),
        ];
        let entered = visitor.post("/welcome", &fields, &[]).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.text);
        visitor.csrf = visitor.get("/").await.csrf().expect("a session's token");
        visitor
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, &[], &[]).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        self.send(Method::POST, path, fields, headers).await
    }

    /// Sends a form with a file among its fields.
    pub async fn post_file(&self, path: &str, fields: &[(&str, &str)], file: (&str, &[u8])) -> Page {
        let mut form = Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        let (name, bytes) = file;
        form = form.part("file", Part::bytes(bytes.to_vec()).file_name(name.to_owned()));
        let request = self.http.post(format!("{}{path}", self.address)).multipart(form);
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.expect("a body");
        Page { status, headers, text }
    }

    async fn send(&self, method: Method, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.address));
        if method == Method::POST {
            request = request.form(fields);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        // A stream would not end; its status and headers are what is asked for.
        let is_stream = headers.get("content-type").is_some_and(|it| it == "text/event-stream");
        let text = if is_stream {
            String::new()
        } else {
            answer.text().await.expect("a body")
        };
        Page { status, headers, text }
    }
}

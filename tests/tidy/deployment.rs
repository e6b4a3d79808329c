//! The image and the compose file: nothing runs as root, writes where it need not, or takes all there is.

use serde_json::Value;

use super::Finding;
use super::source::text_of;

const COMPOSE: &str = "docker-compose.yml";
const DOCKERFILE: &str = "Dockerfile";

pub fn check() -> Vec<Finding> {
    let mut findings = compose(&text_of(COMPOSE));
    findings.extend(dockerfile(&text_of(DOCKERFILE)));
    findings
}

fn compose(text: &str) -> Vec<Finding> {
    let about = |sentence: String| Finding {
        path: COMPOSE.to_owned(),
        line: 1,
        sentence,
    };
    let parsed: Value = match serde_saphyr::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => return vec![about(format!("this is not YAML: {error}"))],
    };
    let Some(services) = parsed["services"].as_object().filter(|it| !it.is_empty()) else {
        return vec![about("there are no services".to_owned())];
    };
    let mut findings = Vec::new();
    for (name, service) in services {
        let mut miss = |what: &str| findings.push(about(format!("service `{name}`: {what}")));
        if service["read_only"] != Value::Bool(true) {
            miss("its root is written to: set read_only and name the folders that are");
        }
        if service["cap_drop"] != serde_json::json!(["ALL"]) {
            miss("it keeps capabilities: cap_drop ALL");
        }
        if service["security_opt"] != serde_json::json!(["no-new-privileges:true"]) {
            miss("it may gain privileges: no-new-privileges");
        }
        for limit in ["mem_limit", "pids_limit"] {
            if service[limit].is_null() {
                miss(&format!("it has no {limit}"));
            }
        }
        if service["healthcheck"].is_null() {
            miss("it has no health check");
        }
        if service["privileged"] == Value::Bool(true) || service["network_mode"] == "host" {
            miss("it is not contained");
        }
        if service["image"]
            .as_str()
            .is_some_and(|image| !image.contains(':') || image.ends_with(":latest"))
        {
            miss("its image has no version");
        }
    }
    findings
}

fn dockerfile(text: &str) -> Vec<Finding> {
    let about = |line: usize, sentence: &str| Finding {
        path: DOCKERFILE.to_owned(),
        line,
        sentence: sentence.to_owned(),
    };
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["FROM", image, ..] if !image.contains(':') || image.ends_with(":latest") => {
                findings.push(about(index + 1, "name the version of the image this one starts from"));
            }
            ["ADD", ..] => findings.push(about(index + 1, "COPY, for ADD also unpacks and downloads")),
            _ if line.contains("apt-get install") && !line.contains("--no-install-recommends") => {
                findings.push(about(index + 1, "install with --no-install-recommends"));
            }
            _ => {}
        }
    }
    let last = text.rsplit_once("\nFROM ").map_or(text, |(_, last)| last);
    for (instruction, sentence) in [
        ("\nUSER ", "the image runs as root"),
        ("\nHEALTHCHECK ", "the image has no health check"),
        (
            "\nENTRYPOINT [",
            "the image starts through a shell: signals do not arrive",
        ),
    ] {
        if !last.contains(instruction) || last.contains("\nUSER root") || last.contains("\nUSER 0") {
            findings.push(about(1, sentence));
        }
    }
    findings
}

#[test]
fn a_loose_service_is_found() {
    let found = compose("services:\n  web:\n    image: nginx\n");
    assert_eq!(found.len(), 7, "{found:?}");
    assert_eq!(compose("services: [\n").len(), 1);
    assert_eq!(compose("volumes: {}\n").len(), 1);
}

#[test]
fn a_loose_image_is_found() {
    let found = dockerfile("FROM debian\nRUN apt-get install -y x\nADD a b\nENTRYPOINT sheetmill\n");
    assert_eq!(found.len(), 6, "{found:?}");
}

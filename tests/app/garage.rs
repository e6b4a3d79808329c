//! One Garage, a real S3 server, for all tests of this binary; a bucket and a key of its own for each test.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sheetmill::storage::{Addressing, ChecksumMode, S3Settings, Timeouts};
use uuid::Uuid;

use crate::undertaker;
use crate::wait::until;

const REGION: &str = "garage";
const ADMIN_TOKEN: &str = "only-this-machine-and-this-test";

struct Garage {
    s3: String,
    admin: String,
    _undertaker: Child,
}

static SHARED: OnceLock<Garage> = OnceLock::new();

/// Settings for a bucket that nobody else uses.
pub async fn bucket() -> S3Settings {
    bucket_of(None).await
}

/// As [`bucket`], with room for so many bytes.
pub async fn bucket_of(bytes: Option<u64>) -> S3Settings {
    let garage = SHARED.get_or_init(|| undertaker::forever(start));
    let name = format!("test-{}", Uuid::now_v7().simple());
    let key = garage.admin("CreateKey", &json!({"name": name})).await;
    let bucket = garage.admin("CreateBucket", &json!({"globalAlias": name})).await;
    let permissions = json!({"read": true, "write": true, "owner": true});
    let allow = json!({"bucketId": bucket["id"], "accessKeyId": key["accessKeyId"], "permissions": permissions});
    garage.admin("AllowBucketKey", &allow).await;
    let quotas = json!({"quotas": {"maxSize": bytes, "maxObjects": null}});
    let id = bucket["id"].as_str().expect("Garage tells the bucket");
    garage.admin(&format!("UpdateBucket?id={id}"), &quotas).await;
    let text = |name: &str| key[name].as_str().expect("Garage tells the key").to_owned();
    S3Settings {
        endpoint: Some(garage.s3.clone()),
        public_endpoint: Some(garage.s3.clone()),
        region: REGION.to_owned(),
        bucket: name,
        access_key_id: text("accessKeyId"),
        secret_access_key: text("secretAccessKey").into(),
        addressing: Addressing::Path,
        checksums: ChecksumMode::for_endpoint(Some(&garage.s3)),
        timeouts: Timeouts::default(),
    }
}

impl Garage {
    async fn admin(&self, call: &str, body: &Value) -> Value {
        let request = reqwest::Client::new()
            .post(format!("{}/v2/{call}", self.admin))
            .bearer_auth(ADMIN_TOKEN)
            .json(body);
        let answer = request.send().await.expect("Garage answers");
        let status = answer.status();
        let text = answer.text().await.expect("Garage answers in text");
        assert!(status.is_success(), "{call}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

async fn start() -> Garage {
    let folder = tempfile::Builder::new()
        .prefix("sheetmill-garage-")
        .tempdir()
        .expect("a folder for Garage")
        .keep();
    for _ in 0..5 {
        if let Some(garage) = try_start(&folder).await {
            return garage;
        }
    }
    panic!("Garage does not start: see {}", folder.join("log").display());
}

/// `None` when somebody else took one of the ports between our asking for a free one and Garage's start.
#[expect(clippy::too_many_lines, reason = "a server from its configuration to its first key")]
async fn try_start(folder: &Path) -> Option<Garage> {
    let [s3, admin, rpc] = free_addresses();
    let config = format!(
        r#"
        metadata_dir = "{folder}/meta"
        data_dir = "{folder}/data"
        db_engine = "sqlite"
        replication_factor = 1
        metadata_fsync = false
        data_fsync = false
        rpc_bind_addr = "{rpc}"
        rpc_public_addr = "{rpc}"
        rpc_secret = "{secret}"
        [s3_api]
        s3_region = "{REGION}"
        api_bind_addr = "{s3}"
        [admin]
        api_bind_addr = "{admin}"
        admin_token = "{ADMIN_TOKEN}"
        "#,
        folder = folder.display(),
        secret = "5e".repeat(32),
    );
    std::fs::write(folder.join("garage.toml"), config).expect("the configuration can be written");
    let log = File::create(folder.join("log")).expect("the log can be written");
    let mut server = Command::new(binary())
        .arg("--config")
        .arg(folder.join("garage.toml"))
        .arg("server")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the log can be written"))
        .stderr(log)
        .spawn()
        .expect("garage starts");
    std::fs::write(folder.join("pid"), format!("{}\n", server.id())).expect("the pid can be written");

    let status = until("Garage answers or ends", async || {
        if server.try_wait().expect("Garage can be asked").is_some() {
            return Some(None);
        }
        let status = reqwest::Client::new()
            .get(format!("http://{admin}/v2/GetClusterStatus"))
            .bearer_auth(ADMIN_TOKEN);
        let answer = status.send().await.ok()?;
        Some(Some(answer.json::<Value>().await.ok()?))
    })
    .await?;
    let garage = Garage {
        s3: format!("http://{s3}"),
        admin: format!("http://{admin}"),
        _undertaker: undertaker::watch_over(&folder.join("pid"), folder),
    };
    let role = json!({"id": status["nodes"][0]["id"], "zone": "here", "capacity": 1_000_000_000_u64, "tags": []});
    garage.admin("UpdateClusterLayout", &json!({"roles": [role]})).await;
    garage.admin("ApplyClusterLayout", &json!({"version": 1})).await;
    until("Garage is healthy", async || {
        let answer = reqwest::get(format!("http://{admin}/health")).await.ok()?;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    Some(garage)
}

fn free_addresses<const N: usize>() -> [String; N] {
    // All are held until the last is found, so that no two are the same.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|it| it.local_addr().expect("it has an address").to_string())
}

fn binary() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("SHEETMILL_CACHE")
        .or_else(|| folder("XDG_CACHE_HOME").map(|it| it.join("sheetmill")))
        .or_else(|| folder("HOME").map(|it| it.join(".cache/sheetmill")))
        .expect("a home folder");
    let binary = cache.join("tools/bin/garage");
    assert!(
        binary.is_file(),
        "{} is missing: `make garage` builds it",
        binary.display()
    );
    binary
}

//! Each third-party crate that shapes a room has one owner; what others need of it, the owner offers in our words.

use super::source::Source;
use super::{Finding, finding};

/// A crate, as code names it, and the modules that may.
struct Owned {
    name: &'static str,
    by: &'static [&'static str],
}

const fn owned(name: &'static str, by: &'static [&'static str]) -> Owned {
    Owned { name, by }
}

const PRODUCT: &[Owned] = &[
    owned("actix_web", &["pages", "api", "app"]),
    owned("actix_multipart", &["upload"]),
    owned("apalis", &["queue"]),
    owned("apalis_postgres", &["queue"]),
    owned("argon2", &["accounts"]),
    owned("askama", &["pages"]),
    owned("aws_sdk_s3", &["storage"]),
    owned("chrono_tz", &["schedules"]),
    owned("clap", &["cli", "main"]),
    owned("indicatif", &["cli"]),
    owned("metrics_exporter_prometheus", &["telemetry"]),
    owned("rlimit", &["sandbox"]),
    owned("rust_embed", &["pages"]),
    owned("sqlx", &["database"]),
    owned("tracing_subscriber", &["telemetry"]),
    owned("utoipa", &["api"]),
];

const ENGINE: &[Owned] = &[
    owned("calamine", &["sheets"]),
    owned("csv", &["sheets"]),
    owned("datafusion", &["recipe"]),
    owned("datafusion_common", &["recipe"]),
    owned("datafusion_execution", &["recipe"]),
    owned("datafusion_expr", &["recipe"]),
    owned("datafusion_functions", &["recipe"]),
    owned("datafusion_physical_expr", &["recipe"]),
    owned("datafusion_physical_plan", &["recipe"]),
    owned("quick_xml", &["sheets"]),
    owned("rust_xlsxwriter", &["sheets"]),
    owned("serde_saphyr", &["recipe"]),
    owned("sqlparser", &["recipe"]),
    owned("zip", &["sheets"]),
];

/// `path`, `crate name` and why it may stand there nevertheless.
const EXCEPTIONS: &[(&str, &str)] = &[];

pub fn check(source: &Source) -> Vec<Finding> {
    let owners = if source.path.starts_with("engine/") {
        ENGINE
    } else {
        PRODUCT
    };
    let module = source.module();
    let mut findings = Vec::new();
    for (line, code) in source.product() {
        for it in owners
            .iter()
            .filter(|it| !it.by.contains(&module) && mentions(code, it.name))
        {
            if !EXCEPTIONS.contains(&(source.path.as_str(), it.name)) {
                findings.push(finding(
                    source,
                    line,
                    format!("`{}` belongs to {}", it.name, it.by.join(", ")),
                ));
            }
        }
    }
    findings
}

/// Whether `name` stands there as a crate: at the start of a path.
fn mentions(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        !before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':' || it == '.') && after.starts_with("::")
    })
}

#[test]
fn a_crate_in_a_strange_room_is_found() {
    let found = check(&Source::new("src/runs/x.rs", "async fn a(pool: &sqlx::PgPool) {}"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].sentence, "`sqlx` belongs to database");
    assert_eq!(
        check(&Source::new("engine/src/recipe/x.rs", "use calamine::Data;")).len(),
        1
    );
}

#[test]
fn a_crate_at_home_and_a_module_of_like_name_pass() {
    assert_eq!(check(&Source::new("src/database/x.rs", "use sqlx::PgPool;")), []);
    assert_eq!(
        check(&Source::new(
            "engine/src/order.rs",
            "use crate::sheets::csv::write; use super::zip::x;"
        )),
        []
    );
}

//! `sheetmill doctor`: looks at everything that has to be there and says in words what is not.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::command::{block_on, finish};
use super::foundation::Foundation;
use super::{Error, system};
use crate::domain::units;
use crate::sandbox;
use crate::settings::{DatabasePlace, Environment, Overrides, Settings};

/// Less free space than this is soon none: a million rows are some 200 MB with all that is made of them.
const LITTLE_SPACE: u64 = 2 << 30;

/// Prints what is there and what is missing; fails when something is missing.
#[must_use]
pub fn main(overrides: Overrides) -> ExitCode {
    finish(block_on(async {
        let mut findings = Findings::default();
        let environment = Environment::of_process();
        for name in environment.unknown() {
            findings.bad(format!("{name} is set and not one of our variables; is it misspelt?"));
        }
        match Settings::read(&environment, overrides) {
            Ok(settings) => examine(&settings, &mut findings).await,
            Err(error) => findings.bad(error.to_string()),
        }
        std::io::stdout()
            .write_all(findings.text.as_bytes())
            .map_err(system("Cannot print"))?;
        if findings.bad == 0 {
            Ok(())
        } else {
            Err(Error::Unwell(findings.bad))
        }
    }))
}

#[derive(Debug, Default)]
struct Findings {
    text: String,
    bad: usize,
}

impl Findings {
    fn good(&mut self, sentence: impl AsRef<str>) {
        let _infallible = writeln!(self.text, "ok    {}", sentence.as_ref());
    }

    /// Worth knowing, and no reason not to go on.
    fn note(&mut self, sentence: impl AsRef<str>) {
        let _infallible = writeln!(self.text, "note  {}", sentence.as_ref());
    }

    fn bad(&mut self, sentence: impl AsRef<str>) {
        self.bad += 1;
        let _infallible = writeln!(self.text, "wrong {}", sentence.as_ref());
    }
}

async fn examine(settings: &Settings, findings: &mut Findings) {
    data_folder(&settings.data, findings);
    memory(findings);
    match sandbox::can_confine() {
        Ok(sentence) => findings.good(sentence),
        // It works without.
        Err(sentence) => findings.note(sentence),
    }
    match Foundation::join(settings).await {
        Ok(foundation) => {
            let place = match &settings.database {
                DatabasePlace::Private(_) => "the private Postgres answers",
                DatabasePlace::At(_) => "the database at DATABASE_URL answers",
            };
            findings.good(format!("{place} and is at this version"));
            let store = settings.s3.as_ref().map_or("the folder", |_| "the S3 store");
            match foundation.storage.check().await {
                Ok(()) => findings.good(format!("{store} that bytes are kept in answers")),
                Err(error) => findings.bad(format!("{store} that bytes are kept in does not work: {error}")),
            }
            foundation.leave().await;
        }
        Err(error) => findings.bad(error.to_string()),
    }
}

fn data_folder(folder: &Path, findings: &mut Findings) {
    if let Err(cause) = std::fs::create_dir_all(folder) {
        return findings.bad(format!("the data folder {} cannot be made: {cause}", folder.display()));
    }
    match tempfile::tempfile_in(folder) {
        Ok(_) => findings.good(format!("the data folder is {}", folder.display())),
        Err(cause) => findings.bad(format!(
            "the data folder {} cannot be written to: {cause}",
            folder.display()
        )),
    }
    match rustix::fs::statvfs(folder) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let sentence = format!("{} are free there", units::show_bytes(free));
            if free < LITTLE_SPACE {
                findings.bad(sentence);
            } else {
                findings.good(sentence);
            }
        }
        Err(cause) => findings.bad(format!("its free space cannot be told: {cause}")),
    }
}

/// Children limit themselves; where the machine has less than they may take, the kernel ends what it likes.
fn memory(findings: &mut Findings) {
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else {
        return;
    };
    let available = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = available.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    if let Some(kilobytes) = kilobytes {
        let sentence = format!("{} of memory are available", units::show_bytes(kilobytes << 10));
        if kilobytes < 1 << 20 {
            findings.bad(format!("{sentence}; a child may take 512 MB, and there are several"));
        } else {
            findings.good(sentence);
        }
    }
}

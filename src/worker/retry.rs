//! The only place that decides whether a task is tried again or is dead.

use std::time::Duration;

use crate::database::tasks::Account;
use crate::domain::failure::Fault;
use crate::domain::states::TaskKind;

/// How patient we are.
#[derive(Clone, Debug)]
pub struct RetrySettings {
    /// So many crashes and a task is dead: a file that did it three times does it again.
    pub crashes: i32,
    /// So many tries at what is our own fault: a few, since a mistake seldom goes away by itself.
    pub ours: i32,
    /// So many tries while storage or database are away: hours, since that does go away by itself.
    pub surroundings: i32,
    /// So many attempts in all, however they ended: a worker that dies again and again may die of this task.
    pub attempts: i32,
    /// The first pause after a fault of ours; five times as long after each further one.
    pub pause_ours: Duration,
    /// The first pause while surroundings are away; doubles with each further one.
    pub pause_surroundings: Duration,
    /// The longest pause.
    pub pause_at_most: Duration,
}

impl Default for RetrySettings {
    /// Pauses of 5, 25 and 125 s; of 2, 4, 8 … 60 s while something is away.
    fn default() -> Self {
        Self {
            crashes: 3,
            ours: 3,
            surroundings: 120,
            attempts: 200,
            pause_ours: Duration::from_secs(5),
            pause_surroundings: Duration::from_secs(2),
            pause_at_most: Duration::from_secs(125),
        }
    }
}

/// What went wrong with an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The engine said that something failed, and whose fault it is.
    Failed {
        /// Whose.
        fault: Fault,
        /// A stable word.
        code: String,
        /// The sentence for people.
        sentence: String,
        /// The cause, for the log.
        detail: String,
    },
    /// The reader needed more memory than it may have, so many bytes.
    OutOfMemory(u64),
    /// The reader took longer than it may.
    TimedOut,
    /// The reader crashed; how, for the log.
    Crashed(String),
    /// The worker went silent and its lease ran out.
    LeaseLost,
}

/// Where a task stands when an attempt went wrong.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// The attempt's number.
    pub attempt: i32,
    /// Failures before it that were tried again.
    pub failures: i32,
    /// Crashes before it.
    pub crashes: i32,
    /// What it is.
    pub kind: TaskKind,
    /// The file's name.
    pub name: &'a str,
}

/// What becomes of the task.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It is tried again.
    Again {
        /// On which account.
        account: Account,
        /// After this pause, before jitter.
        pause: Duration,
    },
    /// It has failed for good.
    Dead {
        /// In a word: `refused`, `failed`, `out_of_memory`, `timed_out` or `dead`.
        reason: &'static str,
    },
}

/// A decision with what people are told, also while it is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// What becomes of the task.
    pub decision: Decision,
    /// A stable word.
    pub code: String,
    /// The sentence.
    pub sentence: String,
    /// The cause, for the log and for admins.
    pub detail: Option<String>,
}

/// Decides. Mistakes of the input are never tried again, nor is what ran into a limit: both would end the same way.
#[must_use]
#[expect(clippy::too_many_lines, reason = "one arm for each mishap")]
pub fn decide(settings: &RetrySettings, standing: &Standing<'_>, mishap: Mishap) -> Ruling {
    let dead = |reason| Decision::Dead { reason };
    let name = standing.name;
    let (decision, code, sentence, detail) = match mishap {
        Mishap::Failed {
            fault: Fault::Input,
            code,
            sentence,
            detail,
        } => {
            let reason = if detail.is_empty() { "refused" } else { "failed" };
            (dead(reason), code, sentence, Some(detail).filter(|it| !it.is_empty()))
        }
        Mishap::Failed {
            fault: Fault::Ours,
            code,
            sentence,
            detail,
        } => {
            let again = pause(settings.pause_ours, 5, standing.failures, settings.pause_at_most);
            (
                after_failure(standing, settings.ours, again),
                code,
                sentence,
                Some(detail),
            )
        }
        Mishap::Failed {
            fault: Fault::Surroundings,
            code,
            sentence,
            detail,
        } => {
            let longest = settings.pause_at_most.min(Duration::from_secs(60));
            let again = pause(settings.pause_surroundings, 2, standing.failures, longest);
            (
                after_failure(standing, settings.surroundings, again),
                code,
                sentence,
                Some(detail),
            )
        }
        Mishap::OutOfMemory(limit) => {
            let sentence = too_large(standing, limit);
            (dead("out_of_memory"), "out_of_memory".to_owned(), sentence, None)
        }
        Mishap::TimedOut => {
            let sentence = format!("“{name}” took longer than it may. Split it into smaller files.");
            (dead("timed_out"), "timed_out".to_owned(), sentence, None)
        }
        Mishap::Crashed(how) => after_crash(settings, standing, how),
        Mishap::LeaseLost => {
            let again = Decision::Again {
                account: Account::Interruption,
                pause: Duration::ZERO,
            };
            let sentence = format!("The worker that had “{name}” went away.");
            (again, "worker_lost".to_owned(), sentence, None)
        }
    };
    let worn_out = standing.attempt >= settings.attempts && matches!(decision, Decision::Again { .. });
    Ruling {
        decision: if worn_out { dead("dead") } else { decision },
        code,
        sentence,
        detail,
    }
}

/// A file may be too large for its reader; what a recipe makes of it may be so of a small one too.
fn too_large(standing: &Standing<'_>, limit: u64) -> String {
    let (name, limit) = (standing.name, limit >> 20);
    match standing.kind {
        TaskKind::Ingest => {
            format!("“{name}” needs more memory than its reader may have ({limit} MB). Split it into smaller files.")
        }
        _ => format!(
            "“{name}” needs more memory with this recipe than it may have ({limit} MB). Make shorter texts in the recipe, or \
             split the file."
        ),
    }
}

fn after_failure(standing: &Standing<'_>, tries: i32, pause: Duration) -> Decision {
    if standing.failures + 1 >= tries {
        return Decision::Dead { reason: "dead" };
    }
    Decision::Again {
        account: Account::Failure,
        pause,
    }
}

fn after_crash(
    settings: &RetrySettings,
    standing: &Standing<'_>,
    how: String,
) -> (Decision, String, String, Option<String>) {
    let name = standing.name;
    if standing.crashes + 1 >= settings.crashes {
        let sentence = format!(
            "“{name}”: this file crashed its reader three times. Open it in a spreadsheet program and save it anew."
        );
        return (
            Decision::Dead { reason: "dead" },
            "reader_crashed".to_owned(),
            sentence,
            Some(how),
        );
    }
    let again = Decision::Again {
        account: Account::Crash,
        pause: Duration::ZERO,
    };
    (
        again,
        "reader_crashed".to_owned(),
        format!("“{name}” crashed its reader."),
        Some(how),
    )
}

/// `first` times `factor` to the power of the failures before, capped.
fn pause(first: Duration, factor: u32, failures: i32, longest: Duration) -> Duration {
    let power = factor.saturating_pow(u32::try_from(failures).unwrap_or_default().min(20));
    first.saturating_mul(power).min(longest)
}

/// Spreads pauses by a fifth either way, so that what failed together does not come back together. `chance` is between
/// 0 and 1.
#[must_use]
pub fn jittered(pause: Duration, chance: f64) -> Duration {
    pause.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(failures: i32, crashes: i32) -> Standing<'static> {
        Standing {
            attempt: failures + crashes + 1,
            failures,
            crashes,
            kind: TaskKind::Ingest,
            name: "orders.xlsx",
        }
    }

    fn failed(fault: Fault) -> Mishap {
        Mishap::Failed {
            fault,
            code: "c".into(),
            sentence: "S.".into(),
            detail: "d".into(),
        }
    }

    fn pauses(fault: Fault, count: i32) -> Vec<u64> {
        (0..count)
            .map_while(|failures| {
                match decide(&RetrySettings::default(), &standing(failures, 0), failed(fault)).decision {
                    Decision::Again {
                        account: Account::Failure,
                        pause,
                    } => Some(pause.as_secs()),
                    _ => None,
                }
            })
            .collect()
    }

    #[test]
    fn mistakes_of_the_input_are_never_tried_again() {
        let ruling = decide(&RetrySettings::default(), &standing(0, 0), failed(Fault::Input));
        assert_eq!(ruling.decision, Decision::Dead { reason: "failed" });
    }

    #[test]
    fn a_file_that_ran_into_its_memory_or_time_limit_is_never_tried_again() {
        for mishap in [Mishap::OutOfMemory(512 << 20), Mishap::TimedOut] {
            let ruling = decide(&RetrySettings::default(), &standing(0, 0), mishap);
            assert!(matches!(ruling.decision, Decision::Dead { .. }), "{ruling:?}");
        }
        let ruling = decide(
            &RetrySettings::default(),
            &standing(0, 0),
            Mishap::OutOfMemory(512 << 20),
        );
        assert!(
            ruling.sentence.contains("orders.xlsx") && ruling.sentence.contains("512 MB"),
            "{ruling:?}"
        );
    }

    #[test]
    fn faults_of_ours_are_tried_thrice_with_growing_pauses() {
        assert_eq!(pauses(Fault::Ours, 10), [5, 25]);
    }

    #[test]
    fn while_surroundings_are_away_pauses_double_up_to_a_minute_for_an_hour_or_two() {
        let pauses = pauses(Fault::Surroundings, 1000);
        assert_eq!(pauses[..7], [2, 4, 8, 16, 32, 60, 60]);
        assert!((3600..4 * 3600).contains(&pauses.iter().sum::<u64>()));
    }

    #[test]
    fn the_third_crash_is_the_last_and_the_first_two_are_retried_at_once() {
        let decide = |crashes| {
            decide(
                &RetrySettings::default(),
                &standing(0, crashes),
                Mishap::Crashed("signal: 6".into()),
            )
        };
        for crashes in [0, 1] {
            assert_eq!(
                decide(crashes).decision,
                Decision::Again {
                    account: Account::Crash,
                    pause: Duration::ZERO
                }
            );
        }
        assert_eq!(decide(2).decision, Decision::Dead { reason: "dead" });
        assert!(decide(2).sentence.contains("this file crashed its reader three times"));
    }

    #[test]
    fn failures_do_not_count_as_crashes_nor_crashes_as_failures() {
        let settings = RetrySettings::default();
        let crashed = decide(&settings, &standing(50, 0), Mishap::Crashed(String::new()));
        assert!(matches!(
            crashed.decision,
            Decision::Again {
                account: Account::Crash,
                ..
            }
        ));
        let failed = decide(&settings, &standing(0, 2), failed(Fault::Ours));
        assert!(matches!(
            failed.decision,
            Decision::Again {
                account: Account::Failure,
                ..
            }
        ));
    }

    #[test]
    fn a_lost_worker_is_nobodys_fault_until_it_happens_without_end() {
        let settings = RetrySettings::default();
        let lost = |attempt| {
            decide(
                &settings,
                &Standing {
                    attempt,
                    failures: 0,
                    crashes: 0,
                    kind: TaskKind::Ingest,
                    name: "a",
                },
                Mishap::LeaseLost,
            )
            .decision
        };
        assert_eq!(
            lost(5),
            Decision::Again {
                account: Account::Interruption,
                pause: Duration::ZERO
            }
        );
        assert_eq!(lost(settings.attempts), Decision::Dead { reason: "dead" });
    }

    #[test]
    fn jitter_spreads_by_a_fifth_either_way() {
        let pause = Duration::from_secs(100);
        assert_eq!(jittered(pause, 0.0), Duration::from_secs(80));
        assert_eq!(jittered(pause, 1.0), Duration::from_secs(120));
    }
}

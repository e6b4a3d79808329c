//! How a run ends, from how its files ended.

use super::states::RunState;

/// How many files of a run ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// All files.
    pub all: i64,
    /// With a result.
    pub succeeded: i64,
    /// Refused.
    pub refused: i64,
    /// Failed.
    pub failed: i64,
    /// Cancelled.
    pub cancelled: i64,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its last state.
    pub state: RunState,
    /// A stable word, where it failed.
    pub code: Option<&'static str>,
    /// The sentence, where it failed.
    pub sentence: Option<String>,
}

/// The verdict on a run whose files have all ended. Any result makes it a success, which says how many files gave none;
/// a cancelled run is cancelled whatever its files managed before.
#[must_use]
pub fn verdict(counts: &FileCounts, was_cancelled: bool) -> Verdict {
    if was_cancelled || counts.all == counts.cancelled {
        return Verdict {
            state: RunState::Cancelled,
            code: None,
            sentence: None,
        };
    }
    if counts.succeeded > 0 {
        return Verdict {
            state: RunState::Succeeded,
            code: None,
            sentence: None,
        };
    }
    let sentence = match (counts.all, counts.refused, counts.failed) {
        (1, 1, _) => "The file was refused.".to_owned(),
        (1, ..) => "The file failed.".to_owned(),
        (all, refused, _) if refused == all => format!("All {all} files were refused."),
        (all, _, failed) if failed == all => format!("All {all} files failed."),
        (all, refused, failed) => format!("None of the {all} files gave a result: {refused} refused, {failed} failed."),
    };
    let code = if counts.failed == 0 {
        "all_refused"
    } else {
        "all_failed"
    };
    Verdict {
        state: RunState::Failed,
        code: Some(code),
        sentence: Some(sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(succeeded: i64, refused: i64, failed: i64, cancelled: i64) -> FileCounts {
        FileCounts {
            all: succeeded + refused + failed + cancelled,
            succeeded,
            refused,
            failed,
            cancelled,
        }
    }

    #[test]
    fn three_refused_of_a_thousand_are_a_success() {
        assert_eq!(verdict(&of(997, 3, 0, 0), false).state, RunState::Succeeded);
    }

    #[test]
    fn a_run_without_any_result_says_why_in_a_sentence() {
        let say = |counts| verdict(&counts, false).sentence.expect("a sentence");
        assert_eq!(say(of(0, 1, 0, 0)), "The file was refused.");
        assert_eq!(say(of(0, 0, 1, 0)), "The file failed.");
        assert_eq!(say(of(0, 4, 0, 0)), "All 4 files were refused.");
        assert_eq!(
            say(of(0, 2, 1, 0)),
            "None of the 3 files gave a result: 2 refused, 1 failed."
        );
    }

    #[test]
    fn a_cancelled_run_is_cancelled_whatever_was_done_before() {
        assert_eq!(verdict(&of(2, 0, 0, 1), true).state, RunState::Cancelled);
        assert_eq!(verdict(&of(0, 0, 0, 2), false).state, RunState::Cancelled);
    }
}

//! What a clean-up removed, in numbers and in a sentence.

use super::OBJECTS_AT_MOST;
use crate::domain::units::show_bytes;

/// The numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Files whose time was over.
    pub(super) files: u64,
    /// Results of runs.
    pub(super) results: u64,
    /// Uploaded bytes that nothing needs.
    pub(super) uploads: u64,
    /// Objects that no row knows.
    pub(super) orphans: u64,
    /// What was begun in storage and never finished.
    pub(super) unfinished: u64,
    /// Folders of dead starts.
    pub(super) scratch: u64,
    /// Entries of the history.
    pub(super) history: u64,
    /// Bytes in storage.
    pub(super) bytes: u64,
    /// Objects in storage.
    pub(super) objects: u64,
}

impl Tally {
    /// Whether this clean-up has removed as much as one may.
    pub(super) fn is_full(&self) -> bool {
        self.objects >= OBJECTS_AT_MOST
    }

    /// An object is gone.
    pub(super) fn object(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }

    pub(super) fn log(&self) {
        tracing::info!(
            files = self.files,
            results = self.results,
            uploads = self.uploads,
            orphans = self.orphans,
            unfinished = self.unfinished,
            scratch = self.scratch,
            history = self.history,
            objects = self.objects,
            bytes = self.bytes,
            "clean-up: removed"
        );
    }

    /// For admins: `Removed 3 results and 1 upload: 12.0 MB.`
    pub(super) fn sentence(&self) -> String {
        let several = |count: u64, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let parts: Vec<String> = [
            several(self.files, "file whose time was over", "files whose time was over"),
            several(self.results, "result", "results"),
            several(
                self.uploads,
                "upload that nobody has any more",
                "uploads that nobody has any more",
            ),
            several(self.orphans, "object without an owner", "objects without an owner"),
            several(self.unfinished, "unfinished upload", "unfinished uploads"),
            several(self.scratch, "folder of a dead worker", "folders of dead workers"),
            several(self.history, "entry of the history", "entries of the history"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let Some((last, rest)) = parts.split_last() else {
            return "Nothing was to be removed.".to_owned();
        };
        let list = if rest.is_empty() {
            last.clone()
        } else {
            format!("{} and {last}", rest.join(", "))
        };
        let bytes = if self.bytes > 0 {
            format!(": {}", show_bytes(self.bytes))
        } else {
            String::new()
        };
        let more = if self.is_full() {
            " There is more; the next clean-up goes on."
        } else {
            ""
        };
        format!("Removed {list}{bytes}.{more}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_what_was_removed_and_nothing_else() {
        assert_eq!(Tally::default().sentence(), "Nothing was to be removed.");
        let one = Tally {
            results: 1,
            ..Tally::default()
        };
        assert_eq!(one.sentence(), "Removed 1 result.");
        let several = Tally {
            results: 2,
            uploads: 1,
            history: 40,
            bytes: 12 << 20,
            ..Tally::default()
        };
        assert_eq!(
            several.sentence(),
            "Removed 2 results, 1 upload that nobody has any more and 40 entries of the history: 12.0 MB."
        );
    }

    #[test]
    fn a_clean_up_that_stops_at_its_bound_says_so() {
        let full = Tally {
            orphans: OBJECTS_AT_MOST,
            objects: OBJECTS_AT_MOST,
            ..Tally::default()
        };
        assert!(full.sentence().ends_with("There is more; the next clean-up goes on."));
    }
}

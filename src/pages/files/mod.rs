//! Files: the list, one workbook with its sheets, and how files come and go.

pub(super) mod again;
pub(in crate::pages) mod archive;
pub(super) mod bytes;
pub(super) mod column;
pub(super) mod list;
pub(super) mod reading;
pub(super) mod rows;
pub(super) mod table;
pub(super) mod upload;
pub(super) mod workbook;

//! The sheets of a workbook as calamine lists them.

use std::collections::HashSet;

use calamine::{Sheet, SheetType, SheetVisible};

use super::Visibility;
use super::refusal::Refusal;
use super::source::SheetInfo;

/// A workbook's sheets.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Those with cells, in order.
    pub(super) sheets: Vec<SheetInfo>,
    /// Their places in the workbook's own list.
    pub(super) places: Vec<usize>,
    /// The names of the others: charts, dialogs and macros.
    pub(super) skipped: Vec<String>,
}

impl Listed {
    /// Sorts the sheets of a workbook's list.
    ///
    /// # Errors
    /// When two have one name, or none has cells.
    pub(super) fn of(list: &[Sheet]) -> Result<Self, Refusal> {
        let (mut listed, mut names) = (Self::default(), HashSet::new());
        for (place, sheet) in list.iter().enumerate() {
            if !names.insert(&sheet.name) {
                return Err(Refusal::Damaged(format!("two sheets named {}", sheet.name)));
            }
            if sheet.typ != SheetType::WorkSheet {
                listed.skipped.push(sheet.name.clone());
                continue;
            }
            listed.places.push(place);
            listed.sheets.push(SheetInfo {
                position: u32::try_from(listed.sheets.len()).unwrap_or(u32::MAX),
                name: sheet.name.clone(),
                visibility: match sheet.visible {
                    SheetVisible::Visible => Visibility::Visible,
                    SheetVisible::Hidden => Visibility::Hidden,
                    SheetVisible::VeryHidden => Visibility::VeryHidden,
                },
            });
        }
        if listed.sheets.is_empty() {
            return Err(Refusal::NoSheets);
        }
        Ok(listed)
    }

    /// A sheet's place in the workbook's own list.
    pub(super) fn place(&self, sheet: &SheetInfo) -> Option<usize> {
        self.places.get(sheet.position as usize).copied()
    }
}

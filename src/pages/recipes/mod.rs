//! Recipes: the list, the library, the builder, its live preview, and saving.

pub(super) mod builder;
pub(super) mod definitions;
pub(super) mod library;
pub(super) mod list;
pub(super) mod preview;
pub(super) mod row;
pub(super) mod save;
pub(super) mod suggestions;

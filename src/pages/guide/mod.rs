//! The user's guide: a page for each step, for what is read and written, and for expressions, made of the definitions that the builder's forms are
//! made of, with examples that the engine's tests carry out.

pub(super) mod expressions;
pub(super) mod index;
pub(super) mod part;
pub(super) mod step;

//! Previews of rows that are not the first ones.

//! What just happened: a closed list of facts, announced in the transaction that makes them true.
//!
//! An event is a hint; who hears it looks at the database.

//! Tickets: apalis carries "there may be due work in this queue", never the work itself.
